"""Owns the judging of a value by a schema: what is wrong with it, in words that a model can act on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from ...types.errors import FlowScriptError
from .linear import MOST, linear
from .steps import TooLongHere, step

LONGEST = 200
"""Characters of one of them."""

Check = Callable[[Any], list[str]]

_KINDS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "integer": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
    "null": (type(None),),
}


def checker_of_short_form(schema: dict[str, Any]) -> Check:
    """The check by a schema that the short form made. A field that may be null may be absent, too."""
    return lambda value: list(islice(_problems(value, schema, "$"), MOST))


def checker_of_json_schema(schema: dict[str, Any]) -> Check:
    """The check by any JSON Schema, of the draft that its ``$schema`` says, else 2020-12.

    References to other documents are never fetched. Raises ValueError for what is not a JSON Schema, for a
    pattern that RE2 does not know, for draft 3, and where the package jsonschema is not installed.
    """
    try:
        from jsonschema import Draft3Validator, Draft202012Validator, SchemaError
        from jsonschema.validators import validator_for
        from referencing.jsonschema import EMPTY_REGISTRY
    except ImportError:
        raise ValueError(
            "a JSON Schema needs the package jsonschema, which is not installed; expected "
            "pip install 'flowscript-trio[ai]', or the short form, {name: type}, which needs nothing"
        ) from None
    kind = validator_for(schema, default=Draft202012Validator)
    if kind is Draft3Validator:
        raise ValueError("draft 3 of JSON Schema is not read; expected draft 4 or later")
    try:
        kind.check_schema(schema)
    except SchemaError as exc:
        raise ValueError(f"not a JSON Schema: at {exc.json_path}: {_cut(exc.message)}") from None
    except RecursionError:
        raise ValueError("the schema nests too deeply") from None
    # With a registry of its own it does not fetch what a reference names.
    validator = linear(kind, schema)(schema, registry=EMPTY_REGISTRY)

    def check(value: Any) -> list[str]:
        try:
            found = list(islice(validator.iter_errors(value), MOST))
        except TooLongHere:
            raise
        # A reference that leads nowhere, no end of recursion: each its own class.
        except Exception as exc:
            reason = f"{type(exc).__name__}: {_cut(str(exc))}"
            raise FlowScriptError(f"the output-schema cannot be applied: {reason}") from None
        return [f"{error.json_path}: {_cut(error.message)}" for error in found]

    return check


def _problems(value: Any, schema: dict[str, Any], path: str) -> Iterator[str]:
    step()
    if "anyOf" in schema:  # an object or a list that may be null
        if value is not None:
            yield from _problems(value, schema["anyOf"][0], path)
        return
    kinds = schema.get("type")
    if kinds is None:
        return
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if not any(_is(value, kind) for kind in kinds):
        yield f"{path} is {_show(value)}; expected {' or '.join(kinds)}"
    elif "enum" in schema and value not in schema["enum"]:
        words = ", ".join(repr(word) for word in schema["enum"] if word is not None)
        yield _cut(f"{path} is {_show(value)}; expected one of {words}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _problems(item, schema["items"], f"{path}[{index}]")
    elif isinstance(value, dict) and "properties" in schema:
        fields = schema["properties"]
        for name, field in fields.items():
            if name in value:
                yield from _problems(value[name], field, f"{path}.{name}")
            elif next(_problems(None, field, path), None) is not None or not field:
                yield f"{path}.{name} is missing"
        for name in value:
            if name not in fields:
                yield f"{path} has {_cut(repr(name))}, which the schema does not have"


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _KINDS[kind])


def _show(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list)):
        return "an object" if isinstance(value, dict) else "a list"
    return _cut(repr(value))


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"
