"""Owns what a limit is declared to be: rates, the rule of a circuit breaker, and how documents write them."""

from __future__ import annotations

import re

from .deferred import dataclass
from .durations import parse_duration
from .errors import FlowScriptError
from .patterns import pattern

NAME = pattern(r"[A-Za-z_][\w.-]*", re.ASCII)
"""What a limit may be called."""

_WHOLE = pattern(r"\d{1,15}", re.ASCII)
_RATE = pattern(r"(\d{1,12}(?:\.\d{1,12})?)\s*/\s*(.+)", re.ASCII)
_UNIT = pattern(r"ms|s|m|h|d")
_BREAKER = pattern(r"(\d{1,9})\s+in\s+([^,]+),\s*(.+)", re.ASCII)

EXPECTED_RATE = "a number for a time, such as 100/s, 5/m or 10/500ms"
EXPECTED_BREAKER = "failures in a time, and for how long it is open then, such as 5 in 1m, 30s"
EXPECTED_COUNT = "a whole number of at least 1"


@dataclass(frozen=True, slots=True)
class Rate:
    """This many in this many seconds, evenly."""

    count: float
    seconds: float

    def __str__(self) -> str:
        per = _duration(self.seconds)
        unit = per.removeprefix("1") if re.fullmatch("1[a-z]+", per) else per
        return f"{self.count:g}/{unit}"

    def time_of(self, number: float) -> float:
        """Seconds in which that many pass."""
        return number * self.seconds / self.count


@dataclass(frozen=True, slots=True)
class BreakerRule:
    """A circuit breaker opens after this many failures within ``window`` seconds, for ``rest`` seconds."""

    failures: int
    window: float
    rest: float

    def __str__(self) -> str:
        return f"{self.failures} in {_duration(self.window)}, {_duration(self.rest)}"


class CircuitOpen(FlowScriptError):
    """The circuit breaker of a limit is open: what needs the limit is not tried for ``retry_after`` seconds.

    ``limit`` is its name. It can be retried: a ``<retry>`` waits for what is left. As any error of a node, it
    cancels the siblings of its branch where the block fails fast.
    """

    retryable = True

    def __init__(self, limit: str, retry_after: float) -> None:
        self.limit: str = limit
        self.retry_after: float = retry_after
        super().__init__(
            f"the circuit breaker of the limit {limit!r} is open for another {retry_after:g} s: too much of "
            "what needs it has failed"
        )


def parse_rate(text: object) -> Rate:
    """The rate that a text such as ``100/s`` says; raises ValueError for any other."""
    if isinstance(text, Rate):
        return text
    found = _RATE.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is not None:
        per = found[2].strip()
        try:
            seconds = parse_duration(f"1{per}" if _UNIT.fullmatch(per) else per)
        except ValueError:
            seconds = 0.0
        if float(found[1]) > 0 and seconds > 0:
            return Rate(float(found[1]), seconds)
    raise ValueError(f"{text!r} is not a rate; expected {EXPECTED_RATE}")


def parse_breaker(text: object) -> BreakerRule:
    """The rule that a text such as ``5 in 1m, 30s`` says; raises ValueError for any other."""
    if isinstance(text, BreakerRule):
        return text
    found = _BREAKER.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is not None:
        try:
            rule = BreakerRule(int(found[1]), parse_duration(found[2]), parse_duration(found[3]))
        except ValueError:
            rule = BreakerRule(0, 0, 0)
        if rule.failures > 0 and rule.window > 0 and rule.rest > 0:
            return rule
    raise ValueError(f"{text!r} is not a circuit breaker; expected {EXPECTED_BREAKER}")


def parse_count(value: object, what: str) -> int:
    """A whole number of at least 1, such as a ``max`` or a ``burst``; raises ValueError for anything else."""
    if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{value!r} cannot be the {what} of a limit; expected {EXPECTED_COUNT}")
    return value


def _duration(seconds: float) -> str:
    for unit, size in (("d", 86400.0), ("h", 3600.0), ("m", 60.0), ("s", 1.0)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g}{unit}"
    return f"{seconds * 1000:g}ms"
