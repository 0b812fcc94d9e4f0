"""Owns what is known of trio's inside: a coroutine's waits, shields, the scheduler's chance.

Trio tells a task's waits by the values that its coroutine yields, and resumes it by sending an ``Outcome``. That
is how trio has worked since 0.23 and is not promised: everything that relies on it stands here. Where another
trio has it otherwise, a proof sees less: order is left to chance, and shields are not known.
"""

from __future__ import annotations

import gc
import random
import types
from collections.abc import Callable, Coroutine, Generator, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import outcome
import trio


class Stepper(Protocol):
    """What is asked at each step of a coroutine."""

    def at_wait(self) -> BaseException | None:
        """It is about to wait: an error to be raised there instead, or None."""

    def at_resume(self, handed: BaseException | None) -> None:
        """Its wait is over; ``handed`` is what is raised in it, if anything."""


@types.coroutine
def step_through(coroutine: Coroutine[Any, Any, Any], stepper: Stepper) -> Generator[Any, Any, Any]:
    """Run a coroutine as ``await`` does, and ask ``stepper`` at each of its steps."""
    sent: Any = None
    while True:
        try:
            message = coroutine.send(sent)
        except StopIteration as stop:
            return stop.value
        error = stepper.at_wait()
        if error is not None and _abort(message, error):
            sent = outcome.Error(error)
        else:
            sent = yield message
        stepper.at_resume(sent.error if isinstance(sent, outcome.Error) else None)


def _abort(message: Any, error: BaseException) -> bool:
    """Undo the wait that a coroutine is about to begin; whether that can be done."""
    abort = getattr(message, "abort_func", None)
    if abort is None:
        return True  # a plain checkpoint: nothing is to be undone

    def give_up() -> None:
        raise error

    return bool(abort(give_up) is trio.lowlevel.Abort.SUCCEEDED)


def shields_around(task: trio.lowlevel.Task) -> int:
    """How many shields stand around what a task does now."""
    status = getattr(task, "_cancel_status", None)
    count = 0
    while status is not None:
        count += bool(status._scope.shield)
        status = status._parent
    return count


@contextmanager
def order_of(seed: int) -> Iterator[None]:
    """The order in which trio runs the tasks of a pass, fixed by a seed."""
    from trio._core import _run

    if not hasattr(_run, "_r"):  # this trio draws its order otherwise: it is left to chance
        yield
        return
    before = _run._r
    _run._r = random.Random(seed)
    try:
        yield
    finally:
        _run._r = before


@contextmanager
def watching_limiters(watch: Callable[[trio.CapacityLimiter], None]) -> Iterator[None]:
    """Tell ``watch`` of every limiter that is made while the block lasts, by whomever."""
    make = trio.CapacityLimiter.__init__

    def make_and_tell(self: trio.CapacityLimiter, total_tokens: float) -> None:
        make(self, total_tokens)
        watch(self)

    trio.CapacityLimiter.__init__ = make_and_tell  # type: ignore[method-assign]
    try:
        yield
    finally:
        trio.CapacityLimiter.__init__ = make  # type: ignore[method-assign]


def limiters_alive() -> list[trio.CapacityLimiter]:
    """The limiters that there are now: those of modules, and of what a run will be given."""
    return [found for found in gc.get_objects() if isinstance(found, trio.CapacityLimiter)]
