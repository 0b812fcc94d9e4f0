"""Owns how large and how deep a document may be."""

from __future__ import annotations

from ..types.deferred import dataclass


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """``size`` in characters of the whole document, ``depth`` in levels of elements.

    Beyond some 250 levels the interpreter's recursion limit must be raised too; a document that goes past
    it is a problem (``too-deep``), not an error.

    Plain data: cancellation means nothing to it.
    """

    size: int = 64 * 1024 * 1024
    depth: int = 100
