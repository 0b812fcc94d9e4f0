"""Owns the ids that a file of cases may name: nodes of the workflow, and the leaves that can be stubbed."""

from __future__ import annotations

from ..execution.loading import Flow
from ..types.location import Text
from .given import Values

LEAVES = ("source", "transform", "sink")


def leaves_of(flow: Flow) -> set[str]:
    """The ids of the sources, transforms and sinks of a workflow."""
    nodes = [checked.node for checked in flow.checked.nodes.values()]
    return {node.label for node in nodes if node.type.partition(":")[0] in LEAVES}


class Ids:
    """The ids of a workflow; a name that is none of them is a problem with the nearest one."""

    def __init__(self, flow: Flow, values: Values) -> None:
        self.values = values
        nodes = flow.checked.nodes.values()
        self._nodes = {checked.name for checked in nodes if checked.name is not None}
        self._leaves = leaves_of(flow)

    def check_node(self, key: Text) -> None:
        """Report a name that no node has."""
        if key.value not in self._nodes:
            self.values.unknown(key, "there is no node", self._nodes)

    def check_leaf(self, key: Text) -> None:
        """Report a name that no source, transform or sink has."""
        if key.value in self._nodes and key.value not in self._leaves:
            message = f"{key.value!r} is a control node: it always runs for real"
            self.values.report(key, "control-node", message, expected="a source, transform or sink")
        elif key.value not in self._leaves:
            self.values.unknown(key, "there is no source, transform or sink", self._leaves)
