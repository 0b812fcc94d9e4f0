"""Owns context variables: code that is not the engine's runs in a context of its own.

What such code sets is seen by whatever it calls and starts itself, and by nobody after it: not by the next node
of a sequence, nor by the next item that a worker takes.
"""

from __future__ import annotations

from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Coroutine,
    Generator,
    Iterable,
    Iterator,
)
from contextvars import Context
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class InContext(Generic[T]):
    """Awaits a coroutine, each of its steps in a context.

    Trio keeps one context a task. A task of its own for each node would do as well, but costs more than the
    node. Cancellation reaches the coroutine as if it were awaited itself.
    """

    __slots__ = ("_context", "_coroutine")

    def __init__(self, coroutine: Coroutine[Any, Any, T], context: Context) -> None:
        self._coroutine = coroutine
        self._context = context

    def __await__(self) -> Generator[Any, Any, T]:
        run, coroutine = self._context.run, self._coroutine
        try:
            asked = run(coroutine.send, None)
            while True:
                try:
                    answer = yield asked
                except BaseException as exc:
                    asked = run(coroutine.throw, exc)
                else:
                    asked = run(coroutine.send, answer)
        except StopIteration as stop:
            result: T = stop.value
            return result


class ItemsInContext(Iterator[T]):
    """The items of an iterable, each fetched in a context, whoever asks for it."""

    def __init__(self, items: Iterable[T], context: Context) -> None:
        self._run = context.run
        self._items = context.run(iter, items)

    def __next__(self) -> T:
        return self._run(next, self._items)


class AsyncItemsInContext(AsyncIterator[T]):
    """The items of an async iterable, each fetched in a context, whoever asks for it.

    Cancellation reaches the iterable, which ends or goes on as it does without a context.
    """

    def __init__(self, items: AsyncIterable[T], context: Context) -> None:
        self._context = context
        self._items = context.run(aiter, items)

    async def __anext__(self) -> T:
        return await InContext(_fetch(self._items), self._context)


async def _fetch(items: AsyncIterator[T]) -> T:
    return await anext(items)
