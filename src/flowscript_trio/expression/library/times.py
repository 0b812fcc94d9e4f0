"""Owns moments: ISO 8601 text in UTC in and out, milliseconds since 1970."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from ...types.errors import EvaluationError
from ..scope import Services
from ..table import function
from ..values import is_long, is_number, require_number, shown

LONGEST = 200
"""Characters of a text that may be a time."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BEYOND = "the time is out of range; expected one of the years 1 to 9999"


class OutOfRange(EvaluationError):
    """A time lies beyond the calendar."""

    def __init__(self, message: str = _BEYOND, offset: int | None = None) -> None:
        super().__init__(message, offset)


def to_time(value: Any) -> datetime:
    """A moment: ISO 8601 text, or milliseconds since 1970 as in JavaScript; without a zone it is UTC."""
    try:
        if isinstance(value, datetime):
            found = value
        elif isinstance(value, date):
            found = datetime(value.year, value.month, value.day)
        elif is_number(value) and not (isinstance(value, Decimal) and is_long(value)):
            return _EPOCH + timedelta(milliseconds=float(value))
        elif isinstance(value, str) and len(value) <= LONGEST:
            found = datetime.fromisoformat(value.strip())
        else:
            raise EvaluationError(f"{shown(value)} is not a time; expected ISO 8601 text")
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except OverflowError:
        raise OutOfRange from None
    except ValueError:  # not ISO 8601, or NaN
        raise EvaluationError(f"{shown(value)} is not a time; expected ISO 8601 text") from None


def iso(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


@function("now")
def now(services: Services) -> str:
    """The time, as ISO 8601 text in UTC with milliseconds."""
    return iso(services.now())


@function("timestamp")
def timestamp(services: Services, value: Any = None) -> int:
    """Milliseconds since 1970."""
    moment = services.now() if value is None else to_time(value)
    return (moment - _EPOCH) // timedelta(milliseconds=1)


@function("from_timestamp")
def from_timestamp(services: Services, value: Any = None) -> Any:
    """ISO 8601 text of milliseconds since 1970."""
    if value is None:
        return None
    return iso(to_time(require_number(value, "the argument", services)))


@function("is_before")
def is_before(_: Services, left: Any = None, right: Any = None) -> bool:
    """Whether the first time is earlier than the second."""
    return left is not None and right is not None and to_time(left) < to_time(right)


@function("is_after")
def is_after(_: Services, left: Any = None, right: Any = None) -> bool:
    """Whether the first time is later than the second."""
    return left is not None and right is not None and to_time(left) > to_time(right)
