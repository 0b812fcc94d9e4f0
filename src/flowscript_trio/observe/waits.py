"""Owns what a node that runs is waiting for, as far as that is known: a token, its next attempt, a delay. Pure."""

from __future__ import annotations

from typing import Literal

from ..types.ast import BaseNode
from ..types.deferred import dataclass
from ..types.durations import parse_duration
from ..types.events import AttemptFailed, AttemptStarted, Event, TokenAwaited
from ..types.location import Text


@dataclass(frozen=True, slots=True)
class Wait:
    """A wait since ``since`` until ``until`` (seconds of trio's clock; None: nobody knows).

    ``attempt`` is the one that comes after a wait of the kind ``retry``, and else the one that the node is at.
    """

    kind: Literal["token", "retry", "delay"]
    since: float
    until: float | None
    attempt: int = 1
    awaited: str = ""
    """What it waits for where that is a token or a limit, for people."""

    def share(self, now: float) -> float | None:
        """How much of it has passed at ``now``, from 0 to 1; None where its end is not known."""
        if self.until is None:
            return None
        whole = self.until - self.since
        return 1.0 if whole <= 0 else min(max((now - self.since) / whole, 0.0), 1.0)

    def left(self, now: float) -> float | None:
        """How many seconds of it are left at ``now``; None where its end is not known."""
        return None if self.until is None else max(self.until - now, 0.0)


def wait_after(event: Event) -> Wait | None:
    """What the node of an event waits for from now on; None where it does not wait, or for what it does alone."""
    match event:
        case TokenAwaited(time=time, awaited=awaited):
            return Wait("token", time, None, awaited=awaited)
        case AttemptFailed(time=time, delay=delay, attempt=attempt):
            return Wait("retry", time, time + delay, attempt + 1)
        case AttemptStarted(time=time, node=node, attempt=attempt):
            seconds = _delay_of(node)
            return None if seconds is None else Wait("delay", time, time + seconds, attempt)
    return None


def _delay_of(node: BaseNode) -> float | None:
    """The seconds of a ``<delay>``, where the document says them."""
    duration = node.settings.get("duration") if node.type == "control:delay" else None
    if duration is None or not isinstance(duration.value, Text):
        return None
    try:
        return parse_duration(duration.value.value)
    except ValueError:  # it is computed
        return None
