"""Owns dates as people write them: formats in Unicode (LDML) tokens, English names, UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from ...types.errors import EvaluationError
from ..encoding import to_text
from ..scope import Services
from ..table import function
from ..values import shown
from .times import iso, to_time

MAX_FORMAT = 200
"""Characters of a date format."""

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_TOKEN = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*")
_ZONES = {
    "X": "Z", "XX": "Z", "XXX": "Z", "x": "+00", "xx": "+0000", "xxx": "+00:00",
    "Z": "+0000", "ZZ": "+0000", "ZZZ": "+0000", "ZZZZ": "GMT", "ZZZZZ": "Z", "z": "UTC",
}  # fmt: skip
_READS = {
    "y": r"(?P<year>\d{4})", "yyyy": r"(?P<year>\d{4})", "yy": r"(?P<short>\d{2})",
    "M": r"(?P<month>\d{1,2})", "MM": r"(?P<month>\d{2})", "d": r"(?P<day>\d{1,2})",
    "dd": r"(?P<day>\d{2})", "H": r"(?P<hour>\d{1,2})", "HH": r"(?P<hour>\d{2})",
    "h": r"(?P<half>\d{1,2})", "hh": r"(?P<half>\d{2})", "m": r"(?P<minute>\d{1,2})",
    "mm": r"(?P<minute>\d{2})", "s": r"(?P<second>\d{1,2})", "ss": r"(?P<second>\d{2})",
    "S": r"(?P<fraction>\d)", "SS": r"(?P<fraction>\d{2})", "SSS": r"(?P<fraction>\d{3})",
    "a": r"(?P<noon>[AaPp][Mm])", "MMM": r"(?P<named>[A-Za-z]{3})", "MMMM": r"(?P<named>[A-Za-z]+)",
    "EEE": r"(?P<weekday>[A-Za-z]{3})", "EEEE": r"(?P<weekday>[A-Za-z]+)",
    "X": r"(?P<zone>Z|[+-]\d\d(?::?\d\d)?)",
}  # fmt: skip


def _written(format: Any) -> str:
    """The format as text, ``YYYY`` and ``DD`` taken as ``yyyy`` and ``dd``."""
    text = to_text(format)
    if len(text) > MAX_FORMAT:
        raise EvaluationError(f"the date format is longer than {MAX_FORMAT} characters")
    return text


def _token(word: str) -> str:
    if word == "DD" or word[0] in "YuL":
        return word.translate({68: "d", 89: "y", 117: "y", 76: "M"})
    return word


def _unknown(word: str) -> EvaluationError:
    return EvaluationError(f"the date format has no {word!r}; literal letters stand in quotes: 'T'")


def _quoted(text: str) -> str:
    return text.replace("''", "'") or "'"


@function("format_date")
def format_date(services: Services, value: Any = None, format: Any = "yyyy-MM-dd") -> Any:
    """A time in Unicode (LDML) tokens, in UTC."""
    if value is None:
        return None
    moment = to_time(value)

    def write(found: re.Match[str]) -> str:
        return _quoted(found[1]) if found[1] is not None else _field(_token(found[0]), moment)

    written = _written("yyyy-MM-dd" if format is None else format)
    services.spend(len(written) * 4)
    return _TOKEN.sub(write, written)


def _field(word: str, t: datetime) -> str:
    letter, width = word[0], len(word)
    if letter == "y":
        return f"{t.year % 100:02d}" if width == 2 else str(t.year).zfill(width)
    if letter == "M" and width > 2:
        return _name(MONTHS[t.month - 1], width)
    if letter == "E":
        return _name(DAYS[t.weekday()], max(width, 3))
    if letter == "a":
        return "AM" if t.hour < 12 else "PM"
    if letter == "S":
        return f"{t.microsecond:06d}"[:width].ljust(width, "0")
    if letter == "Q" and width > 2:
        return f"Q{(t.month + 2) // 3}"
    if word in _ZONES:
        return _ZONES[word]
    numbers = {
        "M": t.month, "d": t.day, "D": t.timetuple().tm_yday, "H": t.hour, "h": t.hour % 12 or 12,
        "k": t.hour or 24, "K": t.hour % 12, "m": t.minute, "s": t.second,
        "Q": (t.month + 2) // 3, "w": t.isocalendar().week, "e": t.isoweekday(),
    }  # fmt: skip
    if letter not in numbers:
        raise _unknown(word)
    return str(numbers[letter]).zfill(width)


def _name(name: str, width: int) -> str:
    """The whole name for four letters, its first for five, else its first three."""
    return name if width == 4 else name[:1] if width == 5 else name[:3]


@function("parse_date")
def parse_date(services: Services, value: Any = None, format: Any = None) -> Any:
    """ISO 8601 text in UTC of a date that is written in a format (default: ISO 8601 itself)."""
    if value is None:
        return None
    if format is None:
        return iso(to_time(value))
    written, text = _written(format), to_text(value, services).strip()
    services.spend(len(written) * 20)  # a pattern is made of it
    found = _pattern(written).fullmatch(text) if len(text) <= MAX_FORMAT else None
    try:
        if found is not None:
            return iso(_moment({name: part for name, part in found.groupdict().items() if part}))
    except (ValueError, OverflowError):
        pass
    raise EvaluationError(f"{shown(text)} is not a date of that format")


def _pattern(format: str) -> re.Pattern[str]:
    made: list[str] = []
    seen: set[str] = set()
    at = 0
    for found in _TOKEN.finditer(format):
        made.append(re.escape(format[at : found.start()]))
        at = found.end()
        if found[1] is not None:
            made.append(re.escape(_quoted(found[1])))
            continue
        word = _token(found[0])
        if word not in _READS and word[0] not in "XxZ":
            raise _unknown(found[0])
        part = _READS["X"] if word[0] in "XxZ" else _READS[word]
        name = part[4 : part.index(">")] if part.startswith("(?P<") else ""
        if name and name in seen:
            raise EvaluationError(f"the date format has more than one {name}")
        seen.add(name)
        made.append(part)
    return re.compile("".join(made) + re.escape(format[at:]), re.ASCII)


def _moment(parts: dict[str, str]) -> datetime:
    year = int(parts["year"]) if "year" in parts else 1970
    if "short" in parts:
        year = 2000 + int(parts["short"]) - (100 if int(parts["short"]) > 68 else 0)
    month = int(parts.get("month", 1))
    if "named" in parts:
        heads = [name[:3].lower() for name in MONTHS]
        month = heads.index(parts["named"][:3].lower()) + 1
        if len(parts["named"]) > 3 and parts["named"].lower() != MONTHS[month - 1].lower():
            raise ValueError(parts["named"])
    hour = int(parts.get("hour", 0))
    if "half" in parts:
        if not 1 <= int(parts["half"]) <= 12:
            raise ValueError(parts["half"])
        hour = int(parts["half"]) % 12
    if parts.get("noon", "").lower() == "pm":
        hour += 12 if hour < 12 else 0
    zone = parts.get("zone", "Z")
    moment = datetime(
        year, month, int(parts.get("day", 1)), hour, int(parts.get("minute", 0)),
        int(parts.get("second", 0)), int(parts.get("fraction", "0").ljust(6, "0")), UTC,
    )  # fmt: skip
    if zone == "Z":
        return moment
    digits = zone[1:].replace(":", "").ljust(4, "0")
    offset = datetime.strptime(f"{zone[0]}{digits}", "%z").tzinfo
    return moment.replace(tzinfo=offset)
