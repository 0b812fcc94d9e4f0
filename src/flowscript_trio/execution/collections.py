"""Owns the collection of a ``<foreach>``: how its items reach the iterations, and how it is closed."""

from __future__ import annotations

from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Container,
    Generator,
    Iterable,
    Mapping,
)
from contextvars import Context
from typing import Any

from ..runtimes.control.results import ForeachResult
from ..runtimes.streams import Stream
from ..scheduler.feeding import run_each_async
from ..scheduler.policy import Verdict
from ..scheduler.pools import CollectionPool
from ..scheduler.raised import error_of_call
from ..scheduler.workers import run_pool
from ..types.errors import SettingError
from .batches import AsyncBatches, Batches, batches_of
from .bounds import CLEANUP_SECONDS, in_time, took_too_long
from .branches import Branches
from .contexts import AsyncItemsInContext, InContext, ItemsInContext
from .pacing import Fetched
from .spending import CountedAsync, Spending, counted
from .timing import Throttled, debouncing

PLAIN = frozenset({list, tuple, range})
"""Collections whose items can be fetched without running anybody's code."""


async def feed_items(
    branches: Branches,
    collection: Any,
    result: ForeachResult,
    size: int | None,
    context: Context,
    spending: Spending | None,
    start: int = 0,
) -> Verdict:
    """Run a block over its collection from index ``start`` on; items are fetched in the block's context."""
    if result.debounce is None:
        items = _items_of(collection, result.batch, context, branches.label)
        return await _run(branches, items, result, size, spending, start)

    def work(settled: AsyncIterator[Any]) -> Awaitable[Verdict]:
        items = settled if result.batch is None else AsyncBatches(settled, result.batch)
        return _run(branches, items, result, size, spending)

    found = _items_of(collection, None, context, branches.label)
    source = found if isinstance(found, AsyncIterator) else Fetched(found)
    lose, log = branches.block.lose, branches.pace_log("debounce", result.batch or 1)
    return await debouncing(source, result.debounce, work, lose, log)


async def _run(
    branches: Branches,
    items: Iterable[Any] | AsyncIterator[Any],
    result: ForeachResult,
    size: int | None,
    spending: Spending | None,
    start: int = 0,
) -> Verdict:
    if spending is not None:
        name, log = branches.block.name, branches.journal
        done: Container[int] = () if log is None else log.compacted
        if isinstance(items, AsyncIterator):
            items = CountedAsync(items, spending, name, start, done)
        else:
            items = counted(items, spending, name, start, done)
    timed = result.stagger is not None or result.throttle is not None
    if not timed and not isinstance(items, AsyncIterator):
        return await run_pool(branches.block, CollectionPool(items, size, start))
    waited = items if isinstance(items, AsyncIterator) else Fetched(items)
    if result.throttle is not None:
        waited = Throttled(waited, result.throttle, branches.pace_log("throttle"))
    if result.stagger is not None:
        waited = branches.pace(waited, result.stagger)
    return await run_each_async(branches.block, waited, start)


def _items_of(
    collection: Any, batch: int | None, context: Context, label: str
) -> Iterable[Any] | AsyncIterator[Any]:
    """What the iterations are given: the items of a collection, or lists of this many of them."""
    if isinstance(collection, AsyncIterable):
        waited: AsyncIterator[Any] = (
            collection
            if isinstance(collection, Stream)
            else AsyncItemsInContext(collection, context)
        )
        return waited if batch is None else AsyncBatches(waited, batch)
    if isinstance(collection, Batches) or type(collection) in PLAIN:
        plain: Iterable[Any] = collection
        return plain
    if isinstance(collection, Iterable) and not isinstance(collection, (str, bytes, Mapping)):
        items = ItemsInContext(collection, context)
        return items if batch is None else batches_of(items, batch)
    instead = "an iterable that the application gives"
    if isinstance(collection, Mapping):
        instead = "entries(x), keys(x) or values(x) of the object"
    raise SettingError(
        f"the collection of {label!r} is {_kind(collection)}; expected a list, or {instead}"
    )


async def close_collection(collection: object, context: Context) -> BaseException | None:
    """Close a generator, so that its clean-up is not left to the garbage collector; the error of doing so."""
    try:
        if isinstance(collection, Stream):
            await _in_time(collection.aclose)
        elif isinstance(collection, AsyncGenerator):
            await _in_time(lambda: InContext(_aclose(collection), context))
        elif isinstance(collection, Generator):
            context.run(collection.close)
    except BaseException as exc:
        return error_of_call(exc, "closing the collection raised")  # it is shielded, or cannot wait
    return None


async def _in_time(close: Callable[[], Awaitable[object]]) -> None:
    if not await in_time(CLEANUP_SECONDS, close):
        raise took_too_long("closing the collection", CLEANUP_SECONDS)


async def _aclose(collection: AsyncGenerator[Any, Any]) -> None:
    await collection.aclose()


def _kind(value: object) -> str:
    if value is None:
        return "null"
    return "an object" if isinstance(value, Mapping) else f"of type {type(value).__name__}"
