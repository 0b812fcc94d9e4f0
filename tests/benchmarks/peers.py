"""Owns the workloads of other libraries, as far as they are installed (the extra ``peers``): the same beside them.

They run on asyncio, but for aiometer, which runs on trio here. What they are asked for is the least that they can
do: functions that do nothing, no store, no tracing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from importlib.util import find_spec
from typing import Any

import trio

from . import blocks, flows
from .measuring import Cost, Workload, timed

PEERS = ("aiometer", "langgraph", "pydantic_graph", "hamilton")


def missing() -> list[str]:
    """The peers that are not installed."""
    return [name for name in PEERS if find_spec(name) is None]


def on_asyncio(work: Callable[[], Awaitable[object]]) -> Cost:
    """The seconds of an async function on asyncio; starting its loop is not counted."""

    async def main() -> float:
        started = time.perf_counter()
        await work()
        return time.perf_counter() - started

    return lambda: asyncio.run(main())


def aiometer(count: int) -> Workload:
    """Functions that do nothing, ten at once."""
    from aiometer import run_all

    engine = blocks.parallel(count, 10).engine
    jobs = [trio.lowlevel.checkpoint] * count
    hand = timed(partial(run_all, jobs, max_at_once=10))
    return _beside("aiometer", f"{count} branches, limit 10", count, engine, hand)


def langgraph(count: int) -> Workload:
    """A graph of nodes that all follow the start, with a list that they all add to."""
    import operator
    from typing import Annotated

    from langgraph.graph import END, START, StateGraph
    from typing_extensions import TypedDict

    # Not a class: its annotations would be texts, with names that only this function knows.
    State = TypedDict("State", {"found": Annotated[list[int], operator.add]})  # noqa: UP013

    async def node(state: Any) -> dict[str, list[int]]:
        return {"found": [1]}

    graph = StateGraph(State)
    for index in range(count):
        graph.add_node(f"n{index}", node)
        graph.add_edge(START, f"n{index}")
        graph.add_edge(f"n{index}", END)
    compiled = graph.compile()
    hand = on_asyncio(lambda: compiled.ainvoke({"found": []}, {"max_concurrency": 10}))
    engine = blocks.parallel(count, 10).engine
    return _beside("LangGraph", f"{count} branches, limit 10", count, engine, hand)


def pydantic_graph(count: int) -> Workload:
    """A step over each of a list of items."""
    from pydantic_graph import GraphBuilder, StepContext
    from pydantic_graph.join import reduce_list_append

    builder: Any = GraphBuilder(input_type=list[int], output_type=list[int])

    @builder.step
    async def begin(ctx: StepContext[None, None, list[int]]) -> list[int]:
        return ctx.inputs

    @builder.step
    async def one(ctx: StepContext[None, None, int]) -> int:
        return ctx.inputs

    collect = builder.join(reduce_list_append, initial_factory=list[int])
    builder.add(
        builder.edge_from(builder.start_node).to(begin),
        builder.edge_from(begin).map().to(one),
        builder.edge_from(one).to(collect),
        builder.edge_from(collect).to(builder.end_node),
    )
    graph = builder.build()
    hand = on_asyncio(lambda: graph.run(inputs=list(range(count))))
    engine = blocks.foreach(count).engine
    return _beside("pydantic-graph", f"{count} items", count, engine, hand)


def hamilton(count: int) -> Workload:
    """Functions that depend on nothing."""
    from hamilton import ad_hoc_utils, async_driver

    def named(index: int) -> Any:
        async def function() -> int:
            return 1

        function.__name__ = f"n{index}"
        return function

    functions = [named(index) for index in range(count)]
    module = ad_hoc_utils.create_temporary_module(*functions)
    names = [function.__name__ for function in functions]

    driver = async_driver.AsyncDriver({}, module)
    branches = "".join(f'<source:noop id="n{index}"/>' for index in range(count))
    engine = flows.run(flows.load(branches), max_concurrency=float("inf"))
    return _beside(
        "Hamilton",
        f"a graph of {count} nodes",
        count,
        engine,
        on_asyncio(lambda: driver.execute(names)),
    )


def _beside(peer: str, what: str, count: int, engine: Cost, hand: Cost) -> Workload:
    return Workload(f"{what}, to {peer}", "unit", count, engine, hand, None, None)


def workloads(scale: float) -> Iterator[Workload]:
    """Those of the peers that are installed."""
    count = int(1_000 * scale)
    makers = {
        "aiometer": aiometer,
        "langgraph": langgraph,
        "pydantic_graph": pydantic_graph,
        "hamilton": hamilton,
    }
    for name in PEERS:
        if name not in missing():
            yield makers[name](count)
