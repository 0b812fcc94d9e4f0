"""Owns streams: what a source gives with ``stream="true"``. Their items come while they are consumed, once."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any, Protocol, Self

import trio

from ..types.errors import FlowScriptError
from .types import RunServices

CLOSING = 10.0
"""Seconds that closing a stream may take, shielded."""
BATCH = 1000
"""Items that are taken at a time where nothing says how many."""


class StreamError(FlowScriptError):
    """A stream was consumed a second time, or after its run had closed it."""


class Supply(Protocol):
    """Where the items of a stream come from. One task at a time uses it."""

    async def fetch(self) -> Sequence[Any]:
        """The next items, as many as come at once; none at the end. It waits until somebody asks.

        Cancelled, it may be closed and not asked again.
        """

    async def aclose(self) -> None:
        """Let go of everything. It is called once, shielded, and never while ``fetch`` is at work."""


class Stream(AsyncIterator[Any]):
    """The items of a source, which come while they are consumed: by one ``<foreach>``, sink or runtime, once.

    What it holds is open until it was consumed or closed; a run closes what is left when it ends. Whoever
    consumes it claims it first, which iterating over it does, and closes it in the end.

    Args:
        name: the id of the node that gave it, for messages.
        supply: where the items come from.
    """

    def __init__(self, name: str, supply: Supply) -> None:
        self.name: str = name
        self._supply = supply
        self._ready: Sequence[Any] = ()
        self._at = 0
        self._claimed = False
        self._closed = False
        self._open: set[Stream] | None = None

    def claim(self) -> None:
        """Say that it is consumed from now on; raises StreamError where it was before."""
        if self._closed and not self._claimed:
            raise StreamError(f"the stream of {self.name!r} was closed when its run ended")
        if self._claimed:
            raise StreamError(
                f"the stream of {self.name!r} was consumed already: it can be consumed only once, by a "
                "<foreach> or a sink; expected a second source, or one without stream, whose output is a list"
            )
        self._claimed = True

    def __aiter__(self) -> Self:
        self.claim()
        return self

    async def __anext__(self) -> Any:
        """The next item. Cancellation ends it where it waits for one; close it then."""
        if self._at == len(self._ready) and not await self._more():
            await self.aclose()
            raise StopAsyncIteration
        self._at += 1
        return self._ready[self._at - 1]

    async def take(self, size: int) -> list[Any]:
        """The next items: ``size`` of them, fewer at the end, none after it. Cancellation as for one."""
        items: list[Any] = []
        while len(items) < size and (self._at < len(self._ready) or await self._more()):
            part = self._ready[self._at : self._at + size - len(items)]
            self._at += len(part)
            items += part
        if not items:
            await self.aclose()
        return items

    async def all(self) -> list[Any]:
        """All of its items, which are held in memory; it is claimed and closed. Cancellation as for one."""
        self.claim()
        items: list[Any] = []
        try:
            while part := await self.take(BATCH):
                items += part
        finally:
            await self.aclose()
        return items

    async def _more(self) -> bool:
        if self._closed:
            return False
        self._ready, self._at = (), 0  # given up before there are more: they are not held twice
        try:
            self._ready = await self._supply.fetch()
        except Exception as exc:
            self._explain(exc)
            raise
        return bool(self._ready)

    def _explain(self, error: Exception) -> None:
        """An error in the middle is not one to try the consumer again for: it would find nothing to consume."""
        with suppress(Exception):  # an error that refuses attributes or notes stays as it is
            error.retryable = False  # type: ignore[attr-defined]
            error.add_note(
                f"the stream of {self.name!r} broke off; to read it again, put a <retry> on a block "
                "that holds both the source and what consumes it"
            )

    async def aclose(self) -> None:
        """Close it, whatever is left in it. Cancellation waits until that is done."""
        if self._closed:
            return
        self._closed = True
        self._ready, self._at = (), 0
        if self._open is not None:
            self._open.discard(self)
        with trio.move_on_after(CLOSING, shield=True):
            await self._supply.aclose()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self  # it is consumed once, whoever is handed it

    def __repr__(self) -> str:
        return f"<stream of {self.name!r}>"


async def all_of(supply: Supply) -> list[Any]:
    """All items of a supply, which is closed. Cancellation ends it where it waits for one."""
    items: list[Any] = []
    try:
        while part := await supply.fetch():
            items += part
    finally:
        with trio.move_on_after(CLOSING, shield=True):
            await supply.aclose()
    return items


class Streams:
    """The streams of one kind that a run has open; it closes those that are left when it ends."""

    def __init__(self) -> None:
        self._open: set[Stream] = set()

    def add(self, stream: Stream) -> Stream:
        """Keep a stream until it is closed; gives it."""
        stream._open = self._open
        self._open.add(stream)
        return stream

    async def aclose(self) -> None:
        """Close all; what goes wrong with one keeps none of the others open."""
        first: Exception | None = None
        for stream in sorted(self._open, key=lambda stream: stream.name):
            try:
                await stream.aclose()
            except Exception as exc:
                first = exc if first is None else first
        if first is not None:
            raise first


async def streams_of(run: RunServices, kind: str) -> Streams:
    """The open streams of a run, of a kind: they are closed before what was opened for that kind earlier."""
    streams: Streams = await run.resource(f"{kind} streams", Streams)
    return streams


def stream_in(value: Any) -> Stream | None:
    """The stream that a sink is given: one of a source, or the items of an iterator of the application's.

    None for anything else, which is a value.
    """
    if isinstance(value, Stream):
        return value
    if isinstance(value, AsyncIterable):
        return Stream("input", _Given(aiter(value)))
    if isinstance(value, Iterator):
        return Stream("input", _GivenAtOnce(value))
    return None


class Items:
    """Items that are there already."""

    def __init__(self, items: Sequence[Any]) -> None:
        self._items = items

    async def fetch(self) -> Sequence[Any]:
        items, self._items = self._items, ()
        return items

    async def aclose(self) -> None:
        self._items = ()


class _Given:
    """An async iterator of the application's."""

    def __init__(self, items: AsyncIterator[Any]) -> None:
        self._items = items

    async def fetch(self) -> Sequence[Any]:
        try:
            return [await anext(self._items)]
        except StopAsyncIteration:
            return []

    async def aclose(self) -> None:
        close = getattr(self._items, "aclose", None)
        if close is not None:
            await close()


class _GivenAtOnce:
    """An iterator of the application's, whose items need not be waited for."""

    def __init__(self, items: Iterator[Any]) -> None:
        self._items = items

    async def fetch(self) -> Sequence[Any]:
        await trio.lowlevel.checkpoint()
        return list(islice(self._items, 1))

    async def aclose(self) -> None:
        close = getattr(self._items, "close", None)
        if close is not None:
            close()
