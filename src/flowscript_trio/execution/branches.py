"""Owns the branches of one running block: what each came to, and what of it is kept."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextvars import Context, copy_context
from functools import partial
from itertools import islice
from math import inf
from typing import TYPE_CHECKING, Any

import trio

from ..expression import Expression, truthy
from ..expression.scope import Overlay
from ..program.compiled import CompiledBody
from ..scheduler.concurrency import Block
from ..scheduler.policy import INTERRUPTS, Policy, Verdict
from ..scheduler.raised import error_of_call, is_cancelled
from ..scheduler.signals import Break, Failed, Signal
from ..types.errors import NotAccepted
from ..types.events import BlockStarted, BranchEnded, BranchStarted
from ..types.exceptions import is_a
from ..types.location import Location
from ..types.paths import ACCEPT, bound_path, part_path
from ..types.results import BranchResult, Cancellation, NodeResult, NodeStatus
from .bounds import LATE, bounded
from .failures import note_block
from .frame import Attempt, Frame
from .journalled import journal_of, pace_of, timer_of
from .marks import note
from .pacing import Paced
from .regions import Region
from .state import State
from .walk import Walk

if TYPE_CHECKING:
    from .durable.blocks import BlockJournal
    from .durable.pacing import PaceJournal

Enter = Callable[[int, Any, Region], tuple[CompiledBody, Frame]]
"""Gives the body of a branch and a frame of its own, by its index, its item and its region."""


class Branches:
    """Runs the branches of a block and remembers how they ended.

    ``outputs`` and ``states`` hold those of the branches that succeeded, by index; with ``keep`` False no
    outputs are kept, and of the states only that of the highest index (``$branches`` of a million items
    must not cost a million states). ``lost_states`` are those of the branches that did not succeed; of a
    foreach, only that of the highest index.
    """

    def __init__(
        self,
        walk: Walk,
        attempt: Attempt,
        name: Callable[[int], str],
        enter: Enter,
        keep_outputs: bool,
        keep_states: bool,
        is_foreach: bool = False,
        accept: Expression | None = None,
    ) -> None:
        self.region: Region = Region(attempt.region, attempt.path)
        self.outputs: dict[int, Any] = {}
        self.states: dict[int, State] = {}
        self.lost_states: dict[int, State] = {}
        self.escape: dict[int, Break] = {}
        self.failed: dict[int, Failed] = {}
        self.is_cut_short: bool = False  # its time had passed, and it keeps what had succeeded
        self.block: Block
        self.journal: BlockJournal | None = None
        self._walk = walk
        self._run = walk.run
        self._attempt = attempt
        self._name = name
        self._enter = enter
        self._keep_outputs = keep_outputs
        self._keep_states = keep_states
        self._is_foreach = is_foreach
        self._accept = accept
        self._paced: Paced[Any] | None = None
        self._ended: dict[int, BranchResult] = {}
        self._regions: dict[int, Region] = {}
        self._highest = -1
        self._went_without = False
        self._breakable = False
        self._deadline = inf
        self._variables: Context | None = None  # those of the block, where it is observed
        self._late: set[int] = set()  # what succeeded after the deadline of a block that keeps
        self.succeeded: int = 0

    @property
    def label(self) -> str:
        """That of the block's node."""
        return self._attempt.step.label

    def open(self, policy: Policy, limit: float, breakable: bool) -> Block:
        """The block that is to run these branches; the observers are notified."""
        self._breakable = breakable
        self.journal = journal_of(self._run.recorder, self._attempt.inner, self.region)
        if self.journal is not None and self._is_compact():
            self._take_in_compacted(self.journal)
        self.block = Block(
            self._execute,
            self._name,
            policy,
            limit,
            self._run.passes,
            self._on_cancel,
            self._on_break if breakable else None,
            self.journal,
        )
        if self._run.observers:
            self._run.notify(
                BlockStarted(
                    time=trio.current_time(),
                    path=self._attempt.path,
                    execution=self._run.numbers.of(self._attempt.path),
                    branches=policy.total,
                    limit=limit,
                )
            )
            if self._run.observers:
                self._variables = copy_context()
        return self.block

    def _is_compact(self) -> bool:
        """Whether nothing more is asked of iterations that have succeeded than what they gave."""
        return self._is_foreach and not (self._keep_states or self._attempt.step.keeps)

    def _take_in_compacted(self, journal: BlockJournal) -> None:
        """The iterations that an earlier process had compacted have succeeded."""
        self.outputs |= journal.compact(self._name, self._keep_outputs)
        if self._run.spending is not None:
            for index, output in self.outputs.items():
                self._run.spending.keep(output, self._name(index))
        self.succeeded += len(journal.compacted)
        for index in islice(journal.compacted, self._run.record.keep):
            self._ended[index] = BranchResult(index, "success")

    def pace(self, items: AsyncIterator[Any], seconds: float) -> AsyncIterator[Any]:
        """The items, each given this long after the one before, or once the branch of that one has failed."""
        self._paced = Paced(items, seconds, self.pace_log("stagger"))
        return self._paced

    def pace_log(self, pace: str, batch: int = 1) -> PaceJournal | None:
        """What is on record of a pace of the block, which takes this many items for an iteration.

        None where the run has no journal.
        """
        return pace_of(self._run.recorder, self._attempt.inner, pace, self.journal, batch)

    def results(self, total: int) -> tuple[BranchResult, ...]:
        """How the branches ended, by index; those of ``total`` that never started are cancelled."""
        for index in range(self.block.started, total):
            if index not in self._ended:
                cause = self.region.cancellation
                self._ended[index] = BranchResult(index, "cancelled", None, cause, started=False)
        return tuple(self._ended[index] for index in sorted(self._ended))

    def explain(self, verdict: Verdict, total: int) -> None:
        """Say on the block's error what became of its other branches."""
        assert verdict.error is not None
        failed = cancelled = 0
        for index, result in self._ended.items():
            failed += result.status == "failed" and index != verdict.failed
            cancelled += result.status == "cancelled" and result.started
        idle = max(total - self.block.started, 0)
        run = self._run.record.number
        note_block(verdict.error, run, self._attempt.path, failed, cancelled, idle)

    async def _execute(self, index: int, item: Any, checked: bool) -> Signal | None:
        """Run one branch: the thunk of the block's job."""
        region = self.region
        if self._breakable:
            region = self._regions[index] = Region(region, self._name(index))
            if (broken := self.block.broken_by(index)) is not None:
                self._on_break(index, broken)
        body, frame = self._enter(index, item, region)
        if self.journal is not None:
            self.journal.begin(index)
        if self._run.observers:
            checked = False  # one of them may cancel
            self._run.notify(
                BranchStarted(
                    time=trio.current_time(),
                    path=self._name(index),
                    execution=self._run.numbers.begin(self._name(index)),
                    index=index,
                )
            )
        try:
            signal = await self._walk.run_body(body, frame, checked)
        except trio.Cancelled as exc:
            self._lose(index, frame)
            self._regions.pop(index, None)
            self._end(index, "cancelled", cancelled_by=self._run.cause_of(region, exc))
            raise
        except BaseException:
            self._regions.pop(index, None)
            raise
        if self._breakable:
            del self._regions[index]
        if self._accept is not None and not isinstance(signal, Failed):
            signal = self._judge(self._accept, index, frame.output, body.location) or signal
        if isinstance(signal, Failed):
            self.failed[index] = signal
            self._lose(index, frame)
            if self._paced is not None:
                self._paced.note_failure(index)
            self._end(index, "failed", signal.error, item=item if self._is_foreach else None)
            return signal
        self._keep(index, frame)
        if self.journal is not None and signal is None:
            self.journal.end_well(index, frame.output)
        self._end(index, "success")
        if isinstance(signal, Break) and signal.loop not in (None, self._attempt.step.id):
            self.escape[index] = signal
        return signal

    def _judge(
        self, accept: Expression, index: int, output: Any, location: Location
    ) -> Failed | None:
        """What becomes of a branch whose output is not accepted, or for which asking that failed."""
        run, path, step = self._run, self._name(index), self._attempt.step
        own = part_path(path, ACCEPT)
        error: BaseException
        try:
            services = None
            # Its own, since branches end in any order.
            if step.draws or (step.reads_clock and run.recorder is not None):
                services = run.services_of(own, "accept")
            if truthy(accept(Overlay(self._attempt.scope, {"result": output}, services))):
                return None
            error = NotAccepted(f"the output of {path} was not accepted")
        except BaseException as exc:
            error = run.masked(error_of_call(exc, "the accept raised"))
        said = f"flowscript: the accept of {step.label!r} at {location} failed for {path}"
        note(error, run.record.number, said)
        now = trio.current_time()
        result = NodeResult(None, "accept", own, "failed", None, now, 0.0, location, error)
        run.record.add(id(step.node), "accept", result, inner=False)
        return Failed(error, result)

    async def judge(self, feed: Callable[[], Awaitable[Verdict]]) -> Verdict:
        """Run the block; one that keeps what has succeeded when its time has passed is not too slow then.

        What ended it before its deadline stands, and so does an interrupt.
        """
        step, attempt = self._attempt.step, self._attempt
        if not step.keeps or step.timeout is None:
            return await feed()
        seconds = step.timeout(attempt.scope)
        key = bound_path(attempt.inner, "keep")
        timer = timer_of(self._run.recorder, key, seconds)
        if timer is not None:
            seconds = timer.seconds
        self._deadline = trio.current_time() + seconds
        found: Verdict | None = None

        async def work(region: Region) -> Signal | None:
            nonlocal found
            self.region.parent = region
            found = await feed()
            return Failed(found.error) if found.error is not None and self._stands(found) else None

        if await bounded(seconds, attempt.region, attempt.path, work, timer=timer) is not LATE:
            assert found is not None
            return found
        self.is_cut_short = True
        winners = self.block.so_far().winners
        if winners is None:
            return Verdict(None)
        return Verdict(None, tuple(index for index in winners if index not in self._late))

    def _stands(self, verdict: Verdict) -> bool:
        decided = self.block.decided_time
        before = decided is not None and decided < self._deadline
        return before or is_a(verdict.error, INTERRUPTS)

    def lost(self, verdict: Verdict) -> Callable[[int | None], bool] | None:
        """Says of a branch whether the block went on without it; None where it did without none."""
        if self._went_without or self._late or verdict.winners is not None:
            return partial(self._is_lost, verdict)
        return None

    def _is_lost(self, verdict: Verdict, index: int | None) -> bool:
        """Whether a branch failed, was cancelled or too late, or lost the race."""
        if index is None or index in self._late:
            return index is not None
        if verdict.winners is not None:
            return index not in verdict.winners
        ended = self._ended.get(index)
        return ended is not None and ended.status != "success"

    def _keep(self, index: int, frame: Frame) -> None:
        if self._deadline != inf and self._is_late(index):
            self._late.add(index)
            return
        self.succeeded += 1
        if self._keep_outputs:
            self.outputs[index] = frame.output
        if self._keep_states:
            self.states[index] = frame.state
        elif index > self._highest:
            self._highest = index
            self.states = {index: frame.state}

    def _is_late(self, index: int) -> bool:
        """Whether a branch succeeded when the time of its block had passed, which keeps what did before."""
        if self.journal is not None and index in self.journal.ended:
            return self.journal.ended[index].late
        late = trio.current_time() >= self._deadline
        if late and self.journal is not None:
            self.journal.late.add(index)
        return late

    def _lose(self, index: int, frame: Frame) -> None:
        """Remember how the nodes of a branch that did not succeed have ended."""
        if not self._is_foreach:
            self.lost_states[index] = frame.state
        elif index >= max(self.lost_states, default=-1):
            self.lost_states = {index: frame.state}

    def _end(
        self,
        index: int,
        status: NodeStatus,
        error: BaseException | None = None,
        cancelled_by: Cancellation | None = None,
        item: Any = None,
    ) -> None:
        if status != "success":
            self._went_without = True
        if status != "success" or len(self._ended) < self._run.record.keep:
            self._ended[index] = BranchResult(index, status, error, cancelled_by, item=item)
        was_at = self._run.ran_at.pop(self._name(index), None) if self._run.ran_at else None
        if self._run.observers:
            self._run.notify(
                BranchEnded(
                    time=trio.current_time(),
                    path=self._name(index),
                    execution=self._run.numbers.end(self._name(index)),
                    worker=None if was_at is None else was_at.worker,
                    index=index,
                    status=status,
                    error=error,
                    cancelled_by=cancelled_by,
                )
            )

    def _on_cancel(self, cancellation: Cancellation, pass_number: int) -> None:
        self.region.cancel(cancellation, pass_number, is_cancelled())
        self._run.note_cancellation(self._attempt.path, cancellation, self._variables)

    def _on_break(self, index: int, cancellation: Cancellation) -> None:
        if index in self._regions:
            self._regions[index].cancel(cancellation, self._run.passes.now, is_cancelled())
            self._run.note_cancellation(self._name(index), cancellation, self._variables)
