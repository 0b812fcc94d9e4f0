"""Owns time limits and waits over several processes: they go on by the wall clock, whoever is there to see it."""

from __future__ import annotations

from collections.abc import Awaitable
from math import inf
from typing import TypeVar

import trio

from ...scheduler.raised import is_cancelled
from ..frame import Attempt
from .entries import BodyEnded, Bounded, BoundEnded, Waits
from .recorder import Recorder

T = TypeVar("T")


class Timer:
    """The time limit with that key; ``seconds`` are what is left of it, ``inf`` where it is known to be kept."""

    def __init__(self, recorder: Recorder, key: str, seconds: float) -> None:
        self._recorder = recorder
        self._key = key
        past = recorder.past
        ended = past.bounds_ended.get(key)
        known = past.bounds.get(key)
        self.is_known: bool = ended is not None
        self._kept: BoundEnded | BodyEnded | None = None if ended is None or ended.late else ended
        self.due: float = recorder.clock.time + seconds if known is None else known.due
        """When it passes, by the wall clock."""
        self.seconds: float
        if self._kept is not None:
            self.seconds = inf
        elif ended is not None:
            self.seconds = -1.0
        elif known is not None:
            self.seconds = known.due - recorder.clock.time
        else:
            self.seconds = seconds
            recorder.journal.write(Bounded(key, self.due))

    def during(self, work: Awaitable[T]) -> Awaitable[T]:
        """The work that it bounds; where an earlier process saw it end in time, as it was then."""
        if self._kept is None:
            return work
        return self._recorder.restoring.as_it_was(work, self._kept.cancelled)

    def end(self, late: bool) -> None:
        """What it bounds has ended."""
        if not self.is_known:
            self._recorder.journal.write(BoundEnded(self._key, late, is_cancelled()))

    def is_restored(self, path: str) -> bool:
        """Whether all that it bounds, at ``path``, had ended in an earlier process, when there was time left."""
        return not self.is_known and self._recorder.restoring.is_replayed(path)


async def sleep_durably(recorder: Recorder, attempt: Attempt, seconds: float) -> None:
    """Wait this many seconds by the wall clock from when the wait first began. Cancellation ends it at once."""
    path, number = attempt.path, attempt.number
    known = recorder.past.waits.get((path, number))
    due = recorder.clock.time + seconds if known is None else known.due
    if known is None:
        recorder.journal.write(Waits(path, number, due))
    seconds = max(due - recorder.clock.time, 0.0)
    if attempt.step.timeout is not None:
        # Its limit starts again with each process, so that it is not left meanwhile.
        await trio.sleep(seconds)
        return
    with recorder.waits.until(due):
        await trio.sleep(seconds)
