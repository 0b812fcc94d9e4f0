"""Owns shapes: what is known about a value before there is one."""

from .members import Missing, item_of, member_of
from .schema import shape_of_schema
from .shape import (
    BOOLEAN,
    NOTHING,
    NULL,
    NUMBER,
    TEXT,
    UNKNOWN,
    ObjectShape,
    Shape,
    list_of,
    object_of,
    origin_of,
    shape_of_value,
    union,
)
from .valuetype import ValueType
from .words import describe_shape, schema_of_shape

__all__ = [
    "BOOLEAN",
    "NOTHING",
    "NULL",
    "NUMBER",
    "TEXT",
    "UNKNOWN",
    "Missing",
    "ObjectShape",
    "Shape",
    "ValueType",
    "describe_shape",
    "item_of",
    "list_of",
    "member_of",
    "object_of",
    "origin_of",
    "schema_of_shape",
    "shape_of_schema",
    "shape_of_value",
    "union",
]
