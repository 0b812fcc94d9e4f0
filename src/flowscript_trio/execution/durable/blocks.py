"""Owns the journal of one block: what its scheduler finds there, and what it writes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from ...scheduler.restoring import End
from ...types.intervals import Intervals
from ..regions import Region
from .entries import Decided, JobsEnded
from .iterations import Iterations
from .recorder import Recorder

T = TypeVar("T")


class BlockJournal:
    """The :class:`~flowscript_trio.scheduler.restoring.BlockLog` of the block with that key.

    ``late`` are the jobs that succeeded when the time of their block had passed.
    """

    def __init__(self, recorder: Recorder, key: str, region: Region, begun: set[int]) -> None:
        self._recorder = recorder
        self._key = key
        self._region = region
        self._iterations: Iterations | None = None
        self.compacted: Intervals = Intervals()
        ends = recorder.past.jobs.get(key, {})
        here = recorder.clock.here
        self.ended: dict[int, End] = {
            index: End(here(end.at), end.outside, end.cancelled, end.late)
            for index, end in ends.items()
        }
        self.begun: set[int] = begun
        self.late: set[int] = {index for index, end in ends.items() if end.late}

    def as_it_was(self, index: int, work: Awaitable[T]) -> Awaitable[T]:
        return self._recorder.restoring.as_it_was(work, self.ended[index].cancelled)

    def shielded(self, work: Awaitable[None]) -> Awaitable[None]:
        return self._recorder.leaving.shielded(work)

    def note_end(self, index: int, at: int, outside: bool, cancelled: bool) -> None:
        if self._recorder.leaving.is_left:
            return
        how = self._recorder.clock.there(at), outside, cancelled, index in self.late
        self._recorder.job_ends.add(self, how, index)

    def write_ends(self, end: End, indices: list[int]) -> None:
        """Jobs have ended in one pass, and alike."""
        entry = JobsEnded(self._key, indices, end.at, end.outside, end.cancelled, end.late)
        written = self._recorder.journal.append(entry)
        if self._iterations is not None:
            self._iterations.note_ends(indices, *written)
        else:
            self._recorder.parts.note(self._key, *written)

    def compact(self, name: Callable[[int], str], keep_outputs: bool) -> Mapping[int, Any]:
        """Compact the iterations that have ended; gives the outputs of those that were compacted before."""
        self._iterations = Iterations(self._recorder, self._key, name, keep_outputs)
        self.compacted = self._iterations.compacted_before
        self.ended = {
            index: end for index, end in self.ended.items() if index not in self.compacted
        }
        return self._iterations.outputs

    def begin(self, index: int) -> None:
        """An iteration begins."""
        if self._iterations is not None:
            self._iterations.begin(index)

    def note_given(self, index: int, number: int, size: int) -> None:
        """The block was given an item for an iteration that has not begun; that is on record as this row."""
        if self._iterations is not None:
            self._iterations.note_given(index, number, size)
        else:
            self._recorder.parts.note(self._key, number, size)

    def end_well(self, index: int, output: Any) -> None:
        """An iteration came to its end and gave that."""
        if self._iterations is not None:
            self._iterations.end_well(index, output, restored=index in self.ended)

    def close(self) -> None:
        """The block is over."""
        if self._iterations is not None:
            self._recorder.job_ends.flush()
            self._iterations.close()

    async def tell_again(self) -> None:
        """Where the run is only told again: wait until what was compacted of the block had ended."""
        if self._recorder.retold is not None and self.compacted:
            await self._recorder.retold(self._key, 0)

    async def decide(self, index: int, at: int, reason: str, is_break: bool = False) -> None:
        entry = Decided(self._key, index, self._recorder.clock.there(at), reason)
        await self._recorder.decisions.decided(None if is_break else self._region, entry)
