from __future__ import annotations

import gc
import signal
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import trio
from pydantic import BaseModel

import flowscript_trio as fs

from scheduling import outcomes, run_virtually
from stubs import Stubs


class Tasks(trio.abc.Instrument):
    """Counts the tasks whose names begin with a path."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.now = self.most = 0

    def task_spawned(self, task: trio.lowlevel.Task) -> None:
        if task.name.startswith(self.path):
            self.now += 1
            self.most = max(self.most, self.now)

    def task_exited(self, task: trio.lowlevel.Task) -> None:
        if task.name.startswith(self.path):
            self.now -= 1


def numbers(count: int) -> Iterator[int]:
    yield from range(count)


EACH = """<foreach id="each" collection="$input" maxConcurrency="10" merge="{merge}">
  <transform type="template" id="t" template="{{{{item}}}}"/>
</foreach>"""


def test_foreach_over_a_generator_of_100_000_has_never_more_tasks_than_its_limit() -> None:
    tasks = Tasks("each[")
    flow = fs.loads(f'<workflow name="w">{EACH.format(merge="array")}</workflow>')

    async def main() -> Any:
        trio.lowlevel.add_instrument(tasks)
        return (await fs.run(flow, input=numbers(100_000))).output

    output = trio.run(main)
    assert output == list(range(100_000))
    assert tasks.most == 10
    assert tasks.now == 0


@pytest.mark.slow
def test_the_memory_of_foreach_does_not_grow_with_its_items() -> None:
    flow = fs.loads(f'<workflow name="w">{EACH.format(merge="none")}</workflow>')

    def peak(count: int) -> int:
        gc.collect()
        tracemalloc.start()
        run = trio.run(lambda: fs.run(flow, input=numbers(count), keep=100))
        assert run.output == count
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(100)
    assert peak(8_000) < peak(2_000) * 1.2


def test_an_async_iterable_is_consumed_once_and_closed_when_the_block_ends_early() -> None:
    events: list[str] = []

    async def items() -> AsyncIterator[int]:
        try:
            for number in range(10):
                events.append(f"give {number}")
                yield number
        finally:
            events.append("closed")

    stubs = Stubs()
    flow = stubs.load("""<foreach id="each" collection="$input">
      <source:stub id="s" fails="{{if_else(item == 2, 'two', null)}}"/></foreach>""")

    async def main() -> None:
        given = items()  # kept, so that it is not the garbage collector who closes it
        with pytest.raises(ValueError, match="two"):
            await fs.run(flow, input=given)
        assert events == ["give 0", "give 1", "give 2", "closed"]

    run_virtually(main)


def test_every_body_runs_in_blocks_in_blocks_and_break_leaves_the_right_loop() -> None:
    body = """
    <parallel id="p">
      <branch>
        <foreach id="each" collection="[1, 2, 3]" maxConcurrency="2">
          <if id="odd" condition="item % 2 == 1">
            <then><source:stub id="o" takes="1s" gives="{{item * 10}}"/></then>
            <else>
              <branch id="which">
                <case when="item == 2"><source:stub id="two" gives="two"/></case>
                <default><source:stub id="other" gives="other"/></default>
              </branch>
            </else>
          </if>
          <timeout id="t" duration="5s">
            <loop id="l" max="5" break="n >= 2">
              <set var="n" value="{{$iteration}}"/>
              <source:stub id="step" takes="100ms" gives="{{$iteration}}"/>
            </loop>
          </timeout>
          <while id="w" condition="(count_ ?? 0) &lt; 3">
            <transform type="template" id="count_" template="{{(count_ ?? 0) + 1}}"/>
          </while>
          <transform type="template" id="sum" template="{{[item, odd, t, w]}}"/>
        </foreach>
      </branch>
      <branch>
        <loop id="outer" max="10">
          <foreach id="inner" collection="range(5)">
            <source:stub id="i" gives="{{item}}"/>
            <break when="item == 2" loop="outer"/>
          </foreach>
          <source:stub id="never"/>
        </loop>
        <loop id="near" max="3">
          <foreach id="short" collection="range(5)"><source:stub id="j"/><break/></foreach>
          <source:stub id="after" gives="{{$iteration}}"/>
        </loop>
      </branch>
    </parallel>
    <transform type="template" id="end" template="{{[each, inner, i, near]}}"/>"""
    stubs = Stubs()
    flow = stubs.load(body)

    async def main() -> str:
        stubs.events.clear()
        output = (await fs.run(flow)).output
        assert stubs.events.count("start after") == 3
        assert stubs.events.count("start j") == 3
        assert "start never" not in stubs.events
        return repr(output)

    expected = [[[1, 10, 2, 3], [2, "two", 2, 3], [3, 30, 2, 3]], [0, 1, 2], 2, 2]
    assert outcomes(main, 50) == {repr(expected)}


class AnyConfig(BaseModel):
    value: Any = None


def test_what_a_runtime_does_to_what_it_is_given_nobody_sees() -> None:
    registry = fs.Registry(base=fs.registry)

    @registry.runtime("source:vandal", config=AnyConfig)
    async def spoil(params: fs.ExecutionParams) -> Any:
        params.input["deep"]["list"].append("spoiled")
        params.config.value["deep"]["list"].clear()
        params.state["made"]["deep"]["list"].append("spoiled")
        params.state["$input"]["new"] = 1
        return "done"

    flow = fs.loads(
        """<workflow name="w">
        <transform type="template" id="made" template='{"deep": {"list": [1]}}'/>
        <parallel id="p" input="made">
          <branch><source:vandal id="a" value="{{made}}"/><source:vandal id="b" value="{{made}}"/></branch>
          <branch><source:vandal id="c" value="{{made}}"/></branch>
        </parallel>
        <transform type="template" id="end" after="p" template="{{[made, $input]}}"/>
        </workflow>""",
        registry=registry,
    )
    given = {"x": 1}
    run = trio.run(lambda: fs.run(flow, input=given))
    assert run.output == [{"deep": {"list": [1]}}, {"x": 1}]
    assert given == {"x": 1}


def test_what_cannot_be_copied_is_handed_over_with_a_warning_that_names_the_node() -> None:
    registry = fs.Registry(base=fs.registry)

    class Client:
        def __deepcopy__(self, memo: Any) -> Any:
            raise TypeError("a client is not copied")

    client = Client()
    seen: list[Any] = []

    @registry.runtime("source:user")
    async def use(params: fs.ExecutionParams) -> None:
        seen.append(params.input["client"])

    flow = fs.loads('<workflow name="w"><source:user id="user"/></workflow>', registry=registry)
    with pytest.warns(fs.FlowScriptWarning, match="'user' was handed the shared object itself"):
        run = trio.run(lambda: fs.run(flow, input={"client": client, "n": [1]}))
    assert seen == [client]
    assert "Client" in run.warnings[0].message


@pytest.mark.slow
def test_a_fork_costs_the_same_whatever_the_size_of_the_state() -> None:
    stubs = Stubs()
    flow = stubs.load(
        '<parallel id="p">'
        + "".join(f'<branch><source:stub id="n{i}"/></branch>' for i in range(20))
        + "</parallel>"
    )

    def allocated(state: Any) -> int:
        gc.collect()
        tracemalloc.start()
        trio.run(lambda: fs.run(flow, input=state))
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    small = {"items": [{"n": n} for n in range(10)]}
    large = {"items": [{"n": n} for n in range(10_000)]}
    allocated(small)
    assert allocated(large) < allocated(small) * 1.2 + 20_000


def test_an_interrupt_at_any_step_leaves_no_task_and_no_token_and_skips_no_clean_up() -> None:
    opened: list[str] = []
    registry = fs.Registry(base=fs.registry)

    @registry.runtime("source:careful")
    async def careful(params: fs.ExecutionParams) -> None:
        opened.append(params.node.label)
        try:
            for _ in range(3):
                await trio.lowlevel.checkpoint()
        finally:
            opened.remove(params.node.label)

    flow = fs.loads(
        """<workflow name="w">
        <parallel id="p" maxConcurrency="2">
          <branch><source:careful id="a"/></branch>
          <branch>
            <foreach id="e" collection="[1, 2]" maxConcurrency="2"><source:careful id="b"/></foreach>
          </branch>
          <branch><source:careful id="c"/></branch>
        </parallel></workflow>""",
        registry=registry,
    )

    class Interrupt(trio.abc.Instrument):
        def __init__(self, at: int) -> None:
            self.steps = 0
            self.at = at

        def before_task_step(self, task: trio.lowlevel.Task) -> None:
            self.steps += 1
            if self.steps == self.at:
                signal.raise_signal(signal.SIGINT)

    async def main(limiter: trio.CapacityLimiter) -> None:
        tasks = Tasks("p")
        trio.lowlevel.add_instrument(tasks)
        try:
            await fs.run(flow, limiter=limiter)
        finally:
            assert tasks.now == 0
            assert limiter.borrowed_tokens == 0
            assert opened == []

    interrupted = 0
    for at in range(1, 120):
        instrument = Interrupt(at)
        try:
            trio.run(main, trio.CapacityLimiter(2), instruments=[instrument])
        except KeyboardInterrupt:
            interrupted += 1
    assert interrupted > 30


def test_an_outer_deadline_beats_an_inner_one_and_both_beat_a_node_that_would_wake() -> None:
    async def main() -> str:
        with pytest.raises(trio.TooSlowError) as caught:
            await Stubs().run("""<timeout id="outer" duration="1s">
              <timeout id="inner" duration="1s"><source:stub id="s" takes="1s"/></timeout>
            </timeout>""")
        return str(caught.value)

    assert outcomes(main, 100) == {"'outer' took longer than 1 s"}


def test_a_block_of_nodes_that_never_wait_can_still_be_cancelled() -> None:
    async def main() -> None:
        with trio.move_on_after(1) as scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(
                    lambda: Stubs().run(
                        '<loop id="l" max="1000000000"><set var="x" value="1"/></loop>'
                    )
                )
                for _ in range(50):
                    await trio.lowlevel.checkpoint()
                nursery.cancel_scope.cancel()
        assert not scope.cancelled_caught

    trio.run(main)
