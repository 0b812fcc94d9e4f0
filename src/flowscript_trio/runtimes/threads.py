"""Owns threads that trio does not wait for by itself: how they are started, and how many are at work."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

import outcome
import trio

T = TypeVar("T")

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

    def finish(result: outcome.Outcome[T]) -> None:
        deliver(result)
        with suppress(trio.RunFinishedError):
            token.run_sync_soon(ended)

    trio.lowlevel.start_thread_soon(work, finish, name=name)
    _at_work.set(_at_work.get() + 1)


def started_threads() -> int:
    """How many threads that were started here are at work now, in this ``trio.run``."""
    return _at_work.get()
