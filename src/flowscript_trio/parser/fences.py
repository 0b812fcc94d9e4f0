"""Owns where front matter begins and ends; what is between is read, and PyYAML imported, where there is some."""

from __future__ import annotations

import re

from ..types.findings import Findings
from ..types.patterns import pattern
from .front import Front

_OPENING = pattern(r"---[ \t]*\r?$", re.MULTILINE)
_FENCE = pattern(r"^---[ \t]*\r?$", re.MULTILINE)


def read_front(findings: Findings, start: int) -> tuple[Front, int]:
    """The front matter of a document and the offset where it ends."""
    source = findings.source
    first = _OPENING.match(source.text, start)
    if first is None:
        return Front(), start
    second = _FENCE.search(source.text, first.end())
    if second is None:
        message = "the front matter has no end"
        findings.add(start, "front-matter", message, length=3, expected="---")
        return Front(offset=start, unfinished=True), len(source.text)
    from .frontmatter import FrontReader

    reader = FrontReader(findings, first.end())
    return reader.read(source.text[first.end() : second.start()]), second.end()
