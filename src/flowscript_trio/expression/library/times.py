"""Owns the functions of time: ISO 8601 text in UTC in and out, formats in LDML tokens."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from ...types.durations import EXPECTED, parse_duration
from ...types.errors import EvaluationError
from ..encoding import to_text
from ..scope import Services
from ..table import function
from ..values import is_number, require_number, shown
from .arguments import whole

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
UNITS: dict[str, float] = {
    "millisecond": 0.001, "second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800,
}  # fmt: skip
_LETTERS = {
    "ms": "millisecond", "s": "second", "m": "minute", "min": "minute", "mins": "minute",
    "h": "hour", "d": "day", "w": "week", "M": "month", "y": "year",
}  # fmt: skip


def to_time(value: Any) -> datetime:
    """A moment: ISO 8601 text, or milliseconds since 1970 as in JavaScript; without a zone it is UTC."""
    try:
        if isinstance(value, datetime):
            found = value
        elif isinstance(value, date):
            found = datetime(value.year, value.month, value.day)
        elif is_number(value):
            return _EPOCH + timedelta(milliseconds=float(value))
        elif isinstance(value, str):
            found = datetime.fromisoformat(value.strip())
        else:
            raise EvaluationError(f"{shown(value)} is not a time; expected ISO 8601 text")
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise EvaluationError(f"{shown(value)} is not a time; expected ISO 8601 text") from None


def iso(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def _known_unit(unit: Any) -> str:
    """The unit that a word names (``h``, ``hour``, ``Hours``); ``M`` is a month, ``m`` a minute."""
    word = to_text(unit).strip()
    if word in _LETTERS:
        return _LETTERS[word]
    name = word.lower().removesuffix("s")
    if name in UNITS or name in ("month", "year"):
        return name
    raise EvaluationError(
        f"{shown(word)} is not a unit of time; expected one of {', '.join(UNITS)}, month, year"
    )


@function("now")
def now(services: Services) -> str:
    """The time, as ISO 8601 text in UTC with milliseconds."""
    return iso(services.now())


@function("date")
def date_(services: Services, value: Any = None) -> str:
    """The date of a time, or of now: ``2026-01-31``."""
    return (services.now() if value is None else to_time(value)).astimezone(UTC).date().isoformat()


@function("time")
def time_(services: Services, value: Any = None) -> str:
    """The time of day of a time, or of now: ``13:45:00``."""
    moment = services.now() if value is None else to_time(value)
    return moment.astimezone(UTC).strftime("%H:%M:%S")


def _shift(value: Any, amount: Any, unit: Any, sign: int) -> Any:
    if value is None:
        return None
    moment = to_time(value)
    if amount is None:
        return iso(moment)
    try:
        if unit is None:
            return iso(moment + sign * timedelta(seconds=_seconds_of(amount)))
        name = _known_unit(unit)
        if name in ("month", "year"):
            months = sign * whole(amount, "the amount") * (12 if name == "year" else 1)
            return iso(_add_months(moment, months))
        number = float(require_number(amount, "the amount"))
        return iso(moment + sign * timedelta(seconds=number * UNITS[name]))
    except (OverflowError, ValueError):
        raise EvaluationError("the time is out of range") from None


def _seconds_of(value: Any) -> float:
    try:
        return parse_duration(value)
    except ValueError:
        raise EvaluationError(f"{shown(value)} is no duration; expected {EXPECTED}") from None


def _add_months(moment: datetime, months: int) -> datetime:
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    first = moment.replace(year=year, month=month + 1, day=1)
    after = (first + timedelta(days=32)).replace(day=1)
    return first.replace(day=min(moment.day, (after - timedelta(days=1)).day))


@function("add_time")
def add_time(_: Services, value: Any = None, amount: Any = 0, unit: Any = None) -> Any:
    """A time so much later: ``add_time(t, 2, "days")``, or a duration: ``add_time(t, "90m")``."""
    return _shift(value, amount, unit, 1)


@function("subtract_time")
def subtract_time(_: Services, value: Any = None, amount: Any = 0, unit: Any = None) -> Any:
    """A time so much earlier; as add_time."""
    return _shift(value, amount, unit, -1)


@function("diff")
def diff(_: Services, left: Any = None, right: Any = None, unit: Any = "ms") -> Any:
    """``left`` minus ``right`` in a unit, whole ones."""
    if left is None or right is None:
        return None
    a, b = to_time(left), to_time(right)
    name = _known_unit("ms" if unit is None else unit)
    if name in ("month", "year"):
        months = (a.year - b.year) * 12 + a.month - b.month
        there = _add_months(b, months)
        if months > 0 and there > a:
            months -= 1
        elif months < 0 and there < a:
            months += 1
        return months if name == "month" else int(months / 12)
    return int((a - b) / timedelta(seconds=UNITS[name]))


@function("timestamp")
def timestamp(services: Services, value: Any = None) -> int:
    """Milliseconds since 1970."""
    moment = services.now() if value is None else to_time(value)
    return (moment - _EPOCH) // timedelta(milliseconds=1)


@function("from_timestamp")
def from_timestamp(_: Services, value: Any = None) -> Any:
    """ISO 8601 text of milliseconds since 1970."""
    if value is None:
        return None
    return iso(to_time(require_number(value, "the argument")))


def _start(moment: datetime, unit: Any) -> tuple[datetime, str]:
    """The start of the unit in which a moment is, in UTC, and the unit; a week begins on Monday."""
    name = _known_unit("day" if unit is None else unit)
    if name in ("hour", "minute", "second", "millisecond"):
        kept = ("hour", "minute", "second", "microsecond")
        cut = dict.fromkeys(kept[kept.index(name) + 1 :], 0) if name in kept else {}
        return moment.replace(**cut), name  # type: ignore[arg-type]
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    if name == "week":
        return day - timedelta(days=day.weekday()), name
    if name == "day":
        return day, name
    return day.replace(day=1) if name == "month" else day.replace(month=1, day=1), name


@function("start_of")
def start_of(_: Services, value: Any = None, unit: Any = "day") -> Any:
    """The first millisecond of a second, minute, hour, day, week (from Monday), month or year."""
    return None if value is None else iso(_start(to_time(value), unit)[0])


@function("end_of")
def end_of(_: Services, value: Any = None, unit: Any = "day") -> Any:
    """The last millisecond of a second, minute, hour, day, week, month or year."""
    if value is None:
        return None
    first, name = _start(to_time(value), unit)
    if name in ("month", "year"):
        after = _add_months(first, 12 if name == "year" else 1)
    else:
        after = first + timedelta(seconds=UNITS[name])
    return iso(after - timedelta(milliseconds=1))


@function("get_part")
def get_part(services: Services, value: Any = None, part: Any = "year") -> Any:
    """``year``, ``month``, ``day``, ``hour``, ``minute``, ``second``, ``millisecond``, ``weekday`` (Monday
    is 1), ``week`` (ISO), ``quarter`` or ``day_of_year``, in UTC."""
    if value is None:
        return None
    t = to_time(value)
    parts = {
        "year": t.year, "month": t.month, "day": t.day, "hour": t.hour, "minute": t.minute,
        "second": t.second, "millisecond": t.microsecond // 1000, "weekday": t.isoweekday(),
        "week": t.isocalendar().week, "quarter": (t.month + 2) // 3,
        "day_of_year": t.timetuple().tm_yday,
    }  # fmt: skip
    word = to_text(part, services)
    name = word.strip().lower()
    name = _LETTERS.get(word, name if name in parts else name.removesuffix("s"))
    if name not in parts:
        raise EvaluationError(
            f"{shown(word)} does not name a part of a time; expected one of {', '.join(parts)}"
        )
    return parts[name]


@function("is_before")
def is_before(_: Services, left: Any = None, right: Any = None) -> bool:
    """Whether the first time is earlier than the second."""
    return left is not None and right is not None and to_time(left) < to_time(right)


@function("is_after")
def is_after(_: Services, left: Any = None, right: Any = None) -> bool:
    """Whether the first time is later than the second."""
    return left is not None and right is not None and to_time(left) > to_time(right)


@function("relative")
def relative(services: Services, value: Any = None) -> Any:
    """``3 hours ago``, ``in 2 days``: in the largest unit of which one has passed, days at most."""
    if value is None:
        return None
    seconds = (to_time(value) - services.now()).total_seconds()
    for name in ("day", "hour", "minute", "second"):
        amount = int(abs(seconds) // UNITS[name])
        if amount:
            words = f"{amount} {name}{'' if amount == 1 else 's'}"
            return f"in {words}" if seconds > 0 else f"{words} ago"
    return "now"


@function("duration")
def duration(_: Services, value: Any = None) -> Any:
    """Seconds of a duration (``5m``, ``PT5S``)."""
    if value is None:
        return None
    seconds = _seconds_of(value)
    return int(seconds) if float(seconds).is_integer() else seconds
