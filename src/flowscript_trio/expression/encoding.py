"""Owns values as text: as people read them, and as JSON."""

from __future__ import annotations

import base64
import dataclasses
import json
import math
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from ..types.errors import EvaluationError, LimitExceeded
from .values import LISTS, MAX_DEPTH, Function, format_number


def to_text(value: Any) -> str:
    """A value as a template writes it: null is empty, 3.0 is ``3``, lists and objects are JSON."""
    kind = value.__class__
    if kind is str:
        return value  # type: ignore[no-any-return]
    if kind is int:
        return str(value)
    if value is None:
        return ""
    if kind is bool:
        return "true" if value else "false"
    if kind is float or kind is Decimal:
        return format_number(value)
    if isinstance(value, (list, tuple, range, Mapping)):
        return encode_json(value)
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return str(value)


def encode_json(value: Any, indent: int | None = None) -> str:
    """A value as JSON: dates as ISO text, Decimal as a number where exact, bytes as base64.

    Raises EvaluationError that names the path of NaN, an infinity, or what has no JSON.
    """
    separators = (",", ":") if indent is None else None  # as JavaScript writes it
    plain = to_plain(value)
    return json.dumps(
        plain, ensure_ascii=False, indent=indent, allow_nan=False, separators=separators
    )


def to_plain(value: Any, path: str = "$", depth: int = 0) -> Any:
    """The value in JSON's own types."""
    kind = value.__class__
    if kind is str or value is None or kind is bool or kind is int:
        return value
    if depth > MAX_DEPTH:
        raise LimitExceeded(f"{path[:80]}… nests deeper than {MAX_DEPTH} levels")
    if isinstance(value, float):
        if not math.isfinite(value):
            raise EvaluationError(f"{path} is {format_number(value)}, which JSON cannot write")
        return int(value) if value.is_integer() and abs(value) < 1e21 else value
    if isinstance(value, Mapping):
        return {
            to_key(key): to_plain(item, f"{path}.{key}", depth + 1) for key, item in value.items()
        }
    if isinstance(value, (*LISTS, set, frozenset)):
        return [to_plain(item, f"{path}[{at}]", depth + 1) for at, item in enumerate(value)]
    return _plain_of_other(value, path, depth)


def to_key(key: Any) -> str:
    return key if isinstance(key, str) else to_text(key)


def _plain_of_other(value: Any, path: str, depth: int) -> Any:
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise EvaluationError(f"{path} is {value}, which JSON cannot write")
        number = float(value)
        if Decimal(repr(number)) == value:
            return int(value) if value == value.to_integral_value() else number
        return str(value)
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray, memoryview)):
        return base64.b64encode(bytes(value)).decode("ascii")
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, (str, int)):
        return value  # of a subclass, an enumeration for one
    dump = getattr(type(value), "model_dump", None)
    if dump is not None:
        return to_plain(dump(value), path, depth + 1)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        return to_plain(fields, path, depth + 1)
    if isinstance(value, Function):
        raise EvaluationError(f"{path} is an arrow function, which JSON cannot write")
    raise EvaluationError(
        f"{path} is of type {type(value).__module__}.{type(value).__qualname__}, which JSON cannot write"
    )


def decode_json(text: str) -> Any:
    """The value of a JSON text; raises EvaluationError with line and column."""
    try:
        return json.loads(text, parse_constant=_refuse, parse_int=_read_int)
    except ValueError as exc:
        raise EvaluationError(f"the text is no JSON: {exc}") from None
    except RecursionError:
        raise LimitExceeded("the JSON nests too deep") from None


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")


def _read_int(digits: str) -> int:
    if len(digits) > 1300:
        raise LimitExceeded("an integer of the JSON has too many digits")
    return int(digits)
