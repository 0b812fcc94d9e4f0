"""Owns what is known about the limits of a program before it runs: which step takes which, and what it holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from ..types.ast import LimitDeclaration
from ..types.deferred import dataclass
from ..types.location import Location


@dataclass(frozen=True, slots=True)
class Site:
    """A node that has to do with a limit: what it is called, and where it is."""

    label: str
    tag: str
    location: Location

    def __str__(self) -> str:
        return f"<{self.tag}> {self.label!r} ({self.location})"


Chain = tuple[Site, ...]
"""From the node that holds a limit, through the calls between, to the one that needs another."""


@dataclass(frozen=True, slots=True, eq=False)
class LimitUse:
    """The limits of a document and of all that it runs, by name.

    ``declared`` are the declarations that count: a document's own before those of what it runs. ``needs`` has for
    each name where it is taken first, ``together`` the sets that are taken at once. ``held`` has for each pair
    (held, needed) how one comes to need the second while it holds the first. ``blocks`` are the names that
    blocks hold, ``tokens`` those that are held around a leaf node, which takes a token of ``limiter=``.
    """

    declared: Mapping[str, LimitDeclaration] = field(default_factory=dict)
    needs: Mapping[str, Chain] = field(default_factory=dict)
    together: Mapping[tuple[str, ...], Chain] = field(default_factory=dict)
    held: Mapping[tuple[str, str], Chain] = field(default_factory=dict)
    blocks: Mapping[str, Chain] = field(default_factory=dict)
    tokens: Mapping[str, Chain] = field(default_factory=dict)
    leaf: Chain | None = None
    """The first leaf node, which needs a token of ``limiter=``."""
    names: int = 0
    """How many limits are named; where they are too many to be compared, only what is declared is known beside."""
