"""Owns what is decided in a run: nothing begins in a region from its decision until its cancellation."""

from __future__ import annotations

import trio
from trio.lowlevel import checkpoint_if_cancelled

from ..regions import Region
from .entries import Entry
from .run_journal import RunJournal


class Decisions:
    """The regions of a run that are settled, and about to be cancelled."""

    def __init__(self, journal: RunJournal) -> None:
        self._journal = journal
        self.pending: dict[Region, trio.Event] = {}
        """The regions that are settled and not cancelled yet, each with what is set once it was decided."""

    def settle(self, region: Region) -> None:
        """From now on nothing begins in ``region``, which is about to be cancelled."""
        self.pending.setdefault(region, trio.Event())

    def settled(self, region: Region) -> None:
        """What was decided of ``region`` is on disk: the caller cancels it now, before anything else runs."""
        self.pending.pop(region).set()

    async def decided(self, region: Region | None, entry: Entry) -> None:
        """A block's decision: returns once it is on disk. From now on nothing begins in ``region``.

        It cannot be cancelled; where it fails, the run is left.
        """
        if region is not None:
            self.settle(region)
        try:
            await self._journal.kept(entry)
        finally:
            if region is not None:
                self.settled(region)

    async def hold(self, region: Region) -> None:
        """Begin nothing in a region that is settled: its cancellation is waited for, and then met.

        To be asked where :attr:`pending` is not empty; else it has nothing to do.

        What is shielded from it, since it had ended in an earlier process, goes on.
        """
        while self.pending and (decision := self._decision_around(region)) is not None:
            await decision.wait()
            await checkpoint_if_cancelled()

    def _decision_around(self, region: Region | None) -> trio.Event | None:
        while region is not None:
            if region in self.pending:
                return self.pending[region]
            region = region.parent
        return None
