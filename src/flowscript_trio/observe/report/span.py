"""Owns what a span is: a node, a branch or an iteration, from when it began until it ended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ...language.elements import ELEMENTS
from ...types.paths import is_in_handler

RUNNING = "running"
SUSPENDED = "suspended"
STOOD_IN = "fallback"
RESTORED = "restored"


@dataclass(slots=True, eq=False)
class Span:
    """A node, a branch or an iteration, with all that is known about it; times are in seconds since the run began.

    ``state`` is a status, ``running`` where the record ends before it did, or ``suspended`` where its process left
    the run. ``parts`` are what it did
    besides its work: ``token`` or ``retry`` with two times; a branch waits for its token before it begins.
    ``detail`` is what a click shows. ``tag`` and ``key`` are those of a node in its document.
    """

    path: str
    label: str
    kind: str
    start: float
    order: tuple[float, int]
    end: float | None = None
    state: str = RUNNING
    parts: list[tuple[str, float, float]] = field(default_factory=list)
    detail: dict[str, Any] = field(default_factory=dict)
    children: list[Span] = field(default_factory=list)
    lane: int = 0
    tag: str = ""
    key: int = 0

    @property
    def look(self) -> str:
        """Its state, or what tells more than ``success``: ``fallback`` where its fallback took its place,
        ``restored`` where it did nothing, since an earlier process of a durable run had done it, or all in it.
        """
        if self.state != "success":
            return self.state
        if "replaced" in self.detail:
            return STOOD_IN
        if "replayed" in self.detail or (self.kind == "branch" and self._is_all_restored()):
            return RESTORED
        return self.state

    def _is_all_restored(self) -> bool:
        looks = {child.look for child in self.children}
        return RESTORED in looks and looks <= {RESTORED, "skipped"}

    @property
    def is_block(self) -> bool:
        """Whether it is there for the nodes inside it; a fallback does not count as inside its node."""
        element = ELEMENTS.get(self.tag)
        if self.kind != "node" or (element is not None and (element.form or element.sides)):
            return True
        return any(not is_in_handler(child.path, self.path) for child in self.children)


def in_order(span: Span) -> list[Span]:
    """What is inside a span, in the order of the document, the rounds of a loop one after another."""
    return sorted(span.children, key=lambda child: child.order)


def walk(span: Span) -> Iterator[tuple[Span, tuple[Span, ...]]]:
    """All spans inside one, each with those around it, the outermost first."""
    stack: list[tuple[Span, tuple[Span, ...]]] = [(child, (span,)) for child in span.children]
    while stack:
        span, around = stack.pop()
        yield span, around
        inside = (*around, span)
        stack += [(child, inside) for child in span.children]
