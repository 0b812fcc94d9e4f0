"""Owns the formats of files: bytes → value and value → bytes. Pure."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

from ...expression import encode_json, to_text
from ...types.errors import FlowScriptError

LISTS = (list, tuple, range)


def decode(data: bytes, form: str, name: str) -> Any:
    """The content of a file in that format; ``name`` is for messages."""
    if form == "bytes":
        return data
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise FlowScriptError(
            f"{name!r} is no UTF-8 text (byte {exc.start}); expected format=bytes"
        ) from None
    if form == "text":
        return text
    if form == "lines":
        return text.splitlines()
    if form == "json":
        return _json(text, name, 1)
    if form == "jsonl":
        lines = enumerate(text.split("\n"), 1)
        return [_json(line, name, number) for number, line in lines if line.strip()]
    if form == "yaml":
        return _yaml(text, name)
    assert form == "csv"
    return _csv(text, name)


def _json(text: str, name: str, line: int) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as exc:
        place = f"{name}:{line + exc.lineno - 1}:{exc.colno}"
        raise FlowScriptError(f"{place}: no JSON: {exc.msg}") from None
    except RecursionError:
        raise FlowScriptError(f"{name}: the JSON nests too deep") from None


def _yaml(text: str, name: str) -> Any:
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as exc:
        mark = getattr(exc, "problem_mark", None)
        place = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
        raise FlowScriptError(f"{place}: no YAML: {getattr(exc, 'problem', exc)}") from None


def _csv(text: str, name: str) -> list[dict[str, str]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    rows = []
    try:
        for row in reader:
            if None in row or None in row.values():
                raise FlowScriptError(
                    f"{name}:{reader.line_num}: the row has not the {len(reader.fieldnames or ())} "
                    "columns of the header"
                )
            rows.append(dict(row))
    except csv.Error as exc:
        raise FlowScriptError(f"{name}:{reader.line_num}: no CSV: {exc}") from None
    return rows


def encode(value: Any, form: str, *, pretty: bool, header: bool = True) -> bytes:
    """A value in that format; raises EvaluationError or FlowScriptError for what it cannot hold."""
    if form == "json":
        return (encode_json(value, 2 if pretty else None) + "\n").encode()
    if form == "jsonl":
        items = value if isinstance(value, LISTS) else [value]
        return "".join(encode_json(item) + "\n" for item in items).encode()
    if form == "yaml":
        import yaml

        plain = json.loads(encode_json(value))
        return bytes(yaml.safe_dump(plain, allow_unicode=True, sort_keys=False).encode())
    if form == "csv":
        return _encode_csv(value, header).encode()
    if form == "lines":
        items = value if isinstance(value, LISTS) else [value]
        return "".join(to_text(item) + "\n" for item in items).encode()
    if form == "bytes" and isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    return to_text(value).encode()


def _encode_csv(value: Any, header: bool) -> str:
    rows: Sequence[Any] = value if isinstance(value, LISTS) else [] if value is None else [value]
    names: dict[str, None] = {}
    for number, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise FlowScriptError(f"row {number} is no object; a csv file takes a list of objects")
        names.update(dict.fromkeys(map(str, row)))
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(names), lineterminator="\n")
    if header and names:
        writer.writeheader()
    for row in rows:
        writer.writerow({str(name): to_text(item) for name, item in row.items()})
    return out.getvalue()
