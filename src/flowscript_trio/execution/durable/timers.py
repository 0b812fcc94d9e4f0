"""Owns time limits and waits over several processes: they go on by the wall clock, whoever is there to see it."""

from __future__ import annotations

from math import inf

import trio

from ..frame import Attempt
from .entries import Bounded, BoundEnded, Waits
from .recorder import Recorder


class Timer:
    """The time limit with that key; ``seconds`` are what is left of it, ``inf`` where it is known to be kept."""

    def __init__(self, recorder: Recorder, key: str, seconds: float) -> None:
        self._recorder = recorder
        self._key = key
        past = recorder.past
        ended = past.bounds_ended.get(key)
        known = past.bounds.get(key)
        self.is_known: bool = ended is not None
        self.was_kept: bool = ended is not None and not ended.late
        """Whether an earlier process saw it kept."""
        self.due: float = recorder.time + seconds if known is None else known.due
        """When it passes, by the wall clock."""
        self.seconds: float
        if self.was_kept:
            self.seconds = inf
        elif ended is not None:
            self.seconds = -1.0
        elif known is not None:
            self.seconds = known.due - recorder.time
        else:
            self.seconds = seconds
            recorder.write(Bounded(key, self.due))

    def end(self, late: bool) -> None:
        """What it bounds has ended."""
        if not self.is_known:
            self._recorder.write(BoundEnded(self._key, late))

    def is_restored(self, path: str) -> bool:
        """Whether all that it bounds, at ``path``, had ended in an earlier process, when there was time left."""
        return not self.is_known and self._recorder.is_replayed(path)


def timer_of(recorder: Recorder | None, key: str, seconds: float) -> Timer | None:
    """A time limit of that many seconds which goes on when the process dies; None where the run has no journal."""
    return None if recorder is None else Timer(recorder, key, seconds)


async def sleep_durably(recorder: Recorder, attempt: Attempt, seconds: float) -> None:
    """Wait so many seconds by the wall clock from when the wait was first begun. Cancellation ends it at once."""
    path, number = attempt.path, attempt.number
    known = recorder.past.waits.get((path, number))
    due = recorder.time + seconds if known is None else known.due
    if known is None:
        recorder.write(Waits(path, number, due))
    seconds = max(due - recorder.time, 0.0)
    if attempt.step.timeout is not None:
        await trio.sleep(
            seconds
        )  # its limit begins anew with each process: it is not left meanwhile
        return
    with recorder.waits.until(due):
        await trio.sleep(seconds)
