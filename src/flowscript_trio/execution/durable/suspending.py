"""Owns leaving a run that waits for nothing but people and timers."""

from __future__ import annotations

from math import inf

import trio
from trio.lowlevel import Task, enable_ki_protection

from .recorder import Recorder

FIRST_LOOK = 0.01
"""Seconds after which a run that was found at work is looked at again; from then on twice as many each time."""
SLOWEST = 0.1
"""The part of the time to suspend after that may lie between two looks, or one second where that is more."""


@enable_ki_protection
async def suspend_when_idle(recorder: Recorder, walker: Task, outer: int, seconds: float) -> None:
    """Leave the run once it has waited ``seconds`` for nothing but people and timers.

    ``walker`` is the task of the run, whose nurseries from number ``outer`` on are those of its blocks.
    """
    pause = FIRST_LOOK

    def is_idle() -> bool:
        if recorder.leaving.is_cleaning or trio.current_effective_deadline() == -inf:
            return False  # the time of clean-up would start again with each process
        return recorder.waits.are_all(walker, walker.child_nurseries[outer:])

    while True:
        await recorder.waits.begun()
        changes = recorder.changes
        if not is_idle():
            await trio.sleep(pause)
            pause = min(2 * pause, max(seconds * SLOWEST, 1.0))
            continue
        pause = FIRST_LOOK
        await trio.sleep(seconds)
        if recorder.changes == changes and is_idle():
            recorder.suspend()
            return
