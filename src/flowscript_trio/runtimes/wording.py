"""Owns what runtimes and their models say of themselves in words, for references and schemas."""

from __future__ import annotations

import inspect
import re
from enum import Enum

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ..types.durations import parse_duration
from .types import BlockingRuntime, FunctionRuntime, NodeRuntime

_ELEMENT = re.compile(r"``<[^`]*>``[^:]*:\s*")


def summary_of(runtime: NodeRuntime) -> str:
    """What a runtime does, in a sentence: of its model, of its function, or of its class."""
    said = words_of(runtime.config)
    if said:
        return said
    speaker = (
        runtime.function
        if isinstance(runtime, (FunctionRuntime, BlockingRuntime))
        else type(runtime)
    )
    return _first(inspect.cleandoc(speaker.__doc__ or ""))


def words_of(model: type[BaseModel] | None) -> str:
    """The first paragraph of a model's own docstring, behind the element that it is of."""
    said = "" if model is None else inspect.cleandoc(vars(model).get("__doc__") or "")
    found = _ELEMENT.match(said)
    return (
        ""
        if found is None and said.startswith("``<")
        else _first(said[found.end() :] if found else said)
    )


def default_of(info: FieldInfo) -> str:
    """A setting's default as documents spell it; empty where there is none, or where it says nothing."""
    value = info.get_default(call_default_factory=True)
    if info.is_required() or value is None or value == "":
        return ""
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, bool):
        return "true" if value else "false"
    if any(getattr(mark, "func", None) is parse_duration for mark in info.metadata):
        return f"{value:g}s"
    return "" if isinstance(value, (dict, list, tuple)) else str(value)


def _first(text: str) -> str:
    """The first paragraph, on one line."""
    return " ".join(text.split("\n\n")[0].split()).replace("``", "")
