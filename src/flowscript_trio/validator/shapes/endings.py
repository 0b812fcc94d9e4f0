"""Owns which bodies may end before their last node, or go on elsewhere: by a break, a checkpoint or a return."""

from __future__ import annotations

from collections.abc import Callable

from ...language.elements import element_of
from ...types.ast import CheckpointNode, Node
from ...types.deferred import dataclass
from ..positions import Index, Level


@dataclass(frozen=True, slots=True)
class Endings:
    """The keys of bodies: ``jumping`` around a ``<break>`` or a checkpoint that goes on elsewhere, ``returning``
    around a ``<return>``."""

    jumping: frozenset[int]
    returning: frozenset[int]

    def may_end_early(self, key: int) -> bool:
        """Whether not all nodes of a body may run, though none fails."""
        return key in self.jumping or key in self.returning


def find_endings(index: Index) -> Endings:
    """The bodies of a document that may end early."""
    return Endings(_bodies_around(index, _jumps), _bodies_around(index, _returns))


def _jumps(node: Node) -> bool:
    if isinstance(node, CheckpointNode):
        return any("goto" in part.settings for part in node.actions)
    return element_of(node).leaves == "loop"


def _returns(node: Node) -> bool:
    return element_of(node).leaves == "document"


def _bodies_around(index: Index, is_one: Callable[[Node], bool]) -> frozenset[int]:
    found: set[int] = set()
    for position in index.positions.values():
        if position.node is None or not is_one(position.node):
            continue
        level: Level | None = position.level
        while level is not None and level.body.key not in found:
            found.add(level.body.key)
            level = None if level.outer is None else level.outer.level
    return frozenset(found)
