"""Owns the functions of expressions: a table by name, and how arguments reach them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Implementation = Callable[..., Any]

FUNCTIONS: dict[str, Implementation] = {}
"""Every function by its name; each takes the run's services and then its arguments."""

F = TypeVar("F", bound=Implementation)


def function(*names: str) -> Callable[[F], F]:
    """Register a function under these names."""

    def register(implementation: F) -> F:
        for name in names:
            FUNCTIONS[name] = implementation
        return implementation

    return register
