"""Owns names that were meant as expressions and stand as text: ``Bearer $secrets.TOKEN``, without braces."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..types.ast import Document
from ..types.findings import Findings
from ..types.location import Text

_BARE = re.compile(r"(?<![\w$.\\])\$(secrets|config)\.([A-Za-z_][\w-]*)")


class BareNames:
    """Reports declared secrets and configuration that stand in a text outside of braces; others are just text."""

    def __init__(self, document: Document, findings: Findings) -> None:
        self._declared = {
            "secrets": {secret.name for secret in document.secrets},
            "config": {parameter.name for parameter in document.parameters},
        }
        self._findings = findings

    def report(self, text: Text) -> None:
        """Add a warning for each such name in a text that may have interpolations."""
        if "$" not in text.value:
            return
        for offset, word in self._find(text.value):
            self._findings.in_text(
                text,
                offset,
                len(word),
                "bare-name",
                f"{word} is text here, and is not replaced",
                severity="warning",
                expected=f"{{{{{word}}}}}",
            )

    def _find(self, value: str) -> Iterator[tuple[int, str]]:
        for found in _BARE.finditer(value):
            if found[2] not in self._declared[found[1]]:
                continue
            before = value.rfind("{{", 0, found.start())
            if before < 0 or value.rfind("}}", 0, found.start()) > before:
                yield found.start(), found[0]
