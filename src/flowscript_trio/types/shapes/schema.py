"""Owns the reading of JSON Schema as a shape: whatever is valid by the schema is one of the shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .shape import (
    BOOLEAN,
    DEEPEST,
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

_KINDS = {
    "null": NULL,
    "boolean": BOOLEAN,
    "number": NUMBER,
    "integer": NUMBER,
    "string": TEXT,
}
_MOST_STEPS = 5000
"""This many schemas are looked at for one shape: references may lead to one again and again."""


def shape_of_schema(schema: Any) -> Shape:
    """What a JSON Schema says of a value. What this does not know of says nothing: the shape is wider then."""
    return _Reader(schema).read(schema, 0)


class _Reader:
    def __init__(self, root: Any) -> None:
        self._root = root
        self._steps = 0

    def read(self, schema: Any, depth: int) -> Shape:
        self._steps += 1
        if not isinstance(schema, Mapping) or depth > DEEPEST or self._steps > _MOST_STEPS:
            return UNKNOWN
        if depth and "$id" in schema:
            return UNKNOWN  # references in it are to itself
        if isinstance(
            schema.get("$ref"), str
        ):  # before its neighbours, which older drafts pass over
            return self.read(self._find(schema["$ref"]), depth + 1)
        if "const" in schema:
            return shape_of_value(schema["const"])
        if isinstance(schema.get("enum"), list):
            return union(*map(shape_of_value, schema["enum"]))
        kinds = schema.get("type")
        if kinds is not None:
            words = kinds if isinstance(kinds, list) else [kinds]
            return union(*(self._kind(word, schema, depth) for word in words))
        for key in ("anyOf", "oneOf"):
            if isinstance(schema.get(key), list):
                return union(*(self.read(each, depth + 1) for each in schema[key]))
        if isinstance(schema.get("allOf"), list) and schema["allOf"]:
            return self.read(schema["allOf"][0], depth + 1)  # each of them holds
        return UNKNOWN

    def _kind(self, word: Any, schema: Mapping[str, Any], depth: int) -> Shape:
        if word == "array":
            if "prefixItems" in schema or not isinstance(schema.get("items"), Mapping):
                return list_of(UNKNOWN)
            return list_of(self.read(schema["items"], depth + 1))
        if word == "object":
            return self._object(schema, depth)
        return _KINDS.get(word, UNKNOWN) if isinstance(word, str) else UNKNOWN

    def _object(self, schema: Mapping[str, Any], depth: int) -> Shape:
        properties = schema.get("properties")
        required = schema.get("required")
        fields = {}
        for name, inner in properties.items() if isinstance(properties, Mapping) else ():
            shape = self.read(inner, depth + 1)
            needed = isinstance(required, list) and name in required
            fields[str(name)] = shape if needed else shape.or_null
        is_closed = schema.get("additionalProperties") is False
        if schema.get("patternProperties"):
            is_closed = False
        return object_of(fields, is_open=not is_closed)

    def _find(self, reference: str) -> Any:
        """What a reference inside the schema names."""
        if not reference.startswith("#"):
            return None
        found = self._root
        for step in reference[1:].split("/")[1:]:
            key = step.replace("~1", "/").replace("~0", "~")
            found = found.get(key) if isinstance(found, Mapping) else None
        return found
