"""Owns the tests that kill runs whose nodes read or compute: nothing is on record of one before it has ended."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.execution.durable import leaves

from crashing import Crashing, World, check_every_crash, points

ALSO = '<compensate also="begun"><source:act id="undo"/></compensate>'
SHAPES = {
    "a race": """<workflow name="w"><parallel id="p" wait="n(2)">
      <branch><source:act id="a" takes="3"/></branch><branch><source:act id="b" takes="1"/></branch>
      <branch><source:act id="c" takes="9"/></branch><branch><source:act id="d" takes="2"/></branch>
      </parallel></workflow>""",
    "a branch whose sibling failed": """<workflow name="w"><parallel id="p">
      <branch><source:act id="a" takes="3"/><finally><source:act id="clean"/></finally></branch>
      <branch><source:act id="b" takes="1" fails="early"/></branch>
      </parallel><finally><source:act id="last"/></finally></workflow>""",
    "a loser whose clean-up fails": """<workflow name="w"><parallel id="p" wait="any">
      <branch><source:act id="a"/></branch><branch><source:act id="b" takes="9"/>
      <finally><source:act id="clean" fails="dirty"/></finally></branch></parallel>
      <source:act id="g" input="p" takes="3"/></workflow>""",
    "an iteration above one that broke out": """<workflow name="w">
      <foreach id="p" collection="[1, 9]" max-concurrency="2"><timeout id="t" duration="50s">
        <source:act id="b" takes="{{item}}"/><finally><source:act id="clean"/></finally></timeout>
        <break when="item == 1"/></foreach><source:act id="g" input="p" takes="3"/></workflow>""",
    "a time limit": """<workflow name="w"><timeout id="t" duration="2s" on-timeout="h"><source:act id="a"/><source:act id="b" takes="9"/>
      <finally><source:act id="clean"/></finally></timeout>
      <source:act id="h"/><source:act id="z" input="t"/></workflow>""",
    "rounds that are undone": """<workflow name="w"><loop id="l" max="2"><source:act id="a"><compensate><source:act id="u"/>
      </compensate></source:act></loop><source:act id="c" fails="no"/></workflow>""",
    "a loser of a race with clean-up inside": """<workflow name="w"><parallel id="p" wait="any">
      <branch><phase name="q"><source:act id="slow" takes="9"/><finally><source:act id="clean"/></finally></phase></branch>
      <branch><source:act id="fast"/></branch></parallel><source:act id="z" input="p" takes="2"/></workflow>""",
    "an iteration that a sibling ends": """<workflow name="w"><foreach id="e" collection="[9, 2]" max-concurrency="2" tolerate="0">
      <timeout id="t" duration="90s"><source:act id="a" takes="{{item}}" fails="{{item == 2 ? 'no' : ''}}"/>
      <finally><source:act id="clean"/></finally></timeout></foreach></workflow>""",
    "a block that is undone though it had only begun": f"""<workflow name="w"><parallel id="p" wait="any">
      <branch><parallel id="x"><branch><source:act id="slow" takes="9"/></branch>{ALSO}</parallel></branch>
      <branch><source:act id="fast"/></branch></parallel><source:act id="z" input="p" takes="2"/></workflow>""",
    "a node that is undone though it had only begun": f"""<workflow name="w"><parallel id="p" wait="any">
      <branch><source:act id="slow" takes="9">{ALSO}</source:act></branch>
      <branch><source:act id="fast"/></branch></parallel><source:act id="z" input="p" takes="2"/></workflow>""",
    "a node that computes and can be undone": """<workflow name="w"><parallel id="p">
      <branch><source:act id="a"><compensate><source:act id="undo"/></compensate></source:act><source:act id="b" takes="9"/></branch>
      <branch><source:act id="c" takes="2" fails="no"/></branch></parallel></workflow>""",
}  # fmt: skip


@pytest.fixture(params=["reads", "computes"])
def without_marks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """``source:act`` is on record once it has ended, or only as far as others are."""
    if request.param == "reads":
        monkeypatch.setattr(leaves, "_is_repeatable", lambda step, config: True)
        return
    made = World.__init__

    def pure(world: World) -> None:
        made(world)
        world.registry = fs.Registry(base=fs.registry)
        world.registry.runtime("source:act", pure=True)(world.act)

    monkeypatch.setattr(World, "__init__", pure)


@pytest.mark.usefixtures("without_marks")
@pytest.mark.parametrize("shape", SHAPES)
def test_a_run_that_dies_at_any_commit_ends_as_it_must(shape: str) -> None:
    check_every_crash(SHAPES[shape])


@pytest.mark.usefixtures("without_marks")
@pytest.mark.parametrize("element", ["call", "include"])
def test_a_document_that_had_begun_cleans_up_though_its_nodes_left_no_mark(
    element: str, tmp_path: Path
) -> None:
    (tmp_path / "part.xml").write_text(
        '<workflow name="part"><source:act id="a" takes="9"/><finally><source:act id="clean"/></finally></workflow>'
    )
    main = tmp_path / "w.xml"
    main.write_text(f"""<workflow name="w"><parallel id="p" wait="any">
      <branch><{element} id="c" workflow="part.xml"/></branch><branch><source:act id="fast"/></branch></parallel>
      <source:act id="z" input="p" takes="2"/></workflow>""")
    check_every_crash(main)


@pytest.mark.parametrize("collection", ["a list", "items"])
def test_an_iteration_below_a_break_counts_as_begun(collection: str) -> None:
    """Nothing is on record of it when the process dies, and it is brought to its end all the same."""

    async def given(start: int) -> Any:
        for each in [5, 1, 1][start:]:
            await trio.lowlevel.checkpoint()
            yield each

    text = """<workflow name="w"><foreach id="e" collection="{{$input}}" max-concurrency="3">
      <source:look id="l" takes="{{item}}"/><if id="i" condition="item == 5"><then><source:act id="a"/></then></if>
      <break when="item == 1"/></foreach></workflow>"""

    def made() -> Crashing:
        work = Crashing(text, input=[5, 1, 1] if collection == "a list" else fs.Items(given))

        @work.world.registry.runtime("source:look", pure=True)
        async def look(params: fs.ExecutionParams) -> Any:
            await trio.sleep(float(params.config["takes"]))

        return work

    whole = made()
    expected = whole.process().outcome
    assert expected == ("completed", ["a", None])
    broken = 0
    for at in points(whole.store.commits):
        work = made()
        work.process(at)
        rows = work.store.rows_of("r") if work.store.commits else []
        broken += any(row.kind == "decided" for row in rows)
        assert work.process().outcome == expected, at
    assert broken
