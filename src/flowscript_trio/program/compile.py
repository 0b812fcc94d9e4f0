"""Owns compiling: what the check of a document found becomes a program of steps and bodies. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from ..expression import Expression
from ..expression.scope import Scope
from ..language.elements import element_of
from ..runtimes.control.runtime import ControlRuntime
from ..runtimes.control.types import CompensateConfig, RetryConfig
from ..runtimes.placing import HERE, Placed
from ..runtimes.types import BlockingRuntime, FunctionRuntime, NodeRuntime
from ..runtimes.wrapping import Wrapped, innermost
from ..types.ast import BaseNode, Body, BranchNode, IncludeNode, OnError, Part, Setting, Structure
from ..types.location import Text
from ..validator import BoundSettings, Checked, CheckedBody, CheckedNode, Wanted
from .compiled import CompiledBody, Compute, Program, Step
from .holding import limits_of
from .placing import placed_in


def compile_program(checked: Checked, linked: Mapping[int, Program]) -> Program:
    """The program of a document that was found valid.

    ``linked`` are the programs of the documents that it runs, by the keys of their nodes.
    """
    return _Compiler(checked, linked).compile()


_NONE: frozenset[str] = frozenset()
_RUNTIMES = NodeRuntime.__module__.rpartition(".")[0] + "."


_CLOCK = re.compile(r"\b(?:now|date|time|timestamp|relative)\b", re.IGNORECASE)
"""What an expression says that may ask for the time; it may say so and not do it."""

_DRAWS = re.compile(r"random|uuid|\$attempt", re.IGNORECASE)
"""What an expression says that may draw from chance, or ask for the attempt; it may say so and not do it."""


@dataclass(frozen=True, slots=True)
class _Traits:
    """What a runtime is, which is the same for all of its nodes."""

    is_control: bool
    is_builtin: bool
    is_pure: bool


class _Compiler:
    def __init__(self, checked: Checked, linked: Mapping[int, Program]) -> None:
        self._checked = checked
        self._linked = linked
        self._keys = {node.name: key for key, node in checked.nodes.items() if node.name}
        self._breakable = _breakable_bodies(checked)
        self._silent = _silent_nodes(checked)
        self._may_draw = _DRAWS.search(checked.document.source.text) is not None
        self._may_read_clock = _CLOCK.search(checked.document.source.text) is not None
        self._steps: dict[int, Step] = {}
        self._bodies: dict[int, CompiledBody] = {}
        self._traits: dict[int, _Traits] = {}

    def compile(self) -> Program:
        document = self._checked.document
        for key in self._checked.bodies:
            self._body(key)
        handler = document.on_workflow_error
        main = self._bodies[document.body.key]
        on_error = None if handler is None else self._bodies[handler.key]
        return Program(
            document,
            main=main,
            bodies=self._bodies,
            on_error=on_error,
            timeout=self._checked.timeout,
            max_concurrency=self._checked.max_concurrency,
            wanted=self._wanted(),
            limits=limits_of(document, main, on_error, self._bodies, self._linked),
            placed=placed_in(self._checked, self._linked),
            runtimes=self._runtimes(),
            linked=self._linked,
        )

    def _runtimes(self) -> dict[str, NodeRuntime]:
        """The runtimes of its nodes, but for those of control elements."""
        return {
            found.node.type: found.runtime
            for found in self._checked.nodes.values()
            if found.runtime is not None
            and not isinstance(innermost(found.runtime), ControlRuntime)
        }

    def _wanted(self) -> tuple[Wanted, ...]:
        """The members of ``$env`` that are named here, and in the documents that see the same ``$env``."""
        included = (
            program.wanted
            for key, program in self._linked.items()
            if isinstance(self._checked.nodes[key].node, IncludeNode)
        )
        return tuple(dict.fromkeys((*self._checked.wanted, *chain.from_iterable(included))))

    def _body(self, key: int) -> CompiledBody:
        if key not in self._bodies:
            self._bodies[key] = self._compile_body(self._checked.bodies[key])
        return self._bodies[key]

    def _compile_body(self, checked: CheckedBody) -> CompiledBody:
        nodes = checked.body.nodes
        plan = checked.plan
        cleanup = checked.body.cleanup
        last = checked.result
        run = [
            node
            for index, node in enumerate(nodes)
            if plan is not None or index not in checked.handlers
        ]
        return CompiledBody(
            steps=tuple(self._step(node) for node in run),
            is_graph=plan is not None,
            waits=() if plan is None else plan.waits,
            dependents=() if plan is None else plan.dependents,
            inner_ids=checked.inner_ids,
            last_label="" if last is None else nodes[last].label,
            can_break=checked.body.key in self._breakable,
            settings=None if checked.settings is None else _config_of(checked.settings),
            cleanup=None if cleanup is None else self._body(cleanup.key),
            location=checked.body.location,
            key=checked.body.key,
            place=checked.place,
            is_plain=cleanup is None and checked.place is None,
        )

    def _step(self, node: BaseNode) -> Step:
        if node.key not in self._steps:
            self._steps[node.key] = self._compile_node(self._checked.nodes[node.key])
        return self._steps[node.key]

    def _compile_node(self, checked: CheckedNode) -> Step:
        node, runtime = checked.node, checked.runtime
        assert runtime is not None, "a document with unknown runtimes is not valid"
        traits = self._traits_of(runtime)
        is_control, is_builtin = traits.is_control, traits.is_builtin
        bodies = self._checked.bodies
        parts: Sequence[BoundSettings | None] = checked.parts
        if isinstance(node, BranchNode):
            parts = [bodies[case.key].settings for case in node.cases]
        place = None if checked.place == HERE else checked.place
        if place is not None and not is_control:
            runtime, is_builtin = Placed(runtime, place), False
        element = element_of(node)
        asks = element.asks
        return Step(
            key=node.key,
            id=checked.name,
            label=node.label,
            location=node.location,
            node=node,
            runtime=runtime,
            config=_config_of(checked.settings),
            input=_input_of(checked.input, checked.input_is_list),
            condition=checked.condition,
            timeout=None if asks else _timeout_of(checked, runtime),
            parts=tuple(_config_of(part) for part in parts),
            retry=self._retry_of(checked, is_control),
            fallback=None if checked.fallback is None else self._step(checked.fallback),
            on_timeout=None if checked.on_timeout is None else self._step(checked.on_timeout),
            compensate=None if node.compensate is None else node.compensate.key,
            reads_only=runtime.reads_only,
            is_control=is_control,
            is_builtin=is_builtin,
            has_output=node.key not in self._silent,
            draws=self._may_draw and _says(_DRAWS, node),
            inner_ids=tuple(name for body in node.bodies for name in bodies[body.key].inner_ids),
            keeps=checked.keeps,
            undoes=is_control and self._undoes(checked),
            patience=checked.timeout if asks else None,
            targets=self._targets_of(checked) if asks else _NONE,
            linked=self._linked.get(node.key),
            limits=checked.limits,
            is_block=element.has_bodies or node.key in self._linked,
            place=place,
            is_pure=traits.is_pure,
            on_crash=checked.on_crash,
            undoes_begun=self._undoes_begun(node),
            reads_clock=self._may_read_clock and _says(_CLOCK, node),
            is_constant=checked.settings is None or not checked.settings.computed,
        )

    def _traits_of(self, runtime: NodeRuntime) -> _Traits:
        """What a runtime is; one of the library's own is prepared for its first node."""
        traits = self._traits.get(id(runtime))
        if traits is None:
            inside = innermost(runtime)
            traits = self._traits[id(runtime)] = _Traits(
                isinstance(inside, ControlRuntime),
                _is_built_in(runtime),
                bool(getattr(inside, "pure", False)),
            )
            if traits.is_builtin and (prepare := getattr(runtime, "prepare", None)) is not None:
                prepare()  # its imports would hold up all of trio when the node runs
        return traits

    def _undoes_begun(self, node: BaseNode) -> bool:
        """Whether the ``<compensate>`` of a node also runs where the node was cut off while at work."""
        settings = (
            None if node.compensate is None else self._checked.bodies[node.compensate.key].settings
        )
        if settings is None:
            return False
        config: CompensateConfig = settings.base if settings.computed else settings.constant
        return config.also == "begun"

    def _undoes(self, checked: CheckedNode) -> bool:
        """Whether something that a block runs may have to be undone: it has a ``<compensate>``."""
        pending = [checked]
        seen = set()
        while pending:
            found = pending.pop()
            node = found.node
            if node.key in self._linked or (found is not checked and node.compensate is not None):
                return True
            seen.add(node.key)
            inner = [part for body in node.bodies for part in _nodes_of(body)]
            inner += [handler for handler in (found.fallback, found.on_timeout) if handler]
            pending += [self._checked.nodes[part.key] for part in inner if part.key not in seen]
        return False

    def _targets_of(self, checked: CheckedNode) -> frozenset[str]:
        """The names of the later nodes among those that the actions of a checkpoint go on at."""
        named = {part.base.goto if part.computed else part.constant.goto for part in checked.parts}
        return frozenset(name for name in named if self._keys.get(name, -1) > checked.node.key)

    def _retry_of(self, checked: CheckedNode, is_control: bool) -> tuple[Compute, ...] | None:
        """Its ``<retry>``s, else for a leaf node the document's number of further attempts."""
        if checked.retries:
            return tuple(map(_config_of, checked.retries))
        default = self._checked.retry
        if default is None or is_control:
            return None
        return (lambda scope: RetryConfig(max=default(scope)),)


