"""Owns what becomes of a body of which nothing comes back: lost with its worker, cut off, or never there."""

from __future__ import annotations

import trio

from ..program.compiled import CompiledBody
from ..scheduler.signals import Failed
from ..types.paths import PLACE, owner_of, part_path
from ..types.results import NodeResult, NodeStatus
from .frame import Frame
from .marks import note
from .regions import cause_of
from .walk import Walk


def lose_body(
    walk: Walk, body: CompiledBody, frame: Frame, error: BaseException, worker: str | None = None
) -> Failed:
    """Put on the record that a body could not run at its place, or not to its end; the error of its branch."""
    run, path = walk.run, owner_of(frame.prefix)
    error = run.masked(error)
    note(
        error,
        run.record.number,
        f"flowscript: {path} at {body.location} was to run at {body.place!r}",
    )
    result = _result(body, path, "failed", trio.current_time())
    result.error = error
    result.worker = worker
    run.record.add(id(body), "place", result, inner=False)
    return Failed(error, result)


def cut_body(
    walk: Walk, body: CompiledBody, frame: Frame, cancelled: trio.Cancelled, began: float
) -> None:
    """Put on the record that a body was cancelled at its place, and in what worker: killed, or given up.

    ``began`` is when it was sent. Nothing where it never began there.
    """
    run, path = walk.run, owner_of(frame.prefix)
    at = run.ran_at.get(path)
    if at is None:
        return
    result = _result(body, path, "cancelled", began)
    result.cancelled_by = cause_of(frame.region, cancelled)
    result.worker, result.outlived = at.worker, at.outlived
    run.record.add(id(body), "place", result, inner=False)


def _result(body: CompiledBody, path: str, status: NodeStatus, began: float) -> NodeResult:
    seconds = trio.current_time() - began
    own = part_path(path, PLACE)
    return NodeResult(None, "place", own, status, None, began, seconds, body.location)
