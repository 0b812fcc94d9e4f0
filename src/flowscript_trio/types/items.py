"""Owns ``Items``: a collection from outside of which a durable run knows how far it was read."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Iterable
from typing import Any

Factory = Callable[[int], Iterable[Any] | AsyncIterable[Any]]


class Items:
    """The items of a ``<foreach>`` that can be read from any of them on, so that a durable run can go on there.

    Args:
        factory: called with n, gives the items from the n-th on (counted from 0): an iterable or an async
            iterable, often a generator. Whenever it is called, the n-th item has to be the same.

    A durable run calls it once in each process that runs the ``<foreach>``; any other run calls it with 0. It is
    given as the input of a run or a part of it, or by a runtime that is registered with ``pure=True``. A generator
    is closed when the ``<foreach>`` ends; cancellation reaches an async one where it waits.
    """

    __slots__ = ("factory",)

    def __init__(self, factory: Factory) -> None:
        if not callable(factory):
            raise TypeError(
                f"Items was given {factory!r:.100}; expected a function that is called with n "
                "and gives the items from the n-th on"
            )
        self.factory: Factory = factory

    def __repr__(self) -> str:
        return f"Items({self.factory!r})"
