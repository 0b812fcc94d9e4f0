"""Owns the workloads of blocks: branches, items, and the way from the first error to the caller."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import trio
from trio.lowlevel import checkpoint

from . import flows, measuring
from .measuring import Cost, Workload


def timed(work: Callable[[], Awaitable[object]]) -> Cost:
    """The processor seconds of an async function that waits for nothing: others on the machine do not count."""
    return measuring.timed(work, time.thread_time)


def run(flow: flows.fs.Flow, **options: Any) -> Cost:
    """The processor seconds of a run; the record keeps what it keeps by default."""
    return timed(lambda: flows.fs.run(flow, **options))


def parallel(count: int, limit: float) -> Workload:
    written = "unlimited" if limit == math.inf else str(int(limit))
    branches = "".join(f'<branch><source:noop id="n{i}"/></branch>' for i in range(count))
    flow = flows.load(f'<parallel id="p" maxConcurrency="{written}">{branches}</parallel>')
    name = f"parallel, {count} branches, limit {written}"
    hand = token_first(count, limit) if limit != math.inf else spawn_all(count, limit)
    return Workload(name, "branch", count, run(flow), hand, 1.6, 1.3)


def parallel_or_spawn_all(count: int) -> Workload:
    made = parallel(count, 10)
    name = f"parallel, {count} branches, limit 10, to a nursery that spawns all"
    return Workload(name, "branch", count, made.engine, spawn_all(count, 10), 1.0, None)


def token_first(count: int, limit: float) -> Cost:
    """The best by hand: the token is taken before the task is started."""

    return timed(lambda: each_with_token(count, limit, checkpoint))


async def each_with_token(count: int, limit: float, work: Callable[[], Awaitable[None]]) -> None:
    """Do the work so many times, and keep what each time gives."""
    limiter = trio.CapacityLimiter(limit)
    results: list[object] = [None] * count

    async def job(index: int, token: object) -> None:
        try:
            results[index] = await work()
        finally:
            limiter.release_on_behalf_of(token)

    async with trio.open_nursery() as nursery:
        for index in range(count):
            token = object()
            await limiter.acquire_on_behalf_of(token)
            nursery.start_soon(job, index, token)


def spawn_all(count: int, limit: float) -> Cost:
    async def work() -> None:
        limiter = trio.CapacityLimiter(limit)
        results: list[object] = [None] * count

        async def job(index: int) -> None:
            async with limiter:
                await checkpoint()
                results[index] = None

        async with trio.open_nursery() as nursery:
            for index in range(count):
                nursery.start_soon(job, index)

    return timed(work)


def foreach(count: int) -> Workload:
    flow = flows.load(
        '<foreach id="f" collection="{{$input}}" maxConcurrency="10"><source:noop id="n"/></foreach>'
    )
    engine = run(flow, input=list(range(count)))
    return Workload(
        f"foreach, {count} items, limit 10", "item", count, engine, token_first(count, 10), 0.7, 0.4
    )


def first_error(count: int) -> Workload:
    """One branch fails, and all others hang: the time from its error to the caller."""
    hanging = "".join(f'<branch><source:hang id="h{i}"/></branch>' for i in range(count))
    failing = '<branch><source:fail id="f"/></branch>'
    block = f'<parallel id="p" maxConcurrency="unlimited">{hanging}{failing}</parallel>'
    flow = flows.load(block)

    async def engine() -> None:
        with contextlib.suppress(ValueError):
            await flows.fs.run(flow)

    async def hand() -> None:
        with contextlib.suppress(ExceptionGroup):
            async with trio.open_nursery() as nursery:
                for _ in range(count):
                    nursery.start_soon(trio.sleep_forever)
                nursery.start_soon(flows.break_down)

    name = f"first error, {count} siblings that hang"
    return Workload(name, "sibling", count, since_error(engine), since_error(hand), 1.5, 1.1)


def since_error(work: Callable[[], Awaitable[None]]) -> Cost:
    """The processor seconds from the error to the end."""

    async def main() -> float:
        await work()
        return time.thread_time() - flows.failed_at[0]

    return lambda: trio.run(main)


def workloads(scale: float) -> Iterator[Workload]:
    for count in (int(1_000 * scale), int(10_000 * scale)):
        for limit in (10, math.inf):
            yield parallel(count, limit)
    yield parallel_or_spawn_all(int(10_000 * scale))
    yield foreach(int(100_000 * scale))
    yield first_error(int(10_000 * scale))
