"""Owns the pace of a block over several processes: what it was given is given again at once, then time goes on."""

from __future__ import annotations

import trio

from .entries import Given
from .recorder import Recorder


class PaceJournal:
    """What is on record of one pace of the block at ``key``, and what is added to it.

    ``positions`` are those of the items that it had given, in its collection, from 0; ``next_at`` is when the next
    one may follow, in seconds of trio's clock.
    """

    __slots__ = ("_given", "_key", "_pace", "_recorder", "_row", "next_at", "positions")

    def __init__(self, recorder: Recorder, key: str, pace: str) -> None:
        known = recorder.past.given.get((key, pace), [])
        self._recorder = recorder
        self._row = known[-1][1] if known else -1
        self._key = key
        self._pace = pace
        self.positions: list[int] = [each.position for each, _ in known]
        self.next_at: float = 0.0
        self._given = known[-1][0].index + 1 if known else 0
        if known:
            self.next_at = trio.current_time() + (known[-1][0].due - recorder.clock.time)

    @property
    def given(self) -> int:
        """How many items it had given."""
        return self._given

    def note(self, index: int, next_at: float, position: int) -> None:
        """An item is given; who waits for the disk next waits for this too."""
        due = self._recorder.clock.time + (next_at - trio.current_time())
        entry = Given(self._key, self._pace, index, due, position)
        row = self._recorder.journal.write(entry)
        if entry.stands_for_all and self._row >= 0:
            self._recorder.parts.note_outdated(self._row)
        self._row = -1 if row is None else row
