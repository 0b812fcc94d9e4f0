"""Owns time limits and waits over several processes: they go on by the wall clock, whoever is there to see it."""

from __future__ import annotations

from math import inf

import trio

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
        self.seconds: float
        if self.was_kept:
            self.seconds = inf
        elif ended is not None:
            self.seconds = -1.0
        elif known is not None:
            self.seconds = known.due - recorder.time
        else:
            self.seconds = seconds
            recorder.write(Bounded(key, recorder.time + seconds))

    def end(self, late: bool) -> None:
        """What it bounds has ended."""
        if not self.is_known:
            self._recorder.write(BoundEnded(self._key, late))

    def is_restored(self, path: str) -> bool:
        """Whether all that it bounds, at ``path``, had ended in an earlier process, when there was time left."""
        return not self.is_known and self._recorder.is_replayed(path)


async def sleep_durably(recorder: Recorder, path: str, attempt: int, seconds: float) -> None:
    """Wait so many seconds by the wall clock from when the wait was first begun. Cancellation ends it at once."""
    known = recorder.past.waits.get((path, attempt))
    if known is None:
        recorder.write(Waits(path, attempt, recorder.time + seconds))
    else:
        seconds = known.due - recorder.time
    await trio.sleep(max(seconds, 0.0))
