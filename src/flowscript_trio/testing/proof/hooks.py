"""Owns the hooks of a trial: functions of trio, Python and the run that report to the probe while it lasts.

What trio keeps to itself is looked up by name: where another trio has it otherwise, a proof sees less.
"""

from __future__ import annotations

import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any, Protocol

import outcome
import trio

from ...execution.resources import Resources
from ...types.exceptions import is_a, leaves_of


class Hooked(Protocol):
    """What hears of it."""

    def note_deadline(self, deadline: float) -> None:
        """Somebody has asked for the effective deadline."""

    def note_stray(self, task: trio.lowlevel.Task | None) -> None:
        """A task of a nursery (None: its own block) ended with ``Cancelled``, and nobody had cancelled it."""

    def note_taken(self, semaphore: trio.Semaphore, change: int) -> None:
        """Somebody took a token of a semaphore (1), or released one (-1)."""

    def note_resource(self, resource: object) -> None:
        """A node has been given a resource of the run."""

    def note_opening(self, change: int) -> None:
        """A resource of the run is being opened, or those of the run are being closed (1); no longer (-1)."""

    def note_temporary(self, path: str) -> None:
        """Somebody made a temporary file or folder."""

    def note_thread(self, thread: threading.Thread) -> None:
        """Somebody starts a thread."""

    def in_thread(self, work: Callable[[], Any]) -> Callable[[], Any]:
        """Somebody gives work to a thread of trio's; it is to be done as what comes back."""

    def note_warning(self, warning: warnings.WarningMessage) -> None:
        """Something was left to the collector of garbage."""


@contextmanager
def hooked(told: Hooked) -> Iterator[None]:
    """Tell ``told`` what happens while the block lasts."""
    from trio._core import _run, _thread_cache

    nursery, semaphore = _run.Nursery, trio.Semaphore
    status = getattr(_run, "CancelStatus", None)
    with ExitStack() as stack:
        for owner, name, around in (
            (status, "effective_deadline", _asking(told)),
            (nursery, "_child_finished", _ending(told)),
            (nursery, "_nested_child_finished", _ending_block(told)),
            (semaphore, "release", _releasing(told)),
            (semaphore, "acquire_nowait", _taking(told)),
            (semaphore, "acquire", _waiting(told)),
            (Resources, "get", _giving(told)),
            (Resources, "close", _closing(told)),
            (threading.Thread, "start", _starting(told)),
            (_thread_cache.ThreadCache, "start_thread_soon", _handing_over(told)),
            (tempfile, "_mkstemp_inner", _making(told, lambda made: made[1])),
            (tempfile, "mkdtemp", _making(told, lambda made: made)),
        ):
            stack.enter_context(replaced(owner, name, around))
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("always", ResourceWarning)
        stack.enter_context(replaced(warnings, "_showwarnmsg", _warning(told)))
        yield


@contextmanager
def replaced(owner: Any, name: str, around: Callable[[Any], Any]) -> Iterator[None]:
    """A function of a class or a module, with another around it while the block lasts."""
    real = getattr(owner, name, None)
    if real is None:
        yield
        return
    setattr(owner, name, wraps(real)(around(real)))
    try:
        yield
    finally:
        setattr(owner, name, real)


Around = Callable[[Any], Callable[..., Any]]


def _asking(told: Hooked) -> Around:
    def around(real: Any) -> Callable[..., Any]:
        def effective_deadline(status: Any) -> float:
            deadline: float = real(status)
            told.note_deadline(deadline)
            return deadline

        return effective_deadline

    return around


def _starting(told: Hooked) -> Around:
    def around(real: Any) -> Callable[..., Any]:
        def start(thread: threading.Thread) -> None:
            told.note_thread(thread)
            real(thread)

        return start

    return around


def _handing_over(told: Hooked) -> Around:
    def around(real: Any) -> Callable[..., Any]:
        def start_thread_soon(cache: Any, fn: Any, *args: Any, **options: Any) -> None:
            real(cache, told.in_thread(fn), *args, **options)

        return start_thread_soon

    return around


def _ending(told: Hooked) -> Around:
    def around(real: Any) -> Callable[..., Any]:
        def child_finished(
            nursery: Any, task: trio.lowlevel.Task, ended: outcome.Outcome[Any]
        ) -> None:
            if isinstance(ended, outcome.Error) and _is_stray(nursery, ended.error):
                told.note_stray(task)
            real(nursery, task, ended)

        return child_finished

    return around


def _ending_block(told: Hooked) -> Around:
    def around(real: Any) -> Callable[..., Any]:
        async def nested_child_finished(nursery: Any, raised: BaseException | None) -> Any:
            if _is_stray(nursery, raised):
                told.note_stray(None)
            return await real(nursery, raised)

        return nested_child_finished

    return around


def _is_stray(nursery: Any, raised: BaseException | None) -> bool:
    """Whether what ends a task of a nursery is ``Cancelled``, and nothing around it is cancelled."""
    if raised is None or not any(is_a(leaf, trio.Cancelled) for leaf in leaves_of(raised)):
        return False
    status = getattr(nursery, "_cancel_status", None)
    return status is not None and not status.effectively_cancelled


def _releasing(told: Hooked) -> Around:
    def around(real: Any) -> Callable[..., Any]:
        def release(semaphore: trio.Semaphore) -> None:
            real(semaphore)
            told.note_taken(semaphore, -1)

        return release

    return around


def _taking(told: Hooked) -> Around:
    def around(real: Any) -> Callable[..., Any]:
        def acquire_nowait(semaphore: trio.Semaphore) -> None:
            real(semaphore)
            told.note_taken(semaphore, 1)

        return acquire_nowait

    return around


def _waiting(told: Hooked) -> Around:
    """Trio's ``acquire`` calls ``acquire_nowait`` first: only what had to wait is not reported there."""

    def around(real: Any) -> Callable[..., Any]:
        async def acquire(semaphore: trio.Semaphore) -> None:
            at_once = semaphore.value > 0
            await real(semaphore)
            if not at_once:
                told.note_taken(semaphore, 1)

        return acquire

    return around


def _giving(told: Hooked) -> Around:
    def around(real: Any) -> Callable[..., Any]:
        async def get(resources: Resources, key: str, factory: Callable[[], Any]) -> Any:
            told.note_opening(1)
            try:
                given = await real(resources, key, factory)
            finally:
                told.note_opening(-1)
            told.note_resource(given)
            return given

        return get

    return around


def _closing(told: Hooked) -> Around:
    def around(real: Any) -> Callable[..., Any]:
        async def close(resources: Resources, *args: Any) -> Any:
            told.note_opening(1)
            try:
                return await real(resources, *args)
            finally:
                told.note_opening(-1)

        return close

    return around


def _making(told: Hooked, path_of: Callable[[Any], Any]) -> Around:
    def around(real: Any) -> Callable[..., Any]:
        def make(*args: Any, **options: Any) -> Any:
            made = real(*args, **options)
            told.note_temporary(str(path_of(made)))
            return made

        return make

    return around


def _warning(told: Hooked) -> Around:
    def around(real: Any) -> Callable[..., Any]:
        def show(warning: warnings.WarningMessage) -> None:
            if issubclass(warning.category, ResourceWarning):
                told.note_warning(warning)
            else:
                real(warning)

        return show

    return around
