"""Owns values as text: as people read them, and as JSON."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache, partial
from pathlib import PurePath
from typing import Any
from uuid import UUID

from ..types.errors import EvaluationError, LimitExceeded
from .numerals import format_number, shortest_integer
from .scope import Services
from .sharing import refuse_expanding
from .standing import has_members, in_order, own_text, plainer, type_name
from .values import (
    CONTAINER,
    LISTS,
    Function,
    check_text,
    deeper,
    key_text,
    meter,
    refuse_stream,
    spend_digits,
)

Path = tuple["Path", object] | None
"""Where a value is in another, innermost key last; made into words only for an error."""


ITEM, INDENTED, FLOAT = 4, 10, 16
"""Operations that the writing of an item takes: in a row, on a line of its own, and more if it is a float."""
LONGEST_ESCAPE = 6
"""Characters that one character of a text may take in JSON."""
_ESCAPES = dict.fromkeys(map(chr, range(32)), LONGEST_ESCAPE - 1) | dict.fromkeys(
    '"\\\n\r\t\b\f', 1
)
"""The characters that JSON writes in another way, and how many more that takes."""
_BY_RULE = (
    str, int, float, Decimal, list, tuple, range, Mapping, set, frozenset, datetime, date, time, timedelta, bytes,
    bytearray, memoryview, UUID, Enum, PurePath,
)  # fmt: skip
"""The kinds of values that are written as text by a rule; further ones are objects with members."""
_SMALL = 2**64
"""Integers up to this are written without a look at Python's bound on digits."""
_ENDS = 6
"""Steps of a long path that are shown at each of its ends."""


class RawJson(str):
    """What ``json_encode`` returned: a template that makes JSON inserts it as it is."""

    __slots__ = ("value",)
    value: Any


class NotJson(EvaluationError):
    """A text is not valid JSON; ``position`` is the offset of the first wrong character in it."""

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
        if services is not None:  # its digits take time
            if isinstance(value, int):
                services.spend(value.bit_length() >> 2)
            elif isinstance(value, Decimal):
                spend_digits(value, services)
        return format_number(value)
    if isinstance(value, (list, tuple, range, Mapping, set, frozenset)) or has_members(value):
        return encode_json(value, services=services)
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray, memoryview)):
        size = memoryview(value).nbytes
        if services is not None:
            check_text((size + 2) // 3 * 4, services.limits)
            services.spend_scan(size)
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, Function):
        raise EvaluationError("an arrow function cannot be made into text")
    refuse_stream(value)
    if isinstance(value, str):
        return str.__str__(value)
    plain = plainer(value)
    return own_text(value) if plain is value else to_text(plain, services)


def written_text(value: Any, services: Services | None = None) -> str:
    """As :func:`to_text`, for what leaves the workflow; raises EvaluationError for what has no text by rule."""
    if not isinstance(value, _BY_RULE) and value is not None and not has_members(value):
        raise EvaluationError(
            f"it is of type {type_name(value)}, which has no text of its own; expected one, with to_string(…), or "
            "a value of JSON"
        )
    return to_text(value, services)


def encode_json(value: Any, indent: int | None = None, *, services: Services | None = None) -> str:
    """A value as JSON: dates as ISO text, Decimal as a number where exact, bytes as base64.

    ``indent`` is in spaces; without it there is no white space, as JavaScript writes it. Raises
    EvaluationError that names the path of NaN, an infinity, or what has no JSON, and LimitExceeded
    beyond the bounds of ``services`` (of an evaluation) or far ones (outside of one).
    """
    if services is None:  # an evaluation is charged for each value, and ends soon
        refuse_expanding(value)
        services = meter()
    plain = plain_value(value, services, indent)
    separators = (",", ":") if indent is None else None
    try:
        return json.dumps(
            plain, ensure_ascii=False, indent=indent, allow_nan=False, separators=separators
        )
    except ValueError:  # Python's own bound on digits
        raise LimitExceeded("an integer has too many digits to write") from None


def plain_value(value: Any, services: Services, indent: int | None) -> Any:
    """A value in JSON's own types, when its text is known to be within the bounds, and is paid for."""
    plain = _Plain(services, indent)
    made = plain.of(value, None, 0)
    services.spend(plain.work)
    return made