def _timeout_of(checked: CheckedNode, runtime: NodeRuntime) -> Compute | None:
    if checked.timeout is not None:
        return checked.timeout
    return None if runtime.timeout is None else _constant(runtime.timeout)


def _breakable_bodies(checked: Checked) -> set[int]:
    """The bodies that hold a ``<break>`` at any depth."""
    outer = {
        body.key: parent.body.key
        for parent in checked.bodies.values()
        for node in parent.body.nodes
        for body in node.bodies
    }
    found: set[int] = set()
    for checked_body in checked.bodies.values():
        key: int | None = checked_body.body.key
        if any(element_of(node).leaves == "loop" for node in checked_body.body.nodes):
            while key is not None and key not in found:
                found.add(key)
                key = outer.get(key)
    return found


def _silent_nodes(checked: Checked) -> frozenset[int]:
    """The keys of the nodes that run by themselves and never give the output of their body."""
    return frozenset(
        node.key
        for body in checked.bodies.values()
        for at, node in enumerate(body.body.nodes)
        if at not in body.handlers and at not in body.giving
    )


def _config_of(settings: BoundSettings | None) -> Compute:
    if settings is None:
        return _no_settings
    return settings.config if settings.computed else _constant(settings.constant)


def _input_of(expressions: tuple[Expression, ...] | None, is_list: bool) -> Compute | None:
    if expressions is None:
        return None
    if not is_list:
        return expressions[0]
    return lambda scope: [expression(scope) for expression in expressions]


