"""Owns the workloads of the place ``process``: nodes there, and the same function by trio-parallel alone.

Both start a worker of their own, which does all calls, one after another. Starting it is not counted, and neither
is waiting: the cost is the time that both processes had a processor. Of a cancellation it is the time that passes.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import trio
from trio_parallel import open_worker_context

import flowscript_trio as fs

from .cancelling import cancelled
from .measuring import Cost, Workload
from travelling import lines, note, until

REGISTRY = fs.Registry(base=fs.registry)


@dataclass(frozen=True)
class Calls:
    """So many calls, each with that payload and so many milliseconds of work."""

    count: int
    payload: Any
    ms: float


def compute(payload: Any, ms: float) -> int:
    """Keep a processor busy for so long."""
    end = time.process_time() + ms / 1000
    while time.process_time() < end:
        pass
    return len(payload)


@REGISTRY.blocking_runtime("transform:compute")
def compute_at_a_place(params: fs.ExecutionParams) -> int:
    return compute(params.input, params.config["ms"])


@REGISTRY.blocking_runtime("transform:clock")
def clock_at_a_place(params: fs.ExecutionParams) -> float:
    return time.process_time()


@REGISTRY.runtime("transform:clock-here")
async def clock_here(params: fs.ExecutionParams) -> float:
    return time.process_time()


FLOW = """<workflow name="w">
  <transform:clock id="first" place="process"/><transform:clock-here id="begin"/>
  <foreach id="f" collection="range($input.count)" merge="none">
    <transform:compute id="n" input="{{$input.payload}}" ms="{{$input.ms}}" place="process"/></foreach>
  <transform:clock-here id="end"/><transform:clock id="last" place="process"/>
  <return value="{{last - first + end - begin}}"/></workflow>"""


def engine(calls: Calls) -> Cost:
    flow = fs.loads(FLOW, registry=REGISTRY)
    places = {"process": fs.Process(workers=1)}
    given = {"count": calls.count, "payload": calls.payload, "ms": calls.ms}

    async def work() -> float:
        # One at a time, and so in the order of the document.
        done = await fs.run(flow, input=given, max_concurrency=1, places=places)
        cost: float = done.output
        return cost

    return lambda: trio.run(work)


def engine_by_hand(calls: Calls) -> Cost:
    """What the engine alone costs: nodes that have no place, and call trio-parallel themselves."""
    registry = fs.Registry(base=REGISTRY)
    kinds = {"transform:compute-by-hand": compute_by_hand, "transform:clock-by-hand": clock_by_hand}
    for name, execute in kinds.items():
        registry.runtime(name)(execute)
    text = FLOW.replace(' place="process"', "").replace(
        "transform:clock id", "transform:clock-by-hand id"
    )
    flow = fs.loads(
        text.replace("transform:compute", "transform:compute-by-hand"), registry=registry
    )
    given = {"count": calls.count, "payload": calls.payload, "ms": calls.ms}

    async def work() -> float:
        done = await fs.run(flow, input=given, max_concurrency=1)
        cost: float = done.output
        return cost

    return lambda: trio.run(work)


async def clock_by_hand(params: fs.ExecutionParams) -> float:
    workers = await params.run.resource("workers", open_worker_context)
    await workers.run_sync(compute, "x", 0)  # the worker imports what it needs
    cost: float = await workers.run_sync(time.process_time)
    return cost


async def compute_by_hand(params: fs.ExecutionParams) -> int:
    workers = await params.run.resource("workers", open_worker_context)
    done: int = await workers.run_sync(
        compute, params.input, params.config["ms"], kill_on_cancel=True
    )
    return done


def by_hand(calls: Calls) -> Cost:
    async def work() -> float:
        limiter = trio.CapacityLimiter(1)
        async with open_worker_context(idle_timeout=math.inf) as workers:
            await workers.run_sync(compute, "x", 0)  # the worker imports what it needs
            first: float = await workers.run_sync(time.process_time)
            begin = time.process_time()
            for _ in range(calls.count):
                await workers.run_sync(
                    compute, calls.payload, calls.ms, kill_on_cancel=True, limiter=limiter
                )
            end = time.process_time()
            last: float = await workers.run_sync(time.process_time)
            return last - first + end - begin

    return lambda: trio.run(work)


@REGISTRY.blocking_runtime("transform:hang")
def hang_at_a_place(params: fs.ExecutionParams) -> None:
    hang(params.input)


def hang(log: str) -> None:
    note(Path(log), "began")
    threading.Event().wait()


HANGING = '<workflow name="w"><transform:hang id="n" input="{{$input}}" place="away"/></workflow>'


def killed_by_hand() -> float:
    """The seconds from the cancellation of a call until its worker was killed."""

    async def work(log: Path) -> float:
        async with open_worker_context() as workers:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(partial(workers.run_sync, hang, str(log), kill_on_cancel=True))
                await until(lambda: lines(log))
                begun = time.perf_counter()
                nursery.cancel_scope.cancel()
            return time.perf_counter() - begun

    with TemporaryDirectory() as folder:
        return trio.run(work, Path(folder) / "log")


def workloads(scale: float) -> Iterator[Workload]:
    for name, count, payload, ms, reach in (
        ("5 ms of work", 200, "x", 5, 1.2),
        ("1 ms of work", 500, "x", 1, 1.2),
        ("no work", 1_000, "x", 0, None),
        ("no work, 100 kB of input", 500, "x" * 100_000, 0, None),
    ):
        calls = Calls(max(int(count * scale), 10), payload, ms)
        title = f"process, {calls.count} nodes, {name}"
        yield Workload(title, "node", calls.count, engine(calls), by_hand(calls), reach, None)
    calls = Calls(max(int(1_000 * scale), 10), "x", 0)
    title = f"process, {calls.count} nodes, no work, trio-parallel called by nodes"
    yield Workload(title, "node", calls.count, engine_by_hand(calls), by_hand(calls), None, None)
    flow = fs.loads(HANGING, registry=REGISTRY)
    cost = cancelled(flow, partial(fs.Process, 1), ["began"])
    name = "process, a cancellation, with which its worker is killed"
    yield Workload(name, "node", 1, cost, killed_by_hand, 1.2, None)
