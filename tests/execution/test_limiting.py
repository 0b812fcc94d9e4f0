"""A run inside a node, with the limiter that the node around holds a token of."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock

import flowscript_trio as fs
from flowscript_trio.execution.limiting import LimiterExhausted

INNER = fs.loads('<workflow name="i"><transform:template id="t" template="done"/></workflow>')


def nested(levels: int, width: int, tokens: int) -> tuple[object, int]:
    """What a run came to whose nodes run others with the same limiter, and the tokens that it left."""
    limiter = trio.CapacityLimiter(tokens)
    registry = fs.Registry(base=fs.registry)

    @registry.runtime("source:runs")
    async def runs(params: fs.ExecutionParams) -> object:
        await trio.sleep(1)
        depth = int(params.config["depth"])
        flow = INNER if depth == 0 else workflow(depth - 1, 1)
        return (await fs.run(flow, limiter=limiter)).output

    def workflow(depth: int, width: int) -> fs.Flow:
        branches = "".join(
            f'<branch><source:runs id="n{i}" depth="{depth}"/></branch>' for i in range(width)
        )
        text = f'<workflow name="w"><parallel id="p">{branches}</parallel></workflow>'
        return fs.loads(text, registry=registry)

    async def main() -> object:
        with trio.fail_after(1000):
            return (await fs.run(workflow(levels, width), limiter=limiter)).output

    try:
        return trio.run(main, clock=MockClock(autojump_threshold=0)), limiter.borrowed_tokens
    except LimiterExhausted as exc:
        return exc, limiter.borrowed_tokens


@pytest.mark.parametrize(
    ("levels", "width", "tokens"), [(0, 1, 1), (0, 3, 3), (2, 1, 3), (1, 2, 2)]
)
def test_a_deadlock_that_is_certain_is_an_error(levels: int, width: int, tokens: int) -> None:
    outcome, left = nested(levels, width, tokens)
    assert isinstance(outcome, LimiterExhausted)
    assert "limiter of its own" in str(outcome)
    assert left == 0


@pytest.mark.parametrize(("levels", "width", "tokens"), [(0, 1, 2), (0, 3, 4), (2, 1, 4)])
def test_as_long_as_a_token_is_free_it_is_none(levels: int, width: int, tokens: int) -> None:
    outcome, left = nested(levels, width, tokens)
    assert not isinstance(outcome, Exception)
    assert left == 0


@pytest.mark.parametrize("limiter", ["its own", "none"])
def test_a_limiter_of_its_own_or_none_goes(limiter: str) -> None:
    registry = fs.Registry(base=fs.registry)

    @registry.runtime("source:runs")
    async def runs(params: fs.ExecutionParams) -> object:
        own = trio.CapacityLimiter(1) if limiter == "its own" else None
        return (await fs.run(INNER, limiter=own)).output

    flow = fs.loads('<workflow name="w"><source:runs id="a"/></workflow>', registry=registry)

    async def main() -> object:
        return (await fs.run(flow, limiter=trio.CapacityLimiter(1))).output

    assert trio.run(main) == "done"


@pytest.mark.parametrize("managed", [False, True])
@pytest.mark.parametrize(("asking", "tokens"), [(1, 1), (2, 2), (3, 3)])
async def test_a_run_that_opens_a_resource_is_inside_all_nodes_that_wait_for_it(
    asking: int, tokens: int, managed: bool, autojump_clock: MockClock
) -> None:
    limiter = trio.CapacityLimiter(tokens)
    registry = fs.Registry(base=fs.registry)

    async def opened() -> object:
        await trio.sleep(2)
        return (await fs.run(INNER, limiter=limiter)).output

    @asynccontextmanager
    async def lent() -> AsyncIterator[object]:
        yield await opened()

    @registry.runtime("source:asks")
    async def asks(params: fs.ExecutionParams) -> object:
        await trio.sleep(params.state["index"])
        return await params.run.resource("it", lent if managed else opened)

    text = f"""<workflow name="w"><foreach id="f" collection="range({asking})" maxConcurrency="unlimited">
      <source:asks id="a"/></foreach></workflow>"""
    with trio.fail_after(100), pytest.raises(LimiterExhausted):
        await fs.run(fs.loads(text, registry=registry), limiter=limiter)
    assert limiter.borrowed_tokens == 0
    limiter.total_tokens = tokens + 1
    with trio.fail_after(100):
        run = await fs.run(fs.loads(text, registry=registry), limiter=limiter)
    assert run.output == ["done"] * asking


async def test_a_token_that_was_given_back_since_holds_up_nobody(autojump_clock: MockClock) -> None:
    limiter = trio.CapacityLimiter(1)
    registry = fs.Registry(base=fs.registry)
    ended: list[float] = []

    async def later() -> None:
        await trio.sleep(1)
        await fs.run(INNER, limiter=limiter)
        ended.append(trio.current_time())

    @registry.runtime("source:starts")
    async def starts(params: fs.ExecutionParams) -> None:
        nursery.start_soon(later)

    @registry.runtime("source:works")
    async def works(params: fs.ExecutionParams) -> None:
        await trio.sleep(5)

    text = '<workflow name="w"><source:starts id="a"/><source:works id="b" after="a"/></workflow>'
    async with trio.open_nursery() as nursery:
        await fs.run(fs.loads(text, registry=registry), limiter=limiter)
    assert ended == [5]
