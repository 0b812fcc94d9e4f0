"""Owns what is kept and said of clean-up that is given up: it was too late, or each process died at it."""

from __future__ import annotations

from ...program.compiled import CompiledBody
from ...scheduler.signals import Failed
from ...types.durable import Interrupted
from ...types.exceptions import is_a
from ...types.looking import summary_of
from ...types.paths import label_of
from ..walk import Walk
from .entries import Late
from .recorder import Recorder


def note_late(recorder: Recorder, path: str, seconds: float) -> None:
    """A clean-up did not end in its time, ``seconds``; what follows it comes next."""
    recorder.journal.write(Late(path, 1, seconds))


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
