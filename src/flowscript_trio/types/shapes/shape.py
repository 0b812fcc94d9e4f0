"""Owns the lattice of shapes: what a value may be, as one record of its kinds. Pure.

A shape is a set of values that is never too small: what cannot be known is ``UNKNOWN``, the set of all. It has
each kind once (two lists are one list of either's items, two objects one object with the members of both), so that
joining shapes never makes more of them than there is to say. What is absent reads as null: a member that may be
missing is one that may be null.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Literal

from ..deferred import dataclass

MOST_CONSTANTS = 16
"""This many texts are kept one by one; of more only their kind."""
MOST_PARTS = 1000
"""This many shapes may be in one; of a larger one only the outer part is kept."""
DEEPEST = 32
"""Shapes may nest this deeply; what is deeper is unknown."""
_LONGEST = 64
"""A longer text is a text, and no constant."""


@dataclass(frozen=True, slots=True)
class ObjectShape:
    """An object and its members; with ``is_open`` it may have others.

    ``origin`` is the ``$`` name that declares its members, of a copy too: one that is written out must be among
    ``fields``, whatever else may be in it.
    """

    fields: Mapping[str, Shape]
    is_open: bool = False
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a value may be: one of the kinds that are set.

    ``texts`` is True for any, else has the constants that it may be. ``item`` is that of a list,
    ``object`` says what an object has. ``anything``: nothing is known.
    """

    anything: bool = False
    null: bool = False
    boolean: bool = False
    numbers: bool = False
    texts: Literal[True] | frozenset[str] = frozenset()
    item: Shape | None = None
    object: ObjectShape | None = None
    parts: int = field(default=1, compare=False, repr=False)
    depth: int = field(default=0, compare=False, repr=False)

    @property
    def is_known(self) -> bool:
        """Whether anything is known about it."""
        return not self.anything

    @property
    def or_null(self) -> Shape:
        """This, or null."""
        return self if self.anything or self.null else union(self, NULL)

    @property
    def not_null(self) -> Shape:
        """This without null."""
        if self.anything or not self.null:
            return self
        return Shape(
            boolean=self.boolean,
            numbers=self.numbers,
            texts=self.texts,
            item=self.item,
            object=self.object,
            parts=self.parts,
            depth=self.depth,
        )

    def holds(self, value: Any) -> bool:
        """Whether a value is one of these."""
        if self.anything:
            return True
        if value is None:
            return self.null
        if isinstance(value, bool):
            return self.boolean
        if isinstance(value, (int, float, Decimal)):
            return self.numbers
        if isinstance(value, str):
            return self.texts is True or value in self.texts
        if isinstance(value, (list, tuple, range)):
            return self.item is not None and all(map(self.item.holds, value))
        if isinstance(value, Mapping):
            return self.object is not None and _holds(self.object, value)
        return False


def _holds(shape: ObjectShape, value: Mapping[Any, Any]) -> bool:
    return all(member.holds(value.get(name)) for name, member in shape.fields.items()) and (
        shape.is_open or all(name in shape.fields for name in value)
    )


UNKNOWN = Shape(anything=True)
"""All values: nothing is known."""
NOTHING = Shape()
"""No value: what an empty list has as items."""
NULL = Shape(null=True)
BOOLEAN = Shape(boolean=True)
NUMBER = Shape(numbers=True)
TEXT = Shape(texts=True)


def list_of(item: Shape) -> Shape:
    """A list of such items."""
    if item.depth >= DEEPEST or item.parts >= MOST_PARTS:
        item = UNKNOWN
    return Shape(item=item, parts=item.parts + 1, depth=item.depth + 1)


def object_of(fields: Mapping[str, Shape], *, is_open: bool = False, origin: str = "") -> Shape:
    """An object with these members; ``is_open`` and ``origin`` are those of :class:`ObjectShape`."""
    parts, depth = 1, 0
    for each in fields.values():
        parts += each.parts
        depth = max(depth, each.depth)
    depth += 1
    if parts > MOST_PARTS or depth > DEEPEST:
        if len(fields) > MOST_PARTS:
            fields, is_open, origin = {}, True, ""
        fields = dict.fromkeys(fields, UNKNOWN)
        parts, depth = 1 + len(fields), 1
    shape = ObjectShape(MappingProxyType(dict(fields)), is_open, origin)
    return Shape(object=shape, parts=parts, depth=depth)


def shape_of_value(value: Any, depth: int = 0) -> Shape:
    """The shape of a value that is known; of a short text it is that text."""
    if value is None:
        return NULL
    if isinstance(value, bool):
        return BOOLEAN
    if isinstance(value, (int, float)):
        return NUMBER
    if isinstance(value, str):
        return Shape(texts=frozenset([value])) if len(value) <= _LONGEST else TEXT
    if depth > DEEPEST:
        return UNKNOWN
    if isinstance(value, (list, tuple)):
        return list_of(union(*(shape_of_value(item, depth + 1) for item in value[:MOST_PARTS])))
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return object_of({key: shape_of_value(item, depth + 1) for key, item in value.items()})
    return UNKNOWN


def union(*shapes: Shape) -> Shape:
    """What is one of these; of none NOTHING. All are joined at once: no part is looked at twice."""
    each = list({id(shape): shape for shape in shapes if shape is not NOTHING}.values())
    if len(each) < 2:
        return each[0] if each else NOTHING
    if any(shape.anything for shape in each):
        return UNKNOWN
    item = _join_items([shape.item for shape in each if shape.item is not None])
    members = _join_objects([shape.object for shape in each if shape.object is not None])
    inner = [] if item is None else [item]
    inner += [] if members is None else members.fields.values()
    return Shape(
        null=any(shape.null for shape in each),
        boolean=any(shape.boolean for shape in each),
        numbers=any(shape.numbers for shape in each),
        texts=_join_texts(each),
        item=item,
        object=members,
        parts=1 + sum(part.parts for part in inner),
        depth=max((part.depth + 1 for part in inner), default=0),
    )


def _join_texts(shapes: list[Shape]) -> Literal[True] | frozenset[str]:
    constants: set[str] = set()
    for shape in shapes:
        if shape.texts is True:
            return True
        constants |= shape.texts
        if len(constants) > MOST_CONSTANTS:
            return True
    return frozenset(constants)


def _join_items(items: list[Shape]) -> Shape | None:
    if len({id(item) for item in items}) < 2:
        return items[0] if items else None
    return list_of(union(*items)).item


def _join_objects(objects: list[ObjectShape]) -> ObjectShape | None:
    if len({id(each) for each in objects}) < 2:
        return objects[0] if objects else None
    found: dict[str, list[ObjectShape]] = {}
    for each in objects:
        for name in each.fields:
            found.setdefault(name, []).append(each)
    opened = sum(each.is_open for each in objects)
    fields = {}
    for name, having in found.items():
        shapes = [each.fields[name] for each in having]
        if opened > sum(each.is_open for each in having):
            shapes = [UNKNOWN]  # one of them may have anything under that name
        elif len(having) < len(objects):
            shapes.append(NULL)
        fields[name] = union(*shapes)
    return object_of(fields, is_open=bool(opened), origin=origin_of(objects)).object


def origin_of(objects: Iterable[ObjectShape]) -> str:
    """What declares the members of an object that is made of these; nothing where one may have any."""
    origin = ""
    for each in objects:
        if each.is_open and not each.origin:
            return ""
        origin = origin or each.origin
    return origin
