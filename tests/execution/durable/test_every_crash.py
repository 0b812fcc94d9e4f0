"""Owns the tests that kill a durable run at every commit: it is resumed, and ends as it must."""

from __future__ import annotations

import pytest

from flowscript_trio.types.paths import is_cleanup

from crashing import Crashing, check_every_crash, points, undisturbed

SHAPES = {
    "sequence": '<workflow name="w"><source:act id="a"/><source:act id="b" input="a"/></workflow>',
    "graph": '<workflow name="w"><source:act id="a"/><source:act id="b" takes="2"/><source:act id="c" input="a, b"/></workflow>',
    "parallel": """<workflow name="w"><parallel id="p">
      <branch><source:act id="a" takes="1"/><source:act id="a2"/></branch>
      <branch><source:act id="b" takes="3"/></branch>
      <branch><transform:template id="t" template="x"/></branch></parallel></workflow>""",
    "limited": """<workflow name="w"><parallel id="p" max-concurrency="2">
      <branch><source:act id="a" takes="1"/></branch><branch><source:act id="b" takes="3"/></branch>
      <branch><source:act id="c" takes="1"/></branch><branch><source:act id="d" takes="1"/></branch>
      </parallel></workflow>""",
    "race": """<workflow name="w"><parallel id="p" wait="n(2)">
      <branch><source:act id="a" takes="3"/></branch><branch><source:act id="b" takes="1"/></branch>
      <branch><source:act id="c" takes="9"/></branch><branch><source:act id="d" takes="2"/></branch>
      </parallel></workflow>""",
    "first error": """<workflow name="w"><parallel id="p" fail-fast="false">
      <branch><source:act id="a" takes="3" fails="late"/></branch>
      <branch><source:act id="b" takes="1" fails="early"/></branch>
      <branch><source:act id="c" takes="5"/></branch></parallel></workflow>""",
    "fail fast": """<workflow name="w"><parallel id="p">
      <branch><source:act id="a" takes="3"/><finally><source:act id="clean"/></finally></branch>
      <branch><source:act id="b" takes="1" fails="early"/></branch>
      </parallel><finally><source:act id="last"/></finally></workflow>""",
    "tolerated": """<workflow name="w"><parallel id="p" tolerate="1">
      <branch><source:act id="a" takes="3"/></branch>
      <branch><source:act id="b" takes="1" fails="early"/></branch>
      </parallel><transform:template id="t" template="{{b.status}} {{p.failures[0].type}} {{p.failures[0].message}}"/></workflow>""",
    "retry": """<workflow name="w"><source:act id="a" fails="no" times="2">
      <on-error><retry max="3" when="true" base="1s" jitter="full"/></on-error></source:act></workflow>""",
    "fallback": """<workflow name="w"><source:act id="a" fails="no">
      <on-error><retry max="1" when="true" base="1s"/><fallback node="f"/></on-error></source:act>
      <source:act id="f"/><source:act id="g" input="a"/></workflow>""",
    "block tried again": """<workflow name="w"><parallel id="trip">
      <branch><source:act id="book"><compensate><source:act id="unbook"/></compensate></source:act></branch>
      <branch><source:act id="pay" takes="2" fails="no" times="1"/></branch>
      <on-error><retry max="1" when="true" base="1s"/></on-error></parallel></workflow>""",
    "foreach": """<workflow name="w"><foreach id="each" collection="[1,2,3,4]" max-concurrency="2">
      <source:act id="a"/><set var="x" value="{{item}}"/><transform:template id="t" template="{{x}} {{a}}"/></foreach></workflow>""",
    "foreach that breaks": """<workflow name="w"><foreach id="each" collection="[3,1,2,9]" max-concurrency="3">
      <source:act id="a" takes="{{item}}"/><break when="item == 1"/><source:act id="b"/></foreach></workflow>""",
    "loop": """<workflow name="w"><loop id="l" max="4" break="$iteration == 2"><source:act id="a"/>
      <transform:template id="t" template="{{$iteration}} {{t}}"/></loop></workflow>""",
    "while by the clock": """<workflow name="w"><while id="l" condition="timestamp(now()) &lt; timestamp('2030-01-01T00:00:03.500Z')" max="50">
      <source:act id="a"/></while></workflow>""",
    "choice": """<workflow name="w"><source:act id="a"/><if id="i" condition="a == 'a'"><then><source:act id="b"/></then>
      <else><source:act id="c"/></else></if><branch id="br"><case when="false"><source:act id="d"/></case>
      <default><source:act id="e"/></default></branch></workflow>""",
    "compensation": """<workflow name="w"><source:act id="a"><compensate><source:act id="ua"/></compensate></source:act>
      <source:act id="b" input="a"><compensate><source:act id="ub"/></compensate></source:act>
      <source:act id="c" input="b" fails="no"/>
      <on-workflow-error><source:act id="told"/></on-workflow-error><finally><source:act id="last"/></finally></workflow>""",
    "timeout": """<workflow name="w"><timeout id="t" duration="2s" on-timeout="h"><source:act id="a"/><source:act id="b" takes="9"/>
      <finally><source:act id="clean"/></finally></timeout>
      <source:act id="h"/><source:act id="z" input="t"/></workflow>""",
    "timeout with clean-up that fails": """<workflow name="w"><timeout id="t" duration="2s">
      <source:act id="a" takes="9"/><source:act id="b"/>
      <finally timeout="{{ 1 / 0 }}s"><source:act id="clean"/></finally></timeout>
      <finally><source:act id="c"/></finally></workflow>""",
    "node timeout": """<workflow name="w"><source:act id="a" takes="9" timeout="2s"><on-error><fallback node="h"/></on-error></source:act>
      <source:act id="h"/><source:act id="z" input="a"/></workflow>""",
    "keep": """<workflow name="w"><parallel id="p" timeout="2s" on-timeout="keep">
      <branch><source:act id="a"/></branch><branch><source:act id="b" takes="9"/></branch></parallel><source:act id="z" input="p"/></workflow>""",
    "delay": """<workflow name="w"><source:act id="a"/><delay id="d" after="a" duration="5s"/><source:act id="b" after="d"/></workflow>""",
    "phases": """<workflow name="w"><phase name="one"><source:act id="a"/><source:act id="b"/><finally><source:act id="c"/></finally></phase>
      <phase name="two"><source:act id="d" input="a"/></phase></workflow>""",
    "draws": """<workflow name="w"><source:act id="a" gives="{{random()}} {{uuid()}}"/><transform:template id="t" template="{{uuid()}} {{a}}"/>
      <source:act id="b" gives="{{t}}" takes="0"/></workflow>""",
    "return": """<workflow name="w"><source:act id="a"/><if id="i" condition="true" after="a"><then><return value="{{a}}!"/></then></if>
      <source:act id="b" after="i"/></workflow>""",
    "nested": """<workflow name="w"><parallel id="p" wait="any">
      <branch><parallel id="q"><branch><source:act id="a"/><source:act id="a2" takes="5"/><finally><source:act id="fa"/></finally></branch>
        <branch><source:act id="b" takes="9"/></branch></parallel></branch>
      <branch><source:act id="c" takes="3"/><source:act id="c2"/></branch></parallel></workflow>""",
    "accept": """<workflow name="w"><parallel id="p" wait="any" accept="result == 'b'">
      <branch><source:act id="a"/></branch><branch><source:act id="b" takes="2"/></branch><branch><source:act id="c" takes="7"/></branch>
      </parallel><transform:template id="t" template="{{a.status}} {{c.status}} {{p}}"/></workflow>""",
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_run_that_dies_at_any_commit_ends_as_it_must(shape: str) -> None:
    check_every_crash(SHAPES[shape])


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
def test_a_run_that_dies_again_in_its_resumption_ends_as_it_must(shape: str) -> None:
    check_every_crash(SHAPES[shape], twice=True)


LATE = """<workflow name="w"><foreach id="each" collection="range(5)" max-concurrency="2" timeout="2500ms" on-timeout="keep">
  <source:act id="a" shielded="true"><compensate><source:act id="ua"/></compensate></source:act></foreach></workflow>"""


def test_what_had_ended_too_late_to_be_kept_is_undone_after_a_crash() -> None:
    late = 0
    for at in points(undisturbed(LATE).store.commits):
        crashed = Crashing(LATE)
        crashed.process(at)
        run = crashed.process().run
        assert run is not None
        rows = crashed.store.rows_of("r")
        ended = {row.key for row in rows if row.kind == "ended" and not is_cleanup(row.key)}
        kept = {f"each[{index}]/a" for index, output in enumerate(run.output) if output}
        for key in ended - kept:
            assert any(
                row.kind == "ended" and row.key == f"{key}/@compensate/ua" for row in rows
            ), at
            late += 1
    assert late > 5
