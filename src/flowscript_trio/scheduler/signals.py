"""Owns the signals that come back from jobs and bodies as values, never as exceptions."""

from __future__ import annotations

from typing import Any

from ..types.deferred import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Failed:
    """A job or body failed with this very error, which has not been raised again since it was caught.

    ``origin`` is what whoever made the signal knows of where the error left, None where it is not known yet.
    """

    error: BaseException
    origin: Any = None


@dataclass(frozen=True, slots=True)
class Break:
    """Leave the loop of that id, or with None the nearest one."""

    loop: str | None = None


@dataclass(frozen=True, slots=True)
class Goto:
    """Go on at the node of that id in the same body, passing over those between."""

    target: str


@dataclass(frozen=True, slots=True, eq=False)
class Return:
    """End the document with that output, passing over all that follows."""

    output: Any


@dataclass(frozen=True, slots=True)
class BrokenOff:
    """A job was cancelled since one of a lower index broke out of its block."""


Signal = Failed | Break | Goto | Return
