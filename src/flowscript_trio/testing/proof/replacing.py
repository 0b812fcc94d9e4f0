"""Owns what is in the place of ``Cancelled``: errors, groups as well, that the code which caught it raised."""

from __future__ import annotations

from types import FrameType, TracebackType

import trio

from ...types.exceptions import cause_of, context_of, groups_of, is_a, leaves_of, traceback_of
from .chains import behind
from .sites import is_library


def replacement_in(raised: BaseException) -> BaseException | None:
    """Of what code of a node raised, the error that is in the place of ``Cancelled``: the outermost, or None.

    A group of a nursery holds the ``Cancelled`` of its tasks as trio makes it, and is in the place of nothing.
    """
    for error in (*reversed(groups_of(raised)), *leaves_of(raised)):
        if _replaces_cancelled(error):
            return error
    return None


def _replaces_cancelled(error: BaseException) -> bool:
    """Whether an error was raised in the place of ``Cancelled``, by the code that caught it.

    An error that clean-up comes to is another matter: it is raised in what is called there.
    """
    if _holds_cancelled(error):
        return False
    cause = cause_of(error)
    if cause is not None and _holds_cancelled(cause):
        return True
    frame = _last_frame(traceback_of(error))
    if frame is None or (is_a(error, BaseExceptionGroup) and is_library(frame)):
        return False
    context = context_of(error)
    if frame.f_code.co_name in ("__exit__", "__aexit__"):
        return context is not None and _holds_cancelled(context)
    caught = filter(_holds_cancelled, behind(context))
    return any(frame in frames_of(traceback_of(each)) for each in caught)


def _holds_cancelled(error: BaseException) -> bool:
    """Whether it is a ``Cancelled``, or a group with one in it."""
    return any(is_a(leaf, trio.Cancelled) for leaf in leaves_of(error))


def _last_frame(traceback: TracebackType | None) -> FrameType | None:
    frames = frames_of(traceback)
    return frames[-1] if frames else None


def frames_of(traceback: TracebackType | None) -> list[FrameType]:
    """The frames of a traceback, outermost first."""
    found: list[FrameType] = []
    while traceback is not None:
        found.append(traceback.tb_frame)
        traceback = traceback.tb_next
    return found
