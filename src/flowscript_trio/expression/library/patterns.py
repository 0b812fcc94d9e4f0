"""Owns the functions of regular expressions, which RE2 finds in time linear in the text."""

from __future__ import annotations

from typing import Any

from ...types.errors import EvaluationError
from ..encoding import to_text
from ..scope import Services
from ..table import function
from ..values import check_items, check_text, shown
from .searching import LONGEST, Match, Pattern

_FLAGS = frozenset("gimsu")


def _made(services: Services, pattern: Any, flags: str, *, groups: bool = False) -> Pattern:
    if len(flags) > len(_FLAGS) or not _FLAGS.issuperset(flags):
        raise EvaluationError(
            f"{shown(flags)} has flags that do not exist; expected some of g, i, m, s, u"
        )
    word = to_text(pattern, services)
    if len(word) > LONGEST:
        raise EvaluationError(f"the regular expression is longer than {LONGEST:,} characters")
    letters = "".join(letter for letter in "ims" if letter in flags)
    return Pattern(services, f"(?{letters}){word}" if letters else word, groups)


def _first(found: Pattern, data: bytes) -> Match | None:
    return next(found.matches(data), None)


@function("regex_match")
def regex_match(services: Services, value: Any = None, pattern: Any = "", flags: Any = "") -> Any:
    """The first match: the list of the whole and its groups, or null; with flag ``g`` all whole matches."""
    if value is None:
        return None
    letters = to_text(flags, services)
    if "g" in letters:
        return _all(services, value, pattern, letters)
    data = to_text(value, services).encode()
    found = _first(_made(services, pattern, letters, groups=True), data)
    return None if found is None else [data[found[0] : found[1]].decode(), *found[2]]


def _all(services: Services, value: Any, pattern: Any, flags: str) -> list[str]:
    data = to_text(value, services).encode()
    made: list[str] = []
    for begins, ends, _ in _made(services, pattern, flags).matches(data):
        check_items(len(made) + 1, services.limits)
        made.append(data[begins:ends].decode())
    return made


@function("match")
def match(services: Services, value: Any = None, pattern: Any = "", flags: Any = "") -> Any:
    """The text of the first match, or null."""
    if value is None:
        return None
    data = to_text(value, services).encode()
    found = _first(_made(services, pattern, to_text(flags, services)), data)
    return None if found is None else data[found[0] : found[1]].decode()


@function("match_all")
def match_all(services: Services, value: Any = None, pattern: Any = "", flags: Any = "") -> Any:
    """The texts of all matches; of null none."""
    return [] if value is None else _all(services, value, pattern, to_text(flags, services))


@function("test")
def is_found(services: Services, value: Any = None, pattern: Any = "", flags: Any = "") -> bool:
    """Whether there is a match; in null there is none."""
    if value is None:
        return False
    data = to_text(value, services).encode()
    return _first(_made(services, pattern, to_text(flags, services)), data) is not None


@function("regex_replace")
def regex_replace(
    services: Services, value: Any = None, pattern: Any = "", new: Any = "", flags: Any = "g"
) -> Any:
    """Every match; ``$1`` or ``\\\\1`` stands for a group, ``$&`` for the whole, ``$$`` for ``$``."""
    if value is None:
        return None
    data = to_text(value, services).encode()
    template = to_text(new, services)
    services.spend(len(template) * 4)
    letters = to_text(flags, services)
    compiled = _made(services, pattern, letters, groups=_names_group(template))
    pieces = _read(template, compiled.groups)
    made: list[str] = []
    size = at = 0
    for begins, ends, groups in compiled.matches(data):
        services.spend(len(pieces) * 8)
        whole = data[begins:ends].decode()
        filled = [
            piece if isinstance(piece, str) else groups[piece - 1] or "" if piece else whole
            for piece in pieces
        ]
        made.append(data[at:begins].decode())
        made += filled
        size += len(made[-1 - len(filled)]) + sum(map(len, filled))
        check_text(size, services.limits)
        at = ends
    return "".join(made) + data[at:].decode()


def _names_group(template: str) -> bool:
    """Whether a replacement may name a group."""
    return any(sign + digit in template for sign in "$\\" for digit in "123456789")


def _read(template: str, groups: int) -> list[str | int]:
    """The replacement in pieces: texts, and the numbers of groups (0: the whole)."""
    pieces: list[str | int] = []
    literal = at = 0
    while at < len(template) - 1:
        char, follow = template[at], template[at + 1]
        piece: str | int | None = None
        if char in "$\\" and follow in "0123456789"[: groups + 1] and follow != "0":
            piece = int(follow)
        elif char == "$" and follow == "&":
            piece = 0
        elif char == "$" and follow == "$":
            piece = "$"
        if piece is None:
            at += 1
            continue
        pieces += [template[literal:at], piece]
        at += 2
        literal = at
    return [piece for piece in [*pieces, template[literal:]] if piece != ""]
