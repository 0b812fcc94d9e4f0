"""Owns where the boxes of a picture lie: waves from left to right, the bodies of a node below one another. Pure.

Lengths are in pixels. Texts are measured by a table of widths that suits common sans-serif fonts, and a little too
wide, so that none leaves its box.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from unicodedata import east_asian_width

from .model import Box, Group, Picture

LINE = 18
"""The height of a line of text."""
PAD = 12
GAP = 16
"""Between two boxes of a wave, and two bodies of a node."""
STEP = 44
"""Between two waves, where the arrows are."""
LEAST = 96


@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle: its left upper corner, its width and its height."""

    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        return self.y + self.height / 2


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """The rectangles of all boxes and groups by their numbers, and of the whole."""

    boxes: dict[int, Rect]
    groups: dict[int, Rect]
    whole: Rect


def lay_out(picture: Picture) -> Layout:
    """Where everything lies: what belongs to a box lies inside it, and nothing else overlaps."""
    placing = _Placing()
    y: float = PAD + LINE + GAP
    width = 0.0
    for group in picture.groups:
        size = placing.size(group)
        placing.place(group, PAD, y)
        y += size[1] + GAP
        width = max(width, size[0])
    whole = Rect(0, 0, max(width, width_of(picture.name)) + 2 * PAD, y + PAD)
    return Layout(placing.boxes, placing.groups, whole)


def lines_of(box: Box) -> list[str]:
    """The texts of a box, a line each."""
    return [box.label, f"{box.type} · line {box.line}", *box.notes]


def width_of(text: str) -> float:
    """About how wide a text is."""
    return sum(14.0 if east_asian_width(char) in "WF" else 8.0 for char in text)


class _Placing:
    def __init__(self) -> None:
        self.boxes: dict[int, Rect] = {}
        self.groups: dict[int, Rect] = {}
        self._sizes: dict[int, tuple[float, float]] = {}

    def size(self, group: Group) -> tuple[float, float]:
        """The width and the height of a group."""
        if group.number not in self._sizes:
            columns = [[self._size_of(box) for box in wave] for wave in group.waves]
            width = sum(max(w for w, _ in column) for column in columns)
            width += STEP * max(len(columns) - 1, 0) + 2 * PAD
            height = max((_stacked(column) for column in columns), default=0)
            height += 2 * PAD + (LINE if group.title else 0)
            self._sizes[group.number] = max(width, width_of(group.title) + 2 * PAD), height
        return self._sizes[group.number]

    def _size_of(self, box: Box) -> tuple[float, float]:
        if box.number not in self._sizes:
            lines = lines_of(box)
            inner = [self.size(group) for group in box.groups]
            width = max(LEAST, *map(width_of, lines), *(w for w, _ in inner)) + 2 * PAD
            height = len(lines) * LINE + 2 * PAD + sum(h + GAP for _, h in inner)
            self._sizes[box.number] = width, height
        return self._sizes[box.number]

    def place(self, group: Group, x: float, y: float) -> None:
        """Put a group's left upper corner there, and all that is in it."""
        width, height = self.size(group)
        self.groups[group.number] = Rect(x, y, width, height)
        top = y + PAD + (LINE if group.title else 0)
        inner = height - (top - y) - PAD
        x += PAD
        for wave in group.waves:
            sizes = [self._size_of(box) for box in wave]
            at = top + (inner - _stacked(sizes)) / 2
            for box, (_, box_height) in zip(wave, sizes, strict=True):
                self._place_box(box, x, at)
                at += box_height + GAP
            x += max(w for w, _ in sizes) + STEP

    def _place_box(self, box: Box, x: float, y: float) -> None:
        width, height = self._size_of(box)
        self.boxes[box.number] = Rect(x, y, width, height)
        y += len(lines_of(box)) * LINE + PAD
        for group in box.groups:
            self.place(group, x + PAD, y)
            y += self.size(group)[1] + GAP


def _stacked(sizes: list[tuple[float, float]]) -> float:
    return sum(height for _, height in sizes) + GAP * max(len(sizes) - 1, 0)


def all_groups(picture: Picture) -> Iterator[Group]:
    """Every group of a picture, each before those inside it."""
    stack = list(reversed(picture.groups))
    while stack:
        group = stack.pop()
        yield group
        stack.extend(inner for box in group.boxes for inner in box.groups)
