"""Owns the tests of what ended while it was being cancelled: nothing in it that had begun is done again."""

from __future__ import annotations

import pytest

import flowscript_trio as fs
from flowscript_trio.execution.durable.coding import Coding
from flowscript_trio.execution.durable.entries import JobsEnded, Started
from flowscript_trio.execution.durable.entry_rows import entry_of
from flowscript_trio.testing import prove

from crashing import Crashing, World, points

SLOW = '<source:act id="b" takes="9"/><finally><source:act id="clean" fails="dirty"/></finally>'
SHAPES = {
    "a branch whose sibling failed": f"""<workflow name="w"><parallel id="p">
      <branch><source:act id="a" fails="early"/></branch><branch>{SLOW}</branch>
      <on-error><fallback node="f"/></on-error></parallel>
      <source:act id="f" takes="3"/><source:act id="g" input="p"/></workflow>""",
    "one inside of it, which cleans up nothing": f"""<workflow name="w"><parallel id="p">
      <branch><source:act id="a" fails="early"/></branch>
      <branch><parallel id="q">
        <branch><source:act id="c" takes="9"/></branch><branch>{SLOW}</branch></parallel></branch>
      <on-error><fallback node="f"/></on-error></parallel>
      <source:act id="f" takes="3"/><source:act id="g" input="p"/></workflow>""",
    "those that lost a race": f"""<workflow name="w"><parallel id="p" wait="any">
      <branch><source:act id="a"/></branch><branch>{SLOW}</branch></parallel>
      <source:act id="g" input="p" takes="3"/></workflow>""",
    "an iteration above one that broke out": """<workflow name="w">
      <foreach id="p" collection="[1, 9]" max-concurrency="2"><timeout id="t" duration="50s">
        <source:act id="b" takes="{{item}}"/>
        <finally><source:act id="clean" fails="{{item == 9 ? 'dirty' : ''}}"/></finally></timeout>
        <break when="item == 1"/></foreach>
      <source:act id="g" input="p" takes="3"/></workflow>""",
    "branches whose time has passed": f"""<workflow name="w"><parallel id="p" timeout="2s" on-timeout="keep">
      <branch><source:act id="a"/></branch><branch>{SLOW}</branch></parallel>
      <source:act id="g" input="p" takes="3"/></workflow>""",
    "a block that is tried again": f"""<workflow name="w"><parallel id="p">
      <branch><source:act id="a" fails="early" times="1"/></branch><branch>{SLOW}</branch>
      <on-error><retry max="1" when="true" base="3s"/><fallback node="f"/></on-error></parallel>
      <source:act id="f"/></workflow>""",
    "a body that was over before": """<workflow name="w"><parallel id="p">
      <branch><source:act id="a" takes="3" fails="early"/></branch>
      <branch><timeout id="t" duration="50s"><source:act id="b"/><transform:template id="c" template="{{b}}"/>
        <finally><source:act id="clean" takes="5" fails="dirty"/></finally></timeout></branch>
      </parallel></workflow>""",
    "a body that is cleaned up twice": f"""<workflow name="w"><parallel id="p">
      <branch><source:act id="a" fails="early"/></branch>
      <branch><timeout id="t" duration="50s"><timeout id="u" duration="40s">{SLOW}</timeout>
        <finally><source:act id="later" takes="2"/></finally></timeout></branch></parallel></workflow>""",
}


def begun_again(work: Crashing) -> set[str]:
    """What a process has begun in jobs that had ended, and that another had begun before."""
    coding = Coding({})
    rows = work.store.rows_of("r")
    entries = [entry_of(row, coding.decode) for row in rows]
    jobs = [entry for entry in entries if isinstance(entry, JobsEnded) and entry.key]
    ended = tuple(f"{job.key}/{index}/" for job in jobs for index in job.indices)
    before = {e.key for e in entries if isinstance(e, Started)}
    work.process()
    return {path for path, _ in work.world.begun if path in before and path.startswith(ended)}


@pytest.mark.parametrize("shape", SHAPES)
def test_what_had_begun_in_it_is_not_done_again(shape: str) -> None:
    whole = Crashing(SHAPES[shape])
    expected = whole.process().outcome
    assert "clean failed" in whole.world.done
    for at in points(whole.store.commits):
        work = Crashing(SHAPES[shape])
        if work.process(at).died:
            again = begun_again(work)
            assert not again, (at, again)
            assert work.process().outcome == expected


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
def test_a_process_that_takes_it_up_can_be_left_at_any_moment(shape: str) -> None:
    flow = fs.loads(SHAPES[shape], name="w.xml", registry=World().registry)
    report = prove(flow, crash=True, pairs=60)
    assert report.holds, report.render()
