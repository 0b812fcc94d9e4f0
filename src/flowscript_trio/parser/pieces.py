"""Owns the pieces of XML source as they are written, comments and all: what a formatter moves about."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from ..types.findings import Findings
from .findings import ScanFindings
from .markup import read_start_tag

_MARKUP = re.compile(
    r"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>|</[^>]*>|(?:[^<]|<(?=[ \t\r\n=0-9]))[^<]*", re.DOTALL
)
_RAW = re.compile(r"&(?!(?:lt|gt|amp|quot|apos|#\d+|#x[0-9a-fA-F]+);)")


@dataclass(frozen=True, slots=True)
class Leaf:
    """What has nothing in it: text, a CDATA section, a comment or a processing instruction, as written."""

    kind: Literal["text", "cdata", "comment", "instruction"]
    raw: str


@dataclass(slots=True)
class Tag:
    """An element. ``attributes`` are its attributes as written, each with its quotes."""

    name: str
    attributes: list[str] = field(default_factory=list)
    content: list[Tag | Leaf] = field(default_factory=list)


def pieces_of(text: str) -> list[Tag | Leaf]:
    """The pieces of a text that is well-formed but for raw ``<`` and ``&``, which are written out in them."""
    top: list[Tag | Leaf] = []
    stack = [top]
    at = 0
    while at < len(text):
        found = _MARKUP.match(text, at)
        if found is None:
            tag, is_open, at = _start_tag(text, at)
            stack[-1].append(tag)
            if is_open:
                stack.append(tag.content)
            continue
        raw, at = found[0], found.end()
        if raw.startswith("</"):
            stack.pop()
        else:
            stack[-1].append(_leaf(raw))
    return top


def _leaf(raw: str) -> Leaf:
    if raw.startswith("<!--"):
        return Leaf("comment", raw)
    if raw.startswith("<?"):
        return Leaf("instruction", raw)
    if raw.startswith("<![CDATA["):
        return Leaf("cdata", raw)
    return Leaf("text", _RAW.sub("&amp;", raw).replace("<", "&lt;"))


def _start_tag(text: str, at: int) -> tuple[Tag, bool, int]:
    element, is_open = read_start_tag(text, at, ScanFindings(Findings()))
    tag = Tag(element.name)
    for attribute in element.attributes:
        value = _RAW.sub("&amp;", text[attribute.start : attribute.end]).replace("<", "&lt;")
        quote = "'" if '"' in value else '"'
        tag.attributes.append(f"{attribute.name}={quote}{value}{quote}")
    return tag, is_open is True, element.inner
