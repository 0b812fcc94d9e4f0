"""Owns the picture of a run as a tree: events in, nodes and branches with their states out. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..types.ast import BaseNode
from ..types.events import (
    BlockStarted,
    BranchEnded,
    BranchStarted,
    Event,
    NodeEnded,
    NodeStarted,
    RunEnded,
    RunStarted,
)
from ..types.results import NodeResult


@dataclass(slots=True, eq=False)
class Twig:
    """One node, branch or iteration. ``state`` is ``running`` or a status; times are of trio's clock."""

    path: str
    label: str
    started: float
    state: str = "running"
    ended: float | None = None
    node: BaseNode | None = None
    result: NodeResult | None = None
    why: str = ""
    branches: int | None = None
    children: dict[str, Twig] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    """How many children ended in which state, folded ones too."""


class RunTree:
    """An observer that keeps a tree of at most ``room`` children a twig: those that ended well go first.

    Each event costs the same however large the run is.
    """

    def __init__(self, room: int = 20) -> None:
        self.name = ""
        self.status: str | None = None
        self.error: BaseException | None = None
        self.root = Twig("", "", 0.0)
        self._room = room
        self._twigs: dict[str, Twig] = {"": self.root}

    def __call__(self, event: Event) -> None:
        match event:
            case RunStarted():
                self.name = event.name
                self.root.started = event.time
            case NodeStarted(node=node):
                self._begin(event.path, node.label, event.time).node = node
            case BranchStarted(index=index):
                self._begin(event.path, f"[{index}]", event.time)
            case BlockStarted(branches=branches):
                self._twigs.get(event.path, self.root).branches = branches
            case NodeEnded(result=result):
                by = result.cancelled_by
                twig = self._end(event.path, result.status, event.time, by.reason if by else "")
                if twig is not None:
                    twig.result = result
            case BranchEnded(status=status, cancelled_by=by):
                self._end(event.path, status, event.time, by.reason if by else "")
            case RunEnded(status=status, error=error):
                self.status, self.error = status, error
                self.root.ended = event.time

    def _begin(self, path: str, label: str, time: float) -> Twig:
        parent = self._parent(path)
        twig = parent.children[path] = self._twigs[path] = Twig(path, label, time)
        return twig

    def _end(self, path: str, state: str, time: float, why: str) -> Twig | None:
        twig = self._twigs.pop(path, None)
        if twig is None:
            return None
        twig.state, twig.ended, twig.why = state, time, why
        parent = self._parent(path)
        parent.counts[state] = parent.counts.get(state, 0) + 1
        if state in ("success", "skipped") and len(parent.children) > self._room:
            del parent.children[path]
        return twig

    def _parent(self, path: str) -> Twig:
        """The nearest running twig around a path."""
        while path:
            cut = max(path.rfind("/"), path.rfind("["))
            path = path[:cut] if cut > 0 else ""
            found = self._twigs.get(path)
            if found is not None:
                return found
        return self.root
