"""Owns the time zones of expressions: the names of the IANA database → their rules."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ...types.errors import EvaluationError, nearest
from ..encoding import to_text
from ..scope import Services
from ..values import shown

_NAME = re.compile(r"[A-Za-z][\w+-]*(?:/[\w+-]+)*", re.ASCII)
_LONGEST = 64
_COST = 32
"""Operations of looking a zone up."""


def zone_of(services: Services, zone: Any) -> tzinfo:
    """The zone that a name means; null is UTC."""
    if zone is None:
        return UTC
    services.spend(_COST)
    name = to_text(zone, services).strip()
    if name in ("UTC", "Z"):
        return UTC
    found = _load(name) if len(name) <= _LONGEST and _NAME.fullmatch(name) else None
    if found is None:
        near = nearest(name, _names()) if len(name) <= _LONGEST else None
        raise EvaluationError(
            f"{shown(name)} is not the name of a time zone; expected one of the IANA database, "
            + ("such as Europe/Berlin" if near is None else f"such as {near}")
        )
    return found


def in_zone(moment: datetime, services: Services, zone: Any) -> datetime:
    """A moment as the clocks of a zone show it."""
    try:
        return moment.astimezone(zone_of(services, zone))
    except OverflowError:
        raise EvaluationError("the time is out of range") from None


@lru_cache(maxsize=1024)  # more than there are, so that no zone is read twice
def _load(name: str) -> tzinfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


@cache
def _names() -> list[str]:
    """The names of all zones, for messages."""
    return (files("tzdata") / "zones").read_text(encoding="ascii").split()
