"""Owns what each kind of node gives, by what is in it and by the outputs of its bodies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...expression import Expression, Template
from ...expression.shaping.results import items_of, merged
from ...runtimes.control.values import WaitAll
from ...types.ast import (
    BranchNode,
    CallNode,
    ForeachNode,
    IfNode,
    IncludeNode,
    ParallelNode,
)
from ...types.shapes import (
    BOOLEAN,
    NOTHING,
    NULL,
    NUMBER,
    TEXT,
    UNKNOWN,
    Shape,
    list_of,
    object_of,
    shape_of_value,
    union,
)
from ..checked import CheckedNode
from ..known import computed_by, known_settings
from ..texts import Visibility
from ..values import BoundSettings
from .asking import Shapes
from .templates import shape_of_setting, shape_of_template

Rule = Callable[["NodeShapes", CheckedNode, int], Shape]

CHECKPOINT = object_of(
    {"action": TEXT, "input": UNKNOWN, "timed_out": BOOLEAN.or_null}, is_open=False
)


class NodeShapes:
    """Gives the shape of a node's own output, where it runs and succeeds."""

    def __init__(self, shapes: Shapes) -> None:
        self._shapes = shapes

    def own(self, checked: CheckedNode, depth: int) -> Shape:
        """What a node gives that runs, without what stands in for it."""
        runtime = checked.runtime
        gives = getattr(runtime, "gives", None)
        if gives is not None:
            shape: Shape = gives(known_settings(checked.settings))
            return shape
        if runtime is None or not self._shapes.is_built_in(checked.node.key):
            return UNKNOWN
        rule = _RULES.get(runtime.type)
        return UNKNOWN if rule is None else rule(self, checked, depth)

    # ---- transforms ----

    def template(self, checked: CheckedNode, depth: int) -> Shape:
        known = known_settings(checked.settings)
        template = known.get("template")
        if not isinstance(template, Template):
            return UNKNOWN
        return shape_of_template(template, known.get("format"), self._infers(checked, depth))

    def map(self, checked: CheckedNode, depth: int) -> Shape:
        return list_of(self._each(checked, "expression", depth))

    def filter(self, checked: CheckedNode, depth: int) -> Shape:
        return list_of(self._shapes.items_of_input(checked.node.key, depth))

    def reduce(self, checked: CheckedNode, depth: int) -> Shape:
        known = known_settings(checked.settings)
        if isinstance(known.get("finalize"), Expression):
            return self._each(checked, "finalize", depth)
        initial = known.get("initial")
        if isinstance(initial, Expression):
            start = self._infers(checked, depth)(initial)
        else:
            start = self._shapes.items_of_input(checked.node.key, depth).or_null
        return union(start, self._each(checked, "reducer", depth))

    def _each(self, checked: CheckedNode, name: str, depth: int) -> Shape:
        """What an expression over the items gives; an arrow function is called with them."""
        expression = known_settings(checked.settings).get(name)
        if not isinstance(expression, Expression):
            return UNKNOWN
        return self._shapes.infer_item(checked, expression, name, depth)

    # ---- values ----

    def assigned(self, checked: CheckedNode, depth: int) -> Shape:
        """The value of a ``<set>`` or a ``<return>``."""
        return self.value(checked.settings, checked, depth)

    def value(self, settings: BoundSettings, checked: CheckedNode, depth: int) -> Shape:
        """The setting ``value`` of a node or of a part of it."""
        compute = computed_by(settings, "value")
        known = known_settings(settings)
        if compute is None:
            return shape_of_value(known["value"]) if "value" in known else UNKNOWN
        if known.get("type") == "string":
            return TEXT
        if not isinstance(compute, Template):
            return UNKNOWN
        return shape_of_setting(compute, self._infers(checked, depth))

    def context(self, checked: CheckedNode, depth: int) -> Shape:
        return self._fields(checked, "key", depth)

    def output(self, checked: CheckedNode, depth: int) -> Shape:
        return self._fields(checked, "field", depth)

    def _fields(self, checked: CheckedNode, name: str, depth: int) -> Shape:
        fields: dict[str, Shape] = {}
        for part in checked.parts:
            key = known_settings(part).get(name)
            if not isinstance(key, str):
                return object_of({}, is_open=True)
            fields[key] = self.value(part, checked, depth)
        return object_of(fields)

    # ---- blocks ----

    def choice(self, checked: CheckedNode, depth: int) -> Shape:
        node = checked.node
        shapes = [self._shapes.of_body(body.key, depth) for body in node.bodies]
        has_last = (isinstance(node, IfNode) and node.then and node.otherwise) or (
            isinstance(node, BranchNode) and node.default
        )
        return union(*shapes, NOTHING if has_last else NULL)

    def rounds(self, checked: CheckedNode, depth: int) -> Shape:
        shape = self._shapes.of_body(checked.node.bodies[0].key, depth)
        most = known_settings(checked.settings).get("max")
        runs = checked.node.kind == "loop" and isinstance(most, int) and most > 0
        return shape if runs else shape.or_null

    def body(self, checked: CheckedNode, depth: int) -> Shape:
        return self._shapes.of_body(checked.node.bodies[0].key, depth)

    def block(self, checked: CheckedNode, depth: int) -> Shape:
        """A ``<parallel>`` or a ``<foreach>``, by its ``merge``."""
        node = checked.node
        assert isinstance(node, (ParallelNode, ForeachNode))
        known = known_settings(checked.settings)
        merge = known.get("merge")
        if isinstance(merge, Expression):
            return self._shapes.infer_bound(checked, merge, frozenset({"$branches"}), depth)
        if merge == "none":
            return NUMBER
        each = self._shapes.branches_of(node, depth)
        may_lack = may_lack_branches(known) or self._shapes.is_left(node)
        if merge == "array":
            return list_of(each.or_null if may_lack else each)
        if merge == "concat":
            return list_of(items_of_slot(each))
        if merge == "object" and isinstance(node, ParallelNode):
            return self._merged(node, known, depth)
        return UNKNOWN

    def _merged(self, node: ParallelNode, known: Any, depth: int) -> Shape:
        shapes = [self._shapes.of_body(body.key, depth) for body in node.branches]
        is_plain = all(
            shape.object is not None and shape == Shape(object=shape.object) for shape in shapes
        )
        if not is_plain:
            return object_of({}, is_open=True)
        if may_lack_branches(known) or not isinstance(known.get("wait"), WaitAll):
            shapes = [shape.or_null for shape in shapes]
        return merged(shapes)

    def checkpoint(self, checked: CheckedNode, depth: int) -> Shape:
        return CHECKPOINT

    def delay(self, checked: CheckedNode, depth: int) -> Shape:
        position = self._shapes.scene.index.positions[checked.node.key]
        return self._shapes.input_at(position, depth)

    def linked(self, checked: CheckedNode, depth: int) -> Shape:
        assert isinstance(checked.node, (IncludeNode, CallNode))
        return self._shapes.linked.get(checked.node.key, UNKNOWN)

    def nothing(self, checked: CheckedNode, depth: int) -> Shape:
        return NULL

    def _infers(self, checked: CheckedNode, depth: int) -> Callable[[Expression], Shape]:
        position = self._shapes.scene.index.positions[checked.node.key]
        visible = Visibility(position)
        return lambda expression: self._shapes.infer(expression, visible, depth)


