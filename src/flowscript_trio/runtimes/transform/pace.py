"""Owns the pace of long computations: a checkpoint at least every few milliseconds of real time."""

from __future__ import annotations

from time import perf_counter

from trio.lowlevel import checkpoint

INTERVAL = 0.005  # seconds of real time, whatever clock the run has
STRIDE = 16  # items between two looks at the clock


class Pace:
    """Awaited often, it reaches a checkpoint only as often as others need it."""

    __slots__ = ("_count", "_last")

    def __init__(self) -> None:
        self._last = perf_counter()
        self._count = 0

    async def step(self) -> None:
        """Count one item, and reach a checkpoint where it is time."""
        self._count += 1
        if self._count >= STRIDE:
            self._count = 0
            await self.look()

    async def look(self) -> None:
        """Reach a checkpoint where it is time."""
        if perf_counter() - self._last >= INTERVAL:
            await checkpoint()
            self._last = perf_counter()
