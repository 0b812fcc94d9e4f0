"""Owns what is known about the beginning and the end of a body that something follows however it ended."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

import trio

from ...scheduler.raised import is_cancelled
from .entries import Begun, BodyEnded
from .recorder import Recorder

T = TypeVar("T")


async def until_over(recorder: Recorder, key: str, nodes: Awaitable[T]) -> T:
    """Run the nodes of a body, and write that it is over before the clean-up at ``key`` begins.

    One that an earlier process saw to its end, and that was not cancelled, comes to it again whatever is cancelled
    around it now. Cancellation of another one passes through.
    """
    known = recorder.past.bodies.get(key)
    try:
        if known is not None and not known.raised:
            return await recorder.restoring.as_it_was(nodes, known.cancelled)
        done = await nodes
    except trio.Cancelled:
        note_over(recorder, key, raised=True)
        raise
    note_over(recorder, key, raised=False)
    return done


def note_begun(recorder: Recorder, path: str) -> None:
    """What owes something however it ends has begun: that is known to whoever finds it cancelled."""
    if not recorder.past.has(path):
        recorder.journal.write(Begun(path))


def note_over(recorder: Recorder, key: str, raised: bool) -> None:
    """A body is over, and what follows it however it ended begins. ``raised``: ``Cancelled`` has ended it."""
    if key not in recorder.past.bodies:
        recorder.journal.write(BodyEnded(key, raised, is_cancelled()))
