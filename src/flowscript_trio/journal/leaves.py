"""Owns the parts of values that have no parts: each as what JSON has, or as a list of a tag and its text."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from ..expression.bulk import PIECE, grown
from ..types.items import Items
from ..types.storing import CannotKeep
from .secrets import KeptSecrets

CONTAINER = object()
"""Stands for what is not a leaf."""

_LONG = 1 << 63


def leaf(value: Any, secrets: KeptSecrets | None) -> Any:
    """A leaf as JSON, with secrets as references; CONTAINER for what has parts, CannotKeep for anything else."""
    if value is None or value is True or value is False:
        return value
    if isinstance(value, (dict, list, tuple, set, frozenset)):
        return CONTAINER
    if isinstance(value, str):
        text = str.__str__(value)
        pieces = None if secrets is None else secrets.split_text(text)
        return text if pieces is None else ["$", *pieces]
    if isinstance(value, (bytes, bytearray)):
        data = value if type(value) is bytes else bytes(memoryview(value))
        pieces = None if secrets is None else secrets.split(data)
        tag = "b" if isinstance(value, bytes) else "B"
        return [tag, _base64(data)] if pieces is None else [f"${tag}", *pieces]
    made = _scalar(value)
    if secrets is not None and (pieces := secrets.split(json.dumps(made).encode())):
        return ["$j", *pieces]
    return made


def _base64(data: bytes) -> str:
    if len(data) <= PIECE:
        return b64encode(data).decode()
    view = memoryview(data)
    parts = (view[at : at + 3 * PIECE] for at in range(0, len(data), 3 * PIECE))
    return grown(b64encode(part).decode() for part in parts)


def _from_base64(text: str) -> bytes:
    if len(text) <= PIECE:
        return b64decode(text, validate=True)
    parts = (text[at : at + 4 * PIECE] for at in range(0, len(text), 4 * PIECE))
    return b"".join(b64decode(part, validate=True) for part in parts)


def _scalar(value: Any) -> Any:
    if isinstance(value, int):
        number = int.__int__(value)
        return number if -_LONG <= number < _LONG else ["i", hex(number)]
    if isinstance(value, float):
        return float.__float__(value)
    if isinstance(value, Decimal):
        return ["n", Decimal.__str__(value)]
    if isinstance(value, UUID):
        return ["u", f"{value.int:032x}"]
    if isinstance(value, datetime):
        day, hour = datetime.date(value), datetime.time(value)
        return ["D", date.isoformat(day), *_clock(hour), _zone(value.tzinfo)]
    if isinstance(value, date):
        return ["d", date.isoformat(value)]
    if isinstance(value, time):
        return ["T", *_clock(time.replace(value, tzinfo=None)), _zone(value.tzinfo)]
    if isinstance(value, timedelta):
        return ["x", value.days, value.seconds, value.microseconds]
    if isinstance(value, range):
        return ["r", value.start, value.stop, value.step]
    kind = type(value).__name__
    if isinstance(value, complex):
        raise CannotKeep("", "a complex number cannot be kept; expected a list of its two parts")
    expected = _instead_of(value)
    hint = "" if expected is None else f"; expected {expected}"
    article = "an" if kind[:1] in "aeiouAEIOU" else "a"
    raise CannotKeep("", f"{article} {kind!r} cannot be kept{hint}")


def _instead_of(value: Any) -> str | None:
    """What can be kept in the place of a value that cannot; None where nobody knows."""
    kind = type(value)
    if isinstance(value, Items):
        return "that the runtime which gives it is registered with pure=True"
    if isinstance(value, (Iterator, AsyncIterator)):
        return (
            "a list, or flowscript_trio.Items, whose function is called with n and gives the items from "
            "the n-th on"
        )
    if isinstance(value, type):
        return None
    if isinstance(value, memoryview):
        return "bytes() of it"
    if hasattr(kind, "model_dump"):
        return "its model_dump()"
    if hasattr(kind, "__dataclass_fields__"):
        return "dataclasses.asdict() of it"
    if hasattr(kind, "tolist"):  # of numpy, pandas and others
        return "its tolist()"
    return next((said for base, said in _INSTEAD.items() if isinstance(value, base)), None)


_INSTEAD: dict[type, str] = {
    Enum: "its value",
    PurePath: "str() of it",
    BaseException: "str() of it",
    Mapping: "dict() of it",
    Collection: "list() of it",
}
"""What can be kept in the place of values of some classes; the first that fits."""


def _clock(value: time) -> list[Any]:
    return [time.isoformat(value), value.fold]


def _zone(zone: tzinfo | None) -> Any:
    """A time zone: by its name, or as its offset in days, seconds and microseconds, and what it is called."""
    if zone is None:
        return None
    if type(zone) is timezone:
        offset = zone.utcoffset(None)
        name = zone.tzname(None)
        made = [offset.days, offset.seconds, offset.microseconds]
        return made if name == timezone(offset).tzname(None) else [*made, name]
    if isinstance(zone, ZoneInfo) and zone.key:
        return zone.key
    raise CannotKeep("", f"a time with the zone {type(zone).__name__!r} cannot be kept")


def _zone_of(made: Any) -> tzinfo | None:
    if made is None or isinstance(made, str):
        return None if made is None else ZoneInfo(made)
    days, seconds, microseconds, *name = made
    offset = timedelta(days, seconds, microseconds)
    return timezone(offset, *name) if offset or name else UTC


def leaf_of(made: list[Any], secrets: KeptSecrets) -> Any:
    """The leaf that a tag and its text stand for."""
    tag, *rest = made
    if tag.startswith("$"):
        data = secrets.joined(rest)
        if tag == "$":
            return data.decode("utf-8", "surrogatepass")
        if tag == "$j":
            inner = json.loads(data)
            return leaf_of(inner, secrets) if isinstance(inner, list) else inner
        return data if tag == "$b" else bytearray(data)
    return _READ[tag](*rest)


def _time_of(clock: str, fold: int, zone: Any) -> time:
    return time.fromisoformat(clock).replace(fold=fold, tzinfo=_zone_of(zone))


_READ: dict[str, Any] = {
    "b": _from_base64,
    "B": lambda text: bytearray(_from_base64(text)),
    "i": lambda text: int(text, 16),
    "n": Decimal,
    "u": lambda text: UUID(hex=text),
    "d": date.fromisoformat,
    "D": lambda day, *clock: datetime.combine(date.fromisoformat(day), _time_of(*clock)),
    "T": _time_of,
    "x": timedelta,
    "r": range,
}
