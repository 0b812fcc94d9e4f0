"""Owns the story of a trial: what happened at which node, block and branch, put together from the events."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from ...types.ast import BaseNode
from ...types.events import (
    BlockStarted,
    BranchEnded,
    BranchStarted,
    CancelRequested,
    Event,
    NodeEnded,
    NodeStarted,
)
from ...types.results import Cancellation, NodeResult
from .calls import Call, Moment
from .paths import parent_of
from .plan import Plan
from .trial import Trial


@dataclass(slots=True, eq=False)
class Execution:
    """One execution of one node. ``opened`` are the moments at which it opened its branches."""

    path: str
    node: BaseNode
    began: Moment
    ended: Moment | None = None
    result: NodeResult | None = None
    calls: list[Call] = field(default_factory=list)
    opened: list[Moment] = field(default_factory=list)

    @property
    def prefix(self) -> str:
        """The path of its body, as a prefix."""
        return self.path[: -len(self.node.label)]


@dataclass(slots=True, eq=False)
class Branch:
    """One branch of a block, or one iteration."""

    path: str
    index: int
    began: Moment
    ended: Moment | None = None
    status: str | None = None
    error: BaseException | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """A cancellation that the block at ``path`` requested."""

    path: str
    cancellation: Cancellation
    at: Moment


class Story:
    """What happened in a trial, in order."""

    def __init__(self, trial: Trial, plan: Plan) -> None:
        self.trial = trial
        self.plan = plan
        self.executions: list[Execution] = []
        self.branches: list[Branch] = []
        self.requests: list[Request] = []
        self.unmatched: list[str] = []
        """Paths of ends that no start belongs to."""
        self._open: dict[str, list[Execution]] = defaultdict(list)
        self._open_branches: dict[str, list[Branch]] = defaultdict(list)
        for event, moment in trial.probe.moments:
            self._take(event, moment)
        for call in trial.probe.calls:
            found = self._at(call.path, call.began.order)
            if found is not None:
                found.calls.append(call)

    @property
    def events(self) -> Iterator[Event]:
        return (event for event, _ in self.trial.probe.moments)

    @cached_property
    def by_path(self) -> dict[str, list[Execution]]:
        found: dict[str, list[Execution]] = defaultdict(list)
        for execution in self.executions:
            found[execution.path].append(execution)
        return found

    @cached_property
    def branches_by_path(self) -> dict[str, list[Branch]]:
        found: dict[str, list[Branch]] = defaultdict(list)
        for branch in self.branches:
            found[branch.path].append(branch)
        return found

    def _at(self, path: str, order: int) -> Execution | None:
        """The execution of a path that was under way at a moment."""
        for execution in reversed(self.by_path.get(path, ())):
            if execution.began.order < order:
                return execution
        return None

    def _take(self, event: Event, moment: Moment) -> None:
        path = event.path
        match event:
            case NodeStarted(node=node):
                execution = Execution(path, node, moment)
                self.executions.append(execution)
                self._open[path].append(execution)
            case NodeEnded(result=result):
                if not self._open[path]:
                    self.unmatched.append(path)
                    return
                execution = self._open[path].pop()
                execution.ended, execution.result = moment, result
            case BlockStarted():
                for execution in self._open[path]:
                    execution.opened.append(moment)
            case BranchStarted(index=index):
                branch = Branch(path, index, moment)
                self.branches.append(branch)
                self._open_branches[path].append(branch)
            case BranchEnded(status=status, error=error):
                branch = self._open_branches[path].pop()
                branch.ended, branch.status, branch.error = moment, status, error
            case CancelRequested(cancellation=cancellation):
                self.requests.append(Request(path, cancellation, moment))

    def branches_of(self, block: Execution) -> list[Branch]:
        """The branches of a block's last attempt."""
        since = block.opened[-1].order
        until = block.ended.order if block.ended is not None else float("inf")
        return [
            branch
            for branch in self.branches
            if since < branch.began.order < until and parent_of(branch.path) == block.path
        ]
