"""Owns what is known about how a body ended, where what follows it however it ended had begun already."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

import trio

from ...scheduler.raised import is_cancelled
from .entries import BodyEnded
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


def note_over(recorder: Recorder, key: str, raised: bool) -> None:
    """A body is over, and what follows it however it ended begins. ``raised``: ``Cancelled`` has ended it."""
    if key not in recorder.past.bodies:
        recorder.journal.write(BodyEnded(key, raised, is_cancelled()))
