"""Owns the pace at which a block with ``stagger`` starts its branches."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Generic, TypeVar

import trio

T = TypeVar("T")


class Paced(AsyncIterator[T]):
    """Items, each given ``seconds`` after the one before it, or as soon as the branch of that one has failed.

    Whoever asks for the next item waits; cancellation ends the wait at once.
    """

    def __init__(self, items: AsyncIterator[T], seconds: float) -> None:
        self._items = items
        self._seconds = seconds
        self._given = 0
        self._next_at = 0.0
        self._failed = trio.Event()

    async def __anext__(self) -> T:
        item = await anext(self._items)  # first: behind the last one there is nothing to wait for
        if self._given:
            with trio.move_on_at(self._next_at):
                await self._failed.wait()
        self._given += 1
        self._next_at = trio.current_time() + self._seconds
        self._failed = trio.Event()
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
