"""Owns comparing: what a value was expected to be and what it is, difference by difference, with paths."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from ..expression import encode_json
from ..types.errors import EvaluationError

ROOM = 10
"""How many differences of one value are reported."""

WIDTH = 160
"""Characters of a value that are shown at most."""

_PLAIN_KEY = re.compile(r"[A-Za-z_][\w-]*")


def compare(expected: Any, found: Any, path: str) -> list[str]:
    """The differences between two values as JSON has them, each with its path below ``path``; [] for none."""
    try:
        real = json.loads(encode_json(found))
    except EvaluationError as exc:
        return [f"{path}: what is there is not valid JSON: {exc}"]
    differences = _differ(expected, real, path)
    told = list(islice(differences, ROOM))
    more = sum(1 for _ in differences)
    return [*told, f"{path}: … and {more} more differences"] if more else told


def show(value: Any) -> str:
    """A value as JSON, cut where it is long."""
    text = encode_json(value)
    return text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"


def _differ(expected: Any, found: Any, path: str) -> Iterator[str]:
    if isinstance(expected, dict) and isinstance(found, dict):
        for key, value in expected.items():
            inner = path + _member(key)
            if key in found:
                yield from _differ(value, found[key], inner)
            else:
                yield f"{inner}: expected {show(value)}, but it is missing"
        for key in found:
            if key not in expected:
                yield f"{path + _member(key)}: unexpected {show(found[key])}"
    elif isinstance(expected, list) and isinstance(found, list):
        for index, (one, other) in enumerate(zip(expected, found, strict=False)):
            yield from _differ(one, other, f"{path}[{index}]")
        for index in range(len(found), len(expected)):
            yield f"{path}[{index}]: expected {show(expected[index])}, but it is missing"
        for index in range(len(expected), len(found)):
            yield f"{path}[{index}]: unexpected {show(found[index])}"
    elif isinstance(expected, bool) != isinstance(found, bool) or expected != found:
        yield f"{path}: expected {show(expected)}, found {show(found)}"


def _member(key: str) -> str:
    return f".{key}" if _PLAIN_KEY.fullmatch(key) else f"[{json.dumps(key, ensure_ascii=False)}]"
