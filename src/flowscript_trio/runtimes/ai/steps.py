"""Owns how long an answer is judged on trio's thread: for this many steps, then in one that can be cancelled."""

from __future__ import annotations

import threading
from collections.abc import Callable
from math import inf
from typing import TypeVar

import trio

from ..threads import run_in_thread

HERE = 20_000
"""Steps on trio's thread, and between two questions of a thread whether it is cancelled: some 20 ms."""

T = TypeVar("T")


class TooLongHere(Exception):
    """The steps for trio's thread are taken, and there is more to do."""


class _Steps(threading.local):
    """What this thread may still do; who judges without :func:`run_in_steps` is not bounded."""

    left: float = inf
    asks: bool = False


_steps = _Steps()


def step() -> None:
    """Count one step of judging: one keyword of a schema looked at for one value."""
    _steps.left -= 1
    if _steps.left < 0:
        if not _steps.asks:
            raise TooLongHere
        trio.from_thread.check_cancelled()
        _steps.left = HERE


async def run_in_steps(work: Callable[[], T], *, begin_here: bool = True) -> T:
    """What ``work`` returns, which counts its steps; where there are many it starts over in a thread.

    With ``begin_here`` False it is done in a thread from the first step on.
    Cancellation reaches it there within some milliseconds, and no thread is left.
    """
    if begin_here:
        _steps.left = HERE
        try:
            return work()
        except TooLongHere:
            pass
        finally:
            _steps.left = inf
    return await run_in_thread(_work_in_thread, work)


def _work_in_thread(work: Callable[[], T]) -> T:
    _steps.left, _steps.asks = HERE, True
    try:
        return work()
    finally:
        _steps.left, _steps.asks = inf, False
