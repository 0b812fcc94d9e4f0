"""Owns the workloads of data: the size of the state, templates, and memory."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Awaitable, Callable, Iterator
from functools import cache, partial

import trio

from flowscript_trio.expression import parse_template

from . import blocks, flows
from .measuring import Cost, Workload, timed
from expressing import PlainScope, text_of

FIELD = 100


def state(size: int) -> Workload:
    """100 branches that each read one field of a state of so many bytes, and of a small one."""
    branches = "".join(
        f'<branch><transform type="template" id="t{i}" template="{{{{$input.fields.f{i}}}}}"/></branch>'
        for i in range(100)
    )
    flow = flows.load(f'<parallel id="p">{branches}</parallel>')
    small = {"fields": {f"f{i}": i for i in range(100)}}
    rows = size // FIELD
    large = {**small, "rows": [str(number).zfill(FIELD) for number in range(rows)]}
    name = f"100 branches over a state of {size // 1_000_000} MB, to an empty one"
    engine, hand = flows.run(flow, input=large), flows.run(flow, input=small)
    return Workload(name, "branch", 100, engine, hand, 1.1, 1.0)


def template(count: int) -> Workload:
    """A template with five interpolations, to an f-string of the same."""
    values = {"a": "one", "b": 2, "c": {"d": "three"}, "e": [4, 5], "f": "six"}
    text = "{{a}}, {{b}} and {{c.d}} of {{e[1]}}: {{f}}."
    written = parse_template(text_of(text)).compile(lambda name: False)
    scope = PlainScope(values)

    def engine() -> float:
        started = time.perf_counter()
        for _ in range(count):
            written.text(scope)
        return time.perf_counter() - started

    def hand() -> float:
        started = time.perf_counter()
        for _ in range(count):
            f"{values['a']}, {values['b']} and {values['c']['d']} of {values['e'][1]}: {values['f']}."  # type: ignore[index]
        return time.perf_counter() - started

    return Workload("a template of five interpolations", "rendering", count, engine, hand, 5.0, 3.0)


def memory(count: int) -> Workload:
    """The most memory of waiting branches, in bytes."""
    branches = "".join(f'<branch><source:hang id="h{i}"/></branch>' for i in range(count))
    flow = flows.load(f'<parallel id="p" maxConcurrency="10">{branches}</parallel>')

    async def engine() -> None:
        with trio.move_on_after(0.05):
            await flows.fs.run(flow)

    async def hand() -> None:
        with trio.move_on_after(0.05):
            await blocks.each_with_token(count, 10, trio.sleep_forever)

    name = f"memory of {count} waiting branches, limit 10"
    return Workload(name, "branch", count, peak(engine), peak(hand), 1.2, 1.0)


def memory_without_results(count: int) -> Workload:
    """The same, to a nursery by hand that has no place for what its tasks give."""

    async def hand() -> None:
        limiter = trio.CapacityLimiter(10)
        with trio.move_on_after(0.05):
            async with trio.open_nursery() as nursery:
                for _ in range(count):
                    await limiter.acquire_on_behalf_of(object())
                    nursery.start_soon(trio.sleep_forever)

    name = f"memory of {count} waiting branches, to one without results"
    return Workload(name, "branch", count, memory(count).engine, peak(hand), None, None)


def items(count: int, few: int) -> Workload:
    """The most memory of a ``<foreach>`` that keeps nothing, over many items of a generator, and over few."""
    flow = flows.load(
        '<foreach id="f" collection="{{$input}}" maxConcurrency="10" merge="none">'
        '<source:noop id="n"/></foreach>'
    )

    async def consume(number: int) -> None:
        await flows.fs.run(flow, input=iter(range(number)), keep=100)

    def consuming(number: int) -> Cost:
        def cost() -> float:
            timed(partial(consume, few))()  # what the first run makes, it makes for all
            return peak(partial(consume, number))()

        return cache(cost)  # bytes are the same in every round

    name = f"memory of a foreach over {count} items, to one over {few}"
    return Workload(name, "run", 1, consuming(count), consuming(few), 1.2, 1.0)


def peak(work: Callable[[], Awaitable[object]]) -> Cost:
    """The most bytes that were in use at once, beyond those of before."""

    def cost() -> float:
        tracemalloc.start()
        try:
            timed(work)()
            return float(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()

    return cost


def workloads(scale: float) -> Iterator[Workload]:
    yield state(int(1_000_000 * scale))
    yield state(int(100_000_000 * scale))
    yield template(int(10_000 * scale))
    yield memory(int(10_000 * scale))
    yield memory_without_results(int(10_000 * scale))
    yield items(int(1_000_000 * scale), int(10_000 * scale))
