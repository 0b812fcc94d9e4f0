"""Owns what tests of expressions share: a scope of plain values and nodes, and reading, evaluating, rendering."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any

from flowscript_trio.expression import ParsedExpression, parse_expression, parse_template
from flowscript_trio.expression.scope import Limits, Services
from flowscript_trio.types.location import Source, Text

NOON = datetime(2024, 2, 29, 12, 30, 45, 678000, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Node:
    """A node that has ended."""

    output: Any = None
    status: str = "success"
    error: BaseException | None = None


class PlainScope:
    """A scope of the given names; the clock stands at :data:`NOON`, and chance is seeded."""

    def __init__(
        self,
        values: Mapping[str, Any] | None = None,
        nodes: Mapping[str, Node] | None = None,
        **limits: Any,
    ) -> None:
        self.values = values or {}
        self.value = self.values.get
        self.nodes = nodes or {}
        self.services = Services(
            now=lambda: NOON, random=Random(7), limits=Limits(**limits) if limits else Limits()
        )

    def node(self, name: str) -> Node | None:
        return self.nodes.get(name)


def text_of(value: str) -> Text:
    """A text that stands at the start of its document."""
    return Text(value, Source("doc.xml", value), ((0, 0),))


def read(text: str, *names: str) -> ParsedExpression:
    """A parsed expression; ``names`` are bound names with hyphens."""
    return parse_expression(text_of(text), names=frozenset(names))


def evaluate(text: str, /, scope: PlainScope | None = None, **values: Any) -> Any:
    """The value of an expression over values, or over a scope whose nodes are nodes."""
    scope = PlainScope(values) if scope is None else scope
    names = frozenset(name for name in [*scope.values, *scope.nodes] if "-" in name)
    return parse_expression(text_of(text), names=names).compile(scope.nodes.__contains__)(scope)


def render(text: str, format: str | None = None, /, **values: Any) -> Any:
    """The value of a template as a setting, or in a format of ``<transform type="template">``."""
    template = parse_template(text_of(text)).compile(lambda _: False)
    scope = PlainScope(values)
    if format is None:
        return template(scope)
    return template.text(scope) if format == "text" else template.json(scope, format == "auto")
