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

    __slots__ = ("_key", "_pace", "_recorder", "next_at", "positions")

    def __init__(self, recorder: Recorder, key: str, pace: str) -> None:
        known = recorder.past.given.get((key, pace), [])
        self._recorder = recorder
        self._key = key
        self._pace = pace
        self.positions: list[int] = [each.position for each in known]
        self.next_at: float = 0.0
        if known:
            self.next_at = trio.current_time() + (known[-1].due - recorder.time)

    @property
    def given(self) -> int:
        """How many items it had given."""
        return len(self.positions)

    def note(self, index: int, next_at: float, position: int) -> None:
        """An item is given; who waits for the disk next waits for this too."""
        due = self._recorder.time + (next_at - trio.current_time())
        self._recorder.write(Given(self._key, self._pace, index, due, position))
