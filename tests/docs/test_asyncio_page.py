"""Owns the proof that the bridge to asyncio, as its page has it, keeps what the page says in every corner."""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sniffio
import trio
from trio.testing import MockClock

import flowscript_trio as fs

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "run-from-asyncio.md"


@pytest.fixture
def page() -> Any:
    """The module ``guest`` of the page."""
    code = re.search(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    assert code is not None
    names: dict[str, Any] = {}
    exec(compile(code[1], "guest.py", "exec", dont_inherit=True), names)
    return SimpleNamespace(**names)


def flow_of(**nodes: Callable[[fs.ExecutionParams], Awaitable[Any]]) -> fs.Flow:
    """A workflow of one block, each function a branch."""
    registry = fs.Registry(base=fs.registry)
    for name, function in nodes.items():
        registry.runtime(f"source:{name}")(function)
    branches = "".join(f'<branch><source:{name} id="{name}"/></branch>' for name in nodes)
    return fs.loads(
        f'<workflow name="w"><parallel id="p">{branches}</parallel></workflow>', registry=registry
    )


class Hanging:
    """A node that hangs, and cleans up as slowly as it is told."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.started = asyncio.Event()
        self.told = asyncio.Event()
        self.slow = trio.Event()
        self.slow.set()
        self.ended = False
        self.flow = flow_of(hang=self.hang)

    async def hang(self, params: fs.ExecutionParams) -> None:
        self.started.set()
        try:
            await trio.sleep_forever()
        finally:
            self.told.set()
            with trio.CancelScope(shield=True):
                await self.slow.wait()
            self.ended = True
            if self.error is not None:
                raise self.error


def test_runs_go_on_at_the_same_time_and_in_virtual_time(page: Any) -> None:
    flow = fs.loads('<workflow name="w"><delay id="d" duration="1h"/></workflow>')

    async def main() -> None:
        clock = MockClock(autojump_threshold=0)
        async with page.Guest(clock) as guest:
            runs = await asyncio.gather(*[guest.run(flow, input=number) for number in range(20)])
        assert [run.output for run in runs] == list(range(20))
        assert {run.duration for run in runs} == {3600}

    asyncio.run(main())


def test_the_very_exception_of_the_node_is_raised(page: Any) -> None:
    error = ConnectionError("nobody answers")

    async def fail(params: fs.ExecutionParams) -> None:
        raise error

    async def main() -> None:
        async with page.Guest() as guest:
            with pytest.raises(ConnectionError) as caught:
                await guest.run(flow_of(fail=fail))
            assert caught.value is error
            assert fs.failure_of(error).node == "fail"
            with pytest.raises(fs.InputError):
                await guest.run(flow_of(fail=fail), max_concurrency=0)

    asyncio.run(main())


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_cancelled_task_ends_after_the_clean_up_of_its_run(page: Any, times: int) -> None:
    async def main() -> None:
        node = Hanging()
        node.slow = trio.Event()
        async with page.Guest() as guest:
            task = asyncio.create_task(guest.run(node.flow))
            await node.started.wait()
            for _ in range(times):
                task.cancel("enough")
                await node.told.wait()
                for _ in range(20):
                    await asyncio.sleep(0)
                assert not task.done()
            guest._tell(node.slow.set)
            with pytest.raises(asyncio.CancelledError):
                await task
            assert node.ended
            assert task.cancelled()

    asyncio.run(main())


@pytest.mark.parametrize("steps", range(8))
def test_a_task_may_be_cancelled_at_any_step_of_its_beginning(page: Any, steps: int) -> None:
    async def main() -> None:
        node = Hanging()
        async with page.Guest() as guest:
            task = asyncio.create_task(guest.run(node.flow))
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert node.ended == node.started.is_set()
            assert guest._runs == {}

    asyncio.run(main())


def test_an_error_of_a_node_that_is_being_cancelled_surfaces(page: Any) -> None:
    error = OSError("the clean-up failed")

    async def main() -> None:
        node = Hanging(error)
        async with page.Guest() as guest:
            task = asyncio.create_task(guest.run(node.flow))
            await node.started.wait()
            task.cancel()
            with pytest.raises(OSError, match="the clean-up failed") as caught:
                await task
            assert caught.value is error

    asyncio.run(main())


def test_a_timeout_of_asyncio_cancels_the_run(page: Any) -> None:
    async def main() -> None:
        node = Hanging()

        async def run_in_time(guest: Any) -> None:
            async with asyncio.timeout(None) as timeout:
                task = asyncio.create_task(node.started.wait())
                task.add_done_callback(lambda _: timeout.reschedule(0))
                await guest.run(node.flow)

        async with page.Guest() as guest:
            with pytest.raises(TimeoutError):
                await run_in_time(guest)
        assert node.ended

    asyncio.run(main())


def test_a_failing_task_of_a_task_group_cancels_the_run(page: Any) -> None:
    async def main() -> None:
        node = Hanging()

        async def fail() -> None:
            await node.started.wait()
            raise ValueError("beside the run")

        async def run_both(guest: Any) -> None:
            async with asyncio.TaskGroup() as group:
                group.create_task(guest.run(node.flow))
                group.create_task(fail())

        async with page.Guest() as guest:
            with pytest.raises(ExceptionGroup) as caught:
                await run_both(guest)
            assert [str(error) for error in caught.value.exceptions] == ["beside the run"]
            assert node.ended

    asyncio.run(main())


def test_leaving_the_guest_waits_for_the_runs_of_other_tasks(page: Any) -> None:
    flow = fs.loads('<workflow name="w"><delay id="d" duration="1h"/></workflow>')

    async def main() -> None:
        clock = MockClock()
        async with page.Guest(clock) as guest:
            task = asyncio.create_task(guest.run(flow, input=1))
            await asyncio.sleep(0)
            assert not task.done()
            clock.autojump_threshold = 0
        assert (await task).output == 1
        with pytest.raises(RuntimeError, match="not open"):
            await guest.run(flow)

    asyncio.run(main())


def test_an_exception_in_the_block_cancels_the_runs_and_surfaces_itself(page: Any) -> None:
    async def main() -> None:
        node = Hanging()
        runs: list[asyncio.Task[Any]] = []

        async def serve() -> None:
            async with page.Guest() as guest:
                runs.append(asyncio.create_task(guest.run(node.flow)))
                await node.started.wait()
                raise ValueError("of the block")

        with pytest.raises(ValueError, match="of the block"):
            await serve()
        assert node.ended
        with pytest.raises(asyncio.CancelledError):
            await runs[0]

    asyncio.run(main())


def test_a_run_that_was_only_asked_for_is_cancelled_by_an_exception_in_the_block(page: Any) -> None:
    async def main() -> None:
        node = Hanging()
        runs: list[asyncio.Task[Any]] = []

        async def serve() -> None:
            async with page.Guest() as guest:
                runs.append(asyncio.create_task(guest.run(node.flow)))
                await asyncio.sleep(0)
                raise ValueError("of the block")

        with pytest.raises(ValueError, match="of the block"):
            await serve()
        with pytest.raises(asyncio.CancelledError):
            await runs[0]

    asyncio.run(main())


def test_cancelling_the_task_that_leaves_the_guest_cancels_the_runs(page: Any) -> None:
    async def main() -> None:
        node = Hanging()

        async def serve() -> None:
            async with page.Guest() as guest:
                runs.append(asyncio.create_task(guest.run(node.flow)))
                await asyncio.sleep(0)

        runs: list[asyncio.Task[Any]] = []
        server = asyncio.create_task(serve())
        await node.started.wait()
        server.cancel()
        with pytest.raises(asyncio.CancelledError):
            await server
        assert node.ended
        with pytest.raises(asyncio.CancelledError):
            await runs[0]

    asyncio.run(main())


def test_ctrl_c_cancels_the_run_and_is_raised_after_its_clean_up(page: Any) -> None:
    nodes = []

    async def main() -> None:
        node = Hanging()
        nodes.append(node)
        async with page.Guest() as guest:
            task = asyncio.create_task(node.started.wait())
            task.add_done_callback(lambda _: signal.raise_signal(signal.SIGINT))
            await guest.run(node.flow)

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(main())
    assert nodes[0].ended


def test_a_system_exit_of_a_node_leaves_asyncio_and_no_run_is_left(page: Any) -> None:
    async def leave(params: fs.ExecutionParams) -> None:
        raise SystemExit(3)

    nodes = []

    async def main() -> None:
        node = Hanging()
        nodes.append(node)
        async with page.Guest() as guest:
            task = asyncio.create_task(guest.run(node.flow))
            await node.started.wait()
            try:
                await guest.run(flow_of(leave=leave))
            finally:
                task.cancel()

    with pytest.raises(SystemExit) as caught:
        asyncio.run(main())
    assert caught.value.code == 3
    assert nodes[0].ended


def test_an_asyncio_function_gives_its_value_or_its_very_exception_to_the_node(page: Any) -> None:
    error = LookupError("of asyncio")

    async def give(value: int) -> list[Any]:
        await asyncio.sleep(0)
        return [value, sniffio.current_async_library()]

    async def fail() -> None:
        await asyncio.sleep(0)
        raise error

    async def works(params: fs.ExecutionParams) -> Any:
        return await page.call_asyncio(give, 7)

    async def fails(params: fs.ExecutionParams) -> Any:
        return await page.call_asyncio(fail)

    async def main() -> None:
        async with page.Guest() as guest:
            run = await guest.run(flow_of(works=works))
            assert run.output == [[7, "asyncio"]]
            with pytest.raises(LookupError) as caught:
                await guest.run(flow_of(fails=fails))
            assert caught.value is error

    asyncio.run(main())


@pytest.mark.parametrize("ending", ["cleans up", "swallows", "fails"])
def test_a_cancelled_node_waits_for_the_end_of_its_asyncio_function(page: Any, ending: str) -> None:
    events: list[str] = []

    async def call() -> str:
        try:
            events.append("begun")
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            for _ in range(5):
                await asyncio.sleep(0)
            events.append("ended")
            if ending == "fails":
                raise OSError("the clean-up failed") from None
            if ending == "cleans up":
                raise
        return "too late"

    async def calls(params: fs.ExecutionParams) -> Any:
        return await page.call_asyncio(call)

    async def fails(params: fs.ExecutionParams) -> None:
        await trio.sleep(1)
        raise ValueError("first")

    async def main() -> None:
        async with page.Guest(MockClock(autojump_threshold=0)) as guest:
            with pytest.raises(ValueError, match="first") as caught:
                await guest.run(flow_of(calls=calls, fails=fails))
            events.append("raised")
        failure = fs.failure_of(caught.value)
        others = [str(other.error) for other in failure.others]
        assert others == (["the clean-up failed"] if ending == "fails" else [])
        [result] = failure.record["p/0/calls"]
        assert result.status == ("failed" if ending == "fails" else "cancelled")

    asyncio.run(main())
    assert events == ["begun", "ended", "raised"]


def test_an_asyncio_function_that_somebody_else_cancels_is_an_error_of_the_node(page: Any) -> None:
    async def call() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(0)

    async def calls(params: fs.ExecutionParams) -> Any:
        return await page.call_asyncio(call)

    async def main() -> None:
        async with page.Guest() as guest:
            with pytest.raises(RuntimeError, match="not by its node"):
                await guest.run(flow_of(calls=calls))

    asyncio.run(main())
