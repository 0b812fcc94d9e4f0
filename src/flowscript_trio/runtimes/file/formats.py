"""Owns the formats of files: bytes → value and value → bytes. Pure."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Mapping
from functools import cache
from itertools import chain
from types import MappingProxyType
from typing import Any, NoReturn

from ...expression import encode_json, to_text
from ...expression.bulk import decode_text, encode_text, read_json, whole_lines, write_json
from ...types.errors import FlowScriptError
from .columns import readers_of
from .tables import PLAIN, Dialect, decode_csv, encode_csv
from .types import Form
from .yaml import decode_yaml, encode_yaml

LISTS = (list, tuple, range)
_LINE_END = re.compile(r"\r\n|\n|\r")
_DIGITS = 4000  # of an integer: Python refuses to read more than 4,300


_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before that of UTF-16, with which it begins
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def decode(
    data: bytes,
    form: Form,
    name: str,
    *,
    encoding: str | None = None,
    dialect: Dialect = PLAIN,
    types: Mapping[str, str] = MappingProxyType({}),
) -> Any:
    """The content of a file in that format; ``name`` is for messages.

    Without an encoding it is that of the byte order mark, else UTF-8.

    Raises FlowScriptError with line and column for what is not of the format.
    """
    if form == "bytes":
        return data
    coding = encoding or next((one for mark, one in _MARKS if data.startswith(mark)), "utf-8")
    try:
        text = decode_text(data, coding).removeprefix("\ufeff")
    except UnicodeError as exc:
        at = f" (byte {exc.start})" if isinstance(exc, UnicodeDecodeError) else ""
        raise FlowScriptError(
            f"{name!r} is not {coding.removesuffix('-sig').upper()} text{at}; "
            "expected the setting encoding, or format=bytes"
        ) from None
    match form:
        case "text":
            return text
        case "lines":
            return _split_lines(text)
        case "json":
            return _decode_json(text, name, 1)
        case "jsonl":
            lines = enumerate(chain.from_iterable(map(_lines_of, whole_lines(text))), 1)
            return [_decode_json(line, name, number) for number, line in lines if line.strip()]
        case "yaml":
            return decode_yaml(text, name)
        case "csv" | "tsv":
            return decode_csv(text, name, dialect, readers_of(types))


def encode(
    value: Any,
    form: Form,
    *,
    pretty: bool,
    columns: list[str] | None = None,
    encoding: str = "utf-8",
    dialect: Dialect = PLAIN,
) -> bytes:
    """A value in that format; raises EvaluationError or FlowScriptError for what it cannot hold.

    ``columns`` are those of the csv file that the rows are added to: they get no header then.
    """
    try:
        if form == "bytes" and isinstance(value, (bytes, bytearray, memoryview)):
            return bytes(value)
        return encode_text(_encode_text(value, form, pretty, columns, dialect), encoding)
    except UnicodeEncodeError as exc:
        odd = exc.object[exc.start]
        what = (
            "half of a surrogate pair, which" if "\ud800" <= odd <= "\udfff" else "a character that"
        )
        raise FlowScriptError(f"{odd!r} is {what} {exc.encoding.upper()} cannot write") from None


def _encode_text(
    value: Any, form: Form, pretty: bool, columns: list[str] | None, dialect: Dialect
) -> str:
    match form:
        case "json":
            text = encode_json(value, 2) if pretty else write_json(value, encode_json)
            return text + "\n"
        case "jsonl":
            return "".join(encode_json(item) + "\n" for item in _items(value))
        case "yaml":
            return encode_yaml(value)
        case "csv" | "tsv":
            return encode_csv(value, columns, dialect)
        case "lines":
            return _join_lines(value)
        case "text" | "bytes":
            return to_text(value)


def _items(value: Any) -> Any:
    return value if isinstance(value, LISTS) else [value]


def _split_lines(text: str) -> list[str]:
    """The lines without their ends (of any system); an end at the end of the text begins no further line."""
    lines: list[str] = []
    for piece in whole_lines(text):
        lines += _LINE_END.split(piece)
        if not lines[-1]:
            lines.pop()
    return lines


def _lines_of(piece: str) -> list[str]:
    return piece.removesuffix("\n").split("\n")


def _join_lines(value: Any) -> str:
    lines = [to_text(item) for item in _items(value)]
    for number, line in enumerate(lines):
        if _LINE_END.search(line):
            raise FlowScriptError(
                f"item {number} has a line break in it; expected one line for each item"
            )
    return "".join(line + "\n" for line in lines)


def _decode_json(text: str, name: str, line: int) -> Any:
    try:
        return read_json(text, _decoder())
    except json.JSONDecodeError as exc:
        place = f"{name}:{line + exc.lineno - 1}:{exc.colno}"
        raise FlowScriptError(f"{place}: not valid JSON: {exc.msg}") from None
    except ValueError as exc:
        raise FlowScriptError(f"{name}:{line}: not valid JSON: {exc}") from None
    except RecursionError:
        raise FlowScriptError(f"{name}:{line}: the JSON nests too deep") from None


@cache
def _decoder() -> json.JSONDecoder:
    return json.JSONDecoder(parse_constant=_refuse_constant, parse_int=_read_int)


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a JSON number")


def _read_int(digits: str) -> int:
    if len(digits) > _DIGITS:
        raise ValueError(f"an integer of more than {_DIGITS:,} digits")
    return int(digits)
