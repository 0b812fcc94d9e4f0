"""Owns dates as people write them: patterns of Unicode (LDML) letters, English names."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from ...types.errors import EvaluationError
from ..scope import Services
from ..table import function
from ..values import shown
from .times import OutOfRange, to_time
from .zones import city_of, in_zone, location_of

MAX_FORMAT = 200
"""Characters of a date format."""

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

TOKEN = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*")
_STRFTIME = re.compile("%[A-Za-z]")
_QUOTED = re.compile("'[^']*'")
_BEFORE = 1_721_425
"""Days of the Julian count before the first of Python's."""
_ORDINALS = ("1st", "2nd", "3rd", "4th")
_TIMES_OF_DAY = (
    (6, "at night"),
    (12, "in the morning"),
    (18, "in the afternoon"),
    (21, "in the evening"),
)


def written(format: Any) -> str:
    """The format as text."""
    if not isinstance(format, str):
        raise EvaluationError(f"the date format is {shown(format)}; expected text")
    if len(format) > MAX_FORMAT:
        raise EvaluationError(f"the date format is longer than {MAX_FORMAT} characters")
    if "%" in format and (found := _STRFTIME.search(_QUOTED.sub("", format))):
        raise EvaluationError(
            f"the date format has {found[0]}, as in C or Python; expected letters such as yyyy-MM-dd HH:mm:ss"
        )
    return format


def token(word: str) -> str:
    """A run of letters: ``YYYY`` and ``DD`` are taken as ``yyyy`` and ``dd``, a month on its own as a month."""
    if word == "DD" or word[0] in "YuL":
        return word.translate({68: "d", 89: "y", 117: "y", 76: "M"})
    return word


def unknown(word: str) -> EvaluationError:
    """What to say of letters that the language of patterns does not have."""
    return EvaluationError(f"the date format has no {word!r}; put literal letters in quotes: 'T'")


def is_known(word: str) -> bool:
    """Whether letters can be written."""
    return word[0] in FIELDS


def quoted(text: str) -> str:
    """The literal text of a quoted part; two quotes are one."""
    return text.replace("''", "'") or "'"


# ---- the functions ----


@function("format_date")
def format_date(
    services: Services, value: Any = None, format: Any = "yyyy-MM-dd", zone: Any = None
) -> Any:
    """A time in a pattern of Unicode (LDML) letters, in a zone of the IANA database (UTC)."""
    if value is None:
        return None
    pattern = written("yyyy-MM-dd" if format is None else format)
    return _write(services, in_zone(to_time(value), services, zone), pattern)


@function("date")
def date_(services: Services, value: Any = None, zone: Any = None) -> str:
    """The day of a time, or of now: ``2026-01-31``; of a text that is not a time, now in that pattern:
    ``date("dd.MM.yyyy")``."""
    return _now_or_then(services, value, zone, "yyyy-MM-dd")


@function("time")
def time_(services: Services, value: Any = None, zone: Any = None) -> str:
    """The time of day of a time, or of now: ``13:45:00``; of a text that is not a time, now in that pattern:
    ``time("HH:mm")``."""
    return _now_or_then(services, value, zone, "HH:mm:ss")


def _now_or_then(services: Services, value: Any, zone: Any, pattern: str) -> str:
    moment = services.now()
    if value is not None:
        try:
            moment = to_time(value)
        except EvaluationError as exc:
            if not isinstance(value, str) or isinstance(exc, OutOfRange):
                raise
            pattern = written(value)
            if TOKEN.search(pattern) is None:
                message = f"{shown(value)} is neither a time nor a pattern"
                raise EvaluationError(f"{message}; expected ISO 8601 text, or letters") from None
    return _write(services, in_zone(moment, services, zone), pattern)


def _write(services: Services, moment: datetime, pattern: str) -> str:
    services.spend(len(pattern) * 4)

    def write(found: re.Match[str]) -> str:
        return quoted(found[1]) if found[1] is not None else _field(token(found[0]), moment)

    return TOKEN.sub(write, pattern)


# ---- what the letters mean ----


def _field(word: str, t: datetime) -> str:
    write = FIELDS.get(word[0])
    found = None if write is None else write(t, len(word))
    if found is None:
        raise unknown(word)
    return found


def _number(value: Callable[[datetime], int], most: int) -> Callable[[datetime, int], str | None]:
    """A number of this many digits at most, filled with zeros."""
    return lambda t, width: str(value(t)).zfill(width) if width <= most else None


def _name(name: str, width: int) -> str:
    """The whole name for four letters, its first for five, its first two for six, else its first three."""
    return name if width == 4 else name[: {5: 1, 6: 2}.get(width, 3)]


def _year(t: datetime, width: int) -> str:
    return f"{t.year % 100:02d}" if width == 2 else str(t.year).zfill(width)


def _month(t: datetime, width: int) -> str | None:
    if width > 5:
        return None
    return str(t.month).zfill(width) if width < 3 else _name(MONTHS[t.month - 1], width)


def _era(t: datetime, width: int) -> str | None:
    return {4: "Anno Domini", 5: "A"}.get(width, "AD") if width <= 5 else None


def _quarter(t: datetime, width: int) -> str | None:
    number = (t.month + 2) // 3
    if width in (3, 4):
        return f"Q{number}" if width == 3 else f"{_ORDINALS[number - 1]} quarter"
    return str(number).zfill(1 if width == 5 else width) if width <= 5 else None


