"""Owns the check of the names that a document gives: none hides what it is from those who read it somewhere."""

from __future__ import annotations

from collections.abc import Iterator

from ..parser import control_in
from ..types.ast import (
    CallNode,
    CheckpointNode,
    IncludeNode,
    Node,
    OutputNode,
    Parameter,
    Part,
    PhaseNode,
    Secret,
    Setting,
)
from ..types.findings import Findings
from .positions import Index, variables_of, word_of

_NAMING = ("key", "field", "name", "id", "label")
"""Settings of parts that name something."""


def check_names(index: Index, findings: Findings) -> None:
    """Report each name with a control character in it: such a name does to a terminal or a log what it likes."""
    document = index.document
    declarations: list[Parameter | Secret] = [*document.parameters, *document.secrets]
    for declared in declarations:
        wrong = control_in(declared.name)
        if wrong:
            position = declared.location
            offset = document.source.offset(position.line) + position.column - 1
            findings.add(offset, "control-character", wrong)
    for node in [
        position.node for position in index.positions.values() if position.node is not None
    ]:
        if isinstance(node, PhaseNode) and (wrong := control_in(node.name)):
            findings.at_element(node, "control-character", wrong)
        for setting in _naming(node):
            wrong = control_in(word_of(setting))
            if wrong:
                findings.at_name(setting, "control-character", wrong)


def _naming(node: Node) -> Iterator[Setting]:
    """The settings of a node and its parts that name something."""
    yield from variables_of(node)
    for part in _parts_of(node):
        yield from (part.settings[key] for key in _NAMING if key in part.settings)


def _parts_of(node: Node) -> tuple[Part, ...]:
    match node:
        case OutputNode():
            return node.fields
        case IncludeNode():
            return node.binds
        case CallNode():
            return node.arguments
        case CheckpointNode():
            return node.actions
    return ()
