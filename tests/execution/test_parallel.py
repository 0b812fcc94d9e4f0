from __future__ import annotations

import math
from typing import Any

import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.execution.executor import HANDLERS, is_parallel_result
from flowscript_trio.runtimes.control import ParallelResult, has_runtime, parallel_runtime
from flowscript_trio.runtimes.control.results import ControlResult

from scheduling import outcomes, run_virtually
from stubs import Stubs

THREE = """
<parallel id="fetch-all" maxConcurrency="2">
  <branch><source:stub id="api1" takes="3s" gives="one"/></branch>
  <branch><source:stub id="api2" takes="1s" gives="two"/></branch>
  <branch><source:stub id="api3" takes="1s" gives="three"/></branch>
</parallel>
"""


async def test_the_outputs_stand_in_branch_order_however_they_finish(autojump_clock: Any) -> None:
    stubs = Stubs()
    run = await stubs.run(THREE)
    assert run.output == ["one", "two", "three"]
    assert run.status == "completed"
    assert run.duration == 3
    assert stubs.events == [
        *sorted(["start api1", "start api2"], key=stubs.events.index),
        "end api2",
        "start api3",
        *stubs.events[4:],
    ]


def test_the_parallel_runtime_is_registered_and_describes_branches_without_running_them() -> None:
    assert has_runtime("control:parallel")
    stubs = Stubs()
    flow = stubs.load(THREE)
    node = flow.document.body.nodes[0]
    config = flow.checked.nodes[node.key].settings.constant

    async def main() -> Any:
        params: Any = type("P", (), {"node": node, "config": config})()
        return await parallel_runtime.execute(params)

    result = trio.run(main)
    assert isinstance(result, ParallelResult)
    assert is_parallel_result(result)
    assert result.branches == node.branches
    assert result.branch_count == 3
    assert result.max_concurrency == 2
    assert stubs.events == []


def test_every_control_result_has_a_handler() -> None:
    assert set(HANDLERS) == set(ControlResult.__args__)


async def test_the_runs_limit_holds_where_the_block_has_none(autojump_clock: Any) -> None:
    body = '<parallel id="p">' + "".join(
        f'<branch><source:stub id="n{i}" takes="1s"/></branch>' for i in range(12)
    )
    flow = Stubs().load(body + "</parallel>")
    assert (await fs.run(flow)).duration == 2
    assert (await fs.run(flow, max_concurrency=3)).duration == 4
    assert (await fs.run(flow, max_concurrency=math.inf)).duration == 1


async def test_a_failing_branch_cancels_its_siblings_and_its_error_surfaces(
    autojump_clock: Any,
) -> None:
    stubs = Stubs()
    body = """<parallel id="fetch-all">
      <branch><source:stub id="api1" hangs="true"/></branch>
      <branch><source:stub id="api2" takes="10ms" fails="500"/></branch>
      <branch><source:stub id="api3" hangs="true" cleanup="slow"/></branch>
    </parallel>"""
    flow = stubs.load(body)
    with pytest.raises(ValueError, match="500") as caught:
        await fs.run(flow)
    error = caught.value
    assert error is stubs.errors["api2"]
    assert error.__cause__ is None
    assert error.__context__ is None
    assert error.__notes__ == [
        "flowscript: node 'api2' at test.xml:4:15 failed (in fetch-all/1)",
        "flowscript: in fetch-all: 2 branches were cancelled",
    ]
    failure = fs.failure_of(error)
    assert failure is not None
    assert (failure.node, failure.branch, failure.location.line) == ("api2", "fetch-all/1", 4)
    assert failure.others == ()
    assert [(r.id, r.cancelled_by.by) for r in failure.cancelled] == [
        ("api1", "fetch-all/1"),
        ("api3", "fetch-all/1"),
    ]
    assert "fetch-all/1 failed: ValueError" in failure.cancelled[0].cancelled_by.reason
    assert stubs.events[-1] == "cleaned api3"


