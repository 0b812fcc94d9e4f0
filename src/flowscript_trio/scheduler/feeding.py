"""Owns how a block is fed by an async iterator: a task for each item, once there is a token for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import trio
from trio.lowlevel import enable_ki_protection

from .concurrency import Block
from .policy import Verdict
from .raised import error_of
from .restoring import BlockLog, KnownPool, RestoringPool
from .workers import RestoringWorkers


async def run_each_async(block: Block, items: AsyncIterator[Any], start: int = 0) -> Verdict:
    """One task a job: the token is taken first, on behalf of the job, and then the iterator is asked for the item.

    ``start`` is the index of its first item. Of a block that an earlier process had begun, the items that were
    begun are fetched before all else.

    Cancellation from outside reaches every job, and ``Cancelled`` passes on once all have ended.
    """
    tokens, log = block.tokens, block.log

    async def feed() -> None:
        index = start
        if log is not None and (known := {*log.ended, *log.begun}):
            index = await _restore(block, items, log, start, max(known) + 1)
        while True:
            token = object()
            await tokens.take(token)
            try:
                item = await anext(items)
            except BaseException as exc:
                tokens.give_back(token)
                if isinstance(exc, StopAsyncIteration):
                    return
                error = error_of(exc)
                if error is None:
                    raise
                block.note_failure(index, error, fatal=True)
                break
            if log is not None and index in log.compacted:
                tokens.give_back(token)
                index += 1
                continue
            if block.is_over():
                tokens.give_back(token)
                return
            block.start(_job, block, token, index, item, name=block.name(index))
            index += 1
        await block.settle()

    return await block.run(feed)


async def _restore(
    block: Block, items: AsyncIterator[Any], log: BlockLog, start: int, stop: int
) -> int:
    """Do again what had begun; returns once all that had ended are heard, with the next index."""
    jobs: list[tuple[int, Any]] = []
    for index in range(start, stop):
        try:
            item = await anext(items)
        except StopAsyncIteration:
            stop = index
            break
        if index not in log.compacted:
            jobs.append((index, item))
    await RestoringWorkers(block, RestoringPool(KnownPool(jobs), log)).begin()
    return stop


@enable_ki_protection
async def _job(block: Block, token: object, index: int, item: Any) -> None:
    """A task that does one job."""
    try:
        if not block.is_over() and block.note(index, await block.do(index, item)):
            await block.settle()
    except trio.Cancelled:
        if block.passes_on():
            raise
    finally:
        block.end(token)
