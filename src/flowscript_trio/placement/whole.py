"""Owns a body on a worker: it runs there whole, with nurseries of its own, and comes back with its record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, NoReturn

import trio

from ..execution.cleanup import with_finally
from ..execution.context import RunContext
from ..execution.documents import run_document
from ..execution.executor import Executor
from ..execution.frame import Attempt, Frame
from ..execution.inputs import Secrets
from ..execution.placing import built_in_place
from ..execution.record import Record
from ..execution.regions import Region
from ..execution.resources import Resources
from ..execution.spending import Spending
from ..execution.state import State
from ..program.compiled import Program
from ..program.loading import Flow
from ..program.placing import placed_nodes, programs_of
from ..runtimes.control.results import DocumentResult
from ..scheduler.passes import PassCounter, counting_passes
from ..scheduler.signals import Failed, Signal
from ..types.ast import BaseNode
from ..types.decisions import Action
from ..types.errors import FlowScriptError
from ..types.events import Event, RunWarning
from ..types.results import NodeResult
from .crossing import Crossing
from .errors import pack_error
from .flows import read_flow, step_in, steps_of
from .jobs import BodyJob, BodyReply, DocumentJob, Executed, NodeKey, ScopeFacts, Spent
from .remote_run import services_for


async def do_body(
    worker: str, job: BodyJob, resources: Resources, scope: trio.CancelScope
) -> BodyReply:
    """Run a body, or the document of a node, within a cancel scope."""
    flow = read_flow(job.flow)
    programs = programs_of(flow.program)
    record = _Record(steps_of(programs), job.keep)
    events: list[Event] = []
    with counting_passes() as passes:
        context = _context(job, flow, passes, resources, record, events)
        program = programs[job.program]
        walk = Executor(program, context, job.max_concurrency, inner=job.program > 0)
        root = _state(job, program, context)
        frame = Frame(root.fork(), job.prefix, Region(None, ""), job.input)
        output: Any = None
        signal: Signal | None = None
        with scope:
            output, signal = await _run(job, walk, frame)
    status: Literal["done", "failed", "cancelled"] = "done"
    if scope.cancelled_caught:
        status = "cancelled"
    elif isinstance(signal, Failed):
        status = "failed"
    ids = () if isinstance(job, DocumentJob) else program.bodies[job.key].inner_ids
    across = Crossing(pack_error, -trio.current_time())
    failed = signal if isinstance(signal, Failed) else None
    return BodyReply(
        worker=worker,
        status=status,
        output=output,
        error=None if failed is None else across.error(failed.error),
        signal=None if failed is not None else signal,
        origin=None if failed is None or failed.origin is None else across.result(failed.origin),
        executed=tuple(
            replace(each, result=across.result(each.result)) for each in record.executed
        ),
        dropped=record.dropped,
        results={
            name: across.mark(found)
            for name in ids
            if (found := frame.state.node(name)) is not None and found is not root.node(name)
        },
        cookies=frame.state.cookies,
        cancellations=tuple(
            (path, done)
            for path, found in record.cancellations
            if (done := across.cancellation(found)) is not None
        ),
        warnings=tuple((each.path, each.message) for each in record.warnings),
        events=tuple(_crossed(event, across, record.keys) for event in events),
        spent=_spent(context),
    )


async def _run(job: BodyJob, walk: Executor, frame: Frame) -> tuple[Any, Signal | None]:
    if isinstance(job, DocumentJob):
        step = step_in(walk.program, job.key)
        attempt = Attempt(step, frame, job.path, job.attempt, job.input, frame.state)
        result = DocumentResult(job.arguments, job.isolated)
        outcome = await run_document(walk, result, attempt)
        return outcome.output, outcome.signal
    body = walk.program.bodies[job.key]
    run = walk.run_nodes if body.cleanup is None else partial(with_finally, walk)
    signal = await run(body, frame)
    return frame.output, signal


def _crossed(
    event: Event, across: Crossing, keys: dict[int, NodeKey]
) -> tuple[Event, NodeKey | None]:
    made = across.event(event)
    node: BaseNode | None = getattr(event, "node", None)
    if node is None:
        return made, None
    return replace(made, node=None), keys[id(node)]  # type: ignore[call-arg]


def _state(job: BodyJob, program: Program, context: RunContext) -> State:
    facts: ScopeFacts = job.scope
    values = {**facts.values, "$secrets": Secrets(program.document, job.run.secrets)}
    state = State(None, context.services, values)
    for name, mark in facts.results.items():
        state.record(name, mark)
    if facts.cookies is not None:
        state.cookies = facts.cookies
    return state


def _context(
    job: BodyJob,
    flow: Flow,
    passes: PassCounter,
    resources: Resources,
    record: _Record,
    events: list[Event],
) -> RunContext:
    facts = job.run
    observers: Sequence[Callable[[Event], None]] = (events.append,) if job.watched else ()
    return _Context(
        id=facts.id,
        passes=passes,
        limiter=None,  # a token for the whole is held where the run is
        base=None if facts.base is None else Path(facts.base),
        services=services_for(facts, job.path, "body"),
        observers=observers,
        secrets=Secrets(flow.document, facts.secrets),
        masker=None,  # the run masks what comes back
        decider=_refuse,
        watchdog=None,
        handling=None,
        seed=facts.seed,
        http=facts.http,
        record=record,
        spending=_spending(job),
        places={"thread": built_in_place("thread")},
        flow=flow,
        placed=placed_nodes(flow.program),
        is_part_of_durable=facts.is_durable,
        _resources=resources,
    )


def _spending(job: BodyJob) -> Spending | None:
    if job.budget is None:
        return None
    spending = Spending(job.budget)
    spending.begin()
    return spending


def _spent(context: RunContext) -> Spent:
    return Spent() if context.spending is None else Spent(*context.spending.counts())


async def _refuse(prompt: str, actions: Sequence[Action]) -> NoReturn:
    raise FlowScriptError("a checkpoint asks where the run is, and cannot on a worker")


class _Context(RunContext):
    """A run as its part on a worker sees it: warnings are reported where the run is."""

    __slots__ = ()

    def warn(self, node: BaseNode, message: str, path: str | None = None) -> None:
        path = node.label if path is None else path
        message = self.record.warn(path, message)
        number = self.numbers.known(path)
        self.notify(
            RunWarning(time=trio.current_time(), path=path, execution=number, message=message)
        )


class _Record(Record):
    """A record that knows of each execution which node it is of."""

    __slots__ = ("executed", "keys")

    def __init__(self, keys: dict[int, NodeKey], keep: int) -> None:
        super().__init__(keep=keep)
        self.keys = keys
        self.executed: list[Executed] = []

    def add(self, key: int, label: str, result: NodeResult, inner: bool) -> None:
        before = len(self)
        super().add(key, label, result, inner)
        if len(self) > before:
            self.executed.append(Executed(self.keys[key], result, inner))
