"""Owns the threads of runtimes: those that trio waits for, and those that it does not, which are counted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

import outcome
import trio

from ..types.exceptions import forget_catcher

T = TypeVar("T")


def capture(work: Callable[[], T]) -> outcome.Outcome[T]:
    """As ``outcome.capture``, which asks an error for its traceback: where its class refuses, the thread
    or task that was to tell of it is lost.
    """
    try:
        return outcome.Value(work())
    except BaseException as exc:
        forget_catcher(exc)
        return outcome.Error(exc)


async def acapture(work: Callable[[], Awaitable[T]]) -> outcome.Outcome[T]:
    """As :func:`capture`, of work that waits."""
    try:
        return outcome.Value(await work())
    except BaseException as exc:
        forget_catcher(exc)
        return outcome.Error(exc)


class _Work:
    """What a thread is to do, with a repr that shows none of its arguments.

    Error trackers and debuggers show the locals of trio's frames, and secrets may be in them.
    """

    def __init__(self, work: Callable[[], object], name: str) -> None:
        self._work = work
        self.__name__ = name

    def __call__(self) -> outcome.Outcome[object]:
        return capture(self._work)

    def __repr__(self) -> str:
        return f"<the work of {self.__name__}>"


async def run_in_thread(
    work: Callable[..., T],
    *args: object,
    abandon_on_cancel: bool = False,
    limiter: trio.CapacityLimiter | None = None,
) -> T:
    """``trio.to_thread.run_sync``, without what it is given in the locals of a traceback.

    Cancellation waits for the thread, unless it may be abandoned.
    """
    quiet = _Work(partial(work, *args), getattr(work, "__name__", type(work).__name__))
    done: Any = await trio.to_thread.run_sync(
        quiet, abandon_on_cancel=abandon_on_cancel, limiter=limiter
    )
    found: T = done.unwrap()
    return found


_at_work: trio.lowlevel.RunVar[int] = trio.lowlevel.RunVar("flowscript_trio.threads", 0)


def start_thread(
    work: Callable[[], T], deliver: Callable[[outcome.Outcome[T]], None], name: str
) -> None:
    """Run ``work`` in a thread; ``deliver`` is called there with its outcome.

    It cannot be cancelled: who starts it must wait for it, or know that it ends.
    """
    token = trio.lowlevel.current_trio_token()

    def ended() -> None:
        _at_work.set(_at_work.get() - 1)

    def finish(result: outcome.Outcome[outcome.Outcome[T]]) -> None:
        deliver(result.unwrap())
        with suppress(trio.RunFinishedError):
            token.run_sync_soon(ended)

    trio.lowlevel.start_thread_soon(partial(capture, work), finish, name=name)
    _at_work.set(_at_work.get() + 1)


def started_threads() -> int:
    """How many threads that were started here are at work now, in this ``trio.run``."""
    return _at_work.get()
