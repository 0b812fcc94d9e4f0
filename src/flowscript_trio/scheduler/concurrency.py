"""Owns one block: its nursery, its jobs, and when the rest of them is cancelled.

A block runs *jobs*: it knows thunks, not nodes. A job's error comes back as a value and never through the
nursery, so that it is untouched when it surfaces. What settles a block is collected for the whole of the
scheduler's pass in which it happened and acted upon in the next one: every error of that pass is known by
then, in whatever order trio ran the tasks of the pass. And a job starts in a pass that follows from the
passes in which others ended, never from their order within one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import trio
from trio.lowlevel import cancel_shielded_checkpoint, checkpoint_if_cancelled, enable_ki_protection

from ..types.exceptions import class_name, is_a
from ..types.results import Cancellation
from .breaking import BreakOut, OnBreak
from .passes import PassCounter
from .policy import INTERRUPTS, Ending, Policy, Tally, Verdict
from .raised import first_of, is_cancelled
from .signals import Break, BrokenOff, Failed, Signal
from .tokens import Tokens

Execute = Callable[[int, Any, bool], Awaitable[Signal | None]]


class Block:
    """The jobs of one nursery. :func:`run_pool` and :func:`run_each_async` feed it.

    Args:
        execute: the thunk of a job, called with its index, its item, and whether a cancellation was looked
            for just before; None is success. It must let ``Cancelled`` pass.
        name: the path of a job by its index, for the record of who cancelled whom.
        policy: what settles the block.
        limit: how many jobs may exist as tasks at once.
        passes: the counter of the scheduler's passes.
        on_cancel: told once, with the pass, when the block cancels what still runs in it.
        on_break: told for each job that is cancelled since one of a lower index broke out of the block.
            None where no job can break out.
    """

    __slots__ = (
        "_breaks",
        "_ended_by_itself",
        "_execute",
        "_left_by_outside",
        "_nursery",
        "_on_cancel",
        "_outside_first",
        "_tally",
        "cancelled",
        "decided_time",
        "is_settling",
        "name",
        "on_success",
        "passes",
        "running",
        "started",
        "tokens",
    )

    def __init__(
        self,
        execute: Execute,
        name: Callable[[int], str],
        policy: Policy,
        limit: float,
        passes: PassCounter,
        on_cancel: Callable[[Cancellation, int], None],
        on_break: OnBreak | None = None,
    ) -> None:
        self._execute = execute
        self._tally = Tally(policy)
        self._on_cancel = on_cancel
        self._breaks = None if on_break is None else BreakOut(on_break)
        self.name: Callable[[int], str] = name
        self.passes: PassCounter = passes
        self.tokens: Tokens = Tokens(limit, passes)
        self.on_success: Callable[[int, int], None] | None = None
        """Told of each job that succeeded, and in which pass."""
        self.cancelled: bool = False
        self.decided_time: float | None = None  # when it was settled
        self.started: int = 0
        self.running: int = 0  # tasks of jobs, and the one that starts them while it does
        self.is_settling: bool = False
        self._ended_by_itself = False  # a job was cancelled after the block had cancelled the rest
        # It was being cancelled from outside when it cancelled the rest itself.
        self._outside_first = False
        self._left_by_outside = False  # a job has let a ``Cancelled`` from outside pass
        self._nursery: trio.Nursery

    @property
    def succeeded(self) -> int:
        """How many jobs have succeeded."""
        return self._tally.succeeded

    @property
    def lowest_break(self) -> int | None:
        """The lowest index of those that broke out of the block."""
        return None if self._breaks is None else self._breaks.lowest

    def so_far(self) -> Verdict:
        """The verdict over what has ended, where the rest is given up."""
        return self._tally.so_far()

    # ---- the nursery and its tasks ----

    @enable_ki_protection
    async def run(self, feed: Callable[[], Awaitable[None]]) -> Verdict:
        """Open the nursery, start the jobs by ``feed``, and judge the block once all have ended.

        Cancellation from outside reaches every job, and ``Cancelled`` passes on once all have ended.
        """
        self.running = 1
        raised: BaseException | None = None
        try:
            async with trio.open_nursery() as nursery:
                self._nursery = nursery
                if self._breaks is None:
                    await feed()
                else:
                    with self._breaks.feeding:
                        await feed()
                self.running -= 1
            if self._ended_by_itself:
                await checkpoint_if_cancelled()  # that may have been more than its own cancellation
        except BaseException as exc:
            # Looked at outside of the handler, so that no error gets a context from here.
            raised = exc
        if raised is not None:
            raised = first_of(raised)
        try:
            if raised is not None and not is_a(raised, trio.Cancelled):
                raise raised
            verdict = self._tally.conclude(self.started, cancelled=raised is not None)
            if verdict is None:
                assert raised is not None
                raise raised
            return verdict
        finally:
            del raised  # its traceback has this frame: they would wait for the garbage collector
            self._let_go()

    def _let_go(self) -> None:
        """Forget who was called: they have the block, and all that they saw would wait for the collector too."""
        del self._execute, self._on_cancel
        self.on_success = None
        if self._breaks is not None:
            self._breaks.let_go()

    def start(self, run: Callable[..., Awaitable[None]], *args: Any, name: str) -> None:
        """Start a task, which must :meth:`end`."""
        self.running += 1
        self._nursery.start_soon(run, *args, name=name)

    def do(
        self, index: int, item: Any, checked: bool = False
    ) -> Awaitable[Signal | BrokenOff | None]:
        """A job's work, to be awaited; in a scope of its own where another job can break out of the block.

        ``checked``: a cancellation was looked for just before.
        """
        self.started += 1
        if self._breaks is None:
            return self._execute(index, item, checked)
        return self._breaks.within(index, self._execute(index, item, False))

    def note(self, index: int, signal: Signal | BrokenOff | None) -> bool:
        """Take in how a job ended; whether there is something to act on."""
        if isinstance(signal, BrokenOff):
            return False
        if isinstance(signal, Failed):
            self.note_failure(index, signal.error)
        else:
            now = self.passes.now
            self._tally.add_success(now, index)
            if self._breaks is not None and isinstance(signal, Break):
                self._breaks.note(index, now)
            elif self.on_success is not None:
                self.on_success(index, now)
        if self._tally.decided_at is None:
            return self._breaks is not None and self._breaks.lowest is not None
        self._note_time()
        return True

    def note_failure(self, index: int, error: BaseException, fatal: bool = False) -> None:
        """Take in the error of a job, or a ``fatal`` one of the block itself."""
        broken_off = self._breaks is not None and self._breaks.takes(index) and self.is_over()
        if broken_off and not fatal and not is_a(error, INTERRUPTS):
            return  # it was being cancelled: on the record, but no failure of the block
        outside = (self._outside_first or not self.cancelled) and is_cancelled()
        self._tally.add_failure(Ending(self.passes.now, index, error, fatal, outside))
        self._note_time()

    def _note_time(self) -> None:
        if self.decided_time is None and self._tally.decided_at is not None:
            self.decided_time = trio.current_time()

    def passes_on(self) -> bool:
        """Whether the ``Cancelled`` that ends a job is to leave the block.

        The first one that came from outside is. Each further one would keep its frames until the last job
        has ended.
        """
        if self.cancelled:
            self._ended_by_itself = True
            return False
        first, self._left_by_outside = not self._left_by_outside, True
        return first

    def end(self, token: object) -> None:
        """A task has ended: its token is given back."""
        self.running -= 1
        self.tokens.give_back(token)

    # ---- what settles the block ----

    def is_over(self) -> bool:
        """Whether no job may be started any more: settled, or broken out of, in an earlier pass."""
        settled = self._tally.decided_at
        if settled is None:
            if self._breaks is None:
                return False
            settled = self._breaks.at
        return settled is not None and settled < self.passes.now

    async def settle(self) -> None:
        """Act, in the pass after it fell, on what was decided. Cannot be cancelled."""
        if self.is_settling:
            return
        if self._tally.decided_at is not None:
            self.is_settling = True
            if await self._others_are_left():
                self._cancel_all()
        elif self._breaks is not None and self._breaks.is_due() and await self._others_are_left():
            self._breaks.cancel_higher(self.name)

    async def _others_are_left(self) -> bool:
        """Let this pass end, unless nothing but this task is left; whether others still run then."""
        if self.running > 1:
            await cancel_shielded_checkpoint()
        return self.running > 1

    def _cancel_all(self) -> None:
        ending = self._tally.decisive()
        by = self.name(ending.index)
        error = ending.error
        reason = (
            f"{by} completed the race" if error is None else f"{by} failed: {class_name(error)}"
        )
        self._outside_first = is_cancelled()
        self.cancelled = True
        self._on_cancel(Cancellation(by, reason, trio.current_time()), self.passes.now)
        self._nursery.cancel_scope.cancel(reason)
