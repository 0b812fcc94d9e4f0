"""Owns the places in XML source: one pass over the text that finds each tag, attribute and run of text.

It also repairs the two things that are not XML but stand in workflows in the wild. It judges nothing else:
whether the (repaired) text is well-formed is for a real XML parser to say.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ..types.errors import Problem, nearest, problem_at
from ..types.location import Source


@dataclass(slots=True, eq=False)
class Attribute:
    """``start`` and ``end`` are the offsets of its value, without the quotes."""

    name: str
    offset: int
    start: int
    end: int


@dataclass(slots=True, eq=False)
class Element:
    """``content`` has, in order, child elements and runs of text as (start, end, is CDATA)."""

    name: str
    offset: int
    depth: int
    attributes: list[Attribute] = field(default_factory=list)
    content: list[Element | tuple[int, int, bool]] = field(default_factory=list)

    @property
    def children(self) -> list[Element]:
        return [item for item in self.content if isinstance(item, Element)]


@dataclass(slots=True, eq=False)
class Scan:
    """``roots`` are the top-level elements; ``repairs`` are (offset, what to insert in place of the character)."""

    roots: list[Element] = field(default_factory=list)
    elements: list[Element] = field(default_factory=list)
    repairs: list[tuple[int, str]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    end: int = 0


_MARKUP = re.compile(r"<(?:!--|!\[CDATA\[|!|\?|/|(?=[A-Za-z_:]))")
_NAME = re.compile(r"[^\s/>=<\"']+")
_ATTRIBUTE = re.compile(r"\s*([^\s/>=<\"']+)\s*=\s*([\"'])")
_REFERENCE = re.compile(r"&(?:([A-Za-z_][\w.-]*)|#\d+|#x[0-9a-fA-F]+);")
_PREDEFINED = ("lt", "gt", "amp", "quot", "apos")


def scan(source: Source, start: int = 0, depth_limit: int = 100, one: bool = False) -> Scan:
    """Scan from ``start`` on; with ``one`` only the first element and what is before it."""
    return _Scanner(source, start, depth_limit, one).run()


class _Scanner:
    def __init__(self, source: Source, start: int, depth_limit: int, one: bool) -> None:
        self._source = source
        self._text = source.text
        self._at = start
        self._limit = depth_limit
        self._one = one
        self._open: list[Element] = []
        self._result = Scan()

    def run(self) -> Scan:
        text = self._text
        while True:
            found = _MARKUP.search(text, self._at)
            self._take_text(found.start() if found else len(text))
            if found is None:
                break
            self._at = found.start()
            mark = found[0]
            if mark == "<!--":
                self._skip_to("-->", 4)
            elif mark == "<![CDATA[":
                begin = self._at + 9
                self._skip_to("]]>", 9)
                self._add_text(begin, max(self._at - 3, begin), True)
            elif mark == "<?":
                self._skip_to("?>", 2)
            elif mark == "<!":
                self._refuse_declaration()
                break
            elif mark == "</":
                self._skip_to(">", 2)
                if self._open:
                    self._open.pop()
            elif not self._take_tag():
                break
            if self._one and self._result.roots and not self._open:
                break
        self._result.end = self._at
        return self._result

    def _skip_to(self, end: str, length: int) -> None:
        found = self._text.find(end, self._at + length)
        self._at = len(self._text) if found < 0 else found + len(end)

    def _refuse_declaration(self) -> None:
        name = _NAME.match(self._text, self._at + 2)
        word = name[0] if name else ""
        self._result.problems.append(
            problem_at(
                self._source,
                self._at,
                "doctype" if word.upper() == "DOCTYPE" else "not-well-formed",
                "a document type is not allowed: documents have no DTD and no entities of their own"
                if word.upper() == "DOCTYPE"
                else f"<!{word} has no meaning here",
                length=2 + len(word),
            )
        )

    # ---- text ----

    def _take_text(self, end: int) -> None:
        if end > self._at:
            self._repair_ampersands(self._at, end)
            self._add_text(self._at, end, False)
        self._at = end

    def _add_text(self, start: int, end: int, cdata: bool) -> None:
        if self._open and end > start:
            self._open[-1].content.append((start, end, cdata))

    def _repair_ampersands(self, start: int, end: int) -> None:
        text = self._text
        at = text.find("&", start, end)
        while at >= 0:
            reference = _REFERENCE.match(text, at, end)
            if reference is not None and reference[1] and reference[1] not in _PREDEFINED:
                self._result.problems.append(
                    problem_at(
                        self._source,
                        at,
                        "unknown-entity",
                        f"there is no entity {reference[0]}",
                        length=len(reference[0]),
                        expected="&lt; &gt; &amp; &quot; &apos; or a number such as &#10;",
                        suggestion=nearest(reference[1], _PREDEFINED),
                    )
                )
            elif reference is None:
                self._repair(at, "&amp;", "raw-ampersand", "a raw & is taken as &amp;")
            at = text.find("&", at + 1, end)

    def _repair(self, at: int, instead: str, code: str, message: str) -> None:
        self._result.repairs.append((at, instead))
        self._result.problems.append(
            problem_at(self._source, at, code, message, severity="warning", expected=instead)
        )

    # ---- tags ----

    def _take_tag(self) -> bool:
        """Take a start tag; whether to go on."""
        text = self._text
        name = _NAME.match(text, self._at + 1)
        assert name is not None
        element = Element(name[0], self._at, len(self._open) + 1)
        if element.depth > self._limit:
            self._result.problems.append(
                problem_at(
                    self._source,
                    self._at,
                    "too-deep",
                    f"elements nest deeper than {self._limit} levels",
                    length=len(element.name) + 1,
                )
            )
            return False
        if self._open:
            self._open[-1].content.append(element)
        else:
            self._result.roots.append(element)
        self._result.elements.append(element)
        self._at = name.end()
        while (found := _ATTRIBUTE.match(text, self._at)) is not None:
            end = text.find(found[2], found.end())
            if end < 0:
                self._at = len(text)
                return True
            self._repair_value(found.end(), end)
            element.attributes.append(Attribute(found[1], found.start(1), found.end(), end))
            self._at = end + 1
        close = text.find(">", self._at)
        if close < 0:
            self._at = len(text)
            return True
        if text[close - 1] != "/":
            self._open.append(element)
        self._at = close + 1
        return True

    def _repair_value(self, start: int, end: int) -> None:
        at = self._text.find("<", start, end)
        while at >= 0:
            self._repair(at, "&lt;", "raw-less-than", "a raw < in an attribute is taken as &lt;")
            at = self._text.find("<", at + 1, end)
        self._repair_ampersands(start, end)
