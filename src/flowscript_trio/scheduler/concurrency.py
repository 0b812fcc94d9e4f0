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

from ..types.exceptions import is_a, name_of_interrupt
from ..types.results import Cancellation
from .breaking import BreakOut, OnBreak
from .passes import PassCounter
from .policy import INTERRUPTS, Ending, Policy, Tally, Verdict
from .raised import first_of, is_cancelled
from .restoring import BlockLog, Heard
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
        on_cancel: called once, with the pass, when the block cancels what still runs in it.
        on_break: called for each job that is cancelled since one of a lower index broke out of the block.
            None where no job can break out.
        log: the journal of the block; None where the run has none.
    """

    __slots__ = (
        "_breaks",
        "_ended_by_itself",
        "_execute",
        "_heard",
        "_left_by_outside",
        "_nursery",
        "_on_cancel",
        "_outside_first",
        "_tally",
        "cancelled",
        "decided_time",
        "is_settling",
        "log",
        "name",
        "on_restored",
        "on_settled",
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
        log: BlockLog | None = None,
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
        self.log: BlockLog | None = log
        self._heard: Heard | None = None if log is None or not log.ended else Heard(log)
        self.on_restored: Callable[[], None] | None = None
        """Told once all jobs are heard that had ended in an earlier process."""
        self.on_settled: Callable[[], Awaitable[None]] | None = None
        """Told once the rest of a block that an earlier process had begun is cancelled."""
        self.cancelled: bool = False
        self.decided_time: float | None = None  # when it was settled
        self.started: int = 0 if log is None else len(log.compacted)
        self._tally.succeeded = self.started
        self.running: int = 0  # tasks of jobs, and the one that starts them while it does
        self.is_settling: bool = False
        self._ended_by_itself = False  # a job was cancelled after the block had cancelled the rest
        # It was being cancelled from outside when it cancelled the rest itself.
        self._outside_first = False
        self._left_by_outside = False  # a job has let a ``Cancelled`` from outside pass
        self._nursery: trio.Nursery

    @property
    def can_be_broken_out_of(self) -> bool:
        """Whether a job may do that: those below it go on then, though nothing may be known about them."""
        return self._breaks is not None

    @property
    def lowest_break(self) -> int | None:
        """The lowest index of those that broke out of the block."""
        return None if self._breaks is None else self._breaks.lowest

    def broken_by(self, index: int) -> Cancellation | None:
        """What cancels a job that starts although another has broken out of the block."""
        breaks = self._breaks
        return breaks.cancellation if breaks is not None and breaks.takes(index) else None

    def lose(self, error: BaseException) -> None:
        """Keep an error of the collection that came when nothing was asked of it any more."""
        self._tally.lost.append(error)

    def unsurfaced(self, surfacing: BaseException | None) -> list[BaseException]:
        """Errors of the collection that do not surface, since another error or a race goes before."""
        return self._tally.unsurfaced(surfacing)

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
                try:
                    if self._breaks is None:
                        await feed()
                    else:
                        with self._breaks.feeding:
                            await feed()
                except trio.Cancelled:
                    # No job has lost anything: a block that has settled itself, or was broken out of, stays
                    # so, although it is cancelled from outside while its last jobs or its collection end.
                    if not (
                        self.cancelled or (self._breaks and self._breaks.feeding.cancel_called)
                    ):
                        raise
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
        self.on_restored = self.on_settled = None
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
        if self.log is not None and index in self.log.ended:
            return self.log.as_it_was(index, self._execute(index, item, False))
        if self._breaks is None:
            return self._execute(index, item, checked)
        return self._breaks.within(index, self._execute(index, item, False))

    def note(
        self, index: int, signal: Signal | BrokenOff | None, restored_at: int | None = None
    ) -> bool:
        """Take in how a job ended; whether there is something to act on.

        ``restored_at`` is the pass in which it ended in an earlier process.
        """
        if self.log is not None and restored_at is None and index in self.log.ended:
            return self._hear(index, signal)
        if isinstance(signal, BrokenOff):
            return False
        now = self.passes.now if restored_at is None else restored_at
        if isinstance(signal, Failed):
            self.note_failure(index, signal.error, restored_at=restored_at)
        else:
            self._tally.add_success(now, index)
            if self.log is not None and restored_at is None:
                self.log.note_end(index, now, outside=False, cancelled=is_cancelled())
            if self._breaks is not None and isinstance(signal, Break):
                self._breaks.note(index, now)
            elif self.on_success is not None and restored_at is None:
                self.on_success(index, now)
        if self._tally.decided_at is None:
            return self._breaks is not None and self._breaks.lowest is not None
        self._note_time()
        return True

    def note_failure(
        self,
        index: int,
        error: BaseException,
        fatal: bool = False,
        restored_at: int | None = None,
    ) -> None:
        """Take in the error of a job, or a ``fatal`` one of the block itself."""
        now = self.passes.now if restored_at is None else restored_at
        if restored_at is not None:
            assert self.log is not None
            outside = self.log.ended[index].outside
            broken_off = self._is_broken_off(index, now)
        else:
            cancelled = is_cancelled()
            outside = (self._outside_first or not self.cancelled) and cancelled
            broken_off = self._is_broken_off(index, now)
            if self.log is not None and not fatal:
                self.log.note_end(index, now, outside, cancelled or broken_off)
        if broken_off and not fatal and not is_a(error, INTERRUPTS):
            return  # it was being cancelled: on the record, but no failure of the block
        self._tally.add_failure(Ending(now, index, error, fatal, outside))
        self._note_time()

    def _is_broken_off(self, index: int, now: int) -> bool:
        """Whether another job broke out of the block, so that this one was being cancelled."""
        return self._breaks is not None and self._breaks.takes(index) and self.is_over(now)

    def _hear(self, index: int, signal: Signal | BrokenOff | None) -> bool:
        """Take in a job that had ended in an earlier process; all are judged together, by their passes."""
        assert self._heard is not None
        if not isinstance(signal, (Failed, Break, BrokenOff)) and self.on_success is not None:
            self.on_success(index, self.passes.now)
        if not self._heard.add(index, signal):
            return False
        heard, self._heard = self._heard, None
        for at, each, ending in heard.in_order():
            self.note(each, ending, restored_at=at)
        if self.on_restored is not None:
            self.on_restored()
        return self._tally.decided_at is not None or self.lowest_break is not None

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

    @enable_ki_protection
    async def finish(self, job: tuple[int, Any]) -> None:
        """A task that ends what an earlier process had begun; without a token: at most as many had begun."""
        try:
            if self.note(job[0], await self.do(*job)):
                await self.settle()
        except trio.Cancelled:
            if self.passes_on():
                raise
        finally:
            self.running -= 1

    # ---- what settles the block ----

    def is_over(self, now: int | None = None) -> bool:
        """Whether no job may be started any more: settled, or broken out of, in an earlier pass than ``now``."""
        if self._heard is not None:
            return False
        settled = self._tally.decided_at
        if settled is None:
            if self._breaks is None:
                return False
            settled = self._breaks.at
        return settled is not None and settled < (self.passes.now if now is None else now)

    async def settle(self) -> None:
        """Act, in the pass after it fell, on what was decided. Cannot be cancelled."""
        if self.is_settling or self._heard is not None:
            return
        if self._tally.decided_at is not None:
            self.is_settling = True
            if await self._others_are_left():
                if self.log is not None:
                    ending = self._tally.decisive()
                    await self.log.decide(ending.index, ending.at, self._reason(ending))
                self._cancel_all()
                if self.on_settled is not None:
                    await self.on_settled()
        elif self._breaks is not None and self._breaks.is_due() and await self._others_are_left():
            if self.log is not None and self._breaks.lowest is not None:
                at = self.passes.now if self._breaks.at is None else self._breaks.at
                reason = f"{self.name(self._breaks.lowest)} broke out of the loop"
                await self.log.decide(self._breaks.lowest, at, reason, is_break=True)
            self._breaks.cancel_higher(self.name)
            if self.on_settled is not None:
                await self.on_settled()

    async def _others_are_left(self) -> bool:
        """Let this pass end, unless nothing but this task is left; whether others still run then."""
        if self.running > 1 or self.on_settled is not None:
            await cancel_shielded_checkpoint()
        return self.running > 1 or self.on_settled is not None

    def _cancel_all(self) -> None:
        ending = self._tally.decisive()
        reason = self._reason(ending)
        self._outside_first = is_cancelled()
        self.cancelled = True
        by = self.name(ending.index)
        self._on_cancel(Cancellation(by, reason, trio.current_time()), self.passes.now)
        self._nursery.cancel_scope.cancel(reason)

    def _reason(self, ending: Ending) -> str:
        by = self.name(ending.index)
        if ending.error is None:
            return f"{by} completed the race"
        return f"{by} failed: {name_of_interrupt(ending.error)}"
