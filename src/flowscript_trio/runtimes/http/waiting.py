"""Owns ``Retry-After``: for how long an answer asks to be left alone. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_SECONDS = re.compile(r"[0-9]{1,100}(?:\.[0-9]{1,20})?")
"""Whole ones by the standard; some servers send fractions."""


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds to wait (RFC 9110, 10.2.3), or None where the answer says nothing that can be read.

    A date is taken by the server's own clock where it tells it (``Date``), else by ``now``.
    """
    text = headers.get("retry-after", "").strip()
    # Where the header came several times, the longest time is asked for.
    times = [part.strip() for part in text.split(",")]
    if all(map(_SECONDS.fullmatch, times)):
        return max(map(float, times))
    until = _date(text)
    if until is None:
        return None
    since = _date(headers.get("date", "")) or now
    return max((until - since).total_seconds(), 0.0)


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
