"""Owns the words of the expression language: text → tokens with their offsets."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from .errors import ExpressionSyntaxError

Kind = Literal["number", "string", "name", "operator", "end"]


@dataclass(frozen=True, slots=True)
class Token:
    """``value`` is the number, the decoded string, the name or the operator; ``start``/``end`` are offsets."""

    kind: Kind
    value: object
    start: int
    end: int


_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<number>(?:0[xX][0-9a-fA-F]+|(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?))
      | (?P<name>[A-Za-z_$][\w$]*)
      | (?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
      | (?P<operator>===|!==|\.\.\.|==|!=|<=|>=|&&|\|\||\?\?|=>|\?\.(?!\d)|[-+*/%<>!?:.,()\[\]{}])
    """,
    re.VERBOSE | re.DOTALL,
)
_HYPHENS = re.compile(r"(?:-\w+)+")
_ESCAPE = re.compile(r"\\(u\{[0-9a-fA-F]+\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|\r\n|.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": ""}
_WORDS = {
    "and": "&&", "AND": "&&", "or": "||", "OR": "||", "not": "!", "NOT": "!", "in": "in", "IN": "in",
    "eq": "===", "ne": "!==", "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "typeof": "typeof",
}  # fmt: skip
RESERVED_WORDS = frozenset({*_WORDS, "true", "false", "null", "undefined"})


def tokenize(text: str, names: Collection[str] = frozenset()) -> list[Token]:
    """The tokens of an expression; ``names`` are the bound names that have hyphens."""
    tokens: list[Token] = []
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise _unreadable(text, at)
        end = found.end()
        kind = found.lastgroup
        if kind == "number":
            tokens.append(_number(text, at, end))
        elif kind == "string":
            tokens.append(Token("string", _unescape(found[0][1:-1], at + 1), at, end))
        elif kind == "operator":
            tokens.append(Token("operator", found[0], at, end))
        elif kind == "name":
            after_dot = bool(tokens) and tokens[-1].value in (".", "?.")
            if names and not after_dot:
                end = _extend(text, at, end, names)
            tokens.append(_word(text, at, end, after_dot))
        at = end
    tokens.append(Token("end", None, len(text), len(text)))
    return tokens


def _word(text: str, start: int, end: int, after_dot: bool) -> Token:
    word = text[start:end]
    if word in _WORDS and not after_dot and not _is_key(text, end):
        return Token("operator", _WORDS[word], start, end)
    return Token("name", word, start, end)


def _is_key(text: str, end: int) -> bool:
    """Whether a word stands before a colon: then it is a key (``{in: 1}``)."""
    return text[end:].lstrip()[:1] == ":" if end < len(text) else False


def _extend(text: str, start: int, end: int, names: Collection[str]) -> int:
    """The end of the longest bound name with hyphens that begins at ``start``."""
    found = _HYPHENS.match(text, end)
    if found is None:
        return end
    far = found.end()
    while far > end:
        if text[start:far] in names:
            return far
        far = text.rfind("-", end, far)
    return end


def _number(text: str, start: int, end: int) -> Token:
    word = text[start:end]
    if end < len(text) and (text[end].isalnum() or text[end] == "_"):
        raise ExpressionSyntaxError(
            f"{word + text[end]!r} is no number", start, end + 1 - start, expected="a number"
        )
    if word[:2] in ("0x", "0X"):
        return Token("number", int(word, 16), start, end)
    if word.isdigit():
        if len(word) > 1200:
            raise ExpressionSyntaxError("the number has too many digits", start, end - start)
        return Token("number", int(word), start, end)
    return Token("number", float(word), start, end)


def _unescape(body: str, offset: int) -> str:
    if "\\" not in body:
        return body

    def decode(found: re.Match[str]) -> str:
        word = found[1]
        if word[0] == "u" and len(word) > 1:
            number = int(word.strip("u{}"), 16)
            if number > 0x10FFFF:
                raise ExpressionSyntaxError(
                    f"\\{word} is no character", offset + found.start(), len(word) + 1
                )
            return chr(number)
        if word[0] == "x" and len(word) > 1:
            return chr(int(word[1:], 16))
        if word == "\r\n":
            return ""
        return _ESCAPED.get(word, word)

    decoded = _ESCAPE.sub(decode, body)
    if any("\ud800" <= char <= "\udfff" for char in decoded):
        decoded = decoded.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return decoded


def _unreadable(text: str, at: int) -> ExpressionSyntaxError:
    char = text[at]
    if char in "\"'":
        return ExpressionSyntaxError("the text has no end", at, 1, expected=f"a closing {char}")
    near = {"=": "==", "&": "&&", "|": "||"}.get(char)
    return ExpressionSyntaxError(f"{char!r} has no meaning here", at, 1, suggestion=near)
