"""Owns places in source text: locations, source files, and texts that remember where they came from."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import field

from .deferred import dataclass

_LONG = 500
"""A line of this many characters is taken out of its text once: each problem in it has the line."""


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A place in a document: its file, and line and column counted from 1 (columns in characters).

    Plain data: cancellation means nothing to it.
    """

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Source:
    """The whole text of a document, and the places in it.

    Offsets count characters of ``text`` from 0.
    """

    file: str
    text: str
    _starts: list[int] = field(default_factory=list, init=False)
    _long: dict[int, str] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._starts.append(0)
        find = self.text.find
        at = find("\n")
        while at >= 0:
            self._starts.append(at + 1)
            at = find("\n", at + 1)

    def location(self, offset: int) -> Location:
        """The location of the character at ``offset``."""
        line = bisect_right(self._starts, offset)
        return Location(self.file, line, offset - self._starts[line - 1] + 1)

    def offset(self, line: int) -> int:
        """The offset of the first character of a line (from 1); of the last line beyond the end."""
        return self._starts[min(max(line, 1), len(self._starts)) - 1]

    def line(self, number: int) -> str:
        """The text of line ``number`` (from 1) without its line end; empty beyond the end."""
        if not 1 <= number <= len(self._starts):
            return ""
        start = self._starts[number - 1]
        end = self._starts[number] - 1 if number < len(self._starts) else len(self.text)
        if end - start < _LONG:
            return self.text[start:end].rstrip("\r")
        if number not in self._long:
            self._long[number] = self.text[start:end].rstrip("\r")
        return self._long[number]

    def __repr__(self) -> str:
        return f"<Source {self.file!r}, {len(self._starts)} lines>"


@dataclass(frozen=True, slots=True, eq=False)
class Text:
    """Decoded text (of an attribute or an element) that knows the place of each of its characters.

    ``marks`` are pairs of (offset in ``value``, offset in the source), ascending; between two marks both
    advance alike. Entities, CDATA sections, dedenting and repairs each begin a new mark.
    """

    value: str
    source: Source
    marks: tuple[tuple[int, int], ...]

    def offset(self, index: int) -> int:
        """The offset in the source of the character at ``index`` of the value."""
        at = bisect_right(self.marks, index, key=lambda mark: mark[0]) - 1
        start, origin = self.marks[max(at, 0)]
        return origin + index - start

    def location(self, index: int = 0) -> Location:
        """The location of the character at ``index`` of the value."""
        return self.source.location(self.offset(index))

    def slice(self, start: int, end: int) -> Text:
        """The part from ``start`` to ``end``, with its places."""
        first = bisect_right(self.marks, start, key=lambda mark: mark[0])
        last = bisect_left(self.marks, end, first, key=lambda mark: mark[0])
        inside = tuple([(a - start, b) for a, b in self.marks[first:last]])
        return Text(self.value[start:end], self.source, ((0, self.offset(start)), *inside))

    def __str__(self) -> str:
        return self.value
