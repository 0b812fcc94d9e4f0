"""Owns what one scan finds wrong with XML source, how much of it is reported, and the repairs that it makes."""

from __future__ import annotations

from typing import Any

from ..types.errors import Problem
from ..types.findings import Findings

MOST = 100
"""This many errors end a scan, and this many repairs are reported one by one: a large broken document costs
little, and each problem holds its line of source."""


class ScanFindings:
    """Passes on what is wrong to ``findings``; ``errors`` counts it.

    ``repairs`` are (offset, what to insert in place of the character there), ascending.
    """

    def __init__(self, findings: Findings) -> None:
        self.repairs: list[tuple[int, str]] = []
        self.errors: int = 0
        self._findings = findings
        self._last = 0
        self._silent: int | None = None

    @property
    def too_many(self) -> bool:
        return self.errors >= MOST

    def error(
        self, offset: int, message: str, *, code: str = "not-well-formed", **details: Any
    ) -> None:
        """Add an error at an offset of the source; ``details`` as of :meth:`Findings.add`."""
        self.errors += 1
        self._last = offset
        self._findings.add(offset, code, message, **details)

    def repair(self, offset: int, instead: str, code: str, message: str) -> None:
        """Take the character at ``offset`` as ``instead``, with a warning."""
        self.repairs.append((offset, instead))
        if len(self.repairs) <= MOST:
            self._last = offset
            self._findings.add(offset, code, message, severity="warning", expected=instead)
        elif self._silent is None:
            self._silent = offset

    def finish(self) -> None:
        """Report what was not reported one by one."""
        if self.too_many:
            message = f"reading stopped after {MOST} errors"
            where = self._findings.source.location(self._last)
            last = Problem(code="too-many-errors", message=message, location=where)
            self._findings.include([last])
        if self._silent is not None:
            count = len(self.repairs) - MOST
            message = f"from here on {count} more characters < and & were repaired"
            self._findings.add(self._silent, "more-repairs", message, severity="warning")
