"""Owns values as text: as people read them, and as JSON."""

from __future__ import annotations

import base64
import dataclasses
import json
import math
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import UUID

from ..types.errors import EvaluationError, LimitExceeded
from .bulk import read_json
from .numerals import format_number, shortest_integer
from .scope import Services
from .values import CONTAINER, LISTS, Function, check_text, deeper, key_text, meter, refuse_stream

Path = tuple["Path", object] | None
"""Where a value stands in another, innermost key last; made into words only for an error."""


_SMALL = 2**64
"""Integers up to this are written without a look at Python's bound on digits."""


class RawJson(str):
    """What ``json_encode`` returned: a template that makes JSON inserts it as it is."""

    __slots__ = ("value",)
    value: Any


class NotJson(EvaluationError):
    """A text is no JSON; ``position`` is the offset of the first wrong character in it."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.position = position


def to_text(value: Any, services: Services | None = None) -> str:
    """A value as a template writes it: null is empty, 3.0 is ``3``, lists and objects are JSON."""
    kind = value.__class__
    if kind is str:
        return value  # type: ignore[no-any-return]
    if kind is int and -_SMALL < value < _SMALL:
        return str(value)
    if value is None:
        return ""
    if kind is bool:
        return "true" if value else "false"
    if isinstance(value, (int, float, Decimal)):
        return format_number(value)
    if isinstance(value, (list, tuple, range, Mapping)):
        return encode_json(value, services=services)
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, Function):
        raise EvaluationError("an arrow function has no text")
    refuse_stream(value)
    return str(value)


def encode_json(value: Any, indent: int | None = None, *, services: Services | None = None) -> str:
    """A value as JSON: dates as ISO text, Decimal as a number where exact, bytes as base64.

    ``indent`` is in spaces; without it there is no white space, as JavaScript writes it. Raises
    EvaluationError that names the path of NaN, an infinity, or what has no JSON, and LimitExceeded
    beyond the bounds of ``services`` (of an evaluation) or far ones (outside of one).
    """
    plain = _Plain(meter() if services is None else services).of(value, None, 0)
    separators = (",", ":") if indent is None else None
    try:
        return json.dumps(
            plain, ensure_ascii=False, indent=indent, allow_nan=False, separators=separators
        )
    except ValueError:  # Python's own bound on digits
        raise LimitExceeded("an integer has too many digits to write") from None


class _Plain:
    """Makes values of JSON's own types; counts what it visits, and the characters that they take."""

    __slots__ = ("_length", "_services")

    def __init__(self, services: Services) -> None:
        self._services = services
        self._length = 0

    def of(self, value: Any, path: Path, depth: int) -> Any:
        kind = value.__class__
        if kind is str:
            self._count(len(value))
            return value
        if value is None or kind is bool or kind is int:
            return value
        if isinstance(value, float):
            if not math.isfinite(value):
                raise EvaluationError(
                    f"{_words(path)} is {format_number(value)}, which JSON cannot write"
                )
            return shortest_integer(value) if value.is_integer() and abs(value) < 1e21 else value
        if isinstance(value, Mapping):
            self._enter(len(value), depth)
            made = {}
            for key, item in value.items():
                name = key_text(key)
                self._count(len(name))
                made[name] = self.of(item, (path, key), depth + 1)
            return made
        if isinstance(value, (*LISTS, set, frozenset)):
            self._enter(len(value), depth)
            return [self.of(item, (path, at), depth + 1) for at, item in enumerate(value)]
        return self._other(value, path, depth)

    def _enter(self, size: int, depth: int) -> None:
        deeper(depth, self._services)
        self._services.spend(size + CONTAINER)
        self._count(size)

    def _count(self, length: int) -> None:
        self._length += length
        check_text(self._length, self._services.limits)

    def _other(self, value: Any, path: Path, depth: int) -> Any:
        if isinstance(value, Decimal):
            return _plain_decimal(value, path)
        if isinstance(value, (datetime, date, time)):
            return value.isoformat()
        if isinstance(value, (bytes, bytearray, memoryview)):
            self._count(len(value))
            return base64.b64encode(bytes(value)).decode("ascii")
        if isinstance(value, UUID):
            return str(value)
        if isinstance(value, str):
            self._count(len(value))
            return value
        if isinstance(value, int):
            return value  # of a subclass, an enumeration for one
        deeper(depth, self._services)
        dump = getattr(type(value), "model_dump", None)
        if dump is not None:
            return self.of(dump(value), path, depth + 1)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
            return self.of(fields, path, depth + 1)
        if isinstance(value, Function):
            raise EvaluationError(f"{_words(path)} is an arrow function, which JSON cannot write")
        refuse_stream(value)
        kind = f"{type(value).__module__}.{type(value).__qualname__}"
        raise EvaluationError(f"{_words(path)} is of type {kind}, which JSON cannot write")


def _plain_decimal(value: Decimal, path: Path) -> Any:
    if not value.is_finite():
        raise EvaluationError(f"{_words(path)} is {value}, which JSON cannot write")
    number = float(value)
    if not math.isfinite(number) or Decimal(float.__repr__(number)) != value:
        return str(value)
    return int(value) if number.is_integer() and abs(number) < 1e21 else number


def _words(path: Path) -> str:
    """``$.a[0].b``, of which the middle is left out where it is long."""
    keys: list[str] = []
    while path is not None:
        path, key = path
        keys.append(f"[{key}]" if isinstance(key, int) else f".{key}")
    words = "$" + "".join(reversed(keys))
    return words if len(words) <= 120 else f"{words[:58]}…{words[-58:]}"


def decode_json(text: str) -> Any:
    """The value of a JSON text; raises NotJson with line and column."""
    try:
        return read_json(text, _decoder())
    except json.JSONDecodeError as exc:
        raise NotJson(f"the text is no JSON: {exc}", exc.pos) from None
    except ValueError as exc:
        raise NotJson(f"the text is no JSON: {exc}", 0) from None
    except RecursionError:
        raise LimitExceeded("the JSON nests too deep") from None


@cache
def _decoder() -> json.JSONDecoder:
    return json.JSONDecoder(parse_constant=_refuse, parse_int=_read_int)


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")


def _read_int(digits: str) -> int:
    if len(digits) > 1240:
        raise LimitExceeded("an integer of the JSON has too many digits")
    return int(digits)
