"""Owns the warning that clean-up is still owed, which is given up since each process has died at it."""

from __future__ import annotations

from ...program.compiled import CompiledBody
from ...scheduler.signals import Failed
from ...types.durable import Interrupted
from ...types.exceptions import is_a
from ...types.looking import summary_of
from ...types.paths import label_of
from ..walk import Walk


def note_owed(walk: Walk, body: CompiledBody, path: str, failed: Failed) -> None:
    """Warn that a clean-up is still owed, where it ended since a node of it is not to be done again.

    No process does it by itself then: what killed them would go on doing so. A fork of the run at that node does.
    """
    if not is_a(failed.error, Interrupted):
        return
    origin = walk.run.record.origin_of(failed.error)
    where = "" if origin is None else f"; to do it all the same, fork the run at {origin.path!r}"
    label = label_of(path).removeprefix("@")
    said = f"<{label}> at {body.location} is still owed: {summary_of(failed.error)}{where}"
    walk.run.note_warning(path, said)
