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
from .tokens import BURST


async def run_pool(block: Block, pool: Pool, *, one_each: bool = False) -> Verdict:
    """As many workers as there are tokens, each of which takes one job after another from the pool.

    With ``one_each`` a worker does one job and no other: for as many jobs as tokens, or fewer.

    Cancellation from outside reaches every worker, and ``Cancelled`` passes on once all have ended.
    """
    return await _Workers(block, pool, one_each).run()


class _Workers:
    __slots__ = ("_block", "_context", "_free", "_free_at", "_one_each", "_pool")

    def __init__(self, block: Block, pool: Pool, one_each: bool) -> None:
        self._block = block
        self._pool = pool
        self._one_each = one_each
        self._context = copy_context()  # that of the block, whatever a job sets in its own
        self._free_at = -1
        self._free = 0  # workers that can take a job in the pass after that

    async def run(self) -> Verdict:
        if self._pool.grows:
            self._block.on_success = self._complete
        return await self._block.run(self._begin)

    async def _begin(self) -> None:
        block = self._block
        started = 0
        while block.tokens.limiter.available_tokens and not block.is_over():
            job = self._take()
            if job is None:
                break
            self._add(job)
            started += 1
            if started % BURST == 0:
                await checkpoint()
        await block.settle()

    def _add(self, job: tuple[int, Any] | None) -> None:
        block, token = self._block, object()
        block.tokens.limiter.acquire_on_behalf_of_nowait(token)
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
                if checked := not block.is_over():
                    await checkpoint_if_cancelled()
            await block.settle()
        except trio.Cancelled:
            if block.passes_on():
                raise
        finally:
            block.end(token)

    def _take(self) -> tuple[int, Any] | None:
        block = self._block
        try:
            return self._pool.take(block.passes.now)
        except BaseException as exc:
            error = error_of(exc)
            if error is None:
                raise
            # The collection failed: the block's own error, which stands where the next item would.
            block.note_failure(block.started + block.running, error, fatal=True)
            return None

    def _complete(self, index: int, now: int) -> None:
        """A job has succeeded: there are workers for those that can be taken since."""
        ready = self._pool.complete(index, now)
        if self._free_at != now:
            self._free_at, self._free = now, 0
        self._free += 1
        while ready > self._free and self._block.tokens.limiter.available_tokens >= 1:
            self._context.copy().run(self._add, None)
            self._free += 1
