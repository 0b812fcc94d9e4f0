"""Owns inference: the shape of an expression's value from the shapes of the names in it.

On the way it finds the members that cannot be there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Protocol

from ...types.shapes import (
    BOOLEAN,
    NOTHING,
    NULL,
    NUMBER,
    TEXT,
    UNKNOWN,
    Missing,
    Shape,
    item_of,
    list_of,
    member_of,
    object_of,
    shape_of_value,
    union,
)
from ..calls import METHODS
from ..members import NODE_MEMBERS
from ..survey import WITH_DEFAULT
from ..syntax import (
    Arrow,
    Call,
    Chain,
    Choice,
    Constant,
    Item,
    ListOf,
    Member,
    Method,
    Name,
    ObjectOf,
    Series,
    Tree,
    Unary,
    words_of,
)
from .results import Argument, constants_of, joined_texts, merged, result_of

_PATHS = frozenset({"get", "delete"})
_KEYED = _PATHS | {"omit", "pick"}
"""Functions that name members of their first argument; those of ``_PATHS`` by a path."""

DEEPEST = 60
"""This many expressions and nodes are followed into each other; what lies deeper is unknown."""


class Names(Protocol):
    """What the names of an expression are."""

    def shape_of(self, name: str, depth: int) -> Shape:
        """The shape of a name that no arrow function binds: of a node its output."""

    def is_node(self, name: str) -> bool:
        """Whether the name is that of a node, which has members of its own."""


Faults = Callable[[int, str, str, Missing], None]
"""Told of a member that cannot be there: its offset in the expression, its name, whose it is, what there is."""


class Inference:
    """Infers the shapes of one expression; ``faults`` hears of members that cannot be there."""

    def __init__(self, names: Names, faults: Faults, depth: int = 0) -> None:
        self._names = names
        self._faults = faults
        self._depth = depth
        self._local: dict[str, Shape] = {}
        self._defaulted: set[int] = set()

    def infer(self, tree: Tree) -> Shape:
        """The shape of a tree's value; of an arrow function nothing is known."""
        self._depth += 1
        try:
            return UNKNOWN if self._depth > DEEPEST else self._infer(tree)
        finally:
            self._depth -= 1

    def apply(self, tree: Arrow, *shapes: Shape) -> Shape:
        """The shape of what an arrow function gives for arguments of these shapes."""
        return self._arrow(tree)(*shapes)

    def _infer(self, tree: Tree) -> Shape:
        match tree:
            case Constant(value):
                return shape_of_value(value)
            case Name(name, _, local):
                return self._name(name, local)
            case Chain():
                return self._chain(tree)
            case Call(name, arguments):
                return self._call(name, [], arguments)
            case Series():
                return self._series(tree)
            case Unary(operator, operand):
                self.infer(operand)
                return {"!": BOOLEAN, "typeof": TEXT}.get(operator, NUMBER)
            case Choice(cases, otherwise):
                for when, _ in cases:
                    self.infer(when)
                chosen = [self.infer(then) for when, then in cases if not self._is_never(when)]
                return union(*chosen, self.infer(otherwise))
            case ListOf(items):
                return list_of(union(*[self._spread(item, spread) for spread, item in items]))
            case ObjectOf(entries):
                return self._object(entries)
            case Arrow():
                self._arrow(tree)()
                return UNKNOWN

    def _is_never(self, when: Tree) -> bool:
        """Whether a condition asks for a member that cannot be there: what it guards is not evaluated."""
        match when:
            case Call("has", ((False, base), (False, Constant(str() as name)))):
                return isinstance(member_of(self.infer(base), name), Missing)
        return False

    def _name(self, name: str, local: bool) -> Shape:
        if local:
            return self._local.get(name, UNKNOWN)
        return self._names.shape_of(name, self._depth)

    # ---- members ----

    def _chain(self, tree: Chain) -> Shape:
        base, steps = tree.base, tree.steps
        shape = self.infer(base)
        first = 0
        if isinstance(base, Name) and not base.local and self._names.is_node(base.name):
            name = _static(steps[0])
            if name == "output":
                first = 1
            elif name in NODE_MEMBERS:
                shape, first = _node_member(shape, name or ""), 1
        for at in range(first, len(steps)):
            shape = self._step(tree, at, shape)
        return shape

    def _step(self, tree: Chain, at: int, shape: Shape) -> Shape:
        step = tree.steps[at]
        if isinstance(step, Method):
            return self._call(METHODS.get(step.name, step.name), [shape], step.arguments)
        name = _static(step)
        if name is not None:
            names: Collection[str] = (name,)
        else:
            assert isinstance(step, Item)
            key = self.infer(step.key)
            # Computed, and yet known: 'us' + 'r'.
            names = constants_of(key) if key.item is None else ()
            if not names:
                return item_of(shape, key)
        found = [member_of(shape, each) for each in names]
        shapes = [each for each in found if isinstance(each, Shape)]
        if shapes:
            return union(*shapes, *([NULL] if len(shapes) < len(found) else []))
        missing = found[0]
        assert isinstance(missing, Missing)
        # What only those know who begin the run may have something written beside it: $env.X ?? 1.
        if missing.origin != "$env" or id(tree) not in self._defaulted:
            offset = step.offset if isinstance(step, Member) else step.key.offset
            before = Chain(tree.base, tree.steps[:at], tree.offset) if at else tree.base
            self._faults(offset, min(names), words_of(before) or "this value", missing)
        return UNKNOWN  # one word about it is enough

    # ---- calls ----

    def _call(
        self, name: str, first: list[Argument], arguments: tuple[tuple[bool, Tree], ...]
    ) -> Shape:
        is_spread = False
        given = list(first)
        if name in WITH_DEFAULT:
            self._defaulted.update(id(argument) for _, argument in arguments[:-1])
        for spread, argument in arguments:
            is_spread = is_spread or spread
            if isinstance(argument, Arrow):
                given.append(self._arrow(argument))
            else:
                given.append(self.infer(argument))
        if name in _KEYED and not is_spread:
            self._check_keys(name, given, [argument for _, argument in arguments])
        return result_of(name, given, is_spread=is_spread)

    def _check_keys(self, name: str, given: list[Argument], trees: list[Tree]) -> None:
        """Report the keys of a call that name a member of what a ``$`` name declares, and that is not."""
        of = given[0] if given else UNKNOWN
        if not isinstance(of, Shape) or of.object is None or not of.object.origin:
            return
        if name == "get" and len(given) > 2:
            return  # what is there in its place is written beside it
        for keys, tree in zip(given[1:], trees[1:], strict=True):
            for key in sorted(constants_of(keys)):
                named = key.partition(".")[0].partition("[")[0] if name in _PATHS else key
                found = member_of(of, named)
                if isinstance(found, Missing):
                    self._faults(tree.offset, named, words_of(trees[0]) or "this value", found)

    def _arrow(self, tree: Arrow) -> Callable[..., Shape]:
        """What gives the shape of an arrow function's value for those of its arguments."""

        def apply(*shapes: Shape) -> Shape:
            before = self._local
            given = dict.fromkeys(tree.parameters, UNKNOWN if not shapes else NULL)
            given.update(zip(tree.parameters, shapes, strict=False))
            self._local = {**before, **given}
            try:
                return self.infer(tree.body)
            finally:
                self._local = before

        return apply

    # ---- operators ----

    def _series(self, tree: Series) -> Shape:
        operator = tree.rest[0][0]
        if operator == "??":
            operands = [tree.first, *(operand for _, operand, _ in tree.rest[:-1])]
            self._defaulted.update(map(id, operands))
        shapes = [self.infer(tree.first), *(self.infer(operand) for _, operand, _ in tree.rest)]
        if operator in ("??", "||"):
            return union(*(shape.not_null for shape in shapes[:-1]), shapes[-1])
        if operator == "&&":
            return union(*shapes)
        if all(word in ("+", "-") for word, _, _ in tree.rest):
            return _sum([word for word, _, _ in tree.rest], shapes)
        return NUMBER if operator in ("*", "/", "%") else BOOLEAN

    # ---- lists and objects ----

    def _spread(self, item: Tree, spread: bool) -> Shape:
        shape = self.infer(item)
        if not spread:
            return shape
        if shape.anything:
            return UNKNOWN
        return union(shape.item or NOTHING, TEXT if shape.texts else NOTHING)

    def _object(self, entries: tuple[tuple[Tree | None, Tree], ...]) -> Shape:
        fields = {
            key.value: self.infer(value)
            for key, value in entries
            if isinstance(key, Constant) and isinstance(key.value, str)
        }
        if len(fields) == len(entries):
            return object_of(fields)
        shapes: list[Shape] = []
        for key, value in entries:
            shape = self.infer(value)
            if key is None:
                shapes.append(shape)
            elif isinstance(key, Constant) and isinstance(key.value, str):
                shapes.append(object_of({key.value: shape}))
            else:
                self.infer(key)
                shapes.append(object_of({}, is_open=True))
        return _built(shapes, [key is not None for key, _ in entries])


