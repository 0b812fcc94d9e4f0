"""Owns the words of the expression language: text → tokens with their offsets."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Literal

from ..types.deferred import dataclass
from ..types.patterns import pattern
from .errors import ExpressionSyntaxError

Kind = Literal["number", "string", "name", "operator", "end"]


@dataclass(frozen=True, slots=True)
class Token:
    """``value`` is the number, the decoded string, the name or the operator; ``start``/``end`` are offsets."""

    kind: Kind
    value: object
    start: int
    end: int


_TOKEN = pattern(
    r"""(?P<space>\s+)
      | (?P<number>(?:0[xX][0-9a-fA-F]+|(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?))
      | (?P<name>[A-Za-z_$][\w$]*)
      | (?P<string>"[^"\\]*(?:\\.[^"\\]*)*"|'[^'\\]*(?:\\.[^'\\]*)*')
      | (?P<operator>===|!==|\.\.\.|==|!=|<=|>=|&&|\|\||\?\?|=>|\?\.(?![0-9])|[-+*/%<>!?:.,()\[\]{}])
    """,
    re.VERBOSE | re.DOTALL,
)
_COLON = pattern(r"\s*:")
MAX_NESTING = 50
"""How deep brackets, arrow functions and unary operators may nest: far below Python's recursion limit."""

_BINDERS = frozenset({"$context", "$input", "$config", "$secrets"})
_ESCAPE = pattern(r"\\(u\{[0-9a-fA-F]+\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|\r\n|.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": ""}
_WORDS = {
    "and": "&&", "AND": "&&", "or": "||", "OR": "||", "not": "!", "NOT": "!", "in": "in", "IN": "in",
    "eq": "===", "ne": "!==", "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "typeof": "typeof",
}  # fmt: skip
RESERVED_WORDS = frozenset({*_WORDS, "true", "false", "null", "undefined"})


LONGEST_NAME = 200
"""Characters of an id, and of another name with hyphens that expressions know as one name."""
_BOUND = re.compile(rf"[\w-]{{1,{LONGEST_NAME}}}")


class BoundNames(frozenset[str]):
    """The names with hyphens that a document binds, with their lengths, the longest first.

    A name that is too long is not among them: how often a text is looked at must not grow with it.
    """

    lengths: tuple[int, ...]

    def __new__(cls, names: Collection[str] = ()) -> BoundNames:
        made = super().__new__(cls, filter(_BOUND.fullmatch, names))
        made.lengths = tuple(sorted(set(map(len, made)), reverse=True))
        return made


def tokenize(text: str, names: Collection[str] = frozenset()) -> list[Token]:
    """The tokens of an expression; ``names`` are the bound names that have hyphens."""
    tokens: list[Token] = []
    bound = names if isinstance(names, BoundNames) else BoundNames(names)
    at = depth = 0
    match = _TOKEN.match
    while at < len(text):
        found = match(text, at)
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
            if found[0] in "([{":
                depth += 1
                if (
                    depth > MAX_NESTING
                ):  # reported here, so that what is far too deep is not read in vain
                    raise too_deep(at)
            elif found[0] in ")]}":
                depth -= 1
        elif kind == "name":
            after_dot = bool(tokens) and _is_dot(tokens[-1])
            if bound and (not after_dot or _names_bound(tokens)):
                end = _extend(text, at, end, bound)
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
    """Whether a word is before a colon: then it is a key (``{in: 1}``)."""
    return _COLON.match(text, end) is not None


def _is_dot(token: Token) -> bool:
    return token.kind == "operator" and token.value in (".", "?.")


def _names_bound(tokens: list[Token]) -> bool:
    """Whether the member that follows is a name that the document binds: ``$context.my-variable``."""
    return len(tokens) > 1 and tokens[-2].kind == "name" and tokens[-2].value in _BINDERS


def _extend(text: str, start: int, end: int, names: BoundNames) -> int:
    """The end of the longest bound name with hyphens that begins at ``start``."""
    for length in names.lengths:
        far = start + length
        if far <= end:
            break
        if text[start:far] in names and not _is_word(text[far : far + 1]):
            return far
    return end


def _is_word(char: str) -> bool:
    return char.isalnum() or char == "_"


def _number(text: str, start: int, end: int) -> Token:
    word = text[start:end]
    if end < len(text) and _is_word(text[end]):
        raise ExpressionSyntaxError(
            f"{word + text[end]!r} is not a number", start, end + 1 - start, expected="a number"
        )
    if word[:2] in ("0x", "0X"):
        _check_digits(word, 1026, start)
        return Token("number", int(word, 16), start, end)
    if word[0] == "0" and word[1:2].isdigit():
        raise ExpressionSyntaxError(
            f"{word[:40]!r} is not a number",
            start,
            end - start,
            expected="a number without a leading 0",
        )
    if word.isdigit():
        _check_digits(word, 1233, start)
        return Token("number", int(word), start, end)
    return Token("number", float(word), start, end)


def _check_digits(word: str, most: int, start: int) -> None:
    if len(word) > most:
        raise ExpressionSyntaxError("the number has too many digits", start, len(word))


def _unescape(body: str, offset: int) -> str:
    if "\\" not in body:
        return body

    def decode(found: re.Match[str]) -> str:
        word = found[1]
        if word[0] == "u" and len(word) > 1:
            number = int(word.strip("u{}"), 16)
            if number > 0x10FFFF:
                raise ExpressionSyntaxError(
                    f"\\{word} is not a valid escape", offset + found.start(), len(word) + 1
                )
            return chr(number)
        if word[0] == "x" and len(word) > 1:
            return chr(int(word[1:], 16))
        if word == "\r\n":
            return ""
        if word in ("u", "x"):
            raise ExpressionSyntaxError(
                f"\\{word} needs hexadecimal digits", offset + found.start(), 2,
                expected="\\u0041" if word == "u" else "\\x41",
            )  # fmt: skip
        return _ESCAPED.get(word, word)

    decoded = _ESCAPE.sub(decode, body)
    if any("\ud800" <= char <= "\udfff" for char in decoded):
        decoded = decoded.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return decoded


def too_deep(at: int) -> ExpressionSyntaxError:
    """The refusal of an expression that nests too deeply at an offset."""
    return ExpressionSyntaxError(f"the expression nests deeper than {MAX_NESTING} levels", at)


def _unreadable(text: str, at: int) -> ExpressionSyntaxError:
    char = text[at]
    if char in "\"'":
        return ExpressionSyntaxError("the text has no end", at, 1, expected=f"a closing {char}")
    near = {"=": "==", "&": "&&", "|": "||"}.get(char)
    return ExpressionSyntaxError(f"{char!r} has no meaning here", at, 1, suggestion=near)
