"""Owns the decoding of XML text: references, line ends and CDATA, with the place of every character."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from ..types.location import Source, Text
from .scanner import Attribute, Element

_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}
_SPECIAL = re.compile(r"&(?:(lt|gt|amp|quot|apos)|#(\d+)|#x([0-9a-fA-F]+));|\r\n?|[\t\n]")


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

    def build(self, source: Source, offset: int) -> Text:
        return Text("".join(self.pieces), source, tuple(self.marks) or ((0, offset),))


def _decode(builder: _Builder, text: str, start: int, end: int, attribute: bool) -> None:
    at = start
    for found in _SPECIAL.finditer(text, start, end):
        word = found[0]
        if word in ("\n", "\t") and not attribute:
            continue
        builder.add(text[at : found.start()], at)
        builder.add(_decoded(found, attribute), found.start())
        at = found.end()
    builder.add(text[at:end], at)


def _decoded(found: re.Match[str], attribute: bool) -> str:
    if found[1]:
        return _NAMED[found[1]]
    if found[2] or found[3]:
        return chr(int(found[2]) if found[2] else int(found[3], 16))
    return " " if attribute else "\n"


def attribute_text(source: Source, attribute: Attribute) -> Text:
    """The value of an attribute; line ends and tabs in it are spaces, as XML has it."""
    builder = _Builder()
    _decode(builder, source.text, attribute.start, attribute.end, attribute=True)
    return builder.build(source, attribute.start)


def element_text(source: Source, element: Element) -> Text:
    """The text of an element without child elements, dedented and stripped at both ends."""
    builder = _Builder()
    for item in element.content:
        if isinstance(item, Element):
            continue
        start, end, cdata = item
        if cdata:
            _decode_cdata(builder, source.text, start, end)
        else:
            _decode(builder, source.text, start, end, attribute=False)
    offset = source.text.find(">", element.offset) + 1
    return dedent(builder.build(source, offset))


def _decode_cdata(builder: _Builder, text: str, start: int, end: int) -> None:
    at = start
    for found in re.finditer(r"\r\n?", text[start:end]):
        builder.add(text[at : start + found.start()], at)
        builder.add("\n", start + found.start())
        at = start + found.end()
    builder.add(text[at:end], at)


def dedent(text: Text) -> Text:
    """Without the white space that all its lines begin with, and stripped at both ends."""
    value = text.value
    first, last = len(value) - len(value.lstrip()), len(value.rstrip())
    if first >= last:
        return Text("", text.source, ((0, text.offset(min(first, max(len(value) - 1, 0)))),))
    if "\n" not in value[first:last]:
        return text.slice(first, last)
    margin = _margin(value.split("\n"), value[:first])
    pieces: list[Text] = []
    at = first
    for number, line in enumerate(value[first:last].split("\n")):
        end = at + len(line)
        if number:
            kept = min(margin, len(line) - len(line.lstrip()))
            pieces.append(text.slice(at - 1, at))
            pieces.append(text.slice(at + kept, end))
        else:
            pieces.append(text.slice(at, end))
        at = end + 1
    return join(pieces, text.source)


def _margin(lines: Sequence[str], head: str) -> int:
    """The least indent of the lines that are not blank, where the first one begins on a line of its own."""
    counted = lines if "\n" in head else lines[1:]
    indents = [len(line) - len(line.lstrip()) for line in counted if line.strip()]
    return min(indents, default=0)


def join(pieces: Sequence[Text], source: Source) -> Text:
    """Texts one after another."""
    builder = _Builder()
    for piece in pieces:
        marks = [*piece.marks, (len(piece.value), 0)]
        for (start, offset), (end, _) in pairwise(marks):
            builder.add(piece.value[start:end], offset)
    return builder.build(source, pieces[0].offset(0) if pieces else 0)
