"""Owns the counting of work: function calls, steps of the scheduler, tasks, and bytes. No seconds."""

from __future__ import annotations

import gc
import sys
import tracemalloc
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import FrameType
from typing import Any

import trio

from flowscript_trio.testing.proof.stepping import order_of

Work = Callable[[], Awaitable[object]]


@dataclass(frozen=True)
class Counted:
    """What some work took: calls of Python functions, steps of the scheduler, tasks."""

    calls: int
    steps: int
    tasks: int

    def __sub__(self, other: Counted) -> Counted:
        return Counted(self.calls - other.calls, self.steps - other.steps, self.tasks - other.tasks)


class _Steps(trio.abc.Instrument):
    def __init__(self) -> None:
        self.steps = self.tasks = 0

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        self.steps += 1

    def task_spawned(self, task: trio.lowlevel.Task) -> None:
        self.tasks += 1


def count(work: Work) -> Counted:
    """Do it once to warm up, and count the second time."""
    calls = 0

    def note(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal calls
        if event in ("call", "c_call"):
            calls += 1

    trio.run(work)
    steps = _Steps()
    gc.collect()
    gc.disable()  # what a collection calls is not the engine's work
    sys.setprofile(note)
    try:
        with order_of(0):  # another order of tasks takes a few calls more or less
            trio.run(work)
    finally:
        sys.setprofile(None)
        gc.enable()
    trio.run(work, instruments=[steps])
    return Counted(calls, steps.steps, steps.tasks)


def peak(work: Work) -> int:
    """The most bytes that were in use at once, beyond those of before."""
    trio.run(work)
    gc.collect()
    tracemalloc.start()
    try:
        trio.run(work)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def per_unit(work: Callable[[int], Work], small: int, large: int) -> tuple[float, float, float]:
    """What one more unit takes between two sizes: calls, steps and tasks."""
    more = count(work(large)) - count(work(small))
    units = large - small
    return more.calls / units, more.steps / units, more.tasks / units
