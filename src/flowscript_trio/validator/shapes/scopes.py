"""Owns what the names of a text are, seen from where it is."""

from __future__ import annotations

from ...language.elements import element_of
from ...types.ast import ForeachNode, ParallelNode, TransformNode
from ...types.shapes import (
    BOOLEAN,
    NUMBER,
    TEXT,
    UNKNOWN,
    Shape,
    list_of,
    object_of,
)
from ..positions import Level, Position, names_in
from ..texts import Visibility
from .asking import Shapes
from .variables import Variables

RUN = object_of({"id": TEXT, "started": TEXT}, origin="$run")
ENV = object_of({}, is_open=True, origin="$env")
"""What is in it is known when the run begins."""
ERROR = object_of(
    {
        "type": TEXT,
        "message": TEXT,
        "status": NUMBER.or_null,
        "retryable": BOOLEAN,
        "node": TEXT.or_null,
        "headers": UNKNOWN,
        "body": UNKNOWN,
    }
)
"""The members of an error; the last two only where a request was answered."""
_INDEXES = frozenset({"index", "$index", "$branch", "$iteration"})
_ENDS = frozenset({"$first", "$last"})


class ScopeNames:
    """The names that a text sees; see :class:`~...expression.shaping.Names`."""

    __slots__ = ("_shapes", "_variables", "_visible")

    def __init__(self, shapes: Shapes, variables: Variables, visible: Visibility) -> None:
        self._shapes = shapes
        self._variables = variables
        self._visible = visible

    def is_node(self, name: str) -> bool:
        visible = self._visible
        return (
            name in self._shapes.scene.index.results
            and name not in visible.bound
            and name not in visible.position.level.names
        )

    def shape_of(self, name: str, depth: int) -> Shape:
        position = self._visible.position
        if name in self._visible.bound:
            return self._bound(name, depth)
        if name in position.level.names:
            return self._around(name, position, depth)
        index = self._shapes.scene.index
        node = index.results.get(name) or (
            index.phases.get(name) if self._visible.of_input else None
        )
        if node is not None:
            return self._shapes.seen_from(node, position, depth)
        if name == "input":
            is_outer = self._visible.of_input
            return self._shapes.input_at(position, depth, is_outer=is_outer)
        if name.startswith("$"):
            return self._special(name, depth)
        if self._shapes.scene.handlers.around(position) is not None:
            return UNKNOWN  # what its users bind may hide a variable
        return self._variables.shape_of(name, depth)

    def _special(self, name: str, depth: int) -> Shape:
        match name:
            case "$input":
                return self._shapes.given_input
            case "$config":
                return self._variables.config
            case "$secrets":
                return self._variables.secrets
            case "$run":
                return RUN
            case "$env":
                return ENV if self._shapes.scene.declared.environment else UNKNOWN
            case "$error":
                return ERROR.or_null
            case "$context":
                return self._variables.context(depth)
            case "$attempt" if self._visible.position.node is not None:
                return NUMBER
        return UNKNOWN

    def _bound(self, name: str, depth: int) -> Shape:
        """A name that is bound for this text alone: the item of a ``map``, the ``$branches`` of a ``merge``."""
        if "$error" in self._visible.bound:  # the when of a retry
            return ERROR if name in ("error", "$error") else UNKNOWN
        node = self._visible.position.node
        if isinstance(node, TransformNode) and self._shapes.is_built_in(node.key):
            shape = self._of_item(name, node, depth)
            # What finalize says sees no item: there these are null.
            return shape.or_null if node.type == "transform:reduce" else shape
        if isinstance(node, (ParallelNode, ForeachNode)):
            if name == "$branches":
                return list_of(self._shapes.branches_of(node, depth).or_null)
            if name == "result":
                return self._shapes.branches_of(node, depth)
        return UNKNOWN

    def _of_item(self, name: str, node: TransformNode, depth: int) -> Shape:
        """What the expressions of a transform see of the item that they are about."""
        if name in _INDEXES:
            return NUMBER
        if name in _ENDS:
            return BOOLEAN
        items = self._shapes.items_of_input(node.key, depth)
        if name in ("item", "$item"):
            return items
        return list_of(items) if name == "$items" else UNKNOWN

    def _around(self, name: str, position: Position, depth: int) -> Shape:
        """A name that a block around binds: the item of a ``<foreach>``."""
        if name == "$error":
            return ERROR.or_null
        if self._shapes.scene.handlers.around(position) is not None:
            return UNKNOWN
        level: Level | None = position.level
        while level is not None and level.outer is not None:
            owner = level.outer.node
            if owner is not None and level.role == "body":
                named = names_in(owner)
                if name in named.values() or name in element_of(owner).binds:
                    return self._of_block(name, owner, named, depth)
            level = level.outer.level
        return UNKNOWN

    def _of_block(self, name: str, owner: object, named: dict[str, str], depth: int) -> Shape:
        if name in _INDEXES or name == named.get("index"):
            return NUMBER
        if name in _ENDS:
            return UNKNOWN
        if isinstance(owner, ForeachNode):
            item = self._shapes.item_of(owner, depth)
            if name in (named.get("item"), "$item"):
                return item
        return UNKNOWN
