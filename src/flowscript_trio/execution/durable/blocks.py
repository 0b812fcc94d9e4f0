"""Owns the journal of one block: what its scheduler finds there, and what it writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...scheduler.restoring import End
from ...types.intervals import Intervals
from ..regions import Region
from .entries import Decided
from .iterations import Iterations
from .recorder import Recorder


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
        here = recorder.here
        self.ended: dict[int, End] = {
            index: End(here(end.at), end.outside, end.late) for index, end in ends.items()
        }
        self.begun: set[int] = begun
        self.late: set[int] = {index for index, end in ends.items() if end.late}

    def note_end(self, index: int, at: int, outside: bool) -> None:
        if self._recorder.is_left:
            return
        written = self._recorder.job_ended(self._key, index, at, outside, index in self.late)
        if self._iterations is not None:
            self._iterations.note_end(index, *written)
        else:
            self._recorder.parts.note(self._key, *written)

    def compact(self, name: Callable[[int], str], keep_outputs: bool) -> Mapping[int, Any]:
        """Compact the iterations that have ended; gives the outputs of those that were compacted before."""
        self._iterations = Iterations(self._recorder, self._key, name, keep_outputs)
        self.compacted = self._iterations.compacted_before
        return self._iterations.outputs

    def begin(self, index: int) -> None:
        """An iteration begins."""
        if self._iterations is not None:
            self._iterations.begin(index)

    def end_well(self, index: int, output: Any) -> None:
        """An iteration came to its end and gave that."""
        if self._iterations is not None:
            self._iterations.end_well(index, output, restored=index in self.ended)

    def close(self) -> None:
        """The block is over."""
        if self._iterations is not None:
            self._iterations.close()

    async def decide(self, index: int, at: int, reason: str, is_break: bool = False) -> None:
        entry = Decided(self._key, index, self._recorder.there(at), reason)
        await self._recorder.decided(None if is_break else self._region, entry)


def journal_of(recorder: Recorder | None, key: str, region: Region) -> BlockJournal | None:
    """The journal of a block whose jobs are branches or iterations; None where the run has none."""
    if recorder is None:
        return None
    return BlockJournal(recorder, key, region, recorder.past.begun(key))


def journal_of_graph(
    recorder: Recorder | None, key: str, region: Region, name: Callable[[int], str], total: int
) -> BlockJournal | None:
    """The journal of a graph, whose jobs are nodes; None where the run has none."""
    if recorder is None:
        return None
    begun = {index for index in range(total) if recorder.past.has(name(index))}
    return BlockJournal(recorder, key, region, begun)
