"""Owns the shapes of one document, each found when it is asked for and kept: reading stays linear."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from itertools import islice

from ...expression import Expression
from ...expression.shaping import Inference
from ...expression.shaping.inference import DEEPEST
from ...expression.shaping.results import items_of
from ...expression.syntax import Arrow, Tree
from ...language.elements import element_of
from ...runtimes.types import FunctionRuntime
from ...runtimes.wrapping import Wrapped
from ...types.ast import ForeachNode, Node, ParallelNode, Shaped, TransformNode
from ...types.findings import Findings
from ...types.location import Text
from ...types.shapes import (
    NULL,
    NUMBER,
    UNKNOWN,
    Missing,
    Shape,
    list_of,
    object_of,
    shape_of_schema,
    union,
)
from ..checked import CheckedNode, Scene
from ..known import known_settings
from ..members import Wanted
from ..positions import Level, Position
from ..texts import Noted, Visibility
from ..values import BoundSettings
from .endings import Endings, find_endings
from .nodes import NodeShapes
from .reporting import Reports
from .scopes import ScopeNames
from .variables import Variables

_FARTHEST = DEEPEST - 10
"""This many steps a node is followed from: fewer than expressions are, whose parts are steps, too."""

_MOST_INNER = 100
"""This many nodes of a block are compared with a name that it does not have."""

_BUILT_IN = __name__.partition(".")[0] + ".runtimes."


class DocumentShapes:
    """The shapes of a checked document.

    ``linked`` are the outputs of the documents that its nodes run, by their keys. What is asked for is found once;
    nodes that depend on each other in a circle (the rounds of a loop) are unknown to each other.
    """

    def __init__(
        self,
        scene: Scene,
        linked: Mapping[int, Shape] | None = None,
        findings: Findings | None = None,
    ) -> None:
        self.scene: Scene = scene
        self.linked: Mapping[int, Shape] = linked or {}
        self._reports = Reports(findings)
        self._nodes = NodeShapes(self)
        self._made: dict[int, Shape] = {}
        self._bodies: dict[int, Shape] = {}
        self.variables: Variables = Variables(self)
        self._inputs: dict[int, Shape] = {}
        self._inferred: dict[int, Shape] = {}
        self._is_cut = False
        self._wanted: dict[str, Wanted] = {}

    # ---- what is asked for ----

    def check(self) -> None:
        """Report the members that cannot be there, of all expressions of the document."""
        with suppress(RecursionError):  # where the caller's own stack is nearly full
            self._look_at_all()
            if (
                self._is_cut
            ):  # a long chain that was followed from its end: once more from its beginning
                self._forget()
                for key in sorted(self.scene.nodes):
                    self.of_node(key)
                self._look_at_all()

    @property
    def wanted(self) -> list[Wanted]:
        """The members of ``$env`` that expressions take of a copy of it, or by a name that they compute."""
        return list(self._wanted.values())

    def _forget(self) -> None:
        for made in (self._made, self._bodies, self._inputs, self._inferred):
            made.clear()
        self.variables.clear()

    def _look_at_all(self) -> None:
        # In document order: what a node names is before it mostly, and is known by then.
        for noted in sorted(self.scene.noted, key=_place_in_document):
            names = ScopeNames(self, self.variables, noted.visible)
            if noted.loops or any(names.shape_of(name, 0).is_known for name in noted.bases):
                if isinstance(noted.tree, Arrow) and noted.visible.bound:
                    self._infer_arrow(noted.tree, noted.text, noted.shift, noted.visible, 0)
                else:
                    self._infer(noted.tree, noted.text, noted.shift, noted.visible, 0)

    def of_node(self, key: int) -> Shape:
        """What a node's output is where it is in the record: that of one that is skipped is null."""
        return self._with_absence(self.scene.nodes[key], 0)

    @cached_property
    def output(self) -> Shape:
        """What the document gives."""
        index = self.scene.index
        shapes = [self.of_body(index.document.body.key, 0)]
        for key, position in index.positions.items():
            if position.node is not None and element_of(position.node).leaves == "document":
                shapes.append(self._given(self.scene.nodes[key], 0))
        found = union(*shapes)
        if found.anything and index.document.output:
            return object_of(_members_of(index.document.output), is_open=True)
        return found

    # ---- nodes and bodies ----

    def is_built_in(self, key: int) -> bool:
        """Whether a node is run by the runtime that the library has for it, and by nothing around it."""
        runtime = self.scene.nodes[key].runtime
        if runtime is None or isinstance(runtime, (Wrapped, FunctionRuntime)):
            return False
        return type(runtime).__module__.startswith(_BUILT_IN)

    def _given(self, checked: CheckedNode, depth: int) -> Shape:
        """What a node gives that is not skipped, or what stands in for it."""
        key = checked.node.key
        if (made := self._made.get(key)) is not None:
            return made
        if depth > _FARTHEST:
            self._is_cut = True
            return UNKNOWN
        self._made[key] = UNKNOWN  # what asks for it meanwhile is asked by it
        shape = self._nodes.own(checked, depth + 1)
        for handler in (checked.fallback, checked.on_timeout):
            if handler is not None:
                shape = union(shape, self._with_absence(self.scene.nodes[handler.key], depth + 1))
        self._made[key] = shape
        return shape

    def _with_absence(self, checked: CheckedNode, depth: int) -> Shape:
        shape = self._given(checked, depth)
        return shape if checked.condition is None else shape.or_null

    def of_body(self, key: int, depth: int) -> Shape:
        """The output of a body's last node that runs."""
        made = self._bodies.get(key)
        if made is not None:
            return made
        body = self.scene.bodies[key]
        shapes: list[Shape] = []
        endings = self.endings
        # What a return gives is the document's output, whatever its own body has given.
        is_own = key == self.scene.index.document.body.key
        is_certain = key not in endings.jumping and (is_own or key not in endings.returning)
        for at in sorted(body.giving, reverse=True):
            checked = self.scene.nodes[body.body.nodes[at].key]
            shapes.append(self._given(checked, depth + 1))
            if is_certain and checked.condition is None:
                break
        else:
            shapes.append(NULL)
        if key in endings.returning and not is_own:
            shapes = [UNKNOWN]
        self._bodies[key] = union(*shapes)
        return self._bodies[key]

    def branches_of(self, node: ParallelNode | ForeachNode, depth: int) -> Shape:
        """What one branch of a block gives."""
        return union(*(self.of_body(body.key, depth) for body in node.bodies))

    def is_left(self, node: Node) -> bool:
        """Whether something in a block's bodies may end it, or a body, before its time."""
        return any(self.endings.may_end_early(body.key) for body in node.bodies)

    @cached_property
    def endings(self) -> Endings:
        """The bodies that may end early."""
        return find_endings(self.scene.index)

    # ---- names ----

    def seen_from(self, node: Node, position: Position, depth: int) -> Shape:
        """The output of a node as an expression at a place sees it: null where it may not have run."""
        index = self.scene.index
        shape = self._with_absence(self.scene.nodes[node.key], depth)
        return shape.or_null if self._may_lack(position, index.positions[node.key]) else shape

    def _may_lack(self, position: Position, target: Position) -> bool:
        """Whether a node that is named at a place may have no output there."""
        handlers = self.scene.handlers
        if target.level.looped or handlers.around(position) or handlers.around(target):
            return True
        around: set[int] = set()
        level: Level | None = position.level
        while level is not None:
            around.add(level.body.key)
            if level.role != "body":
                return True
            level = None if level.outer is None else level.outer.level
        inner = target.level
        while inner.body.key not in around:
            outer = inner.outer
            if outer is None or outer.node is None or outer.node.kind != "phase":
                return True
            if outer.node.on_error is not None or outer.node.condition is not None:
                return True
            inner = outer.level
        return self.endings.may_end_early(target.level.body.key)

    def input_at(self, position: Position, depth: int, *, is_outer: bool = False) -> Shape:
        """What ``input`` is at a place; with ``is_outer`` where the node's own input is computed."""
        node = position.node
        if node is not None and not is_outer:
            found = self._inputs.get(node.key)
            if found is None:
                self._inputs[node.key] = UNKNOWN
                found = self._inputs[node.key] = self._input_of(position, depth)
            return found
        return self._outer_input(position, depth)

    def _input_of(self, position: Position, depth: int) -> Shape:
        assert position.node is not None
        checked = self.scene.nodes[position.node.key]
        if checked.node.input is None:
            return self._outer_input(position, depth)
        if checked.input is None:
            return UNKNOWN
        visible = Visibility(position, of_input=True)
        shapes = [self.infer(expression, visible, depth) for expression in checked.input]
        return list_of(union(*shapes)) if checked.input_is_list else shapes[0]

    def _outer_input(self, position: Position, depth: int) -> Shape:
        """The input of the block around, and at the top the run's."""
        if depth > DEEPEST or self.scene.handlers.around(position) is not None:
            return UNKNOWN
        level = position.level
        if level.role != "body":
            return UNKNOWN
        if level.outer is None:
            return self.given_input
        return self.input_at(level.outer, depth + 1)

    def items_of_input(self, key: int, depth: int) -> Shape:
        """The items of a node's input, as ``map`` and its like go through them."""
        return items_of(self.input_at(self.scene.index.positions[key], depth))

    def item_of(self, node: ForeachNode, depth: int) -> Shape:
        """What an iteration of a ``<foreach>`` is given."""
        checked = self.scene.nodes[node.key]
        known = known_settings(checked.settings)
        collection = known.get("collection")
        if "batch" not in known or not isinstance(collection, Expression):
            return UNKNOWN
        position = self.scene.index.positions[node.key]
        items = items_of(self.infer(collection, Visibility(position), depth))
        return items if known["batch"] is None else list_of(items)

    def value(self, settings: BoundSettings, checked: CheckedNode, depth: int) -> Shape:
        """What a node, or a part of it, sets a variable to."""
        return self._nodes.value(settings, checked, depth)

    @cached_property
    def given_input(self) -> Shape:
        """``$input``: what is declared; callers may give more."""
        declared = self.scene.index.document.input
        return object_of(_members_of(declared), is_open=True) if declared else UNKNOWN

    # ---- expressions ----

    def infer(self, expression: Expression, visible: Visibility, depth: int) -> Shape:
        """The shape of an expression's value at a place."""
        return self._infer(expression.tree, expression.text, expression.shift, visible, depth)

    def infer_bound(
        self, checked: CheckedNode, expression: Expression, bound: frozenset[str], depth: int
    ) -> Shape:
        """The same for one that sees names of its own."""
        position = self.scene.index.positions[checked.node.key]
        return self.infer(expression, Visibility(position, bound, after_body=True), depth)

    def infer_item(
        self, checked: CheckedNode, expression: Expression, name: str, depth: int
    ) -> Shape:
        """What an expression over the items of a transform gives; an arrow function is called with them."""
        position = self.scene.index.positions[checked.node.key]
        visible = Visibility(position, ITEMS if name == "expression" else FOLDING)
        tree = expression.tree
        if isinstance(tree, Arrow):
            return self._infer_arrow(tree, expression.text, expression.shift, visible, depth)
        return self.infer(expression, visible, depth)

    def _infer_arrow(
        self, tree: Arrow, text: Text, shift: int, visible: Visibility, depth: int
    ) -> Shape:
        """The same for an arrow function: what it gives for an item."""
        node = visible.position.node
        inference = self._inference(text, shift, visible, depth)
        if not isinstance(node, TransformNode) or not self.is_built_in(node.key):
            return inference.infer(tree)
        items = self.items_of_input(node.key, depth)
        shapes = (items, NUMBER, list_of(items))
        return inference.apply(tree, *((UNKNOWN, *shapes) if "acc" in visible.bound else shapes))

    def _infer(self, tree: Tree, text: Text, shift: int, visible: Visibility, depth: int) -> Shape:
        found = self._inferred.get(id(tree))
        if found is None:
            found = self._inference(text, shift, visible, depth).infer(tree)
            self._inferred[id(tree)] = found
        return found

    def _inference(self, text: Text, shift: int, visible: Visibility, depth: int) -> Inference:
        def report(offset: int, name: str, whose: str, missing: Missing) -> None:
            if missing.origin == "$env":
                self._wanted.setdefault(name, Wanted(name, text.location(shift + offset)))
                return
            inner = self._inner_names(whose)
            self._reports.report(text, shift + offset, name, whose, missing, inner)

        return Inference(ScopeNames(self, self.variables, visible), report, depth)

    def _inner_names(self, whose: str) -> tuple[str, ...]:
        """The names of the nodes in a block, which may follow its own."""
        node = self.scene.index.results.get(whose)
        if node is None:
            return ()
        bodies = (self.scene.bodies[body.key] for body in node.bodies)
        names = (name for body in bodies for name in body.inner_ids)
        return tuple(islice(names, _MOST_INNER))


def _place_in_document(noted: Noted) -> int:
    node = noted.visible.position.node
    return -1 if node is None else node.key


def _members_of(declared: Sequence[Shaped]) -> dict[str, Shape]:
    """The shapes of declared members."""
    shapes = {}
    for member in declared:
        shape = shape_of_schema(member.shape)
        shapes[member.name] = shape if member.required else shape.or_null
    return shapes


ITEMS = frozenset({"item", "index", "$item", "$index", "$items", "$first", "$last"})
FOLDING = ITEMS | {"acc", "$acc"}
