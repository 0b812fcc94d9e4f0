"""Owns the noting of what the nodes of a run ask for: time limits, attempts, terms of blocks, variables."""

from __future__ import annotations

from typing import Any

from ...expression.scope import Scope
from ...runtimes.control import results
from ...types.ast import BaseNode
from ...types.paths import ON_TIMEOUT, attempt_path, part_path
from .calls import Moment
from .plan import Plan
from .terms import Assigned, Attempt, Limit, Terms


class Notes:
    """What was asked for in one run, in order."""

    def __init__(self, plan: Plan) -> None:
        self.limits: list[Limit] = []
        self.terms: list[Terms] = []
        self.attempts: list[Attempt] = []
        self.assigned: list[Assigned] = []
        self._plan = plan

    def begin_run(self, now: Moment) -> None:
        seconds = self._plan.seconds_of_run
        if seconds is not None:
            self.limits.append(Limit("", seconds, now))

    def begin_attempt(self, path: str, node: BaseNode, scope: Scope, now: Moment) -> None:
        """A node's runtime is about to be called."""
        step, look = self._plan.step(node), self._plan.look
        retry = None if step.retry is None else look(step.retry, scope)
        self.attempts.append(Attempt(path, retry, now))
        if step.timeout is not None:
            self._limit(path, node, look(step.timeout, scope), now)

    def take(self, path: str, node: BaseNode, asked: Any, now: Moment) -> None:
        """Note what a control node's runtime asks for."""
        match asked:
            case results.ParallelResult() | results.ForeachResult():
                self.terms.append(Terms(path, node, asked, now))
            case results.TimeoutResult(duration=seconds):
                self._limit(path, node, seconds, now)
            case results.DocumentResult():
                self._limit(path, node, self._plan.seconds_of_document(node), now)
            case results.AssignResult(values=values):
                self.assigned.append(Assigned(path, dict(values), now))

    def _limit(self, path: str, node: BaseNode, seconds: float | None, now: Moment) -> None:
        if seconds is None:
            return
        step = self._plan.step(node)
        attempt = sum(1 for attempt in self.attempts if attempt.path == path)
        outside = {part_path(attempt_path(path, attempt), ON_TIMEOUT)}
        if step.fallback is not None:
            outside.add(part_path(path, step.fallback.label))
        self.limits.append(Limit(path, seconds, now, frozenset(outside)))
