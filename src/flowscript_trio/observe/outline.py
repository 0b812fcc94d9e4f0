"""Owns what of a large run fits on a screen: the rows of its tree, long lists folded. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from .tree import RUNNING, SUSPENDED, TreeItem

_ROOMS = (20, 10, 5, 3, 2, 1)
_BY_INTEREST = ("failed", RUNNING, SUSPENDED, "cancelled", "success", "skipped")


@dataclass(frozen=True, slots=True)
class Row:
    """An item at a depth (1 for the top-level nodes)."""

    depth: int
    item: TreeItem


@dataclass(frozen=True, slots=True)
class Fold:
    """How many more there are at a depth, by state."""

    depth: int
    counts: dict[str, int]


def outline(root: TreeItem, rows: int, failed_first: bool = False) -> list[Row | Fold]:
    """At most ``rows`` rows of the tree below ``root``, depth first, each list in document order.

    With ``failed_first`` what failed comes first in its list, in the order in which it did.

    What does not fit is folded: lists become shorter until all fits; what failed is shown before what
    runs, that before what was cancelled, and what ended well comes last.
    """
    lines: list[Row | Fold] = []
    for room in _ROOMS:
        lines = list(islice(_walk(root, room, 1, failed_first), rows + 1))
        if len(lines) <= rows:
            return lines
    return lines[:rows]


def _walk(item: TreeItem, room: int, depth: int, failed_first: bool) -> Iterator[Row | Fold]:
    shown, folded = _choose(item, room)
    shown.sort(key=_failed_first if failed_first else _in_document_order)
    for child in shown:
        yield Row(depth, child)
        yield from _walk(child, room, depth + 1, failed_first)
    if folded:
        yield Fold(depth, folded)


def _choose(item: TreeItem, room: int) -> tuple[list[TreeItem], dict[str, int]]:
    """The children to show, and how many others there are in which state."""
    shown: list[TreeItem] = []
    folded: dict[str, int] = {}
    for state in _BY_INTEREST:
        left = room - len(shown)
        if state == RUNNING:
            total = len(item.running)
            chosen = list(islice(item.running.values(), left))
        else:
            total = item.counts.get(state, 0)
            kept = item.kept.get(state, ())
            skipped = len(kept) - left if state in ("success", "skipped") else 0
            chosen = list(islice(kept, max(skipped, 0), max(skipped, 0) + left))
        shown += chosen
        if total > len(chosen):
            folded[state] = total - len(chosen)
    return shown, folded


def _in_document_order(item: TreeItem) -> tuple[int, int]:
    return item.order


def _failed_first(item: TreeItem) -> tuple[bool, float, tuple[int, int]]:
    failed = item.state == "failed" and item.ended is not None
    return not failed, item.ended or 0.0 if failed else 0.0, item.order
