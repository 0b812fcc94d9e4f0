"""Owns what a proof of durable runs says of rates: no death of a process lets more through than they allow."""

from __future__ import annotations

from collections.abc import Iterator

from ...program.compiled import Program
from ...program.placing import programs_of, steps_in
from ...types.limits import Rate
from .lives import Did, Lives

SLACK = 1e-3
"""Seconds by which clocks may differ."""


class Rates:
    """The rates that the documents of a program declare, with the labels of the nodes that pass each."""

    def __init__(self, program: Program) -> None:
        self._rates: dict[str, tuple[Rate, int]] = {}
        self._labels: dict[str, set[str]] = {}
        declared = {} if program.limits is None else program.limits.declared
        for name, limit in declared.items():
            if limit.rate is not None:
                self._rates[name] = (limit.rate, limit.burst or 1)
                self._labels[name] = set()
        for each in programs_of(program):
            for step in steps_in(each):
                for name in self._rates.keys() & set(step.limits):
                    self._labels[name].add(step.label)

    def exceeded(self, lives: Lives) -> Iterator[tuple[str, str, str]]:
        """What has passed too often, as (promise, limit, what happened)."""
        for name, (rate, burst) in self._rates.items():
            calls = [call for call in lives.calls if call.label in self._labels[name]]
            if (found := _too_many(calls, rate, burst)) is not None:
                first, last, count = found
                said = f"{count} passed within {last.at - first.at:g} s, the last at {last.path!r}"
                yield "no rate is exceeded", name, said


def _too_many(calls: list[Did], rate: Rate, burst: int) -> tuple[Did, Did, int] | None:
    """The first and the last of more calls than may pass in the time between them."""
    for last, ending in enumerate(calls):
        for first in range(last - burst + 1):
            count = last - first + 1
            if rate.time_of(count - burst) > ending.at - calls[first].at + SLACK:
                return calls[first], ending, count
    return None
