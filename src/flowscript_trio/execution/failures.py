"""Owns how an error surfaces: untouched, with notes, and with the structured record that hangs on it."""

from __future__ import annotations

from typing import NoReturn

import trio

from ..types.ast import BaseNode
from ..types.deferred import dataclass
from ..types.exceptions import context_of, is_a, set_context, traceback_of
from ..types.location import Location
from ..types.looking import summary_of
from ..types.paths import branch_of, is_below
from ..types.results import NodeResult
from .marks import get_failure, note, notes_of, set_failure
from .record import Record


@dataclass(frozen=True, slots=True, eq=False)
class Failure:
    """The structured record of the error that a run raised.

    ``node`` is the id or label of the node that raised it, ``path`` its path in the run and ``location``
    its place in the document; ``branch`` the path of the branch or iteration it was in, or None.
    ``others`` are the executions that failed with another error, ``cancelled`` those that were cancelled,
    both in order of time. ``notes`` is what the run had to say of the error, whether or not it could be written
    on the object. ``record`` is the whole record of the run.
    """

    error: BaseException
    node: str | None
    path: str
    location: Location | None
    branch: str | None
    attempts: int
    others: tuple[NodeResult, ...]
    cancelled: tuple[NodeResult, ...]
    notes: tuple[str, ...]
    record: Record


def failure_of(exc: BaseException) -> Failure | None:
    """The record of the failure that a run raised as ``exc``, or None if no run did.

    It waits for nothing, so cancellation does nothing to it. A cancellation has no such record: it is not a
    failure.
    """
    found = get_failure(exc)
    return found if isinstance(found, Failure) else None


def attach_failure(
    error: BaseException, record: Record, origin: NodeResult | None = None, path: str = ""
) -> None:
    """Hang the structured record on the error that a run is about to raise.

    ``origin`` is the execution that it left first, where that is known; ``path`` stands for it where no node
    raised the error.
    """
    failures = record.failures
    if origin is None:
        origin = record.origin_of(error)
    failure = Failure(
        error=error,
        node=None if origin is None else origin.label,
        path=path if origin is None else origin.path,
        location=None if origin is None else origin.location,
        branch=None if origin is None else branch_of(origin.path),
        attempts=1 if origin is None else origin.attempts,
        others=tuple(result for result in failures if not _passed_on(result, error, origin)),
        cancelled=tuple(record.cancelled),
        notes=notes_of(error, record.number),
        record=record,
    )
    set_failure(error, record.number, failure)


def _passed_on(result: NodeResult, error: BaseException, origin: NodeResult | None) -> bool:
    """Whether an execution failed only since the error passed through it on its way up."""
    if result.error is not error:
        return False
    return origin is None or result is origin or is_below(origin.path, result.path)


def note_node(error: BaseException, run: int, node: BaseNode, path: str) -> None:
    """Say on the error which node failed, where it is, and in which branch; said once."""
    branch = branch_of(path)
    where = "" if branch is None else f" (in {branch})"
    note(error, run, f"flowscript: node {node.label!r} at {node.location} failed{where}")


def note_first(error: BaseException, run: int, first: BaseException, label: str) -> None:
    """Say on the error of a handler which error it was to stand in for."""
    said = summary_of(first)
    note(
        error, run, f"flowscript: it ran as the fallback of {label!r}, which had failed with {said}"
    )


def note_block(
    error: BaseException, run: int, path: str, failed: int, cancelled: int, idle: int
) -> None:
    """Say on the error what became of the other branches of the block that it ended."""
    parts = []
    if failed:
        parts.append(f"{failed} other {'branch' if failed == 1 else 'branches'} failed")
    if cancelled:
        parts.append(f"{cancelled} {_branches(cancelled)} cancelled")
    if idle:
        parts.append(f"{idle} {_branches(idle)} not started")
    if parts:
        note(error, run, f"flowscript: in {path}: " + ", ".join(parts))


def raise_untouched(error: BaseException) -> NoReturn:
    """Raise ``error`` with the traceback, cause and context that it had when it left its node.

    Raising sets the context again where the caller is handling an exception; it is put back (as trio does
    for the exceptions of a nursery).
    """
    context = context_of(error)
    try:
        raise BaseException.with_traceback(error, traceback_of(error))
    finally:
        set_context(error, context)
        del error, context


def masked_by(cancelled: BaseException, known: BaseException | None) -> tuple[BaseException, ...]:
    """Errors that only the context of a ``Cancelled`` shows: a checkpoint in clean-up replaced them.

    ``known`` is what the caller of the run was handling, where the chain ends. ``trio.WouldBlock`` is
    how trio waits, and no error.
    """
    found: list[BaseException] = []
    seen: set[int] = set()
    error = context_of(cancelled)
    while error is not None and error is not known and id(error) not in seen:
        seen.add(id(error))
        if is_a(error, Exception) and not is_a(error, trio.WouldBlock):
            found.append(error)
        error = context_of(error)
    return tuple(found)


def _branches(count: int) -> str:
    return "branch was" if count == 1 else "branches were"
