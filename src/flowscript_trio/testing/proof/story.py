"""Owns the story of a trial: what happened at which node, block and branch, put together from the events."""

from __future__ import annotations

import math
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
from ...types.paths import is_below, parent_of
from ...types.results import Cancellation, NodeResult
from .calls import Call, Moment
from .plan import Plan
from .terms import Terms
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

    def executions_in(self, branch: Branch) -> Iterator[Execution]:
        """What was executed in a branch, in the order in which it began."""
        return (
            execution
            for execution in self.executions
            if is_below(execution.path, branch.path)
            and _is_under_way(branch, execution.began.order)
        )

    def branch_around(self, path: str, order: int) -> Branch | None:
        """The branch or iteration at a path that was under way at a moment."""
        return next(
            (b for b in self.branches_by_path.get(path, ()) if _is_under_way(b, order)), None
        )

    def execution_around(self, path: str, order: int) -> Execution | None:
        """The execution of the node at a path that was under way at a moment."""
        return next((e for e in self.by_path.get(path, ()) if _is_under_way(e, order)), None)

    def terms_of(self, block: Execution, opening: Moment) -> Terms | None:
        """The terms on which a block opened its branches at a moment."""
        known = [t for t in self.trial.probe.notes.terms if t.path == block.path]
        before = [terms for terms in known if block.began.order < terms.since.order < opening.order]
        return before[-1] if before else None

    def settling(self, block: Execution, opening: Moment) -> Branch | None:
        """The branch whose end settled a block: it won the race, or was the failure too many; None if none did.

        Where the rest is not to be cancelled (``fail-fast="false"``), a failure settles nothing before the end.
        """
        terms = self.terms_of(block, opening)
        if terms is None:
            return None
        successes = failures = 0
        ended = [branch for branch in self.branches_of(block, opening) if branch.ended is not None]
        for branch in sorted(ended, key=lambda found: found.ended.order if found.ended else 0):
            successes += branch.status == "success"
            failures += branch.status == "failed"
            if terms.is_won(successes) or (terms.fails_fast and terms.is_lost(failures)):
                return branch
        return None

    def is_settled_by_first_error(self, block: Execution) -> bool:
        """Whether a block's first failure is one too many, and cancels the rest."""
        terms = self.terms_of(block, block.opened[-1])
        return terms is not None and terms.fails_fast and terms.is_lost(1)

    def branches_of(self, block: Execution, opening: Moment | None = None) -> list[Branch]:
        """The branches that a block opened at a moment, in its last attempt where none is given."""
        since = (opening or block.opened[-1]).order
        later = [moment.order for moment in block.opened if moment.order > since]
        end = block.ended.order if block.ended is not None else math.inf
        until = min([*later, end])
        return [
            branch
            for branch in self.branches
            if since < branch.began.order < until and parent_of(branch.path) == block.path
        ]


def _is_under_way(part: Execution | Branch, order: int) -> bool:
    return part.began.order < order and (part.ended is None or order < part.ended.order)
