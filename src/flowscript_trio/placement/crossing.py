"""Owns the record of a body on its way to the run: errors packed, times from its end, nodes by number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ..types.events import Event, NodeEnded
from ..types.results import BranchResult, Cancellation, NodeMark, NodeResult

Change = Callable[[Any], Any]


class Crossing:
    """Makes the same of each result, mark and event, each object once, so that what was one stays one.

    ``error`` is what becomes of an error, ``shift`` the seconds by which times move. What is said about a
    cancellation from outside is replaced by ``cause``, where that is given, and every result is marked with
    ``worker``.
    """

    def __init__(
        self,
        error: Change,
        shift: float,
        cause: Cancellation | None = None,
        worker: str | None = None,
    ) -> None:
        self._error = error
        self._shift = shift
        self._cause = cause
        self._worker = worker
        self._made: dict[
            int, tuple[Any, Any]
        ] = {}  # with what it was made of, so that its id stays taken

    def error(self, error: Any) -> Any:
        return None if error is None else self._once(error, self._error)

    def result(self, result: NodeResult) -> NodeResult:
        made: NodeResult = self._once(result, self._result)
        return made

    def mark(self, found: NodeResult | NodeMark) -> NodeResult | NodeMark:
        """The same of a result or of what stands for one."""
        if isinstance(found, NodeResult):
            return self.result(found)
        return found if found.error is None else replace(found, error=self.error(found.error))

    def cancellation(self, found: Cancellation | None) -> Cancellation | None:
        if found is None:
            return None
        if found.by is None and self._cause is not None:
            return self._cause
        return replace(found, requested=found.requested + self._shift)

    def event(self, event: Event) -> Event:
        """The same of an event; its node stays what it is."""
        changed: dict[str, Any] = {"time": event.time + self._shift}
        if hasattr(event, "error"):
            changed["error"] = self.error(event.error)
        if isinstance(event, NodeEnded):
            changed["result"] = self.result(event.result)
            if event.delivered is not None:
                changed["delivered"] = event.delivered + self._shift
        for name in ("cancelled_by", "cancellation"):
            if hasattr(event, name):
                changed[name] = self.cancellation(getattr(event, name))
        return replace(event, **changed)

    def _result(self, result: NodeResult) -> NodeResult:
        return replace(
            result,
            started=result.started + self._shift,
            error=self.error(result.error),
            earlier=tuple(map(self.error, result.earlier)),
            possibly_masked=tuple(map(self.error, result.possibly_masked)),
            cancelled_by=self.cancellation(result.cancelled_by),
            branches=tuple(map(self._branch, result.branches)),
            worker=self._worker or result.worker,
        )

    def _branch(self, branch: BranchResult) -> BranchResult:
        cause = self.cancellation(branch.cancelled_by)
        return replace(branch, error=self.error(branch.error), cancelled_by=cause)

    def _once(self, given: Any, make: Change) -> Any:
        found = self._made.get(id(given))
        if found is None:
            found = self._made[id(given)] = (given, make(given))
        return found[1]
