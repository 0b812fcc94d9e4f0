"""Owns the noting of what the nodes of a run ask for: time limits, attempts, terms of blocks, variables."""

from __future__ import annotations

from typing import Any

from ...expression.scope import Scope
from ...runtimes.control import results
from ...types.ast import BaseNode
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
        retries = tuple(look(retry, scope) for retry in step.retry or ())
        self.attempts.append(Attempt(path, retries, now))
        if step.timeout is not None:
            self._limit(path, look(step.timeout, scope), now)

    def take(self, path: str, node: BaseNode, asked: Any, now: Moment) -> None:
        """Note what a control node's runtime asks for."""
        match asked:
            case results.ParallelResult() | results.ForeachResult():
                self.terms.append(Terms(path, node, asked, now))
            case results.TimeoutResult(duration=seconds):
                self._limit(path, seconds, now)
            case results.DocumentResult():
                self._limit(path, self._plan.seconds_of_document(node), now)
            case results.AssignResult(values=values):
                self.assigned.append(Assigned(path, dict(values), now))

    def _limit(self, path: str, seconds: float | None, now: Moment) -> None:
        if seconds is not None:
            self.limits.append(Limit(path, seconds, now))
