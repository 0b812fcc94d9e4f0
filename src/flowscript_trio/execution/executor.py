"""Owns the walk: bodies node by node, and the one boundary that every node passes through."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from contextvars import Context, copy_context
from functools import partial
from typing import Any

import trio
from trio.lowlevel import checkpoint_if_cancelled

from ..program.compiled import CompiledBody, Program, Step
from ..runtimes.control import results
from ..scheduler.policy import INTERRUPTS
from ..scheduler.raised import first_of
from ..scheduler.signals import Failed, Goto, Signal
from ..types.events import NodeEnded, NodeStarted
from ..types.exceptions import is_a, name_of_interrupt
from ..types.paths import COMPENSATE, part_path
from ..types.results import SKIPPED, Cancellation, NodeResult
from .asking import handle_checkpoint_result
from .attempts import caught, make_attempt
from .blocks import handle_foreach_result, handle_parallel_result
from .bodies import run_graph, run_sequence
from .cleanup import run_cleanup, with_finally
from .context import Compensation, RunContext
from .contexts import InContext
from .cutting import was_cut
from .documents import handle_document_result
from .failures import masked_by, raise_untouched
from .frame import Attempt, Frame, Outcome
from .inline import (
    handle_assign_result,
    handle_break_result,
    handle_choice_result,
    handle_loop_result,
    handle_return_result,
    handle_timeout_result,
    handle_while_result,
)
from .recovery import recover
from .regions import outlived
from .walk import Walk

Handler = Callable[[Walk, Any, Attempt], Awaitable[Outcome]]

HANDLERS: dict[type, Handler] = {
    results.ParallelResult: handle_parallel_result,
    results.ForeachResult: handle_foreach_result,
    results.ChoiceResult: handle_choice_result,
    results.LoopResult: handle_loop_result,
    results.WhileResult: handle_while_result,
    results.BreakResult: handle_break_result,
    results.ReturnResult: handle_return_result,
    results.TimeoutResult: handle_timeout_result,
    results.AssignResult: handle_assign_result,
    results.CheckpointResult: handle_checkpoint_result,
    results.DocumentResult: handle_document_result,
}
"""What acts on each member of ``ControlResult``; a test proves it complete."""


def is_parallel_result(value: object) -> bool:
    """Whether a control runtime's result asks for parallel branches: by its type, never by its shape."""
    return isinstance(value, results.ParallelResult)


