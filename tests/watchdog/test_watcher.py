from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import trio
from trio.lowlevel import Task, current_task

from flowscript_trio.watchdog.watcher import Stack, Watcher, sharing_watcher


class Things:
    """Whatever is watched: all tasks, or none."""

    def __init__(self, limit: float, place: str | None = "place") -> None:
        self.limit = limit
        self.place = place
        self.told: list[tuple[str, float, bool]] = []

    def place_of(self, task: Task) -> str | None:
        return self.place

    def place_of_error(self, error: BaseException, place: Any) -> Any:
        return place

    def report(self, place: Any, lasted: float, stack: Stack | None) -> None:
        self.told.append(("reported", lasted, stack is not None))

    def settle(self, place: Any, lasted: float, stack: Stack | None) -> None:
        self.told.append(("settled", lasted, stack is not None))


class Clock:
    time = 0.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def watcher(clock: Clock) -> Any:
    with sharing_watcher(lambda: Watcher(clock, threaded=False)) as watcher:
        yield watcher


async def test_it_looks_again_before_any_step_can_be_seen_late(
    watcher: Watcher, clock: Clock
) -> None:
    with watcher.watch(Things(5)):
        await trio.lowlevel.checkpoint()
        assert watcher.look() == 5
        clock.time = 2
        assert watcher.look() == 3
        clock.time = 4.5
        assert watcher.look() == 0.5
        clock.time = 5
        assert watcher.look() == 5  # reported: the next step may begin right now
        with watcher.watch(Things(1)):
            assert watcher.look() == 1


async def test_it_waits_for_the_longer_limit_no_longer_than_the_shorter_allows(
    watcher: Watcher, clock: Clock
) -> None:
    nothing, slow = Things(2, place=None), Things(5)
    with watcher.watch(slow), watcher.watch(nothing):
        await trio.lowlevel.checkpoint()
        clock.time = 2.5
        assert watcher.look() == 2
        clock.time = 4.5
        assert watcher.look() == 0.5
        assert slow.told == []
        clock.time = 5
        watcher.look()
    assert slow.told == [("reported", 5, True)]


def test_it_waits_without_end_while_no_step_runs_or_nobody_is_watched(clock: Clock) -> None:
    watcher = Watcher(clock, threaded=False)
    with watcher.watch(Things(5)):
        assert watcher.look() is None
    assert watcher.look() is None


async def test_a_step_is_reported_once_and_settled_once(watcher: Watcher, clock: Clock) -> None:
    things = Things(5)
    with watcher.watch(things):
        clock.time = 6
        watcher.look()
        clock.time = 7
        watcher.look()
        assert things.told == [("reported", 6, True)]
        await trio.lowlevel.checkpoint()
        assert things.told[1:] == [("settled", 7, True)]
        await trio.lowlevel.checkpoint()
    assert len(things.told) == 2


async def test_a_turn_begins_the_time_of_a_step_anew(watcher: Watcher, clock: Clock) -> None:
    things = Things(5)
    with watcher.watch(things):
        clock.time = 4
        watcher.turn()
        clock.time = 8
        assert watcher.look() == 1
        clock.time = 10
        watcher.turn()
        assert things.told == [("reported", 6, False), ("settled", 6, False)]


async def test_of_those_in_each_other_the_inner_one_is_told(watcher: Watcher, clock: Clock) -> None:
    outer, inner = Things(5), Things(7)
    with watcher.watch(outer), watcher.watch(inner):
        clock.time = 6
        watcher.look()
        assert (outer.told, inner.told) == ([], [])
        clock.time = 8
        watcher.look()
    assert outer.told == []
    assert len(inner.told) == 1


async def test_the_step_in_which_it_begins_counts_from_then(clock: Clock) -> None:
    clock.time = 100
    things = Things(5)
    with sharing_watcher(lambda: Watcher(clock, threaded=False)) as watcher:
        with sharing_watcher() as shared:
            assert shared is watcher
        assert watcher._step == (current_task(), 100)
        with watcher.watch(things):
            clock.time = 104
            watcher.look()
            assert things.told == []
            clock.time = 105
            watcher.look()
    assert things.told == [("reported", 5, True)]


@pytest.fixture(autouse=True)
def _no_watcher_is_left() -> Iterator[None]:
    import threading

    yield
    assert [t.name for t in threading.enumerate() if t.name == "flowscript watchdog"] == []
