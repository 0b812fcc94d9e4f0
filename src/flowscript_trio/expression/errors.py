"""Owns the error of an expression that cannot be read."""

from __future__ import annotations

from ..types.errors import FlowScriptError


class ExpressionSyntaxError(FlowScriptError):
    """An expression cannot be read. ``offset`` and ``length`` are in characters of its text."""

    def __init__(
        self,
        message: str,
        offset: int,
        length: int = 1,
        *,
        expected: str | None = None,
        suggestion: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset
        self.length: int = max(length, 1)
        self.expected = expected
        self.suggestion = suggestion
