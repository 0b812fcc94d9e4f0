"""Owns the parts of XML source: elements and attributes with their places, and the reading of a start tag."""

from __future__ import annotations

import re
from dataclasses import field

from ..types.deferred import dataclass
from ..types.errors import nearest
from ..types.patterns import pattern
from .findings import ScanFindings

SPACE = " \t\r\n"
_PREDEFINED = ("lt", "gt", "amp", "quot", "apos")
_NAME = r"[^ \t\r\n/>=<\"'&]+"
STARTS_NAME = re.compile(r"[A-Za-z_:]|[^\x00-\x7f]")
LESS_THAN = pattern(r"<(?=[ \t\r\n=0-9])")
"""A ``<`` in text that means less than, and is repaired."""
_OPENING = re.compile(f"<({_NAME})")
_PAIR = rf"({_NAME})[ \t\r\n]*=[ \t\r\n]*(?:\"([^\"]*)\"|'([^']*)')"
_ATTRIBUTE = re.compile(r"[ \t\r\n]+" + _PAIR + r"(?=[ \t\r\n/>])")
_ODD = pattern(r"[ \t\r\n]+" + _PAIR)
_CROWDED = pattern(_PAIR)
_TAG_END = re.compile(r"[ \t\r\n]*(/?)>")
_LOOSE = pattern(rf"({_NAME})(?:[ \t\r\n]*(=)[ \t\r\n]*)?")
_ODD_SPACE = re.compile(r"\s")
"""In a name, which ends at white space that is XML's."""
_TYPOGRAPHIC = "“”„‟‘’‚‛«»″′"
_UNQUOTED = pattern(r"[^ \t\r\n<>\"']*?(?=/?>|[ \t\r\n<\"']|\Z)")
_SUSPECT = re.compile("[<&]")
_REFERENCE = pattern(r"&(?:([A-Za-z_][\w.-]*)|#(\d+)|#x([0-9a-fA-F]+));")


@dataclass(slots=True, eq=False)
class Attribute:
    """``start`` and ``end`` are the offsets of its value, without the quotes."""

    name: str
    offset: int
    start: int
    end: int


@dataclass(slots=True, eq=False)
class Element:
    """``content`` has, in order, child elements and runs of text as (start, end, is CDATA).

    ``inner`` is the offset after its start tag. ``family`` and ``local`` are its name in the language:
    ("source", "http") for ``<source:http>``, ("", "if") for ``<if>``; the family is "?" where the prefix
    means nothing.
    """

    name: str
    offset: int
    attributes: list[Attribute] = field(default_factory=list)
    content: list[Element | tuple[int, int, bool]] = field(default_factory=list)
    inner: int = 0
    family: str = ""
    local: str = ""

    @property
    def tag(self) -> str:
        """Its name, as the syntax tree calls it."""
        return self.name

    @property
    def children(self) -> list[Element]:
        return [item for item in self.content if item.__class__ is Element]


def read_start_tag(text: str, start: int, findings: ScanFindings) -> tuple[Element, bool | None]:
    """The element whose start tag begins at ``start``, and whether it is open (not ``/>``); None where the tag
    has no end, so that nobody knows.
    """
    opening = _OPENING.match(text, start)
    assert opening is not None
    element = Element(opening[1], start)
    space = _ODD_SPACE.search(element.name, 1)
    if space is not None:
        message = f"U+{ord(space[0]):04X} looks like a space but is not one in XML"
        findings.error(start + 1 + space.start(), message, expected="a space")
        element.name = element.name[: space.start()]
        return element, _skip_tag(text, element, findings)
    at: int | None = opening.end()
    names: set[str] = set()
    while at is not None:
        element.inner = at
        found = _ATTRIBUTE.match(text, at)
        if found is not None:
            at = found.end()
            _add(element, found, names, findings)
            continue
        end = _TAG_END.match(text, at)
        if end is not None:
            element.inner = end.end()
            return element, not end[1]
        odd = _ODD.match(text, at)
        if odd is not None and not _runs_over(odd):
            at = odd.end()
            _add(element, odd, names, findings)
        else:
            at = None if findings.too_many else _mend(text, at, element, findings)
    return element, None


def _report_endless(element: Element, findings: ScanFindings) -> None:
    message = f"the tag <{element.name} has no >"
    findings.error(element.offset, message, length=len(element.name) + 1, expected=">")


def _skip_tag(text: str, element: Element, findings: ScanFindings) -> bool | None:
    """Pass over the rest of a tag; whether it is open, None where it has no end."""
    end = text.find(">", element.offset)
    if end < 0:
        element.inner = len(text)
        _report_endless(element, findings)
        return None
    element.inner = end + 1
    return text[end - 1] != "/"


def _runs_over(found: re.Match[str]) -> bool:
    """Whether a value seems to have lost its closing quote, and to end at the next one's opening quote."""
    value = found[2] if found[2] is not None else found[3]
    return "\n" in value or ">" in value or "<" in value


def _add(element: Element, found: re.Match[str], names: set[str], findings: ScanFindings) -> None:
    start, end = found.span(2) if found[2] is not None else found.span(3)
    attribute = Attribute(found[1], found.start(1), start, end)
    if attribute.name in names:
        findings.error(
            attribute.offset,
            f"the attribute {attribute.name!r} is given twice in <{element.name}>",
            length=len(attribute.name),
        )
    names.add(attribute.name)
    check_references(found.string, start, end, findings, less_than=True)
    element.attributes.append(attribute)


def _mend(text: str, start: int, element: Element, findings: ScanFindings) -> int | None:
    """Report what is wrong in a tag at ``start``; where to read on, or None where the tag has no end."""
    at = start
    while at < len(text) and text[at] in SPACE:
        at += 1
    found = _LOOSE.match(text, at)
    if found is None:
        if at >= len(text) or text[at] == "<":
            _report_endless(element, findings)
            return None
        message = f"{text[at]!r} is not allowed in the tag <{element.name}>"
        findings.error(at, message, expected="an attribute, > or />")
        return at + 1
    if not found[2]:
        message = f"the attribute {found[1]!r} of <{element.name}> has no value"
        findings.error(at, message, length=len(found[1]), expected=f'{found[1]}="…"')
        return found.end()
    return _mend_value(text, start, found, findings)


def _mend_value(text: str, start: int, found: re.Match[str], findings: ScanFindings) -> int:
    """Report what is wrong with an attribute that has a name and a ``=``; where to read on."""
    name, at = found[1], found.end()
    quote = text[at : at + 1]
    if quote not in ("'", '"'):
        message = f"the value of {name!r} must be in quotes"
        if quote and quote in _TYPOGRAPHIC:
            message = f"{quote} is not a quotation mark of XML"
        findings.error(at, message, expected=f'{name}="…"')
        value = _UNQUOTED.match(text, at)
        return value.end() if value else at
    whole = _CROWDED.match(text, found.start())
    if found.start() == start and whole is not None and not _runs_over(whole):
        message = f"there is no white space before the attribute {name!r}"
        findings.error(start, message, length=len(name))
        return whole.end()
    findings.error(at, f"the value of {name!r} has no closing quote", expected=quote)
    bracket = text.find(">", at)
    if bracket < 0 or text.find("<", at, bracket) >= 0:
        return _line_end(text, at)
    return bracket - (text[bracket - 1] == "/")


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def check_references(
    text: str, start: int, end: int, findings: ScanFindings, *, less_than: bool = False
) -> None:
    """Repair each raw ``&`` (with ``less_than`` also each ``<``), and report references to nothing."""
    if text.find("&", start, end) < 0 and not (less_than and text.find("<", start, end) >= 0):
        return
    for found in _SUSPECT.finditer(text, start, end):
        at = found.start()
        if text[at] == "<":
            if less_than:
                message = "a raw < in an attribute is taken as &lt;"
                findings.repair(at, "&lt;", "raw-less-than", message)
            continue
        reference = _REFERENCE.match(text, at, end)
        if reference is None:
            findings.repair(at, "&amp;", "raw-ampersand", "a raw & is taken as &amp;")
        elif reference[1] and reference[1] not in _PREDEFINED:
            findings.error(
                at,
                f"there is no entity {reference[0]}",
                code="unknown-entity",
                length=len(reference[0]),
                expected="&lt; &gt; &amp; &quot; &apos; or a number such as &#10;",
                suggestion=nearest(reference[1], _PREDEFINED),
            )
        elif not reference[1] and not _is_character(reference):
            message = f"{reference[0][:20]} is not a character that XML allows"
            findings.error(at, message, length=len(reference[0]))


def _is_character(reference: re.Match[str]) -> bool:
    digits = (reference[2] or reference[3]).lstrip("0")
    if not 0 < len(digits) <= 7:
        return False
    code = int(digits, 10 if reference[2] else 16)
    if code < 32:
        return code in (9, 10, 13)
    return code < 0xD800 or 0xE000 <= code < 0xFFFE or 0x10000 <= code < 0x110000
