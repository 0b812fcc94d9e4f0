"""Owns the error of a text that is not valid YAML: those who catch it do so without importing PyYAML."""

from __future__ import annotations

from ..types.errors import FlowScriptError


class YamlProblem(FlowScriptError):
    """A text is not valid YAML. ``offset`` is in characters of it."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset
