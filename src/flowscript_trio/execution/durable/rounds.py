"""Owns the nodes and rounds that had ended in an earlier process since others followed them."""

from __future__ import annotations

from trio.lowlevel import cancel_shielded_checkpoint

from ...program.compiled import CompiledBody
from ...scheduler.signals import Signal
from ..frame import Frame
from ..walk import Walk
from .past import Past
from .recorder import Recorder


async def run_restored_round(
    walk: Walk, recorder: Recorder, body: CompiledBody, frame: Frame
) -> Signal | None:
    """A round after which another one was begun: it ends again, whatever is cancelled around it now."""
    signal = await recorder.restoring.as_it_was(walk.run_body(body, frame))
    await cancel_shielded_checkpoint()
    return signal


def count_followed(past: Past, body: CompiledBody, prefix: str) -> int:
    """Of the nodes of a sequence, how many had ended, since a later one had begun."""
    for at in range(len(body.steps) - 1, -1, -1):
        if past.has(f"{prefix}{body.steps[at].label}"):
            return at
    return 0
