"""Owns what a raised exception amounts to where a boundary meets it: an error, or a cancellation."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

import trio

from ..types.errors import StrayCancelled
from .policy import INTERRUPTS


def is_cancelled() -> bool:
    """Whether something around this task is cancelled."""
    return trio.current_effective_deadline() == -inf


def error_of(raised: BaseException) -> BaseException | None:
    """The error that code of a node left with; None for what has to pass on: a cancellation.

    A ``Cancelled`` that nothing around asked for was stored and raised again: that is an error. A group
    stays whole, but for the ``Cancelled`` of what is cancelled around, and for an interrupt in it, which
    surfaces bare. To be asked where the exception was caught, inside the scopes around the node.
    """
    if isinstance(raised, BaseExceptionGroup):
        return _error_of_group(raised)
    if isinstance(raised, trio.Cancelled):
        return None if is_cancelled() else _stray(raised)
    return None if isinstance(raised, GeneratorExit) else raised


def _error_of_group(group: BaseExceptionGroup) -> BaseException | None:
    for kind in INTERRUPTS:
        for leaf in leaves_of(group):
            if isinstance(leaf, kind):
                return leaf
    cancelled, rest = group.split(trio.Cancelled)
    if cancelled is None:
        return group
    return rest if is_cancelled() else _with_strays(group)


def _with_strays(group: BaseExceptionGroup) -> BaseExceptionGroup:
    """The group with each stray ``Cancelled`` as the error that it is."""
    inner: list[BaseException] = []
    for each in group.exceptions:
        if isinstance(each, BaseExceptionGroup):
            inner.append(_with_strays(each))
        else:
            inner.append(_stray(each) if isinstance(each, trio.Cancelled) else each)
    changed = BaseExceptionGroup(group.message, inner)
    changed.__cause__, changed.__context__ = group.__cause__, group.__context__
    changed.__suppress_context__ = group.__suppress_context__
    return changed.with_traceback(group.__traceback__)


def _stray(cancelled: BaseException) -> StrayCancelled:
    error = StrayCancelled(
        "the node was left by a trio.Cancelled although nothing around it is cancelled: one that was caught "
        "and kept, and raised again later, belongs to the task that it was raised in; keep another error"
    )
    error.__cause__ = cancelled
    return error.with_traceback(cancelled.__traceback__)


def first_of(raised: BaseException) -> BaseException:
    """The one exception to raise for what a nursery raised.

    ``KeyboardInterrupt`` and ``SystemExit`` go before anything else, ``Cancelled`` comes last.
    """
    leaves = list(leaves_of(raised))

    def rank(leaf: BaseException) -> int:
        if isinstance(leaf, INTERRUPTS):
            return 0
        return 2 if isinstance(leaf, trio.Cancelled) else 1

    return min(leaves, key=rank)


def leaves_of(raised: BaseException) -> Iterator[BaseException]:
    """The exceptions that a group groups, or the exception itself."""
    if isinstance(raised, BaseExceptionGroup):
        for inner in raised.exceptions:
            yield from leaves_of(inner)
    else:
        yield raised
