"""Owns the shapes of one document, each found when it is asked for and kept: reading stays linear."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property

from ...expression import Expression
from ...expression.shaping import Inference
from ...expression.shaping.inference import DEEPEST
from ...expression.shaping.results import items_of
from ...expression.syntax import Arrow, Tree
from ...language.elements import element_of, parts_of
from ...runtimes.types import FunctionRuntime
from ...runtimes.wrapping import Wrapped
from ...types.ast import CheckpointNode, ForeachNode, Node, ParallelNode, Parameter
from ...types.errors import nearest
from ...types.findings import Findings
from ...types.location import Text
from ...types.shapes import (
    BOOLEAN,
    NULL,
    NUMBER,
    TEXT,
    UNKNOWN,
    Missing,
    Shape,
    describe_shape,
    list_of,
    object_of,
    shape_of_value,
    union,
)
from ..checked import CheckedNode
from ..known import known_settings
from ..places import Level, Place, variables_of, word_of
from ..texts import Visibility
from .nodes import NodeShapes
from .scene import Scene
from .scopes import ScopeNames

MOST_COMPARISONS = 20_000
"""How many names are compared with missing members in one document, to find the nearest."""
MOST_VARIABLES = 100
"""So many variables are members of ``$context``; of more nothing is said."""

_BUILT_IN = __name__.partition(".")[0] + ".runtimes."
_DECLARED = {
    "string": TEXT,
    "number": NUMBER,
    "boolean": BOOLEAN,
    "array": list_of(UNKNOWN),
    "object": object_of({}, is_open=True),
}


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
        self._findings = findings
        self._nodes = NodeShapes(self)
        self._made: dict[int, Shape] = {}
        self._bodies: dict[int, Shape] = {}
        self._variables: dict[str, Shape] = {}
        self._inputs: dict[int, Shape] = {}
        self._inferred: dict[int, Shape] = {}
        self._comparisons = 0

    # ---- what is asked for ----

    def check(self) -> None:
        """Report the members that cannot be there, of all expressions of the document."""
        for noted in self.scene.noted:
            with suppress(RecursionError):  # where the caller's own stack is nearly full
                names = ScopeNames(self, noted.visible)
                if noted.loops or any(names.shape_of(name, 0).is_known for name in noted.bases):
                    self._infer(noted.tree, noted.text, noted.shift, noted.visible, 0)

    def of_node(self, key: int) -> Shape:
        """What a node's output is where it is in the record: that of one that is skipped is null."""
        return self._with_absence(self.scene.nodes[key], 0)

    @cached_property
    def output(self) -> Shape:
        """What the document gives."""
        index = self.scene.index
        shapes = [self.of_body(index.document.body.key, 0)]
        for key, place in index.places.items():
            if place.node is not None and element_of(place.node).leaves == "document":
                shapes.append(self._given(self.scene.nodes[key], 0))
        return union(*shapes)

    # ---- nodes and bodies ----

    def is_built_in(self, key: int) -> bool:
        """Whether a node is run by the runtime that the library has for it, and by nothing around it."""
        runtime = self.scene.nodes[key].runtime
        if runtime is None or isinstance(runtime, (Wrapped, FunctionRuntime)):
            return False
        return type(runtime).__module__.startswith(_BUILT_IN)

    def _given(self, checked: CheckedNode, depth: int) -> Shape:
        """What a node gives that is not skipped, or what stands in its stead."""
        key = checked.node.key
        if (made := self._made.get(key)) is not None:
            return made
        if depth > DEEPEST:
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
        is_certain = key not in self._left_bodies
        for at in sorted(body.giving, reverse=True):
            checked = self.scene.nodes[body.body.nodes[at].key]
            shapes.append(self._given(checked, depth + 1))
            if is_certain and checked.condition is None:
                break
        else:
            shapes.append(NULL)
        if key in self._returning:
            shapes = [UNKNOWN]
        self._bodies[key] = union(*shapes)
        return self._bodies[key]

    def branches_of(self, node: ParallelNode | ForeachNode, depth: int) -> Shape:
        """What one branch of a block gives."""
        return union(*(self.of_body(body.key, depth) for body in node.bodies))

    def is_left(self, node: Node) -> bool:
        """Whether something in a block's bodies may end it, or a body, before its time."""
        return any(body.key in self._left_bodies for body in node.bodies)

    @cached_property
    def _left_bodies(self) -> frozenset[int]:
        """The bodies that may end, or go on elsewhere, before their last node: by break, goto or return."""
        return self._bodies_around(
            lambda node: (
                element_of(node).leaves is not None
                or (
                    isinstance(node, CheckpointNode)
                    and any("goto" in part.settings for part in node.actions)
                )
            )
        )

    @cached_property
    def _returning(self) -> frozenset[int]:
        """The bodies around a ``<return>`` but the document's own, whose output a return gives."""
        found = self._bodies_around(lambda node: element_of(node).leaves == "document")
        return found - {self.scene.index.document.body.key}

    def _bodies_around(self, is_one: object) -> frozenset[int]:
        assert callable(is_one)
        found: set[int] = set()
        for place in self.scene.index.places.values():
            if place.node is None or not is_one(place.node):
                continue
            level: Level | None = place.level
            while level is not None and level.body.key not in found:
                found.add(level.body.key)
                level = None if level.outer is None else level.outer.level
        return frozenset(found)

    # ---- names ----

    def seen_from(self, node: Node, place: Place, depth: int) -> Shape:
        """The output of a node as an expression at a place sees it: null where it may not have run."""
        index = self.scene.index
        shape = self._with_absence(self.scene.nodes[node.key], depth)
        return shape.or_null if self._may_lack(place, index.places[node.key]) else shape

    def _may_lack(self, place: Place, target: Place) -> bool:
        """Whether a node that is named at a place may have no output there."""
        handlers = self.scene.handlers
        if target.level.looped or handlers.around(place) or handlers.around(target):
            return True
        around: set[int] = set()
        level: Level | None = place.level
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
        return target.level.body.key in self._left_bodies

    def input_at(self, place: Place, depth: int, *, is_outer: bool = False) -> Shape:
        """What ``input`` is at a place; with ``is_outer`` where the node's own input is computed."""
        node = place.node
        if node is not None and not is_outer:
            found = self._inputs.get(node.key)
            if found is None:
                self._inputs[node.key] = UNKNOWN
                found = self._inputs[node.key] = self._input_of(place, depth)
            return found
        return self._outer_input(place, depth)

    def _input_of(self, place: Place, depth: int) -> Shape:
        assert place.node is not None
        checked = self.scene.nodes[place.node.key]
        if checked.node.input is None:
            return self._outer_input(place, depth)
        if checked.input is None:
            return UNKNOWN
        visible = Visibility(place, of_input=True)
        shapes = [self.infer(expression, visible, depth) for expression in checked.input]
        return list_of(union(*shapes)) if checked.input_is_list else shapes[0]

    def _outer_input(self, place: Place, depth: int) -> Shape:
        """The input of the block around, and at the top the run's."""
        if depth > DEEPEST or self.scene.handlers.around(place) is not None:
            return UNKNOWN
        level = place.level
        if level.role != "body":
            return UNKNOWN
        if level.outer is None:
            return self.given_input
        return self.input_at(level.outer, depth + 1)

    def items_of_input(self, key: int, depth: int) -> Shape:
        """The items of a node's input, as ``map`` and its like go through them."""
        return items_of(self.input_at(self.scene.index.places[key], depth))

    def item_of(self, node: ForeachNode, depth: int) -> Shape:
        """What an iteration of a ``<foreach>`` is given."""
        checked = self.scene.nodes[node.key]
        known = known_settings(checked.settings)
        collection = known.get("collection")
        if "batch" not in known or not isinstance(collection, Expression):
            return UNKNOWN
        place = self.scene.index.places[node.key]
        items = items_of(self.infer(collection, Visibility(place), depth))
        return items if known["batch"] is None else list_of(items)

    def variable(self, name: str, depth: int) -> Shape:
        """What a variable may be wherever it is read: what any node sets it to, or null."""
        found = self._variables.get(name)
        if found is None:
            self._variables[name] = UNKNOWN
            found = self._variables[name] = self._find_variable(name, depth)
        return found

    def _find_variable(self, name: str, depth: int) -> Shape:
        index = self.scene.index
        declared = self._parameters.get(name)
        shapes = [NULL if name not in index.given else UNKNOWN] if declared is None else [declared]
        for key in self._setters.get(name, ()):
            checked = self.scene.nodes[key]
            if not self.is_built_in(key) or depth > DEEPEST:
                return UNKNOWN
            if not checked.parts:
                shapes.append(self._nodes.value(checked.settings, checked, depth + 1))
            for part in checked.parts:
                if known_settings(part).get("key") == name:
                    shapes.append(self._nodes.value(part, checked, depth + 1))
        return union(*shapes)

    def context(self, depth: int) -> Shape:
        """All variables, as ``$context`` has them; callers may add to them."""
        names = {**self._setters, **self._parameters}
        if len(names) > MOST_VARIABLES:
            return UNKNOWN
        shapes = {name: self.variable(name, depth) for name in names}
        return object_of(shapes, is_open=True)

    @cached_property
    def _setters(self) -> dict[str, list[int]]:
        """The keys of the nodes that set each variable."""
        found: dict[str, list[int]] = {}
        for key, place in self.scene.index.places.items():
            if place.node is not None and (element_of(place.node).assigns or parts_of(place.node)):
                for setting in variables_of(place.node):
                    found.setdefault(word_of(setting), []).append(key)
        return found

    @cached_property
    def _parameters(self) -> dict[str, Shape]:
        return {each.name: declared_shape(each) for each in self.scene.index.document.parameters}

    @cached_property
    def config(self) -> Shape:
        """``$config``: what is declared; the application may give more."""
        return object_of(self._parameters, is_open=True)

    @property
    def given_input(self) -> Shape:
        """``$input``."""
        return UNKNOWN

    # ---- expressions ----

    def infer(self, expression: Expression, visible: Visibility, depth: int) -> Shape:
        """The shape of an expression's value at a place."""
        return self._infer(expression.tree, expression.text, expression.shift, visible, depth)

    def infer_bound(
        self, checked: CheckedNode, expression: Expression, bound: frozenset[str], depth: int
    ) -> Shape:
        """The same for one that sees names of its own."""
        place = self.scene.index.places[checked.node.key]
        return self.infer(expression, Visibility(place, bound, after_body=True), depth)

    def infer_item(
        self, checked: CheckedNode, expression: Expression, name: str, depth: int
    ) -> Shape:
        """What an expression over the items of a transform gives; an arrow function is called with them."""
        place = self.scene.index.places[checked.node.key]
        tree = expression.tree
        bound = ITEMS if name == "expression" else FOLDING
        visible = Visibility(place, bound)
        if not isinstance(tree, Arrow):
            return self.infer(expression, visible, depth)
        items = self.items_of_input(checked.node.key, depth)
        shapes = [items, NUMBER, list_of(items)]
        if name != "expression":
            shapes.insert(0, UNKNOWN)
        inference = self._inference(expression.text, expression.shift, visible, depth)
        return inference.apply(tree, *shapes)

    def _infer(self, tree: Tree, text: Text, shift: int, visible: Visibility, depth: int) -> Shape:
        found = self._inferred.get(id(tree))
        if found is None:
            found = self._inference(text, shift, visible, depth).infer(tree)
            self._inferred[id(tree)] = found
        return found

    def _inference(self, text: Text, shift: int, visible: Visibility, depth: int) -> Inference:
        def report(offset: int, name: str, whose: str, missing: Missing) -> None:
            self._report(text, shift + offset, name, whose, missing)

        return Inference(ScopeNames(self, visible), report, depth)

    def _report(self, text: Text, offset: int, name: str, whose: str, missing: Missing) -> None:
        if self._findings is None:
            return
        self._comparisons += len(missing.known)
        is_looked = self._comparisons <= MOST_COMPARISONS
        start = text.value.find(name, offset, offset + len(name) + 1)
        found, length = (start, len(name)) if start >= 0 else (offset, 1)
        self._findings.in_text(
            text,
            found,
            length,
            "unknown-member",
            _words_for(whose, name, missing),
            expected=_list(missing.known),
            suggestion=nearest(name, missing.known) if is_looked else None,
        )


ITEMS = frozenset({"item", "index", "$item", "$index", "$items", "$first", "$last"})
FOLDING = ITEMS | {"acc", "$acc"}


def declared_shape(parameter: Parameter) -> Shape:
    """What a declared parameter is wherever it is read."""
    if parameter.type == "enum":
        shape = union(*map(shape_of_value, parameter.choices))
    else:
        shape = _DECLARED.get(parameter.type or "", UNKNOWN)
    return shape if parameter.required else shape.or_null


def _words_for(whose: str, name: str, missing: Missing) -> str:
    if missing.known or missing.kind == "an object":
        return f"{whose!r} has no member {name!r}"
    return f"{whose!r} is {missing.kind}, which has no member {name!r}"


def _list(names: tuple[str, ...]) -> str | None:
    """The members for a message, not more than fit in one."""
    if not names:
        return None
    shown = ", ".join(names[:8])
    return (
        f"one of {shown}, …" if len(names) > 8 else f"one of {shown}" if len(names) > 1 else shown
    )


__all__ = ["DocumentShapes", "declared_shape", "describe_shape"]
