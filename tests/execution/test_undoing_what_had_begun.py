"""Owns the tests of ``<compensate also="begun">``: what was cut off at its work, and may have acted, is undone."""

from __future__ import annotations

from typing import Any

import pytest
import trio

import flowscript_trio as fs

from crashing import Crashing, World, check_every_crash

ALSO = '<compensate also="begun"><source:act id="undo"/></compensate>'
ONLY = '<compensate><source:act id="undo"/></compensate>'


def done_by(text: str) -> tuple[list[str], Any]:
    """What was done in a run without a store, and how it ended."""
    world = World()
    status: Any = None

    async def main() -> None:
        nonlocal status
        try:
            run = await fs.run(fs.loads(text, registry=world.registry))
            status = run.status
        except Exception as exc:
            status = exc

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    return world.done, status


def race(undo: str) -> str:
    return f"""<workflow name="w"><parallel id="p" wait="any">
      <branch><source:act id="x" takes="5">{undo}</source:act></branch>
      <branch><source:act id="y" takes="1"/></branch></parallel>
      <source:act id="z" input="p"/></workflow>"""


def test_a_loser_of_a_race_that_had_begun_is_undone_before_the_block_ends() -> None:
    assert done_by(race(ALSO))[0] == ["y", "undo", "z"]
    assert done_by(race(ONLY))[0] == ["y", "z"]


def test_a_sibling_that_a_failure_cancels_is_undone() -> None:
    text = f"""<workflow name="w"><parallel id="p">
      <branch><source:act id="x" takes="5">{ALSO}</source:act></branch>
      <branch><source:act id="y" takes="1" fails="no"/></branch></parallel></workflow>"""
    done, error = done_by(text)
    assert done == ["y failed", "undo"]
    assert str(error) == "no"


def test_one_that_is_too_slow_is_undone() -> None:
    text = f"""<workflow name="w"><source:act id="x" takes="5" timeout="1s">{ALSO}</source:act></workflow>"""
    done, error = done_by(text)
    assert done == ["undo"]
    assert isinstance(error, trio.TooSlowError)


def test_one_that_failed_by_itself_or_never_began_is_not_undone() -> None:
    text = f"""<workflow name="w"><source:act id="x" fails="no">{ALSO}</source:act>
      <source:act id="y" input="x"><compensate also="begun"><source:act id="unmade"/></compensate></source:act>
      </workflow>"""
    assert done_by(text)[0] == ["x failed"]


def test_one_that_succeeded_is_undone_once() -> None:
    text = f"""<workflow name="w"><source:act id="x">{ALSO}</source:act>
      <source:act id="y" input="x" fails="no"/></workflow>"""
    assert done_by(text)[0] == ["x", "y failed", "undo"]


def test_a_block_that_was_cut_off_is_undone() -> None:
    text = f"""<workflow name="w"><timeout id="t" duration="1s"><parallel id="x">
      <branch><source:act id="a" takes="5"/></branch><branch><source:act id="b" takes="0"/></branch>
      {ALSO}</parallel></timeout></workflow>"""
    assert done_by(text)[0] == ["b", "undo"]


def test_what_waits_for_its_turn_has_not_begun() -> None:
    text = f"""<workflow name="w"><parallel id="p" wait="any" max-concurrency="1">
      <branch><source:act id="y" takes="1"/></branch>
      <branch><source:act id="x" takes="5">{ALSO}</source:act></branch></parallel></workflow>"""
    assert done_by(text)[0] == ["y"]


@pytest.mark.parametrize(
    "text", [race(ALSO), race(ALSO).replace('id="x"', 'id="x" on-crash="fail"')]
)
def test_a_run_that_dies_anywhere_undoes_the_loser(text: str) -> None:
    check_every_crash(text, same="on-crash" not in text)


def frontier(text: str) -> Crashing:
    """A run whose process died when the race was decided and the loser not yet cancelled."""
    crashing = Crashing(text)
    whole = Crashing(text)
    whole.process()
    for number in range(1, whole.store.commits + 1):
        crashing = Crashing(text)
        crashing.process(("after", number))
        if any(row.kind == "decided" for row in crashing.store.rows_of("r")):
            return crashing
    raise AssertionError("it was never decided")


def test_a_loser_in_the_frontier_of_a_settled_block_is_not_done_again_and_undone() -> None:
    crashing = frontier(race(ALSO))
    crashing.world.done.clear()
    process = crashing.process()
    assert process.run is not None
    assert process.run.status == "completed"
    assert "x" not in crashing.world.done
    assert crashing.world.done == ["undo", "z"]


def test_a_loser_in_the_frontier_without_also_is_left_as_it_is() -> None:
    crashing = frontier(race(ONLY))
    crashing.world.done.clear()
    crashing.process()
    assert crashing.world.done == ["z"]


def test_one_that_is_not_done_again_after_its_process_died_is_undone() -> None:
    text = f"""<workflow name="w"><source:act id="a"/>
      <source:act id="x" input="a" on-crash="fail" takes="3">{ALSO}</source:act></workflow>"""
    crashing = Crashing(text)

    async def leave(run: fs.Run) -> None:
        await trio.sleep(2)
        run.leave()

    crashing.process(during=leave)
    process = crashing.process()
    assert isinstance(process.error, fs.Interrupted)
    assert crashing.world.done == ["a", "undo"]


def test_that_outlives_the_death_of_who_was_undoing_it() -> None:
    slow = ALSO.replace('id="undo"', 'id="undo" takes="4"')
    text = f"""<workflow name="w"><parallel id="p" tolerate="1"><branch><source:act id="a" takes="2"/></branch>
      <branch><source:act id="x" takes="3" on-crash="fail">{slow}</source:act></branch></parallel>
      <source:act id="z" input="p"/></workflow>"""
    crashing = Crashing(text)

    async def die(_: fs.Run) -> None:
        await trio.sleep(3)
        crashing.store.crash()

    for expected in ("x", "undo"):
        assert isinstance(crashing.process(during=die).error, fs.Superseded)
        assert expected in {path.rpartition("/")[2] for path, _ in crashing.world.begun}
        crashing.world.done.clear()
    assert crashing.process().outcome == ("completed", "z")
    assert crashing.world.done == ["undo", "z"]


def test_one_that_only_reads_is_on_disk_as_begun_where_it_is_to_be_undone(tmp_path: Any) -> None:
    (tmp_path / "f.txt").write_text("x")
    text = """<workflow name="w"><source type="file" id="x" path="f.txt"><compensate also="begun">
      <set var="v" value="1"/></compensate></source></workflow>"""
    store = fs.Store.memory()
    trio.run(lambda: fs.run(fs.loads(text), store=store, run_id="r", base=tmp_path))
    assert "started" in [row.kind for row in store.rows_of("r")]


@pytest.mark.parametrize("value", ["ended", "{{input}}"])
def test_anything_but_begun_is_refused_when_the_document_is_read(value: str) -> None:
    text = f"""<workflow name="w"><delay id="x" duration="1s"><compensate also="{value}"><delay duration="0s"/>
      </compensate></delay></workflow>"""
    with pytest.raises(fs.WorkflowInvalid, match="also"):
        fs.loads(text)
