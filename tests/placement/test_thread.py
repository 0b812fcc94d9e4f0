from __future__ import annotations

import threading
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

import flowscript_trio as fs

from travelling import REGISTRY, OddError, flow, lines


async def run(body: str, head: str = "", **given: Any) -> fs.Run:
    return await fs.run(flow(body, head=head), **given)


async def test_a_plain_function_runs_in_a_thread_beside_trios_own() -> None:
    done = await run('<transform:block id="a" place="thread"/>')
    assert done.output[1] != threading.get_ident()
    assert done.results["a"].worker == "thread"


async def test_an_async_runtime_runs_in_a_loop_of_its_own_in_a_thread() -> None:
    done = await run('<transform:where id="a" place="thread"/>')
    assert done.output["thread"] != threading.get_ident()


class Gate:
    """Runtimes that are begun and wait: each thread is seen to begin, and ends when it is let go.

    ``order`` has what happened in the threads. Nothing here takes a time of its own.
    """

    def __init__(self) -> None:
        self.registry = fs.Registry(base=REGISTRY)
        self.registry.blocking_runtime("transform:block-here")(self.block)
        self.registry.blocking_runtime("transform:leave", abandon_on_cancel=True)(self.block)
        self.registry.runtime("transform:wait-here")(self.wait)
        self.order: list[str] = []
        self._begun = threading.Semaphore(0)
        self._go = threading.Event()

    def block(self, params: fs.ExecutionParams) -> int:
        self._begin()
        self._go.wait(60)
        self.order.append("ended")
        return threading.get_ident()

    async def wait(self, params: fs.ExecutionParams) -> None:
        self._begin()
        try:
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                await trio.lowlevel.checkpoint()
            self.order.append("cleaned up")

    def _begin(self) -> None:
        self.order.append("began")
        self._begun.release()

    async def begun(self) -> None:
        """Wait until one more thread has begun."""
        with trio.CancelScope(shield=True):
            assert await trio.to_thread.run_sync(partial(self._begun.acquire, timeout=60))

    def let_go(self) -> None:
        self._go.set()

    def flow(self, body: str) -> fs.Flow:
        return flow(body, self.registry)


async def test_what_blocks_in_a_thread_holds_up_nothing_else() -> None:
    gate = Gate()
    async with fs.open_run(gate.flow('<transform:block-here id="a" place="thread"/>')) as handle:
        await gate.begun()
        await wait_all_tasks_blocked()
        assert (handle.status, gate.order) == (None, ["began"])
        gate.let_go()
        await handle.wait()
    assert gate.order == ["began", "ended"]


async def test_a_cancelled_plain_function_is_waited_for() -> None:
    gate = Gate()
    blocking = gate.flow('<transform:block-here id="a" place="thread"/>')
    has_ended = False
    async with trio.open_nursery() as nursery:

        async def work() -> None:
            nonlocal has_ended
            try:
                await fs.run(blocking)
            finally:
                has_ended = True

        nursery.start_soon(work)
        await gate.begun()
        nursery.cancel_scope.cancel()
        with trio.CancelScope(shield=True):
            await wait_all_tasks_blocked()
            assert not has_ended
            gate.let_go()
    assert nursery.cancel_scope.cancelled_caught
    assert gate.order == ["began", "ended"]


async def test_one_that_may_be_left_behind_is_not_waited_for() -> None:
    gate = Gate()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(fs.run, gate.flow('<transform:leave id="a" place="thread"/>'))
        await gate.begun()
        nursery.cancel_scope.cancel()
    assert nursery.cancel_scope.cancelled_caught
    assert gate.order == ["began"]
    gate.let_go()


async def test_a_cancellation_reaches_an_async_node_in_its_thread_and_its_clean_up_ends_first() -> (
    None
):
    gate = Gate()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(fs.run, gate.flow('<transform:wait-here id="a" place="thread"/>'))
        await gate.begun()
        nursery.cancel_scope.cancel()
    assert gate.order == ["began", "cleaned up"]


async def test_a_timeout_of_a_node_in_a_thread_is_too_slow(mock_clock: MockClock) -> None:
    gate = Gate()
    waiting = gate.flow('<transform:wait-here id="a" place="thread" timeout="60s"/>')
    async with trio.open_nursery() as nursery:

        async def jump() -> None:
            await gate.begun()
            mock_clock.jump(60)

        nursery.start_soon(jump)
        with pytest.raises(trio.TooSlowError):
            await fs.run(waiting)
    assert gate.order == ["began", "cleaned up"]


async def test_an_error_in_a_thread_is_the_very_error_of_the_node() -> None:
    with pytest.raises(OddError) as caught:
        await run('<transform:raise id="a" what="odd" place="thread"/>')
    assert caught.value.second == 2
    assert fs.failure_of(caught.value) is not None


async def test_warnings_and_requests_of_a_thread_are_told_to_the_run() -> None:
    with pytest.warns(fs.FlowScriptWarning):
        done = await run('<transform:warn id="a" place="thread"/>')
    assert [each.message for each in done.warnings] == ["one", "two"]
    with pytest.raises(fs.BudgetExceeded):
        await run(
            '<transform:request id="a" count="3" place="thread"/>', budget=fs.Budget(requests=2)
        )


async def test_a_resource_asked_for_in_a_thread_is_the_runs_own(tmp_path: Path) -> None:
    log = tmp_path / "log"
    await run(
        f'<transform:resource id="a" log="{log}" place="thread"/><transform:resource id="b" log="{log}"/>'
    )
    assert [each.split()[0] for each in lines(log)] == ["open", "close"]


async def test_no_more_nodes_are_in_threads_than_the_place_has() -> None:
    gate = Gate()
    body = (
        '<foreach id="f" collection="[1,2,3,4]" maxConcurrency="4">'
        '<transform:block-here id="a" place="two"/></foreach>'
    )
    async with fs.open_run(gate.flow(body), places={"two": fs.Thread(2)}) as handle:
        await gate.begun()
        await gate.begun()
        await wait_all_tasks_blocked()
        assert gate.order == ["began", "began"]
        gate.let_go()
        await handle.wait()
    assert gate.order.count("ended") == 4


async def test_isolation_holds_in_a_thread() -> None:
    registry = fs.Registry(base=fs.registry)

    @registry.blocking_runtime("transform:change")
    def change(params: fs.ExecutionParams) -> int:
        params.input["x"].append(2)
        return len(params.input["x"])

    done = await fs.run(
        flow(
            '<transform:change id="a" place="thread"/>'
            '<transform:template id="b" after="a" template="{{json_encode(input)}}"/>',
            registry,
        ),
        input={"x": [1]},
    )
    assert (done.results["a"].output, done.output) == (2, {"x": [1]})


def test_a_plain_function_without_a_place_is_a_problem() -> None:
    for place in ("", ' place="here"'):
        with pytest.raises(fs.WorkflowInvalid) as caught:
            flow(f'<transform:block id="a"{place}/>')
        (problem,) = caught.value.problems
        assert problem.code == "needs-a-place"


def test_an_async_function_is_no_blocking_runtime() -> None:
    registry = fs.Registry()
    with pytest.raises(fs.FlowScriptError, match="is async"):

        @registry.blocking_runtime("transform:x")
        async def x(params: fs.ExecutionParams) -> None: ...


@pytest.mark.parametrize("threads", [0, True, 1.5])
def test_a_number_of_threads_that_is_none_is_refused(threads: Any) -> None:
    with pytest.raises(fs.InputError, match="threads is"):
        fs.Thread(threads)
