"""Owns how an error surfaces: untouched, with notes, and with the structured record that hangs on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

import trio

from ..types.ast import BaseNode
from ..types.location import Location
from ..types.results import NodeResult
from .record import Record

_ATTRIBUTE = "__flowscript_failure__"


@dataclass(frozen=True, slots=True, eq=False)
class Failure:
    """The structured record of the error that a run raised.

    ``node`` is the id or label of the node that raised it, ``path`` its path in the run and ``location``
    its place in the document; ``branch`` the path of the branch or iteration it stood in, or None.
    ``others`` are the executions that failed with another error, ``cancelled`` those that were cancelled,
    both in order of time. ``record`` is the whole record of the run.
    """

    error: BaseException
    node: str | None
    path: str
    location: Location | None
    branch: str | None
    attempts: int
    others: tuple[NodeResult, ...]
    cancelled: tuple[NodeResult, ...]
    record: Record


def failure_of(exc: BaseException) -> Failure | None:
    """The record of the failure that a run raised as ``exc``, or None if no run did.

    It waits for nothing, so cancellation does nothing to it. A cancellation has no such record: it is no
    failure.
    """
    found = vars(exc).get(_ATTRIBUTE)
    return found if isinstance(found, Failure) else None


def attach_failure(error: BaseException, record: Record) -> None:
    """Hang the structured record on the error that a run is about to raise."""
    failures = record.failures
    origin = next((result for result in failures if result.error is error), None)
    vars(error)[_ATTRIBUTE] = Failure(
        error=error,
        node=None if origin is None else origin.label,
        path="" if origin is None else origin.path,
        location=None if origin is None else origin.location,
        branch=None if origin is None else branch_of(origin.path),
        attempts=1 if origin is None else origin.attempts,
        others=tuple(result for result in failures if result.error is not error),
        cancelled=tuple(record.cancelled),
        record=record,
    )


def note_node(error: BaseException, node: BaseNode, path: str) -> None:
    """Say on the error which node failed, where it stands, and in which branch; said once."""
    branch = branch_of(path)
    where = "" if branch is None else f" (in {branch})"
    _note(error, f"flowscript: node {node.label!r} at {node.location} failed{where}")


def note_block(error: BaseException, path: str, failed: int, cancelled: int, idle: int) -> None:
    """Say on the error what became of the other branches of the block that it ended."""
    parts = []
    if failed:
        parts.append(f"{failed} other {'branch' if failed == 1 else 'branches'} failed")
    if cancelled:
        parts.append(f"{cancelled} {_branches(cancelled)} cancelled")
    if idle:
        parts.append(f"{idle} {_branches(idle)} not started")
    if parts:
        _note(error, f"flowscript: in {path}: " + ", ".join(parts))


def raise_untouched(error: BaseException, traceback: object) -> NoReturn:
    """Raise ``error`` with the traceback, cause and context that it had when it left its node.

    Raising sets the context anew where the caller is handling an exception; it is put back (as trio does
    for the exceptions of a nursery).
    """
    context = error.__context__
    try:
        raise error.with_traceback(traceback)  # type: ignore[arg-type]
    finally:
        error.__context__ = context
        del error, context, traceback


def masked_by(cancelled: BaseException, known: BaseException | None) -> tuple[BaseException, ...]:
    """Errors that only the context of a ``Cancelled`` shows: a checkpoint in clean-up replaced them.

    ``known`` is what the caller of the run was handling, where the chain ends. ``trio.WouldBlock`` is
    how trio waits, and no error.
    """
    found: list[BaseException] = []
    seen: set[int] = set()
    error = cancelled.__context__
    while error is not None and error is not known and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, Exception) and not isinstance(error, trio.WouldBlock):
            found.append(error)
        error = error.__context__
    return tuple(found)


def error_in(group: BaseExceptionGroup) -> BaseException | None:
    """The error in a group that a node raised: without ``Cancelled``; bare if an interrupt is in it."""
    rest = group.split(trio.Cancelled)[1]
    if rest is None or isinstance(rest, Exception):
        return rest
    interrupt: BaseException = rest
    while isinstance(interrupt, BaseExceptionGroup):
        interrupt = next(e for e in interrupt.exceptions if not isinstance(e, Exception))
    return interrupt


def branch_of(path: str) -> str | None:
    """The path of the innermost branch, iteration or round that a node stands in, or None.

    Those end in a number (``fetch-all/1``, ``each[3]``), which no id does begin with.
    """
    parts = path.split("/")[:-1]
    while parts and not parts[-1].isdigit() and not parts[-1].endswith("]"):
        parts.pop()
    return "/".join(parts) or None


def _branches(count: int) -> str:
    return "branch was" if count == 1 else "branches were"


def _note(error: BaseException, note: str) -> None:
    if note not in getattr(error, "__notes__", ()):
        error.add_note(note)
