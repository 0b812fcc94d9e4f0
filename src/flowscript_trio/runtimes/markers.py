"""Owns the marks that a config model puts on its fields, for whoever reads documents with it.

They are in the metadata of a field's type: ``expression: Annotated[Expression, Binds("item")]``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..types.deferred import dataclass


@dataclass(frozen=True, slots=True, init=False)
class Binds:
    """The expression is evaluated with these names bound (``item``, ``$acc``, …)."""

    names: frozenset[str]

    def __init__(self, *names: str) -> None:
        object.__setattr__(self, "names", frozenset(names))


@dataclass(frozen=True, slots=True)
class AfterBody:
    """The expression is evaluated when the block's body has run, and sees the nodes in it."""


@dataclass(frozen=True, slots=True)
class Constant:
    """The setting is known when the document is read: no ``{{…}}`` is allowed in it.

    ``instead`` says what to write in place of one.
    """

    instead: str = "text without {{…}}"


@dataclass(frozen=True, slots=True)
class JsonScalar:
    """A constant text that is a JSON number, ``true``, ``false`` or ``null`` is that value.

    Unless the setting named by ``unless`` is ``string``.
    """

    unless: str = "type"


@dataclass(frozen=True, slots=True)
class Resolved:
    """Names of the document's ``schemas`` may be in a constant: ``resolve(value, schemas)`` is what it means.

    It raises ValueError.
    """

    resolve: Callable[[Any, Any], Any]


ITEM_NAMES = Binds("item", "index", "$item", "$index", "$items", "$first", "$last")
"""What an expression over the items of a list sees."""

ACCUMULATOR_NAMES = Binds(
    "acc", "item", "index", "$acc", "$item", "$index", "$items", "$first", "$last"
)
"""What a reducing expression sees."""
