"""Owns what is known about trio's inside: a coroutine's waits, shields, the scheduler's chance.

Trio tells a task's waits by the values that its coroutine yields, and resumes it by sending an ``Outcome``. That
is how trio has worked since 0.23 and is not promised: everything that relies on it is here. Where another
trio has it otherwise, a proof sees less: order is left to chance, and shields are not known.
"""

from __future__ import annotations

import ctypes
import gc
import math
import random
import types
from collections.abc import Callable, Coroutine, Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn, Protocol

import outcome
import trio

from ...types.exceptions import is_a


class Stepper(Protocol):
    """What is asked at each step of a coroutine."""

    def error_here(self) -> BaseException | None:
        """It is about to wait: an error to be raised there instead, if the wait can be undone, or None."""

    def at_error(self, error: BaseException) -> None:
        """That error is raised in it, now or when its nursery ends."""

    def at_wait(self) -> None:
        """It waits."""

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
        abort = getattr(message, "abort_func", None)
        # A checkpoint does not wait, and so cannot fail; nor does what is to be handed a cancellation at once, as
        # in `trio.aclose_forcefully`.
        if abort is not None and not Surroundings(trio.lowlevel.current_task()).are_cancelled:
            error = stepper.error_here()
            if error is not None:
                undone, taken = _abort(abort, error)
                if taken:
                    stepper.at_error(error)
                if undone:
                    sent = outcome.Error(error)
                    continue
        stepper.at_wait()
        sent = yield message
        stepper.at_resume(sent.error if isinstance(sent, outcome.Error) else None)


def _abort(
    abort: Callable[[Callable[[], NoReturn]], trio.lowlevel.Abort], error: BaseException
) -> tuple[bool, bool]:
    """Undo the wait that a coroutine is about to begin: whether that was done, and whether it took the error.

    A nursery that waits for its children is not interrupted, but keeps the error for its end.
    """
    taken = False

    def give_up() -> NoReturn:
        nonlocal taken
        taken = True
        raise error

    undone = abort(give_up) is trio.lowlevel.Abort.SUCCEEDED
    return undone, undone or taken


def keep_for_ever(stopped: BaseException) -> None:
    """Never let go of the tasks of a trio that this error has stopped.

    They would be closed, and what swallows ``Cancelled`` in a loop swallows that as well: it would go on without
    end there, where nothing can stop it, as late as when Python itself ends.
    """
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(stopped))


def shields_around(task: trio.lowlevel.Task) -> int:
    """How many shields are around what a task does now."""
    status = getattr(task, "_cancel_status", None)
    count = 0
    while status is not None:
        count += bool(status._scope.shield)
        status = status._parent
    return count


def is_handed_cancelled(task: trio.lowlevel.Task) -> bool:
    """Whether a task that is about to go on will be handed ``Cancelled``."""
    sent = getattr(task, "_next_send", None)
    return isinstance(sent, outcome.Error) and is_a(sent.error, trio.Cancelled)


def sent_error(task: trio.lowlevel.Task) -> BaseException | None:
    """What will be raised in a task that is about to go on."""
    sent = getattr(task, "_next_send", None)
    return sent.error if isinstance(sent, outcome.Error) else None


def frames_of(coroutine: Coroutine[Any, Any, Any]) -> Iterator[tuple[types.FrameType, int]]:
    """The frames of a coroutine that waits, outermost first, as trio tells them of a task."""
    rooted: Any = types.SimpleNamespace(coro=coroutine)
    return trio.lowlevel.Task.iter_await_frames(rooted)


def unlock(lock: trio.Lock | trio.StrictFIFOLock) -> None:
    """Release a lock whose owner is no more."""
    if hasattr(lock, "_owner"):
        lock._owner = None


class Surroundings:
    """What is around a task now, and whether that is cancelled later on.

    Trio wakes its own sleepers with ``Cancelled``: only this tells it from a cancellation that comes from around.
    """

    def __init__(self, task: trio.lowlevel.Task) -> None:
        self._status = getattr(task, "_cancel_status", None)

    @property
    def are_cancelled(self) -> bool:
        if self._status is None:
            return trio.current_effective_deadline() == -math.inf
        return bool(self._status.effectively_cancelled)

    @property
    def deadline(self) -> float:
        """The effective deadline there, -inf where it is cancelled."""
        if self._status is None:
            return trio.current_effective_deadline()
        return float(self._status.effective_deadline())


@contextmanager
def order_of(seed: int) -> Iterator[None]:
    """The order in which trio runs the tasks of a pass, fixed by a seed.

    Trio has a switch for this, which pytest-trio turns when a test is one of hypothesis': each pass is sorted
    by the age of its tasks, and shuffled by trio's own generator.
    """
    from trio._core import _run

    before = {name: getattr(_run, name, None) for name in _ORDER}
    if None in before.values():  # this trio draws its order otherwise: it is left to chance
        yield
        return
    _set(_run, {"_ALLOW_DETERMINISTIC_SCHEDULING": True, "_r": random.Random(seed)})
    try:
        yield
    finally:
        _set(_run, before)


_ORDER = ("_ALLOW_DETERMINISTIC_SCHEDULING", "_r")


def _set(module: types.ModuleType, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(module, name, value)


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


def serves_threads(limiter: trio.CapacityLimiter) -> bool:
    """Whether threads have tokens of a limiter: they give them back when they end, waited for or not."""
    if not limiter.borrowed_tokens:
        return False
    return any(map(is_thread, limiter.statistics().borrowers))


def is_thread(borrower: object) -> bool:
    """Whether a token was taken for a thread of trio's."""
    return type(borrower).__name__ == "ThreadPlaceholder"


def limiters_alive() -> list[trio.CapacityLimiter]:
    """The limiters that there are now: those of modules, and of what a run will be given."""
    return alive(trio.CapacityLimiter)


def alive(*kinds: type) -> list[Any]:
    """The objects of these kinds that there are now.

    The collector does not list what is frozen (a command freezes what it has imported), so nothing stays so.
    """
    gc.unfreeze()
    return [found for found in gc.get_objects() if isinstance(found, kinds)]
