"""Owns measuring: two ways of doing the same in alternation, and the ratio of what they cost."""

from __future__ import annotations

import gc
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

import trio

Cost = Callable[[], float]
"""Does it once, and gives what it cost: seconds, or bytes."""
NOISE = 0.03
"""How far the same code may be from itself, as a share."""


@dataclass(frozen=True)
class Workload:
    """``count`` units of work, done by the engine and by hand.

    ``reach`` is the ratio that must be reached, ``aim`` the one that is wished for; None where another
    workload says it. ``unit`` names what is counted.
    """

    name: str
    unit: str
    count: int
    engine: Cost
    hand: Cost
    reach: float | None
    aim: float | None


@dataclass(frozen=True)
class Measured:
    """What a workload came to: the ratios of its rounds, and the medians of both costs."""

    workload: Workload
    ratios: tuple[float, ...]
    engine: float
    hand: float

    @property
    def ratio(self) -> float:
        return median(self.ratios)

    def as_dict(self) -> dict[str, Any]:
        """For tools, ready for JSON; costs are for one unit, in seconds or bytes."""
        work = self.workload
        return {
            "name": work.name,
            "unit": work.unit,
            "count": work.count,
            "ratio": self.ratio,
            "least": min(self.ratios),
            "most": max(self.ratios),
            "reach": work.reach,
            "aim": work.aim,
            "engine": self.engine / work.count,
            "hand": self.hand / work.count,
        }


def measure(workload: Workload, rounds: int) -> Measured:
    """Measure both sides in alternation, the first of each round in turn; one round before them is not counted.

    What is there before, the documents of all workloads above all, is kept from the garbage collector: a full
    collection of it in the one side and not in the other would be all that is measured.
    """
    gc.freeze()
    try:
        workload.engine()
        workload.hand()
        gc.collect()
        gc.freeze()
        costs = [_round(workload, number) for number in range(rounds)]
    finally:
        gc.unfreeze()
    ratios = tuple(engine / hand for engine, hand in costs)
    return Measured(workload, ratios, median(e for e, _ in costs), median(h for _, h in costs))


def _round(workload: Workload, number: int) -> tuple[float, float]:
    gc.collect()
    if number % 2:
        hand = workload.hand()
        return workload.engine(), hand
    return workload.engine(), workload.hand()


def noise(workload: Workload, rounds: int) -> float:
    """How far the hand-written side is from itself, as a share: the median of its ratios to itself."""
    same = Workload(workload.name, "", 1, workload.hand, workload.hand, None, None)
    return abs(measure(same, rounds).ratio - 1)


def timed(
    work: Callable[[], Awaitable[object]], clock: Callable[[], float] = time.perf_counter
) -> Cost:
    """The seconds of an async function, in a trio of its own; starting trio is not counted.

    ``clock`` may be ``time.thread_time``, for work that waits for nothing: others on the machine do not count.
    """

    async def main() -> float:
        started = clock()
        await work()
        return clock() - started

    return lambda: trio.run(main)
