"""Owns the pace of a block over several processes: what it was given is given again at once, then time goes on."""

from __future__ import annotations

import trio

from .blocks import BlockJournal
from .entries import Given
from .recorder import Recorder


class PaceJournal:
    """What is on record of one pace of the block at ``key``, and what is added to it.

    ``next_at`` is when the next item may follow, in seconds of trio's clock. ``block`` is the block's journal,
    whose iterations have ``batch`` items each: where each item is asked for, its row goes with its iteration.
    """

    __slots__ = (
        "_batch",
        "_block",
        "_given",
        "_key",
        "_pace",
        "_positions",
        "_recorder",
        "_row",
        "next_at",
    )

    def __init__(
        self, recorder: Recorder, key: str, pace: str, block: BlockJournal, batch: int
    ) -> None:
        known = recorder.past.given.get((key, pace), [])
        self._recorder = recorder
        self._block = block
        self._batch = batch
        self._row = known[-1][1] if known else -1
        self._key = key
        self._pace = pace
        self._positions = {each.index: each.position for each, _ in known}
        self.next_at: float = 0.0
        self._given = known[-1][0].index + 1 if known else 0
        for each, number in known:
            if not each.stands_for_all:
                block.note_given(each.index // batch, number, 0)
        if known:
            self.next_at = trio.current_time() + (known[-1][0].due - recorder.clock.time)

    @property
    def given(self) -> int:
        """How many items it had given."""
        return self._given

    def position_of(self, index: int) -> int | None:
        """Where in its collection an item is that it had given; None where its iteration is compacted."""
        position = self._positions.pop(index, None)
        assert position is not None or index // self._batch in self._block.compacted
        return position

    def note(self, index: int, next_at: float, position: int) -> None:
        """An item is given; whoever waits for the disk next waits for this too."""
        due = self._recorder.clock.time + (next_at - trio.current_time())
        entry = Given(self._key, self._pace, index, due, position)
        if not entry.stands_for_all:
            if not self._recorder.leaving.is_left:
                written = self._recorder.journal.append(entry)
                self._block.note_given(index // self._batch, *written)
            return
        row = self._recorder.journal.write(entry)
        if self._row >= 0:
            self._recorder.parts.note_outdated(self._row, self._row + 1)
        self._row = -1 if row is None else row
