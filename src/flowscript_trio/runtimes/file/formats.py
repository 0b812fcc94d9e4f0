"""Owns the formats of files: an open file → value and value → bytes."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, BinaryIO

from ...expression import bulk, encode_json, written_text
from ...expression.tabular.tables import PLAIN, Dialect, encode_csv
from ...types.errors import EvaluationError, FlowScriptError
from .books import encode_book, read_parts
from .records import Records, Texts, decode_json_text
from .types import Form
from .yaml import decode_yaml, encode_yaml

LISTS = (list, tuple, range)
CHUNK = 256 * 1024
"""Bytes that are read at once of a file of records: what is kept of one is its items, never all of its text."""
_LINE_END = re.compile(r"\r\n|\n|\r")


def read(
    file: BinaryIO,
    form: Form,
    name: str,
    *,
    encoding: str | None = None,
    dialect: Dialect = PLAIN,
    types: Mapping[str, str] = MappingProxyType({}),
    sheet: str | None = None,
) -> Any:
    """The content of an open file in that format; ``name`` is for messages.

    Without an encoding it is that of the byte order mark, else UTF-8.

    Raises FlowScriptError with line and column for what is not of the format.
    """
    match form:
        case "bytes":
            return file.read()
        case "xlsx" | "parquet":
            return [row for part in read_parts(file, form, name, sheet) for row in part]
        case "csv" | "tsv" | "jsonl" | "lines":
            records = Records(
                form, name, encoding=encoding, dialect=dialect, types=types, longest=None
            )
            items: list[Any] = []
            while data := file.read(CHUNK):
                items += records.feed(data)
            items += records.feed(b"", last=True)
            return items
    text = bulk.grown(_texts_of(file, Texts(repr(name), encoding)))
    match form:
        case "text":
            return text
        case "json":
            return decode_json_text(text, name, 1)
        case "yaml":
            return decode_yaml(text, name)


def _texts_of(file: BinaryIO, texts: Texts) -> Iterator[str]:
    while data := file.read(CHUNK):
        yield texts.feed(data)
    yield texts.feed(b"", last=True)


def encode(
    value: Any,
    form: Form,
    *,
    pretty: bool,
    columns: list[str] | None = None,
    encoding: str = "utf-8",
    dialect: Dialect = PLAIN,
    sheet: str | None = None,
) -> bytes:
    """A value in that format; raises EvaluationError or FlowScriptError for what it cannot hold.

    ``columns`` are those of the csv file that the rows are added to: they get no header then.
    """
    if form == "bytes" and isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    if form == "xlsx" or form == "parquet":
        return encode_book(value, form, sheet)
    with _refusing_characters():
        return bulk.encode_text(encode_text(value, form, pretty, columns, dialect), encoding)


class Encoder:
    """Encodes a text that comes in parts."""

    def __init__(self, encoding: str) -> None:
        self._encoder = codecs.getincrementalencoder(encoding)()

    def encode(self, text: str) -> bytes:
        """The next part; raises FlowScriptError for what the encoding cannot hold."""
        with _refusing_characters():
            return self._encoder.encode(text)


@contextmanager
def _refusing_characters() -> Iterator[None]:
    try:
        yield
    except UnicodeEncodeError as exc:
        odd = exc.object[exc.start]
        what = (
            "half of a surrogate pair, which" if "\ud800" <= odd <= "\udfff" else "a character that"
        )
        raise FlowScriptError(f"{odd!r} is {what} {exc.encoding.upper()} cannot write") from None


def encode_text(
    value: Any,
    form: Form,
    pretty: bool,
    columns: list[str] | None = None,
    dialect: Dialect = PLAIN,
    first: int = 0,
) -> str:
    """A value as the text of a file; ``first`` is the number of its first item, for messages."""
    match form:
        case "json":
            return bulk.write_json(value, encode_json, 2 if pretty else None) + "\n"
        case "jsonl":
            return "".join(encode_json(item) + "\n" for item in _items(value))
        case "yaml":
            return encode_yaml(value)
        case "csv" | "tsv":
            return encode_csv(value, columns, dialect, first)
        case "lines":
            return _join_lines(value, first)
        case _:
            return written_text(value)


def _items(value: Any) -> Any:
    return value if isinstance(value, LISTS) else [value]


def _join_lines(value: Any, first: int) -> str:
    lines = [_line(item, number) for number, item in enumerate(_items(value), first)]
    for number, line in enumerate(lines, first):
        if _LINE_END.search(line):
            raise FlowScriptError(
                f"item {number} has a line break in it; expected one line for each item"
            )
    return "".join(line + "\n" for line in lines)


def _line(item: Any, number: int) -> str:
    try:
        return written_text(item)
    except EvaluationError as exc:
        exc.add_note(f"in item {number}")
        raise
