from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
import trio

import flowscript_trio as fs

from travelling import OddError, flow, lines, until


async def run(body: str, head: str = "", **given: Any) -> fs.Run:
    return await fs.run(flow(body, head=head), **given)


async def test_a_plain_function_runs_in_a_thread_beside_trios_own() -> None:
    done = await run('<transform:block id="a" place="thread"/>')
    assert done.output[1] != threading.get_ident()
    assert done.results["a"].worker == "thread"


async def test_an_async_runtime_runs_in_a_loop_of_its_own_in_a_thread() -> None:
    done = await run('<transform:where id="a" place="thread"/>')
    assert done.output["thread"] != threading.get_ident()


async def test_what_blocks_in_a_thread_holds_up_nothing_else(tmp_path: Path) -> None:
    log = tmp_path / "log"
    order = []
    async with (
        trio.open_nursery() as nursery,
        fs.open_run(
            flow(f'<transform:hold id="a" seconds="0.2" log="{log}" place="thread"/>')
        ) as handle,
    ):

        async def beside() -> None:
            await until(lambda: lines(log))
            order.append(handle.status)

        nursery.start_soon(beside)
        await handle.wait()
    assert order == [None]


async def test_a_cancelled_plain_function_is_waited_for(tmp_path: Path) -> None:
    log = tmp_path / "log"
    async with trio.open_nursery() as nursery:
        nursery.start_soon(
            run, f'<transform:block id="a" seconds="0.3" log="{log}" place="thread"/>'
        )
        await until(lambda: lines(log))
        nursery.cancel_scope.cancel()
    assert nursery.cancel_scope.cancelled_caught
    assert lines(log) == ["began", "ended"]


async def test_one_that_may_be_left_behind_is_not_waited_for() -> None:
    with trio.fail_after(5), trio.move_on_after(0.02) as scope:
        await run('<transform:left id="a" seconds="6" place="thread"/>')
    assert scope.cancelled_caught


async def test_a_cancellation_reaches_an_async_node_in_its_thread_and_its_clean_up_ends_first(
    tmp_path: Path,
) -> None:
    log = tmp_path / "log"
    async with trio.open_nursery() as nursery:
        nursery.start_soon(run, f'<transform:wait id="a" log="{log}" place="thread"/>')
        await until(lambda: lines(log))
        nursery.cancel_scope.cancel()
    assert lines(log)[1:] == ["cleaned up"]


async def test_a_timeout_of_a_node_in_a_thread_is_too_slow(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with pytest.raises(trio.TooSlowError):
        await run(f'<transform:wait id="a" log="{log}" place="thread" timeout="1s"/>')
    assert lines(log)[1:] == ["cleaned up"]


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
    most = 0
    at_work = 0
    registry = fs.Registry(base=fs.registry)

    @registry.blocking_runtime("transform:count")
    def count(params: fs.ExecutionParams) -> None:
        nonlocal most, at_work
        at_work += 1
        most = max(most, at_work)
        threading.Event().wait(0.02)
        at_work -= 1

    body = (
        '<foreach id="f" collection="[1,2,3,4]" maxConcurrency="4">'
        '<transform:count id="a" place="two"/></foreach>'
    )
    await fs.run(flow(body, registry), places={"two": fs.Thread(2)})
    assert most == 2


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
