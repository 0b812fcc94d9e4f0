"""A limit as an application makes and uses it."""

from __future__ import annotations

import gc
import weakref

import pytest
import trio
from trio.testing import MockClock

import flowscript_trio as fs


async def test_an_application_holds_it_with_async_with(autojump_clock: MockClock) -> None:
    limit = fs.Limit(max=2)
    most = 0

    async def use() -> None:
        nonlocal most
        async with limit:
            most = max(most, limit.taken)
            await trio.sleep(1)

    start = trio.current_time()
    async with trio.open_nursery() as nursery:
        for _ in range(6):
            nursery.start_soon(use)
    assert (most, limit.taken, limit.waiting) == (2, 0, 0)
    assert trio.current_time() - start == 3


async def test_a_rate_of_the_application_spaces_what_passes(autojump_clock: MockClock) -> None:
    limit = fs.Limit(rate="2/s", burst=2)
    start, times = trio.current_time(), []
    for _ in range(5):
        async with limit:
            times.append(trio.current_time() - start)
    assert times == [0, 0, 0.5, 1, 1.5]


async def test_errors_inside_it_open_its_circuit_and_cancellations_do_not(
    autojump_clock: MockClock,
) -> None:
    limit = fs.Limit(breaker="2 in 1m, 30s", name="api")
    with trio.move_on_after(1):
        async with limit:
            await trio.sleep_forever()
    for _ in range(2):
        with pytest.raises(OSError, match="down"):
            async with limit:
                raise OSError("down")
    with pytest.raises(fs.CircuitOpen) as caught:
        async with limit:
            raise AssertionError("it does not come to this")
    assert caught.value.limit == "api"
    assert caught.value.retry_after == 30
    await trio.sleep(30)
    async with limit:
        pass
    async with limit:
        pass


async def test_a_cancelled_wait_takes_nothing(autojump_clock: MockClock) -> None:
    limit = fs.Limit(max=1)
    async with limit:
        with trio.move_on_after(1) as scope:
            async with limit:
                raise AssertionError("it is taken already")
        assert scope.cancelled_caught
        assert (limit.taken, limit.waiting) == (1, 0)
    assert limit.taken == 0


async def test_a_scope_that_is_cancelled_enters_no_limit_that_is_free() -> None:
    limit = fs.Limit(max=1)
    with trio.CancelScope() as scope:
        scope.cancel()
        async with limit:
            raise AssertionError("it was cancelled before")
    assert limit.taken == 0


def test_it_counts_anew_in_each_run_of_trio() -> None:
    limit = fs.Limit(rate="1/h")

    async def main() -> None:
        with trio.fail_after(1):
            async with limit:
                pass

    trio.run(main, clock=MockClock(autojump_threshold=0))
    trio.run(main, clock=MockClock(autojump_threshold=0))


def test_nothing_of_it_is_left_of_a_run_of_trio_that_is_over() -> None:
    limit = fs.Limit(max=1)

    async def main() -> weakref.ref[object]:
        async with limit:
            return weakref.ref(limit.gate())

    gate = trio.run(main)
    gc.collect()
    gc.collect()  # what the first one has let go
    assert gate() is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "expected max, rate or breaker"),
        ({"max": 0}, "cannot be the max"),
        ({"max": 1.5}, "cannot be the max"),
        ({"rate": "100"}, "is not a rate"),
        ({"max": 1, "burst": 2}, "burst goes only with rate"),
        ({"rate": "1/s", "burst": 0}, "cannot be the burst"),
        ({"breaker": "5"}, "is not a circuit breaker"),
    ],
)
def test_a_limit_that_means_nothing_is_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fs.Limit(**arguments)  # type: ignore[arg-type]


def test_it_shows_what_it_limits() -> None:
    limit = fs.Limit(max=5, rate="100/s", burst=20, breaker="5 in 1m, 30s")
    assert repr(limit) == "Limit(max=5, rate='100/s', burst=20, breaker='5 in 1m, 30s')"
