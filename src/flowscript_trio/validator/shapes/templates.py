"""Owns the shapes of templates: a value, text, or the JSON that the text makes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from ...expression import Expression, Template
from ...types.shapes import TEXT, UNKNOWN, Shape, list_of, object_of, shape_of_value, union

Infer = Callable[[Expression], Shape]
_MARK = "\ue000"
"""What precedes the number of an interpolation in the JSON that a template would make."""
_RAW = ("json_encode", "stringify")
"""Functions whose text is in a template for the value that it encodes."""


def shape_of_setting(template: Template, infer: Infer) -> Shape:
    """What a setting is that is a template: the value of its one interpolation, else text."""
    single = template.single
    return TEXT if single is None else infer(single)


def shape_of_template(template: Template, form: object, infer: Infer) -> Shape:
    """What the node gives that renders a template in a format; None for a format that is computed."""
    if form == "text":
        return TEXT
    single = template.single
    if single is not None:
        shape = UNKNOWN if _may_encode(single) else infer(single)
        return shape if form in ("auto", "json") else union(shape, TEXT)
    if form == "auto" and not template.looks_like_json:
        return TEXT
    made = _shape_of_json(template, infer)
    return made if form in ("auto", "json") else union(made, TEXT)


def _may_encode(expression: Expression) -> bool:
    return any(word in expression.text.value for word in _RAW)


def _shape_of_json(template: Template, infer: Infer) -> Shape:
    """The shape of the JSON that a template makes; unknown where its interpolations make its structure."""
    holes: list[Expression] = []
    text = []
    inside = False
    for part in template.parts:
        if isinstance(part, str):
            if _MARK in part:
                return UNKNOWN
            inside = _ends_inside_string(part, inside)
            text.append(part)
        elif inside:
            text.append(_MARK)
        else:
            text.append(json.dumps(f"{_MARK}{len(holes)}", ensure_ascii=False))
            holes.append(part)
    try:
        found = json.loads("".join(text), object_pairs_hook=_Pairs)
    except (ValueError, RecursionError):
        return UNKNOWN
    shapes = [UNKNOWN if _may_encode(hole) else infer(hole) for hole in holes]
    return _shape_of(found, shapes, 0)


class _Pairs(list[tuple[str, Any]]):
    """An object as it is written: the same key may be there twice."""


def _shape_of(value: Any, holes: list[Shape], depth: int) -> Shape:
    if depth > 32:
        return UNKNOWN
    if isinstance(value, _Pairs):
        fields: Mapping[str, Shape] = {
            key: _shape_of(item, holes, depth + 1) for key, item in value if _MARK not in key
        }
        if any(_MARK in key for key, _ in value):
            return UNKNOWN
        return object_of(fields)
    if isinstance(value, list):
        return list_of(union(*[_shape_of(item, holes, depth + 1) for item in value]))
    if isinstance(value, str) and _MARK in value:
        number = value[1:]
        whole = value.startswith(_MARK) and number.isdecimal() and int(number) < len(holes)
        return holes[int(number)] if whole else TEXT
    return shape_of_value(value)


def _ends_inside_string(part: str, inside: bool) -> bool:
    """Whether JSON text that began inside a string, or not, ends inside one."""
    at = 0
    while at < len(part):
        if part[at] == "\\" and inside:
            at += 1
        elif part[at] == '"':
            inside = not inside
        at += 1
    return inside
