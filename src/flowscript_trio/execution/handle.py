"""Owns a run as its caller sees it: what it came to, while it runs and after."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

import trio

from ..program.compiled import Program
from ..scheduler.policy import INTERRUPTS, first_to_surface
from ..scheduler.raised import interrupt_held_back
from ..scheduler.signals import Failed, Signal
from ..types.events import RunEnded, RunStarted, RunWarning
from ..types.exceptions import is_a
from ..types.looking import summary_of
from ..types.results import Cancellation, NodeResult, RunStatus
from ..types.storing import CannotKeep
from .context import RunContext
from .contexts import InContext
from .documents import walk_document
from .executor import Executor
from .failures import attach_failure, raise_untouched
from .frame import Frame
from .marks import note
from .record import Record, Warned
from .regions import Region
from .state import State
from .stream import EventStream

if TYPE_CHECKING:
    from .durable.recorder import Recorder


class Run:
    """One run of a workflow.

    ``output`` is what it returned, None until then. ``status`` is None while it runs, then ``completed``,
    ``failed``, ``cancelled``, or ``suspended`` where this process has left it. ``duration`` is in seconds of
    trio's clock: of a run with a store, all the time in which a process was at work on it. ``elapsed`` is all that
    has passed since it began, by the wall clock where it has a store.
    """

    def __init__(
        self,
        program: Program,
        context: RunContext,
        state: State,
        timeout: float | None,
        max_concurrency: float,
    ) -> None:
        self.name: str = program.document.name
        self.output: Any = None
        self.status: RunStatus | None = None
        self.error: BaseException | None = None
        self.duration: float | None = None
        self.elapsed: float | None = None
        self._program = program
        self._context = context
        self._state = state
        self._timeout = timeout
        self._max_concurrency = max_concurrency
        self._scope = trio.CancelScope()
        self._region = Region(None, "")
        self._done = trio.Event()
        self._origin: NodeResult | None = None  # the execution that the error left first
        self._interrupt: BaseException | None = (
            None  # what surfaces in the place of everything else
        )
        self._raised = False
        self._is_over = False  # nothing is left to cancel: its last event is about to be sent
        self._streams: list[EventStream] = []

    @property
    def id(self) -> str:
        """Its id, by which a store and a folder of records know it."""
        return self._context.id

    @property
    def record(self) -> Record:
        """Every execution of every node, each under its path; who cancelled whom; warnings."""
        return self._context.record

    @property
    def results(self) -> Mapping[str, NodeResult]:
        """The last result of each node, by its id."""
        return self._context.record.latest

    @property
    def warnings(self) -> list[Warned]:
        """The warnings of the run in order of time, each with the path of its node and a message."""
        return self._context.record.warnings

    @property
    def shown_output(self) -> Any:
        """What the run returned, without secrets."""
        return self._context.shown(self.output)

    def cancel(self, reason: str = "the run was cancelled by its handle") -> None:
        """Cancel the run; its status will be ``cancelled``, and no error is raised for it.

        One that has ended, or is about to say so in its last event, stays as it is.
        """
        if self._is_over:
            return
        if (masker := self._context.masker) is not None:
            reason = masker.text(reason)
        if self._region.cancellation is None:
            cancellation = Cancellation(None, reason, trio.current_time())
            self._region.cancel(cancellation, self._context.passes.now)
            self._context.note_cancellation("", cancellation)
        self._scope.cancel(reason)

    def events(self, room: int = 1000) -> EventStream:
        """A stream of the events from now on; beyond ``room`` unread ones, events are dropped and counted.

        Cancelling whoever reads it leaves the run alone.
        """
        stream = EventStream(room)
        if self._done.is_set():
            stream.end()
        else:
            self._streams.append(stream)
            self._context.observers = (*self._context.observers, stream)
        return stream

    async def wait(self) -> None:
        """Wait until the run has ended; raises its error, bare, the first time.

        Cancelling the wait leaves the run alone.
        """
        await self._done.wait()
        self.raise_error()

    def raise_error(self) -> None:
        """Raise the error of a run that failed, unless it was raised before."""
        if self.error is not None and self.claim_error():
            raise_untouched(self.error)

    def claim_error(self) -> bool:
        """Whether there is an error that nobody has raised; if so, the caller is to raise it."""
        is_mine = self.error is not None and not self._raised
        self._raised = self._raised or is_mine
        return is_mine

    @trio.lowlevel.enable_ki_protection
    async def walk(self) -> None:
        """Run to the end; an error is kept in ``error``, ``Cancelled`` and interrupts pass through."""
        try:
            # What observers set for the run ends with it, as what they set for a node ends with that.
            walk = self._walk_watched()
            await (InContext(walk, copy_context()) if self._context.observers else walk)
        finally:
            self._done.set()  # last: the caller of the run is to raise its error before whoever waits for it

    async def _walk_watched(self) -> None:
        if self._context.watchdog is None:
            await self._walk_attended()
            return
        from ..watchdog.nodes import watching_nodes  # only a run that asks for it needs it

        with watching_nodes(self._context, self._context.watchdog):
            await self._walk_attended()

    def _walk_attended(self) -> Awaitable[None]:
        """The walk; that of a durable run with what has to be listened to meanwhile."""
        recorder = self._context.recorder
        if recorder is None:
            return self._walk_to_the_end()
        from .durable.attending import attended  # only a run with a store needs it

        return attended(recorder, self._walk_to_the_end, self.cancel)

    async def _walk_to_the_end(self) -> None:
        context = self._context
        context.give_up = self.cancel
        if context.recorder is not None:
            context.recorder.leaving.give_up = self.cancel
            if (cancelling := context.recorder.past.cancelling) is not None:
                self.cancel(cancelling.reason)
            elif (wish := context.recorder.inbox.wish) is not None:
                self.cancel(wish)
            if context.recorder.leaving.is_left:
                self.cancel(context.recorder.leaving.REASON)
        if context.spending is not None:
            context.spending.cancel = self.cancel
            context.spending.begin()
        started = trio.current_time()
        if context.observers:
            context.notify(RunStarted(time=started, path="", run_id=context.id, name=self.name))
            context.open_resources_here()
            for noted in tuple(context.record.warnings):  # while it was prepared
                context.notify(RunWarning(time=started, path=noted.path, message=noted.message))
        status: RunStatus = "cancelled"
        try:
            with self._scope:
                walk = self._walk()
                if context.recorder is not None and context.spending is not None:
                    from .durable.budgets import on_disk_first

                    walk = on_disk_first(
                        context.recorder, context.spending, self._region, self.cancel, walk
                    )
                signal = await walk
                if not isinstance(signal, Failed):
                    status = "completed"
                elif is_a(signal.error, INTERRUPTS):
                    self._yield_to(signal.error)
                else:
                    status, self.error, self._origin = "failed", signal.error, signal.origin
        finally:
            await self._end(status, started)
            if self._interrupt is not None:
                raise_untouched(self._interrupt)

    def _yield_to(self, interrupt: BaseException) -> RunStatus:
        """What the status is where an interrupt came, from wherever: it surfaces, and no error beside it."""
        known = self._interrupt
        self._interrupt = interrupt if known is None else first_to_surface([known, interrupt])
        self.error = self._origin = None
        return "cancelled"

    async def _walk(self) -> Signal | None:
        executor = Executor(self._program, self._context, self._max_concurrency)
        frame = Frame(self._state, "", self._region, self._state.value("input"))
        signal = await walk_document(executor, frame, self._timeout, is_run=True)
        if not isinstance(signal, Failed):
            self.output = frame.output
        return signal

    async def _end(self, status: RunStatus, started: float) -> None:
        """Close what the run had open, and settle what it came to."""
        context = self._context
        if context.limits is not None:
            context.limits.end()
        if context.has_resources or context.recorder is not None:
            interrupt = await interrupt_held_back()
            status = status if interrupt is None else self._yield_to(interrupt)
        for error in await context.close():
            context.note_warning("", f"closing a resource failed: {summary_of(error)}")
            if is_a(error, INTERRUPTS):
                status = self._yield_to(error)
            elif status == "completed":
                status, self.error = "failed", error
        if context.spending is not None and self.error is None and self._interrupt is None:
            self.error = context.spending.error
            status = status if self.error is None else "failed"
        status = self._take_in_observers(status)
        if status != "completed":
            self.output = None
        if context.recorder is not None:
            status = await self._finish(context.recorder, status)
        self.duration = self.elapsed = trio.current_time() - started
        if (recorder := context.recorder) is not None:
            worked = recorder.worked
            self.duration, self.elapsed = worked.seconds, worked.seconds_since_start
        self.status = status
        self._attach()
        self._is_over = True
        if context.observers:
            ended = RunEnded(time=trio.current_time(), path="", status=status, error=self.error)
            context.give_up = None  # no event comes behind this one
            context.notify(ended)
            late = self._take_in_observers(status)
            if late != status:  # one broke at the very last event
                self.status, self.output = late, None
                self._attach()
        for stream in self._streams:
            stream.end()
        self._let_go()

    def _let_go(self) -> None:
        """Untie the run from what points back at it.

        What it read is freed with its last user then. In a cycle it would wait for the garbage collector, which
        frees a million rows at once, while everything else stands still.
        """
        self._context.give_up = None
        if self._context.spending is not None:
            self._context.spending.cancel = None
        if self._context.recorder is not None:
            self._context.recorder.leaving.give_up = None

    async def _finish(self, recorder: Recorder, status: RunStatus) -> RunStatus:
        """Write how the run has ended, before anyone is notified. One that was left has not ended."""
        if not recorder.leaving.is_left:
            try:
                try:
                    await recorder.finish(status, self.output, self.error, self._origin)
                except CannotKeep as exc:  # what computing nodes gave is looked at only now
                    status, self.output, self.error = "failed", None, exc
                    await recorder.finish(status, None, exc)
                return status
            except Exception as exc:
                recorder.leaving.leave(exc)
        await recorder.left()
        self.output, self.error = None, recorder.leaving.error
        return "suspended"

    def restore(self) -> bool:
        """Take over how the run has ended in an earlier process; whether it had."""
        recorder = self._context.recorder
        if recorder is None or (ended := recorder.past.ended) is None:
            return False
        ending = recorder.ending(ended)
        self.output, self.error, self._origin = ending.output, ending.error, ending.origin
        if ending.error is not None:
            for said in ending.notes:
                note(ending.error, self.record.number, said)
        self.status = ended.status
        self.duration, self.elapsed = recorder.worked.seconds, recorder.worked.seconds_since_start
        self._attach()
        self._is_over = True
        self._done.set()
        return True

    def leave(self) -> None:
        """Leave a run that has a store as it is: no clean-up of the document runs, and it can be resumed.

        Its status will be ``suspended``. What a node is doing is cancelled, and done again on resuming.
        Raises RuntimeError for a run without a store.
        """
        recorder = self._context.recorder
        if recorder is None:
            raise RuntimeError("a run without a store cannot be left; cancel it")
        if not self._is_over:
            recorder.leaving.leave()

    def _take_in_observers(self, status: RunStatus) -> RunStatus:
        """The status of the run; it has failed where nothing did but an observer."""
        broken = self._context.broken
        if broken is None or self.error is broken.error:
            return status
        if is_a(broken.error, INTERRUPTS):
            return self._yield_to(self._context.masked(broken.error))
        if self.error is not None or self._interrupt is not None:
            self._context.note_broken(broken)
            return status
        self.error = self._context.masked(broken.error)
        return "failed"

    def _attach(self) -> None:
        if self.error is not None:
            self.error = self._context.masked(self.error)  # not every error is a node's
            broken = self._context.broken
            path = "" if broken is None else broken.path
            attach_failure(self.error, self._context.record, self._origin, path)