def _week_of_month(t: datetime) -> int:
    """Weeks begin on Monday; the first has four days at least, and those before it are in week 0."""
    first = (t.weekday() - t.day + 1) % 7
    return (t.day + first - 1) // 7 + (first <= 3)


def _weekday(t: datetime, width: int) -> str | None:
    return _name(DAYS[t.weekday()], width) if width <= 6 else None


def _local_weekday(t: datetime, width: int) -> str | None:
    return _weekday(t, width) if width > 2 else str(t.isoweekday()).zfill(width)


def _noon(t: datetime, width: int) -> str | None:
    if width > 5:
        return None
    half = "AM" if t.hour < 12 else "PM"
    return half[0].lower() if width == 5 else half


def _special(t: datetime, width: int) -> str | None:
    """Midnight and noon, where it is either to the second."""
    if (t.minute, t.second) != (0, 0) or t.hour % 12 or width > 5:
        return None
    return ("mi" if t.hour == 0 else "n") if width == 5 else "midnight" if t.hour == 0 else "noon"


def _noon_or_special(t: datetime, width: int) -> str | None:
    return _special(t, width) or _noon(t, width)


def _time_of_day(t: datetime, width: int) -> str | None:
    if width > 5:
        return None
    usual = next((words for end, words in _TIMES_OF_DAY if t.hour < end), "at night")
    return _special(t, width) or usual


def _fraction(t: datetime, width: int) -> str:
    return f"{t.microsecond:06d}"[:width].ljust(width, "0")


def _milliseconds(t: datetime, width: int) -> str:
    seconds = t.hour * 3600 + t.minute * 60 + t.second
    return str(seconds * 1000 + t.microsecond // 1000).zfill(width)


# ---- zones ----


def _offset(t: datetime) -> tuple[str, int, int]:
    """Sign, hours and minutes of a moment's distance from UTC."""
    distance = t.utcoffset() or timedelta()
    hours, minutes = divmod(abs(distance) // timedelta(minutes=1), 60)
    return "-" if distance < timedelta() else "+", hours, minutes


def _iso_offset(t: datetime, width: int) -> str | None:
    sign, hours, minutes = _offset(t)
    if width > 5:
        return None
    if width == 1:
        return f"{sign}{hours:02d}" + (f"{minutes:02d}" if minutes else "")
    return f"{sign}{hours:02d}{':' if width in (3, 5) else ''}{minutes:02d}"


def _iso_offset_or_z(t: datetime, width: int) -> str | None:
    return "Z" if not t.utcoffset() and width <= 5 else _iso_offset(t, width)


def _distance(t: datetime, width: int) -> str | None:
    """``GMT+1``, ``GMT+05:30``."""
    sign, hours, minutes = _offset(t)
    if width == 1:
        return (
            f"GMT{sign}{hours}" + (f":{minutes:02d}" if minutes else "") if t.utcoffset() else "GMT"
        )
    if width == 4:
        return f"GMT{sign}{hours:02d}:{minutes:02d}" if t.utcoffset() else "GMT"
    return None


def _rfc_offset(t: datetime, width: int) -> str | None:
    if width <= 3:
        return _iso_offset(t, 2)
    return _distance(t, 4) if width == 4 else _iso_offset_or_z(t, width)


def _zone_name(t: datetime, width: int) -> str | None:
    """The abbreviation of the IANA database; the long one without words for it is the distance from GMT."""
    if width <= 3:
        return t.tzname()
    return _distance(t, 4) if width == 4 else None


def _zone_id(t: datetime, width: int) -> str | None:
    """The name in the IANA database, its city, or where it is."""
    name = _key(t)
    if width == 2:
        return name
    return city_of(name) if width == 3 else _location(t, width)


def _location(t: datetime, width: int) -> str | None:
    """``Germany (Berlin) Time``; of a zone that is in no country the distance from GMT, as the standard has it."""
    if width not in (1, 4):
        return None
    where = location_of(_key(t))
    return _distance(t, 4) if where is None else f"{where} Time"


def _key(t: datetime) -> str:
    return str(getattr(t.tzinfo, "key", "UTC"))


FIELDS: dict[str, Callable[[datetime, int], str | None]] = {
    "G": _era,
    "y": _year,
    "Q": _quarter,
    "q": _quarter,
    "M": _month,
    "w": _number(lambda t: t.isocalendar().week, 2),
    "W": _number(_week_of_month, 1),
    "d": _number(lambda t: t.day, 2),
    "D": _number(lambda t: t.timetuple().tm_yday, 4),
    "F": _number(lambda t: (t.day - 1) // 7 + 1, 1),
    "E": _weekday,
    "e": _local_weekday,
    "c": _local_weekday,
    "a": _noon,
    "b": _noon_or_special,
    "B": _time_of_day,
    "h": _number(lambda t: t.hour % 12 or 12, 2),
    "H": _number(lambda t: t.hour, 2),
    "K": _number(lambda t: t.hour % 12, 2),
    "k": _number(lambda t: t.hour or 24, 2),
    "m": _number(lambda t: t.minute, 2),
    "s": _number(lambda t: t.second, 2),
    "S": _fraction,
    "A": _milliseconds,
    "g": lambda t, width: str(t.toordinal() + _BEFORE).zfill(width),
    "z": _zone_name,
    "v": _location,
    "Z": _rfc_offset,
    "O": _distance,
    "V": _zone_id,
    "X": _iso_offset_or_z,
    "x": _iso_offset,
}
"""What each letter writes of a time, by how often it is there; None where it means nothing this often."""
