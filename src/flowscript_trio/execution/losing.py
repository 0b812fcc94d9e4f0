"""Owns what becomes of a body that was lost with its worker, or never got there: no node of it failed."""

from __future__ import annotations

import trio

from ..program.compiled import CompiledBody
from ..scheduler.signals import Failed
from ..types.paths import PLACE, owner_of, part_path
from ..types.results import NodeResult
from .frame import Frame
from .marks import note
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
    now = trio.current_time()
    own = part_path(path, PLACE)
    result = NodeResult(None, "place", own, "failed", None, now, 0.0, body.location, error)
    result.worker = worker
    run.record.add(id(body), "place", result, inner=False)
    return Failed(error, result)
