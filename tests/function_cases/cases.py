"""Owns the form of a function's cases: plain, with null, with something empty, with a wrong type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Refused:
    """An EvaluationError whose message has this part."""

    part: str


@dataclass(frozen=True, slots=True)
class Cases:
    """Pairs of an expression and its value or refusal. A function without arguments has only plain ones."""

    plain: list[tuple[str, Any]]
    null: list[tuple[str, Any]]
    empty: list[tuple[str, Any]]
    wrong: list[tuple[str, Any]]

    @property
    def all(self) -> list[tuple[str, Any]]:
        return [*self.plain, *self.null, *self.empty, *self.wrong]
