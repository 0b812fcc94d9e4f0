"""Owns the collector of problems: each once, with its place, from the first character read to the last check."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from .ast import Setting, Structure
from .errors import Problem, problem_at
from .location import Location, Source, Text

MOST = 1000
"""This many errors of a document are kept one by one, and as many warnings; the others are counted."""
_NOWHERE = Source("", "")


class Tagged(Protocol):
    """An element, as it was read or as the syntax tree has it."""

    @property
    def offset(self) -> int: ...
    @property
    def tag(self) -> str: ...


class Findings:
    """Collects the problems of a document. Places are offsets in its source, in characters.

    One and the same problem is kept once. Iterating gives them in the order in which they were found, and last
    how many more there are than are kept. Without a source it takes only problems that are made already.
    """

    def __init__(self, source: Source = _NOWHERE) -> None:
        self.source = source
        self._found: dict[tuple[Location, str, str, str], Problem] = {}
        self._places: set[Location] = set()
        self._kept = {"error": 0, "warning": 0}
        self._more: dict[str, _More] = {}

    def __iter__(self) -> Iterator[Problem]:
        yield from self._found.values()
        for more in self._more.values():
            yield more.problem

    def add(self, offset: int, code: str, message: str, *, length: int = 1, **details: Any) -> None:
        """Add a problem, unless the same one is there already; ``details`` as of :class:`Problem`."""
        length = max(length, 1)
        self.include((problem_at(self.source, offset, code, message, length=length, **details),))

    def include(self, problems: Iterable[Problem]) -> None:
        """Add problems that are made already, of this document or of one that it runs."""
        for problem in problems:
            key = (problem.location, problem.severity, problem.code, problem.message)
            if key in self._found:
                continue
            if self._kept[problem.severity] < MOST or problem.stands_for > 1:
                self._kept[problem.severity] += problem.stands_for == 1
                self._found[key] = problem
                self._places.add(problem.location)
                continue
            more = self._more.get(problem.severity)
            if more is None:
                more = self._more[problem.severity] = _More(problem)
            more.seen.add(hash(key))

    def has_any_at(self, text: Text, index: int) -> bool:
        """Whether there is a problem already that begins at a character of a text."""
        return text.location(index) in self._places

    def at_element(self, element: Tagged, code: str, message: str, **details: Any) -> None:
        """Add a problem at an element's ``<``."""
        self.add(element.offset, code, message, length=1 + len(element.tag), **details)

    def at_place(self, place: Location, code: str, message: str, **details: Any) -> None:
        """Add a problem at a place of the document that something was read from."""
        self.add(self.source.offset(place.line) + place.column - 1, code, message, **details)

    def at_name(self, setting: Setting, code: str, message: str, **details: Any) -> None:
        """Add a problem at a setting's name; that of a child element is at its ``<``."""
        length = len(setting.written) + self.source.text.startswith("<", setting.offset)
        self.add(setting.offset, code, message, length=length, **details)

    def at_value(self, setting: Setting, code: str, message: str, **details: Any) -> None:
        """Add a problem at a setting's value, or at its name where the value is empty."""
        text = text_of(setting.value)
        if text is None or not text.value:
            self.at_name(setting, code, message, **details)
        else:
            self.in_text(text, 0, len(text.value), code, message, **details)

    def in_text(
        self, text: Text, index: int, length: int, code: str, message: str, **details: Any
    ) -> None:
        """Add a problem at ``length`` characters of a text, from ``index`` on."""
        start = text.offset(index)
        if length > 1:
            length = text.offset(index + length - 1) - start + 1
        self.add(start, code, message, length=length, **details)

    @property
    def has_errors(self) -> bool:
        """Whether one of them is an error; warnings keep nothing from running."""
        return any(problem.severity == "error" for problem in self)

    def in_order(self) -> tuple[Problem, ...]:
        """All problems by their places; those of one place in the order in which they were found."""
        return tuple(sorted(self, key=lambda problem: (problem.stands_for > 1, problem.location)))


class _More:
    """The problems of one severity that are not kept: the first, and what tells the others apart."""

    def __init__(self, first: Problem) -> None:
        self._first = first
        self.seen: set[int] = set()

    @property
    def problem(self) -> Problem:
        """What is said about them."""
        count = len(self.seen)
        if count == 1:
            return self._first
        return Problem(
            code="more-problems",
            message=f"{count:,} more {self._first.severity}s are not shown, of which this is the first: "
            + self._first.message,
            location=self._first.location,
            severity=self._first.severity,
            source_line=self._first.source_line,
            length=self._first.length,
            stands_for=count,
        )


def text_of(value: object) -> Text | None:
    """The text that a setting's value is in, or None for a constant from YAML."""
    if isinstance(value, Structure):
        return value.text
    return value if isinstance(value, Text) else None