def may_lack_branches(known: Any) -> bool:
    """Whether a slot of a block's output may be null because its branch gave none."""
    return known.get("tolerate", 1) is not None or known.get("on_timeout") != "fail"


def items_of_slot(shape: Shape) -> Shape:
    """What ``concat`` takes of a branch's output: the items of a list, anything else as it is."""
    return items_of(shape) if shape.anything or not shape.null else union(items_of(shape), NULL)


_RULES: dict[str, Rule] = {
    "transform:template": NodeShapes.template,
    "transform:map": NodeShapes.map,
    "transform:filter": NodeShapes.filter,
    "transform:reduce": NodeShapes.reduce,
    "control:set": NodeShapes.assigned,
    "control:return": NodeShapes.assigned,
    "control:context": NodeShapes.context,
    "control:output": NodeShapes.output,
    "control:if": NodeShapes.choice,
    "control:branch": NodeShapes.choice,
    "control:loop": NodeShapes.rounds,
    "control:while": NodeShapes.rounds,
    "control:timeout": NodeShapes.body,
    "control:phase": NodeShapes.body,
    "control:parallel": NodeShapes.block,
    "control:foreach": NodeShapes.block,
    "control:checkpoint": NodeShapes.checkpoint,
    "control:delay": NodeShapes.delay,
    "control:include": NodeShapes.linked,
    "control:call": NodeShapes.linked,
    "control:break": NodeShapes.nothing,
}
"""What each built-in runtime gives that does not say it itself (by ``gives``)."""
