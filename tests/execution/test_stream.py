"""The stream of a run's events: whole for who keeps up, bounded for who does not."""

from __future__ import annotations

from collections import Counter

import pytest
import trio
from trio.testing import MockClock

import flowscript_trio as fs
from flowscript_trio.types.events import BranchEnded, RunEnded


def flow(takes: str, width: str = "20") -> fs.Flow:
    return fs.loads(
        f'<workflow name="w"><foreach id="f" collection="range(2000)" maxConcurrency="{width}">'
        f"{takes}</foreach></workflow>"
    )


@pytest.mark.parametrize(
    ("takes", "width"),
    [
        ('<delay id="d" duration="5ms"/>', "20"),
        ('<transform:template id="t" template="{{item}}"/>', "20"),
        ('<delay id="d" duration="5ms"/>', "unlimited"),
    ],
)
def test_a_reader_that_only_counts_sees_all(takes: str, width: str) -> None:
    loaded = flow(takes, width)

    async def main() -> None:
        told: Counter[str] = Counter()
        seen: Counter[str] = Counter()
        async with fs.open_run(
            loaded, observers=[lambda event: told.update([type(event).__name__])]
        ) as run:
            events = run.events(room=10)
            async for event in events:
                seen[type(event).__name__] += 1
        assert seen == told
        assert seen["BranchEnded"] == 2000
        assert (events.dropped, events.dropped_by_kind) == (0, {})

    trio.run(main, clock=MockClock(autojump_threshold=0))


def test_what_a_slow_reader_loses_is_counted_by_kind() -> None:
    loaded = flow('<delay id="d" duration="5ms"/>')

    async def main() -> None:
        told: Counter[str] = Counter()
        seen: Counter[str] = Counter()
        async with fs.open_run(
            loaded, observers=[lambda event: told.update([type(event).__name__])]
        ) as run:
            events = run.events(room=50)
            async for event in events:
                seen[type(event).__name__] += 1
                await trio.sleep(0.05)
        assert 50 <= seen.total() < told.total()
        assert Counter(events.dropped_by_kind) + seen == told
        assert events.dropped == sum(events.dropped_by_kind.values())

    trio.run(main, clock=MockClock(autojump_threshold=0))


def test_a_reader_that_is_cancelled_loses_nothing_and_may_go_on() -> None:
    loaded = fs.loads('<workflow name="w"><delay id="d" duration="5s"/></workflow>')

    async def main() -> None:
        async with fs.open_run(loaded) as run:
            events = run.events()
            with trio.move_on_after(1):
                async for _ in events:
                    pass
            rest = [event async for event in events]
        assert isinstance(rest[-1], RunEnded)
        assert events.dropped == 0

    trio.run(main, clock=MockClock(autojump_threshold=0))


def test_a_reader_that_has_left_is_not_kept_anything_for() -> None:
    loaded = flow('<transform:template id="t" template="{{item}}"/>')

    async def main() -> None:
        async with fs.open_run(loaded) as run, run.events() as events:
            async for event in events:
                if isinstance(event, BranchEnded):
                    break
        assert (events.dropped, len(events._unread)) == (0, 0)

    trio.run(main, clock=MockClock(autojump_threshold=0))