async def test_a_failing_branch_takes_no_longer_than_its_error(autojump_clock: Any) -> None:
    stubs = Stubs()
    body = """<parallel id="fetch-all">
      <branch><source:stub id="api1" hangs="true"/></branch>
      <branch><source:stub id="api2" takes="10ms" fails="500"/></branch>
      <branch><source:stub id="api3" hangs="true"/></branch>
    </parallel>"""
    began = trio.current_time()
    with pytest.raises(ValueError, match="500"):
        await stubs.run(body)
    assert trio.current_time() - began == pytest.approx(0.01)


def test_two_branches_that_fail_in_one_pass_give_the_same_first_error_and_both_are_recorded() -> (
    None
):
    stubs = Stubs()
    flow = stubs.load("""<parallel id="p">
      <branch><source:stub id="a" hangs="true"/></branch>
      <branch><source:stub id="b" takes="1s" fails="b"/></branch>
      <branch><source:stub id="c" takes="1s" fails="c"/></branch>
    </parallel>""")

    async def main() -> tuple[str, tuple[str, ...]]:
        try:
            await fs.run(flow)
        except ValueError as exc:
            failure = fs.failure_of(exc)
            assert failure is not None
            return str(exc), tuple(str(other.error) for other in failure.others)
        raise AssertionError

    assert outcomes(main, 1000) == {("b", ("c",))}


def test_the_winner_of_a_race_is_the_same_whatever_the_order_of_tasks() -> None:
    flow = Stubs().load("""<parallel id="p" wait="any">
      <branch><source:stub id="a" takes="2s" gives="a"/></branch>
      <branch><source:stub id="b" takes="1s" gives="b"/></branch>
      <branch><source:stub id="c" takes="1s" gives="c"/></branch>
    </parallel>""")

    async def main() -> str:
        run = await fs.run(flow)
        assert run.results["a"].status == "cancelled"
        return repr(run.output)

    assert outcomes(main, 1000) == {"['b']"}


async def test_the_error_keeps_its_cause_context_and_traceback(autojump_clock: Any) -> None:
    registry = fs.Registry(base=fs.registry)
    raised: list[BaseException] = []

    @registry.runtime("source:chained")
    async def chained(params: fs.ExecutionParams) -> None:
        try:
            try:
                raise KeyError("context")
            except KeyError:
                raise OSError("cause") from None
        except OSError as cause:
            error = LookupError("it")
            raised.append(error)
            raise error from cause

    flow = fs.loads(
        '<workflow name="w"><parallel id="p"><branch><source:chained id="x"/></branch>'
        "</parallel></workflow>",
        registry=registry,
    )
    try:
        raise RuntimeError("the caller handles this")
    except RuntimeError:
        with pytest.raises(LookupError) as caught:
            await fs.run(flow)
    error = caught.value
    assert error is raised[0]
    assert isinstance(error.__cause__, OSError)
    assert error.__context__ is error.__cause__
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    assert traceback is not None
    assert traceback.tb_frame.f_code.co_name == "chained"


async def test_an_error_masked_by_a_checkpoint_in_cleanup_is_recorded_and_never_surfaces(
    autojump_clock: Any,
) -> None:
    stubs = Stubs()
    with pytest.raises(ValueError, match="first") as caught:
        await stubs.run("""<parallel id="p">
          <branch><source:stub id="a" hangs="true" cleanup="mask"/></branch>
          <branch><source:stub id="b" takes="1s" fails="first"/></branch>
        </parallel>""")
    failure = fs.failure_of(caught.value)
    assert failure is not None
    [cancelled] = failure.cancelled
    assert [str(error) for error in cancelled.possibly_masked] == ["masked in a"]


async def test_a_sibling_that_fails_in_cleanup_is_recorded_and_replaces_nothing(
    autojump_clock: Any,
) -> None:
    stubs = Stubs()
    with pytest.raises(ValueError, match="first") as caught:
        await stubs.run("""<parallel id="p">
          <branch><source:stub id="a" hangs="true" cleanup="fail"/></branch>
          <branch><source:stub id="b" takes="1s" fails="first"/></branch>
        </parallel>""")
    failure = fs.failure_of(caught.value)
    assert failure is not None
    assert [str(other.error) for other in failure.others] == ["clean-up of a"]
    assert "flowscript: in p: 1 other branch failed" in caught.value.__notes__


