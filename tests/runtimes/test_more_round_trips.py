"""Owns tests that generated values come back from what is not whole files of text: cells, columns of PostgreSQL,
streams, functions, and the other bodies of HTTP.
"""

from __future__ import annotations

import email
import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, time
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import openpyxl
import pyarrow
import pytest
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

import flowscript_trio as fs
from flowscript_trio.expression import to_text
from flowscript_trio.runtimes.file.books import encode_book, read_parts

from loopback import Answer, Seen, loopback
from postgresql import needs_postgresql
from roundtrips import (
    ANY,
    AT_ONCE,
    EXAMPLES,
    TEXTS,
    column_of,
    has,
    is_odd_float,
    runs,
    same,
    tables,
)

rows_of_cells = settings(
    max_examples=max(EXAMPLES // 10, 20),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
"""Of rows with many values."""
few = settings(runs, max_examples=max(EXAMPLES // AT_ONCE // 2, 2))
PLAIN = ANY.filter(lambda value: not has(value, is_odd_float))

# ---- cells ----

CELL_TEXTS = st.text(
    st.characters(min_codepoint=32, max_codepoint=0xD7FF, exclude_characters="\x7f"), min_size=1, max_size=8
)  # fmt: skip
MOMENTS = st.datetimes(datetime(1901, 1, 1), datetime(9999, 1, 1)).map(
    lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000)
)
CELLS = (
    st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False)
    | CELL_TEXTS
    | MOMENTS
)
COLUMNS = {
    "a": st.none() | st.booleans(),
    "b": st.none() | st.integers(-(2**63), 2**63 - 1),
    "c": st.none() | st.floats(allow_nan=False),
    "d": st.none() | TEXTS,
    "e": st.none() | st.binary(max_size=9),
    "f": st.none() | st.datetimes(),
    "g": st.none() | st.dates(),
    "h": st.none() | st.lists(st.integers(-9, 9), max_size=3),
}
"""Of parquet, whose columns have one type each."""


def near(one: Any, other: Any) -> bool:
    """Whether a cell holds the value: a spreadsheet keeps a moment as a number of days."""
    if isinstance(one, datetime) and isinstance(other, datetime):
        return abs((one - other).total_seconds()) < 0.001
    return same(one, other)


@rows_of_cells
@given(
    st.lists(st.fixed_dictionaries({"a": CELLS, "b": CELLS, "c": CELLS}), min_size=1, max_size=5)
)
def test_rows_come_back_from_a_sheet_and_openpyxl_reads_the_same(
    rows: list[dict[str, Any]],
) -> None:
    data = encode_book(rows, "xlsx", None)
    found = [row for part in read_parts(io.BytesIO(data), "xlsx", "a", None) for row in part]
    sheet = openpyxl.load_workbook(io.BytesIO(data)).active
    assert sheet is not None
    header, *others = sheet.iter_rows(values_only=True)
    for read in (found, [dict(zip(header, row, strict=True)) for row in others]):
        assert len(read) == len(rows)
        for one, other in zip(rows, read, strict=True):
            assert all(near(one[key], other[key]) for key in one)


@rows_of_cells
@given(st.lists(st.fixed_dictionaries(COLUMNS), min_size=1, max_size=5))
def test_rows_come_back_from_parquet_and_pyarrow_reads_the_same(rows: list[dict[str, Any]]) -> None:
    data = encode_book(rows, "parquet", None)
    found = [row for part in read_parts(io.BytesIO(data), "parquet", "a", None) for row in part]
    assert found == rows
    assert parquet.read_table(pyarrow.BufferReader(data)).to_pylist() == rows


# ---- PostgreSQL ----


def in_order(value: Any) -> Any:
    """A value whose objects have their keys in one order, which jsonb does not keep."""
    if isinstance(value, dict):
        return {key: in_order(value[key]) for key in sorted(value)}
    return list(map(in_order, value)) if isinstance(value, list) else value


def plain_text(value: Any) -> bool:
    return isinstance(value, str) and "\x00" in value


HELD = PLAIN.filter(lambda value: not has(value, plain_text))
RANGES = st.tuples(st.integers(-99, 0), st.integers(1, 99)).map(
    lambda ends: f"[{ends[0]},{ends[1]})"
)


@needs_postgresql
@pytest.mark.parametrize(
    ("kind", "strategy", "held"),
    [
        ("json", HELD, lambda value: value),
        ("jsonb", HELD, in_order),
        ("jsonb[]", st.lists(HELD, max_size=3), in_order),
        ("timestamp", st.datetimes(), lambda value: value),
        ("time", st.times(), lambda value: value),
        ("inet", st.ip_addresses(v=4).map(str), lambda value: str(IPv4Address(value))),
        ("int4range", RANGES, lambda value: value),
        ("int4[]", st.lists(st.none() | st.integers(-(2**31), 2**31 - 1), max_size=4), lambda value: value),
    ],
    ids=lambda found: found if isinstance(found, str) else "",
)  # fmt: skip
def test_what_columns_hold_comes_back_by_insert_by_copy_and_by_stream(
    kind: str, strategy: st.SearchStrategy[Any], held: Callable[[Any], Any]
) -> None:
    each = '<foreach id="e" collection="x" batch="1000" merge="concat"><set var="y" value="{{item}}"/></foreach>'
    with column_of(kind) as column:

        @few
        @given(st.lists(st.none() | strategy, min_size=AT_ONCE, max_size=AT_ONCE))
        def there_and_back(items: list[Any]) -> None:
            column.fill(items)
            wanted = [None if value is None else held(value) for value in items * 11]
            for body in (column.source(), column.source('stream="true"') + each):
                found = [row["v"] for row in column.run(body)]
                assert all(map(same_held, wanted, [None if v is None else held(v) for v in found]))
                assert len(found) == len(wanted)

        there_and_back()


def same_held(one: Any, other: Any) -> bool:
    return one == other if isinstance(one, (datetime, time)) else same(one, other)


# ---- streams and functions ----


@contextmanager
def folder() -> Iterator[Path]:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as name:
        yield Path(name)


@few
@given(st.lists(PLAIN, min_size=AT_ONCE, max_size=AT_ONCE))
def test_items_come_through_streams_from_file_to_file(items: list[Any]) -> None:
    flow = fs.loads(
        '<workflow name="w"><source:file id="a" path="a.jsonl" stream="true"/>'
        '<sink:file id="b" path="b.jsonl" input="a"/>'
        '<source:file id="c" path="b.jsonl" stream="true" after="b"/>'
        '<foreach id="d" collection="c" batch="7" merge="concat"><set var="x" value="{{item}}"/></foreach>'
        "</workflow>"
    )
    with folder() as base:
        lines = "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items)
        (base / "a.jsonl").write_text(lines, encoding="utf-8", newline="")
        assert same(items, trio.run(lambda: fs.run(flow, base=base)).output)


@few
@given(st.lists(tables(), min_size=AT_ONCE // 5, max_size=AT_ONCE // 5), st.sampled_from(",;\t|"))
def test_tables_come_back_from_the_functions_that_write_and_read_them(
    items: list[Any], delimiter: str
) -> None:
    options = f"{{delimiter: {json.dumps(delimiter)}}}"
    flow = fs.loads(
        '<workflow name="w"><transform:map id="m"><expression><![CDATA['
        f"csv_decode(csv_encode(item, {options}), {options})]]></expression></transform:map></workflow>"
    )
    texts = [
        [{key: to_text(value) for key, value in row.items()} for row in rows] for rows in items
    ]
    assert trio.run(lambda: fs.run(flow, input=items)).output == texts


@few
@given(st.lists(PLAIN, min_size=AT_ONCE, max_size=AT_ONCE))
def test_values_come_back_from_json_in_expressions_and_templates(items: list[Any]) -> None:
    flow = fs.loads(
        '<workflow name="w"><transform:map id="m" expression="json_decode(json_encode(item))"/>'
        '<transform:template id="t" format="json"><template>{"all": {{m}}}</template></transform:template>'
        "</workflow>"
    )
    assert same({"all": items}, trio.run(lambda: fs.run(flow, input=items)).output)


# ---- HTTP ----

WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=8)
BODIES = st.fixed_dictionaries(
    {
        "text": TEXTS.filter(lambda text: not text.startswith("\ufeff")),
        "bytes": st.binary(min_size=1, max_size=40),
        "fields": st.dictionaries(WORDS, WORDS | st.integers(), min_size=1, max_size=3),
    }
)


@few
@given(st.lists(BODIES, min_size=AT_ONCE // 5, max_size=AT_ONCE // 5))
def test_other_bodies_are_what_a_server_reads_of_them(items: list[dict[str, Any]]) -> None:
    flow = fs.loads(
        '<workflow name="w"><foreach id="f" collection="$input">'
        '<sink:http id="t" url="{{$config.base}}/text" body="{{item.text}}"/>'
        '<sink:http id="b" url="{{$config.base}}/bytes" body="{{item.bytes}}"/>'
        '<sink:http id="f1" url="{{$config.base}}/form" form="{{item.fields}}"/>'
        '<sink:http id="m" url="{{$config.base}}/parts" multipart="{f: {content: {{item.bytes}}}, t: x}"/>'
        '<source:http id="d" url="{{$config.base}}/bytes" download="d.bin"/>'
        '<sink:http id="u" url="{{$config.base}}/upload" upload="d.bin"/>'
        '<source:http id="r" url="{{$config.base}}/text" format="text"/>'
        '<source:http id="q" url="{{$config.base}}/upload" params="{{item.fields}}" format="bytes"/>'
        '<set var="x" value="{{[r, q]}}"/></foreach></workflow>'
    )

    async def main(base: Path) -> None:
        kept: dict[str, Seen] = {}
        sent: list[dict[str, Seen]] = []

        async def keep(seen: Seen) -> Answer:
            if seen.method == "POST":
                kept[seen.path] = seen
                return Answer(200, b"")
            if "?" in seen.target:
                sent.append({**kept, "asked": seen})
            kind = "text/plain; charset=utf-8" if seen.path == "/text" else "x/y"
            return Answer(200, kept[seen.path].body, {"Content-Type": kind})

        async with loopback() as server:
            for path in ("text", "bytes", "form", "parts", "upload"):
                server.pages[f"/{path}"] = keep
            done = await fs.run(flow, config={"base": server.base}, input=items, base=base)
        assert done.output == [[item["text"], item["bytes"]] for item in items]
        for item, seen in zip(items, sent, strict=True):
            fields = [(key, str(value)) for key, value in item["fields"].items()]
            form = seen["/form"].body.decode("ascii")
            assert parse_qsl(form, keep_blank_values=True, strict_parsing=True) == fields
            query = seen["asked"].target.partition("?")[2]
            assert parse_qsl(query, keep_blank_values=True, strict_parsing=True) == fields
            assert seen["/upload"].body == item["bytes"]
            kind = seen["/parts"].headers["content-type"].encode()
            whole = email.message_from_bytes(
                b"Content-Type: " + kind + b"\r\n\r\n" + seen["/parts"].body
            )
            parts = {
                part.get_param("name", header="content-disposition"): part for part in whole.walk()
            }
            assert parts["f"].get_payload(decode=True) == item["bytes"]

    with folder() as base:
        trio.run(main, base)
