"""Owns the keywords of JSON Schema whose judging an answer could blow up.

The package jsonschema matches by Python's own engine, finds equal items by comparing each with each, and keeps all
that is wrong with a value by every schema of an ``anyOf``. The keywords that do so are replaced here: patterns are
matched by RE2, equal items found by their text, and only what is reported is kept. All keywords count their steps.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from itertools import islice
from typing import Any

from .steps import step

MOST = 10
"""Problems of one answer that are reported."""
_INNER = ("patternProperties", "properties", "$defs", "definitions", "dependentSchemas")
"""Keywords whose values are schemas by a name."""
_DATA = ("enum", "const", "default", "examples")


def linear(kind: Any, schema: dict[str, Any]) -> Any:
    """The class of validators ``kind`` with those keywords replaced, for one schema.

    Raises ValueError for a pattern of the schema that RE2 does not know.
    """
    from jsonschema.validators import extend

    patterns = _Patterns()
    _collect(schema, patterns)
    keywords = dict(kind.VALIDATORS)
    keywords.update((name, make(patterns)) for name, make in _KEYWORDS.items() if name in keywords)
    counted = {name: _counted(check) for name, check in keywords.items()}
    return extend(kind, counted)  # type: ignore[no-untyped-call]


def _counted(check: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(check)
    def counting(validator: Any, given: Any, value: Any, schema: Any) -> Any:
        step()
        return check(validator, given, value, schema)

    return counting


def _collect(schema: Any, patterns: dict[str, Any]) -> None:
    """Compile every pattern of a schema; raises ValueError for one that cannot be matched in linear time."""
    waiting = [schema]
    # A reference may lead into what is only data elsewhere: so these are looked for in the whole text.
    text = json.dumps(schema)
    if all(f'"{name}"' in text for name in ("patternProperties", "unevaluatedProperties")):
        raise ValueError(
            "the schema has patternProperties and unevaluatedProperties, which cannot be judged together "
            "in linear time; expected additionalProperties"
        )
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting += one
        if not isinstance(one, dict):
            continue
        if isinstance(one.get("pattern"), str):
            patterns[one["pattern"]] = _compile(one["pattern"])
        if isinstance(one.get("patternProperties"), dict):
            patterns.update((text, _compile(text)) for text in one["patternProperties"])
        for name, inner in one.items():
            if name in _INNER and isinstance(inner, dict):
                waiting += inner.values()
            elif name not in _DATA:
                waiting.append(inner)


class _Patterns(dict[str, Any]):
    """Compiled patterns by their text. A reference may lead to one where no schema is expected."""

    def __missing__(self, text: str) -> Any:
        self[text] = found = _compile(text)
        return found


def _compile(text: str) -> Any:
    import re2

    options = re2.Options()
    options.log_errors = False
    options.never_capture = True  # with many groups a search would take as many times as long
    try:
        return re2.compile(text, options)
    except re2.error as exc:
        reason = exc.args[0] if exc.args else exc
        reason = reason.decode(errors="replace") if isinstance(reason, bytes) else reason
        raise ValueError(
            f"the pattern {text!r} cannot be matched in linear time (RE2): {reason}"
        ) from None


def _pattern(patterns: dict[str, Any]) -> Callable[..., Iterator[Any]]:
    def check(validator: Any, pattern: Any, value: Any, schema: Any) -> Iterator[Any]:
        from jsonschema import ValidationError

        if isinstance(value, str) and patterns[pattern].search(value) is None:
            yield ValidationError(f"{value!r} does not match {pattern!r}")

    return check


def _pattern_properties(patterns: dict[str, Any]) -> Callable[..., Iterator[Any]]:
    def check(validator: Any, given: Any, value: Any, schema: Any) -> Iterator[Any]:
        if not isinstance(value, dict):
            return
        for pattern, inner in given.items():
            for key, item in value.items():
                if patterns[pattern].search(key):
                    yield from validator.descend(item, inner, path=key, schema_path=pattern)

    return check


def _additional_properties(patterns: dict[str, Any]) -> Callable[..., Iterator[Any]]:
    def check(validator: Any, given: Any, value: Any, schema: Any) -> Iterator[Any]:
        from jsonschema import ValidationError

        if not isinstance(value, dict):
            return
        fields = schema.get("properties", {})
        others = [patterns[text] for text in schema.get("patternProperties", {})]
        for key, item in value.items():
            if key in fields or any(other.search(key) for other in others):
                continue
            if isinstance(given, dict):
                yield from validator.descend(item, given, path=key)
            elif not given:
                yield ValidationError(f"{key!r} is not a property that the schema has")

    return check


def _unique_items(patterns: dict[str, Any]) -> Callable[..., Iterator[Any]]:
    def check(validator: Any, given: Any, value: Any, schema: Any) -> Iterator[Any]:
        from jsonschema import ValidationError

        if given and isinstance(value, list):
            seen: dict[str, int] = {}
            for index, item in enumerate(value):
                first = seen.setdefault(_text_of(item), index)
                if first != index:
                    yield ValidationError(f"the items {first} and {index} are equal")

    return check


def _any_of(patterns: dict[str, Any]) -> Callable[..., Iterator[Any]]:
    def check(validator: Any, schemas: Any, value: Any, schema: Any) -> Iterator[Any]:
        from jsonschema import ValidationError

        if next(_fitting(validator, schemas, value), None) is None:
            yield ValidationError("the value fits none of the schemas of anyOf")

    return check


def _one_of(patterns: dict[str, Any]) -> Callable[..., Iterator[Any]]:
    def check(validator: Any, schemas: Any, value: Any, schema: Any) -> Iterator[Any]:
        from jsonschema import ValidationError

        match list(islice(_fitting(validator, schemas, value), 2)):
            case []:
                yield ValidationError("the value fits none of the schemas of oneOf")
            case [first, second]:
                yield ValidationError(f"the value fits the schemas {first} and {second} of oneOf")

    return check


def _fitting(validator: Any, schemas: Any, value: Any) -> Iterator[int]:
    """The places of the schemas that a value fits."""
    for place, one in enumerate(schemas):
        if next(validator.descend(value, one), None) is None:
            yield place


def _text_of(value: Any) -> str:
    """A text that equal values of JSON share, and no others: 1 and 1.0 are equal, 1 and true are not."""
    return json.dumps(_plain(value), sort_keys=True)


def _plain(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


_KEYWORDS: dict[str, Callable[[dict[str, Any]], Callable[..., Iterator[Any]]]] = {
    "pattern": _pattern,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional_properties,
    "uniqueItems": _unique_items,
    "anyOf": _any_of,
    "oneOf": _one_of,
}
