"""Owns where a long text of JSON may be cut: at a comma between two items of a container. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

_TRIES = 200
"""Places that look like one between two items of a container, of which this many are counted up to."""

_MARKS = frozenset('{}[]"')
_FIRST_KEY = re.compile(r'\{[ \t\n\r]*"[^"\\]{1,100}"')
_ELSE = bytes(sorted(set(range(256)) - set(b'{}[]"')))
"""All bytes but those of brackets and quotes."""


def between(text: str, end: int, following: int) -> str:
    """What is between two items, the first of which ends and the second begins there.

    The edges of both are in it, unless they are numbers.
    """
    before = end - 1 if text[end - 1] in _MARKS else end
    if key := _FIRST_KEY.match(text, following):
        return text[before:following] + key[0]
    after = following + 1 if text[following : following + 1] in _MARKS else following
    return text[before:after]


class Cuts:
    """Finds the last comma in a part of a text that is one between two items of its container.

    Three ways find it, and the one that was right last is the first to be tried. To count brackets takes next to
    no time, and is wrong where texts have brackets in them. What looks like the place between two items is one,
    unless the items have such items in them. To count brackets outside of texts is always right, and takes a tenth
    of the time in which the text is read.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._ways: tuple[Callable[[int, Iterator[int]], int | None], ...] = (
            self._counted,
            _last,
            self._outside,
        )
        self._first = 0

    def of(self, at: int, stop: int, between: str) -> Iterator[int]:
        """The commas at which to cut, the likeliest first; whoever asks takes the next one where one was wrong."""
        tried: set[int] = set()
        for way in range(self._first, len(self._ways)):
            comma = self._ways[way](at, self._places(at, stop, between))
            if comma is not None and comma not in tried:
                tried.add(comma)
                self._first = way
                yield comma
        self._first = 0

    def _places(self, at: int, stop: int, between: str) -> Iterator[int]:
        """The commas that look as if they were between two items, the last one first."""
        text = self._text
        inner = between[0] in _MARKS
        cut = stop
        for _ in range(_TRIES):
            cut = text.rfind(between, at, cut)
            if cut < 0:
                return
            yield text.index(",", cut + inner)
            cut += len(between) - 1

    def _counted(self, at: int, places: Iterator[int]) -> int | None:
        place = next(places, at)
        depth = self._depth(at, place)
        while depth:
            after, place = place, next(places, at)
            if place == at:
                return None
            depth -= self._depth(place, after)
        return None if place == at else place

    def _depth(self, start: int, end: int) -> int:
        """How many brackets are opened and not closed between two offsets, those in texts counted too."""
        count = self._text.count
        opened = count("{", start, end) + count("[", start, end)
        return opened - count("}", start, end) - count("]", start, end)

    def _outside(self, at: int, places: Iterator[int]) -> int | None:
        place = next(places, at)
        (depth, _), is_text = self._depths(at, place)
        while depth or is_text:
            after, place = place, next(places, at)
            if place == at:
                return None
            depths, is_odd = self._depths(place, after)
            is_text ^= is_odd  # now whether there is a text under way at the place
            depth -= depths[is_text]
        return None if place == at else place

    def _depths(self, start: int, end: int) -> tuple[tuple[int, int], bool]:
        """How many brackets are opened and not closed outside of texts and inside, and whether quotes are odd.

        Where a text is under way at the beginning, outside and inside are the other way round.
        """
        piece = self._text[start:end]
        if "\\" in piece:
            piece = piece.replace("\\\\", "").replace('\\"', "")
        marks = piece.encode("utf-8", "surrogatepass").translate(None, _ELSE)
        parts = marks.replace(b'""', b"").split(b'"')
        outside, inside = (_opened(b"".join(parts[half::2])) for half in (0, 1))
        return (outside, inside), len(parts) % 2 == 0


def _last(_at: int, places: Iterator[int]) -> int | None:
    return next(places, None)


def _opened(marks: bytes) -> int:
    return marks.count(b"{") + marks.count(b"[") - marks.count(b"}") - marks.count(b"]")
