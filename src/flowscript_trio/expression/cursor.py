"""Owns the place of a reader among the tokens: looking, taking, and saying what was expected instead."""

from __future__ import annotations

from .errors import ExpressionSyntaxError
from .lexer import Token


class Cursor:
    """A place in a list of tokens that ends with an ``end`` token."""

    def __init__(self, text: str, tokens: list[Token]) -> None:
        self._text = text
        self._tokens = tokens
        self._at = 0

    @property
    def _token(self) -> Token:
        return self._tokens[self._at]

    def _sees(self, operator: str) -> bool:
        token = self._tokens[self._at]
        return token.kind == "operator" and token.value == operator

    def _take(self, operator: str) -> bool:
        if self._sees(operator):
            self._at += 1
            return True
        return False

    def _need(self, operator: str) -> None:
        if not self._take(operator):
            raise self._unexpected(self._token, f"{operator!r}")

    def _unexpected(self, token: Token, expected: str) -> ExpressionSyntaxError:
        if token.kind == "end":
            return ExpressionSyntaxError(
                "the expression ends too early", token.start, 1, expected=expected
            )
        written = self._text[token.start : token.end]
        found = repr(written) if len(written) <= 40 else f"a {token.kind}"
        return ExpressionSyntaxError(
            f"{found} is not expected here",
            token.start,
            token.end - token.start,
            expected=expected,
        )
