"""Owns the reading of XML: safe, exact, and the only place that asks an XML parser."""

from __future__ import annotations

from bisect import bisect_right
from xml.parsers import expat

from lxml import etree

from ..types.errors import nearest
from ..types.findings import Findings
from .limits import ReadLimits
from .markup import Element
from .prefixes import FAMILIES, URN, judge_declarations
from .scanner import Scan, scan
from .trailing import find_second

Marks = list[tuple[int, int]]


def read_xml(
    findings: Findings, limits: ReadLimits, start: int = 0, one: bool = False
) -> Element | None:
    """The root element of a document, all its elements named; what is wrong goes to the findings.

    Args:
        findings: of the document; ``start`` is the offset where its XML begins.
        one: whether the root's end is the end of what is read.

    A document type is refused before any parser sees the text, so that no entity is ever expanded.
    The root is None where the text is not well-formed.
    """
    source = findings.source
    found = scan(findings, start, limits.depth, one)
    second = find_second(source, found.end) if one and found.root is not None else []
    findings.include(second)
    if found.root is None or found.is_broken or second:
        return None
    text, marks = _repair(source.text[start : found.end], found.repairs, start)
    data = text.encode("utf-8")
    if _is_refused(findings, data, marks):
        return None
    root, parser = _parse(data)
    if root is None or not _name_elements(findings, found, root):
        findings.add(start, "not-well-formed", "the document is not well-formed XML")
        return None
    first_line = source.location(start).line
    return None if _has_other_errors(findings, parser, first_line) else found.root


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


def _is_refused(findings: Findings, data: bytes, marks: Marks) -> bool:
    """Whether expat refuses the text: it knows the exact place, and no namespaces."""
    parser = expat.ParserCreate(encoding="utf-8")
    try:
        parser.Parse(data, True)
    except expat.ExpatError as exc:
        index = len(data[: parser.ErrorByteIndex].decode("utf-8", "ignore"))
        mark, origin = marks[bisect_right(marks, index, key=lambda pair: pair[0]) - 1]
        message = expat.errors.messages[exc.code]
        at = min(origin + index - mark, max(len(findings.source.text) - 1, 0))
        findings.add(at, "not-well-formed", f"the document is not well-formed XML: {message}")
        return True
    return False


def _parse(data: bytes) -> tuple[etree._Element | None, etree.XMLParser]:
    """What lxml makes of the text, and the parser with its log."""
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
    return etree.fromstring(data, parser), parser


def _name_elements(findings: Findings, found: Scan, root: etree._Element) -> bool:
    """Give each element its family and local name; False where lxml finds other elements."""
    names: dict[str, tuple[str, str]] = {}
    foreign: set[str] = set()
    elements = list(root.iter())
    if len(elements) != len(found.elements):
        return False
    findings.include(judge_declarations(findings.source, found.elements))
    for place, element in zip(found.elements, elements, strict=True):
        tag = str(element.tag)
        name = names.get(tag)
        if name is None:
            name = names[tag] = _split(tag)
        place.family, place.local = name
        if place.family not in ("", *FAMILIES):
            _judge_name(findings, place, foreign)
    return True


def _judge_name(findings: Findings, place: Element, foreign: set[str]) -> None:
    """Report a prefix that means nothing, and once a default namespace: then the name counts without it."""
    prefix, colon, _ = place.name.partition(":")
    if not colon and place.family in foreign:
        place.family = ""
        return
    findings.at_element(
        place,
        "unknown-prefix",
        f"<{place.name}> has a prefix that means nothing here"
        if colon
        else f"<{place.name}> is in the namespace {place.family!r}, which means nothing here",
        found=prefix if colon else place.family,
        expected="one of the prefixes " + ", ".join(FAMILIES) if colon else "no namespace",
        suggestion=nearest(prefix, FAMILIES) if colon else None,
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


def _has_other_errors(findings: Findings, parser: etree.XMLParser, first_line: int) -> bool:
    """Whether lxml's log has anything besides undefined namespaces, which are judged element by element.

    But for that of ``xsi``, whose attributes mean something to XML tools only.
    """
    found = False
    for entry in parser.error_log:
        undefined = entry.type == etree.ErrorTypes.NS_ERR_UNDEFINED_NAMESPACE
        if undefined and not entry.message.startswith("Namespace prefix xsi for "):
            continue
        if entry.level >= etree.ErrorLevels.ERROR:
            offset = findings.source.offset(entry.line + first_line - 1)
            message = f"the document is not well-formed XML: {entry.message}"
            findings.add(offset, "not-well-formed", message)
            found = True
    return found
