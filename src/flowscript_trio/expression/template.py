"""Owns templates: text with ``{{ expressions }}`` in it, rendered as a value, as text or as JSON."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Any, Literal

from ..types.errors import EvaluationError
from ..types.location import Text
from .encoding import decode_json, encode_json, to_text
from .errors import ExpressionSyntaxError
from .expressions import Expression, ParsedExpression, Reference, parse_part, place
from .scope import Scope
from .syntax import Call
from .values import check_size

Format = Literal["auto", "text", "json"]


class RawJson(str):
    """What ``json_encode`` returned: inserted as it is outside of JSON strings."""

    __slots__ = ()


class Template:
    """A compiled template: called with a scope it gives the value of a setting.

    One interpolation and nothing else keeps its value's type; otherwise the parts are joined as text.
    """

    __slots__ = ("_encodes", "_parts", "_single", "source")

    def __init__(
        self, parts: tuple[str | Expression, ...], source: Text, encodes: frozenset[int]
    ) -> None:
        self._parts = parts
        self._encodes = encodes
        self._single = parts[0] if len(parts) == 1 and not isinstance(parts[0], str) else None
        self.source = source

    def __call__(self, scope: Scope) -> Any:
        if self._single is not None:
            return self._single(scope)
        return self.text(scope)

    def text(self, scope: Scope) -> str:
        """The parts joined as text."""
        joined = "".join(
            [part if part.__class__ is str else to_text(part(scope)) for part in self._parts]  # type: ignore[operator]
        )
        limit = scope.services.limits
        if len(joined) > limit.text:
            check_size(joined, limit)
        return joined

    def json(self, scope: Scope, auto: bool) -> Any:
        """The value of the JSON that the template makes; see :meth:`render`."""
        if auto and not self.looks_like_json:
            return self(scope)
        values = [part if isinstance(part, str) else part(scope) for part in self._parts]
        return self._finish(values, scope, "auto" if auto else "json")

    async def render(
        self, scope: Scope, format: Format, pause: Callable[[], Awaitable[None]]
    ) -> Any:
        """The value in a format; ``pause`` is awaited between parts.

        ``text`` joins the parts; ``json`` encodes interpolations as JSON, inside of a JSON string as its
        content, and parses the result; ``auto`` does so where the literal text begins with ``{`` or ``[``,
        and gives text where that does not parse. One interpolation and nothing else gives its value.
        """
        values = []
        for part in self._parts:
            values.append(part if isinstance(part, str) else part(scope))
            await pause()
        return self._finish(values, scope, format)

    def _finish(self, values: list[Any], scope: Scope, format: Format) -> Any:
        if self._single is not None and format != "text":
            value = values[0]
            return decode_json(value) if 0 in self._encodes else value
        if format == "text" or (format == "auto" and not self.looks_like_json):
            return check_size("".join(map(to_text, values)), scope.services.limits)
        made = check_size(self._make_json(values), scope.services.limits)
        try:
            return decode_json(made)
        except EvaluationError as exc:
            if format == "auto":
                return check_size("".join(map(to_text, values)), scope.services.limits)
            place(exc, self.source, 0)
            raise

    @property
    def looks_like_json(self) -> bool:
        """Whether the literal text, not an interpolation, begins with ``{`` or ``[``."""
        first = self._parts[0] if self._parts else ""
        return isinstance(first, str) and first.lstrip()[:1] in ("{", "[")

    def _make_json(self, values: list[Any]) -> str:
        inside = False
        made = []
        for at, (part, value) in enumerate(zip(self._parts, values, strict=True)):
            if isinstance(part, str):
                inside = _ends_inside_string(part, inside)
                made.append(part)
            elif inside:
                made.append(encode_json(to_text(value))[1:-1])
            else:
                made.append(value if at in self._encodes else encode_json(value))
        return "".join(made)

    def __deepcopy__(self, memo: dict[int, Any]) -> Template:
        return self

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.is_instance_schema(cls)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        return {"type": "string"}


def _ends_inside_string(part: str, inside: bool) -> bool:
    """Whether JSON text that began inside of a string, or not, ends inside of one."""
    at = 0
    while at < len(part):
        char = part[at]
        if char == "\\" and inside:
            at += 1
        elif char == '"':
            inside = not inside
        at += 1
    return inside


@dataclass(frozen=True, slots=True, eq=False)
class ParsedTemplate:
    """A template that was read; see :class:`ParsedExpression`."""

    text: Text
    parts: tuple[str | ParsedExpression, ...]

    @property
    def references(self) -> tuple[Reference, ...]:
        return tuple(r for part in self._expressions for r in part.references)

    @property
    def calls(self) -> tuple[Reference, ...]:
        return tuple(c for part in self._expressions for c in part.calls)

    @property
    def constant(self) -> bool:
        """Whether there is no interpolation in it."""
        return not self._expressions

    @property
    def literal(self) -> str:
        """The text of a constant template."""
        return "".join(part for part in self.parts if isinstance(part, str))

    @property
    def single(self) -> ParsedExpression | None:
        """The interpolation, where there is exactly one and nothing else."""
        if len(self.parts) == 1 and not isinstance(self.parts[0], str):
            return self.parts[0]
        return None

    @property
    def _expressions(self) -> list[ParsedExpression]:
        return [part for part in self.parts if not isinstance(part, str)]

    def compile(self, is_node: Callable[[str], bool]) -> Template:
        parts = tuple(
            part if isinstance(part, str) else part.compile(is_node) for part in self.parts
        )
        encodes = frozenset(
            at
            for at, part in enumerate(self.parts)
            if not isinstance(part, str)
            and isinstance(part.tree, Call)
            and part.tree.name == "json_encode"
        )
        return Template(parts, self.text, encodes)


def parse_template(text: Text, *, names: Collection[str] = frozenset()) -> ParsedTemplate:
    """Read a template; raises ExpressionSyntaxError, whose offset is in ``text``."""
    value = text.value
    parts: list[str | ParsedExpression] = []
    literal: list[str] = []
    at = 0
    while True:
        found = value.find("{{", at)
        if found < 0:
            literal.append(value[at:])
            break
        if found > 0 and value[found - 1] == "\\":
            literal += [value[at : found - 1], "{{"]
            at = found + 2
            continue
        literal.append(value[at:found])
        end = find_end(value, found + 2)
        if end < 0:
            raise ExpressionSyntaxError(
                "the interpolation has no end", found, 2, expected="}} (or \\{{ for a literal {{)"
            )
        if any(literal):
            parts.append("".join(literal))
        literal = []
        parts.append(parse_part(text, found + 2, end, names))
        at = end + 2
    if any(literal) or not parts:
        parts.append("".join(literal))
    return ParsedTemplate(text, tuple(parts))


def find_end(value: str, at: int) -> int:
    """The first ``}}`` from ``at`` on outside of brackets and strings, or -1."""
    depth = 0
    while at < len(value):
        char = value[at]
        if char in "\"'":
            at += 1
            while at < len(value) and value[at] != char:
                at += 2 if value[at] == "\\" else 1
        elif char in "([{":
            depth += 1
        elif char in ")]}":
            if char == "}" and depth == 0:
                return at if value.startswith("}}", at) else -1
            depth = max(depth - 1, 0)
        at += 1
    return -1
