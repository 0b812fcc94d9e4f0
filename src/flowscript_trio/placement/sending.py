"""Owns what goes from a run to a worker with a node: its job, made of plain data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

import trio

from ..execution.context import RunContext
from ..execution.frame import Attempt, Frame
from ..execution.noderun import NodeRun
from ..execution.state import State
from ..execution.walk import Walk
from ..expression import Expression, Template
from ..expression.scope import NodeView, Scope, base_of, utc_now
from ..program.compiled import CompiledBody, PlacedStep, Program
from ..program.loading import Flow
from ..program.placing import programs_of
from ..runtimes.control.results import DocumentResult
from ..runtimes.types import ExecutionParams, NodeRuntime
from ..types.ast import BaseNode
from ..types.cookies import NO_COOKIES, Cookies
from ..types.errors import CannotTravel, InputError
from ..types.paths import owner_of
from ..types.propagation import headers_along
from ..types.results import NodeMark
from .flows import is_known_everywhere, nodes_of, pack_flow
from .jobs import (
    BodyJob,
    DocumentJob,
    LeafCall,
    LeafTerms,
    NodeFacts,
    NodeKey,
    RunFacts,
    ScopeFacts,
)
from .packing import pack


class Luggage:
    """What was packed before and is needed again: runtimes, each packed once."""

    def __init__(self) -> None:
        self._packed: dict[int, tuple[NodeRuntime, bytes]] = {}
        self._flows: WeakKeyDictionary[Flow, _PackedFlow] = WeakKeyDictionary()

    def runtime(self, runtime: NodeRuntime) -> bytes:
        """A runtime, packed; raises CannotTravel with the name of what cannot."""
        found = self._packed.get(id(runtime))
        if found is None:
            found = (runtime, pack(runtime, f"the runtime {runtime.type!r}"))
            self._packed[id(runtime)] = found
        return found[1]

    def flow(self, flow: Flow) -> bytes:
        """A workflow, packed."""
        found = self._flows.get(flow)
        if found is None:
            found = self._flows[flow] = _PackedFlow(flow)
        return found.data

    def number_of(self, flow: Flow, program: Program) -> int:
        """Which of the documents of a workflow it is."""
        self.flow(flow)
        return self._flows[flow].numbers[id(program)]

    def node(self, flow: Flow, key: NodeKey) -> BaseNode:
        """A node of a workflow."""
        self.flow(flow)
        return self._flows[flow].nodes[key]


class _PackedFlow:
    def __init__(self, flow: Flow) -> None:
        self.data: bytes = pack_flow(flow)
        programs = programs_of(flow.program)
        self.numbers: dict[int, int] = {id(each): at for at, each in enumerate(programs)}
        self.nodes: dict[NodeKey, BaseNode] = nodes_of(programs)


def check_travels(name: str, runtime: NodeRuntime, luggage: Luggage) -> None:
    """Raise InputError where a runtime cannot be sent to the place of that name."""
    if is_known_everywhere(runtime):
        return
    try:
        luggage.runtime(runtime)
    except CannotTravel as exc:
        raise InputError(
            f"{exc}; it cannot run at {name!r}: let it open such things by params.run.resource when it runs"
        ) from exc


class Leaf:
    """One attempt of a leaf node, as its place sends it."""

    def __init__(self, runtime: NodeRuntime, params: ExecutionParams) -> None:
        run = params.run
        assert isinstance(run, NodeRun), (
            "a placed node is not a built-in one, and has a view of its own"
        )
        self.run: NodeRun = run
        self.context: RunContext = context_of(run)
        self.node: BaseNode = params.node
        self.deadline: float = trio.current_effective_deadline()
        self._runtime = runtime
        self._params = params
        self._placed = self.context.placed[id(params.node)]
        self.state: State = base_of(params.scope)
        """What has the cookies of its scope."""

    @property
    def label(self) -> str:
        """What messages call it."""
        return repr(self.node.label)

    def terms(self, luggage: Luggage) -> LeafTerms:
        """What all attempts of the node have in common; raises CannotTravel."""
        node = self.node
        return LeafTerms(
            run_facts(self.context, self._placed),
            luggage.runtime(self._runtime),
            NodeFacts(node.kind, node.tag, node.type, node.id, node.key, node.location),
        )

    def call(self) -> LeafCall:
        """What this attempt has of its own."""
        config, input = self._params.originals()
        scope = chance = None
        if _has_expressions(config):
            scope = scope_facts(self._params.scope, self._placed.names)
            services = self._params.scope.services
            if services is not self.state.services:  # the node's own: its settings draw
                chance = services.random.getstate()
        run, headers = self.run, dict(headers_along())
        seconds = self.deadline - trio.current_time()
        cookies = None if self.state.cookies is NO_COOKIES else self.state.cookies
        return LeafCall(
            run.path, run.attempt, seconds, headers, config, input, scope, cookies, chance
        )


_OF_DOCUMENTS = frozenset({"$config", "$env", "$run"})
"""What a document that is run by another may take from its surroundings."""


def body_job(walk: Walk, body: CompiledBody, frame: Frame, luggage: Luggage) -> BodyJob:
    """What is sent for a branch or an iteration."""
    placed = walk.program.placed[body.key]
    return BodyJob(
        **_common(walk, placed, frame, luggage, placed.names),
        path=owner_of(frame.prefix),
        attempt=1,
        key=body.key,
        input=frame.input,
    )


def document_job(
    walk: Walk, result: DocumentResult, attempt: Attempt, luggage: Luggage
) -> DocumentJob:
    """What is sent for the document that an include or a call runs."""
    placed = walk.program.placed[attempt.step.key]
    return DocumentJob(
        **_common(walk, placed, attempt.frame, luggage, _OF_DOCUMENTS),
        path=attempt.path,
        attempt=attempt.number,
        key=attempt.step.key,
        input=attempt.input,
        arguments=result.arguments,
        isolated=result.isolated,
    )


def _common(
    walk: Walk, placed: PlacedStep, frame: Frame, luggage: Luggage, names: frozenset[str]
) -> dict[str, Any]:
    context = walk.run
    flow = flow_of_run(context)
    spending = context.spending
    return {
        "run": run_facts(context, placed),
        "seconds": seconds_left(),
        "headers": dict(headers_along()),
        "flow": luggage.flow(flow),
        "program": luggage.number_of(flow, walk.program),
        "prefix": frame.prefix,
        "scope": scope_facts(frame.state, names, frame.state.cookies),
        "max_concurrency": walk.max_concurrency,
        "budget": None if spending is None else spending.left(),
        "keep": context.record.keep,
        "watched": bool(context.observers),
    }


def flow_of_run(context: RunContext) -> Flow:
    """The workflow of a run that has places."""
    assert context.flow is not None, "a run with places knows its workflow"
    return context.flow


def context_of(run: NodeRun) -> RunContext:
    """The run that a node's view is of."""
    owner = run.owner
    assert isinstance(owner, RunContext)
    return owner


