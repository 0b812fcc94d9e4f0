"""Owns the way out of a block by a break: which jobs go with it, and in which pass."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio

from ..types.results import Cancellation
from .signals import BrokenOff, Signal

OnBreak = Callable[[int, Cancellation], None]
"""Told for each job that is cancelled since one of a lower index broke out of the block."""


class BreakOut:
    """The breaks of a block, whose jobs have a scope each: one that breaks out cancels those of higher indices.

    ``lowest`` is the lowest index that broke out so far, ``at`` the pass of the first break: from the next one
    on no job is started any more.
    """

    __slots__ = ("_acted_on", "_on_break", "_scopes", "at", "cancellation", "feeding", "lowest")

    def __init__(self, on_break: OnBreak) -> None:
        self._on_break = on_break
        self._scopes: dict[int, trio.CancelScope] = {}
        self._acted_on: int | None = None
        self.feeding: trio.CancelScope = trio.CancelScope()
        """The scope of whoever starts the jobs."""
        self.lowest: int | None = None
        self.at: int | None = None
        self.cancellation: Cancellation | None = None
        """That of the jobs above the lowest, once it is requested."""

    def note(self, index: int, now: int) -> None:
        """A job has broken out."""
        if self.lowest is None or index < self.lowest:
            self.lowest = index
        if self.at is None:
            self.at = now

    def takes(self, index: int) -> bool:
        """Whether a job is cancelled by a break."""
        return self.lowest is not None and index > self.lowest

    def is_due(self) -> bool:
        """Whether there is a break upon which nobody has acted, which is then done by who asked."""
        if self.lowest is None or self._acted_on == self.lowest:
            return False
        self._acted_on = self.lowest
        return True

    async def within(self, index: int, work: Awaitable[Signal | None]) -> Signal | BrokenOff | None:
        """Do a job's work in a scope of its own."""
        with trio.CancelScope() as scope:
            self._scopes[index] = scope
            if self.cancellation is not None and self.takes(index):
                scope.cancel(self.cancellation.reason)
            try:
                return await work
            finally:
                del self._scopes[index]
        return BrokenOff()

    def cancel_higher(self, name: Callable[[int], str]) -> None:
        """Cancel the jobs of higher indices than the lowest that broke out, and whoever starts more of them."""
        assert self.lowest is not None
        by = name(self.lowest)
        cancellation = Cancellation(by, f"{by} broke out of the loop", trio.current_time())
        self.cancellation = cancellation
        self.feeding.cancel(cancellation.reason)
        for index, scope in self._scopes.items():
            if index > self.lowest and not scope.cancel_called:
                self._on_break(index, cancellation)
                scope.cancel(cancellation.reason)

    def let_go(self) -> None:
        """Forget what was to be notified: the block is over."""
        del self._on_break
