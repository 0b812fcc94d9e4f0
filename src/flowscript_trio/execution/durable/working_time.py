"""Owns how long processes have been at work on a run, and writes it now and then."""

from __future__ import annotations

from datetime import datetime
from math import inf

import trio

from ...journal.rows import Journal
from .coding import Coding
from .compacting import Parts
from .entry_rows import row_of
from .past import Past
from .run_clock import RunClock
from .run_entries import Ran

RAN_APART = 0.1
"""Seconds after which it is written again, with the next entry, how long the run has been at work."""


class WorkingTime:
    """The time that processes have worked on a run which began at ``started``, counted on from the ``past``."""

    def __init__(
        self,
        journal: Journal,
        coding: Coding,
        past: Past,
        clock: RunClock,
        parts: Parts,
        started: datetime,
    ) -> None:
        self._journal = journal
        self._coding = coding
        self._past = past
        self._clock = clock
        self._parts = parts
        self._started = started
        self._before = 0.0 if past.ran is None else past.ran.seconds
        self._since = self._noted = trio.current_time()
        if past.began is not None:
            self._noted = -inf  # the time between two processes is not that of its first entry
        self._row = past.ran_row

    @property
    def seconds(self) -> float:
        """The seconds in which processes have been at work on the run, by trio's clock, so far."""
        return self._before + trio.current_time() - self._since

    @property
    def seconds_since_start(self) -> float:
        """The seconds by the wall clock since the run began: until now, or until it had ended."""
        ended, ran = self._past.ended, self._past.ran
        until = self._clock.time if ended is None or ran is None else ran.at
        return until - self._started.timestamp()

    def note(self, apart: float = RAN_APART) -> None:
        """Write how long the run has been at work, where it was not written for this many seconds."""
        now = trio.current_time()
        if now - self._noted < apart:
            return
        self._noted = now
        row, _ = row_of(Ran("", self.seconds, self._clock.time), self._coding)
        number = self._journal.write(row)
        if self._row >= 0:
            self._parts.note_outdated(self._row, number)
        self._row = number

    def close(self) -> None:
        """From now on nothing of it is written."""
        self._noted = inf
