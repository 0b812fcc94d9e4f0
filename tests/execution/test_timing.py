"""``throttle`` and ``debounce`` of a ``<foreach>``: when its items come."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import trio
from trio.testing import MockClock

import flowscript_trio as fs


class Seen:
    """Runs a ``<foreach>`` with some settings, and knows what its body saw, and when."""

    def __init__(self) -> None:
        self.items: list[tuple[Any, float]] = []
        self.registry = fs.Registry(base=fs.registry)
        self.registry.runtime("source:see")(self.see)
        self.origin = trio.current_time()

    @property
    def now(self) -> float:
        return round(trio.current_time() - self.origin, 9)

    async def see(self, params: fs.ExecutionParams) -> Any:
        self.items.append((params.config["what"], self.now))
        await trio.sleep(float(params.config.get("takes", 0)))
        return params.config["what"]

    async def run(self, settings: str, collection: Any, takes: float = 0) -> fs.Run:
        body = f'<source:see id="s" what="{{{{item}}}}" takes="{takes}"/>'
        each = f'<foreach id="each" collection="$input" {settings}>{body}</foreach>'
        flow = fs.loads(f'<workflow name="w">{each}</workflow>', registry=self.registry)
        return await fs.run(flow, input=collection)


async def coming(*times: float, error: Exception | None = None) -> AsyncIterator[float]:
    """Items that come at these seconds, and are those."""
    start = trio.current_time()
    for time in times:
        await trio.sleep_until(start + time)
        yield time
    if error is not None:
        raise error


@pytest.mark.parametrize("kind", [list, iter], ids=["list", "iterator"])
async def test_throttle_spaces_the_items_and_loses_none(
    autojump_clock: MockClock, kind: Any
) -> None:
    seen = Seen()
    run = await seen.run('throttle="1s" max-concurrency="9"', kind([1, 2, 3]), takes=5)
    assert seen.items == [(1, 0), (2, 1), (3, 2)]
    assert run.output == [1, 2, 3]


async def test_throttle_lets_items_that_are_further_apart_through_as_they_come(
    autojump_clock: MockClock,
) -> None:
    seen = Seen()
    await seen.run('throttle="1s"', coming(0, 0.25, 3, 10))
    assert seen.items == [(0, 0), (0.25, 1), (3, 3), (10, 10)]


async def test_throttle_spaces_batches(autojump_clock: MockClock) -> None:
    seen = Seen()
    await seen.run('throttle="1s" batch="2"', [1, 2, 3, 4, 5])
    assert seen.items == [([1, 2], 0), ([3, 4], 1), ([5], 2)]


async def test_debounce_lets_an_item_count_that_no_other_followed(
    autojump_clock: MockClock,
) -> None:
    seen = Seen()
    run = await seen.run('debounce="1s"', coming(0, 0.5, 1, 5, 8, 8.75))
    assert seen.items == [(1, 2), (5, 6), (8.75, 8.75)], "the last one counts when the source ends"
    assert run.output == [1, 5, 8.75]


async def test_debounce_keeps_the_newest_while_the_body_is_at_work(
    autojump_clock: MockClock,
) -> None:
    seen = Seen()
    await seen.run('debounce="1s"', coming(0, 2, 4, 6, 20), takes=10)
    assert seen.items == [(0, 1), (6, 11), (20, 21)]


async def test_of_a_list_all_of_which_is_there_the_last_item_counts(
    autojump_clock: MockClock,
) -> None:
    seen = Seen()
    run = await seen.run('debounce="1s"', [1, 2, 3])
    assert run.output == [3]
    assert (await seen.run('debounce="1s"', [])).output == []


async def test_debounce_and_batch_go_together(autojump_clock: MockClock) -> None:
    seen = Seen()
    await seen.run('debounce="1s" batch="2"', coming(0, 0.5, 3, 6))
    assert seen.items == [([0.5, 3], 4), ([6], 6)]


async def test_an_error_of_the_source_surfaces_as_it_is(autojump_clock: MockClock) -> None:
    error = OSError("gone")
    for settings in ('debounce="1s"', 'throttle="1s"'):
        with pytest.raises(OSError, match="gone") as caught:
            await Seen().run(settings, coming(0, 5, error=error))
        assert caught.value is error


async def test_an_error_of_the_body_ends_the_source_whose_clean_up_runs(
    autojump_clock: MockClock,
) -> None:
    ended = []

    async def endless() -> AsyncIterator[int]:
        try:
            while True:
                await trio.sleep(2)
                yield 1
        finally:
            ended.append(trio.current_time())

    seen = Seen()
    with pytest.raises(ValueError, match="could not convert"):
        await seen.run('debounce="1s"', endless(), takes="x")  # type: ignore[arg-type]
    assert len(ended) == 1


async def test_a_cancellation_ends_reading_and_waiting(autojump_clock: MockClock) -> None:
    ended = []

    async def endless() -> AsyncIterator[int]:
        try:
            while True:
                await trio.sleep(0.5)
                yield 1
        finally:
            ended.append(True)

    for settings in ('debounce="1s"', 'throttle="10s"'):
        seen = Seen()
        with trio.move_on_after(7) as scope:
            await seen.run(settings, endless())
        assert scope.cancelled_caught
    assert ended == [True, True]


async def test_a_break_ends_a_debounced_source(autojump_clock: MockClock) -> None:
    flow = fs.loads(
        """<workflow name="w"><foreach id="each" collection="$input" debounce="1s">
        <set var="x" value="{{item}}"/><break when="{{item >= 5}}"/></foreach></workflow>"""
    )
    with trio.fail_after(30):
        run = await fs.run(flow, input=coming(0, 5, 10, 10_000))
    assert len(run.output) == 2


async def test_a_source_that_has_all_its_items_at_hand_can_be_cancelled_all_the_same(
    autojump_clock: MockClock,
) -> None:
    def endless() -> Iterator[int]:
        while True:
            yield 1

    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(Seen().run, 'debounce="1s"', endless())
            for _ in range(20):
                await trio.lowlevel.checkpoint()
            scope.cancel()
    assert scope.cancelled_caught
