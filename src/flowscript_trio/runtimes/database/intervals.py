"""Owns PostgreSQL's types that have no plain value in Python: they are text. Importing this imports psycopg."""

from __future__ import annotations

import re
from typing import Any

from psycopg.adapt import Buffer, Loader
from psycopg.types.string import TextLoader

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


def read_as_text(connection: Any) -> None:
    """Let a connection of psycopg give intervals, network addresses and ranges as text."""
    adapters = connection.adapters
    adapters.register_loader("interval", IntervalLoader)
    names = ["inet", "cidr"]
    for kind in _RANGES:
        names += [f"{kind}range", f"{kind}multirange"]
    for name in names:
        adapters.register_loader(name, TextLoader)
