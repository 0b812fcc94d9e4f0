"""Owns csv: a header and rows of texts. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any, TextIO

from ...expression import to_text
from ...types.errors import FlowScriptError, nearest

_FIELD = 64 * 1024 * 1024  # characters of one field; Python's own bound is too small for real work
csv.field_size_limit(max(csv.field_size_limit(), _FIELD))


def decode_csv(text: str, name: str) -> list[dict[str, str]]:
    """A list of one dict of texts for each row, by the columns of the header; empty lines are none."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, None)
        if header is None:
            return []
        for column in header:
            if header.count(column) > 1:
                raise FlowScriptError(f"{name}:1: the header has the column {column!r} twice")
        rows = []
        for row in reader:
            if not row:
                continue
            if len(row) != len(header):
                raise FlowScriptError(
                    f"{name}:{reader.line_num}: the row has not the {len(header)} columns of the "
                    f"header, but {len(row)}"
                )
            rows.append(dict(zip(header, row, strict=True)))
        return rows
    except csv.Error as exc:
        raise FlowScriptError(f"{name}:{reader.line_num}: no CSV: {exc}") from None


def read_header(file: TextIO) -> list[str] | None:
    """The columns of a csv file, or None for an empty one."""
    return next(csv.reader(file), None)


def encode_csv(value: Any, columns: list[str] | None = None) -> str:
    """A mapping, or a list of mappings, as rows under a header of all their keys, in the order first seen.

    With ``columns``, those of a file that is added to, there is no header, and a key that is none of them
    is an error. A key that a row lacks gives an empty field.
    """
    rows = value if isinstance(value, (list, tuple)) else [] if value is None else [value]
    names: dict[str, None] = {}
    for number, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise FlowScriptError(f"row {number} is no object; a csv file takes a list of objects")
        names.update(dict.fromkeys(map(to_text, row)))
    if columns is not None:
        _check_columns(rows, columns)
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    header = list(names) if columns is None else columns
    if columns is None and header:
        writer.writerow(header)
    for row in rows:
        fields = {to_text(key): to_text(item) for key, item in row.items()}
        writer.writerow([fields.get(column, "") for column in header])
    return out.getvalue()


def _check_columns(rows: Any, columns: list[str]) -> None:
    for number, row in enumerate(rows):
        for key in map(to_text, row):
            if key not in columns:
                near = nearest(key, columns)
                hint = f"; did you mean {near!r}?" if near else ""
                raise FlowScriptError(
                    f"row {number} has the key {key!r}, which is no column of the file{hint}"
                )
