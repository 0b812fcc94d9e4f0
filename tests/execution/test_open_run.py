from __future__ import annotations

from typing import Any

import pytest
import trio

import flowscript_trio as fs

from stubs import Stubs

SLOW = '<source:stub id="a" takes="2s" gives="done"/>'
FAILING = '<source:stub id="a" takes="1s" fails="broken"/>'


async def test_leaving_the_block_waits_for_the_run(autojump_clock: Any) -> None:
    async with fs.open_run(Stubs().load(SLOW)) as run:
        assert run.status is None
    assert run.status == "completed"
    assert run.output == "done"
    assert run.duration == 2


async def test_the_runs_error_is_raised_bare_on_leaving(autojump_clock: Any) -> None:
    stubs = Stubs()
    with pytest.raises(ValueError, match="broken") as caught:
        async with fs.open_run(stubs.load(FAILING)):
            pass
    assert caught.value is stubs.errors["a"]
    assert fs.failure_of(caught.value) is not None


async def test_wait_raises_the_error_once_and_leaving_does_not_raise_it_again(
    autojump_clock: Any,
) -> None:
    stubs = Stubs()
    async with fs.open_run(stubs.load(FAILING)) as run:
        with pytest.raises(ValueError, match="broken") as caught:
            await run.wait()
        assert caught.value is stubs.errors["a"]
        await run.wait()
    assert run.status == "failed"
    assert run.error is stubs.errors["a"]


async def test_an_exception_in_the_block_cancels_the_run_and_surfaces_itself(
    autojump_clock: Any,
) -> None:
    stubs = Stubs()
    mine = KeyError("mine")
    opened = fs.open_run(stubs.load('<source:stub id="a" hangs="true" cleanup="fail"/>'))

    async def use() -> fs.Run:
        async with opened as run:
            runs.append(run)
            await trio.sleep(1)  # virtual
            raise mine

    runs: list[fs.Run] = []
    with pytest.raises(KeyError) as caught:
        await use()
    [run] = runs
    assert caught.value is mine
    assert stubs.events == ["start a", "cancelled a"]
    assert run.status == "failed"
    assert [str(result.error) for result in run.record.failures] == ["clean-up of a"]


async def test_cancelling_by_the_handle_is_no_error_and_says_why(autojump_clock: Any) -> None:
    async with fs.open_run(Stubs().load('<source:stub id="a" hangs="true"/>')) as run:
        await trio.sleep(1)  # virtual
        run.cancel("enough")
    assert run.status == "cancelled"
    assert run.output is None
    assert run.results["a"].cancelled_by is not None
    assert run.results["a"].cancelled_by.reason == "enough"


async def test_cancellation_from_outside_reaches_the_block_and_the_run(autojump_clock: Any) -> None:
    stubs = Stubs()
    with trio.move_on_after(1) as scope:
        async with fs.open_run(
            stubs.load('<source:stub id="a" hangs="true" cleanup="slow"/>')
        ) as run:
            await trio.sleep_forever()
    assert scope.cancelled_caught
    assert stubs.events == ["start a", "cancelled a", "cleaned a"]
    assert run.status == "cancelled"


async def test_events_come_in_order_and_the_stream_ends_with_the_run(autojump_clock: Any) -> None:
    names = []
    async with fs.open_run(Stubs().load(SLOW)) as run:
        async for event in run.events():
            names.append(type(event).__name__)
    assert names == ["RunStarted", "NodeStarted", "AttemptStarted", "NodeEnded", "RunEnded"]
    assert [event async for event in run.events()] == []


async def test_a_slow_reader_loses_events_that_are_counted_and_never_stalls_the_run(
    autojump_clock: Any,
) -> None:
    body = "".join(f'<source:stub id="n{i}"/>' for i in range(20))
    async with fs.open_run(Stubs().load(body)) as run:
        events = run.events(room=5)
        await run.wait()
        assert len([event async for event in events]) == 5
        assert events.dropped == 62 - 5


async def test_wrong_inputs_are_refused_before_anything_is_opened() -> None:
    with pytest.raises(fs.InputError):
        async with fs.open_run(Stubs().load(SLOW), max_concurrency=0):
            raise AssertionError
