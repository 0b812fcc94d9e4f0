"""Owns the ids that a file of cases may name: nodes of the workflow, and the leaves that can be stubbed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from ..program.compiled import Program, Step
from ..program.loading import Flow
from ..types.ast import BaseNode, CheckpointNode
from ..types.location import Text
from .values import Values

LEAVES = ("source", "transform", "sink")
MOST = 10_000
"""Leaves that are named at most: documents that run each other twice, and so on, have names without number."""


def leaves_of(flow: Flow) -> dict[str, BaseNode]:
    """The sources, transforms and sinks of a workflow and of the documents that it runs, by their names.

    Inside a document that an include or a call runs, a name begins with that node's id: ``enrich/fetch``. One
    that is run from several places has its nodes under as many names.
    """
    return dict(islice(_leaves(flow.program, ""), MOST))


def _leaves(program: Program, prefix: str) -> Iterator[tuple[str, BaseNode]]:
    for step in _steps(program):
        if step.linked is not None:
            yield from _leaves(step.linked, f"{prefix}{step.label}/")
        elif step.node.type.partition(":")[0] in LEAVES:
            yield prefix + step.label, step.node


def _steps(program: Program) -> Iterator[Step]:
    """Every step of a document, handlers included: those of a sequence are steps of no body."""
    left = [step for body in program.bodies.values() for step in reversed(body.steps)]
    seen: set[int] = set()
    while left:
        step = left.pop()
        if step.key not in seen:
            seen.add(step.key)
            yield step
            left += [other for other in (step.fallback, step.on_timeout) if other is not None]


class Ids:
    """The ids of a workflow; a name that is not one of them is a problem with the nearest one."""

    def __init__(self, flow: Flow, values: Values) -> None:
        self.values = values
        nodes = flow.checked.nodes.values()
        self._nodes = {checked.name for checked in nodes if checked.name is not None}
        self._leaves = leaves_of(flow)
        self._asks = {
            checked.node.label for checked in nodes if isinstance(checked.node, CheckpointNode)
        }
        self._labels = {*self._nodes, *(node.label for node in self._leaves.values())}

    def check_node(self, key: Text) -> None:
        """Report a name that no node has."""
        if key.value not in self._nodes:
            self.values.unknown(key, "there is no node", self._nodes)

    def check_origin(self, key: Text) -> None:
        """Report a name that no node has, those of the documents that the workflow runs included."""
        if key.value not in self._labels:
            self.values.unknown(key, "there is no node", self._labels)

    def check_checkpoint(self, key: Text) -> None:
        """Report a name that no checkpoint has."""
        if key.value not in self._asks:
            self.values.unknown(key, "there is no checkpoint", self._asks)

    def check_leaf(self, key: Text) -> None:
        """Report a name that no source, transform or sink has."""
        if key.value in self._nodes and key.value not in self._leaves:
            message = f"{key.value!r} is a control node: it always runs for real"
            self.values.report(key, "control-node", message, expected="a source, transform or sink")
        elif key.value not in self._leaves:
            self.values.unknown(key, "there is no source, transform or sink", self._leaves)
