"""Owns whether a value of one shape may be one of another."""

from __future__ import annotations

from .shape import NULL, UNKNOWN, ObjectShape, Shape


def may_be(shape: Shape, wanted: Shape) -> bool:
    """Whether some value may be of both; False only where it is certain that none is."""
    if shape.anything or wanted.anything:
        return True
    return bool(
        (shape.null and wanted.null)
        or (shape.boolean and wanted.boolean)
        or (shape.numbers and wanted.numbers)
        or _share_texts(shape, wanted)
        or (shape.item is not None and wanted.item is not None)  # both may be empty
        or (
            shape.object is not None
            and wanted.object is not None
            and _share_objects(shape.object, wanted.object)
        )
    )


def _share_texts(shape: Shape, wanted: Shape) -> bool:
    if shape.texts is True or wanted.texts is True:
        return bool(shape.texts and wanted.texts)
    return not shape.texts.isdisjoint(wanted.texts)


def _share_objects(shape: ObjectShape, wanted: ObjectShape) -> bool:
    return all(
        may_be(_member(shape, name), _member(wanted, name))
        for name in {**shape.fields, **wanted.fields}
    )


def _member(shape: ObjectShape, name: str) -> Shape:
    """What a member is: null where the object cannot have it."""
    absent = UNKNOWN if shape.is_open else NULL
    return shape.fields.get(name, absent)
