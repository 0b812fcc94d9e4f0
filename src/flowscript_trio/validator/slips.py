"""Owns what is written in expressions by those who know another language, and what to write here instead."""

from __future__ import annotations

import re

from ..expression import (
    ExpressionSyntaxError,
    ParsedExpression,
    parse_expression,
    parse_template,
)
from ..expression.rewriting import rewrite
from ..expression.syntax import Constant, Series, Tree
from ..types.location import Source, Text
from ..types.patterns import pattern

_DATE = pattern(r"\d{4}-\d\d-\d\d(?:[T ][\d:.]+(?:Z|[+-]\d\d:?\d\d)?)?", re.ASCII)
_BLOCK = pattern(r"[#/^]\s*(?:each|if|unless|else|with|for)\b|%")
_SLICED = pattern(r"\w\[[^\[\]{}?]*\Z")
_PIPE = pattern(r"\|\s*([A-Za-z_]\w*)")
_LISTS = "map(xs, x => x.name), or filter(xs, x => x.age > 3)"
_ASSIGNED = '<set var="n" value="{{n + 1}}"/>: an expression changes no variable'
_WORDS = {
    "function": "an arrow function: x => x.name",
    "return": "the expression by itself, without return",
    "new": "a call by itself: now() for new Date()",
    "lambda": "an arrow function: x => x.name",
    "let": '<set var="…" value="…"/>',
    "const": '<set var="…" value="…"/>',
    "is": "==, or is_null(x)",
    "if": "a condition: when ? then : otherwise",
    "for": _LISTS,
}
_SIGNS = (
    ("-", ">", "=>, as in item => item.name"),
    ("*", "*", "pow(x, 2)"),
    ("<", ">", "!="),
    ("", "if ", "a condition: when ? then : otherwise"),
    ("", "is ", "==, or is_null(x)"),
    ("", "for ", _LISTS),
    (".", ".", "range(1, 4)"),
    *((sign, "=", _ASSIGNED) for sign in "+-*/"),
    ("++", "", _ASSIGNED),
    ("--", "", _ASSIGNED),
    ("", "equals ", "=="),
    ("", "contains ", "in, or contains(xs, x)"),
    ("(", "/", "a pattern as text: regex_match(x, 'a+')"),
    (", ", "/", "a pattern as text: regex_match(x, 'a+')"),
)
"""Operators of other languages: what is before the place of the mistake, what there, and what to write."""
_FIRST = pattern(r"[\s({\[]*([a-z]+)\b")
_COMPARING = frozenset({"==", "!=", "===", "!==", "<", "<=", ">", ">=", "in"})
_MOST = 500
"""Characters of an expression that is looked through."""


def is_date(text: Text) -> bool:
    """Whether an expression is a date without quotes: it would be a subtraction."""
    return len(text.value) <= 40 and _DATE.fullmatch(text.value.strip()) is not None


def quoted(text: str) -> str:
    """A text as expressions have it."""
    mark = '"' if "'" in text else "'"
    return f"{mark}{text}{mark}"


def instead_of(text: Text, exc: ExpressionSyntaxError, *, is_template: bool) -> str | None:
    """What to write in place of an expression that cannot be read, where that can be guessed."""
    value, at = text.value, exc.offset or 0
    if len(value) > _MOST:
        return None
    rest = value[at:]
    if is_template and _BLOCK.match(rest):
        return "an expression: when ? a : b for a condition, join(map(xs, x => x.name), ', ') for a list"
    for before, sign, instead in _SIGNS:
        if rest.startswith(sign) and value[:at].endswith(before):
            return instead
    if rest.startswith(":") and _SLICED.search(value, 0, at):
        return "slice(xs, start, end)"
    if pipe := _PIPE.match(rest):
        return f"a call: {pipe[1]}(…)"
    if rest.startswith("`"):
        return "'text ' + name: there are no template literals"
    if not is_template and "{{" in value:
        return _joined(text)
    start = value.rfind("{{", 0, at) + 2 if is_template else 0
    word = _FIRST.match(value, start)
    if word is not None and word[1] in _WORDS and word.start(1) <= at:
        return _WORDS[word[1]]
    return None


def _joined(text: Text) -> str | None:
    """A text with braces in it as an expression: without them, or as a sum: ``'a ' + b``."""
    bare = text.value.replace("{{", "").replace("}}", "")
    try:
        parse_expression(_plain(bare))
    except ExpressionSyntaxError:
        pass
    else:
        return f"{bare}: the whole is an expression already"
    total = sum_of(text.value)
    return None if total is None else f"{total}: text in an expression needs quotes"


def sum_of(value: str) -> str | None:
    """A template as an expression: ``'a ' + b``; of one interpolation what is in it."""
    try:
        parsed = parse_template(_plain(value))
    except ExpressionSyntaxError:
        return None
    pieces = [
        quoted(part)
        if isinstance(part, str)
        else part.text.value[part.shift :].partition("}}")[0].strip()
        for part in parsed.parts
    ]
    return " + ".join(pieces)


def _plain(value: str) -> Text:
    return Text(value, Source("", value), ((0, 0),))


def braces_compared(parsed: ParsedExpression) -> Constant | None:
    """A literal with braces in it that is compared: ``'{{x}}' == 'prod'``, where ``x == 'prod'`` is meant."""
    found: list[Constant] = []

    def look(part: Tree) -> Tree:
        if isinstance(part, Series) and any(sign in _COMPARING for sign, _, _ in part.rest):
            operands = [part.first, *(operand for _, operand, _ in part.rest)]
            found.extend(
                one for one in operands if isinstance(one, Constant) and _has_braces(one, parsed)
            )
        return part

    if "{{" in parsed.text.value[parsed.shift :]:
        rewrite(parsed.tree, look)
    return found[0] if found else None


def _has_braces(literal: Constant, parsed: ParsedExpression) -> bool:
    value = literal.value
    if not isinstance(value, str) or "}}" not in value[value.find("{{") + 1 :]:
        return False
    start = parsed.shift + literal.offset
    written = parsed.text.value[start : start + len(value) + 2]
    return "{{" in written and "\\{{" not in written
