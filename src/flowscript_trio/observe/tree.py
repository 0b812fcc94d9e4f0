"""Owns the picture of a run as a tree: events in, nodes and branches with their states out. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import field

from ..types.ast import BaseNode
from ..types.deferred import dataclass
from ..types.events import (
    AttemptFailed,
    AttemptStarted,
    BlockStarted,
    BranchEnded,
    BranchStarted,
    Event,
    NodeEnded,
    NodeStarted,
    RunEnded,
    RunStarted,
    RunWarning,
    TokenAwaited,
    TokenTaken,
)
from ..types.paths import branch_in, is_iteration
from ..types.results import LEFT, Cancellation
from .under_way import UnderWay, in_round
from .waits import Wait, wait_after

RUNNING = "running"
SUSPENDED = "suspended"
_ENDED_WELL = ("success", "skipped")


@dataclass(slots=True, eq=False)
class TreeItem:
    """One node, branch or iteration; times are of trio's clock.

    ``state`` is ``running``, a status, or ``suspended``, where this process has left the run.

    ``order`` puts the children of one item into document order, and the rounds of a loop one after another.
    ``replaced`` is the node's own error where its fallback took its place, or failed as well. ``worker`` is where
    a node ran that ran elsewhere; of a branch, where its last node did.
    ``wait`` is what it waits for, and of one that has ended what it waited for then. ``branches`` is how many
    branches a block has, None where it is not a block or does not know. ``counts`` says how many children ended
    in which state; of those only some are kept. ``replayed``: it did nothing, since an earlier process of a
    durable run had done it; of a branch, whether its last node was. ``restored`` is how many children were.
    """

    path: str
    label: str
    order: tuple[int, int]
    started: float
    state: str = RUNNING
    ended: float | None = None
    node: BaseNode | None = None
    error: BaseException | None = None
    replaced: BaseException | None = None
    cancelled_by: Cancellation | None = None
    wait: Wait | None = None
    branches: int | None = None
    worker: str | None = None
    replayed: bool = False
    restored: int = 0
    running: dict[int, TreeItem] = field(default_factory=dict)
    kept: dict[str, deque[TreeItem]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)


class RunTree:
    """An observer that keeps a tree: every item that runs, and of those that ended ``room`` a state and item.

    Of those that ended well the last are kept, of the others the first. An event costs the same
    however large the run is, and the tree is bounded by what runs at once.
    """

    def __init__(self, started: float = 0.0, room: int = 20) -> None:
        self.name: str = ""
        self.root: TreeItem = TreeItem("", "", (0, 0), started)
        self.warnings: deque[str] = deque(maxlen=room)
        self._room = room
        self._running: UnderWay[TreeItem] = UnderWay()

    def __call__(self, event: Event) -> None:
        """Take in one event."""
        match event:
            case RunStarted():
                self.name = event.name
                self.root.started = event.time
            case NodeStarted(node=node):
                self._begin(event, node.label, node.key, node)
            case BranchStarted(index=index):
                word = "iteration" if is_iteration(event.path) else "branch"
                self._begin(event, f"{word} {index}", index, None)
            case BlockStarted(branches=branches):
                if (item := self._running.get(event.execution)) is not None:
                    item.branches = branches
            case AttemptStarted() | AttemptFailed() | TokenAwaited() | TokenTaken():
                if (item := self._running.get(event.execution)) is not None:
                    item.wait = wait_after(event)
            case NodeEnded(node=node, result=result):
                if (item := self._running.get(event.execution)) is None:
                    item = self._begin(event, node.label, node.key, node)  # it began unobserved
                item.replaced, item.worker = result.replaced, result.worker
                around = self._running.around(event.path)
                item.replayed = event.replayed
                if around is not None and around.node is None:
                    around.worker = result.worker or around.worker
                    around.replayed = event.replayed
                self._end(event, result.status, result.error, result.cancelled_by)
            case BranchEnded(worker=worker):
                if worker is not None and (item := self._running.get(event.execution)) is not None:
                    item.worker = worker
                self._end(event, event.status, event.error, event.cancelled_by)
            case RunWarning(message=message):
                self.warnings.append(message)
            case RunEnded(status=status, error=error):
                self.root.state = "success" if status == "completed" else status
                self.root.ended, self.root.error = event.time, error

    def _begin(self, event: Event, label: str, number: int, node: BaseNode | None) -> TreeItem:
        around = self._running.around(event.path) or self.root
        index = branch_in(event.path, around.path)
        if index is not None and node is not None:
            label = in_round(label, index)
        order = (index or 0, number)
        item = TreeItem(event.path, label, order, event.time, node=node)
        around.running[event.execution] = item
        self._running.begin(event.execution, event.path, item)
        return item

    def _end(
        self, event: Event, state: str, error: BaseException | None, by: Cancellation | None
    ) -> None:
        item = self._running.end(event.execution)
        if item is None:  # a branch that was cancelled before it started
            return
        if by is not None and by.reason == LEFT:
            state, by = SUSPENDED, None
        item.state, item.ended, item.error, item.cancelled_by = state, event.time, error, by
        around = self._running.around(event.path) or self.root
        around.running.pop(event.execution, None)
        around.counts[state] = around.counts.get(state, 0) + 1
        around.restored += item.replayed
        kept = around.kept.setdefault(state, deque(maxlen=self._room))
        if state in _ENDED_WELL or len(kept) < self._room:
            kept.append(item)