def _built(shapes: list[Shape], is_entry: list[bool]) -> Shape:
    """The object of entries and spread objects; an entry is there even where it is null."""
    made = object_of({})
    pending: dict[str, Shape] = {}
    for shape, entry in zip(shapes, is_entry, strict=True):
        found = shape.object
        if entry and found is not None and not found.is_open:
            pending.update(found.fields)
            continue
        made = merged([_with(made, pending), shape])
        pending = {}
    return _with(made, pending)


def _with(shape: Shape, fields: dict[str, Shape]) -> Shape:
    if not fields or shape.object is None:
        return shape
    found = shape.object
    return object_of({**found.fields, **fields}, is_open=found.is_open, origin=found.origin)


def _sum(operators: list[str], shapes: list[Shape]) -> Shape:
    """``+`` joins where one side is text, and adds where none is; ``-`` is of numbers."""
    total = shapes[0]
    for operator, shape in zip(operators, shapes[1:], strict=True):
        if operator == "-":
            total = NUMBER
        elif _is_text(total) or _is_text(shape):
            total = joined_texts([total, shape])
        elif _may_be_text(total) or _may_be_text(shape):
            total = union(NUMBER, TEXT)
        else:
            total = NUMBER
    return total


def _may_be_text(shape: Shape) -> bool:
    return shape.anything or bool(shape.texts)


def _is_text(shape: Shape) -> bool:
    return bool(shape.texts) and shape == Shape(texts=shape.texts)


def _node_member(output: Shape, name: str) -> Shape:
    """``status``, ``error``, ``failures`` of a node; a member of its output takes precedence over them."""
    if not output.is_known or (
        output.object is not None and (output.object.is_open or name in output.object.fields)
    ):
        return UNKNOWN
    return _OF_NODES[name]


_SAID = {"message": TEXT, "type": TEXT, "status": NUMBER.or_null}
_OF_NODES = {
    "status": TEXT.or_null,
    "error": object_of(_SAID).or_null,
    "failures": list_of(object_of({"index": NUMBER, "item": UNKNOWN, **_SAID})).or_null,
}
"""What is known about a node besides its output."""


def _static(step: Member | Item | Method) -> str | None:
    """The name or index that a step has written out."""
    if isinstance(step, Member):
        return step.name
    if isinstance(step, Item) and isinstance(step.key, Constant):
        key = step.key.value
        if isinstance(key, str):
            return key
        if isinstance(key, int) and not isinstance(key, bool) and key >= 0:
            return str(key)
    return None
