"""Owns what of a body cannot come back from its worker: it stays there, and what stands for it says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from ..types.errors import CannotTravel
from ..types.events import AttemptStarted, Event, NodeEnded
from ..types.results import BranchResult, NodeMark, NodeResult
from ..types.stayed import Stayed, StayedMark
from .jobs import BodyReply
from .packing import comes_back, pack, summary, unpack, unpack_reply

T = TypeVar("T")


class _Sent:
    """Stands in a reply for a value of somebody else's class, which is known where the run is, or has stayed."""

    __slots__ = ("_data", "_kind", "_worker")

    def __init__(self, data: bytes, kind: str, worker: str) -> None:
        self._data = data
        self._kind = kind
        self._worker = worker

    def __reduce__(self) -> Any:
        return _arrive, (self._data, self._kind, self._worker)


def _arrive(data: bytes, kind: str, worker: str) -> Any:
    """The value, where the run is; else what stands for it."""
    try:
        return unpack(data)
    except Exception as exc:
        why = f"{kind} cannot be read where the run is ({summary(exc)})"
        return Stayed(kind, worker, why)


def mark_of(name: str, found: NodeResult | NodeMark) -> Any:
    """What is seen of a node that ended on a worker."""
    output = found.output
    return StayedMark(name, output, found) if isinstance(output, Stayed) else found


def what_stayed(reply: BodyReply, path: str) -> CannotTravel | None:
    """The error of a body whose own output has not come back; None where it has."""
    given = reply.output
    if not isinstance(given, Stayed):
        return None
    return CannotTravel(f"what {path!r} gave stayed on {given.worker}: {given.why}")


def leave_there(reply: BodyReply) -> BodyReply:
    """The reply without the values that cannot cross.

    Those of somebody else's class cross each by itself: one that is not known where the run is holds up none.
    """
    staying = _Staying(reply.worker)
    return replace(
        reply,
        output=staying.own_output(reply.output),
        origin=None if reply.origin is None else staying.result(reply.origin),
        executed=tuple(
            replace(each, result=staying.result(each.result)) for each in reply.executed
        ),
        results={name: staying.mark(found) for name, found in reply.results.items()},
        events=tuple((staying.event(event), key) for event, key in reply.events),
    )


class _Staying:
    """Replaces each value and each result once, so that what was one stays one."""

    def __init__(self, worker: str) -> None:
        self._worker = worker
        self._made: dict[int, tuple[Any, Any]] = {}

    def result(self, result: NodeResult) -> NodeResult:
        return self._once(result, self._result)

    def mark(self, found: NodeResult | NodeMark) -> NodeResult | NodeMark:
        return self.result(found) if isinstance(found, NodeResult) else found

    def event(self, event: Event) -> Event:
        if isinstance(event, AttemptStarted):
            return replace(event, input=self._value(event.input))
        if isinstance(event, NodeEnded):
            return replace(event, result=self.result(event.result))
        return event

    def _result(self, result: NodeResult) -> NodeResult:
        branches = tuple(map(self._branch, result.branches))
        return replace(result, output=self._value(result.output), branches=branches)

    def _branch(self, branch: BranchResult) -> BranchResult:
        return replace(branch, item=self._value(branch.item))

    def own_output(self, value: Any) -> Any:
        """The output of the body itself; where it stays, it says which part of it does not cross."""
        left = self._value(value)
        if isinstance(left, Stayed):
            try:
                unpack_reply(pack(value, "the output"), "the output")
            except CannotTravel as exc:
                return replace(left, why=str(exc))
        return left

    def _value(self, value: Any) -> Any:
        return self._once(value, self._or_stayed)

    def _or_stayed(self, value: Any) -> Any:
        kind = f"a {type(value).__name__}"
        found = comes_back(value)
        if found is None:
            return Stayed(kind, self._worker, f"{kind} cannot travel to another process")
        return value if found.is_ours else _Sent(found.data, kind, self._worker)

    def _once(self, given: T, make: Callable[[T], T]) -> T:
        found = self._made.get(id(given))
        if found is None:
            found = self._made[id(given)] = (given, make(given))
        made: T = found[1]
        return made
