"""Owns the reading of XML: safe, exact, and the only place that asks an XML parser."""

from __future__ import annotations

from bisect import bisect_right
from xml.parsers import expat

from lxml import etree

from ..types.errors import Problem, nearest, problem_at
from ..types.location import Source
from .limits import ReadLimits
from .markup import Element
from .prefixes import FAMILIES, URN, judge_declarations
from .scanner import Scan, scan
from .trailing import find_second

Marks = list[tuple[int, int]]


def read_xml(
    source: Source, limits: ReadLimits, start: int = 0, one: bool = False
) -> tuple[Element | None, list[Problem]]:
    """The root element of a document, all its elements named, and what is wrong with it.

    Args:
        source: the document; ``start`` is the offset where its XML begins.
        one: whether the root's end is the end of what is read.

    A document type is refused before any parser sees the text, so that no entity is ever expanded.
    The root is None where the text is not well-formed.
    """
    found = scan(source, start, limits.depth, one)
    problems = found.problems
    if one and found.root is not None:
        problems += find_second(source, found.end)
    if found.root is None or any(problem.severity == "error" for problem in problems):
        return None, problems
    text, marks = _repair(source.text[start : found.end], found.repairs, start)
    data = text.encode("utf-8")
    error = _check(source, data, marks)
    if error is not None:
        return None, [*problems, error]
    more = _name_elements(source, found, data, source.location(start).line)
    if more is None:
        message = "the document is not well-formed XML"
        return None, [*problems, problem_at(source, start, "not-well-formed", message)]
    problems = [*problems, *more]
    if any(problem.code == "not-well-formed" for problem in more):
        return None, problems
    return found.root, problems


def _repair(text: str, repairs: list[tuple[int, str]], start: int) -> tuple[str, Marks]:
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


def _check(source: Source, data: bytes, marks: Marks) -> Problem | None:
    """What expat says of the text: it knows the exact place, and no namespaces."""
    parser = expat.ParserCreate(encoding="utf-8")
    try:
        parser.Parse(data, True)
    except expat.ExpatError as exc:
        index = len(data[: parser.ErrorByteIndex].decode("utf-8", "ignore"))
        mark, origin = marks[bisect_right(marks, index, key=lambda pair: pair[0]) - 1]
        message = expat.errors.messages[exc.code]
        return problem_at(
            source,
            min(origin + index - mark, max(len(source.text) - 1, 0)),
            "not-well-formed",
            f"the document is not well-formed XML: {message}",
        )
    return None


def _name_elements(
    source: Source, found: Scan, data: bytes, first_line: int
) -> list[Problem] | None:
    """Give each element its family and local name; the problems, or None where lxml finds other elements."""
    parser = etree.XMLParser(
        encoding="utf-8",
        recover=True,  # for undeclared prefixes, and for nothing else
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=True,
        remove_comments=True,
        remove_pis=True,
    )
    root = etree.fromstring(data, parser)
    if root is None:
        return None
    problems = _other_errors(source, parser, first_line)
    names: dict[str, tuple[str, str]] = {}
    foreign: set[str] = set()
    elements = list(root.iter())
    if len(elements) != len(found.elements):
        return None
    problems += judge_declarations(source, zip(found.elements, elements, strict=True))
    for place, element in zip(found.elements, elements, strict=True):
        tag = str(element.tag)
        name = names.get(tag)
        if name is None:
            name = names[tag] = _split(tag)
        place.family, place.local = name
        if place.family not in ("", *FAMILIES):
            _judge_name(source, place, foreign, problems)
    return problems


def _judge_name(source: Source, place: Element, foreign: set[str], problems: list[Problem]) -> None:
    """Report a prefix that means nothing, and once a default namespace: then the name counts without it."""
    prefix, colon, _ = place.name.partition(":")
    if not colon and place.family in foreign:
        place.family = ""
        return
    problems.append(
        problem_at(
            source,
            place.offset,
            "unknown-prefix",
            f"<{place.name}> has a prefix that means nothing here"
            if colon
            else f"<{place.name}> stands in the namespace {place.family!r}, which means nothing here",
            length=len(place.name) + 1,
            found=prefix if colon else place.family,
            expected="one of the prefixes " + ", ".join(FAMILIES) if colon else "no namespace",
            suggestion=nearest(prefix, FAMILIES) if colon else None,
        )
    )
    foreign.add(place.family)
    place.family = "?" if colon else ""


def _split(tag: str) -> tuple[str, str]:
    """Family and local name of an lxml tag: ``{urn:flowscript:source}http``, ``source:http`` or ``if``."""
    if tag.startswith("{"):
        uri, _, name = tag[1:].partition("}")
        family = uri.removeprefix(URN)
        return (family if family in FAMILIES and family != uri else uri or "?"), name
    prefix, colon, name = tag.partition(":")
    return (prefix, name) if colon else ("", tag)


def _other_errors(source: Source, parser: etree.XMLParser, first_line: int) -> list[Problem]:
    """What lxml's log has beside undefined namespaces, which are judged element by element.

    But for that of ``xsi``, whose attributes mean something to XML tools only.
    """
    problems = []
    for entry in parser.error_log:
        undefined = entry.type == etree.ErrorTypes.NS_ERR_UNDEFINED_NAMESPACE
        if undefined and not entry.message.startswith("Namespace prefix xsi for "):
            continue
        if entry.level >= etree.ErrorLevels.ERROR:
            offset = source.offset(entry.line + first_line - 1)
            message = f"the document is not well-formed XML: {entry.message}"
            problems.append(problem_at(source, offset, "not-well-formed", message))
    return problems
