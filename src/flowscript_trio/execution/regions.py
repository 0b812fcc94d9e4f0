"""Owns who cancelled whom: the regions around a node that can be cancelled, innermost first."""

from __future__ import annotations

from math import nan

import trio

from ..types.exceptions import cause_of as given_cause_of
from ..types.exceptions import is_a, leaves_of, naming_the_signal
from ..types.results import Cancellation


class Region:
    """A part of a run that is cancelled as one: a block, an iteration, a timeout, or the run itself.

    ``scope`` is given where the region has a deadline; ``path`` is that of the node it belongs to.
    ``requested`` has the reasons of all cancellations that regions of the same root have requested.
    """

    __slots__ = ("cancellation", "is_second", "parent", "pass_number", "path", "requested", "scope")

    def __init__(
        self, parent: Region | None, path: str, scope: trio.CancelScope | None = None
    ) -> None:
        self.parent: Region | None = parent
        self.path: str = path
        self.scope: trio.CancelScope | None = scope
        self.cancellation: Cancellation | None = None
        self.is_second: bool = False  # something around it was cancelled before it was
        self.pass_number: int = 0
        self.requested: set[str] = set() if parent is None else parent.requested

    def cancel(self, cancellation: Cancellation, pass_number: int, is_second: bool = False) -> None:
        """Note that this region's cancellation was requested in that pass of the scheduler.

        ``is_second``: something around the region was being cancelled already.
        """
        self.cancellation = cancellation
        self.is_second = is_second
        self.pass_number = pass_number
        self.requested.add(cancellation.reason)


def cause_of(region: Region | None, cancelled: trio.Cancelled) -> Cancellation:
    """Who requested the cancellation that ``cancelled`` delivered to a node in ``region``, and why.

    The reason on a ``Cancelled`` that trio made for a region of the run names it. Any other may be a fresh
    object (a task group of another library, a thread), or be for a nursery of the node's own that was
    cancelled in the same pass; then the regions themselves say which of them was cancelled first.
    """
    named = _named_by(cancelled, region)
    if named is not None:
        return named
    cancelled = _delivered(cancelled)
    requested = set() if region is None else region.requested
    expired: Region | None = None
    around: Cancellation | None = None
    while region is not None:
        known = region.cancellation
        if known is not None and known.reason == cancelled.reason:
            return known
        if known is not None and around is None and not region.is_second:
            around = known
        if (
            region.scope is not None
            and region.scope.cancel_called
            and (around is None or _deadline(region) < around.requested)
            and (expired is None or _deadline(region) <= _deadline(expired))
        ):
            expired = region
        region = region.parent
    late = cancelled.source == "deadline"
    from_inside = late or cancelled.reason in requested
    if around is not None and expired is not None and around.requested < _deadline(expired):
        expired = None
    if expired is not None and (
        from_inside or cancelled.source == "unknown" or _deadline(expired) == trio.current_time()
    ):
        return Cancellation(
            expired.path, f"{expired.path or 'the run'} timed out", _deadline(expired)
        )
    if around is not None:
        return around
    said = cancelled.reason or (None if cancelled.source == "unknown" else cancelled.source)
    reason = "" if said is None or said in requested else f": {naming_the_signal(said)}"
    return Cancellation(None, f"cancelled from outside{reason}", nan)


def _named_by(cancelled: trio.Cancelled, region: Region | None) -> Cancellation | None:
    """What the innermost region has requested, where the reason on a ``Cancelled`` is its own.

    That is so for all but a few, and a block cancels thousands.
    """
    known = None if region is None else region.cancellation
    return known if known is not None and known.reason == cancelled.reason else None


def _delivered(cancelled: trio.Cancelled) -> trio.Cancelled:
    """The ``Cancelled`` that trio delivered where another library raised one of its own for it."""
    if cancelled.source != "unknown":
        return cancelled
    raised: BaseException | None = cancelled
    while is_a(raised, trio.Cancelled) and raised.source == "unknown":
        raised = given_cause_of(raised)
        if is_a(raised, BaseExceptionGroup):
            raised = next((e for e in leaves_of(raised) if is_a(e, trio.Cancelled)), None)
    return raised if is_a(raised, trio.Cancelled) else cancelled


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
