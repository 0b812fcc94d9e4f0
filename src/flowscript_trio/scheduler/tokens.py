"""Owns the tokens of a block: they pass from job to job by passes of the scheduler, not by chance."""

from __future__ import annotations

from math import inf

import trio
from trio.lowlevel import checkpoint

from .passes import PassCounter

BURST = 100  # tokens taken without waiting between two checkpoints


class Tokens:
    """A ``trio.CapacityLimiter`` of one block, taken from by the one task that starts its jobs.

    A token that came back in this pass is only given out in the next one: whether the task that takes it
    happens to run before or after the one that returns it makes no difference. A block without a limit
    has no use for the books of its limiter, which cost as much as starting a task: it keeps none.
    """

    __slots__ = ("_burst", "_is_limited", "_passes", "_returned", "_returned_at", "limiter")

    def __init__(self, limit: float, passes: PassCounter) -> None:
        self.limiter: trio.CapacityLimiter = trio.CapacityLimiter(limit)
        self._is_limited = limit != inf
        self._passes = passes
        self._returned_at = -1
        self._returned = 0
        self._burst = 0

    @property
    def are_left(self) -> bool:
        """Whether there is one, be it one that came back in this pass."""
        return self.limiter.available_tokens >= 1

    def hand_out(self) -> object:
        """Take one that :attr:`are_left`; gives its borrower, who gives it back."""
        borrower = object()
        if self._is_limited:
            self.limiter.acquire_on_behalf_of_nowait(borrower)
        return borrower

    def take_nowait(self, borrower: object) -> bool:
        """Take a token for ``borrower`` if one is free for this pass; whether it did."""
        if not self._is_limited:
            return True
        fresh = self._returned if self._returned_at == self._passes.now else 0
        if self.limiter.available_tokens <= fresh:
            return False
        self.limiter.acquire_on_behalf_of_nowait(borrower)
        return True

    async def take(self, borrower: object) -> None:
        """Take a token for ``borrower``, waiting for one. Cancelled, it has taken none."""
        self._burst += 1
        if self._burst >= BURST:
            self._burst = 0
            await checkpoint()
        while not self.take_nowait(borrower):
            self._burst = 0
            if self.limiter.available_tokens == 0:
                await self.limiter.acquire_on_behalf_of(borrower)
                return
            await checkpoint()

    def give_back(self, borrower: object) -> None:
        if not self._is_limited:
            return
        now = self._passes.now
        if self._returned_at != now:
            self._returned_at = now
            self._returned = 0
        self._returned += 1
        self.limiter.release_on_behalf_of(borrower)
