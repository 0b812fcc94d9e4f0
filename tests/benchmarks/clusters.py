"""Owns the workloads of the place ``cluster``: nodes there, and the same by a Dask client driven from trio.

Both use one cluster of two workers, which is started when it is first needed. What they do before the first call,
and after the last, is not counted. The cost is the time that passes, or where it says so, the time that all
processes together had a processor: a busy machine changes that less.
"""

from __future__ import annotations

import asyncio
import atexit
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import outcome
import psutil
import trio
from distributed import Client

import flowscript_trio as fs
from flowscript_trio.types.events import Event, NodeEnded, NodeStarted

from .cancelling import cancelled
from .measuring import Cost, Workload
from clusters import cluster
from travelling import note

REGISTRY = fs.Registry(base=fs.registry)
CLEANED_UP_WITHIN = 0.1
"""Seconds."""

Clock = Callable[[], float]


@cache
def scheduler() -> str:
    """The address of the scheduler of all workloads."""
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(cluster(2))


def double(number: int) -> int:
    return number * 2


@REGISTRY.blocking_runtime("transform:double")
def double_at_a_place(params: fs.ExecutionParams) -> int:
    return double(params.input)


@REGISTRY.runtime("transform:double-in-trio")
async def double_in_trio(params: fs.ExecutionParams) -> int:
    return double(params.input)


@REGISTRY.runtime("transform:hang")
async def hang(params: fs.ExecutionParams) -> None:
    """Wait for a cancellation, and clean up."""
    log = Path(params.input)
    note(log, "began")
    try:
        await trio.sleep_forever()
    finally:
        with trio.CancelScope(shield=True):
            await trio.lowlevel.checkpoint()
        note(log, "cleaned up")


EACH = """<workflow name="w">
  <transform:{node} id="first" input="{{{{0}}}}" place="cluster"/>
  <foreach id="f" collection="range(first, {count})" merge="none" maxConcurrency="{at_once}">
    <transform:{node} id="n" input="{{{{item}}}}" place="cluster"/></foreach></workflow>"""
"""The first call, which opens the cluster, gives 0: so what is counted begins after it."""


@dataclass(frozen=True)
class Calls:
    """So many calls, so many of them at once."""

    count: int
    at_once: int


def processor_time() -> float:
    """The seconds that this process, the scheduler and the workers have had a processor."""
    process = psutil.Process()
    times = [each.cpu_times() for each in (process, *process.children(recursive=True))]
    return sum(each.user + each.system for each in times)


def engine(calls: Calls, node: str, clock: Clock) -> Cost:
    text = EACH.format(node=node, count=calls.count, at_once=calls.at_once)
    flow = fs.loads(text, registry=REGISTRY)

    async def work() -> float:
        times: list[float] = []

        def look(event: Event) -> None:
            if event.path == "f" and isinstance(event, NodeStarted | NodeEnded):
                times.append(clock())

        places = {"cluster": fs.Dask(scheduler())}
        await fs.run(flow, places=places, observers=[look])
        begin, end = times
        return end - begin

    return lambda: trio.run(work)


def by_hand(calls: Calls, clock: Clock) -> Cost:
    async def work() -> float:
        async with open_client() as client:
            await client.call(double, 0)
            begin = clock()
            numbers = iter(range(calls.count))
            async with trio.open_nursery() as nursery:
                for _ in range(calls.at_once):
                    nursery.start_soon(call_all, client, numbers)
            return clock() - begin

    return lambda: trio.run(work)


async def call_all(client: DrivenClient, numbers: Iterator[int]) -> None:
    for number in numbers:
        await client.call(double, number)


class DrivenClient:
    """Dask's client in an asyncio loop of its own thread, as trio drives it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._client: Client

    async def open(self) -> None:
        await self._in_loop(self._open)

    async def close(self) -> None:
        await self._in_loop(lambda: self._client.close())

    async def call(self, function: Callable[..., Any], *given: Any) -> Any:
        return await self._in_loop(
            lambda: self._client.submit(function, *given, pure=False, retries=0)
        )

    async def _open(self) -> None:
        self._client = await Client(scheduler(), asynchronous=True, set_as_default=False)

    async def _in_loop(self, begin: Callable[[], Awaitable[Any]]) -> Any:
        task, token = trio.lowlevel.current_task(), trio.lowlevel.current_trio_token()

        async def do() -> None:
            done = await outcome.acapture(awaited, begin)
            token.run_sync_soon(trio.lowlevel.reschedule, task, done)

        asyncio.run_coroutine_threadsafe(do(), self._loop)
        return await trio.lowlevel.wait_task_rescheduled(lambda _: trio.lowlevel.Abort.FAILED)


async def awaited(begin: Callable[[], Awaitable[Any]]) -> Any:
    return await begin()


@asynccontextmanager
async def open_client() -> Any:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    client = DrivenClient(loop)
    await client.open()
    try:
        yield client
    finally:
        await client.close()
        loop.call_soon_threadsafe(loop.stop)
        await trio.to_thread.run_sync(thread.join)
        loop.set_exception_handler(lambda loop, context: None)  # timers that Dask has left
        loop.close()


HANGING = '<workflow name="w"><transform:hang id="n" input="{{$input}}" place="away"/></workflow>'


def workloads(scale: float) -> Iterator[Workload]:
    one, crowd = Calls(max(int(200 * scale), 5), 1), Calls(max(int(2_000 * scale), 20), 100)
    for calls, how, clock, reach in (
        (one, "one at a time", time.perf_counter, 1.2),
        (one, "one at a time, processor time", processor_time, None),
        (crowd, "100 at once, processor time", processor_time, None),
    ):
        for node, kind in (("double", "plain"), ("double-in-trio", "async")):
            name = f"cluster, {calls.count} {kind} nodes, {how}"
            sides = engine(calls, node, clock), by_hand(calls, clock)
            yield Workload(name, "node", calls.count, *sides, reach, None)
    flow = fs.loads(HANGING, registry=REGISTRY)
    cost = cancelled(flow, lambda: fs.Dask(scheduler()), ["began", "cleaned up"])
    name = "cluster, a cancellation and its clean-up, to 100 ms"
    yield Workload(name, "node", 1, cost, lambda: CLEANED_UP_WITHIN, 1.0, None)
