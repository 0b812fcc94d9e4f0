"""Owns a durable run as the walk sees it: how it begins, is suspended and ends, and its parts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import trio
from trio.lowlevel import checkpoint_if_cancelled

from ...journal.rows import ENDED, Journal, Mark
from ...scheduler.passes import PassCounter
from ...types.results import NodeResult, RunStatus
from ...types.storing import StoreFailed
from ..regions import Region
from .coding import Coding
from .compacting import Parts
from .compensations import Compensations
from .decisions import Decisions
from .digests import Digests
from .ending import Ending, ending_of, origin_facts
from .entry_rows import row_of
from .inbox import Inbox
from .job_ends import JobEnds
from .leaving import Leaving
from .outcomes import Outcomes
from .past import Past
from .readings import Readings
from .restoring import Restoring
from .retries import Retries
from .run_clock import RunClock
from .run_entries import Left, RunBegan, RunEnded
from .run_journal import RunJournal
from .waits import Waits
from .working_time import WorkingTime

MAX_CRASHES = 3
"""This many processes may die at one execution; then it fails with Interrupted. Those that left do not count."""


Retold = Callable[[str, int], Awaitable[None]]
"""Waits until the attempt of that number, of the execution at that path, had ended. It raises nothing."""


class Recorder:
    """The journal of a run that is under way in this process.

    ``past`` is what the processes before this one recorded. Passes are counted on from theirs.
    """

    def __init__(
        self,
        journal: Journal,
        past: Past,
        passes: PassCounter,
        coding: Coding,
        now: Callable[[], datetime],
        started: datetime,
        max_crashes: int = MAX_CRASHES,
        inbox: Inbox | None = None,
        suspend_after: float | None = None,
        acts: bool = True,
    ) -> None:
        self.past: Past = past
        self.coding: Coding = coding
        self.max_crashes: int = max_crashes
        self.suspend_after: float | None = suspend_after
        """Seconds after which a run that waits for nothing but people and timers is left; None: it never is."""
        self.acts: bool = acts
        """Whether nodes act; else each waits for ever where it would."""
        self.retold: Retold | None = None
        """Waits until the moment at which an attempt had ended, where a run is told again; None: it is not."""
        self.inbox: Inbox = Inbox(journal, coding, ()) if inbox is None else inbox
        self.clock: RunClock = RunClock(passes, past.latest, now, journal.ahead)
        self.waits: Waits = Waits(lambda: self.clock.time)
        self.digests: Digests = Digests(coding.encode)
        self.parts: Parts = Parts(past.rows, past.outdated, past.parts)
        """The loops and iterations that are compacted once they have ended."""
        self.worked: WorkingTime = WorkingTime(
            journal, coding, past, self.clock, self.parts, started
        )
        self.leaving: Leaving = Leaving(self.worked)
        self.journal: RunJournal = RunJournal(
            journal, coding, past, self.clock, self.parts, self.worked, self.leaving
        )
        self.job_ends: JobEnds = JobEnds(self.journal)
        self.decisions: Decisions = Decisions(self.journal)
        self.restoring: Restoring = Restoring(past, self.clock, self.journal, self.leaving)
        self.outcomes: Outcomes = Outcomes(past, coding, self.clock, self.journal, self.parts)
        self.retries: Retries = Retries(past, self.clock, self.journal, self.waits)
        self.compensations: Compensations = Compensations(past, self.parts, self.journal)
        self.has_begun: bool = False
        """Whether an attempt was begun in this process, so that one may be at work when the run is left."""
        self._journal = journal
        self._is_suspended = False

    def begin(self, began: RunBegan) -> None:
        """The run is to run here, unless it has ended. What it follows from is written by its first process."""
        if self.past.ended is None:
            self._journal.mark(Mark("running"))
        if self.past.began is None:
            self.journal.write(began)

    @property
    def must_be_asked(self) -> bool:
        """Whether a node is to :meth:`enter`, and does not only look for a cancellation itself."""
        return self.past.began is not None or bool(self.decisions.pending)

    async def enter(self, path: str, region: Region, checked: bool) -> None:
        """Before a node: look for a cancellation, unless something is known about the node already.

        In a region that is settled, and about to be cancelled, nothing begins any more.
        """
        if self.past.has(path):
            return
        if self.decisions.pending:
            await self.decisions.hold(region)
        if not checked:
            await checkpoint_if_cancelled()

    def clock_of(self, path: str, turn: str) -> Readings:
        """The clock of an evaluation for the node at ``path``."""
        return Readings(self.past, self.clock, self.journal, path, turn)

    async def leave_if_lost(self) -> None:
        """Leave the run when nothing more of it can be written here, which is waited for."""
        self.leaving.leave(await self._journal.lost())

    @property
    def changes(self) -> int:
        """How much was written and heard so far: the same number later means that nothing has gone on."""
        return self.journal.count + self.inbox.changes

    def suspend(self) -> None:
        """Leave the run until somebody answers, or the first of its waits is over."""
        if not self.leaving.is_left:
            self._journal.mark(Mark("suspended", self.waits.due, self.inbox.count))
            self._is_suspended = True
            self.leaving.leave()

    async def left(self) -> None:
        """What this process did has unwound: write that it has left the run, which counts as no crash.

        Return once it is on disk that the run was suspended, if it was: then nothing was at work. The rest is on
        disk when the journal is closed. Cannot be cancelled.
        """
        if self.has_begun and not self._is_suspended:
            rows = self.past.rows
            row, _ = row_of(Left("", rows[-1][0] + 1 if rows else 0), self.coding)
            self._journal.write(row)
        if self._is_suspended:
            try:
                with trio.CancelScope(shield=True):
                    await self._journal.synced()
            except StoreFailed as exc:
                self.leaving.error = exc

    async def finish(
        self,
        status: RunStatus,
        output: Any,
        error: BaseException | None,
        origin: NodeResult | None = None,
    ) -> None:
        """Write how the run has ended, and which execution its ``error`` left first.

        Returns once that is on disk. Cannot be cancelled; raises StoreFailed.
        """
        facts = None if error is None else self.coding.encode_error(error)
        if not self.leaving.is_left:
            self.worked.note(apart=0.0)
        self.job_ends.flush()
        source = origin_facts(origin)
        await self.journal.write_large(lambda: RunEnded("", status, output, facts, source), output)
        self.worked.close()  # nothing follows that, even where it is left before it is on disk
        if not self.leaving.is_left and status in ENDED:
            self._journal.mark(Mark(status))
            with trio.CancelScope(shield=True):
                await self._journal.synced()

    def ending(self, ended: RunEnded) -> Ending:
        """How a run has ended, as an earlier process has written it."""
        return ending_of(ended, self.coding)
