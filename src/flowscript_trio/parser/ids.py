"""Owns the checking of ids: missing, malformed, reserved, given twice."""

from __future__ import annotations

import re

from ..expression import RESERVED_WORDS
from ..types.errors import Problem, problem_at
from ..types.location import Source, Text

_ID = re.compile(r"[A-Za-z_][\w-]*", re.ASCII)
_RESERVED = frozenset({"input", "item", "index", "error"}) | RESERVED_WORDS


class Ids:
    """The ids of one document; what is wrong with one goes to ``problems``."""

    def __init__(self, source: Source, problems: list[Problem]) -> None:
        self._source = source
        self._problems = problems
        self._first: dict[str, int] = {}

    def check(self, text: Text) -> str:
        """The id that stands in ``text``."""
        name = text.value
        offset = text.offset(0)
        if not _ID.fullmatch(name):
            self._report(
                offset,
                "malformed-id",
                f"{name!r} is no id",
                len(name),
                "a letter or _, then letters, digits, _ and -",
            )
        elif name in _RESERVED:
            self._report(offset, "reserved-id", f"{name!r} is a word of the language", len(name))
        elif name in self._first:
            first = self._source.location(self._first[name])
            self._report(
                offset,
                "duplicate-id",
                f"the id {name!r} is given twice, first at {first}",
                len(name),
            )
        else:
            self._first[name] = offset
        return name

    def missing(self, offset: int, tag: str) -> None:
        self._report(offset, "missing-id", f"<{tag}> needs an id", len(tag) + 1, 'id="…"')

    def _report(
        self, offset: int, code: str, message: str, length: int, expected: str | None = None
    ) -> None:
        self._problems.append(
            problem_at(
                self._source, offset, code, message, length=max(length, 1), expected=expected
            )
        )
