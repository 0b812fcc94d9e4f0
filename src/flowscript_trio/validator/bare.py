"""Owns names that were meant as expressions and are plain text: ``Bearer $secrets.TOKEN``, ``${input.x}``."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ..types.ast import Document
from ..types.findings import Findings
from ..types.location import Text
from ..types.patterns import pattern

_BARE = pattern(r"(?<![\w$.\\])\$(secrets|config)\.([A-Za-z_][\w-]*)")
_DOLLAR = pattern(r"(?<!\\)\$\{\s*([A-Za-z_][\w-]*)(?:\.([A-Za-z_][\w-]*))?[^{}]*\}")
"""An interpolation as shells and JavaScript write it."""
_STATEMENT = pattern(r"(?<!\{)\{%-?\s*(?:if|for|set|else|elif|endif|endfor)\b[^%}]{0,60}%\}")
"""A statement of Jinja and its like."""


class BareNames:
    """Reports declared names that are in a text outside of braces; others are just text. ``nodes`` are those
    of the nodes."""

    def __init__(self, document: Document, nodes: Collection[str], findings: Findings) -> None:
        self._nodes = nodes
        self._declared = {
            "secrets": {secret.name for secret in document.secrets},
            "config": {parameter.name for parameter in document.parameters},
        }
        self._findings = findings

    def report(self, text: Text) -> None:
        """Add a warning for each such name in a text that may have interpolations."""
        if "{%" in text.value and (found := _STATEMENT.search(text.value)):
            self._findings.in_text(
                text,
                found.start(),
                len(found[0]),
                "bare-name",
                f"{found[0]} is text here: there are no statements",
                severity="warning",
                expected="an expression: {{when ? a : b}}, {{join(map(xs, x => x.name), ', ')}}",
            )
        if "$" not in text.value:
            return
        for offset, word, instead in self._find(text.value):
            self._findings.in_text(
                text,
                offset,
                len(word),
                "bare-name",
                f"{word} is text here, and is not replaced",
                severity="warning",
                expected=f"{{{{{instead}}}}}",
            )

    def _find(self, value: str) -> Iterator[tuple[int, str, str]]:
        for found in _DOLLAR.finditer(value) if "${" in value else ():
            instead = found[0][2:-1].strip()
            if found[2] in self._declared.get(found[1], ()):
                yield found.start(), found[0], f"${instead}"
            elif found[1] == "env" and found[2]:
                yield found.start(), found[0], f"$env.{found[2]}"
            elif found[1] in self._nodes or found[1] in ("input", "item"):
                yield found.start(), found[0], instead
        for found in _BARE.finditer(value):
            if found[2] not in self._declared[found[1]]:
                continue
            before = value.rfind("{{", 0, found.start())
            if before < 0 or value.rfind("}}", 0, found.start()) > before:
                yield found.start(), found[0], found[0]
