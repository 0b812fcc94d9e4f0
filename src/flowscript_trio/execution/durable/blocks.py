"""Owns the journal of one block: what its scheduler finds there, and what it writes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio

from ...scheduler.restoring import End
from ..regions import Region
from .entries import Decided
from .recorder import Recorder


class BlockJournal:
    """The :class:`~flowscript_trio.scheduler.restoring.BlockLog` of the block with that key.

    ``late`` are the jobs that succeeded when the time of their block had passed.
    """

    def __init__(self, recorder: Recorder, key: str, region: Region, begun: set[int]) -> None:
        self._recorder = recorder
        self._key = key
        self._region = region
        ends = recorder.past.jobs.get(key, {})
        here = recorder.here
        self.ended: dict[int, End] = {
            index: End(here(end.at), end.outside, end.late) for index, end in ends.items()
        }
        self.begun: set[int] = begun
        self.late: set[int] = {index for index, end in ends.items() if end.late}

    def in_shield(self, scope: trio.CancelScope, work: Awaitable[None]) -> Awaitable[None]:
        return self._recorder.in_shield(scope, work)

    def note_end(self, index: int, at: int, outside: bool) -> None:
        self._recorder.job_ended(self._key, index, at, outside, index in self.late)

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
