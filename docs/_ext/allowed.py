"""Owns what a setting's value may be, in words: read off the type that its config model declares."""

from __future__ import annotations

from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from flowscript_trio.expression.expressions import Expression
from flowscript_trio.expression.template import Template
from flowscript_trio.runtimes.ai.schema import OutputSchema
from flowscript_trio.runtimes.control.values import (
    TolerateCount,
    TolerateShare,
    WaitAll,
    WaitAny,
    WaitN,
    parse_limit,
)
from flowscript_trio.runtimes.http.auth import Auth
from flowscript_trio.runtimes.http.extract import Extract
from flowscript_trio.runtimes.tabular import read_types
from flowscript_trio.types.durations import parse_duration

_AUTH = (
    "a mapping whose `type` is `none`, `bearer`, `basic`, `digest`, `oauth2` or `hmac` "
    "([which keys each takes](../howto/http.md#what-is-sent))"
)
_WORDS: dict[Any, str] = {
    bool: "`true` or `false`",
    int: "a whole number",
    float: "a number",
    str: "text",
    dict: "a mapping",
    list: "a list",
    Any: "any value",
    Expression: "an expression",
    Template: "text with `{{…}}`",
    OutputSchema: "a schema",
    WaitAll: "`all`",
    WaitAny: "`any`",
    WaitN: "`n(K)`",
    TolerateCount: "a whole number",
    TolerateShare: "a share such as `10%`",
    Auth: _AUTH,
    Extract: "a JMESPath expression",
}


def allowed(info: FieldInfo) -> str:
    """What a setting takes, such as ``\\`fixed\\`, \\`linear\\` or \\`exponential\\```."""
    words = list(dict.fromkeys(_kinds(info.annotation, info.metadata)))
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} or {words[-1]}"


def _kinds(annotation: Any, marks: list[Any]) -> Iterator[str]:
    origin = get_origin(annotation)
    if origin is Annotated:
        kind, *more = get_args(annotation)
        inner = [one for mark in more for one in getattr(mark, "metadata", None) or [mark]]
        yield from _kinds(kind, [*marks, *inner])
    elif origin in (Union, UnionType):
        for member in get_args(annotation):
            yield from _kinds(member, marks)
    elif origin is Literal:
        yield from (f"`{word}`" for word in get_args(annotation))
    elif annotation is not NoneType:
        yield _worded(origin or annotation, marks)


def _worded(kind: Any, marks: list[Any]) -> str:
    functions = [getattr(mark, "func", None) for mark in marks]
    if parse_duration in functions:
        return "a duration such as `500ms` or `2m`"
    if read_types in functions:
        return "a mapping, or text such as `price: number`"
    if parse_limit in functions:
        return "a whole number from 1, or `unlimited`"
    lowest, highest, longest = None, None, None
    for mark in marks:
        lowest = getattr(mark, "ge", lowest)
        lowest = 1 if getattr(mark, "gt", None) == 0 else lowest
        highest = getattr(mark, "le", highest)
        longest = getattr(mark, "max_length", longest)
    if kind is str and longest == 1:
        return "one character"
    bounds = "" if lowest is None else f" from {lowest}"
    return _WORDS[kind] + bounds + ("" if highest is None else f" to {highest}")
