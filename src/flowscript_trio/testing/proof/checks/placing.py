"""Owns the promises of places: a node that runs elsewhere is as near to its run's cancellations as any other."""

from __future__ import annotations

from collections.abc import Iterator

from ..story import Story
from .finding import Finding


def cancellations_reach_places(story: Story) -> Iterator[Finding]:
    """Nothing between a run and what it has elsewhere keeps a cancellation from being delivered."""
    for path in sorted(story.trial.probe.out_of_reach):
        yield Finding(
            path, f"{path} was called at its place where no cancellation of the run reaches it"
        )
