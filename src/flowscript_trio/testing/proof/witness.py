"""Owns what is seen of the processes of a durable run beside its journal: when things happen, in which pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ...types.events import BranchEnded, Event, NodeEnded


@dataclass(frozen=True, slots=True)
class Seen:
    """Something that a process did in that pass of its scheduler, at that time by the wall clock."""

    at: int
    time: float


@dataclass(frozen=True, slots=True)
class Cut:
    """The call of a runtime was cancelled by what is not a time limit; ``reasons`` are those on disk by then."""

    path: str
    reason: str | None
    reasons: frozenset[str]


@dataclass(eq=False)
class Witness:
    """What is seen of one process, which began at the time ``began``; its rows begin with the number ``first``."""

    began: float
    first: int
    calls: dict[tuple[str, int], Seen] = field(default_factory=dict)
    """When attempts of nodes called their runtimes."""
    nodes: dict[tuple[str, int], Seen] = field(default_factory=dict)
    """When nodes ended whose ends were not on record, by their last attempts."""
    branches: dict[str, Seen] = field(default_factory=dict)
    cuts: list[Cut] = field(default_factory=list)

    def observer(self, now: Callable[[], Seen]) -> Callable[[Event], None]:
        """What a run is given to see its ends."""

        def observe(event: Event) -> None:
            if isinstance(event, NodeEnded) and not event.replayed:
                if event.result.status != "cancelled":
                    self.nodes[event.path, event.result.attempts] = now()
            elif isinstance(event, BranchEnded) and event.status != "cancelled":
                self.branches[event.path] = now()

        return observe
