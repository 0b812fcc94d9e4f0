"""Owns the tests of runs that are cancelled, left or lost: who owes clean-up, and who does it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import MockClock

import flowscript_trio as fs
from flowscript_trio.execution.durable.entries import Ended, Started
from flowscript_trio.execution.durable.past import Past
from flowscript_trio.journal.backend import Batch
from flowscript_trio.types.events import NodeEnded

from crashing import Crashing, points

CLEANED = """<workflow name="w">
  <parallel id="p"><branch>
    <source:act id="a"><compensate><source:act id="undo"/></compensate></source:act>
    <source:act id="b" takes="9"/>
    <finally><source:act id="clean"/><source:act id="clean2"/></finally></branch>
  <branch><source:act id="c" takes="8"/></branch></parallel>
  <finally><source:act id="last"/></finally></workflow>"""


async def cancel_later(handle: fs.Run) -> None:
    await trio.sleep(2.5)  # virtual
    handle.cancel("enough")


async def leave_later(handle: fs.Run) -> None:
    await trio.sleep(2.5)  # virtual
    handle.leave()


def test_a_run_that_is_left_has_cleaned_up_nothing_and_goes_on_where_it_was() -> None:
    work = Crashing(CLEANED)
    first = work.process(during=leave_later)
    assert first.run is not None
    assert (first.run.status, first.run.output) == ("suspended", None)
    assert work.world.done == ["a"]
    assert not any(name in ("clean", "undo", "last") for name, _ in work.world.begun)
    last = work.process()
    assert last.outcome == ("completed", ["b", "c"])
    assert sorted(work.world.done) == ["a", "b", "c", "clean", "clean2", "last"]


def test_a_run_is_left_in_the_middle_of_its_clean_up() -> None:
    async def leave_in_cleanup(handle: fs.Run) -> None:
        await trio.sleep(2.5)  # virtual
        handle.cancel("enough")
        await trio.sleep(1.2)  # virtual
        handle.leave()

    work = Crashing(CLEANED)
    assert work.process(during=leave_in_cleanup).run.status == "suspended"
    assert work.world.done == ["a", "clean"]
    last = work.process()
    assert last.run is not None
    assert last.run.status == "cancelled"
    assert last.error is None
    assert work.world.done == ["a", "clean", "clean2", "undo", "last"]


def test_a_cancellation_outlives_every_crash_of_its_clean_up() -> None:
    whole = Crashing(CLEANED)
    assert whole.process(during=cancel_later).run.status == "cancelled"
    expected = ["a", "clean", "clean2", "undo", "last"]
    assert whole.world.done == expected
    died = 0
    for at in points(whole.store.commits):
        work = Crashing(CLEANED)
        if not work.process(at, during=cancel_later).died:
            continue
        died += 1
        begun_first = {path.rpartition("/")[2] for path, _ in work.world.begun}
        rows = (
            {row.kind for row in work.store.rows_of("r")}
            if "r" in work.store._backend._runs
            else set()
        )
        last = work.process()
        assert last.run is not None, (at, last.error)
        if "cancelling" in rows:
            assert last.run.status == "cancelled", at
            assert list(dict.fromkeys(work.world.done)) == expected, at
        else:
            assert last.run.status == "completed", at
            assert not begun_first & {"clean", "undo", "last"}, at
    assert died > 5


def test_a_node_that_must_not_be_done_again_is_interrupted() -> None:
    text = """<workflow name="w"><source:act id="a" takes="3" on-crash="fail"/>
      <source:act id="after" input="a"/></workflow>"""
    work = Crashing(text)
    assert work.process(during=leave_later).run.status == "suspended"
    last = work.process()
    assert isinstance(last.error, fs.Interrupted)
    assert "'a' was interrupted" in str(last.error)
    assert work.world.done == []
    again = work.process()
    assert isinstance(again.error, fs.Interrupted)


def test_an_interrupted_node_has_its_fallback() -> None:
    text = """<workflow name="w"><source:act id="a" takes="3" on-crash="fail">
      <on-error><retry max="5"/><fallback node="ask"/></on-error></source:act><source:act id="ask"/>
      <transform:template id="t" template="{{a}} {{a.error.type}}"/></workflow>"""
    work = Crashing(text)
    work.process(during=leave_later)
    assert work.process().outcome == ("completed", "ask Interrupted")


ONE = '<workflow name="w"><source:act id="a" takes="3"/></workflow>'


def test_what_kills_its_process_does_not_do_so_for_ever() -> None:
    work = Crashing(ONE)
    for _ in range(3):
        work.process(during=work.dying(2.5))
    last = work.process()
    assert isinstance(last.error, fs.Interrupted)
    assert last.error.times == 3


def test_what_was_left_did_not_kill_its_process() -> None:
    work = Crashing(ONE)
    for _ in range(10):
        assert work.process(during=leave_later).run.status == "suspended"
    assert work.process().outcome == ("completed", "a")


@pytest.mark.parametrize("ends", ["dldld", "lddld", "dddll", "llddd", "ldlldldll"])
def test_only_those_that_died_count(ends: str) -> None:
    work = Crashing(ONE)
    for end in ends:
        work.process(during=leave_later if end == "l" else work.dying(2.5))
    last = work.process()
    if ends.count("d") < 3:
        assert last.outcome == ("completed", "a")
    else:
        assert isinstance(last.error, fs.Interrupted)
        assert last.error.times == 3


def test_a_crash_stays_counted_where_the_next_process_left_before_it_came_to_the_node() -> None:
    text = """<workflow name="w"><foreach id="f" collection="[1,2]" maxConcurrency="1">
      <source:act id="a" takes="3"/></foreach></workflow>"""
    work = Crashing(text, max_crashes=1)
    work.process(during=work.dying(1))

    async def leave_at_once(handle: fs.Run) -> None:
        handle.leave()

    assert work.process(during=leave_at_once).run.status == "suspended"
    assert isinstance(work.process().error, fs.Interrupted)


def test_what_was_left_and_must_not_be_done_again_says_so() -> None:
    work = Crashing(ONE.replace("takes", 'on-crash="fail" takes'))
    assert work.process(during=leave_later).run.status == "suspended"
    said = "'a' was interrupted: the process left the run while it was at work"
    error = work.process().error
    assert isinstance(error, fs.Interrupted)
    assert error.times == 0
    assert str(error).startswith(said)


def test_a_process_that_dies_while_it_leaves_has_died() -> None:
    text = '<workflow name="w"><source:act id="a" takes="5" shielded="true"/></workflow>'
    work = Crashing(text, max_crashes=1)

    async def leave_and_die(handle: fs.Run) -> None:
        await trio.sleep(1)  # virtual
        handle.leave()
        await trio.sleep(1)  # virtual: the node has yet to unwind
        work.store.crash()

    work.process(during=leave_and_die)
    assert isinstance(work.process().error, fs.Interrupted)


def test_what_has_ended_and_is_done_again_killed_no_process() -> None:
    text = """<workflow name="w"><source:act id="a"/><source:act id="b" input="a" takes="9"/></workflow>"""
    work = Crashing(text, max_crashes=2)
    for _ in range(2):
        work.process(during=work.dying(2.5))
    error = work.process().error
    assert isinstance(error, fs.Interrupted)
    assert "'b'" in str(error)
    assert work.world.done == ["a"]


def test_a_login_that_is_done_again_for_its_cookies_killed_no_process() -> None:
    past = Past()
    entries = [Started("l", 1, ""), Ended("l", 1, 1, None, again=True)] * 5
    for number, entry in enumerate(entries):
        past.take_in(entry, number, 1, b"")
    assert past.crashes("l", 1) == 0
    past.take_in(Started("l", 1, ""), 10, 1, b"")
    assert past.crashes("l", 1) == 1


def test_runs_that_are_suspended_again_and_again_grow_by_no_row_for_each() -> None:
    text = """<workflow name="w"><loop id="l" max="40"><source:act id="a"/><delay id="d" duration="100s"/>
      </loop></workflow>"""
    work = Crashing(text, suspend_after=1)
    while work.process(later=200.0).run.status == "suspended":
        pass
    assert "left" not in {row.kind for row in work.store.rows_of("r")}


def test_the_same_attempt_has_the_same_key_and_another_execution_another() -> None:
    text = """<workflow name="w"><foreach id="f" collection="[1,2]"><source:act id="a" takes="2"/></foreach></workflow>"""
    work = Crashing(text)
    work.process(during=leave_later)
    assert work.process().outcome == ("completed", ["a", "a"])
    assert len(work.world.keys["a"]) == 2


def test_observers_are_told_what_was_restored() -> None:
    text = (
        '<workflow name="w"><source:act id="a"/><source:act id="b" takes="3" input="a"/></workflow>'
    )
    work = Crashing(text)
    work.process(during=leave_later)
    last = work.process()
    replayed = {e.path: e.replayed for e in last.events if isinstance(e, NodeEnded)}
    assert replayed == {"a": True, "b": False}


def test_a_time_limit_goes_on_while_nobody_is_there() -> None:
    text = """<workflow name="w"><timeout id="t" duration="10s"><source:act id="a"/><source:act id="b" takes="5"/></timeout></workflow>"""
    work = Crashing(text)
    work.process(during=leave_later)
    last = work.process(later=100.0)
    assert isinstance(last.error, trio.TooSlowError)
    assert work.world.done == ["a"]
    in_time = Crashing(text)
    in_time.process(during=leave_later)
    assert in_time.process().outcome == ("completed", "b")


def test_what_had_ended_before_a_time_limit_passed_is_in_time() -> None:
    text = """<workflow name="w"><timeout id="t" duration="2s"><source:act id="a"/></timeout>
      <source:act id="b" takes="5" input="t"/></workflow>"""
    work = Crashing(text)
    work.process(during=leave_later)
    assert work.process(later=100.0).outcome == ("completed", "b")


def test_a_delay_goes_on_by_the_wall_clock() -> None:
    work = Crashing(
        '<workflow name="w"><delay id="d" duration="10s"/><source:act id="a" after="d"/></workflow>'
    )
    work.process(during=leave_later)
    last = work.process(later=5.0)
    assert last.run is not None
    assert last.run.duration == pytest.approx(6.0)
    assert last.run.elapsed == pytest.approx(11.0)


def test_an_answer_is_not_asked_for_again() -> None:
    asked: list[str] = []

    async def decide(prompt: str, actions: Any) -> fs.Answer:
        asked.append(prompt)
        return fs.Answer("approve", {"note": 1})

    work = Crashing(
        """<workflow name="w"><checkpoint id="c" prompt="Go?"><action id="go"/></checkpoint>
           <source:act id="a" takes="3"/><transform:template id="t" input="a" template="{{c.input.note}}"/></workflow>""",
        decider=decide,
    )
    work.process(during=leave_later)
    assert work.process().outcome == ("completed", 1)
    assert asked == ["Go?"]


def test_a_collection_that_cannot_be_read_again_is_refused() -> None:
    work = Crashing(
        '<workflow name="w"><source:gen id="g"/><foreach id="f" collection="g"><source:act id="a"/></foreach></workflow>'
    )

    @work.world.registry.runtime("source:gen", pure=True)
    async def gen(params: fs.ExecutionParams) -> Any:
        return iter([1, 2])

    error = work.process().error
    assert isinstance(error, fs.SettingError)
    assert "how far it was read" in str(error)
    assert work.world.done == []


def test_an_input_that_cannot_be_kept_is_refused_by_its_place() -> None:
    work = Crashing(
        '<workflow name="w"><source:act id="a"/></workflow>', input={"rows": [object()]}
    )
    error = work.process().error
    assert isinstance(error, fs.InputError)
    assert "rows[0]" in str(error)


def test_an_output_that_cannot_be_kept_is_the_error_of_its_node() -> None:
    work = Crashing('<workflow name="w"><source:lock id="a"/></workflow>')

    @work.world.registry.runtime("source:lock")
    async def lock(params: fs.ExecutionParams) -> Any:
        return {"x": [trio.Lock()]}

    error = work.process().error
    assert str(error) == "x[0]: a 'Lock' cannot be kept"
    again = work.process()
    assert type(again.error) is type(error)
    assert str(again.error) == str(error)


def test_an_output_of_the_run_that_cannot_be_kept_is_its_error_and_it_has_ended() -> None:
    work = Crashing('<workflow name="w"><source:lock id="a"/></workflow>')

    @work.world.registry.runtime("source:lock", pure=True)  # nothing of it is kept until the end
    async def lock(params: fs.ExecutionParams) -> Any:
        return {"x": [trio.Lock()]}

    for _ in range(2):
        error = work.process().error
        assert isinstance(error, fs.CannotKeep)
        assert str(error) == "x[0]: a 'Lock' cannot be kept"
    assert [row.kind for row in work.store.rows_of("r")][-1] == "run-ended"


def test_a_run_without_a_store_cannot_be_left() -> None:
    async def main() -> None:
        async with fs.open_run(
            fs.loads('<workflow name="w"><delay id="d" duration="0s"/></workflow>')
        ) as run:
            with pytest.raises(RuntimeError, match="without a store"):
                run.leave()

    trio.run(main)


async def test_a_run_that_is_left_before_its_first_node_begins_nothing() -> None:
    work = Crashing(CLEANED)
    flow = fs.loads(CLEANED, registry=work.world.registry)
    async with fs.open_run(flow, store=work.store, run_id="r") as run:
        run.leave()
    assert run.status == "suspended"
    assert work.world.begun == []


async def test_a_run_that_was_taken_over_is_left_in_the_middle_of_a_node(
    autojump_clock: trio.testing.MockClock,
) -> None:
    work = Crashing('<workflow name="w"><source:act id="a" takes="100"/></workflow>')
    flow = fs.loads(work.text, registry=work.world.registry)
    async with fs.open_run(flow, store=work.store, run_id="r") as run:
        await trio.sleep(1)  # virtual
        work.store.crash()
        with pytest.raises(fs.Superseded):
            await run.wait()
    assert trio.current_time() == pytest.approx(1)
    assert work.world.done == []


async def test_a_run_that_is_refused_leaves_nothing_in_its_store() -> None:
    store = fs.Store.memory()
    flow = fs.loads(
        '<workflow name="w"><param name="k" required="true"/><delay id="d" duration="0s"/></workflow>'
    )
    with pytest.raises(fs.InputError, match="'k' is missing"):
        await fs.run(flow, store=store, run_id="r")
    with pytest.raises(fs.InputError, match="'k' is missing"):
        async with fs.open_run(flow, store=store, run_id="r"):
            pytest.fail("the run was opened")
    assert await store.runs() == []


async def test_nothing_follows_the_end_of_a_run_that_is_left_before_that_is_on_disk(
    tmp_path: Path, mock_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = fs.Store(tmp_path / "runs.db")
    is_ending, go_on = trio.Event(), threading.Event()
    token, commit = trio.lowlevel.current_trio_token(), store._backend.commit

    def slow(batches: Sequence[Batch], waiting: Callable[[], bool]) -> None:
        if any(row.kind == "run-ended" for batch in batches for row in batch.rows):
            token.run_sync_soon(is_ending.set)
            go_on.wait()
        commit(batches, waiting)

    monkeypatch.setattr(store._backend, "commit", slow)
    flow = fs.loads('<workflow name="w"><delay id="d" duration="0s"/></workflow>')
    try:
        async with fs.open_run(flow, store=store, run_id="r") as run:
            await is_ending.wait()
            mock_clock.jump(1)
            run.leave()
            go_on.set()
    finally:
        go_on.set()
    assert run.status == "completed"
    journal = await store.open("r")
    assert [row.kind for row in journal.read()][-2:] == ["ran", "run-ended"]
    await journal.aclose()


def test_an_error_that_a_node_raises_as_it_is_left_has_no_handler_and_no_retry() -> None:
    text = """<workflow name="w"><parallel id="p"><branch><source:rude id="a">
      <on-error><retry max="3" when="true" base="1s"/><fallback node="f"/></on-error></source:rude></branch>
      <branch><source:act id="b" takes="50"/><finally><source:act id="clean"/></finally></branch></parallel>
      <source:act id="f"/><on-workflow-error><source:act id="told"/></on-workflow-error></workflow>"""
    work = Crashing(text)
    begun: list[int] = []

    @work.world.registry.runtime("source:rude")
    async def rude(params: fs.ExecutionParams) -> Any:
        begun.append(params.execution.number)
        try:
            await trio.sleep(50)  # virtual
        except trio.Cancelled:
            raise ValueError("not now") from None
        return "done"

    for _ in range(2):
        assert work.process(during=leave_later).run.status == "suspended"
    kinds = {row.kind for row in work.store.rows_of("r")}
    assert kinds == {"began", "begun", "left", "ran", "started"}
    assert (begun, work.world.done) == ([1, 1], [])
    assert work.process().outcome == ("completed", ["done", "b"])
    assert begun == [1, 1, 1]
