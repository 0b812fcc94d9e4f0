"""Owns what a raised exception amounts to where a boundary meets it: an error, or a cancellation."""

from __future__ import annotations

from math import inf
from typing import Any

import trio

from ..types.errors import StrayCancelled
from ..types.exceptions import (
    context_of,
    groups_of,
    inner_of,
    is_a,
    leaves_of,
    message_of,
    set_context,
    take_over,
    traceback_of,
)
from ..types.looking import look_or
from .policy import INTERRUPTS, first_to_surface


def is_cancelled() -> bool:
    """Whether something around this task is cancelled.

    A deadline of minus infinity says so, but is looked up through every scope around. Trio's own look for a
    cancellation knows the answer: where it comes to no checkpoint, it has met none.
    """
    look = trio.lowlevel.checkpoint_if_cancelled()  # noqa: ASYNC105
    try:
        look.send(None)
    except StopIteration:
        return False
    look.close()  # a checkpoint, which nobody passes: for a cancellation, or for Ctrl-C
    return trio.current_effective_deadline() == -inf


async def interrupt_held_back() -> KeyboardInterrupt | None:
    """A Ctrl-C that came while protected code ran, which trio would raise at its main task's next checkpoint.

    Clean-up takes it in before it begins: it ends the work before the clean-up, and is not to cut this short.
    Where there is none, no pass is made.
    """
    try:
        with trio.CancelScope(shield=True):
            await trio.lowlevel.checkpoint_if_cancelled()
    except KeyboardInterrupt as exc:
        return exc
    return None


def error_of(raised: BaseException) -> BaseException | None:
    """The error that code of a node left with; None for what has to pass on: a cancellation.

    A ``Cancelled`` that nothing around asked for was stored and raised again: that is an error. A group
    stays whole, but for the ``Cancelled`` of what is cancelled around, and for an interrupt in it, which
    surfaces bare. To be asked where the exception was caught, inside the scopes around the node.

    A ``GeneratorExit`` passes on where Python ends a coroutine that nobody runs any more; one that code of a node
    raises is an error as any other.
    """
    if type(raised) is trio.Cancelled and is_cancelled():
        return None
    if is_a(raised, GeneratorExit):
        return raised if trio.lowlevel.in_trio_task() else None
    if is_a(raised, (BaseExceptionGroup, trio.Cancelled)):
        return _without_cancelled(raised, strays=not is_cancelled(), of="the node was left by")
    return _raisable(raised)


def error_of_call(raised: BaseException, of: str) -> BaseException:
    """The error that came out of code that cannot wait, so that no cancellation can have reached it.

    ``of`` says in a sentence's beginning what raised it: ``an observer raised``.
    """
    kept = _without_cancelled(raised, strays=True, of=of)
    return _raisable(raised if kept is None else kept)


def _raisable(error: BaseException) -> BaseException:
    """The error, which is to leave the coroutine of a run: what Python makes of a ``StopIteration`` there."""
    if not is_a(error, StopIteration):
        return error
    told = RuntimeError("StopIteration was raised where nothing iterates")
    told.__cause__ = error
    return told.with_traceback(traceback_of(error))


def _without_cancelled(raised: BaseException, *, strays: bool, of: str) -> BaseException | None:
    """An exception without the ``Cancelled`` in it, or with what ``strays`` are; None: nothing is left."""
    leaves = list(leaves_of(raised))
    for kind in INTERRUPTS:
        for leaf in leaves:
            if is_a(leaf, kind):
                _put_behind(leaf, [each for each in leaves if each is not leaf])
                return leaf
    cancelled = sum(is_a(leaf, trio.Cancelled) for leaf in leaves)
    if not cancelled:
        return raised  # the class of a group is asked for nothing
    if not strays and cancelled == len(leaves):
        return None
    if not strays and is_a(raised, BaseExceptionGroup):
        rest = look_or(raised, _divide, lambda _: raised)
        if rest is not raised:
            return rest  # what cannot be divided is reported in plain groups
    made: dict[int, BaseException | None] = {
        id(leaf): (_stray(leaf, of) if strays else None)
        for leaf in leaves
        if is_a(leaf, trio.Cancelled)
    }
    for group in groups_of(raised):
        inner = [made.get(id(each), each) for each in inner_of(group)]
        kept = [each for each in inner if each is not None]
        made[id(group)] = BaseExceptionGroup(message_of(group), kept) if kept else None
        if (told := made[id(group)]) is not None:
            take_over(told, group)
    return made[id(raised)]


def _put_behind(interrupt: BaseException, leaves: list[BaseException]) -> None:
    """Put the errors that were in a group with an interrupt behind it, so that they surface with it."""
    last, known = interrupt, {id(interrupt)}
    while (behind := context_of(last)) is not None and id(behind) not in known:
        last = behind
        known.add(id(last))
    errors = [e for e in leaves if id(e) not in known and not is_a(e, trio.Cancelled)]
    if errors:
        set_context(last, BaseExceptionGroup("beside the interrupt", errors))


def _divide(group: Any) -> BaseException | None:
    rest: BaseException | None = group.split(trio.Cancelled)[1]
    return rest


def _stray(cancelled: BaseException, of: str) -> StrayCancelled:
    error = StrayCancelled(
        f"{of} a trio.Cancelled although nothing around it is cancelled: one that was caught "
        "and kept, and raised again later, belongs to the task that it was raised in; keep another error"
    )
    error.__cause__ = cancelled
    return error.with_traceback(traceback_of(cancelled))


def goes_before(later: BaseException, found: BaseException | None) -> bool:
    """Whether an error of clean-up surfaces in the place of what came first: only an interrupt displaces an error,
    while anything goes before a cancellation, as in trio.
    """
    if found is None or is_a(found, trio.Cancelled):
        return True
    return first_to_surface([found, later]) is later


def first_of(raised: BaseException) -> BaseException:
    """The one exception to raise for what a nursery raised.

    ``KeyboardInterrupt`` and ``SystemExit`` go before anything else, ``Cancelled`` comes last.
    """
    if not is_a(raised, BaseExceptionGroup):
        return raised
    leaves = list(leaves_of(raised))

    def rank(leaf: BaseException) -> int:
        if is_a(leaf, INTERRUPTS):
            return 0
        return 2 if is_a(leaf, trio.Cancelled) else 1

    return min(leaves, key=rank)
