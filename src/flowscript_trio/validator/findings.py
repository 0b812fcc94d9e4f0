"""Owns the list of problems while a document is checked: each once, in document order at the end."""

from __future__ import annotations

from typing import Any

from ..types.ast import BaseNode, Body, Part, Setting, Structure
from ..types.errors import Problem, problem_at
from ..types.location import Source, Text


class Findings:
    """Collects problems. Places are offsets in the source, in characters."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._found: dict[tuple[int, str, str], Problem] = {}

    def add(self, offset: int, code: str, message: str, *, length: int = 1, **details: Any) -> None:
        """Add a problem, unless the same one is there already; ``details`` as of :class:`Problem`."""
        key = (offset, code, message)
        if key not in self._found:
            length = max(length, 1)
            problem = problem_at(self._source, offset, code, message, length=length, **details)
            self._found[key] = problem

    def at_element(
        self, element: BaseNode | Body | Part, code: str, message: str, **details: Any
    ) -> None:
        """Add a problem at an element's ``<``."""
        self.add(element.offset, code, message, length=1 + len(element.tag), **details)

    def at_name(self, setting: Setting, code: str, message: str, **details: Any) -> None:
        """Add a problem at a setting's name; that of a child element is at its ``<``."""
        length = len(setting.written) + self._source.text.startswith("<", setting.offset)
        self.add(setting.offset, code, message, length=length, **details)

    def at_value(self, setting: Setting, code: str, message: str, **details: Any) -> None:
        """Add a problem at a setting's value, or at its name where the value is empty."""
        text = text_of(setting.value)
        if text is None or not text.value:
            self.at_name(setting, code, message, **details)
        else:
            self.in_text(text, 0, len(text.value), code, message, **details)

    def in_text(
        self, text: Text, index: int, length: int, code: str, message: str, **details: Any
    ) -> None:
        """Add a problem at ``length`` characters of a text, from ``index`` on."""
        start = text.offset(index)
        if length > 1:
            length = text.offset(index + length - 1) - start + 1
        self.add(start, code, message, length=length, **details)

    def in_order(self) -> tuple[Problem, ...]:
        """All problems by their places in the document."""
        return tuple(self._found[key] for key in sorted(self._found, key=lambda key: key[0]))


def text_of(value: object) -> Text | None:
    """The text that a setting's value stands in, or None for a constant from YAML."""
    if isinstance(value, Structure):
        return value.text
    return value if isinstance(value, Text) else None
