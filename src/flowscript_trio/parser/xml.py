"""Owns the reading of XML: safe, exact, and the only place that asks an XML parser."""

from __future__ import annotations

from dataclasses import dataclass
from xml.parsers import expat

from lxml import etree

from ..types.errors import Problem, problem_at
from ..types.location import Source
from .limits import ReadLimits
from .scanner import Element, Scan, scan

FAMILIES = ("source", "transform", "sink", "control")
_URN = "urn:flowscript:"


@dataclass(frozen=True, slots=True, eq=False)
class Tree:
    """The root element, and of each element its family (``source``, …, or "") and its local name."""

    root: Element
    names: dict[int, tuple[str, str]]

    def name_of(self, element: Element) -> tuple[str, str]:
        return self.names[id(element)]


def read_xml(
    source: Source, limits: ReadLimits, start: int = 0, one: bool = False
) -> tuple[Tree | None, int, list[Problem]]:
    """The tree of a document, where it ends, and what is wrong with it.

    A document type is refused before any parser sees the text, so that no entity is ever expanded.
    """
    found = scan(source, start, limits.depth, one)
    problems = found.problems
    if any(problem.severity == "error" for problem in problems):
        return None, found.end, problems
    text, offsets = _repair(source.text[start : found.end if one else None], found.repairs, start)
    error = _check(source, text, offsets)
    if error is not None:
        return None, found.end, [*problems, error]
    names, more = _name_elements(source, found, text)
    problems = [*problems, *more]
    return Tree(found.roots[0], names), found.end, problems


def _repair(
    text: str, repairs: list[tuple[int, str]], start: int
) -> tuple[str, list[tuple[int, int]]]:
    """The text with its repairs, and marks of (offset in it, offset in the source)."""
    pieces = []
    marks = [(0, start)]
    at = length = 0
    for offset, instead in repairs:
        piece = text[at : offset - start] + instead
        pieces.append(piece)
        length += len(piece)
        at = offset - start + 1
        marks.append((length, offset + 1))
    pieces.append(text[at:])
    return "".join(pieces), marks


def _check(source: Source, text: str, marks: list[tuple[int, int]]) -> Problem | None:
    """What expat says of the text: it knows the exact place, and no namespaces."""
    data = text.encode("utf-8", "surrogatepass")
    parser = expat.ParserCreate(encoding="utf-8")
    try:
        parser.Parse(data, True)
    except expat.ExpatError as exc:
        index = len(data[: parser.ErrorByteIndex].decode("utf-8", "ignore"))
        offset = next(o + index - m for m, o in reversed(marks) if m <= index)
        message = expat.errors.messages[exc.code]
        return problem_at(
            source,
            min(offset, max(len(source.text) - 1, 0)),
            "not-well-formed",
            f"the document is not well-formed XML: {message}",
        )
    return None


def _name_elements(
    source: Source, found: Scan, text: str
) -> tuple[dict[int, tuple[str, str]], list[Problem]]:
    parser = etree.XMLParser(
        encoding="utf-8",
        recover=True,  # for undeclared prefixes, and for nothing else: expat has judged the rest
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=True,
        remove_comments=True,
        remove_pis=True,
    )
    root = etree.fromstring(text.encode("utf-8", "surrogatepass"), parser)
    names: dict[int, tuple[str, str]] = {}
    problems = []
    for place, element in zip(found.elements, root.iter(), strict=True):
        family, name = _split(str(element.tag))
        if family not in ("", *FAMILIES):
            prefix = place.name.partition(":")[0]
            expected = "one of the prefixes " + ", ".join(FAMILIES)
            problems.append(
                problem_at(
                    source,
                    place.offset,
                    "unknown-prefix",
                    f"<{place.name}> has a prefix or namespace that means nothing here",
                    length=len(place.name) + 1,
                    found=prefix if ":" in place.name else family,
                    expected=expected,
                )
            )
            family = "?"
        names[id(place)] = family, name
    return names, problems


def _split(tag: str) -> tuple[str, str]:
    """Family and local name of an lxml tag: ``{urn:flowscript:source}http``, ``source:http`` or ``if``."""
    if tag.startswith("{"):
        uri, _, name = tag[1:].partition("}")
        return (uri.removeprefix(_URN) if uri.startswith(_URN) else uri or "?"), name
    prefix, colon, name = tag.partition(":")
    return (prefix, name) if colon else ("", tag)