def _no_settings(scope: Scope) -> None:
    """What a part has that has no settings."""


def _constant(value: Any) -> Compute:
    return lambda scope: value


def _is_built_in(runtime: NodeRuntime) -> bool:
    """Whether the code of a runtime is this library's own."""
    module = type(runtime).__module__
    return module.startswith(_RUNTIMES) and not isinstance(
        runtime, (FunctionRuntime, BlockingRuntime, Placed, Wrapped)
    )


def _nodes_of(body: Body) -> tuple[BaseNode, ...]:
    return body.nodes if body.cleanup is None else body.nodes + body.cleanup.nodes


def _says(words: re.Pattern[str], node: BaseNode) -> bool:
    """Whether a setting of a node, or of a part of it, says one of these words."""
    pending: list[Any] = list(vars(node).values())
    while pending:
        found = pending.pop()
        if isinstance(found, Setting):
            pending.append(found.value)
        elif isinstance(found, Structure):
            pending.append(found.text)
        elif isinstance(found, Text):
            if words.search(found.value):
                return True
        elif isinstance(found, (Body, Part, OnError)):  # a node inside draws for itself
            pending += [value for name, value in vars(found).items() if name != "nodes"]
        elif isinstance(found, Mapping):
            pending += found.values()
        elif isinstance(found, tuple):
            pending += found
    return False
