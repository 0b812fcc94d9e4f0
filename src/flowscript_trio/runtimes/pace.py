"""Owns the pace of long computations: a checkpoint at least every few milliseconds of real time."""

from __future__ import annotations

from time import perf_counter

from trio.lowlevel import checkpoint

INTERVAL = 0.005  # seconds of real time, whatever clock the run has


class Pace:
    """Says when a computation owes the others a turn: first at once, then every 5 ms.

    Between two steps a loop asks ``clock() >= pace.due``, which costs less than an await, and rests if so.
    """

    __slots__ = ("due",)

    def __init__(self) -> None:
        self.due: float = 0.0

    async def rest(self) -> None:
        """Reach a checkpoint; here cancellation ends the computation."""
        await checkpoint()
        self.due = perf_counter() + INTERVAL

    async def step(self) -> None:
        """Reach a checkpoint where it is time."""
        if perf_counter() >= self.due:
            await self.rest()


clock = perf_counter