def run_facts(context: RunContext, placed: PlacedStep) -> RunFacts:
    """What a worker learns of the run."""
    services = context.services
    return RunFacts(
        id=context.id,
        seed=context.seed,
        base=None if context.base is None else str(context.base),
        secrets=placed.secrets_among(context.secrets.held),
        http=context.http,
        limits=services.limits,
        now=None if services.now is utc_now else services.now,
        is_durable=context.is_durable,
    )


def seconds_left() -> float:
    """Seconds until the next deadline around."""
    return trio.current_effective_deadline() - trio.current_time()


def scope_facts(scope: Scope, names: frozenset[str], cookies: Cookies = NO_COOKIES) -> ScopeFacts:
    """The part of a scope that consists of these names, as far as they are any."""
    values: dict[str, Any] = {}
    results: dict[str, NodeMark] = {}
    for name in names - {"$secrets"}:
        node = scope.node(name)
        if node is not None:
            results[name] = _mark_of(node)
        value = scope.value(name)
        if value is not None:
            values[name] = value
    return ScopeFacts(values, results, None if cookies is NO_COOKIES else cookies)


def _mark_of(node: NodeView) -> NodeMark:
    return NodeMark(node.status, node.error, node.output)  # type: ignore[arg-type]


def _has_expressions(config: Any) -> bool:
    values = config.values() if isinstance(config, Mapping) else vars(config).values()
    return any(isinstance(value, (Expression, Template)) for value in values)
