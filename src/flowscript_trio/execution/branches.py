"""Owns the branches of one running block: what each came to, and what of it is kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from math import inf
from typing import Any

import trio

from ..program.compiled import CompiledBody
from ..scheduler.concurrency import Block
from ..scheduler.policy import INTERRUPTS, Policy, Verdict
from ..scheduler.raised import is_cancelled
from ..scheduler.signals import Break, Failed, Signal
from ..types.events import BlockStarted, BranchEnded, BranchStarted
from ..types.results import BranchResult, Cancellation, NodeStatus
from .bounds import LATE, bounded
from .failures import note_block
from .frame import Attempt, Frame
from .regions import Region, cause_of
from .state import State
from .walk import Walk

Enter = Callable[[int, Any, Region], tuple[CompiledBody, Frame]]
"""Gives the body of a branch and a frame of its own, by its index, its item and its region."""


class Branches:
    """Runs the branches of a block and remembers how they ended.

    ``outputs`` and ``states`` hold those of the branches that succeeded, by index; with ``keep`` False no
    outputs are kept, and of the states only that of the highest index (``$branches`` of a million items
    must not cost a million states).
    """

    def __init__(
        self,
        walk: Walk,
        attempt: Attempt,
        name: Callable[[int], str],
        enter: Enter,
        keep_outputs: bool,
        keep_states: bool,
    ) -> None:
        self.region: Region = Region(attempt.region, attempt.path)
        self.outputs: dict[int, Any] = {}
        self.states: dict[int, State] = {}
        self.escape: dict[int, Break] = {}
        self.failed: dict[int, Failed] = {}
        self.is_cut_short: bool = False  # its time had passed, and it keeps what had succeeded
        self.block: Block
        self._walk = walk
        self._run = walk.run
        self._attempt = attempt
        self._name = name
        self._enter = enter
        self._keep_outputs = keep_outputs
        self._keep_states = keep_states
        self._ended: dict[int, BranchResult] = {}
        self._regions: dict[int, Region] = {}
        self._highest = -1
        self._went_without = False
        self._breakable = False
        self._deadline = inf
        self._late: set[int] = set()  # what succeeded after the deadline of a block that keeps
        self.succeeded: int = 0

    def open(self, policy: Policy, limit: float, breakable: bool) -> Block:
        """The block that is to run these branches; the observers are told."""
        self._breakable = breakable
        self.block = Block(
            self._execute,
            self._name,
            policy,
            limit,
            self._run.passes,
            self._on_cancel,
            self._on_break if breakable else None,
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
        return self.block

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

    async def _execute(self, index: int, item: Any) -> Signal | None:
        """Run one branch: the thunk of the block's job."""
        region = self.region
        if self._breakable:
            region = self._regions[index] = Region(region, self._name(index))
        body, frame = self._enter(index, item, region)
        if self._run.observers:
            self._run.notify(
                BranchStarted(
                    time=trio.current_time(),
                    path=self._name(index),
                    execution=self._run.numbers.begin(self._name(index)),
                    index=index,
                )
            )
        try:
            signal = await self._walk.run_body(body, frame)
        except trio.Cancelled as exc:
            self._regions.pop(index, None)
            self._end(index, "cancelled", cancelled_by=cause_of(region, exc))
            raise
        except BaseException:
            self._regions.pop(index, None)
            raise
        if self._breakable:
            del self._regions[index]
        if isinstance(signal, Failed):
            self.failed[index] = signal
            self._end(index, "failed", signal.error)
            return signal
        self._keep(index, frame)
        self._end(index, "success")
        if isinstance(signal, Break) and signal.loop not in (None, self._attempt.step.id):
            self.escape[index] = signal
        return signal

    async def judge(self, feed: Callable[[], Awaitable[Verdict]]) -> Verdict:
        """Run the block; one that keeps what has succeeded when its time has passed is not too slow then.

        What ended it before its deadline stands, and so does an interrupt.
        """
        step, attempt = self._attempt.step, self._attempt
        if not step.keeps or step.timeout is None:
            return await feed()
        seconds = step.timeout(attempt.scope)
        self._deadline = trio.current_time() + seconds
        found: Verdict | None = None

        async def work(region: Region) -> Signal | None:
            nonlocal found
            self.region.parent = region
            found = await feed()
            return Failed(found.error) if found.error is not None and self._stands(found) else None

        if await bounded(seconds, attempt.region, attempt.path, work) is not LATE:
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
        return before or isinstance(verdict.error, INTERRUPTS)

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
        if self._deadline != inf and trio.current_time() >= self._deadline:
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

    def _end(
        self,
        index: int,
        status: NodeStatus,
        error: BaseException | None = None,
        cancelled_by: Cancellation | None = None,
    ) -> None:
        if status != "success":
            self._went_without = True
        if status != "success" or len(self._ended) < self._run.record.keep:
            self._ended[index] = BranchResult(index, status, error, cancelled_by)
        if self._run.observers:
            self._run.notify(
                BranchEnded(
                    time=trio.current_time(),
                    path=self._name(index),
                    execution=self._run.numbers.end(self._name(index)),
                    index=index,
                    status=status,
                    error=error,
                    cancelled_by=cancelled_by,
                )
            )

    def _on_cancel(self, cancellation: Cancellation, pass_number: int) -> None:
        self.region.cancel(cancellation, pass_number, is_cancelled())
        self._run.note_cancellation(self._attempt.path, cancellation)

    def _on_break(self, index: int, cancellation: Cancellation) -> None:
        if index in self._regions:
            self._regions[index].cancel(cancellation, self._run.passes.now, is_cancelled())
            self._run.note_cancellation(self._name(index), cancellation)
