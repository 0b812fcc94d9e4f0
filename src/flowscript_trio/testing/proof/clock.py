"""Owns the time of a trial: virtual, and still while a thread or a socket is waited for."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import trio

from ...execution.durable import compacting
from ...runtimes import pace
from ..clock import threads_at_work, waiting_for_system
from .leftovers import is_of_trio

LOOK = 0.0005
"""Real seconds between two looks at threads and sockets that a run waits for."""
NEVER = 999_999_999.0
FEW_ROWS = 6
"""Rows of what has ended after which a proof lets a run compact them."""


class NeverEnds(Exception):
    """What a run is stopped with that does not end when it is cancelled either."""


class VirtualClock(trio.abc.Clock):
    """A clock that goes to the next deadline when nothing else can happen: no task, no thread, no socket.

    For a thread or a socket it stands still, until nothing has happened for ``patience`` real seconds: then it
    goes on all the same, for a peer that does not answer is what time limits are for. ``steps`` gives how much
    has happened. ``waited`` says whether it ever stood still.

    Where ``is_hopeless`` says so there is no time any more: that stops all of trio, and nothing else does where a
    task swallows each ``Cancelled`` and goes on. The same is done from ``watch`` on where nothing is left that
    could wake a task: it waits under a shield for what nobody gives it, or for tasks that belong to another one.
    """

    def __init__(
        self,
        patience: float,
        steps: Callable[[], int],
        is_hopeless: Callable[[], bool] = lambda: False,
    ) -> None:
        self.waited: bool = False
        self._now = 0.0
        self._patience = patience
        self._steps = steps
        self._is_hopeless = is_hopeless
        self._since: tuple[int, float] | None = None
        self._sockets: float = math.inf
        self._is_watched = False

    def begin(self) -> None:
        """What waits for the system now is trio's own."""
        self._sockets = waiting_for_system()

        self.watch()

    def watch(self) -> None:
        """From now on what nothing can wake any more is stopped."""
        self._is_watched = True

    def start_clock(self) -> None:
        """Nothing is to be started."""

    def current_time(self) -> float:
        if self._is_hopeless():
            raise NeverEnds
        return self._now

    def deadline_to_sleep_time(self, deadline: float) -> float:
        """Trio asks when no task can run: go there, unless the world is waited for."""
        if threads_at_work() or waiting_for_system() > self._sockets:
            return self._wait(deadline)
        self._since = None
        return self._go(deadline)

    def _go(self, deadline: float) -> float:
        if deadline == math.inf:
            if self._is_watched and _tasks() and not _threads():
                raise NeverEnds
            return NEVER
        self._now = max(self._now, deadline)
        return 0.0

    def _wait(self, deadline: float) -> float:
        self.waited = True
        now, steps = time.monotonic(), self._steps()
        if self._since is None or self._since[0] != steps:
            self._since = steps, now
        if now - self._since[1] <= self._patience:
            return LOOK
        self._since = None
        return self._go(deadline)


def _tasks() -> int:
    """How many tasks there are besides the two of trio's own."""
    return trio.lowlevel.current_statistics().tasks_living - 2


def _threads() -> list[threading.Thread]:
    """The threads besides trio's own and those that it keeps: any of them may call into trio."""
    own = threading.current_thread()
    return [each for each in threading.enumerate() if each is not own and not is_of_trio(each)]


@contextmanager
def compacting_early() -> Iterator[None]:
    """Durable runs compact what has ended after a few rows, so that a proof meets it in short loops too."""
    before = compacting.MOST_ROWS
    compacting.MOST_ROWS = FEW_ROWS
    try:
        yield
    finally:
        compacting.MOST_ROWS = before


@contextmanager
def without_pace() -> Iterator[None]:
    """Long computations of built-in runtimes rest once, and not by real time, which no seed fixes."""
    before = pace.INTERVAL
    pace.INTERVAL = math.inf
    try:
        yield
    finally:
        pace.INTERVAL = before
