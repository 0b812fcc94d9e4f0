"""Owns the time zones of expressions: the names of the IANA database → their rules, and where they are."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime, tzinfo
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ...types.errors import EvaluationError, nearest
from ..scope import Services
from ..values import shown
from .arguments import short_text
from .times import OutOfRange

_NAME = re.compile(r"[A-Za-z][\w+-]*(?:/[\w+-]+)*", re.ASCII)
_LONGEST = 64
_COST = 32
"""Operations of looking a zone up."""


def zone_of(services: Services, zone: Any) -> tzinfo:
    """The zone that a name means; null is UTC."""
    if zone is None:
        return UTC
    services.spend(_COST)
    name = short_text(zone)
    if name in ("UTC", "Z"):
        return UTC
    found = _load(name) if len(name) <= _LONGEST and _NAME.fullmatch(name) else None
    if found is None:
        near = nearest(name, _names()) if len(name) <= _LONGEST else None
        raise EvaluationError(
            f"{shown(zone)} is not the name of a time zone; expected one of the IANA database, "
            + ("such as Europe/Berlin" if near is None else f"such as {near}")
        )
    return found


def in_zone(moment: datetime, services: Services, zone: Any) -> datetime:
    """A moment as the clocks of a zone show it."""
    try:
        return moment.astimezone(zone_of(services, zone))
    except OverflowError:
        raise OutOfRange from None


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


def city_of(name: str) -> str:
    """The city in the name of a zone."""
    return name.rpartition("/")[2].replace("_", " ")


def location_of(name: str) -> str | None:
    """The country of a zone, with the city where the country has several; None for one that is in no country."""
    country = _countries().get(name)
    if country is None:
        return None
    return f"{country} ({city_of(name)})" if name in _shared() else country


@cache
def _countries() -> dict[str, str]:
    """The countries of zones, in English."""
    names = dict(row[:2] for row in _table("iso3166.tab"))
    return {row[2]: names[row[0]] for row in _table("zone.tab")}


@cache
def _shared() -> frozenset[str]:
    """The zones of countries that have several."""
    count = Counter(_countries().values())
    return frozenset(zone for zone, country in _countries().items() if count[country] > 1)


def _table(name: str) -> list[list[str]]:
    lines = (files("tzdata") / "zoneinfo" / name).read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if line and not line.startswith("#")]
