"""Owns the pace at which a block with ``stagger`` starts its branches."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import TYPE_CHECKING, Generic, TypeVar

import trio

if TYPE_CHECKING:
    from .durable.pacing import PaceJournal

T = TypeVar("T")


class Paced(AsyncIterator[T]):
    """Items, each given ``seconds`` after the one before it, or as soon as the branch of that one has failed.

    Whoever asks for the next item waits; cancellation ends the wait at once. With a ``log`` of an earlier process
    what it had given is given at once, and time goes on from there.
    """

    def __init__(
        self, items: AsyncIterator[T], seconds: float, log: PaceJournal | None = None
    ) -> None:
        self._items = items
        self._seconds = seconds
        self._log = log
        self._given = 0
        self._known = 0 if log is None else log.given
        self._next_at = 0.0 if log is None else log.next_at
        self._failed = trio.Event()

    async def __anext__(self) -> T:
        item = await anext(self._items)  # first: behind the last one there is nothing to wait for
        if self._given and self._given >= self._known:
            with trio.move_on_at(self._next_at):
                await self._failed.wait()
        self._given += 1
        self._failed = trio.Event()
        if self._given > self._known:
            self._next_at = trio.current_time() + self._seconds
            if self._log is not None:
                index = self._given - 1
                self._log.note(index, self._next_at, index)
        return item

    def note_failure(self, index: int) -> None:
        """The branch of that index, from 0, has failed: if it is the last one given, the next may start."""
        if index == self._given - 1:
            self._failed.set()


class Fetched(AsyncIterator[T], Generic[T]):
    """The items of an iterable, for whoever takes them from an async iterator; it waits for nothing."""

    def __init__(self, items: Iterable[T]) -> None:
        self._items = iter(items)

    async def __anext__(self) -> T:
        for item in self._items:
            return item
        raise StopAsyncIteration
