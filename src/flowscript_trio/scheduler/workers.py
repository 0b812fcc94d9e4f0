"""Owns the workers of a block: as many as there are tokens, each of which does one job after another."""

from __future__ import annotations

from contextvars import copy_context
from typing import Any

import trio
from trio.lowlevel import (
    cancel_shielded_checkpoint,
    checkpoint,
    checkpoint_if_cancelled,
    current_task,
    enable_ki_protection,
)

from .concurrency import Block
from .policy import Verdict
from .pools import Pool
from .raised import error_of
from .restoring import RestoringPool, SkippingPool
from .tokens import BURST


async def run_pool(block: Block, pool: Pool, *, one_each: bool = False) -> Verdict:
    """As many workers as there are tokens, each of which takes one job after another from the pool.

    With ``one_each`` a worker does one job and no other: for as many jobs as tokens, or fewer.

    Cancellation from outside reaches every worker, and ``Cancelled`` passes on once all have ended.
    """
    log = block.log
    if log is not None and log.compacted:
        pool = SkippingPool(pool, log.compacted)
    if log is not None and (log.ended or log.begun):
        return await _RestoringWorkers(block, RestoringPool(pool, log)).run()
    return await _Workers(block, pool, one_each).run()


class _Workers:
    __slots__ = ("_block", "_context", "_free", "_free_at", "_one_each", "_pool", "_restored")

    def __init__(self, block: Block, pool: Pool, one_each: bool) -> None:
        self._block = block
        self._pool = pool
        self._one_each = one_each
        self._context = copy_context()  # that of the block, whatever a job sets in its own
        self._restored: RestoringPool | None = None
        self._free_at = -1
        self._free = 0  # workers that can take a job in the pass after that

    async def run(self) -> Verdict:
        if self._pool.grows:
            self._block.on_success = self._complete
        return await self._block.run(self._begin)

    async def _begin(self) -> None:
        block = self._block
        started = 0
        while block.tokens.are_left and not block.is_over():
            job = self._take()
            if job is None:
                break
            self._add(job)
            started += 1
            if started % BURST == 0:
                if self._is_urgent():
                    await cancel_shielded_checkpoint()
                else:
                    await checkpoint()
        await block.settle()

    def _add(self, job: tuple[int, Any] | None) -> None:
        block = self._block
        token = block.tokens.hand_out()
        block.start(self._work, token, job, name=block.name(0 if job is None else job[0]))

    @enable_ki_protection
    async def _work(self, token: object, job: tuple[int, Any] | None) -> None:
        """A task that does one job after another, each in a later pass than the one before."""
        block, pool, task = self._block, self._pool, current_task()
        checked = False
        try:
            while not block.is_over():
                job = job or self._take()
                if job is not None:
                    if block.note(job[0], await block.do(*job, checked)):
                        await block.settle()
                    job = None
                elif not pool.has_more():
                    break
                if self._one_each or block.is_settling or pool.is_spent():
                    break
                # The next job sees no context variable that this one has set: from its next step on, and not
                # before, trio runs a task in the context that is found here.
                task.context = self._context.copy()
                # A checkpoint, but one that knows what the others did in this pass.
                await cancel_shielded_checkpoint()
                checked = not block.is_over() and (self._restored is None or not self._is_urgent())
                if checked:
                    await checkpoint_if_cancelled()
            await block.settle()
        except trio.Cancelled:
            if block.passes_on():
                raise
        finally:
            block.end(token)

    def _is_urgent(self) -> bool:
        """Whether the next job had begun or ended in an earlier process, and meets a cancellation itself."""
        restored = self._restored
        return restored is not None and restored.is_urgent(self._block.passes.now)

    def _take(self) -> tuple[int, Any] | None:
        block = self._block
        try:
            return self._pool.take(block.passes.now)
        except BaseException as exc:
            error = error_of(exc)
            if error is None:
                raise
            # The collection failed: the block's own error, which takes the place of the next item.
            block.note_failure(block.started + block.running, error, fatal=True)
            return None

    def _complete(self, index: int, now: int) -> None:
        """A job has succeeded: there are workers for those that can be taken since."""
        ready = self._pool.complete(index, now)
        if self._free_at != now:
            self._free_at, self._free = now, 0
        self._free += 1
        while ready > self._free and self._block.tokens.are_left:
            self._context.copy().run(self._add, None)
            self._free += 1


class _RestoringWorkers(_Workers):
    """Workers of a block that an earlier process had begun: what had ended first, then the rest."""

    __slots__ = ("_restoring",)

    def __init__(self, block: Block, pool: RestoringPool) -> None:
        super().__init__(block, pool, one_each=False)
        self._restored = self._restoring = pool

    async def run(self) -> Verdict:
        block = self._block
        if not self._restoring.is_open:
            block.on_restored = self._open
            if self._restoring.has_begun or block.can_be_broken_out_of:
                block.on_settled = self._unwind
        return await super().run()

    def _open(self) -> None:
        """All that had ended are heard: unless that has settled the block, the rest goes on."""
        block = self._block
        self._restoring.is_open = True
        if block.is_over():
            return
        block.on_settled = None
        while block.tokens.are_left and (job := self._take()) is not None:
            self._add(job)

    async def _unwind(self) -> None:
        """What had begun in a settled block ends: what is cancelled of it cleans up, and is not done again.

        What is below an iteration that broke out goes on.
        """
        block, pool = self._block, self._restoring
        block.on_settled = None
        await cancel_shielded_checkpoint()  # what became ready in this pass can be taken now
        jobs = pool.take_begun(block.passes.now)
        if block.lowest_break is not None and not block.cancelled:
            jobs += pool.take_below(block.lowest_break)
        for job in jobs:
            block.start(block.finish, job, name=block.name(job[0]))
