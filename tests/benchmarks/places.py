"""Owns the workloads of the place ``process``: nodes there, and the same function by trio-parallel alone.

Both start their workers and end them; one worker does all calls, one after another.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import trio
from trio_parallel import open_worker_context

import flowscript_trio as fs

from .measuring import Cost, Workload, timed

REGISTRY = fs.Registry(base=fs.registry)
STEPS = 150_000
"""Of a function for which a process is worth it at all: some milliseconds."""


def nothing(number: int) -> int:
    return number


def long(number: int) -> int:
    """Keep a processor busy for a while."""
    return sum(range(STEPS)) * number


@REGISTRY.blocking_runtime("transform:nothing")
def nothing_at_a_place(params: fs.ExecutionParams) -> int:
    return nothing(params.config["n"])


@REGISTRY.blocking_runtime("transform:long")
def long_at_a_place(params: fs.ExecutionParams) -> int:
    return long(params.config["n"])


def engine(kind: str, count: int) -> Cost:
    flow = fs.loads(
        f"""<workflow name="w"><foreach id="f" collection="range({count})" merge="none">
        <transform:{kind} id="n" n="{{{{item}}}}" place="process"/></foreach></workflow>""",
        registry=REGISTRY,
    )

    async def work() -> None:
        await fs.run(flow, max_concurrency=1, places={"process": fs.Process(workers=1)})

    return timed(work)


def by_hand(function: object, count: int) -> Cost:
    async def work() -> None:
        limiter = trio.CapacityLimiter(1)
        async with open_worker_context(idle_timeout=math.inf) as workers:
            for number in range(count):
                await workers.run_sync(function, number, kill_on_cancel=True, limiter=limiter)  # type: ignore[arg-type,unused-ignore]

    return timed(work)


def workloads(scale: float) -> Iterator[Workload]:
    count = max(int(1_000 * scale), 10)
    for name, kind, function, reach in (
        ("a function of some milliseconds", "long", long, 1.2),
        ("a function that does nothing", "nothing", nothing, None),
    ):
        ours, hand = engine(kind, count), by_hand(function, count)
        yield Workload(f"process, {count} nodes, {name}", "node", count, ours, hand, reach, None)
