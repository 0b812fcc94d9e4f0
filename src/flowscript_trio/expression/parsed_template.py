"""Owns reading templates: text → literal parts and parsed interpolations, with the offset of each."""

from __future__ import annotations

from collections.abc import Callable, Collection

from ..types.deferred import dataclass
from ..types.location import Text
from .errors import ExpressionSyntaxError
from .expressions import ParsedExpression, parse_part
from .interpolation import find_end
from .survey import Reference
from .template import Template


@dataclass(frozen=True, slots=True, eq=False)
class ParsedTemplate:
    """A template that was read; see :class:`ParsedExpression`. ``offsets`` say where its parts begin."""

    text: Text
    parts: tuple[str | ParsedExpression, ...]
    offsets: tuple[int, ...]

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
        """The template, ready to be rendered; see :meth:`ParsedExpression.compile`."""
        parts = tuple(
            part if isinstance(part, str) else part.compile(is_node) for part in self.parts
        )
        return Template(parts, self.offsets, self.text)


def parse_template(text: Text, *, names: Collection[str] = frozenset()) -> ParsedTemplate:
    """Read a template; ``names`` are the bound names with hyphens.

    Raises ExpressionSyntaxError, whose offset is in ``text``.
    """
    value = text.value
    parts: list[str | ParsedExpression] = []
    offsets: list[int] = []
    start = at = 0  # of the literal text that has not become a part yet; of the rest to read
    while (found := value.find("{{", at)) >= 0:
        escaped = found > 0 and value[found - 1] == "\\"
        literal = value[start : found - 1 if escaped else found]
        if literal:
            parts.append(literal)
            offsets.append(start)
        if escaped:
            start, at = found, found + 2
            continue
        end = find_end(value, found + 2)
        if end < 0:
            raise _unended(text, found, names)
        parts.append(parse_part(text, found + 2, end, names))
        offsets.append(found)
        start = at = end + 2
    if start < len(value) or not parts:
        parts.append(value[start:])
        offsets.append(start)
    return ParsedTemplate(text, tuple(parts), tuple(offsets))


def _unended(text: Text, start: int, names: Collection[str]) -> ExpressionSyntaxError:
    """What is wrong with an interpolation that has no end: often a text or a bracket in it has none."""
    naive = text.value.find("}}", start + 2)
    if naive >= 0:
        try:
            parse_part(text, start + 2, naive, names)
        except ExpressionSyntaxError as exc:
            return exc
    return ExpressionSyntaxError(
        "the interpolation has no end", start, 2, expected="}} (or \\{{ for a literal {{)"
    )