class _Plain:
    """Makes values of JSON's own types; counts what it visits, and the characters that they take.

    ``work`` is what writing them costs after that, in operations.
    """

    __slots__ = ("_indent", "_length", "_services", "work")

    def __init__(self, services: Services, indent: int | None) -> None:
        self._services = services
        self._indent = indent
        self._length = 0
        self.work = 0

    def of(self, value: Any, path: Path, depth: int) -> Any:
        kind = value.__class__
        if kind is str:
            self._text(value)
            return value
        if value is None or kind is bool:
            return value
        if kind is int:
            if not -10 < value < 10:
                self._digits(value)
            return value
        if isinstance(value, float):
            self.work += FLOAT
            self._count(18)
            if not math.isfinite(value):
                raise EvaluationError(
                    f"{_words(path)} is {format_number(value)}, which JSON cannot write"
                )
            return shortest_integer(value) if value.is_integer() and abs(value) < 1e21 else value
        if isinstance(value, Mapping):
            self._enter(len(value), depth)
            made = {}
            for key in self._services.visit(list(value), 2):
                item = value[key]
                name = key_text(key)
                self._text(name)
                made[name] = self.of(item, (path, key), depth + 1)
            if len(made) < len(value):
                raise EvaluationError(
                    f"{_words(path)} has two keys with the same text, which JSON cannot write"
                )
            return made
        if isinstance(value, (*LISTS, set, frozenset)):
            self._enter(len(value), depth)
            items = value if isinstance(value, LISTS) else in_order(value)
            visited = enumerate(self._services.visit(items, 2))
            return [self.of(item, (path, at), depth + 1) for at, item in visited]
        return self._other(value, path, depth)

    def _enter(self, size: int, depth: int) -> None:
        deeper(depth, self._services)
        self._services.spend(CONTAINER)
        if self._indent is None:
            self.work += size * ITEM + CONTAINER
            self._count(size + 2)
        else:  # each item on a line of its own
            self.work += size * INDENTED + CONTAINER
            self._count(size * (self._indent * (depth + 1) + 2) + self._indent * depth + 2)

    def _text(self, text: str) -> None:
        length = len(text)
        self.work += length >> 3
        if self._length + LONGEST_ESCAPE * length > self._services.limits.text:
            self._services.spend_scan(length)
            length += sum(text.count(char) * more for char, more in _ESCAPES.items())
        self._count(length + 2)

    def _digits(self, value: int) -> None:
        bits = value.bit_length()
        if bits > 64:
            self.work += bits >> 2
        self._count(bits * 77 >> 8)

    def _count(self, length: int) -> None:
        self._length += length
        check_text(self._length, self._services.limits)

    def _other(self, value: Any, path: Path, depth: int) -> Any:
        if isinstance(value, Decimal):
            spend_digits(value, self._services)
            plain = _plain_decimal(value, path)
            if isinstance(plain, str):
                self._text(plain)
            return plain
        if isinstance(value, (datetime, date, time)):
            return value.isoformat()
        if isinstance(value, (bytes, bytearray, memoryview)):
            self._count(len(value))
            return base64.b64encode(bytes(value)).decode("ascii")
        if isinstance(value, UUID):
            return str(value)
        if isinstance(value, str):
            self._text(value)
            return value
        if isinstance(value, int):
            self._digits(value)
            return value  # of a subclass, an enumeration for one
        deeper(depth, self._services)
        if isinstance(value, Function):
            raise EvaluationError(f"{_words(path)} is an arrow function, which JSON cannot write")
        refuse_stream(value)
        plain = plainer(value)
        if plain is not value:
            return self.of(plain, path, depth + 1)
        raise EvaluationError(
            f"{_words(path)} is of type {type_name(value)}, which JSON cannot write"
        )


def _plain_decimal(value: Decimal, path: Path) -> Any:
    if not value.is_finite():
        raise EvaluationError(f"{_words(path)} is {value}, which JSON cannot write")
    number = float(value)
    if not math.isfinite(number) or Decimal(float.__repr__(number)) != value:
        return str(value)
    return int(value) if number.is_integer() and abs(number) < 1e21 else number


def _words(path: Path) -> str:
    """``$.a[0].b``; of a long path the middle is left out. A long key is described, since it may be a secret."""
    keys: list[str] = []
    while path is not None:
        path, key = path
        keys.append(f"[{key}]" if isinstance(key, int) else f".{_key(str(key))}")
    keys.reverse()
    if len(keys) > 2 * _ENDS:
        keys = [*keys[:_ENDS], "…", *keys[-_ENDS:]]
    return "$" + "".join(keys)


def _key(key: str) -> str:
    return key if len(key) <= 40 else f"(a key of {len(key):,} characters)"


def decode_json(text: str, services: Services | None = None) -> Any:
    """The value of a JSON text; raises NotJson with line and column.

    With ``services``, of an evaluation, what reading it costs is counted before it is read.
    """
    if services is not None:
        services.spend_scan(len(text))
        services.spend(sum(text.count(sign) for sign in ",[{") * 5)
    from .json_pieces import read_json

    look = None if services is None else partial(services.foresee, 0)
    try:
        return read_json(text, _decoder(), look)
    except json.JSONDecodeError as exc:
        raise NotJson(f"the text is not valid JSON: {exc}", exc.pos) from None
    except RecursionError:
        raise LimitExceeded("the JSON nests too deeply") from None


@cache
def _decoder() -> json.JSONDecoder:
    from .json_numbers import make_decoder

    return make_decoder(_read_int)


def _read_int(digits: str) -> int:
    if len(digits) > 1240:
        raise LimitExceeded("an integer of the JSON has too many digits")
    return int(digits)
