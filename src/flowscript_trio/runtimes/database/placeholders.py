"""Owns the places in a query where parameters are bound; what is in literals and comments is not."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from ...types.errors import SettingError

Params = list[Any] | dict[str, Any] | None

_TOKEN = re.compile(
    r"""
      (?P<skip>
          (?<![\w$])[eE]'(?:[^'\\]|\\.|'')*'?         # a literal with backslash escapes (PostgreSQL)
        | '(?:[^']|'')*'?                             # a literal
        | "(?:[^"]|"")*"?                             # a quoted identifier
        | `(?:[^`]|``)*`?                             # the same
        | --[^\n]*
        | /\*.*?(?:\*/|\Z)
        | (?<![\w$])\$(?P<tag>[A-Za-z_]\w*|)\$.*?(?:\$(?P=tag)\$|\Z)   # a literal in dollars
        | ::+
      )
    | (?<![\w$])\$(?P<dollar>\d+)(?![\w$])
    | \?(?P<mark>\d*)
    | (?<![\w:]):(?P<name>[A-Za-z_]\w*)
    """,
    re.VERBOSE | re.DOTALL,
)
_BEFORE_LIST = re.compile(r"(?<![\w$.\"])IN\s*(\(\s*)?$", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z_]\w*")
_READING = frozenset({"SELECT", "VALUES", "TABLE", "WITH", "EXPLAIN", "PRAGMA", "SHOW", "DESCRIBE"})
_CHANGING = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE", "INTO"})
_OF_TRANSACTIONS = frozenset(
    {"BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE"}
)
_AFTER_LIST = re.compile(r"\s*\)")


@dataclass(frozen=True, slots=True)
class Placeholder:
    """Where a parameter is bound.

    ``start`` and ``end`` are its characters in the query. ``key`` is a name, or an index from 0; for a bare
    ``?`` it counts those before it. ``list_start`` and ``list_end`` are the characters that a list takes the
    place of, parentheses included, where it is alone after ``IN``; else None.
    """

    start: int
    end: int
    kind: Literal["?", "$1", ":name"]
    key: str | int
    list_start: int | None = None
    list_end: int | None = None


@dataclass(frozen=True, slots=True)
class Bound:
    """A place and the value that is bound there."""

    place: Placeholder
    value: Any

    @property
    def is_list(self) -> bool:
        """Whether the value is a list of as many parameters as it has items."""
        return self.place.list_start is not None and isinstance(self.value, (list, tuple))


def _words_of(query: str) -> list[str]:
    """The words of a query in capitals, but for those in literals, quoted names and comments."""
    plain = _TOKEN.sub(lambda found: " " if found["skip"] is not None else found[0], query)
    return [word.upper() for word in _WORD.findall(plain)]


def refuse_without_rows(query: str) -> None:
    """Raise SettingError for a statement that is not spoken in rows, or that ends the transaction."""
    first, *rest = _words_of(query) or [""]
    if not first:
        raise SettingError("the query has no statement in it; expected one, such as a SELECT")
    if first == "COPY" and not {"STDIN", "STDOUT"}.isdisjoint(rest):
        raise SettingError(
            "COPY to or from the client gives no rows; expected a SELECT (with stream, of any size), and a "
            "database sink to write, which uses COPY itself"
        )
    if first in _OF_TRANSACTIONS:
        raise SettingError(
            f"{first} is for whoever has the connection: each database node has a transaction of its own, which "
            "is committed when it succeeds and rolled back when it fails; expected one statement in it"
        )


@lru_cache(maxsize=256)
def only_reads(query: str) -> bool:
    """Whether a query changes nothing, as far as its words say.

    Those in literals, quoted names and comments do not count. What a function that it calls does is not known.
    """
    words = _words_of(query)
    return bool(words) and words[0] in _READING and _CHANGING.isdisjoint(words)


@lru_cache(maxsize=256)
def scan(query: str) -> tuple[Placeholder, ...]:
    """Every place that may be one of a parameter, in order."""
    places = []
    marks = 0
    for found in _TOKEN.finditer(query):
        if found["skip"] is not None:
            continue
        start, end = found.span()
        key: str | int
        kind: Literal["?", "$1", ":name"]
        if found["name"] is not None:
            kind, key = ":name", found["name"]
        elif number := found["dollar"] or found["mark"]:
            kind, key = "$1", int(number) - 1
        else:
            kind, key = "?", marks
            marks += 1
        places.append(Placeholder(start, end, kind, key, *_list_at(query, start, end)))
    return tuple(places)


def match(places: Sequence[Placeholder], params: Params, *, strict: bool = False) -> list[Bound]:
    """The places with their values, in order; raises SettingError that names what does not fit.

    A list is for ``$1`` where the query has one, else for ``?``; a mapping is for ``:name``. A ``?`` that
    is not a parameter is left alone, since PostgreSQL has operators of that name; ``strict`` says that the
    database has none.
    """
    kinds = {place.kind for place in places}
    if isinstance(params, dict):
        _refuse(places, "$1", "params is a mapping", "a list")
        return _match_names(places, params)
    if params is None:
        _refuse(places, ":name", "there are no params", "a mapping")
        _refuse(places, "$1", "there are no params", "a list")
        if strict:
            _refuse(places, "?", "there are no params", "a list")
        return []
    _refuse(places, ":name", "params is a list", "a mapping")
    kind = "$1" if "$1" in kinds else "?"
    return _match_numbers([place for place in places if place.kind == kind], params, kind)


def _match_names(places: Sequence[Placeholder], params: dict[str, Any]) -> list[Bound]:
    bound = []
    for place in places:
        if place.kind != ":name":
            continue
        if place.key not in params:
            known = ", ".join(map(str, params)) or "nothing"
            raise SettingError(f"the query has :{place.key}, and params has {known}")
        bound.append(Bound(place, params[str(place.key)]))
    return bound


def _match_numbers(places: Sequence[Placeholder], params: list[Any], kind: str) -> list[Bound]:
    used = {int(place.key) for place in places}
    if -1 in used:
        raise SettingError("the query has $0; parameters are counted from $1")
    for number in range(max(len(params), max(used, default=-1) + 1)):
        if (number in used) != (number < len(params)):
            said = f"up to ${max(used) + 1}" if kind == "$1" else f"{len(used)} of ?"
            missing = f", but no ${number + 1}" if kind == "$1" and number < max(used) else ""
            raise SettingError(
                f"the query has {said if used else 'no places for parameters'}{missing}, "
                f"and params has {len(params)} values"
            )
    return [Bound(place, params[int(place.key)]) for place in places]


def _refuse(places: Sequence[Placeholder], kind: str, given: str, expected: str) -> None:
    for place in places:
        if place.kind == kind:
            raise SettingError(f"the query has {_show(place)}, which takes {expected}, and {given}")


def _show(place: Placeholder) -> str:
    """A place as it is written, but for ``?1``, which is ``$1``."""
    if isinstance(place.key, str):
        return f":{place.key}"
    return "?" if place.kind == "?" else f"${place.key + 1}"


def _list_at(query: str, start: int, end: int) -> tuple[int | None, int | None]:
    """What a list at this place takes the place of: it is alone after ``IN``, parentheses or not."""
    before = _BEFORE_LIST.search(query, max(0, start - 200), start)
    if before is None:
        return None, None
    if before[1] is None:
        return start, end
    after = _AFTER_LIST.match(query, end)
    return (None, None) if after is None else (before.start(1), after.end())
