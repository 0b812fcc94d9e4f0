"""Owns what a raised exception amounts to where a boundary meets it: an error, or a cancellation."""

from __future__ import annotations

from math import inf

import trio

from ..types.errors import StrayCancelled
from ..types.exceptions import inner_of, is_a, leaves_of, message_of, take_over, traceback_of
from .policy import INTERRUPTS


def is_cancelled() -> bool:
    """Whether something around this task is cancelled."""
    return trio.current_effective_deadline() == -inf


def error_of(raised: BaseException) -> BaseException | None:
    """The error that code of a node left with; None for what has to pass on: a cancellation.

    A ``Cancelled`` that nothing around asked for was stored and raised again: that is an error. A group
    stays whole, but for the ``Cancelled`` of what is cancelled around, and for an interrupt in it, which
    surfaces bare. To be asked where the exception was caught, inside the scopes around the node.

    A ``GeneratorExit`` passes on where Python ends a coroutine that nobody runs any more; one that code of a node
    raises is an error as any other.
    """
    if is_a(raised, BaseExceptionGroup):
        return _error_of_group(raised)
    if is_a(raised, trio.Cancelled):
        return None if is_cancelled() else _stray(raised)
    if is_a(raised, GeneratorExit):
        return raised if trio.lowlevel.in_trio_task() else None
    return raised


def _error_of_group(group: BaseExceptionGroup) -> BaseException | None:
    for kind in INTERRUPTS:
        for leaf in leaves_of(group):
            if is_a(leaf, kind):
                return leaf
    if not any(is_a(leaf, trio.Cancelled) for leaf in leaves_of(group)):
        return group  # its class is asked for nothing
    if not is_cancelled():
        return _without_cancelled(group, strays=True)
    try:
        _, rest = group.split(trio.Cancelled)
        return rest
    except BaseException:  # a class that cannot be divided: what is left is told by a plain group
        return _without_cancelled(group, strays=False)


def _without_cancelled(group: BaseExceptionGroup, *, strays: bool) -> BaseException | None:
    """A plain group without its ``Cancelled``, or with the errors that ``strays`` are; None: nothing is left."""
    inner: list[BaseException] = []
    for each in inner_of(group):
        kept: BaseException | None = each
        if is_a(each, BaseExceptionGroup):
            kept = _without_cancelled(each, strays=strays)
        elif is_a(each, trio.Cancelled):
            kept = _stray(each) if strays else None
        if kept is not None:
            inner.append(kept)
    if not inner:
        return None
    changed = BaseExceptionGroup(message_of(group), inner)
    take_over(changed, group)
    return changed


def _stray(cancelled: BaseException) -> StrayCancelled:
    error = StrayCancelled(
        "the node was left by a trio.Cancelled although nothing around it is cancelled: one that was caught "
        "and kept, and raised again later, belongs to the task that it was raised in; keep another error"
    )
    error.__cause__ = cancelled
    return error.with_traceback(traceback_of(cancelled))


def first_of(raised: BaseException) -> BaseException:
    """The one exception to raise for what a nursery raised.

    ``KeyboardInterrupt`` and ``SystemExit`` go before anything else, ``Cancelled`` comes last.
    """
    leaves = list(leaves_of(raised))

    def rank(leaf: BaseException) -> int:
        if is_a(leaf, INTERRUPTS):
            return 0
        return 2 if is_a(leaf, trio.Cancelled) else 1

    return min(leaves, key=rank)
