"""Owns what one scan finds wrong with XML source, and the repairs that it makes."""

from __future__ import annotations

from ..types.errors import Problem, problem_at
from ..types.location import Source

MOST = 100
"""So many errors end a scan, and so many repairs are told one by one: a large broken document costs
little, and each problem holds its line of source."""


class Findings:
    """``problems`` in the order in which they were found; ``repairs`` are (offset, what to insert in place
    of the character there), ascending.
    """

    def __init__(self, source: Source) -> None:
        self.problems: list[Problem] = []
        self.repairs: list[tuple[int, str]] = []
        self.errors: int = 0
        self._source = source
        self._silent: int | None = None

    @property
    def too_many(self) -> bool:
        return self.errors >= MOST

    def error(
        self,
        offset: int,
        message: str,
        *,
        code: str = "not-well-formed",
        length: int = 1,
        expected: str | None = None,
        suggestion: str | None = None,
    ) -> None:
        """Add an error at an offset of the source; ``length`` in characters."""
        self.errors += 1
        self.problems.append(
            problem_at(
                self._source,
                offset,
                code,
                message,
                length=max(length, 1),
                expected=expected,
                suggestion=suggestion,
            )
        )

    def repair(self, offset: int, instead: str, code: str, message: str) -> None:
        """Take the character at ``offset`` as ``instead``, with a warning."""
        self.repairs.append((offset, instead))
        if len(self.repairs) <= MOST:
            self.problems.append(
                problem_at(
                    self._source, offset, code, message, severity="warning", expected=instead
                )
            )
        elif self._silent is None:
            self._silent = offset

    def finish(self) -> None:
        """Tell of what was not told one by one."""
        if self.too_many:
            last = self.problems[-1].location
            message = f"reading stopped after {MOST} errors"
            self.problems.append(Problem(code="too-many-errors", message=message, location=last))
        if self._silent is not None:
            count = len(self.repairs) - MOST
            self.problems.append(
                problem_at(
                    self._source,
                    self._silent,
                    "more-repairs",
                    f"from here on {count} more characters < and & were repaired",
                    severity="warning",
                )
            )
