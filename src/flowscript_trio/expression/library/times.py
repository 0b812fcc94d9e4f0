"""Owns the functions of time: ISO 8601 text in UTC in and out, formats in LDML tokens."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

from ...types.durations import parse_duration
from ...types.errors import EvaluationError
from ..encoding import to_text
from ..scope import Services
from ..table import function
from ..values import is_number
from .arguments import whole

UNITS = {
    "ms": 0.001, "millisecond": 0.001, "s": 1, "second": 1, "m": 60, "minute": 60,
    "h": 3600, "hour": 3600, "d": 86400, "day": 86400, "w": 604800, "week": 604800,
}  # fmt: skip


def to_time(value: Any) -> datetime:
    """A moment: ISO text, or seconds or milliseconds since 1970; without a zone it is UTC."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    try:
        if is_number(value):
            return datetime.fromtimestamp(float(value) / (1000 if abs(value) >= 1e11 else 1), UTC)
        if isinstance(value, str):
            found = datetime.fromisoformat(value.strip())
            return found if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        pass
    raise EvaluationError(f"{to_text(value)[:40]!r} is no time; expected ISO 8601 text")


def iso(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds."""
    utc = moment.astimezone(UTC)
    return utc.strftime("%Y-%m-%dT%H:%M:%S.") + f"{utc.microsecond // 1000:03d}Z"


def _unit(unit: Any) -> str:
    word = to_text(unit).strip()
    word = word.lower() if len(word) > 1 else word
    return word.removesuffix("s") if len(word) > 2 else word


@function("now")
def now(services: Services) -> str:
    return iso(services.now())


@function("date")
def date_(services: Services, value: Any = None) -> str:
    return (services.now() if value is None else to_time(value)).astimezone(UTC).date().isoformat()


@function("time")
def time_(services: Services, value: Any = None) -> str:
    moment = services.now() if value is None else to_time(value)
    return moment.astimezone(UTC).strftime("%H:%M:%S")


_TOKEN = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*")
_DIRECTIVES = {
    "yyyy": "%Y", "YYYY": "%Y", "yy": "%y", "MM": "%m", "MMM": "%b", "MMMM": "%B", "dd": "%d",
    "DD": "%d", "HH": "%H", "hh": "%I", "mm": "%M", "ss": "%S", "SSS": "%f", "a": "%p",
    "EEE": "%a", "EEEE": "%A", "XXX": "%z", "Z": "%z", "DDD": "%j",
}  # fmt: skip


@function("parse_date")
def parse_date(_: Services, value: Any = None, format: Any = None) -> Any:
    if value is None:
        return None
    if format is None:
        return iso(to_time(value))

    def directive(found: re.Match[str]) -> str:
        if found[1] is not None:
            return found[1].replace("''", "'").replace("%", "%%")
        word = _DIRECTIVES.get(found[0]) or _DIRECTIVES.get(found[0] * 2)
        if word is None:
            raise EvaluationError(f"the date format has no {found[0]!r}")
        return word

    pattern = _TOKEN.sub(directive, to_text(format))
    try:
        found = datetime.strptime(to_text(value), pattern)
    except ValueError:
        raise EvaluationError(
            f"{to_text(value)[:40]!r} is no date of {to_text(format)!r}"
        ) from None
    return iso(found if found.tzinfo else found.replace(tzinfo=UTC))


@function("format_date")
def format_date(_: Services, value: Any = None, format: Any = "yyyy-MM-dd") -> Any:
    """In Unicode (LDML) tokens, UTC; ``YYYY`` and ``DD`` are taken as ``yyyy`` and ``dd``."""
    if value is None:
        return None
    moment = to_time(value).astimezone(UTC)
    return _TOKEN.sub(lambda found: _field(found, moment), to_text(format))


def _field(found: re.Match[str], t: datetime) -> str:
    if found[1] is not None:
        return found[1].replace("''", "'") or "'"
    word = found[0]
    letter, width = word[0], len(word)
    if letter in "yYu":
        return f"{t.year % 100:02d}" if width == 2 else str(t.year).zfill(width)
    if letter in "ML":
        return t.strftime("%b" if width == 3 else "%B") if width > 2 else str(t.month).zfill(width)
    if letter in "Eec":
        return t.strftime("%A" if width == 4 else "%a")
    if letter == "a":
        return "AM" if t.hour < 12 else "PM"
    if letter == "S":
        return f"{t.microsecond:06d}"[:width].ljust(width, "0")
    if letter in "XxZz":
        return "Z" if letter in "Xz" else "+0000"
    numbers = {
        "d": t.day, "D": t.day, "H": t.hour, "h": t.hour % 12 or 12, "k": t.hour or 24,
        "K": t.hour % 12, "m": t.minute, "s": t.second, "Q": (t.month + 2) // 3,
        "w": t.isocalendar().week,
    }  # fmt: skip
    if letter == "D" and width == 3:
        return f"{t.timetuple().tm_yday:03d}"
    if letter not in numbers:
        raise EvaluationError(f"the date format has no {word!r}")
    return str(numbers[letter]).zfill(width)


def _shift(value: Any, amount: Any, unit: Any, sign: int) -> Any:
    if value is None:
        return None
    moment = to_time(value)
    if unit is None:
        try:
            return iso(moment + sign * timedelta(seconds=parse_duration(amount)))
        except ValueError as exc:
            raise EvaluationError(str(exc)) from None
    name = _unit(unit)
    try:
        if name in ("month", "M", "year", "y"):
            months = sign * whole(amount, "the amount") * (12 if name in ("year", "y") else 1)
            return iso(_add_months(moment, months))
        if name not in UNITS:
            raise EvaluationError(f"{to_text(unit)!r} is no unit of time")
        number = float(amount) if is_number(amount) else float(whole(amount, "the amount"))
        return iso(moment + sign * timedelta(seconds=number * UNITS[name]))
    except (OverflowError, ValueError):
        raise EvaluationError("the time is out of range") from None


def _add_months(moment: datetime, months: int) -> datetime:
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    first = moment.replace(year=year, month=month + 1, day=1)
    after = (first + timedelta(days=32)).replace(day=1)
    return first.replace(day=min(moment.day, (after - timedelta(days=1)).day))


@function("add_time")
def add_time(_: Services, value: Any = None, amount: Any = 0, unit: Any = None) -> Any:
    return _shift(value, amount, unit, 1)


@function("subtract_time")
def subtract_time(_: Services, value: Any = None, amount: Any = 0, unit: Any = None) -> Any:
    return _shift(value, amount, unit, -1)


@function("diff")
def diff(_: Services, left: Any = None, right: Any = None, unit: Any = "ms") -> Any:
    """``left`` minus ``right`` in a unit, whole ones."""
    if left is None or right is None:
        return None
    a, b = to_time(left), to_time(right)
    name = _unit(unit)
    if name in ("month", "M", "year", "y"):
        months = (a.year - b.year) * 12 + a.month - b.month
        if months and (_add_months(b, months) > a) == (months > 0):
            months -= 1 if months > 0 else -1
        return months if name in ("month", "M") else int(months / 12)
    if name not in UNITS:
        raise EvaluationError(f"{to_text(unit)!r} is no unit of time")
    return int((a - b) / timedelta(seconds=UNITS[name]))


@function("timestamp")
def timestamp(services: Services, value: Any = None) -> int:
    """Milliseconds since 1970."""
    moment = services.now() if value is None else to_time(value)
    return int((moment - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1))


@function("from_timestamp")
def from_timestamp(_: Services, value: Any = None) -> Any:
    if value is None:
        return None
    try:
        return iso(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=float(value)))
    except (OverflowError, ValueError):
        raise EvaluationError("the time is out of range") from None


def _start(moment: datetime, unit: Any) -> datetime:
    name = _unit(unit)
    day = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    starts = {
        "year": day.replace(month=1, day=1),
        "month": day.replace(day=1),
        "week": day - timedelta(days=day.weekday()),
        "day": day,
        "hour": moment.replace(minute=0, second=0, microsecond=0),
        "minute": moment.replace(second=0, microsecond=0),
        "second": moment.replace(microsecond=0),
    }
    if name not in starts:
        raise EvaluationError(f"{to_text(unit)!r} is no unit of time")
    return starts[name]


@function("start_of")
def start_of(_: Services, value: Any = None, unit: Any = "day") -> Any:
    return None if value is None else iso(_start(to_time(value), unit))


@function("end_of")
def end_of(_: Services, value: Any = None, unit: Any = "day") -> Any:
    if value is None:
        return None
    first, name = _start(to_time(value), unit), _unit(unit)
    if name in ("month", "year"):
        after = _add_months(first, 12 if name == "year" else 1)
    else:
        after = first + timedelta(seconds=UNITS[name])
    return iso(after - timedelta(milliseconds=1))


@function("get_part")
def get_part(_: Services, value: Any = None, part: Any = "year") -> Any:
    if value is None:
        return None
    t = to_time(value).astimezone(UTC)
    parts = {
        "year": t.year, "month": t.month, "day": t.day, "hour": t.hour, "minute": t.minute,
        "second": t.second, "millisecond": t.microsecond // 1000, "weekday": t.isoweekday(),
        "week": t.isocalendar().week, "quarter": (t.month + 2) // 3,
    }  # fmt: skip
    name = _unit(part)
    if name not in parts:
        raise EvaluationError(f"a time has no {to_text(part)!r}")
    return parts[name]


@function("is_before")
def is_before(_: Services, left: Any = None, right: Any = None) -> bool:
    return left is not None and right is not None and to_time(left) < to_time(right)


@function("is_after")
def is_after(_: Services, left: Any = None, right: Any = None) -> bool:
    return left is not None and right is not None and to_time(left) > to_time(right)


@function("relative")
def relative(services: Services, value: Any = None) -> Any:
    """``3 hours ago``, ``in 2 days``."""
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
    """Seconds of a duration (``5m``)."""
    if value is None:
        return None
    try:
        seconds = parse_duration(value)
    except ValueError as exc:
        raise EvaluationError(str(exc)) from None
    return int(seconds) if seconds.is_integer() else seconds
