"""Owns the arithmetic of the calendar: units of time, this much later or earlier, differences, durations."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from ...types.durations import EXPECTED, LONGEST, parse_duration
from ...types.errors import EvaluationError
from ..scope import Services
from ..table import function
from ..values import is_number, require_number, shown
from .arguments import short_text
from .times import OutOfRange, iso, to_time

SECONDS: dict[str, float] = {
    "millisecond": 0.001, "second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800,
}  # fmt: skip
_MICROSECOND = timedelta(microseconds=1)
MONTHS = {"month": 1, "quarter": 3, "year": 12}
UNITS = (*SECONDS, *MONTHS)
LETTERS = {
    "ms": "millisecond", "s": "second", "m": "minute", "min": "minute", "mins": "minute",
    "h": "hour", "d": "day", "w": "week", "M": "month", "mo": "month", "Q": "quarter", "q": "quarter",
    "y": "year",
}  # fmt: skip
_SPAN = re.compile(
    r"(P?)(?:(\d+)\s*[yY]\s*)?(?:(\d+)\s*(?:M|mo)(?![a-zA-Z])\s*)?(?:(\d+)\s*w\s*)?(.*)", re.ASCII
)
CYCLE = 400 * 12
"""Months after which the calendar repeats, day by day."""
_MOST = 200_000
"""Months that any two times can be apart, and some more."""


def unit_of(unit: Any) -> str:
    """The unit that a word names (``h``, ``hour``, ``Hours``); ``M`` is a month, ``m`` a minute."""
    word = short_text(unit)
    if word in LETTERS:
        return LETTERS[word]
    name = word.lower().removesuffix("s")
    if name in UNITS:
        return name
    raise EvaluationError(
        f"{shown(unit)} is not a unit of time; expected one of {', '.join(UNITS)}"
    )


# ---- later and earlier ----


def _shift(services: Services, value: Any, amount: Any, unit: Any, sign: int) -> Any:
    if value is None:
        return None
    moment = to_time(value)
    if amount is None:
        return iso(moment)
    months, seconds = _span_of(services, amount, unit)
    try:
        return iso(add_months(moment, sign * months) + sign * timedelta(seconds=seconds))
    except (OverflowError, ValueError):
        raise OutOfRange from None


def _span_of(services: Services, amount: Any, unit: Any) -> tuple[int, float]:
    """Months and seconds of an amount: this many of a unit, a duration, or an object of units."""
    if unit is not None:
        return _times(services, amount, unit_of(unit))
    if isinstance(amount, timedelta):
        return 0, amount.total_seconds()
    if isinstance(amount, Mapping):
        months, seconds = 0, 0.0
        for key in services.visit(list(amount)):
            more = _times(services, amount[key], unit_of(key))
            months, seconds = months + more[0], seconds + more[1]
        return months, seconds
    if not isinstance(amount, str):
        raise EvaluationError(
            f"{shown(amount)} is not a duration; expected a unit after it, or {EXPECTED}"
        )
    return _read_span(amount)


def _times(services: Services, amount: Any, unit: str) -> tuple[int, float]:
    if amount is None:
        return 0, 0.0
    number: Any = require_number(amount, "the amount", services)
    if unit in SECONDS:
        return 0, float(number) * SECONDS[unit]
    if not abs(number) <= _MOST:
        raise OutOfRange
    if number != int(number):
        raise EvaluationError(f"the amount is a fraction; expected a whole number of {unit}s")
    return int(number) * MONTHS[unit], 0.0


def _read_span(text: str) -> tuple[int, float]:
    """Months and seconds of a duration, which may have months and years (``P1M``, ``1y``) and weeks."""
    word = text.strip() if len(text) <= LONGEST else ""
    found = _SPAN.fullmatch(word)
    if word and found is not None:
        iso_mark, years, months, weeks, rest = found.groups()
        parts = [int(part or 0) if len(part or "") <= 9 else _MOST for part in (years, months)]
        total = parts[0] * 12 + parts[1]
        has_more = rest != "" or not any((years, months, weeks))
        try:
            seconds = parse_duration(iso_mark + rest) if has_more else 0.0
            return total, seconds + float(weeks or 0) * SECONDS["week"]
        except ValueError:
            pass
    raise EvaluationError(f"{shown(text)} is not a duration; expected {EXPECTED}, P1M or 1y")


def add_months(moment: datetime, months: int) -> datetime:
    """This many months later, on the same day, or the last one where the month is shorter."""
    if not months:
        return moment
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    if not 1 <= year <= 9999:
        raise OverflowError(year)
    last = monthrange(year, month + 1)[1]
    return moment.replace(year=year, month=month + 1, day=min(moment.day, last))


@function("add_time")
def add_time(services: Services, value: Any = None, amount: Any = 0, unit: Any = None) -> Any:
    """A time this much later: ``add_time(t, 2, "days")``, ``add_time(t, "1h30m")``, ``add_time(t, "P1M")`` or
    ``add_time(t, {months: 1, days: 2})``. A month later is the same day of the month, or its last."""
    return _shift(services, value, amount, unit, 1)


@function("subtract_time")
def subtract_time(services: Services, value: Any = None, amount: Any = 0, unit: Any = None) -> Any:
    """A time this much earlier; as add_time."""
    return _shift(services, value, amount, unit, -1)


# ---- differences ----


@function("diff")
def diff(_: Services, left: Any = None, right: Any = None, unit: Any = "ms") -> Any:
    """``left`` minus ``right`` in a unit (milliseconds), with its fraction: of months, quarters and years whole
    ones, then the rest as a part of the one begun."""
    if left is None or right is None:
        return None
    a, b = to_time(left), to_time(right)
    name = unit_of("ms" if unit is None else unit)
    if name in SECONDS:
        return _plain((a - b) // _MICROSECOND, round(SECONDS[name] * 1_000_000))
    return _calendar_diff(a, b, MONTHS[name]) if a >= b else -_calendar_diff(b, a, MONTHS[name])


def _plain(amount: int, of: int) -> int | float:
    """A quotient, whole where it is."""
    return amount // of if amount % of == 0 else amount / of


def _calendar_diff(later: datetime, earlier: datetime, step: int) -> int | float:
    """How many times this many months lie between, and the part of those begun."""
    whole = ((later.year - earlier.year) * 12 + later.month - earlier.month) // step
    if add_months(earlier, whole * step) > later:
        whole -= 1
    start = add_months(earlier, whole * step)
    if start == later:
        return whole
    return whole + (later - start) / _length(earlier, whole * step, step)


def _length(earlier: datetime, months: int, step: int) -> timedelta:
    """How long the months are that begin this many months later."""
    try:
        end = add_months(earlier, months + step)
    except OverflowError:
        months -= CYCLE  # the calendar repeats, and ends in its year 9999
        end = add_months(earlier, months + step)
    return end - add_months(earlier, months)


@function("relative")
def relative(services: Services, value: Any = None) -> Any:
    """``3 hours ago``, ``in 2 days``: in the largest unit of which one has passed, years at most."""
    if value is None:
        return None
    now, then = services.now(), to_time(value)
    for name in ("year", "month", "day", "hour", "minute", "second"):
        if name in MONTHS:
            amount = int(_calendar_diff(max(now, then), min(now, then), MONTHS[name]))
        else:
            amount = int(abs((then - now).total_seconds()) // SECONDS[name])
        if amount:
            words = f"{amount} {name}{'' if amount == 1 else 's'}"
            return f"in {words}" if then > now else f"{words} ago"
    return "now"


@function("duration")
def duration(_: Services, value: Any = None) -> Any:
    """Milliseconds of a duration (``5m``, ``1h30m``, ``PT5S``)."""
    if value is None:
        return None
    try:
        milliseconds = round(parse_duration(value) * 1000, 6)
    except ValueError:
        hint = "" if is_number(value) else "; months and years have no length of their own"
        raise EvaluationError(
            f"{shown(value)} is not a duration; expected {EXPECTED}{hint}"
        ) from None
    return int(milliseconds) if milliseconds.is_integer() else milliseconds
