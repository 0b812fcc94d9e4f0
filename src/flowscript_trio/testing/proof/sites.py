"""Owns the places of waits: where a task waits, and whether an interruption there cuts anything short."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath
from types import FrameType

import trio

from ...types.exceptions import is_a, traceback_of
from .chains import behind
from .remaining import leaves_out

_LIBRARIES = frozenset({"trio", "anyio", "sniffio", "outcome", "contextlib"})
_ENDS = frozenset(
    {
        "aclose",
        "aclose_forcefully",
        "__aexit__",
        "checkpoint",
        "checkpoint_if_cancelled",
        "cancel_shielded_checkpoint",
    }
)
"""What trio's own functions do when they are cancelled is done: they close by force, or have nothing to do."""


@dataclass(frozen=True, slots=True)
class WaitSite:
    """Where a task waits. ``called`` is the function of trio's (or of anyio's, say) that it waits in there."""

    function: str
    file: str
    line: int
    called: str

    @property
    def is_harmless(self) -> bool:
        """Whether ``Cancelled`` there cuts nothing short: what is awaited is done, and nothing follows it."""
        if self.called == "__aexit__":  # the line is that of a whole block
            return True
        return self.called in _ENDS and not leaves_out(self.file, self.line)

    def __str__(self) -> str:
        return f"{self.function} ({PurePath(self.file).name}, line {self.line})"


def site_of(frames: Iterable[tuple[FrameType, int]]) -> WaitSite | None:
    """The innermost place that is not in a library, of the frames of a task that waits, outermost first."""
    place: WaitSite | None = None
    for frame, line in frames:
        code = frame.f_code
        if not is_library(frame):
            place = WaitSite(code.co_qualname, code.co_filename, line, "")
        elif place is not None and not place.called:
            place = WaitSite(place.function, place.file, place.line, code.co_name)
    return place


def is_library(frame: FrameType) -> bool:
    """Whether a frame is one of trio's, or of what is on it."""
    return str(frame.f_globals.get("__name__", "")).partition(".")[0] in _LIBRARIES


def cuts_short(handed: BaseException, place: WaitSite | None) -> bool:
    """Whether a ``Cancelled`` that was handed to a task there interrupted clean-up outside of libraries."""
    if place is None or place.is_harmless:
        return False
    others = (found for found in behind(handed) if found is not handed)
    return any(
        is_a(found, (trio.Cancelled, GeneratorExit)) and not _is_caught_by_library(found)
        for found in others
    )


def _is_caught_by_library(error: BaseException) -> bool:
    traceback = traceback_of(error)
    return traceback is not None and is_library(traceback.tb_frame)


def has_cancelled_behind(error: BaseException) -> bool:
    """Whether an error groups, or came from, a ``Cancelled``."""
    return any(is_a(found, trio.Cancelled) for found in behind(error))


def follows_cancelled(handed: BaseException) -> bool:
    """Whether a ``Cancelled`` was handed to clean-up of another one, or of a generator that is closed."""
    others = (found for found in behind(handed) if found is not handed)
    return any(is_a(found, (trio.Cancelled, GeneratorExit)) for found in others)
