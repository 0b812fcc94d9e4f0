"""Owns how a block is fed by an async iterator: a task for each item, once there is a token for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import trio
from trio.lowlevel import cancel_shielded_checkpoint, enable_ki_protection

from ..types.durable import Diverged
from ..types.exceptions import is_a
from .concurrency import Block
from .policy import Verdict
from .raised import error_of
from .restoring import BlockLog


async def run_each_async(block: Block, items: AsyncIterator[Any], start: int = 0) -> Verdict:
    """One task a job: the token is taken first, on behalf of the job, and then the iterator is asked for the item.

    ``start`` is the index of its first item. What an earlier process had compacted is passed over.

    Cancellation from outside reaches every job, and ``Cancelled`` passes on once all have ended.
    """
    log = block.log
    if log is not None and (log.ended or log.begun):
        return await _RestoringFeed(block, items, log, start).run()
    return await block.run(partial(feed_from, block, items, start))


async def feed_from(block: Block, items: AsyncIterator[Any], index: int) -> None:
    """Start a job for each item, the first at that index, until there is none or the block is over.

    Items whose jobs an earlier process has done and compacted are passed over.
    """
    tokens, done = block.tokens, None if block.log is None else block.log.compacted
    while True:
        token = object()
        await tokens.take(token)
        try:
            item = await anext(items)
        except BaseException as exc:
            tokens.give_back(token)
            if is_a(exc, StopAsyncIteration):
                return
            error = error_of(exc)
            if error is None:
                raise
            block.note_failure(index, error, fatal=True)
            break
        if done and index in done:
            tokens.give_back(token)
            index += 1
            continue
        if block.is_over():
            tokens.give_back(token)
            return
        block.start(do_job, block, token, index, item, name=block.name(index))
        index += 1
    await block.settle()


@enable_ki_protection
async def do_job(block: Block, token: object, index: int, item: Any) -> None:
    """A task that does one job."""
    try:
        if not block.is_over() and block.note(index, await block.do(index, item)):
            await block.settle()
    except trio.Cancelled:
        if block.passes_on():
            raise
    finally:
        block.end(token)


class _RestoringFeed:
    """Feeds a block that an earlier process had begun: what had ended first, then what had begun, then the rest.

    The items up to the last one that anything is known about are asked for at once, whatever is cancelled around:
    what had ended ends so again, and what had begun meets the cancellation itself, and cleans up.
    """

    def __init__(self, block: Block, items: AsyncIterator[Any], log: BlockLog, start: int) -> None:
        self._block = block
        self._items = items
        self._log = log
        self._start_at = start
        self._known = 1 + max((*log.ended, *log.begun))
        self._begun: list[tuple[int, Any]] = []  # of those that are known, what had not ended
        self._heard = trio.Event()

    async def run(self) -> Verdict:
        block, log = self._block, self._log
        if log.ended:
            block.on_restored = self._heard.set
            if block.can_be_broken_out_of or any(index not in log.ended for index in log.begun):
                block.on_settled = self._unwind
        return await block.run(self._feed)

    async def _feed(self) -> None:
        block = self._block
        await self._log.shielded(self._restore())
        if not block.is_over():  # else whoever has heard the last one settles it
            await feed_from(block, self._items, max(self._known, self._start_at))

    async def _restore(self) -> None:
        block, log = self._block, self._log
        for index in range(self._start_at, self._known):
            item = await self._next(index)
            if index in log.compacted:
                continue
            if index in log.ended:
                await self._start(index, item)
            else:
                self._begun.append((index, item))
        if log.ended:
            await self._heard.wait()
        if block.is_over():
            return
        block.on_settled = None
        for job in self._begun:
            await self._start(*job)
        self._begun = []

    async def _next(self, index: int) -> Any:
        try:
            return await anext(self._items)
        except StopAsyncIteration:
            pass
        raise Diverged(
            f"the collection ended after {index} items, and {self._block.name(index)} had begun before the crash"
        )

    async def _start(self, index: int, item: Any) -> None:
        block, token = self._block, object()
        await block.tokens.take(token)
        block.start(do_job, block, token, index, item, name=block.name(index))

    async def _unwind(self) -> None:
        """What had begun in a settled block ends: it cleans up. What is below one that broke out goes on."""
        block = self._block
        block.on_settled = None
        await cancel_shielded_checkpoint()
        lowest = None if block.cancelled else block.lowest_break
        for job in self._begun:
            if job[0] in self._log.begun or (lowest is not None and job[0] < lowest):
                block.start(block.finish, job, name=block.name(job[0]))
