"""Owns the values of templates that name nothing and call nothing, which are known when they are read."""

from __future__ import annotations

from random import Random
from typing import Any

from ...types.errors import EvaluationError
from ..parsed_template import ParsedTemplate
from ..scope import Limits, NodeView, Services

_LIMITS = Limits(operations=5_000, text=5_000, items=5_000, seconds=0.05)
"""What it may take while a document is read; a value that takes more is left to the run."""


class NotConstant:
    """Stands for a value that is not known before it is computed."""


NOT_CONSTANT = NotConstant()


class _Empty:
    """A scope in which there is nothing."""

    def __init__(self) -> None:
        self.services: Services = Services(random=Random(0), limits=_LIMITS)

    def value(self, name: str) -> Any:
        return None

    def node(self, name: str) -> NodeView | None:
        return None


def known_value(parsed: ParsedTemplate) -> Any:
    """What a template gives in every scope (``{{'4'}}``, ``{{60 * 2}}``), or NOT_CONSTANT.

    An expression that fails is left to the run: it may never come to that.
    """
    for part in parsed.parts:
        if not isinstance(part, str) and (part.loops or not part.constant):
            return NOT_CONSTANT
    try:
        return parsed.compile(_no_node)(_Empty())
    except (EvaluationError, RecursionError):
        return NOT_CONSTANT


def _no_node(name: str) -> bool:
    return False