async def test_an_error_under_a_cancellation_from_outside_surfaces_and_both_are_recorded(
    autojump_clock: Any,
) -> None:
    stubs = Stubs()
    with pytest.raises(ValueError, match="clean-up of b") as caught:
        with trio.move_on_after(1):
            await stubs.run("""<parallel id="p">
              <branch><source:stub id="a" hangs="true"/></branch>
              <branch><source:stub id="b" hangs="true" cleanup="fail"/></branch>
            </parallel>""")
    failure = fs.failure_of(caught.value)
    assert failure is not None
    [cancelled] = failure.cancelled
    assert cancelled.id == "a"
    assert cancelled.cancelled_by.by is None


async def test_cancellation_from_outside_is_no_failure(autojump_clock: Any) -> None:
    stubs = Stubs()
    seen: list[Any] = []
    with trio.move_on_after(1) as scope:
        await stubs.run(THREE.replace("1s", "9s"), observers=[seen.append])
    assert scope.cancelled_caught
    assert seen[-1].status == "cancelled"
    assert seen[-1].error is None


async def test_a_node_that_swallows_its_cancellation_is_marked_and_its_output_is_not_used(
    autojump_clock: Any,
) -> None:
    stubs = Stubs()
    with pytest.raises(ValueError, match="first") as caught:
        await stubs.run("""<parallel id="p">
          <branch><source:stub id="a" hangs="true" cleanup="slow" swallows="true"/>
                  <source:stub id="next"/></branch>
          <branch><source:stub id="b" takes="1s" fails="first"/></branch>
        </parallel>""")
    failure = fs.failure_of(caught.value)
    assert failure is not None
    [result] = failure.record["p/0/a"]
    assert result.outlived
    assert "start next" not in stubs.events


async def test_an_exception_group_that_a_node_raises_stays_whole(autojump_clock: Any) -> None:
    registry = fs.Registry(base=fs.registry)
    group = ExceptionGroup("mine", [ValueError("a"), KeyError("b")])

    @registry.runtime("source:group")
    async def raise_group(params: fs.ExecutionParams) -> None:
        raise group

    flow = fs.loads(
        '<workflow name="w"><parallel id="p"><branch><source:group id="x"/></branch>'
        "</parallel></workflow>",
        registry=registry,
    )
    with pytest.raises(ExceptionGroup) as caught:
        await fs.run(flow)
    assert caught.value is group
    assert len(group.exceptions) == 2


@pytest.mark.parametrize(
    ("settings", "output"),
    [
        ("", [[1, 2], [3]]),
        ('merge="concat"', [1, 2, 3]),
        ('merge="none"', 2),
        ('merge="object"', {"a": [1, 2], "b": [3]}),
        ('merge="$branches[0].length + $branches[1][0]"', 5),
        ('wait="n(1)"', [[3]]),
        ('wait="any" merge="concat"', [3]),
    ],
)
async def test_merges(settings: str, output: Any, autojump_clock: Any) -> None:
    run = await Stubs().run(f"""<parallel id="p" {settings}>
      <branch><source:stub id="a" takes="2s" gives="{{{{[1, 2]}}}}"/></branch>
      <branch><source:stub id="b" takes="1s" gives="{{{{[3]}}}}"/></branch>
    </parallel>""")
    assert run.output == output


async def test_an_empty_branch_has_no_name_in_a_merged_object(autojump_clock: Any) -> None:
    run = await Stubs().run("""<parallel id="p" merge="object">
      <branch><source:stub id="a" gives="{{1}}"/></branch>
      <branch/>
    </parallel>""")
    assert run.output == {"a": 1}


