"""Owns the decoding of XML text: references, line ends and CDATA, with the place of every character."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from ..types.location import Source, Text
from .markup import SPACE, Attribute, Element

_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}
_REFERENCE = r"&(?:(lt|gt|amp|quot|apos)|#(\d+)|#x([0-9a-fA-F]+));"
_IN_ATTRIBUTE = re.compile(_REFERENCE + r"|\r\n?|[\t\n]")
_IN_TEXT = re.compile(_REFERENCE + r"|\r\n?")
_IN_CDATA = re.compile(r"()()()\r\n?")


class _Builder:
    """Collects decoded pieces and the marks that map them to the source."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.marks: list[tuple[int, int]] = []
        self.length = 0

    def add(self, piece: str, offset: int) -> None:
        if not piece:
            return
        last = self.marks[-1] if self.marks else None
        if last is None or last[1] + self.length - last[0] != offset:
            self.marks.append((self.length, offset))
        self.pieces.append(piece)
        self.length += len(piece)

    def decode(self, pattern: re.Pattern[str], text: str, start: int, end: int, line: str) -> None:
        """Add the decoded text between two offsets; ``line`` is what a line end becomes."""
        at = start
        for found in pattern.finditer(text, start, end):
            self.add(text[at : found.start()], at)
            self.add(_character(found) or line, found.start())
            at = found.end()
        self.add(text[at:end], at)

    def build(self, source: Source, offset: int) -> Text:
        return Text("".join(self.pieces), source, tuple(self.marks) or ((0, offset),))


def _character(found: re.Match[str]) -> str:
    """The character that a reference stands for; empty for a line end or a tab."""
    if found[1]:
        return _NAMED[found[1]]
    if found[2] or found[3]:
        return chr(int(found[2]) if found[2] else int(found[3], 16))
    return ""


def attribute_text(source: Source, attribute: Attribute) -> Text:
    """The value of an attribute; line ends and tabs in it are spaces, as XML has it."""
    start, end = attribute.start, attribute.end
    if _IN_ATTRIBUTE.search(source.text, start, end) is None:
        return Text(source.text[start:end], source, ((0, start),))
    builder = _Builder()
    builder.decode(_IN_ATTRIBUTE, source.text, start, end, " ")
    return builder.build(source, start)


def element_text(source: Source, element: Element) -> Text:
    """The text of an element without child elements, dedented and stripped at both ends."""
    builder = _Builder()
    for item in element.content:
        if isinstance(item, Element):
            continue
        start, end, cdata = item
        builder.decode(_IN_CDATA if cdata else _IN_TEXT, source.text, start, end, "\n")
    return dedent(builder.build(source, element.inner))


def dedent(text: Text) -> Text:
    """Without the white space that all its lines begin with, and stripped at both ends."""
    value = text.value
    first, last = len(value) - len(value.lstrip(SPACE)), len(value.rstrip(SPACE))
    if first >= last:
        return Text("", text.source, ((0, text.offset(0)),))
    if "\n" not in value[first:last]:
        return text.slice(first, last)
    margin = _margin(value[:last].split("\n"), "\n" in value[:first])
    pieces: list[Text] = []
    at = first
    for number, line in enumerate(value[first:last].split("\n")):
        end = at + len(line)
        if number:
            pieces.append(text.slice(at - 1, at))
            at += len(_shared(margin, line))
        pieces.append(text.slice(at, end))
        at = end + 1
    return join(pieces, text.source)


def _margin(lines: Sequence[str], first_counts: bool) -> str:
    """The white space that all lines that are not blank begin with; the first counts only where it begins
    on a line of its own."""
    counted = [line for line in (lines if first_counts else lines[1:]) if line.strip(SPACE)]
    return _shared(min(counted), max(counted)) if counted else ""


def _shared(one: str, other: str) -> str:
    """The white space that both begin with; of the least and the greatest of many lines, that of all."""
    at = 0
    while at < min(len(one), len(other)) and one[at] == other[at] and one[at] in SPACE:
        at += 1
    return one[:at]


def join(pieces: Sequence[Text], source: Source) -> Text:
    """Texts one after another."""
    builder = _Builder()
    for piece in pieces:
        marks = [*piece.marks, (len(piece.value), 0)]
        for (start, offset), (end, _) in pairwise(marks):
            builder.add(piece.value[start:end], offset)
    return builder.build(source, pieces[0].offset(0) if pieces else 0)
