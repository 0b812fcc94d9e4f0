"""Owns one block: its nursery, its jobs, and when the rest of them is cancelled.

A block runs *jobs*: it knows thunks, not nodes. A job's error comes back as a value and never through the
nursery, so that it is untouched when it surfaces. What settles a block is collected for the whole of the
scheduler's pass in which it happened and acted upon in the next one: every error of that pass is known by
then, in whatever order trio ran the tasks of the pass. And a job starts in a pass that follows from the
passes in which others ended, never from their order within one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any

import trio
from trio.lowlevel import (
    cancel_shielded_checkpoint,
    checkpoint,
    checkpoint_if_cancelled,
    enable_ki_protection,
)

from ..types.results import Cancellation
from .passes import PassCounter
from .policy import INTERRUPTS, Ending, Policy, Tally, Verdict
from .pools import Pool
from .raised import error_of, first_of, is_cancelled
from .signals import Break, BrokenOff, Failed, Signal
from .tokens import BURST, Tokens

Execute = Callable[[int, Any], Awaitable[Signal | None]]


class Block:
    """The jobs of one nursery.

    Args:
        execute: the thunk of a job, called with its index and item; None is success. It must let
            ``Cancelled`` pass.
        name: the path of a job by its index, for the record of who cancelled whom.
        policy: what settles the block.
        limit: how many jobs may exist as tasks at once.
        passes: the counter of the scheduler's passes.
        on_cancel: told once, with the pass, when the block cancels what still runs in it.
        on_break: told for each job that is cancelled since one of a lower index broke out of the block.
            None where no job can break out.
    """

    __slots__ = (
        "_acted_on_break",
        "_broke_at",
        "_ended_by_itself",
        "_execute",
        "_free",
        "_free_at",
        "_left_by_outside",
        "_name",
        "_nursery",
        "_on_break",
        "_on_cancel",
        "_outside_first",
        "_passes",
        "_pool",
        "_running",
        "_scopes",
        "_settling",
        "_spawner",
        "_tally",
        "_tokens",
        "cancelled",
        "decided_time",
        "lowest_break",
        "started",
    )

    def __init__(
        self,
        execute: Execute,
        name: Callable[[int], str],
        policy: Policy,
        limit: float,
        passes: PassCounter,
        on_cancel: Callable[[Cancellation, int], None],
        on_break: Callable[[int, Cancellation], None] | None = None,
    ) -> None:
        self._execute = execute
        self._name = name
        self._tally = Tally(policy)
        self._tokens = Tokens(limit, passes)
        self._passes = passes
        self._on_cancel = on_cancel
        self._on_break = on_break
        self.cancelled: bool = False
        self.decided_time: float | None = None  # when it was settled
        self._ended_by_itself = False  # a job was cancelled after the block had cancelled the rest
        # It was being cancelled from outside when it cancelled the rest itself.
        self._outside_first = False
        self._left_by_outside = False  # a job has let a ``Cancelled`` from outside pass
        self.started: int = 0
        self.lowest_break: int | None = None
        self._broke_at: int | None = None  # the pass of the first break
        self._acted_on_break = False
        self._pool: Pool | None = None
        self._free_at = -1
        self._free = 0  # workers that can take a job in the pass after that
        self._running = 0  # tasks of jobs, and the one that starts them while it does
        self._settling = False
        self._scopes: dict[int, trio.CancelScope] = {}
        self._nursery: trio.Nursery
        self._spawner: trio.CancelScope | None = None

    @property
    def succeeded(self) -> int:
        """How many jobs have succeeded."""
        return self._tally.succeeded

    def so_far(self) -> Verdict:
        """The verdict over what has ended, where the rest is given up."""
        return self._tally.so_far()

    # ---- three ways to feed a block ----

    async def run_each(self, items: Iterable[Any]) -> Verdict:
        """One task a job: the token is taken first, on behalf of the job, and then the job is started.

        Cancellation from outside reaches every job, and ``Cancelled`` passes on once all have ended.
        """

        async def spawn() -> None:
            for index, item in enumerate(items):
                token = object()
                await self._tokens.take(token)
                if self._is_over():
                    self._tokens.give_back(token)
                    return
                self._start(self._job, token, index, item, name=self._name(index))

        return await self._run(spawn)

    async def run_each_async(self, items: AsyncIterator[Any]) -> Verdict:
        """As :meth:`run_each` over an async iterator, which is asked for an item once there is a token."""

        async def spawn() -> None:
            index = 0
            while True:
                token = object()
                await self._tokens.take(token)
                try:
                    item = await anext(items)
                except BaseException as exc:
                    self._tokens.give_back(token)
                    if isinstance(exc, StopAsyncIteration):
                        return
                    error = error_of(exc)
                    if error is None:
                        raise
                    self._note_failure(index, error, fatal=True)
                    break
                if self._is_over():
                    self._tokens.give_back(token)
                    return
                self._start(self._job, token, index, item, name=self._name(index))
                index += 1
            await self._settle()

        return await self._run(spawn)

    async def run_pool(self, pool: Pool) -> Verdict:
        """As many workers as there are tokens, each of which takes one job after another."""
        self._pool = pool

        async def spawn() -> None:
            started = 0
            while self._tokens.limiter.available_tokens and not self._is_over():
                job = self._take(pool)
                if job is None:
                    break
                self._add_worker(pool, job)
                started += 1
                if started % BURST == 0:
                    await checkpoint()
            await self._settle()

        return await self._run(spawn)

    # ---- the nursery and its tasks ----

    @enable_ki_protection
    async def _run(self, spawn: Callable[[], Awaitable[None]]) -> Verdict:
        self._running = 1
        raised: BaseException | None = None
        try:
            async with trio.open_nursery() as nursery:
                self._nursery = nursery
                if self._on_break is None:
                    await spawn()
                else:
                    with trio.CancelScope() as self._spawner:
                        await spawn()
                self._running -= 1
            if self._ended_by_itself:
                await checkpoint_if_cancelled()  # that may have been more than its own cancellation
        except BaseException as exc:
            # Looked at outside of the handler, so that no error gets a context from here.
            raised = exc
        if raised is not None:
            raised = first_of(raised)
        try:
            if raised is not None and not isinstance(raised, trio.Cancelled):
                raise raised
            verdict = self._tally.conclude(self.started, cancelled=raised is not None)
            if verdict is None:
                assert raised is not None
                raise raised
            return verdict
        finally:
            del raised  # its traceback has this frame: they would wait for the garbage collector

    def _start(self, run: Callable[..., Awaitable[None]], *args: Any, name: str) -> None:
        self._running += 1
        self._nursery.start_soon(run, *args, name=name)

    def _add_worker(self, pool: Pool, job: tuple[int, Any] | None) -> None:
        token = object()
        self._tokens.limiter.acquire_on_behalf_of_nowait(token)
        self._start(self._worker, token, pool, job, name=self._name(0 if job is None else job[0]))

    @enable_ki_protection
    async def _job(self, token: object, index: int, item: Any) -> None:
        """A task that does one job."""
        try:
            if not self._is_over() and self._note(index, await self._do(index, item)):
                await self._settle()
        except trio.Cancelled:
            if self._passes_on():
                raise
        finally:
            self._end(token)

    @enable_ki_protection
    async def _worker(self, token: object, pool: Pool, job: tuple[int, Any] | None) -> None:
        """A task that does one job after another, each in a later pass than the one before."""
        try:
            while not self._is_over():
                job = job or self._take(pool)
                if job is not None:
                    if self._note(job[0], await self._do(*job)):
                        await self._settle()
                    job = None
                elif not pool.has_more():
                    break
                if self._settling or pool.is_spent():
                    break
                # A checkpoint, but one that knows what the others did in this pass.
                await cancel_shielded_checkpoint()
                if not self._is_over():
                    await checkpoint_if_cancelled()
            await self._settle()
        except trio.Cancelled:
            if self._passes_on():
                raise
        finally:
            self._end(token)

    def _do(self, index: int, item: Any) -> Awaitable[Signal | BrokenOff | None]:
        """A job's work, to be awaited; in a scope of its own where another job can break out of the block."""
        self.started += 1
        return self._execute(index, item) if self._on_break is None else self._within(index, item)

    async def _within(self, index: int, item: Any) -> Signal | BrokenOff | None:
        with trio.CancelScope() as scope:
            self._scopes[index] = scope
            try:
                return await self._execute(index, item)
            finally:
                del self._scopes[index]
        return BrokenOff()

    def _note(self, index: int, signal: Signal | BrokenOff | None) -> bool:
        """Take in how a job ended; whether there is something to act on."""
        if isinstance(signal, BrokenOff):
            return False
        if isinstance(signal, Failed):
            self._note_failure(index, signal.error)
        else:
            self._note_success(index, signal)
        if self._tally.decided_at is None:
            return self.lowest_break is not None
        self._note_time()
        return True

    def _note_time(self) -> None:
        if self.decided_time is None and self._tally.decided_at is not None:
            self.decided_time = trio.current_time()

    def _passes_on(self) -> bool:
        """Whether the ``Cancelled`` that ends a job is to leave the block.

        The first one that came from outside is. Each further one would keep its frames until the last job
        has ended.
        """
        if self.cancelled:
            self._ended_by_itself = True
            return False
        first, self._left_by_outside = not self._left_by_outside, True
        return first

    def _end(self, token: object) -> None:
        self._running -= 1
        self._tokens.give_back(token)

    def _take(self, pool: Pool) -> tuple[int, Any] | None:
        try:
            return pool.take(self._passes.now)
        except BaseException as exc:
            error = error_of(exc)
            if error is None:
                raise
            # The collection failed: the block's own error, which stands where the next item would.
            self._note_failure(self.started + self._running, error, fatal=True)
            return None

    # ---- what settles the block ----

    def _is_over(self) -> bool:
        """Whether no job may be started any more: settled, or broken out of, in an earlier pass."""
        settled = self._tally.decided_at
        if settled is None:
            settled = self._broke_at
        return settled is not None and settled < self._passes.now

    def _note_failure(self, index: int, error: BaseException, fatal: bool = False) -> None:
        broken_off = self.lowest_break is not None and index > self.lowest_break and self._is_over()
        if broken_off and not fatal and not isinstance(error, INTERRUPTS):
            return  # it was being cancelled: on the record, but no failure of the block
        outside = (self._outside_first or not self.cancelled) and is_cancelled()
        self._tally.add_failure(Ending(self._passes.now, index, error, fatal, outside))
        self._note_time()

    def _note_success(self, index: int, signal: Signal | None) -> None:
        now = self._passes.now
        self._tally.add_success(now, index)
        if isinstance(signal, Break):
            if self.lowest_break is None or index < self.lowest_break:
                self.lowest_break = index
                self._acted_on_break = False
            if self._broke_at is None:
                self._broke_at = now
        elif self._pool is not None:
            ready = self._pool.complete(index, now)
            if self._free_at != now:
                self._free_at, self._free = now, 0
            self._free += 1
            while ready > self._free and self._tokens.limiter.available_tokens >= 1:
                self._add_worker(self._pool, None)
                self._free += 1

    async def _settle(self) -> None:
        """Act, in the pass after it fell, on what was decided. Cannot be cancelled."""
        if self._settling:
            return
        if self._tally.decided_at is not None:
            self._settling = True
            if await self._others_are_left():
                self._cancel_all()
        elif self.lowest_break is not None and not self._acted_on_break:
            self._acted_on_break = True
            if await self._others_are_left():
                self._cancel_higher()

    async def _others_are_left(self) -> bool:
        """Let this pass end, unless nothing but this task is left; whether others still run then."""
        if self._running > 1:
            await cancel_shielded_checkpoint()
        return self._running > 1

    def _cancel_all(self) -> None:
        ending = self._tally.decisive()
        by = self._name(ending.index)
        if ending.error is None:
            reason = f"{by} completed the race"
        else:
            reason = f"{by} failed: {type(ending.error).__name__}"
        self._outside_first = is_cancelled()
        self.cancelled = True
        self._on_cancel(Cancellation(by, reason, trio.current_time()), self._passes.now)
        self._nursery.cancel_scope.cancel(reason)

    def _cancel_higher(self) -> None:
        assert self.lowest_break is not None
        assert self._on_break is not None
        by = self._name(self.lowest_break)
        cancellation = Cancellation(by, f"{by} broke out of the loop", trio.current_time())
        if self._spawner is not None:
            self._spawner.cancel(cancellation.reason)
        for index, scope in self._scopes.items():
            if index > self.lowest_break and not scope.cancel_called:
                self._on_break(index, cancellation)
                scope.cancel(cancellation.reason)