async def test_a_tolerated_failure_leaves_a_null_and_the_results_say_which(
    autojump_clock: Any,
) -> None:
    run = await Stubs().run("""<parallel id="p" tolerate="1">
      <branch><source:stub id="a" gives="x"/></branch>
      <branch><source:stub id="b" fails="no"/></branch>
    </parallel>
    <transform type="template" id="after" template="{{a}}/{{b}}/{{b.status}}"/>""")
    assert run.results["p"].output == ["x", None]
    assert [branch.status for branch in run.results["p"].branches] == ["success", "failed"]
    assert run.output == "x//failed"


async def test_the_timeout_of_a_block_cancels_all_of_it(autojump_clock: Any) -> None:
    stubs = Stubs()
    began = trio.current_time()
    with pytest.raises(trio.TooSlowError, match="'p' took longer than 2 s") as caught:
        await stubs.run("""<parallel id="p" timeout="2s">
          <branch><source:stub id="a" hangs="true"/></branch>
          <branch><source:stub id="b" takes="2s"/></branch>
        </parallel>""")
    assert trio.current_time() - began == 2
    failure = fs.failure_of(caught.value)
    assert failure is not None
    assert {(r.id, r.cancelled_by.by) for r in failure.cancelled} == {("a", "p"), ("b", "p")}


async def test_branches_see_their_index_and_never_each_other(autojump_clock: Any) -> None:
    run = await Stubs().run("""<parallel id="p">
      <branch><set var="x" value="{{$branch}}"/><transform type="template" id="a" template="{{x}}"/></branch>
      <branch><set var="x" value="{{$branch}}"/><transform type="template" id="b" template="{{x}}"/></branch>
    </parallel>""")
    assert run.output == [0, 1]


@pytest.mark.parametrize("seed", range(5))
def test_blocks_nest_to_any_depth_with_a_limit_of_one(seed: int) -> None:
    body = '<source:stub id="leaf" takes="1s" gives="deep"/>'
    for depth in range(8):
        body = f'<parallel id="p{depth}" maxConcurrency="1"><branch>{body}</branch></parallel>'
    flow = Stubs().load(body)

    async def main() -> Any:
        return (await fs.run(flow, max_concurrency=1, limiter=trio.CapacityLimiter(1))).output

    output = run_virtually(main, seed)
    for _ in range(8):
        [output] = output
    assert output == "deep"


async def test_a_shared_limiter_is_held_by_leaves_only_while_they_execute(
    autojump_clock: Any,
) -> None:
    limiter = trio.CapacityLimiter(2)
    flow = Stubs().load(THREE.replace('maxConcurrency="2"', 'maxConcurrency="3"'))
    async with trio.open_nursery() as nursery:
        for _ in range(2):
            nursery.start_soon(lambda: fs.run(flow, limiter=limiter))
    assert limiter.borrowed_tokens == 0


async def test_nursery_start_gives_the_handle_once_the_inputs_are_checked(
    autojump_clock: Any,
) -> None:
    flow = Stubs().load(THREE)
    async with trio.open_nursery() as nursery:
        run = await nursery.start(fs.run, flow)
        assert run.status is None
    assert run.status == "completed"


async def test_what_looks_like_a_control_result_is_data(autojump_clock: Any) -> None:
    look = {"branches": [[]], "branchCount": 1, "branch_count": 1, "body": [], "collection": [1]}
    registry = fs.Registry(base=fs.registry)

    @registry.runtime("source:look")
    async def give(params: fs.ExecutionParams) -> Any:
        return look

    @registry.runtime("source:real")
    async def give_real(params: fs.ExecutionParams) -> Any:
        return real

    flow = fs.loads(
        '<workflow name="w"><parallel id="p"><branch><source:look id="a"/></branch>'
        '<branch><source:real id="b"/></branch></parallel></workflow>',
        registry=registry,
    )
    real = ParallelResult((), 0, None, None, "array")  # type: ignore[arg-type]
    run = await fs.run(flow)
    assert run.output == [look, real]
