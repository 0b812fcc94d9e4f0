"""Owns the functions of regular expressions, which RE2 finds in time linear in the text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...types.errors import EvaluationError
from ..encoding import to_text
from ..scope import Services
from ..table import function
from ..values import check_items, check_text, shown

LONGEST = 10_000
"""Characters of a regular expression: one of many classes of Unicode takes a fifth of a second to make."""
_QUICK, _COSTLY, _MOST = 100, 6_000, 10_000_000
"""Characters that are made in no time, operations of a character of others at most, and of all of them."""
SHORT = 4096
"""Characters of a text that is searched so quickly that no one needs to look at the clock between matches."""

_FLAGS = frozenset("gimsu")


def _compile(services: Services, pattern: Any, flags: str, text: str) -> Any:
    import re2

    if len(flags) > len(_FLAGS) or not _FLAGS.issuperset(flags):
        raise EvaluationError(
            f"{shown(flags)} has flags that do not exist; expected some of g, i, m, s, u"
        )
    word = to_text(pattern, services)
    if len(word) > LONGEST:
        raise EvaluationError(f"the regular expression is longer than {LONGEST:,} characters")
    if len(word) > _QUICK:
        services.foresee(min(len(word) * _COSTLY, _MOST))
    letters = "".join(letter for letter in "ims" if letter in flags)
    options = re2.Options()
    options.log_errors = False
    try:
        compiled = re2.compile(f"(?{letters}){word}" if letters else word, options)
    except re2.error as exc:
        told = exc.args[0] if exc.args else exc
        told = told.decode() if isinstance(told, bytes) else str(told)
        told = told.partition(":")[0]  # what follows is the pattern, which may be a secret
        raise EvaluationError(f"{shown(word)} is not a regular expression: {told}") from None
    services.spend(compiled.programsize * 8)  # making it, before which its size is not known
    services.spend(_cost(compiled, len(text)))
    return compiled


def _cost(compiled: Any, length: int) -> int:
    """Operations of one search at most: each part of the program may be looked at for each character."""
    return int(length * compiled.programsize) >> 3


def _search(services: Services, compiled: Any, text: str) -> Iterator[Any]:
    """The matches one after another; each search may read all that is left of the text."""
    for found in compiled.finditer(text):
        services.spend(100)
        if len(text) > SHORT:
            services.foresee(_cost(compiled, len(text) - found.end()))
        yield found


@function("regex_match")
def regex_match(services: Services, value: Any = None, pattern: Any = "", flags: Any = "") -> Any:
    """The first match: the list of the whole and its groups, or null; with flag ``g`` all whole matches."""
    if value is None:
        return None
    letters = to_text(flags, services)
    if "g" in letters:
        return _all(services, value, pattern, letters)
    text = to_text(value, services)
    found = _compile(services, pattern, letters, text).search(text)
    return None if found is None else [found.group(0), *found.groups()]


def _all(services: Services, value: Any, pattern: Any, flags: str) -> list[str]:
    text = to_text(value, services)
    compiled = _compile(services, pattern, flags, text)
    made: list[str] = []
    for found in _search(services, compiled, text):
        check_items(len(made) + 1, services.limits)
        made.append(found.group(0))
    return made


@function("match")
def match(services: Services, value: Any = None, pattern: Any = "", flags: Any = "") -> Any:
    """The text of the first match, or null."""
    if value is None:
        return None
    text = to_text(value, services)
    found = _compile(services, pattern, to_text(flags, services), text).search(text)
    return None if found is None else found.group(0)


@function("match_all")
def match_all(services: Services, value: Any = None, pattern: Any = "", flags: Any = "") -> Any:
    """The texts of all matches; of null none."""
    return [] if value is None else _all(services, value, pattern, to_text(flags, services))


@function("test")
def is_found(services: Services, value: Any = None, pattern: Any = "", flags: Any = "") -> bool:
    """Whether there is a match; in null there is none."""
    if value is None:
        return False
    text = to_text(value, services)
    return bool(_compile(services, pattern, to_text(flags, services), text).search(text))


@function("regex_replace")
def regex_replace(
    services: Services, value: Any = None, pattern: Any = "", new: Any = "", flags: Any = "g"
) -> Any:
    """Every match; ``$1`` or ``\\\\1`` stands for a group, ``$&`` for the whole, ``$$`` for ``$``."""
    if value is None:
        return None
    text = to_text(value, services)
    compiled = _compile(services, pattern, to_text(flags, services), text)
    template = to_text(new, services)
    services.spend(len(template) * 4)
    pieces = _read(template, compiled.groups)
    made: list[str] = []
    size = at = 0
    for found in _search(services, compiled, text):
        services.spend(len(pieces) * 8)
        filled = [piece if isinstance(piece, str) else found.group(piece) or "" for piece in pieces]
        made.append(text[at : found.start()])
        made += filled
        size += len(made[-1 - len(filled)]) + sum(map(len, filled))
        check_text(size, services.limits)
        at = found.end()
    return "".join(made) + text[at:]


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
