"""Owns paths: where a node, a branch or an iteration stands in a run."""

from __future__ import annotations

from collections.abc import Iterator

CLEANUPS = ("finally", "compensate", "on-workflow-error")
"""The parts of a path that say that a node belongs to clean-up."""


def is_below(path: str, above: str) -> bool:
    """Whether a path leads through ``above``; everything is below the run itself, whose path is empty."""
    return not above or path.startswith((f"{above}/", f"{above}["))


def is_within(path: str, region: str) -> bool:
    """Whether a path is that region or leads through it."""
    return path == region or is_below(path, region)


def levels_of(path: str) -> Iterator[str]:
    """The paths above a path, outermost first."""
    for at, character in enumerate(path):
        if character == "/" or (character == "[" and at):
            yield path[:at]


def is_cleanup(path: str, below: str = "") -> bool:
    """Whether a path below ``below`` leads through clean-up, which is shielded from what happens around it."""
    return any(part in CLEANUPS for part in path[len(below) :].split("/"))
