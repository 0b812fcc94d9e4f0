"""Owns what concurrent tests share: runs in virtual time, and runs under many orders of trio's scheduler."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

import trio
import trio._core._run as trio_run
from trio.testing import MockClock

T = TypeVar("T")


def run_virtually(main: Callable[[], Awaitable[T]], seed: int | None = None) -> T:
    """``trio.run`` in virtual time; with ``seed``, in that order of each pass's tasks."""
    before = trio_run._r
    if seed is not None:
        trio_run._r = random.Random(seed)
    try:
        return trio.run(main, clock=MockClock(autojump_threshold=0))
    finally:
        trio_run._r = before


def outcomes(main: Callable[[], Awaitable[T]], runs: int = 200) -> set[T]:
    """What ``main`` returns over many orders of trio's scheduler."""
    return {run_virtually(main, seed) for seed in range(runs)}
