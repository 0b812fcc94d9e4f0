"""Owns the stream of a run's events: bounded, so that a slow reader never holds up the run."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from types import TracebackType

from trio.lowlevel import ParkingLot, checkpoint_if_cancelled

from ..types.events import Event


class EventStream:
    """An async iterator over events of a run, which ends when the run has ended.

    A reader that waits for nothing but the stream misses nothing, however many events one pass of the scheduler
    makes. Of a reader that does other things as well, up to ``room`` unread events are kept; what it loses beyond
    them is counted, in ``dropped`` and by kind in ``dropped_by_kind``. Cancelling the reader loses no event.
    """

    def __init__(self, room: int) -> None:
        self._room = room
        self._unread: deque[Event] = deque()
        self._readers = ParkingLot()
        self._is_awaited = False  # a reader waits, or has been woken and not gone on yet
        self._ended = False
        self._closed = False
        self._dropped: Counter[str] = Counter()

    @property
    def dropped(self) -> int:
        """How many events were lost, since whoever reads is too slow."""
        return self._dropped.total()

    @property
    def dropped_by_kind(self) -> Mapping[str, int]:
        """How many events of each kind were lost, by the names of their classes."""
        return dict(self._dropped)

    def __call__(self, event: Event) -> None:
        """Take in an event: the stream is an observer."""
        if self._closed:
            return
        if len(self._unread) >= self._room and not self._is_awaited:
            self._dropped[type(event).__name__] += 1
            return
        self._unread.append(event)
        self._readers.unpark()

    def end(self) -> None:
        self._ended = True
        self._readers.unpark_all()

    def __aiter__(self) -> EventStream:
        return self

    async def __anext__(self) -> Event:
        """The next event. A checkpoint; where an event is there already, it lets no other task run."""
        await checkpoint_if_cancelled()
        while not self._unread:
            if self._ended or self._closed:
                raise StopAsyncIteration
            self._is_awaited = True
            try:
                await self._readers.park()
            finally:
                self._is_awaited = bool(self._readers)
        return self._unread.popleft()

    async def __aenter__(self) -> EventStream:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._closed = True
        self._unread.clear()
        self._readers.unpark_all()
