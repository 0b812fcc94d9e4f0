"""Owns telling who asks a program to end: a person, or code of a node that raises what ends programs."""

from __future__ import annotations

import trio

from ...scheduler.policy import INTERRUPTS
from ...types.exceptions import is_a, traceback_of
from ...types.looking import came_by_signal
from ...types.results import RunStatus
from .replacing import frames_of
from .sites import is_library


def ends_the_proof(raised: BaseException) -> bool:
    """Whether what a run raised is not to be judged as its end: a Ctrl-C or another signal, or a cancellation.

    A ``SystemExit`` or ``KeyboardInterrupt`` that code of a node raises itself ends its run and nothing else.
    """
    if is_a(raised, trio.Cancelled) or came_by_signal(raised):
        return True
    frames = frames_of(traceback_of(raised))
    return is_a(raised, KeyboardInterrupt) and bool(frames) and is_library(frames[-1])


def status_of_end(raised: BaseException) -> RunStatus:
    """How a run ended that raised this: what ends programs is not a failure."""
    return "cancelled" if is_a(raised, INTERRUPTS) else "failed"
