"""Owns what comes back from a worker: outputs and errors, warnings, and the record of what ran there whole."""

from __future__ import annotations

import warnings
from contextvars import Context, copy_context
from dataclasses import replace
from functools import partial
from typing import Any

import trio

from ..execution.context import RunContext
from ..execution.frame import Frame, Outcome
from ..execution.noderun import NodeRun
from ..execution.regions import cause_of
from ..program.loading import Flow
from ..runtimes.types import ExecutionParams
from ..scheduler.signals import Failed, Signal
from ..types.errors import FlowScriptWarning, WorkerDied
from ..types.events import (
    AttemptStarted,
    BranchEnded,
    BranchStarted,
    Event,
    NodeEnded,
    NodeStarted,
    RunWarning,
)
from ..types.paths import above
from ..types.printing import one_line
from ..types.results import Cancellation, NodeResult
from .crossing import Crossing
from .errors import PackedError, unpack_error
from .jobs import BodyReply, NodeKey, Reply
from .sending import Luggage
from .staying import mark_of


def tell(run: NodeRun, params: ExecutionParams, reply: Reply) -> None:
    """Tell the run what a leaf node asked of it while it ran, in order."""
    for kind, said in reply.noted:
        if kind == "warning":
            run.warn(params.node, f"{said} (on {reply.worker})")
        else:
            run.count_request()


def output_of(reply: Reply, path: str) -> Any:
    """The output that a reply brings; raises its error."""
    if reply.status != "done":
        raise error_in(reply, path)
    return reply.output


def error_in(reply: Reply, path: str) -> BaseException:
    """The error that a reply brings, or what it is that the work was cancelled, and not by the run."""
    if reply.error is None:
        return _ended_by_others(path, reply.worker)
    return unpack_error(reply.error, reply.worker)


async def be_cancelled(reply: Reply, deadline: float) -> None:
    """Be cancelled where the node was, over there: its clean-up has run."""
    if reply.status == "cancelled":
        await trio.lowlevel.checkpoint_if_cancelled()
        if deadline != float("inf"):
            await trio.sleep_until(deadline)  # the clock over there was ahead of this one


async def take_in(
    context: RunContext,
    luggage: Luggage,
    flow: Flow,
    frame: Frame,
    path: str,
    reply: BodyReply,
    deadline: float,
) -> Outcome:
    """Put the record of a body on that of the run, and its events before the observers; what it came to.

    Raises Cancelled where the body was cancelled.
    """
    cause: Cancellation | None = None
    cancelled: trio.Cancelled | None = None
    try:
        await be_cancelled(reply, deadline)
    except trio.Cancelled as exc:
        cancelled = exc
        cause = cause_of(frame.region, exc)
    unpack = partial(_error, context, reply.worker)
    across = Crossing(unpack, trio.current_time(), cause, reply.worker)
    _replay(context, luggage, flow, reply, across)
    origin = _record(context, frame, reply, across)
    if cancelled is not None:
        raise cancelled
    if context.spending is not None:
        spent = reply.spent
        context.spending.add_spent(path, spent.nodes, spent.rounds, spent.requests)
    signal: Signal | None = reply.signal
    if reply.error is not None:
        signal = Failed(across.error(reply.error), origin)
    elif reply.status == "cancelled":
        signal = Failed(_ended_by_others(path, reply.worker))
    return Outcome(reply.output, signal)


def _ended_by_others(path: str, worker: str) -> WorkerDied:
    return WorkerDied(f"{path!r} was ended on {worker}, and not by the run", worker)


def _error(context: RunContext, worker: str, packed: PackedError) -> BaseException:
    return context.masked(unpack_error(packed, worker))


def _record(
    context: RunContext, frame: Frame, reply: BodyReply, across: Crossing
) -> NodeResult | None:
    """Put what was executed on the record, and into the scope; the execution that the error left first."""
    record = context.record
    for each in reply.executed:
        result = across.result(each.result)
        number, key = each.node
        record.add(-1 - number - (key << 16), result.label, result, each.inner)
    for label, count in reply.dropped.items():
        record.dropped[label] = record.dropped.get(label, 0) + count
    for name, found in reply.results.items():
        frame.state.record(name, mark_of(name, across.mark(found)))
    for where, cancellation in reply.cancellations:
        done = across.cancellation(cancellation)
        assert done is not None
        record.cancellations.append((where, done))
        context.cancellations += 1
    for where, message in reply.warnings:
        said = record.warn(where, _said_there(context, reply.worker, message))
        warnings.warn(one_line(f"{where}: {said}"), FlowScriptWarning, stacklevel=2)
    return None if reply.origin is None else across.result(reply.origin)


def _replay(
    context: RunContext, luggage: Luggage, flow: Flow, reply: BodyReply, across: Crossing
) -> None:
    """Tell the observers what happened over there, in order; the times are those of this clock."""
    if not context.observers:
        return
    contexts: dict[
        str, Context
    ] = {}  # each node's observers have one of their own, as they do here
    for event, key in reply.events:
        made = _here(context, luggage, flow, reply.worker, across.event(event), key)
        if isinstance(made, (NodeStarted, BranchStarted)):
            contexts[made.path] = _context_around(contexts, made.path).copy()
        own = contexts.get(made.path) or _context_around(contexts, made.path)
        own.run(context.notify, made)


def _context_around(contexts: dict[str, Context], path: str) -> Context:
    for around in above(path):
        if around in contexts:
            return contexts[around]
    return copy_context()


def _said_there(context: RunContext, worker: str, message: str) -> str:
    said = f"{message} (on {worker})"
    return said if context.masker is None else context.masker.text(said)


def _here(
    context: RunContext,
    luggage: Luggage,
    flow: Flow,
    worker: str,
    event: Event,
    key: NodeKey | None,
) -> Event:
    changed: dict[str, Any] = {"execution": _number(context, event)}
    if key is not None:
        changed["node"] = luggage.node(flow, key)
    if isinstance(event, AttemptStarted):
        changed["input"] = context.shown(event.input)
    elif isinstance(event, RunWarning):
        changed["message"] = _said_there(context, worker, event.message)
    elif isinstance(event, NodeEnded):
        changed["result"] = context.record.show(event.result)
    return replace(event, **changed)


def _number(context: RunContext, event: Event) -> int:
    """The number of the execution, among those of the run."""
    if isinstance(event, (NodeStarted, BranchStarted)):
        return context.numbers.begin(event.path)
    if isinstance(event, (NodeEnded, BranchEnded)):
        return context.numbers.end(event.path)
    if isinstance(event, RunWarning):
        return context.numbers.known(event.path)
    return context.numbers.of(event.path)
