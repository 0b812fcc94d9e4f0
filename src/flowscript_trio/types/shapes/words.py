"""Owns shapes in words: the short form that ``output-schema`` has, for people, and JSON Schema, for programs."""

from __future__ import annotations

import json
import re
from typing import Any

from ..patterns import pattern
from .shape import ObjectShape, Shape

_WORD = pattern(r"[A-Za-z_][\w-]*", re.ASCII)
_MOST_SHOWN = 6


def describe_shape(shape: Shape) -> str:
    """A shape as people read it: ``{score: number, tags: string[], note?: string}``; ``any`` is unknown.

    Of an object that may have other members ``…`` is the last one; of what may be null ``?`` follows.
    """
    if shape.anything:
        return "any"
    kinds = _kinds(shape)
    if not kinds:
        return "null" if shape.null else "nothing"
    words = " | ".join(kinds)
    if not shape.null:
        return words
    return f"({words})?" if len(kinds) > 1 else f"{words}?"


def _kinds(shape: Shape) -> list[str]:
    kinds = []
    if shape.boolean:
        kinds.append("boolean")
    if shape.numbers:
        kinds.append("number")
    if shape.texts is True:
        kinds.append("string")
    elif shape.texts:
        words = sorted(shape.texts)
        shown = [json.dumps(word, ensure_ascii=False) for word in words[:_MOST_SHOWN]]
        kinds.append(f"enum[{', '.join(shown)}{', …' if len(words) > _MOST_SHOWN else ''}]")
    if shape.item is not None:
        item = describe_shape(shape.item)
        kinds.append(f"({item})[]" if " | " in item and item[0] not in "({" else f"{item}[]")
    if shape.object is not None:
        kinds.append(_describe_object(shape.object))
    return kinds


def _describe_object(shape: ObjectShape) -> str:
    fields = []
    for name, member in shape.fields.items():
        written = name if _WORD.fullmatch(name) else json.dumps(name, ensure_ascii=False)
        fields.append(f"{written}: {describe_shape(member)}")
    if shape.is_open:
        if not fields:
            return "object"
        fields.append("…")
    return "{" + ", ".join(fields) + "}"


def schema_of_shape(shape: Shape) -> dict[str, Any]:
    """A shape as JSON Schema: every value of the shape is valid by it, and most others are not."""
    if shape.anything:
        return {}
    choices: list[dict[str, Any]] = []
    if shape.null:
        choices.append({"type": "null"})
    if shape.boolean:
        choices.append({"type": "boolean"})
    if shape.numbers:
        choices.append({"type": "number"})
    if shape.texts is True:
        choices.append({"type": "string"})
    elif shape.texts:
        choices.append({"type": "string", "enum": sorted(shape.texts)})
    if shape.item is not None:
        choices.append({"type": "array", "items": schema_of_shape(shape.item)})
    if shape.object is not None:
        fields = shape.object.fields
        choices.append(
            {
                "type": "object",
                "properties": {name: schema_of_shape(member) for name, member in fields.items()},
                "required": [name for name, member in fields.items() if not member.holds(None)],
                **({} if shape.object.is_open else {"additionalProperties": False}),
            }
        )
    if len(choices) == 1:
        return choices[0]
    return {"anyOf": choices} if choices else {"not": {}}
