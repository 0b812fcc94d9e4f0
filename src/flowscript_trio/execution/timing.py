"""Owns when the items of a collection reach a ``<foreach>``: spaced by ``throttle``, settled by ``debounce``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from math import inf
from typing import TYPE_CHECKING, Any, TypeVar

import trio

from ..scheduler.raised import first_of

if TYPE_CHECKING:
    from .durable.pacing import PaceJournal

T = TypeVar("T")
V = TypeVar("V")


class Throttled(AsyncIterator[T]):
    """Items, each given at least ``seconds`` after the one before it. None is lost.

    Whoever asks for the next item waits, and so does the source; cancellation ends the wait at once. With a
    ``log`` of an earlier process what it had given is given at once, and time goes on from there.
    """

    def __init__(
        self, items: AsyncIterator[T], seconds: float, log: PaceJournal | None = None
    ) -> None:
        self._items = items
        self._seconds = seconds
        self._log = log
        self._given = 0
        self._known = 0 if log is None else log.given
        self._next_at = log.next_at if log is not None and log.given else -inf

    async def __anext__(self) -> T:
        item = await anext(self._items)  # first: behind the last one there is nothing to wait for
        self._given += 1
        if self._given <= self._known:
            return item
        if self._next_at > trio.current_time():
            await trio.sleep_until(self._next_at)
        self._next_at = trio.current_time() + self._seconds
        if self._log is not None:
            self._log.note(self._given - 1, self._next_at, self._given - 1)
        return item


class Debounced(AsyncIterator[T]):
    """Items that no other has followed for ``seconds``; what was followed earlier is left out. The last one is
    given when the source has ended.

    ``read`` asks the source, and runs beside whoever takes the items. With a ``log`` of an earlier process what it
    had given is given again, whatever the time.
    """

    def __init__(
        self, items: AsyncIterator[T], seconds: float, log: PaceJournal | None = None
    ) -> None:
        self._log = log
        self._known = 0 if log is None else log.given
        self._restored = trio.Event()  # all that was known is given
        if not self._known:
            self._restored.set()
        self._position = -1  # of the newest item in the source
        self._given = 0
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
            if self._log is not None:
                await self._restored.wait()
            while True:
                await trio.lowlevel.checkpoint()  # the source may have all its items at hand
                item = await anext(self._items)
                self._position += 1
                self._newest = [item]
                self._settled_at = trio.current_time() + self._seconds
                self._change()
        except StopAsyncIteration:
            pass
        except Exception as exc:
            self._error = exc
        self._ended = True
        self._change()

    async def __anext__(self) -> T:
        if self._given < self._known:
            return await self._give_again()
        while not self._ended and trio.current_time() < self._settled_at:
            with trio.move_on_at(self._settled_at):
                await self._changed.wait()
        if self._newest:
            self._settled_at = inf
            if self._log is not None:
                self._log.note(self._given, trio.current_time(), self._position)
            self._given += 1
            return self._newest.pop()
        if (error := self.take_error()) is not None:
            raise error
        if self._ended:
            raise StopAsyncIteration
        raise AssertionError("an item has settled that is not there")

    def take_error(self) -> BaseException | None:
        """What the source raised that nobody has been told of."""
        error, self._error = self._error, None
        return error

    async def _give_again(self) -> T:
        """What an earlier process gave next; whoever takes the items reads the source until then.

        What stands for an item whose iteration is compacted is nothing: it is passed over.
        """
        assert self._log is not None
        position = self._log.position_of(self._given)
        item: Any = None
        while position is not None and self._position < position:
            item = await anext(self._items)
            self._position += 1
        self._given += 1
        if self._given == self._known:
            self._restored.set()
        given: T = item
        return given

    def _change(self) -> None:
        self._changed.set()
        self._changed = trio.Event()


async def debouncing(
    items: AsyncIterator[T],
    seconds: float,
    work: Callable[[AsyncIterator[T]], Awaitable[V]],
    lose: Callable[[BaseException], None],
    log: PaceJournal | None = None,
) -> V:
    """Do work with the items of a source that is read beside it; when the work ends, so does the reading.

    Cancellation reaches both. What the work raises is raised as it is. ``lose`` is called with what the source
    raised and nobody asked for any more.
    """
    settled = Debounced(items, seconds, log)
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(settled.read)
            try:
                done = await work(settled)
            finally:
                nursery.cancel_scope.cancel("what takes the items has ended")
    except BaseExceptionGroup as group:
        raise first_of(group)
    finally:
        if (error := settled.take_error()) is not None:
            lose(error)
    return done
