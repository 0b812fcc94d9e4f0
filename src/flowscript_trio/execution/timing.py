"""Owns when the items of a collection reach a ``<foreach>``: spaced by ``throttle``, settled by ``debounce``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from math import inf
from typing import TypeVar

import trio

from ..scheduler.raised import first_of

T = TypeVar("T")
V = TypeVar("V")


class Throttled(AsyncIterator[T]):
    """Items, each given at least ``seconds`` after the one before it. None is lost.

    Whoever asks for the next item waits, and so does the source; cancellation ends the wait at once.
    """

    def __init__(self, items: AsyncIterator[T], seconds: float) -> None:
        self._items = items
        self._seconds = seconds
        self._next_at = -inf

    async def __anext__(self) -> T:
        item = await anext(self._items)  # first: behind the last one there is nothing to wait for
        if self._next_at > trio.current_time():
            await trio.sleep_until(self._next_at)
        self._next_at = trio.current_time() + self._seconds
        return item


class Debounced(AsyncIterator[T]):
    """Items that no other has followed for ``seconds``; what was followed earlier is left out. The last one is
    given when the source has ended.

    ``read`` asks the source, and runs beside whoever takes the items.
    """

    def __init__(self, items: AsyncIterator[T], seconds: float) -> None:
        self._items = items
        self._seconds = seconds
        self._newest: list[T] = []
        self._settled_at = inf
        self._ended = False
        self._error: BaseException | None = None
        self._changed = trio.Event()

    async def read(self) -> None:
        """Read the source to its end. An error of it is raised where the next item is asked for."""
        try:
            while True:
                await trio.lowlevel.checkpoint()  # the source may have all its items at hand
                self._newest = [await anext(self._items)]
                self._settled_at = trio.current_time() + self._seconds
                self._change()
        except StopAsyncIteration:
            pass
        except Exception as exc:
            self._error = exc
        self._ended = True
        self._change()

    async def __anext__(self) -> T:
        while not self._ended and trio.current_time() < self._settled_at:
            with trio.move_on_at(self._settled_at):
                await self._changed.wait()
        if self._newest:
            self._settled_at = inf
            return self._newest.pop()
        if self._error is not None:
            raise self._error
        if self._ended:
            raise StopAsyncIteration
        raise AssertionError("an item has settled that is not there")

    def _change(self) -> None:
        self._changed.set()
        self._changed = trio.Event()


async def debouncing(
    items: AsyncIterator[T], seconds: float, work: Callable[[AsyncIterator[T]], Awaitable[V]]
) -> V:
    """Do work with the items of a source that is read beside it; when the work ends, so does the reading.

    Cancellation reaches both. What the work raises is raised as it is.
    """
    settled = Debounced(items, seconds)
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(settled.read)
            try:
                done = await work(settled)
            finally:
                nursery.cancel_scope.cancel("what takes the items has ended")
    except BaseExceptionGroup as group:
        raise first_of(group)
    return done
