"""Owns the workloads of nodes one after another and of graphs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

import trio
from trio.lowlevel import checkpoint

from . import flows
from .measuring import Cost, Workload, timed

Waits = Sequence[Sequence[int]]
"""For each node the indices of those that it waits for."""


def sequence(count: int) -> Workload:
    nodes = "".join(f'<source:noop id="n{i}"/>' for i in range(count))
    flow = flows.load(f'<parallel id="p"><branch>{nodes}</branch></parallel>')

    async def hand() -> None:
        for _ in range(count):
            await checkpoint()

    name = f"sequence, {count} nodes in one branch"
    return Workload(name, "node", count, flows.run(flow), timed(hand), 2.5, 1.6)


def graph(name: str, waits: Waits) -> Workload:
    def node(index: int) -> str:
        after = " ".join(f"n{other}" for other in waits[index])
        return f'<source:noop id="n{index}"' + (f' after="{after}"/>' if after else "/>")

    flow = flows.load("".join(map(node, range(len(waits)))))
    engine = flows.run(flow, max_concurrency=float("inf"))
    return Workload(name, "node", len(waits), engine, events(waits), 2.5, 1.8)


def events(waits: Waits) -> Cost:
    """By hand: a task a node, which waits for the events of those before it."""

    async def work() -> None:
        done = [trio.Event() for _ in waits]

        async def node(index: int) -> None:
            for other in waits[index]:
                await done[other].wait()
            await checkpoint()
            done[index].set()

        async with trio.open_nursery() as nursery:
            for index in range(len(waits)):
                nursery.start_soon(node, index)

    return timed(work)


def chain(count: int) -> Waits:
    return [[index - 1] if index else [] for index in range(count)]


def layers(count: int, width: int) -> Waits:
    """Each node waits for two by chance of the layer before its own."""
    chance = Random(0)
    return [
        sorted(chance.sample(range(index // width * width - width, index // width * width), 2))
        if index >= width
        else []
        for index in range(count)
    ]


def workloads(scale: float) -> Iterator[Workload]:
    count = int(1_000 * scale)
    yield sequence(count)
    yield graph(f"graph, a chain of {count}", chain(count))
    yield graph(f"graph, {count} nodes in layers of 20", layers(count, 20))
