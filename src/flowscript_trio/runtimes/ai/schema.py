"""Owns ``output-schema``: a schema in either form, as it is sent, and as answers are judged by it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ...expression.json_pieces import read_json
from ...types.shorthand import (
    TYPES,
    NamedSchemas,
    schema_of_mapping,
    schema_of_text,
)
from .checking import Check, checker_of_json_schema, checker_of_short_form

WRAPPED = "value"
"""The one field of the object that is asked for instead of anything but an object."""

_SHAPES = {
    "properties",
    "$schema",
    "$ref",
    "$defs",
    "anyOf",
    "oneOf",
    "allOf",
    "additionalProperties",
}
_JSON_TYPES = {*TYPES, "null"} - {"any"}
_WORDS = _SHAPES | {
    "type", "title", "description", "items", "prefixItems", "required", "enum", "const", "default",
    "examples", "format", "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
    "multipleOf", "minLength", "maxLength", "minItems", "maxItems", "uniqueItems", "minProperties",
    "maxProperties", "patternProperties", "propertyNames", "definitions", "not", "if", "then", "else",
    "contains", "minContains", "maxContains", "unevaluatedProperties", "unevaluatedItems",
    "dependentRequired", "dependentSchemas", "dependencies", "$id", "$anchor", "$comment", "nullable",
}  # fmt: skip


class OutputSchema:
    """A schema, made from text or a mapping. As a pydantic field it is made from either.

    ``named`` are the schemas of the document, whose names may be in it.

    ``json`` is the JSON Schema; ``sent`` is what is asked for: the same where it is of an object, else an
    object with it as the field ``value``, since services give objects only. ``strict`` says whether it can be
    asked for strictly: each object closed, and all its fields required.
    """

    __slots__ = ("_check", "is_wrapped", "json", "sent", "strict")

    def __init__(self, given: Any, named: Any = None) -> None:
        """Raises ValueError for what is not a schema."""
        try:
            self._compile(given, named if isinstance(named, Mapping) else {})
        except RecursionError:
            raise ValueError("the schema nests too deeply") from None

    def _compile(self, given: Any, written: Mapping[Any, Any]) -> None:
        named = NamedSchemas(written)
        if isinstance(given, str) and given.strip() in written:
            given = written[given.strip()]
        if isinstance(given, str):
            given = _read(given, named)
        if isinstance(given, _Short):
            self.json: dict[str, Any] = given.schema
            self._check: Check = checker_of_short_form(self.json)
        elif not isinstance(given, Mapping) or not given:
            raise ValueError(
                "that is not a schema; expected {name: type, …}, or a JSON Schema with properties"
            )
        elif _is_json_schema(given):
            self.json = _plain(given)
            self._check = checker_of_json_schema(self.json)
        else:
            self.json = schema_of_mapping(given, named)
            self._check = checker_of_short_form(self.json)
        self.is_wrapped: bool = not _may_be_object(self.json)
        self.sent: dict[str, Any] = self.json
        if self.is_wrapped:
            self.sent = _wrap(self.json)
        self.strict: bool = _is_strict(self.sent)

    def problems(self, value: Any) -> list[str]:
        """What is wrong with an answer: nothing for a right one, and at most ten things."""
        return self._check(value)

    def unwrap(self, value: Any) -> Any:
        """The value that was asked for, out of the object that stands for it on the wire."""
        if self.is_wrapped and isinstance(value, dict) and list(value) == [WRAPPED]:
            return value[WRAPPED]
        return value

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.no_info_plain_validator_function(
            lambda given: given if isinstance(given, cls) else cls(given)
        )


class _Short:
    """A schema that was written as text in the short form."""

    __slots__ = ("schema",)

    def __init__(self, schema: dict[str, Any]) -> None:
        self.schema = schema


def with_names(given: Any, named: Any) -> Any:
    """The schema of a setting that may use names of the document's schemas; raises ValueError."""
    return given if given is None else OutputSchema(given, named)


def _read(text: str, named: NamedSchemas) -> Any:
    """A mapping, if the text is JSON of one, else the schema that it is in the short form."""
    try:
        found = read_json(text)
    except (ValueError, RecursionError):
        short = schema_of_text(text, named)
        if _is_unquoted(short):
            raise ValueError(
                "that is a JSON Schema without quotes, which reads as an object with the fields 'type' and "
                "'properties'; expected {name: type, …}, or the JSON Schema as JSON"
            ) from None
        return _Short(short)
    if isinstance(found, str):
        return _Short(schema_of_text(found, named))
    return found


def _is_unquoted(short: Mapping[str, Any]) -> bool:
    """Whether what was read as the short form was meant as a JSON Schema of an object."""
    fields: Mapping[str, Mapping[str, Any]] = short.get("properties", {})
    inner = fields.get("properties", {})
    return fields.get("type") == {"type": "object"} and inner.get("type") == "object"


def _is_json_schema(given: Mapping[Any, Any]) -> bool:
    """Whether a mapping is a JSON Schema: all its keys are words of that, and one of them says a shape."""
    if not all(isinstance(key, str) and (key in _WORDS or key.startswith("x-")) for key in given):
        return False
    for key in _SHAPES & given.keys():
        if not isinstance(given[key], str) or key.startswith("$"):
            return True
    kind = given.get("type")
    if isinstance(kind, list):
        return len(kind) > 1 or "enum" in given
    return (isinstance(kind, str) and kind in _JSON_TYPES) or isinstance(given.get("enum"), list)


def _plain(value: Any) -> Any:
    """A copy in JSON's own types; raises ValueError for what is of others."""
    try:
        return json.loads(json.dumps(value))
    except TypeError as exc:
        raise ValueError(f"not a JSON Schema: {exc}") from None


def _may_be_object(schema: dict[str, Any]) -> bool:
    kind = schema.get("type")
    return kind == "object" or (kind is None and bool({"$ref", "properties"} & schema.keys()))


def _wrap(schema: dict[str, Any]) -> dict[str, Any]:
    """An object with the schema as its one field; definitions stay at the root, where references look."""
    roots: dict[str, Any] = {
        key: schema[key] for key in ("$schema", "$defs", "definitions") if key in schema
    }
    inner = {key: value for key, value in schema.items() if key not in roots}
    return {
        "type": "object",
        "properties": {WRAPPED: inner},
        "required": [WRAPPED],
        "additionalProperties": False,
        **roots,
    }


def _is_strict(schema: Any) -> bool:
    """Whether all that it says of objects is what structured outputs want when they are strict."""
    if isinstance(schema, list):
        return all(map(_is_strict, schema))
    if not isinstance(schema, dict):
        return True
    if not schema:
        return False  # anything at all
    kinds = schema.get("type")
    if (
        kinds == "object"
        or (isinstance(kinds, list) and "object" in kinds)
        or "properties" in schema
    ):
        fields = schema.get("properties")
        if not isinstance(fields, dict) or schema.get("additionalProperties") is not False:
            return False
        if set(schema.get("required", ())) != set(fields):
            return False
    inner = [schema[key] for key in ("items", "anyOf", "allOf", "oneOf", "not") if key in schema]
    for key in ("properties", "$defs", "definitions"):
        if isinstance(schema.get(key), dict):
            inner += schema[key].values()
    return all(map(_is_strict, inner))
