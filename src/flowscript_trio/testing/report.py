"""Owns what a proof comes to: how much was tried, what was violated where, and how people read it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from .points import Point


@dataclass(frozen=True, slots=True)
class Violation:
    """A promise that did not hold: its name, what happened, and the points and the seed that show it again."""

    promise: str
    message: str
    points: tuple[Point, ...]
    seed: int

    def __str__(self) -> str:
        where = " and ".join(map(str, self.points)) or "undisturbed"
        return f"{self.promise}: {self.message}\n    with {where} (seed {self.seed})"


@dataclass(frozen=True, slots=True)
class Report:
    """``points`` were tried in ``runs`` runs; ``violations`` each with the smallest points that show it."""

    points: int
    runs: int
    violations: tuple[Violation, ...]
    tried: tuple[tuple[str, int], ...]
    """How many points of each kind."""
    seed: int

    @property
    def holds(self) -> bool:
        return not self.violations

    def render(self) -> str:
        """A table for people."""
        lines = [f"{kind:<28}{count:>8}" for kind, count in self.tried]
        lines.append(f"{'points':<28}{self.points:>8}")
        lines.append(f"{'runs':<28}{self.runs:>8}")
        lines.append(f"{'violations':<28}{len(self.violations):>8}")
        if self.violations:
            lines += ["", *map(str, self.violations)]
        return "\n".join(lines)


def count_kinds(trials: Sequence[tuple[Point, ...]]) -> tuple[tuple[str, int], ...]:
    """How many of each kind of points, for the table."""
    names = {"CancelAt": "cancellations", "DeadlineAt": "deadlines", "RaiseAt": "errors"}
    counts = Counter(
        " and ".join(sorted(names[type(point).__name__] for point in points)) or "undisturbed"
        for points in trials
    )
    return tuple(sorted(counts.items()))
