"""Owns who cancelled whom: the regions around a node that can be cancelled, innermost first."""

from __future__ import annotations

from math import nan

import trio

from ..types.results import Cancellation


class Region:
    """A part of a run that is cancelled as one: a block, an iteration, a timeout, or the run itself.

    ``scope`` is given where the region has a deadline; ``path`` is that of the node it belongs to.
    """

    __slots__ = ("cancellation", "parent", "pass_number", "path", "scope")

    def __init__(
        self, parent: Region | None, path: str, scope: trio.CancelScope | None = None
    ) -> None:
        self.parent = parent
        self.path = path
        self.scope = scope
        self.cancellation: Cancellation | None = None
        self.pass_number = 0

    def cancel(self, cancellation: Cancellation, pass_number: int) -> None:
        """Note that this region's cancellation was requested in that pass of the scheduler."""
        self.cancellation = cancellation
        self.pass_number = pass_number


def cause_of(region: Region | None, cancelled: trio.Cancelled) -> Cancellation:
    """Who requested the cancellation that ``cancelled`` delivered to a node in ``region``, and why."""
    expired: Region | None = None
    while region is not None:
        known = region.cancellation
        if known is not None and known.reason == cancelled.reason:
            return known
        if (
            cancelled.source == "deadline"
            and region.scope is not None
            and region.scope.cancel_called
            and (expired is None or _deadline(region) <= _deadline(expired))
        ):
            expired = region
        region = region.parent
    if expired is not None:
        return Cancellation(
            expired.path, f"{expired.path or 'the run'} timed out", _deadline(expired)
        )
    reason = cancelled.reason or cancelled.source
    return Cancellation(None, f"cancelled from outside: {reason}", nan)


def outlived(region: Region | None, now: int) -> bool:
    """Whether a cancellation of a region around a node was requested two or more passes before ``now``."""
    while region is not None:
        if region.cancellation is not None and region.pass_number <= now - 2:
            return True
        region = region.parent
    return False


def _deadline(region: Region) -> float:
    assert region.scope is not None
    return region.scope.deadline
