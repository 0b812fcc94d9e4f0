"""Owns what a report says first: what made a run fail and where, what that cancelled, how nodes ended. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from ...types.paths import is_iteration
from .span import Span, walk

_WORST_FIRST = (
    "failed",
    "running",
    "suspended",
    "cancelled",
    "fallback",
    "success",
    "restored",
    "skipped",
)
_WORDS = {
    "branch": ("branch", "branches"),
    "iteration": ("iteration", "iterations"),
    "node": ("node", "nodes"),
}
_OTHER_DOCUMENTS = frozenset({"include", "call"})


@dataclass(frozen=True, slots=True)
class RunFailure:
    """What made a run fail: the span of the node, its place in the document, what was cancelled because of it."""

    span: Span
    place: str
    cancelled: str


def failure_of(root: Span, ended: Iterable[Span]) -> RunFailure | None:
    """The node that made a run fail: the one that failed first with the error of the run.

    Args:
        root: the run.
        ended: its spans in the order in which they ended; so a node comes before the blocks around it.

    None where the run did not fail, or no node has its error. What failed inside what was tolerated has blocks
    around it that did not fail: it is not the one, even where it says the same.
    """
    error = root.detail.get("error")
    if root.state != "failed" or error is None:
        return None
    around = {id(span): outer for span, outer in walk(root)}
    for span in ended:
        outer = around.get(id(span), ())
        if span.kind != "node" or span.state != "failed":
            continue
        if _says(span) == (error.get("type"), error.get("message")) and all(
            each.state == "failed" for each in outer
        ):
            causes = {each.path for each in (*outer, span)} - {""}
            return RunFailure(span, _place(root, span), _cancelled(root, causes))
    return None


def _says(span: Span) -> tuple[object, object]:
    error = span.detail.get("error") or {}
    return error.get("type"), error.get("message")


def _place(root: Span, span: Span) -> str:
    """Where it is in the document, as editors and terminals write it."""
    parts = (root.detail.get("file"), span.detail.get("line"), span.detail.get("column"))
    return ":".join(str(part) for part in parts if part)


def _cancelled(root: Span, causes: set[str]) -> str:
    """How many branches were cancelled because of one of ``causes``, or nodes that are in no branch; outermost."""
    counts: Counter[str] = Counter()
    for span, around in walk(root):
        by = (span.detail.get("cancelled_by") or {}).get("by")
        if span.state == "cancelled" and by in causes and around[-1].state != "cancelled":
            counts[_word(span)] += 1
    said = [
        f"{counts[word]} {name[counts[word] != 1]}" for word, name in _WORDS.items() if counts[word]
    ]
    *most, last = said or [""]
    listed = " and ".join([", ".join(most), last] if most else [last])
    return f"{listed} {'was' if counts.total() == 1 else 'were'} cancelled" if said else ""


def _word(span: Span) -> str:
    if span.kind == "node":
        return "node"
    return "iteration" if is_iteration(span.path) else "branch"


def counts_of(spans: Iterable[Span]) -> dict[str, int]:
    """How many nodes ended in which way, the worst first; blocks are not counted, what is in them is."""
    return _worst_first(Counter(span.look for span in spans if not span.is_block))


def state_of_drawing(root: Span) -> dict[int, dict[str, int]]:
    """How often each node of the document ended in which way, the worst first, by its number in the document.

    Nodes of a document that another includes or calls have numbers of their own, and are not drawn.
    """
    found: dict[int, Counter[str]] = {}
    for span, around in walk(root):
        if span.key and not any(each.tag in _OTHER_DOCUMENTS for each in around):
            found.setdefault(span.key, Counter())[span.look] += 1
    return {key: _worst_first(counts) for key, counts in found.items()}


def _worst_first(counts: Counter[str]) -> dict[str, int]:
    return {state: counts[state] for state in _WORST_FIRST if counts[state]}
