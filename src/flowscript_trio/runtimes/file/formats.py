"""Owns the formats of files: bytes → value and value → bytes. Pure."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from ...expression import encode_json, to_text
from ...types.errors import FlowScriptError
from .tables import decode_csv, encode_csv
from .types import Form
from .yaml import decode_yaml, encode_yaml

LISTS = (list, tuple, range)
_LINE_END = re.compile(r"\r\n|\n|\r")
_DIGITS = 4000  # of an integer: Python refuses to read more than 4,300


def decode(data: bytes, form: Form, name: str) -> Any:
    """The content of a file in that format; ``name`` is for messages.

    Raises FlowScriptError with line and column for what is not of the format.
    """
    if form == "bytes":
        return data
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise FlowScriptError(
            f"{name!r} is no UTF-8 text (byte {exc.start}); expected format=bytes"
        ) from None
    match form:
        case "text":
            return text
        case "lines":
            return _split_lines(text)
        case "json":
            return _decode_json(text, name, 1)
        case "jsonl":
            lines = enumerate(text.split("\n"), 1)
            return [_decode_json(line, name, number) for number, line in lines if line.strip()]
        case "yaml":
            return decode_yaml(text, name)
        case "csv":
            return decode_csv(text, name)


def encode(value: Any, form: Form, *, pretty: bool, columns: list[str] | None = None) -> bytes:
    """A value in that format; raises EvaluationError or FlowScriptError for what it cannot hold.

    ``columns`` are those of the csv file that the rows are added to: they get no header then.
    """
    try:
        return _encode_text(value, form, pretty, columns)
    except UnicodeEncodeError as exc:
        raise FlowScriptError(
            f"{exc.object[exc.start]!r} is half of a surrogate pair, which UTF-8 cannot write"
        ) from None


def _encode_text(value: Any, form: Form, pretty: bool, columns: list[str] | None) -> bytes:
    match form:
        case "json":
            text = encode_json(value, 2 if pretty else None) + "\n"
        case "jsonl":
            text = "".join(encode_json(item) + "\n" for item in _items(value))
        case "yaml":
            text = encode_yaml(value)
        case "csv":
            text = encode_csv(value, columns)
        case "lines":
            text = _join_lines(value)
        case "text":
            text = to_text(value)
        case "bytes":
            if isinstance(value, (bytes, bytearray, memoryview)):
                return bytes(value)
            text = to_text(value)
    return text.encode()


def _items(value: Any) -> Any:
    return value if isinstance(value, LISTS) else [value]


def _split_lines(text: str) -> list[str]:
    """The lines without their ends (of any system); an end at the end of the text begins no further line."""
    lines = _LINE_END.split(text)
    return lines if lines[-1] else lines[:-1]


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
        return json.loads(text, parse_constant=_refuse_constant, parse_int=_read_int)
    except json.JSONDecodeError as exc:
        place = f"{name}:{line + exc.lineno - 1}:{exc.colno}"
        raise FlowScriptError(f"{place}: no JSON: {exc.msg}") from None
    except ValueError as exc:
        raise FlowScriptError(f"{name}:{line}: no JSON: {exc}") from None
    except RecursionError:
        raise FlowScriptError(f"{name}:{line}: the JSON nests too deep") from None


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON number")


def _read_int(digits: str) -> int:
    if len(digits) > _DIGITS:
        raise ValueError(f"an integer of more than {_DIGITS:,} digits")
    return int(digits)
