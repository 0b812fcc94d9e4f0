"""Owns the watch over trio's thread: which step of which task runs since when, and what looks at it from outside.

Trio runs all tasks on one thread, so a step that does not end can be seen from another thread only. Time is
real here (``time.monotonic``): a virtual clock stands still while a step runs.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol

import trio
from trio.lowlevel import Task

from ..types.looking import LOOKING

Step = tuple[Task, float]
"""A step of a task, or what is left of it, and when it began (seconds of the watcher's clock)."""


class Spot(NamedTuple):
    """One frame of a stack."""

    file: str
    line: int
    function: str


Stack = tuple[Spot, ...]
"""Where a thread is in its code, innermost first."""


class Watched(Protocol):
    """What is watched: it knows its tasks, and says what is to be said of their steps."""

    limit: float
    """Seconds that a step of its tasks may last."""

    def place_of(self, task: Task) -> Any | None:
        """What a task is at, or None where it is not one of its tasks. Called on any thread."""

    def place_of_error(self, error: BaseException, place: Any) -> Any:
        """What an error that a step looks at came from, where that is known; else the ``place`` of the step."""

    def report(self, place: Any, lasted: float, stack: Stack | None) -> None:
        """A step lasts, or has lasted, too long. ``stack``: where it is; None where it is over already.

        Called on the watcher's thread, or on trio's when the step was over before anyone could look.
        """

    def settle(self, place: Any, lasted: float, stack: Stack | None) -> None:
        """The step that was reported is over. Called on trio's thread; must not raise."""


class Watcher(trio.abc.Instrument):
    """Watches the steps of one ``trio.run``.

    Args:
        clock: gives real seconds.
        threaded: False where somebody else calls :meth:`look`.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, threaded: bool = True) -> None:
        self._clock = clock
        self._threaded = threaded
        self._watched: tuple[Watched, ...] = ()
        self._shortest = float("inf")
        self._step: Step | None = None
        self._told: tuple[Step, Any, Stack | None] | None = None
        self._telling = threading.Lock()
        self._wake = threading.Event()
        self._idle = False
        self._stopped = False
        self._thread: threading.Thread | None = None
        self._trio_thread = 0

    @contextmanager
    def watch(self, watched: Watched) -> Iterator[None]:
        """Watch the tasks of ``watched`` too while the block lasts."""
        self._set_watched((*self._watched, watched))
        try:
            yield
        finally:
            self._set_watched(tuple(other for other in self._watched if other is not watched))

    def _set_watched(self, watched: tuple[Watched, ...]) -> None:
        self._watched = watched
        self._shortest = min((each.limit for each in watched), default=float("inf"))
        self._wake.set()

    # ---- on trio's thread ----

    def start(self) -> None:
        """Begin to watch, in the middle of a step of the current task."""
        self._trio_thread = threading.get_ident()
        self._step = (trio.lowlevel.current_task(), self._clock())
        if self._threaded:
            self._thread = threading.Thread(target=self._run, name="flowscript watchdog")
            self._thread.start()  # first: where no thread can be started, nothing is left behind
        trio.lowlevel.add_instrument(self)

    def stop(self) -> None:
        """End the watch; its thread has ended when this returns."""
        trio.lowlevel.remove_instrument(self)
        self._stopped = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()

    def before_task_step(self, task: Task) -> None:
        self._step = (task, self._clock())
        if self._idle:
            self._wake.set()

    def after_task_step(self, task: Task) -> None:
        step, self._step = self._step, None
        if step is not None:
            self._finish(step)

    def turn(self) -> None:
        """The task that runs goes over to other work in the same step: its time starts again."""
        if self._step is not None:
            self._finish(self._step)
            self._step = (self._step[0], self._clock())

    def _finish(self, step: Step) -> None:
        lasted = self._clock() - step[1]
        if lasted < self._shortest:
            return
        found = self._find(step[0])
        if found is None or lasted < found[0].limit:
            return
        watched, place = found
        with self._telling:
            told = self._told
            if told is None or told[0] is not step:
                self._told = (step, place, None)
        if told is not None and told[0] is step:
            watched.settle(told[1], lasted, told[2])
        else:  # what kept the interpreter to itself kept the watcher from looking, too
            watched.report(place, lasted, None)
            watched.settle(place, lasted, None)

    # ---- on the watcher's thread ----

    def _run(self) -> None:
        while not self._stopped:
            self._wake.clear()
            self._wake.wait(self.look())

    def look(self) -> float | None:
        """Report the step that runs now, if it lasts too long and was not reported.

        Gives the seconds after which to look again so that no step is seen late; None: when one begins.
        """
        self._idle = (
            True  # said before looking, so that a step that begins meanwhile wakes the watcher
        )
        step = self._step
        shortest = self._shortest
        if step is None or shortest == float("inf"):
            return None
        self._idle = False
        lasted = self._clock() - step[1]
        if lasted < shortest:
            return shortest - lasted
        found = self._find(step[0])
        if found is None or self._was_told(step):
            return shortest
        watched, place = found
        if lasted < watched.limit:
            return min(shortest, watched.limit - lasted)
        stack, error = _look_at(self._trio_thread)
        if error is not None:
            place = watched.place_of_error(error, place)
        with self._telling:
            if self._step is not step or self._was_told(step):
                return shortest
            self._told = (step, place, stack)
        watched.report(place, lasted, stack)
        return shortest

    def _was_told(self, step: Step) -> bool:
        return self._told is not None and self._told[0] is step

    def _find(self, task: Task) -> tuple[Watched, Any] | None:
        """What a task belongs to: of those in each other the inner one, which came later."""
        for watched in reversed(self._watched):
            place = watched.place_of(task)
            if place is not None:
                return watched, place
        return None


def _look_at(thread: int) -> tuple[Stack, BaseException | None]:
    """The stack of a thread, and the error that it looks at: the outermost, which the others hang on."""
    frame = sys._current_frames().get(thread)
    spots = []
    error: BaseException | None = None
    while frame is not None:
        code = frame.f_code
        if code is LOOKING:
            error = frame.f_locals.get("error", error)
        spots.append(Spot(code.co_filename, frame.f_lineno or 0, code.co_name))
        frame = frame.f_back
    return tuple(spots), error


# One watcher serves all runs under one trio.run; the second value counts its users.
_shared: trio.lowlevel.RunVar[tuple[Watcher, int] | None] = trio.lowlevel.RunVar(
    "flowscript_trio.watcher", None
)


@contextmanager
def sharing_watcher(make: Callable[[], Watcher] = Watcher) -> Iterator[Watcher]:
    """The watcher of this ``trio.run``, which watches while anyone uses it; made if there is none."""
    shared = _shared.get()
    if shared is None:
        watcher, users = make(), 0
        watcher.start()
    else:
        watcher, users = shared
    _shared.set((watcher, users + 1))
    try:
        yield watcher
    finally:
        current = _shared.get()
        assert current is not None
        if current[1] == 1:
            _shared.set(None)
            watcher.stop()
        else:
            _shared.set((watcher, current[1] - 1))
