"""Owns the reading of dates as people write them: a pattern of Unicode (LDML) letters → a time."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from typing import Any

from ...types.errors import EvaluationError
from ..encoding import to_text
from ..scope import Services
from ..table import function
from ..values import shown
from .dates import MAX_FORMAT, MONTHS, TOKEN, is_known, quoted, token, unknown, written
from .times import OutOfRange, iso, to_time
from .zones import zone_of

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


@function("parse_date")
def parse_date(services: Services, value: Any = None, format: Any = None, zone: Any = None) -> Any:
    """ISO 8601 text in UTC of a date that is written in a format (default: ISO 8601 itself). Without a zone of its
    own it is a time in ``zone`` (UTC)."""
    if value is None:
        return None
    where = zone_of(services, zone)
    if format is None:
        return iso(_read_iso(value, where))
    pattern, text = written(format), to_text(value, services).strip()
    services.spend(len(pattern) * 20)  # a regular expression is made of it
    found = _pattern(pattern).fullmatch(text) if len(text) <= MAX_FORMAT else None
    try:
        if found is not None:
            parts = {name: part for name, part in found.groupdict().items() if part}
            return iso(_moment(parts, where))
    except OverflowError:
        raise OutOfRange from None
    except ValueError:
        pass
    raise EvaluationError(f"{shown(text)} is not a date of that format")


def _read_iso(value: Any, zone: tzinfo) -> datetime:
    """A moment as :func:`to_time` reads it, but for text without a zone, which is a time in ``zone``."""
    moment = to_time(value)
    if zone is UTC or not isinstance(value, str):
        return moment
    is_bare = datetime.fromisoformat(value.strip()).tzinfo is None
    try:
        return moment.replace(tzinfo=zone).astimezone(UTC) if is_bare else moment
    except OverflowError:
        raise OutOfRange from None


def _pattern(format: str) -> re.Pattern[str]:
    made: list[str] = []
    seen: set[str] = set()
    at = 0
    for found in TOKEN.finditer(format):
        made.append(re.escape(format[at : found.start()]))
        at = found.end()
        if found[1] is not None:
            made.append(re.escape(quoted(found[1])))
            continue
        word = token(found[0])
        if word not in _READS and word[0] not in "XxZ":
            if is_known(word):
                raise EvaluationError(f"a date cannot be read by {found[0]!r}, only written")
            raise unknown(found[0])
        part = _READS["X"] if word[0] in "XxZ" else _READS[word]
        name = part[4 : part.index(">")] if part.startswith("(?P<") else ""
        if name and name in seen:
            raise EvaluationError(f"the date format has more than one {name}")
        seen.add(name)
        made.append(part)
    return re.compile("".join(made) + re.escape(format[at:]), re.ASCII)


def _moment(parts: dict[str, str], zone: tzinfo) -> datetime:
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
    moment = datetime(
        year, month, int(parts.get("day", 1)), hour, int(parts.get("minute", 0)),
        int(parts.get("second", 0)), int(parts.get("fraction", "0").ljust(6, "0")), zone,
    )  # fmt: skip
    given = parts.get("zone")
    if given is None:
        return moment
    digits = "0000" if given == "Z" else given[1:].replace(":", "").ljust(4, "0")
    offset = datetime.strptime(f"{given[0] if digits != '0000' else '+'}{digits}", "%z").tzinfo
    return moment.replace(tzinfo=offset)
