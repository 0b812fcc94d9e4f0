"""Owns the tests of runs that are left while they wait for people and timers, and of when they are due again."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from trio.testing import MockClock

import flowscript_trio as fs
from flowscript_trio.journal.store import MemoryStore

from crashing import EPOCH, Crashing

HOUR, DAY = 3_600.0, 86_400.0


def due_of(work: Crashing) -> float | None:
    """Seconds after the beginning at which a suspended run is due."""

    async def look() -> float | None:
        run = await work.store.show("r")
        assert run.state == "suspended"
        return run.due

    due = trio.run(look)
    return None if due is None else due - EPOCH.timestamp()


def left(body: str, **options: Any) -> Crashing:
    """A workflow whose process has left it after an hour."""
    work = Crashing(f'<workflow name="w">{body}</workflow>', **{"suspend_after": HOUR, **options})
    process = work.process()
    assert process.run is not None, process.error
    assert (process.run.status, process.run.output) == ("suspended", None)
    assert process.run.duration == pytest.approx(work.world.offset)
    return work


def test_a_run_that_waits_for_people_alone_is_not_due_at_any_time() -> None:
    work = left('<checkpoint id="ask" prompt="?"/>')
    assert due_of(work) is None
    assert work.world.offset == pytest.approx(HOUR)


@pytest.mark.parametrize(
    ("body", "due"),
    [
        ('<delay id="d" duration="3d"/>', 3 * DAY),
        ('<checkpoint id="ask" prompt="?" timeout="2d"/>', 2 * DAY),
        (
            '<parallel id="p"><branch><delay id="d" duration="3d"/></branch>'
            '<branch><checkpoint id="ask" prompt="?" timeout="2d"/></branch></parallel>',
            2 * DAY,
        ),
        (
            '<timeout id="t" duration="1d"><checkpoint id="ask" prompt="?" timeout="2d"/></timeout>',
            DAY,
        ),
        (
            '<source:act id="a" takes="1" fails="no"><on-error><retry max="1" when="true" base="2d" cap="2d"/>'
            "</on-error></source:act>",
            2 * DAY + 1,
        ),
    ],
)
def test_a_run_is_due_when_the_first_of_its_waits_and_time_limits_is_over(
    body: str, due: float
) -> None:
    assert due_of(left(body)) == pytest.approx(due)


def test_the_time_limit_of_the_run_counts() -> None:
    text = '<workflow name="w" timeout="1d"><delay id="d" duration="3d"/></workflow>'
    work = Crashing(text, suspend_after=HOUR)
    assert work.process().run.status == "suspended"
    assert due_of(work) == pytest.approx(DAY)


@pytest.mark.parametrize(("around", "due"), [(2 * HOUR, 2 * HOUR), (9 * DAY, 2 * DAY)])
def test_a_deadline_of_the_application_hides_no_earlier_one_of_the_document(
    around: float, due: float
) -> None:
    async def main() -> None:
        store = fs.Store.memory()
        flow = fs.loads(
            '<workflow name="w"><checkpoint id="ask" prompt="?" timeout="2d"/></workflow>'
        )
        with trio.fail_after(around):
            run = await fs.run(flow, store=store, run_id="r", suspend_after=HOUR, now=lambda: EPOCH)
        assert run.status == "suspended"
        assert (await store.show("r")).due == EPOCH.timestamp() + due

    trio.run(main, clock=MockClock(autojump_threshold=0))


def test_a_node_at_work_keeps_the_run_until_it_has_ended() -> None:
    work = left(
        '<parallel id="p"><branch><checkpoint id="ask" prompt="?"/></branch>'
        '<branch><source:act id="a" takes="20000"/></branch></parallel>'
    )
    assert work.world.done == ["a"]
    assert 20_000 + HOUR <= work.world.offset <= 20_000 + 1.2 * HOUR


def test_waits_that_are_short_are_waited_for() -> None:
    work = Crashing(
        '<workflow name="w"><delay id="d" duration="50m"/></workflow>', suspend_after=HOUR
    )
    assert work.process().outcome == ("completed", None)


def test_clean_up_is_not_left() -> None:
    text = """<workflow name="w"><source:act id="a" fails="no"/>
      <finally timeout="5h"><delay id="d" duration="3h"/><source:act id="clean"/></finally></workflow>"""
    work = Crashing(text, suspend_after=HOUR)
    assert work.process().outcome == ("failed", "ValueError", "no")
    assert work.world.done == ["a failed", "clean"]


def test_a_delay_with_a_time_limit_of_its_own_is_not_left() -> None:
    work = Crashing(
        '<workflow name="w"><delay id="d" duration="3d" timeout="1d"/></workflow>',
        suspend_after=HOUR,
    )
    assert isinstance(work.process().error, trio.TooSlowError)


def test_leaving_runs_no_clean_up_and_records_no_cancellation() -> None:
    work = left(
        '<source:act id="a"><compensate><source:act id="undo"/></compensate></source:act>'
        '<checkpoint id="ask" after="a" prompt="?"/><finally><source:act id="last"/></finally>'
    )
    assert work.world.done == ["a"]
    assert not {row.kind for row in work.store.rows_of("r")} & {"cancelling", "body", "run-ended"}


def test_it_goes_on_where_it_was_when_it_is_due() -> None:
    work = left(
        '<source:act id="a"/><delay id="d" after="a" duration="3d"/><source:act id="b" after="d"/>'
    )
    early = work.process(later=HOUR)
    assert early.run is not None
    assert early.run.status == "suspended"
    assert due_of(work) == pytest.approx(3 * DAY + 1)
    last = work.process(later=3 * DAY)
    assert last.run is not None
    assert last.run.status == "completed"
    assert last.run.duration == pytest.approx(1 + 2 * HOUR + 1)  # it was waited an hour twice
    assert work.world.done == ["a", "b"]


def test_a_run_that_is_taken_up_again_is_said_to_run() -> None:
    work = left('<checkpoint id="ask" prompt="?"/>')
    seen: list[str] = []

    async def look(_: fs.Run) -> None:
        await trio.sleep(10)  # virtual
        await work.store.answer("r", "ask", "approve")
        await trio.sleep(1)  # virtual
        seen.append((await work.store.show("r")).state)

    work.process(during=look)
    assert seen == ["completed"]
    work = left('<checkpoint id="ask" prompt="?"/><source:act id="a" takes="9"/>')

    async def watch(_: fs.Run) -> None:
        await trio.sleep(5)  # virtual
        seen.append((await work.store.show("r")).state)

    work.process(during=watch)
    assert seen == ["completed", "running"]


def test_runs_that_are_due_or_answered_are_shown_to_workers() -> None:
    now = EPOCH.timestamp()

    async def main() -> None:
        store = fs.Store.memory(clock=lambda: now)
        assert isinstance(store, MemoryStore)
        flow = fs.loads(
            '<workflow name="w"><checkpoint id="ask" prompt="?" timeout="2d"/></workflow>'
        )
        options: dict[str, Any] = {"store": store, "suspend_after": 0.001, "now": lambda: EPOCH}
        for name in ("one", "two"):
            run = await fs.run(flow, run_id=name, **options)
            assert run.status == "suspended"
        assert await store.ready() == []
        await store.answer("two", "ask", "approve")
        assert [run.run_id for run in await store.ready()] == ["two"]
        nonlocal now
        now += 2 * DAY
        assert [run.run_id for run in await store.ready()] == ["one", "two"]

    trio.run(main)


def test_a_cancellation_while_it_waits_is_a_cancellation() -> None:
    work = Crashing(
        '<workflow name="w"><checkpoint id="ask" prompt="?"/></workflow>', suspend_after=HOUR
    )

    async def cancel(run: fs.Run) -> None:
        await trio.sleep(HOUR)  # virtual; in the pass in which it would be left
        run.cancel("enough")

    done = work.process(during=cancel)
    assert done.run is not None
    assert done.run.status in ("cancelled", "suspended")
    if done.run.status == "suspended":  # it was left before
        assert due_of(work) is None


@pytest.mark.parametrize("given", [0, -1, "1h", float("inf"), True])
def test_a_time_to_suspend_after_is_a_number_above_zero(given: Any) -> None:
    work = Crashing('<workflow name="w"><source:act id="a"/></workflow>', suspend_after=given)
    error = work.process().error
    assert isinstance(error, fs.InputError)
    assert "suspend_after" in str(error)


def test_a_run_without_a_store_cannot_be_suspended() -> None:
    flow = fs.loads('<workflow name="w"><set var="x" value="1"/></workflow>')
    with pytest.raises(fs.InputError, match="suspend_after is given without a store"):
        trio.run(lambda: fs.run(flow, suspend_after=5.0))


def test_a_run_whose_lease_is_lost_while_it_waits_is_left() -> None:
    work = Crashing('<workflow name="w"><checkpoint id="ask" prompt="?"/></workflow>')

    async def die(_: fs.Run) -> None:
        await trio.sleep(9)  # virtual
        work.store.crash()

    assert isinstance(work.process(during=die).error, fs.Superseded)
