"""Owns the stream of a run's events: bounded, so that a slow reader never holds up the run."""

from __future__ import annotations

from types import TracebackType

import trio

from ..types.events import Event


class EventStream:
    """An async iterator over events of a run, which ends when the run has ended.

    What a slow reader has no room for is dropped and counted in ``dropped``. Cancelling the reader loses
    no event.
    """

    def __init__(self, room: int) -> None:
        self._send, self._receive = trio.open_memory_channel[Event](room)
        self.dropped: int = 0

    def __call__(self, event: Event) -> None:
        """Take in an event: the stream is an observer."""
        try:
            self._send.send_nowait(event)
        except trio.WouldBlock:
            self.dropped += 1
        except trio.BrokenResourceError:
            pass  # the reader has closed its end: it wants no more

    def end(self) -> None:
        self._send.close()

    def __aiter__(self) -> EventStream:
        return self

    async def __anext__(self) -> Event:
        try:
            return await self._receive.receive()
        except trio.EndOfChannel:
            raise StopAsyncIteration from None

    async def __aenter__(self) -> EventStream:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._receive.close()
