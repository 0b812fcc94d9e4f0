"""Owns files of many records (csv, jsonl, lines): bytes that come in pieces become items. Pure."""

from __future__ import annotations

import codecs
import json
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Literal, Protocol

from ...expression.json_pieces import read_json
from ...expression.tabular.columns import readers_of
from ...expression.tabular.rows import CsvRows
from ...expression.tabular.tables import LONGEST, PLAIN, Dialect
from ...types.errors import FlowScriptError

RecordForm = Literal["csv", "tsv", "jsonl", "lines"]
RECORD_FORMS: tuple[RecordForm, ...] = ("csv", "tsv", "jsonl", "lines")
"""Formats of one record after another."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before that of UTF-16, with which it begins
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MARK = 4  # bytes of the longest mark


class Parts(Protocol):
    """Takes the text of a file piece by piece; gives the items that are whole with each."""

    def feed(self, text: str, last: bool = False) -> list[Any]: ...


class Texts:
    """Takes the bytes of a text piece by piece.

    Without an encoding it is that of the byte order mark, and without such a mark ``otherwise``.

    ``subject`` is what messages call it, and ``advice`` what to do about bytes that are not of the encoding.
    """

    def __init__(
        self,
        subject: str,
        encoding: str | None = None,
        advice: str = "expected the setting encoding, or format=bytes",
        otherwise: str = "utf-8",
    ) -> None:
        self._subject = subject
        self._advice = advice
        self._encoding = encoding
        self._otherwise = otherwise
        self._decoder: codecs.IncrementalDecoder | None = None
        self._start = b""
        self._begun = False
        self._passed = 0

    def feed(self, data: bytes, last: bool = False) -> str:
        """The text that is whole with the next bytes; raises FlowScriptError for what is not of the encoding."""
        if self._decoder is None:
            data = self._start + data
            if not last and len(data) < _MARK and self._encoding is None:
                self._start = data
                return ""
            self._start = b""
            self._encoding = self._encoding or marked(data) or self._otherwise
            self._decoder = codecs.getincrementaldecoder(self._encoding)()
        kept = self._decoder.getstate()[0]
        try:
            text = self._decoder.decode(data, last)
        except UnicodeError as exc:
            raise self._refused(exc, len(kept)) from None
        self._passed += len(data)
        if text and not self._begun:
            self._begun = True
            text = text.removeprefix("\ufeff")
        return text

    def _refused(self, error: UnicodeError, kept: int) -> FlowScriptError:
        at = ""
        if isinstance(error, UnicodeDecodeError):
            at = f" (byte {self._passed - kept + error.start})"
        coding = str(self._encoding).removesuffix("-sig").upper()
        return FlowScriptError(f"{self._subject} is not {coding} text{at}; {self._advice}")


def marked(data: bytes) -> str | None:
    """The encoding of the byte order mark at the beginning of a text; None where there is no mark."""
    return next((coding for mark, coding in _MARKS if data.startswith(mark)), None)


class Lines:
    """The lines of a text without their ends (of any system); an end at the end begins no further line."""

    def __init__(self, name: str, longest: int | None = None) -> None:
        self._joined = _Joined(name, longest)
        self._return = False

    def feed(self, text: str, last: bool = False) -> list[str]:
        if self._return:
            text = "\r" + text
        self._return = not last and text.endswith("\r")  # it may be half of a line end
        if self._return:
            text = text[:-1]
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        return self._joined.feed(text, last)


class JsonLines:
    """The values of a text with one JSON value in each line; empty lines are skipped."""

    def __init__(self, name: str, longest: int | None = None) -> None:
        self._name = name
        self._joined = _Joined(name, longest)
        self._line = 0

    def feed(self, text: str, last: bool = False) -> list[Any]:
        items: list[Any] = []
        for line in self._joined.feed(text, last):
            self._line += 1
            if line and not line.isspace():
                items.append(decode_json_text(line, self._name, self._line))
        return items


class _Joined:
    """Lines that end with a line feed, each once it is whole, of ``longest`` characters at most."""

    def __init__(self, name: str, longest: int | None) -> None:
        self._name = name
        self._longest = longest
        self._begun: list[str] = []
        self._size = 0
        self._count = 0

    def feed(self, text: str, last: bool) -> list[str]:
        *lines, rest = text.split("\n")
        if lines:
            lines[0] = "".join([*self._begun, lines[0]])
            self._begun.clear()
            self._size = 0
        self._begun.append(rest)
        self._size += len(rest)
        self._count += len(lines)
        if self._longest is not None and self._size > self._longest:
            raise FlowScriptError(
                f"{self._name}:{self._count + 1}: a line of more than {self._longest:,} characters"
            )
        if last and self._size:
            lines.append("".join(self._begun))
        return lines


class Records:
    """Takes the bytes of a file of records piece by piece, and gives the items that are whole with each.

    Args:
        form: the format of the file.
        name: what the file is called in messages.
        encoding: of its text; None: that of its byte order mark, else UTF-8.
        dialect: how a csv file is written.
        types: of the columns of a csv file.
        longest: characters that a line may have; None: any number.
    """

    def __init__(
        self,
        form: RecordForm,
        name: str,
        *,
        encoding: str | None = None,
        dialect: Dialect = PLAIN,
        types: Mapping[str, str] = MappingProxyType({}),
        longest: int | None = LONGEST,
    ) -> None:
        self._texts = Texts(repr(name), encoding)
        self._parts = make_parts(form, name, dialect, types, longest)

    def feed(self, data: bytes, last: bool = False) -> list[Any]:
        """The next items; raises FlowScriptError with the line of what is not of the format."""
        return self._parts.feed(self._texts.feed(data, last), last)


def make_parts(
    form: str,
    name: str,
    dialect: Dialect = PLAIN,
    types: Mapping[str, str] = MappingProxyType({}),
    longest: int | None = LONGEST,
) -> Parts:
    """What takes the text of that format, one of ``RECORD_FORMS``; the rest as for :class:`Records`."""
    if form == "jsonl":
        return JsonLines(name, longest)
    if form == "lines":
        return Lines(name, longest)
    if form == "tsv" and dialect.delimiter is None:
        dialect = replace(dialect, delimiter="\t")
    return CsvRows(name, dialect, readers_of(types))


def decode_json_text(text: str, name: str, line: int) -> Any:
    """The value of a JSON text that begins in that line; raises FlowScriptError with line and column."""
    try:
        return read_json(text)
    except json.JSONDecodeError as exc:
        place = f"{name}:{line + exc.lineno - 1}:{exc.colno}"
        raise FlowScriptError(f"{place}: not valid JSON: {exc.msg}") from None
    except RecursionError:
        raise FlowScriptError(f"{name}:{line}: the JSON nests too deeply") from None
