"""Owns the places in XML source: one pass over the text that finds each tag and each run of text.

It reports what is wrong with exact places and goes on where it can, so that all of it is reported at once.
A real XML parser has the last word on whether the (repaired) text is well-formed.
"""

from __future__ import annotations

import re
from dataclasses import field

from ..types.deferred import dataclass
from ..types.errors import nearest
from ..types.findings import Findings
from .findings import ScanFindings
from .markup import LESS_THAN, SPACE, STARTS_NAME, Element, check_references, read_start_tag


@dataclass(slots=True, eq=False)
class Scan:
    """``root`` is the first top-level element; ``elements`` are all, in document order; ``repairs`` are
    (offset, what to insert in place of the character); ``end`` is where the scan ended; ``is_broken`` says
    that something is wrong which was not repaired.
    """

    root: Element | None = None
    elements: list[Element] = field(default_factory=list)
    repairs: list[tuple[int, str]] = field(default_factory=list)
    is_broken: bool = False
    end: int = 0


_END_TAG = re.compile(r"</([^ \t\r\n/>=<\"'&]+)[ \t\r\n]*>")
_BEGUN = re.compile(r"</([^ \t\r\n/>=<\"'&]+)")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_DECLARED = re.compile(r"<!([A-Za-z]*)")


def scan(findings: Findings, start: int = 0, depth_limit: int = 100, one: bool = False) -> Scan:
    """Scan from ``start`` on; with ``one`` only the first element and what is before it."""
    return _Scanner(findings, start, depth_limit, one).run()


