"""Owns what a proof comes to: how much was tried, what was violated where, and how people read it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .points import KINDS, Points


@dataclass(frozen=True, slots=True)
class Violation:
    """A promise that did not hold.

    ``promise`` is its name, ``subject`` the node, block or runtime that it is about, ``message`` what happened
    and what to do. ``points`` are the fewest and earliest that show it, together with ``seed``; none: the run
    shows it undisturbed. ``runs`` counts the runs that showed it.

    Plain data: cancellation means nothing to it.
    """

    promise: str
    subject: str
    message: str
    points: Points
    seed: int
    runs: int = 1

    def __str__(self) -> str:
        where = " and ".join(map(str, self.points)) or "nothing done to it"
        more = f", and in {self.runs - 1} other runs" if self.runs > 1 else ""
        return f"{self.promise}: {self.message}\n    with {where} (seed {self.seed}){more}"

    def as_dict(self) -> dict[str, Any]:
        """The violation for tools, ready for JSON."""
        points = [{"kind": type(point).__name__, **asdict(point)} for point in self.points]
        return {
            "promise": self.promise,
            "subject": self.subject,
            "message": self.message,
            "points": points,
            "seed": self.seed,
            "runs": self.runs,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """What a proof came to.

    ``points`` is how many points and pairs of points were tried, in ``runs`` runs; ``tried`` how many of each
    kind; ``sampled`` how many more there would have been; ``violations`` one for each promise and subject.
    ``undisturbed`` is how the run ended with nothing done to it. ``accepted`` are violations that were said to be
    meant. ``unchecked`` names the runtimes whose outputs cannot be compared with copies of them: whether these
    change later is not known.

    Plain data: cancellation means nothing to it.
    """

    points: int
    runs: int
    violations: tuple[Violation, ...]
    tried: tuple[tuple[str, int], ...]
    left_out: int
    seed: int
    undisturbed: str
    accepted: tuple[Violation, ...] = ()
    unchecked: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether every promise held in every run."""
        return not self.violations

    def render(self) -> str:
        """A table for people, and the violations."""
        rows = [*self.tried, ("points tried", self.points)]
        if self.left_out:
            rows.append(("points left out, by chance", self.left_out))
        rows += [("runs", self.runs), ("violations", len(self.violations)), ("seed", self.seed)]
        width = max(len(name) for name, _ in rows) + 2
        lines = [f"{name:<{width}}{count:>8}" for name, count in rows]
        lines.append(f"undisturbed, the run {self.undisturbed}")
        if self.unchecked:
            lines.append(
                f"not checked for later changes: the outputs of {', '.join(self.unchecked)}"
            )
        lines += [f"accepted: {v.promise}: {v.message}" for v in self.accepted]
        if self.violations:
            lines += ["", *map(str, self.violations)]
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """The report for tools, ready for JSON."""
        return {
            "points": self.points,
            "runs": self.runs,
            "left_out": self.left_out,
            "tried": dict(self.tried),
            "seed": self.seed,
            "undisturbed": self.undisturbed,
            "unchecked": list(self.unchecked),
            "accepted": [violation.as_dict() for violation in self.accepted],
            "violations": [violation.as_dict() for violation in self.violations],
        }


def count_kinds(tried: Sequence[Points]) -> tuple[tuple[str, int], ...]:
    """How many of each kind of points, for the table."""
    counts = Counter(_kind_of(points) for points in tried)
    return tuple(sorted(counts.items(), key=lambda found: (found[0].count(" and "), found[0])))


def _kind_of(points: Points) -> str:
    names = sorted(KINDS[type(point)] for point in points)
    if len(names) == 2 and names[0] == names[1]:
        return f"two {names[0]}"
    return " and ".join(names)
