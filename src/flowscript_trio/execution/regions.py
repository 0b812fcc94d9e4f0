"""Owns who cancelled whom: the regions around a node that can be cancelled, innermost first."""

from __future__ import annotations

from math import nan

import trio

from ..types.results import Cancellation


class Region:
    """A part of a run that is cancelled as one: a block, an iteration, a timeout, or the run itself.

    ``scope`` is given where the region has a deadline; ``path`` is that of the node it belongs to.
    ``requested`` has the reasons of all cancellations that regions of the same root have requested.
    """

    __slots__ = ("cancellation", "parent", "pass_number", "path", "requested", "scope")

    def __init__(
        self, parent: Region | None, path: str, scope: trio.CancelScope | None = None
    ) -> None:
        self.parent: Region | None = parent
        self.path: str = path
        self.scope: trio.CancelScope | None = scope
        self.cancellation: Cancellation | None = None
        self.pass_number: int = 0
        self.requested: set[str] = set() if parent is None else parent.requested

    def cancel(self, cancellation: Cancellation, pass_number: int) -> None:
        """Note that this region's cancellation was requested in that pass of the scheduler."""
        self.cancellation = cancellation
        self.pass_number = pass_number
        self.requested.add(cancellation.reason)


def cause_of(region: Region | None, cancelled: trio.Cancelled) -> Cancellation:
    """Who requested the cancellation that ``cancelled`` delivered to a node in ``region``, and why.

    A block that was cancelled while it cancelled what was in it is left by ``Cancelled`` with the reason of
    the first: that is no region's around the block, and the innermost of those that are cancelled stands. So
    it is with a runtime that was cancelled while it cancelled a nursery of its own.
    """
    requested = set() if region is None else region.requested
    expired: Region | None = None
    around: Cancellation | None = None
    while region is not None:
        known = region.cancellation
        if known is not None and known.reason == cancelled.reason:
            return known
        around = around or known
        if (
            region.scope is not None
            and region.scope.cancel_called
            and (expired is None or _deadline(region) <= _deadline(expired))
        ):
            expired = region
        region = region.parent
    late = cancelled.source == "deadline"
    from_inside = late or cancelled.reason in requested
    if expired is not None and (late or (from_inside and around is None)):
        return Cancellation(
            expired.path, f"{expired.path or 'the run'} timed out", _deadline(expired)
        )
    if around is not None and (from_inside or _is_of_this_task(cancelled)):
        return around
    reason = "" if cancelled.reason in requested else f": {cancelled.reason or cancelled.source}"
    return Cancellation(None, f"cancelled from outside{reason}", nan)


def _is_of_this_task(cancelled: trio.Cancelled) -> bool:
    """Whether this task requested the cancellation itself."""
    return cancelled.source_task == repr(trio.lowlevel.current_task())


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