class _Scanner:
    def __init__(self, findings: Findings, start: int, depth_limit: int, one: bool) -> None:
        self._source = findings.source
        self._text = findings.source.text
        self._start = self._at = start
        self._limit = depth_limit
        self._one = one
        self._open: list[Element] = []
        self._loose: set[Element] = set()  # open or not: their tags are broken
        self._result = Scan()
        self._findings = ScanFindings(findings)

    def run(self) -> Scan:
        complete = self._walk()
        if complete:
            self._check_end()
        self._check_characters()
        self._findings.finish()
        self._result.end = self._at
        self._result.is_broken = self._findings.errors > 0
        self._result.repairs = self._findings.repairs
        return self._result

    def _walk(self) -> bool:
        """Go through the text; whether to its end."""
        text, findings = self._text, self._findings
        while True:
            bracket = text.find("<", self._at)
            self._take_text(len(text) if bracket < 0 else bracket)
            if bracket < 0:
                return True
            follows = text[bracket + 1 : bracket + 2]
            if follows == "/":
                self._take_end_tag()
            elif follows == "!" or follows == "?":
                if not self._take_declaration():
                    return False
            elif STARTS_NAME.match(follows):
                if not self._take_start_tag():
                    return False
            else:
                self._take_less_than()
            if findings.too_many:
                return False
            if self._one and self._result.root is not None and not self._open:
                return True

    # ---- tags ----

    def _take_start_tag(self) -> bool:
        """Take a start tag; whether to go on."""
        name_at = self._at
        element, is_open = read_start_tag(self._text, name_at, self._findings)
        self._at = element.inner
        if len(self._open) >= self._limit:
            self._findings.error(
                name_at,
                f"elements nest deeper than {self._limit} levels",
                code="too-deep",
                length=len(element.name) + 1,
            )
            return False
        if self._open:
            self._open[-1].content.append(element)
        elif self._result.root is None:
            self._result.root = element
        else:
            self._findings.error(
                name_at,
                f"<{element.name}> is a second root: a document is one <workflow>",
                length=len(element.name) + 1,
            )
        self._result.elements.append(element)
        if is_open is not False:
            self._open.append(element)
        if is_open is None:
            self._loose.add(element)
        return True

    def _take_end_tag(self) -> None:
        start = self._at
        found = _END_TAG.match(self._text, start)
        if found is None:
            self._findings.error(start, "this end tag is broken", length=2, expected="</name>")
            bracket = self._text.find(">", start)
            other = self._text.find("<", start + 1)
            ends = bracket >= 0 and (other < 0 or bracket < other)
            self._at = bracket + 1 if ends else start + 2
            begun = _BEGUN.match(self._text, start)
            if begun and self._open and self._open[-1].name == begun[1]:
                self._open.pop()
            return
        self._at = found.end()
        name = found[1]
        while self._open and self._open[-1].name != name and self._open[-1] in self._loose:
            self._open.pop()
        if self._open and self._open[-1].name == name:
            self._open.pop()
        else:
            self._mismatch(start + 2, name)

    def _mismatch(self, start: int, name: str) -> None:
        """Report an end tag that does not fit, and close what it most likely was to close."""
        if not self._open:
            self._findings.error(start, f"</{name}> closes nothing", length=len(name))
            return
        top = self._open[-1]
        line = self._source.location(top.offset).line
        self._findings.error(
            start,
            f"</{name}> comes where <{top.name}> of line {line} is still open",
            length=len(name),
            expected=f"</{top.name}>",
        )
        depth = next(
            (n for n in reversed(range(len(self._open))) if self._open[n].name == name), -1
        )
        if depth >= 0:
            del self._open[depth:]
        elif nearest(name, [top.name]):
            self._open.pop()

    # ---- comments, CDATA, instructions, declarations ----

    def _take_declaration(self) -> bool:
        """Take what begins with ``<!`` or ``<?``; whether to go on."""
        text, start = self._text, self._at
        if text.startswith("<!--", start):
            dashes = text.find("--", start + 4)
            if dashes >= 0 and not text.startswith("-->", dashes):
                message = "-- is not allowed in a comment"
                self._findings.error(dashes, message, length=2)
            return self._skip_to("-->", 4, "comment")
        if text.startswith("<![CDATA[", start):
            if not self._skip_to("]]>", 9, "CDATA section"):
                return False
            if self._open:
                if self._at - 3 > start + 9:
                    self._open[-1].content.append((start + 9, self._at - 3, True))
            else:
                self._findings.error(start, "text is not allowed outside of the root", length=9)
            return True
        if text.startswith("<?", start):
            return self._skip_to("?>", 2, "processing instruction")
        return self._refuse_declaration()

    def _skip_to(self, end: str, length: int, what: str) -> bool:
        found = self._text.find(end, self._at + length)
        if found < 0:
            message = f"the {what} has no end"
            self._findings.error(self._at, message, length=length, expected=end)
            self._at = len(self._text)
            return False
        self._at = found + len(end)
        return True

    def _refuse_declaration(self) -> bool:
        found = _DECLARED.match(self._text, self._at)
        word = found[1] if found else ""
        if word.upper() == "DOCTYPE":
            message = (
                "a document type is not allowed: documents have no DTD and no entities of their own"
            )
            self._findings.error(self._at, message, code="doctype", length=9)
            return False
        self._findings.error(self._at, f"<!{word} has no meaning here", length=2 + len(word))
        self._at += 2
        return True

    # ---- text ----

    def _take_text(self, end: int) -> None:
        start, text = self._at, self._text
        self._at = end
        if end <= start:
            return
        if not self._open:
            self._outside(start, end)
            return
        check_references(text, start, end, self._findings)
        close = text.find("]]>", start, end)
        if close >= 0:
            message = "]]> is not allowed in text outside of a CDATA section"
            self._findings.error(close, message, length=3, expected="]]&gt;")
        self._open[-1].content.append((start, end, False))

    def _take_less_than(self) -> None:
        """Take a ``<`` that begins no tag: what cannot be the name of one is behind it."""
        start = self._at
        self._at = start + 1
        if self._open and LESS_THAN.match(self._text, start):
            message = "a raw < in text is taken as &lt;"
            self._findings.repair(start, "&lt;", "raw-less-than", message)
            self._open[-1].content.append((start, start + 1, False))
            return
        self._findings.error(
            start, "a raw < is not allowed in text", expected="&lt;, or the text in <![CDATA[…]]>"
        )

    def _outside(self, start: int, end: int) -> None:
        """Report text before or after the root element."""
        piece = self._text[start:end]
        bare = piece.lstrip(SPACE)
        if bare:
            self._findings.error(
                end - len(bare),
                f"text is not allowed {'before' if self._result.root is None else 'after'} the workflow",
                length=len(bare.split("\n")[0].rstrip()),
                expected=self._instead_of(bare),
            )

    def _instead_of(self, bare: str) -> str:
        """What belongs where there is text outside of the root element."""
        if self._result.root is not None:
            return "nothing"
        fenced = bare.startswith(("```", "~~~"))
        return "the <workflow> element itself" + (", not in a code fence" if fenced else "")

    # ---- the end ----

    def _check_end(self) -> None:
        for element in self._open:
            if element in self._loose:
                continue
            self._findings.error(
                element.offset,
                f"<{element.name}> is never closed",
                length=len(element.name) + 1,
                expected=f"</{element.name}>",
            )
        if self._result.root is None and not self._findings.errors:
            message = "the document has no element"
            self._findings.error(self._start, message, expected="a <workflow> element")

    def _check_characters(self) -> None:
        at = self._start
        while not self._findings.too_many:
            found = _FORBIDDEN.search(self._text, at, self._at)
            if found is None:
                return
            message = f"the character U+{ord(found[0]):04X} is not allowed in XML"
            self._findings.error(found.start(), message, code="forbidden-character")
            at = found.end()
