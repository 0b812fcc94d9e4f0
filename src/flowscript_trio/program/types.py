"""Owns what a flow tells of the types of its values."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ..types.deferred import dataclass
from ..types.shapes import ValueType
from ..validator.positions import name_of
from ..validator.shapes import DocumentShapes


@dataclass(frozen=True, slots=True)
class FlowTypes:
    """What is known about the values of a flow before it runs.

    ``input`` is what a run is given, ``config`` its configuration, ``output`` what it returns. ``nodes`` has the
    output of each node that has an id, and of each phase by its name, in document order, as the node gives it
    where it succeeds; that of a node with an ``if`` may be null.

    It is made when it is asked for. Nothing of it waits, so cancellation does nothing to it.
    """

    input: ValueType
    config: ValueType
    output: ValueType
    nodes: Mapping[str, ValueType]


def types_of(shapes: DocumentShapes) -> FlowTypes:
    """The types of a document's values."""
    places = shapes.scene.index.positions
    nodes = {}
    for key in sorted(places):
        node = places[key].node
        name = None if node is None else name_of(node)
        if name is not None:
            nodes[name] = ValueType(shapes.of_node(key))
    return FlowTypes(
        ValueType(shapes.given_input),
        ValueType(shapes.variables.config),
        ValueType(shapes.output),
        MappingProxyType(nodes),
    )
