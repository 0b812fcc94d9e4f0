"""Owns the members of shapes: what ``.name`` and ``[key]`` give, and which cannot be there."""

from __future__ import annotations

from ..deferred import dataclass
from .shape import NULL, NUMBER, TEXT, UNKNOWN, Shape, union

_TEXT_OR_NULL = union(TEXT, NULL)


@dataclass(frozen=True, slots=True)
class Missing:
    """A member that no value of a shape has: ``known`` are those that one may have, ``kind`` is what it is.

    ``origin`` is the ``$`` name that declares the members, where one does.
    """

    known: tuple[str, ...]
    kind: str
    origin: str = ""


def member_of(shape: Shape, name: str) -> Shape | Missing:
    """What ``.name`` of a value gives; Missing where it could only be null.

    Null has every member, and each is null: it makes none missing, unless it is all there is.
    """
    if shape.anything:
        return UNKNOWN
    if not _has_values(shape):
        return NULL
    found: list[Shape] = []
    if name == "length":
        found.append(NUMBER if shape.item is not None or shape.texts else NULL)
    index = name.isdecimal()
    if shape.object is not None:
        member = shape.object.fields.get(name)
        if member is not None:
            found.append(member)
        elif shape.object.is_open and (not shape.object.origin or name == "length"):
            return UNKNOWN
    if index and shape.item is not None:
        found.append(shape.item.or_null)
    if index and shape.texts:
        found.append(_TEXT_OR_NULL)
    if not found:
        if shape.object is None:
            return Missing((), _kind_of(shape))
        return Missing(tuple(shape.object.fields), _kind_of(shape), shape.object.origin)
    is_object = shape.object is not None and not shape.null and not _has_others(shape)
    return union(*found) if is_object else union(*found, NULL)


def item_of(shape: Shape, key: Shape) -> Shape:
    """What ``[key]`` of a value gives, whose key is known only as a shape."""
    if shape.anything or (shape.object is not None and shape.object.is_open):
        return UNKNOWN
    found = [NULL]
    if shape.item is not None:
        found.append(shape.item)
    if shape.texts:
        found.append(TEXT)
    if shape.item is not None or shape.texts:
        found.append(NUMBER)  # the key may be the word length
    if shape.object is not None:
        found += shape.object.fields.values()
    return union(*found)


def _has_values(shape: Shape) -> bool:
    """Whether there are values of a shape besides null."""
    return _has_others(shape) or shape.object is not None


def _has_others(shape: Shape) -> bool:
    """Whether there are values of a shape besides null and objects."""
    return bool(shape.boolean or shape.numbers or shape.texts or shape.item is not None)


def _kind_of(shape: Shape) -> str:
    """What a value of a shape is, for people."""
    kinds = [
        word
        for word, is_one in (
            ("an object", shape.object is not None),
            ("a list", shape.item is not None),
            ("text", bool(shape.texts)),
            ("a number", bool(shape.numbers)),
            ("true or false", shape.boolean),
        )
        if is_one
    ]
    return " or ".join(kinds)
