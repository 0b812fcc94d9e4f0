"""Owns values of PostgreSQL that are read differently from what psycopg does. Importing this imports psycopg."""

from __future__ import annotations

import re
from typing import Any

from psycopg.adapt import Buffer, Loader
from psycopg.types.json import set_json_loads
from psycopg.types.string import TextLoader

from ...expression.json_pieces import read_json

_INTERVAL = re.compile(
    r"(?:([-+]?\d+) years?)? ?(?:([-+]?\d+) mons?)? ?(?:([-+]?\d+) days?)? ?"
    r"(?:([-+]?)(\d+):(\d\d):(\d\d(?:\.\d+)?))?"
)
_RANGES = ("int4", "int8", "num", "date", "ts", "tstz")


def iso_of(text: str) -> str:
    """An interval as PostgreSQL writes it, in ISO 8601 (``P1M2DT3H``), months kept apart from days.

    Text in another style (the server's setting ``intervalstyle``) is left as it is.
    """
    found = _INTERVAL.fullmatch(text)
    if found is None or not text:
        return text
    years, months, days, sign, hours, minutes, seconds = found.groups()
    date = "".join(
        f"{int(part)}{letter}"
        for part, letter in ((years, "Y"), (months, "M"), (days, "D"))
        if part
    )
    time = ""
    for part, letter in ((hours, "H"), (minutes, "M"), (seconds, "S")):
        if part and part.strip("0."):
            shown = (part.lstrip("0") or "0") if "." not in part else _trim(part)
            time += f"{'-' if sign == '-' else ''}{shown}{letter}"
    return f"P{date}" + (f"T{time}" if time else "") if date or time else "PT0S"


def _trim(seconds: str) -> str:
    whole, _, rest = seconds.partition(".")
    rest = rest.rstrip("0")
    return (whole.lstrip("0") or "0") + (f".{rest}" if rest else "")


class IntervalLoader(Loader):
    """Reads an interval as text in ISO 8601."""

    def load(self, data: Buffer) -> str:
        return iso_of(bytes(data).decode())


def teach(connection: Any) -> None:
    """Let a connection of psycopg give intervals, network addresses and ranges as text, and JSON as it is read
    elsewhere.
    """
    set_json_loads(_read_json, connection)
    adapters = connection.adapters
    adapters.register_loader("interval", IntervalLoader)
    names = ["inet", "cidr"]
    for kind in _RANGES:
        names += [f"{kind}range", f"{kind}multirange"]
    for name in names:
        adapters.register_loader(name, TextLoader)


def _read_json(data: str | bytes) -> Any:
    return read_json(data if isinstance(data, str) else data.decode())
