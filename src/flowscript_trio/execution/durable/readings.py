"""Owns the clock of one evaluation in a durable run: what it has read stands, however often it is done again."""

from __future__ import annotations

from datetime import datetime

from .entries import Reading
from .past import Past
from .run_clock import RunClock
from .run_journal import RunJournal


class Readings:
    """Gives the time; the ``number``-th reading of that ``turn`` of the node at ``path`` is always the same.

    ``within`` is the loop with whose rounds the readings are compacted, if any.
    """

    __slots__ = ("_clock", "_journal", "_past", "_path", "_turn", "number", "within")

    def __init__(
        self, past: Past, clock: RunClock, journal: RunJournal, path: str, turn: str
    ) -> None:
        self._past = past
        self._clock = clock
        self._journal = journal
        self._path = path
        self._turn = turn
        self.number: int = 0
        self.within: str | None = None

    def __call__(self) -> datetime:
        path, turn, number = self._path, self._turn, self.number
        self.number += 1
        known: datetime | None = self._past.readings.get((path, turn, number))
        if known is not None:
            return known
        now = self._clock.now()
        self._journal.write(Reading(path, turn, number, now), self.within)
        return now
