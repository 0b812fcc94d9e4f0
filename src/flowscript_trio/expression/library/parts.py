"""Owns the starts, ends and parts of times, by the calendar of a zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from ...types.errors import EvaluationError
from ..scope import Services
from ..table import function
from ..values import shown
from .arguments import short_text
from .calendar import CYCLE, LETTERS, MONTHS, SECONDS, add_months, unit_of
from .times import OutOfRange, iso, to_time
from .zones import in_zone

_PARTS = {"ordinal": "dayofyear", "weeknumber": "week", "dayofmonth": "day", "dayofweek": "weekday"}
"""Other names of parts."""
_LAST_YEARS = 9990


def _start(moment: datetime, unit: str) -> datetime:
    """The start of the unit in which a moment is, in the moment's zone; a week begins on Monday."""
    if unit == "millisecond":
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    if unit in ("hour", "minute", "second"):
        kept = ("hour", "minute", "second", "microsecond")
        return moment.replace(**dict.fromkeys(kept[kept.index(unit) + 1 :], 0))  # type: ignore[arg-type]
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if unit == "week":
        return day - timedelta(days=day.weekday())
    if unit in MONTHS:
        step = MONTHS[unit]
        return day.replace(month=(day.month - 1) // step * step + 1, day=1)
    return day


def _bounds(services: Services, value: Any, unit: Any, zone: Any) -> tuple[datetime, str]:
    name = unit_of("day" if unit is None else unit)
    try:
        return _start(in_zone(to_time(value), services, zone), name), name
    except OverflowError:
        raise OutOfRange from None


@function("start_of")
def start_of(services: Services, value: Any = None, unit: Any = "day", zone: Any = None) -> Any:
    """The first millisecond of a second, minute, hour, day, week (from Monday), month, quarter or year, in a zone
    of the IANA database (UTC)."""
    if value is None:
        return None
    try:
        return iso(_bounds(services, value, unit, zone)[0])
    except OverflowError:
        raise OutOfRange from None


@function("end_of")
def end_of(services: Services, value: Any = None, unit: Any = "day", zone: Any = None) -> Any:
    """The last millisecond of a second, minute, hour, day, week, month, quarter or year, in a zone (UTC)."""
    if value is None:
        return None
    first, name = _bounds(services, value, unit, zone)
    try:
        # What comes after it may lie beyond the calendar, though its end does not.
        if first.year > _LAST_YEARS:
            last = _last(add_months(first, -CYCLE), name).astimezone(UTC)
            return iso(add_months(last, CYCLE))
        return iso(_last(first, name))
    except (OverflowError, ValueError):
        raise OutOfRange from None


def _last(first: datetime, unit: str) -> datetime:
    """The last millisecond of the unit that begins at a moment."""
    if unit in MONTHS:
        after = add_months(first, MONTHS[unit])
    elif unit in ("day", "week"):
        after = first + timedelta(seconds=SECONDS[unit])  # by the wall clock
    else:
        after = first.astimezone(UTC) + timedelta(seconds=SECONDS[unit])
    return after.astimezone(UTC) - timedelta(milliseconds=1)


@function("get_part")
def get_part(services: Services, value: Any = None, part: Any = "year", zone: Any = None) -> Any:
    """``year``, ``quarter``, ``month``, ``week`` (ISO) and ``week_year``, ``day``, ``weekday`` (Monday is 1),
    ``day_of_year`` (or ``ordinal``), ``hour``, ``minute``, ``second`` or ``millisecond``, in a zone (UTC)."""
    if value is None:
        return None
    word = short_text(part)
    t = in_zone(to_time(value), services, zone)
    calendar = t.isocalendar()
    parts = {
        "year": t.year, "quarter": (t.month + 2) // 3, "month": t.month, "week": calendar.week,
        "weekyear": calendar.year, "day": t.day, "weekday": calendar.weekday,
        "dayofyear": t.timetuple().tm_yday, "hour": t.hour, "minute": t.minute, "second": t.second,
        "millisecond": t.microsecond // 1000,
    }  # fmt: skip
    plain = word.lower().replace("_", "")
    name = LETTERS.get(word, _PARTS.get(plain, plain))
    name = name if name in parts else name.removesuffix("s")
    if name not in parts:
        raise EvaluationError(
            f"{shown(part)} does not name a part of a time; expected one of "
            + ", ".join(parts).replace("weekyear", "week_year").replace("dayofyear", "day_of_year")
        )
    return parts[name]
