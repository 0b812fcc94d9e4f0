"""Owns the items of a collection by this many at a time, as ``<foreach batch="…">`` has them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, overload

from ..runtimes.streams import Stream


class Batches(Sequence[Sequence[Any]]):
    """A sequence in parts of ``size`` items, the last one perhaps of fewer; each is made when it is asked for."""

    def __init__(self, items: Sequence[Any], size: int) -> None:
        self._items = items
        self._size = size

    def __len__(self) -> int:
        return -(-len(self._items) // self._size)

    @overload
    def __getitem__(self, index: int) -> Sequence[Any]: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Sequence[Any]]: ...
    def __getitem__(self, index: int | slice) -> Sequence[Any] | Sequence[Sequence[Any]]:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        start = range(len(self))[index] * self._size  # raises IndexError, and counts from the end
        return list(self._items[start : start + self._size])


def batches_of(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """The items of an iterable in lists of ``size``, the last one perhaps of fewer."""
    waiting = iter(items)
    while batch := list(islice(waiting, size)):
        yield batch


class AsyncBatches(AsyncIterator[list[Any]]):
    """The items of an async iterator in lists of ``size``. Cancellation reaches the iterator.

    It is not a generator: one that is left would be finished by the garbage collector.
    """

    def __init__(self, items: AsyncIterator[Any], size: int) -> None:
        self._items = items
        self._size = size

    async def __anext__(self) -> list[Any]:
        if isinstance(self._items, Stream):
            batch = await self._items.take(self._size)
        else:
            batch = []
            while len(batch) < self._size:
                try:
                    batch.append(await anext(self._items))
                except StopAsyncIteration:
                    break
        if not batch:
            raise StopAsyncIteration
        return batch
