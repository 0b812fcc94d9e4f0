"""Owns what the frames of an error hold: locals, which debuggers and error trackers would show."""

from __future__ import annotations

import sys
from contextlib import suppress
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR
from pathlib import Path
from types import FrameType, TracebackType

_SUSPENDS = CO_COROUTINE | CO_GENERATOR | CO_ASYNC_GENERATOR
_OURS = str(Path(__file__).parent.parent)
_REFUSES = sys.version_info >= (3, 13)
"""Whether Python refuses to clear a frame that only waits; before, that ends what waits."""


def forget_locals(traceback: TracebackType | None) -> None:
    """Drop the local variables of the frames of a traceback that have ended; its lines stay.

    Frames that still run are left alone. Before Python 3.13 so is every coroutine and generator that is not ours:
    another task may have raised the same error and not have ended.
    """
    while traceback is not None:
        frame = traceback.tb_frame
        if _REFUSES or _ends_with_its_error(frame):
            with suppress(RuntimeError):  # it still runs
                frame.clear()
        traceback = traceback.tb_next


def _ends_with_its_error(frame: FrameType) -> bool:
    code = frame.f_code
    return not code.co_flags & _SUSPENDS or code.co_filename.startswith(_OURS)