class Executor:
    """Walks one run through a program. Errors of nodes travel as values; only ``Cancelled`` is raised."""

    __slots__ = ("_passes", "_time", "is_inner", "max_concurrency", "program", "run")

    def __init__(
        self, program: Program, run: RunContext, max_concurrency: float, inner: bool = False
    ) -> None:
        self.run: RunContext = run
        self.program: Program = program
        self.max_concurrency: float = max_concurrency
        self.is_inner: bool = inner
        self._passes = run.passes
        self._time = trio.lowlevel.current_clock().current_time

    def enter(self, program: Program, max_concurrency: float) -> Executor:
        """A walk through a document that a node of this one runs, in the same run."""
        return Executor(program, self.run, max_concurrency, inner=True)

    def within(self, run: RunContext) -> Executor:
        """The same walk in a part of its run."""
        return Executor(self.program, run, self.max_concurrency, self.is_inner)

    # ---- bodies ----

    def run_body(
        self, body: CompiledBody, frame: Frame, checked: bool = False
    ) -> Awaitable[Signal | None]:
        """Run the nodes of a body and then its ``<finally>``.

        ``checked``: a cancellation was looked for just before.

        What ended it early (an error, a break) comes back as a value. Cancellation passes through once
        every node has unwound.
        """
        if body.is_plain:
            return self.run_nodes(body, frame, checked)
        if body.place is not None:
            return self._run_elsewhere(body, frame)
        return with_finally(self, body, frame)

    def _run_elsewhere(self, body: CompiledBody, frame: Frame) -> Awaitable[Signal | None]:
        assert body.place is not None
        place = self.run.places[body.place]
        if self.run.recorder is not None:
            from .durable.whole import run_body_whole  # only a run with a store needs it

            return run_body_whole(self, self.run.recorder, place, body, frame)
        return place.run_body(self, body, frame)

    def run_nodes(
        self, body: CompiledBody, frame: Frame, checked: bool = False
    ) -> Awaitable[Signal | None]:
        """Run the nodes of a body: a graph by data flow, a sequence in document order."""
        if body.is_graph:
            return run_graph(self, body, frame)
        if len(body.steps) == 1:
            return self.execute_node(body.steps[0], frame, checked)
        return run_sequence(self, body, frame, checked)

    # ---- the boundary ----

    async def execute_node(self, step: Step, frame: Frame, checked: bool = False) -> Signal | None:
        """Run one node: the one place where its start, its end, its error and its cancellation pass.

        An error is on the record when this returns, before anything around the node unwinds. It begins with
        a look for a cancellation, unless the caller has just ``checked``, and passes no further checkpoint of
        its own: whoever runs one node after another lets a pass go by between them.
        """
        run = self.run
        path = f"{frame.prefix}{step.label}"
        if run.recorder is not None and run.recorder.must_be_asked:
            await run.recorder.enter(path, frame.region, checked)
        elif not checked:
            await checkpoint_if_cancelled()
        started = self._time()
        context: Context | None = None
        if run.observers:
            context = copy_context()
            run.delivery_times.enter(path)
            self._tell_start(context, step, path, started)
        earlier: list[BaseException] = []
        try:
            if context is None:
                outcome = await make_attempt(self, step, frame, path)
            else:
                outcome = await _seen_from(context, partial(make_attempt, self, step, frame, path))
        except BaseException:
            came_to = caught(self, step, path)
            if came_to is None:
                self._record_unwinding(step, frame, path, started, earlier, context)
                raise
            outcome = came_to
        if outcome.signal.__class__ is Failed and step.recovers:
            try:
                recovery = partial(recover, self, step, frame, path, outcome, earlier)
                outcome = await (recovery() if context is None else _seen_from(context, recovery))
            except BaseException:
                self._record_unwinding(step, frame, path, started, earlier, context)
                raise
        signal = outcome.signal
        result = NodeResult(
            step.id,
            step.label,
            path,
            "success",
            outcome.output,
            started,
            self._time() - started,
            step.location,
        )
        result.branches = outcome.branches
        if earlier:
            result.earlier = tuple(earlier)
            result.attempts = outcome.attempts
            result.error = earlier[-1]
        if isinstance(signal, Failed):
            result.status = "failed"
            result.error = signal.error
            if is_a(signal.error, INTERRUPTS):
                result.status = "cancelled"
                result.cancelled_by = _interruption(signal.error)
            elif signal.origin is None:
                signal = Failed(signal.error, result)
        elif outcome.skipped:
            result.status = "skipped"
            if step.inner_ids:
                frame.state.forget(step.inner_ids, SKIPPED)
        elif run.cancellations:
            result.outlived = outlived(frame.region, self._passes.now)
        self.record_node_result(step, frame, result, context)
        if step.compensate is not None and (result.status == "success" or was_cut(run, step, path)):
            self._owe(step.compensate, frame, path, result)
        if step.has_output and not outcome.skipped and (signal is None or isinstance(signal, Goto)):
            frame.output = outcome.output
        return signal

    def _owe(self, compensate: int, frame: Frame, path: str, result: NodeResult) -> None:
        """The compensation of a node is owed from now on, unless the run that this one is forked from owes it.

        It is to undo this execution of the node: it sees what this one gave, in this round of the loops around.
        """
        recorder = self.run.recorder
        if recorder is not None and not recorder.compensations.owes(path):
            return
        body = self.program.bodies[compensate]
        state, undoing = frame.state.of_round(), part_path(path, COMPENSATE)
        undo = partial(run_cleanup, self, body, state, undoing, frame.input, after=result)
        self.run.compensations.append(Compensation(path, undo))
        if recorder is not None:
            recorder.compensations.completed(path)

    def _tell_start(self, context: Context, step: Step, path: str, started: float) -> None:
        number = self.run.numbers.begin(path)
        event = NodeStarted(time=started, path=path, execution=number, node=step.node)
        context.run(self.run.notify, event)

    def pass_over(self, step: Step, frame: Frame) -> None:
        """Record a node that a checkpoint's ``goto`` skips; it is null, and so is what is in it."""
        now = trio.current_time()
        frame.state.forget(step.inner_ids, SKIPPED)
        path = f"{frame.prefix}{step.label}"
        result = NodeResult(step.id, step.label, path, "skipped", None, now, 0.0, step.location)
        context: Context | None = None
        if self.run.observers:
            context = copy_context()
            self._tell_start(context, step, path, now)
        self.record_node_result(step, frame, result, context)

    def record_node_result(
        self, step: Step, frame: Frame, result: NodeResult, context: Context | None = None
    ) -> None:
        """Put one execution of a node on the record, into the scope, and before the observers.

        ``context`` is the one in which the observers were notified of its start.
        """
        run = self.run
        if run.ran_at and (found := run.ran_at.pop(result.path, None)) is not None:
            result.worker = found.worker
            result.outlived = result.outlived or found.outlived
        if step.id is not None:
            frame.state.record(step.id, result)
        run.record.add(id(step), step.label, result, inner=self.is_inner)
        if run.observers:
            delivered = run.delivery_times.leave(result.path)
            if (cause := result.cancelled_by) is None:
                delivered = None
            elif delivered is not None and delivered < cause.requested:
                delivered = cause.requested  # it was reached by another one before, which it caught
            ended = NodeEnded(
                time=result.started + result.duration,
                path=result.path,
                execution=run.numbers.end(result.path),
                node=step.node,
                result=run.record.show(result),
                delivered=delivered,
                replayed=run.recorder is not None
                and run.recorder.restoring.is_replayed(result.path),
            )
            (context or copy_context()).run(run.notify, ended)

    def _record_unwinding(
        self,
        step: Step,
        frame: Frame,
        path: str,
        started: float,
        earlier: list[BaseException],
        context: Context | None,
    ) -> None:
        """Record a node that is left by what its caller handles: ``Cancelled``, or the end of its coroutine.

        Raises the ``Cancelled`` itself where that came in a group.
        """
        left_by = sys.exception()
        assert left_by is not None
        raised = first_of(left_by)
        result = NodeResult(
            step.id,
            step.label,
            path,
            "cancelled",
            None,
            started,
            self._time() - started,
            step.location,
        )
        if earlier:
            result.earlier = tuple(earlier)
            result.attempts = len(earlier) + 1
        if not is_a(raised, trio.Cancelled):
            result.error = raised
            result.cancelled_by = _interruption(raised)
        else:
            result.cancelled_by = self.run.cause_of(frame.region, raised)
            if self.run.recorder is not None and result.cancelled_by.by is None:
                self.run.recorder.restoring.interrupted(result.cancelled_by.reason)
            if not step.is_control and (found := masked_by(raised, self.run.handling)):
                result.possibly_masked = tuple(map(self.run.masked, found))
        self.record_node_result(step, frame, result, context)
        if step.compensate is not None and was_cut(self.run, step, path):
            self._owe(step.compensate, frame, path, result)
        if raised is not left_by:
            raise_untouched(raised)

    def handle(self, asked: Any, attempt: Attempt) -> Awaitable[Outcome]:
        """Do what a control node's runtime asks for."""
        return HANDLERS[type(asked)](self, asked, attempt)


def _interruption(error: BaseException) -> Cancellation:
    return Cancellation(None, f"interrupted by {name_of_interrupt(error)}", trio.current_time())


def _seen_from(context: Context, work: Callable[[], Awaitable[Outcome]]) -> Awaitable[Outcome]:
    """A node's work in the context in which its observers are notified of its start and its end.

    So they are of all that comes between: what one of them sets at an event of a node is seen by that node, and
    gone with it.
    """
    return InContext(_do(work), context)


async def _do(work: Callable[[], Awaitable[Outcome]]) -> Outcome:
    return await work()
