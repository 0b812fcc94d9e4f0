"""Owns the checking of ids: missing, malformed, reserved, given twice."""

from __future__ import annotations

import re

from ..expression import LONGEST_NAME, RESERVED_WORDS
from ..types.findings import Findings
from ..types.location import Text

_ID = re.compile(r"[A-Za-z_][\w-]*", re.ASCII)
_RESERVED = frozenset({"input", "item", "index", "error"}) | RESERVED_WORDS


def is_id(word: str) -> bool:
    """Whether a word has the form of an id."""
    return _ID.fullmatch(word) is not None


class Ids:
    """The ids of one document; what is wrong with one goes to the findings."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._found: list[tuple[int, str]] = []

    def add(self, text: Text) -> str:
        """The id that is in ``text``; whether it is given twice is judged at the end."""
        name = text.value
        offset = text.offset(0)
        if not is_id(name):
            expected = "a letter or _, then letters, digits, _ and -"
            self._report(offset, "malformed-id", f"{name!r} is not a valid id", len(name), expected)
        elif len(name) > LONGEST_NAME:
            message = f"the id {name[:40]!r}… has {len(name):,} characters"
            expected = f"at most {LONGEST_NAME}"
            self._report(offset, "malformed-id", message, len(name), expected)
        elif name in _RESERVED:
            message = f"{name!r} is a word of the language"
            self._report(offset, "reserved-id", message, len(name), f"another id, such as {name}_1")
        else:
            self._found.append((offset, name))
        return name

    def malformed(self, offset: int, found: object) -> None:
        """Report an id that is not text."""
        self._report(offset, "malformed-id", f"{found!r} is not a valid id", 1, "text")

    def missing(self, offset: int, tag: str) -> None:
        self._report(offset, "missing-id", f"<{tag}> needs an id", len(tag) + 1, 'id="…"')

    def judge(self) -> None:
        """Report each id that is in the document before, in document order."""
        first: dict[str, int] = {}
        for offset, name in sorted(self._found):
            if name not in first:
                first[name] = offset
                continue
            place = self._findings.source.location(first[name])
            message = f"the id {name!r} is given twice, first at {place}"
            self._report(offset, "duplicate-id", message, len(name), "an id that no other node has")

    def _report(
        self, offset: int, code: str, message: str, length: int, expected: str | None = None
    ) -> None:
        self._findings.add(offset, code, message, length=length, expected=expected)
