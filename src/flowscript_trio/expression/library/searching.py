"""Owns searching by regular expressions: RE2's programs, and what making and running them is charged.

A search takes time linear in the text, and in the size of the program. To find where the groups are takes as many
times as long again as there are groups, and memory for each of them and each part of the program. They are
asked for where they are needed, and in a long text in the match alone, when it is found.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...types.errors import EvaluationError, LimitExceeded
from ..scope import Services
from ..values import shown

LONGEST = 10_000
"""Characters of a regular expression: one of many classes of Unicode takes a fifth of a second to make."""
_QUICK, _COSTLY, _MOST = 100, 6_000, 10_000_000
"""Characters that are made in no time, operations of a character of others at most, and of all of them."""
SHORT = 16_384
"""Operations of a search that is over so quickly that no one needs to look at the clock before it."""
MOST_MARKS = 4_000_000
"""Groups times parts of the program: RE2 keeps as many places, of 16 bytes each, while it looks for groups."""

Match = tuple[int, int, tuple[str | None, ...]]
"""Where a match begins and ends, in bytes, and the texts of its groups, None for one that is not in it."""


class Pattern:
    """A regular expression, made and paid for; ``groups`` says whether those of its matches are asked for."""

    __slots__ = ("_groups", "_marks", "_services", "_source", "_spans")

    def __init__(self, services: Services, word: str, groups: bool) -> None:
        self._services = services
        self._source = word
        self._groups: Any = None
        self._spans: Any = None
        self._marks = 0
        if not groups:
            self._spans = self._make(groups=False)
            return
        self._groups = self._make(groups=True)
        self._marks = self._groups.programsize * self._groups.groups
        if self._marks > MOST_MARKS:
            raise LimitExceeded(
                f"the regular expression has {self.groups:,} groups, which is too many for one of its size"
            )

    @property
    def groups(self) -> int:
        """How many groups it has; 0 where nobody asks for them."""
        return 0 if self._groups is None else int(self._groups.groups)

    def matches(self, data: bytes) -> Iterator[Match]:
        """The matches in a text, as UTF-8, one after another; each search may read all that is left of it."""
        at, end = 0, len(data)
        self._services.spend(self._cost(end))
        while (found := self._search(data, at)) is not None:
            self._services.spend(100)
            begins, ends = found.span()
            yield begins, ends, tuple(map(_decoded, found.groups()))
            if at == end:
                return
            at = _after(data, at) if ends == at else ends
            if (cost := self._cost(end - at)) > SHORT:
                self._services.foresee(cost)

    def _search(self, data: bytes, at: int) -> Any:
        """The first match from a place on."""
        if self._groups is None:
            return self._spans.search(data, at)
        if (len(data) - at + 16) * self._marks >> 5 <= SHORT:
            found = self._groups.search(data, at)
            self._charge_groups(0 if found is None else found.end() - found.start())
            return found
        if self._spans is None:
            self._spans = self._make(groups=False)
        found = self._spans.search(data, at)
        if found is None:
            return None
        begins, ends = found.span()
        self._charge_groups(ends - begins)
        return self._groups.search(data, begins, ends)  # what is around it is seen by ^, $ and \b

    def _cost(self, length: int) -> int:
        """Operations of a search at most: each part of the program may be looked at for each byte."""
        compiled = self._spans if self._groups is None else self._groups
        return int(length * compiled.programsize) >> 3

    def _charge_groups(self, length: int) -> None:
        self._services.spend((length + 16) * self._marks >> 5)

    def _make(self, *, groups: bool) -> Any:
        import re2

        services, word = self._services, self._source
        if len(word) > _QUICK:
            services.foresee(min(len(word) * _COSTLY, _MOST))
        options = re2.Options()
        options.log_errors = False
        options.never_capture = not groups
        try:
            compiled = re2.compile(word.encode(), options)
        except re2.error as exc:
            told = exc.args[0] if exc.args else exc
            told = told.decode() if isinstance(told, bytes) else str(told)
            told = told.partition(":")[0]  # what follows is the pattern, which may be a secret
            raise EvaluationError(f"{shown(word)} is not a regular expression: {told}") from None
        services.spend(compiled.programsize * 8)  # making it, before which its size is not known
        return compiled


def _decoded(group: bytes | None) -> str | None:
    return None if group is None else group.decode()


def _after(data: bytes, at: int) -> int:
    """Where the next character begins."""
    at += 1
    while at < len(data) and data[at] & 0xC0 == 0x80:
        at += 1
    return at
