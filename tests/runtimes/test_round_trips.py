"""Owns tests that generated values come back as they were from every format, sink and source, or are refused."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy.exc
import trio
from hypothesis import example, given
from hypothesis import strategies as st

import flowscript_trio as fs
from flowscript_trio.expression import to_text
from flowscript_trio.expression.tabular.tables import Dialect
from flowscript_trio.runtimes.file.formats import encode, read

from loopback import Answer, Seen, loopback
from postgresql import URL, needs_postgresql
from roundtrips import ANY, AT_ONCE, TEXTS, column_of, has, is_odd_float, runs, same, tables, values

SURROGATES = st.text(st.characters(categories=["Cs"]), min_size=1, max_size=2)


# ---- files ----


@values
@given(ANY, st.booleans(), st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]))
@example({"a": "\ufeff"}, True, "utf-16")
def test_json_comes_back_and_the_json_module_reads_the_same(
    value: Any, pretty: bool, encoding: str
) -> None:
    if has(value, is_odd_float):
        with pytest.raises(fs.EvaluationError, match=r"(?s)^\$.* is (NaN|-?Infinity), which JSON"):
            encode(value, "json", pretty=pretty, encoding=encoding)
        return
    data = encode(value, "json", pretty=pretty, encoding=encoding)
    assert same(value, read(io.BytesIO(data), "json", "a.json"))
    assert same(value, json.loads(data.decode(encoding)))


@values
@given(st.lists(ANY, max_size=5))
def test_jsonl_comes_back_and_each_line_is_json(items: list[Any]) -> None:
    if has(items, is_odd_float):
        with pytest.raises(fs.EvaluationError, match="which JSON cannot write"):
            encode(items, "jsonl", pretty=True)
        return
    data = encode(items, "jsonl", pretty=True)
    assert same(items, read(io.BytesIO(data), "jsonl", "a.jsonl"))
    assert same(items, [json.loads(line) for line in data.decode().split("\n")[:-1]])


@values
@given(tables(), st.sampled_from([None, ",", ";", "\t", "|"]))
def test_csv_comes_back_as_texts_and_the_csv_module_reads_the_same(
    rows: list[dict[str, Any]], delimiter: str | None
) -> None:
    dialect = Dialect(delimiter=delimiter)
    texts = [{column: to_text(value) for column, value in row.items()} for row in rows]
    data = encode(rows, "csv", pretty=True, dialect=dialect)
    assert read(io.BytesIO(data), "csv", "a.csv", dialect=dialect) == texts
    reader = csv.DictReader(io.StringIO(data.decode(), newline=""), delimiter=delimiter or ",")
    if "\x00" not in data.decode():
        assert list(reader) == texts


@values
@given(st.lists(TEXTS, max_size=6))
def test_lines_come_back_or_the_item_with_a_line_break_is_named(items: list[str]) -> None:
    broken = next((n for n, item in enumerate(items) if "\n" in item or "\r" in item), None)
    if broken is not None:
        with pytest.raises(fs.FlowScriptError, match=f"item {broken} has a line break"):
            encode(items, "lines", pretty=True)
        return
    data = encode(items, "lines", pretty=True)
    first = items[0].removeprefix("\ufeff") if items else ""
    assert read(io.BytesIO(data), "lines", "a.log") == ([first, *items[1:]] if items else [])


@values
@given(TEXTS, st.binary(max_size=40), st.sampled_from(["utf-8-sig", "utf-16", "utf-32"]))
def test_text_and_bytes_come_back(text: str, data: bytes, encoding: str) -> None:
    if encoding == "utf-16":
        text = text.lstrip("\x00")  # with its byte order mark that would be the one of UTF-32
    written = encode(text, "text", pretty=True, encoding=encoding)
    assert read(io.BytesIO(written), "text", "a.txt") == text.removeprefix("\ufeff")
    assert read(io.BytesIO(encode(data, "bytes", pretty=True)), "bytes", "a.bin") == data


@values
@given(SURROGATES, st.sampled_from(["json", "jsonl", "yaml", "csv", "lines", "text"]))
def test_half_a_surrogate_pair_is_refused_by_every_format(text: str, form: Any) -> None:
    value: Any = [{"a": text}] if form in ("csv", "json", "jsonl", "yaml") else text
    with pytest.raises((fs.FlowScriptError, UnicodeEncodeError), match=r"surrogate"):
        encode(value, form, pretty=True)


# ---- databases ----


def sink_and_source(url: str, make: str) -> fs.Flow:
    return fs.loads(
        f'<workflow name="w"><source:database id="m" connection="{url}"><query>{make}</query>'
        f'</source:database><sink:database id="k" connection="{url}" table="r" after="m"/>'
        f'<source:database id="s" connection="{url}" after="k" query="SELECT v FROM r ORDER BY n"/>'
        "</workflow>"
    )


IN_SQLITE = (
    st.none()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | TEXTS
    | st.binary(max_size=20)
)


@runs
@given(st.lists(IN_SQLITE, min_size=AT_ONCE, max_size=AT_ONCE))
def test_what_sqlite_can_hold_comes_back(items: list[Any]) -> None:
    flow = sink_and_source("sqlite://", "CREATE TABLE r (n INTEGER, v)")
    rows = [{"n": number, "v": value} for number, value in enumerate(items)]
    found = trio.run(lambda: fs.run(flow, input=rows)).output
    assert [type(row["v"]) for row in found] == [type(value) for value in items]
    assert [row["v"] for row in found] == items


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (2**63, fs.FlowScriptError, "has no integers of more than 64 bits"),
        (float("nan"), fs.FlowScriptError, "SQLite cannot hold NaN"),
        ("\ud800", fs.FlowScriptError, "half of a surrogate pair"),
    ],
)
async def test_what_sqlite_cannot_hold_is_refused_with_its_row(
    value: Any, error: type[Exception], message: str
) -> None:
    flow = sink_and_source("sqlite://", "CREATE TABLE r (n INTEGER, v)")
    rows = [{"n": 0, "v": 1.5}, {"n": 1, "v": value}]
    with pytest.raises(error, match=message) as caught:
        await fs.run(flow, input=rows)
    assert "in input[1]" in caught.value.__notes__


@needs_postgresql
@pytest.mark.parametrize(
    ("kind", "strategy"),
    [
        ("text", TEXTS.filter(lambda text: "\x00" not in text)),
        ("int8", st.integers(-(2**63), 2**63 - 1)),
        ("float8", st.floats(allow_nan=False)),
        ("numeric", st.decimals(allow_nan=False, allow_infinity=False, places=5)),
        ("bool", st.booleans()),
        ("bytea", st.binary(max_size=20)),
        ("date", st.dates()),
        ("timestamptz", st.datetimes(timezones=st.just(UTC))),
        ("uuid", st.uuids()),
        ("text[]", st.lists(TEXTS.filter(lambda text: "\x00" not in text), max_size=3)),
    ],
    ids=lambda found: found if isinstance(found, str) else "",
)
def test_what_postgresql_can_hold_comes_back_by_insert_and_by_copy(
    kind: str, strategy: st.SearchStrategy[Any]
) -> None:
    with column_of(kind) as column:

        @runs
        @given(st.lists(st.none() | strategy, min_size=AT_ONCE, max_size=AT_ONCE))
        def there_and_back(items: list[Any]) -> None:
            column.fill(items)
            found = column.run(column.source())
            assert [row["v"] for row in found] == items * 11

        there_and_back()


@needs_postgresql
@pytest.mark.parametrize(
    ("kind", "value"), [("text", "\x00"), ("int8", 2**63), ("jsonb", "\x00"), ("date", "32 May")]
)
async def test_what_postgresql_cannot_hold_is_refused_with_its_row(kind: str, value: Any) -> None:
    flow = fs.loads(
        '<workflow name="w"><sink:database id="k" connection="{{$config.db}}" table="r"/></workflow>'
    )
    with pytest.raises((sqlalchemy.exc.SQLAlchemyError, fs.FlowScriptError)):
        await fs.run(flow, config={"db": URL}, input=[{"v": value}])


# ---- HTTP ----


@runs
@given(st.lists(ANY, min_size=AT_ONCE, max_size=AT_ONCE))
def test_json_comes_back_from_a_server_that_keeps_what_it_is_sent(items: list[Any]) -> None:
    flow = fs.loads(
        '<workflow name="w"><sink:http id="k" url="{{$config.base}}/x"/>'
        '<source:http id="s" url="{{$config.base}}/x" after="k"/></workflow>'
    )

    async def main() -> None:
        async with loopback() as server:

            async def keep(seen: Seen) -> Answer:
                if seen.method == "POST":
                    kept.append(seen.body)
                return Answer(200, kept[-1], {"Content-Type": "application/json"})

            kept: list[bytes] = []
            server.pages["/x"] = keep
            if has(items, is_odd_float):
                with pytest.raises(fs.EvaluationError, match="which JSON cannot write"):
                    await fs.run(flow, config={"base": server.base}, input=items)
                assert kept == []
                return
            done = await fs.run(flow, config={"base": server.base}, input=items)
            assert same(items, json.loads(kept[0]))
            assert same(items, done.output)

    trio.run(main)


# ---- files of others ----


def test_files_that_others_write_are_read_as_they_read_them(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rows = [{"a": 'x "y"', "b": "1,2\n3"}, {"a": "", "b": "é"}]
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["a", "b"])
        writer.writeheader()
        writer.writerows(rows)
    assert read(io.BytesIO(path.read_bytes()), "csv", "a.csv") == rows
    (tmp_path / "a.json").write_text(json.dumps(rows, indent=3))
    assert read(io.BytesIO((tmp_path / "a.json").read_bytes()), "json", "a.json") == rows


@pytest.mark.parametrize("form", ["json", "jsonl", "yaml", "csv", "tsv", "lines", "text"])
@pytest.mark.parametrize("value", [{1: "a", "1": "b"}, {True: "a", "true": "b"}])
def test_two_keys_that_are_one_as_text_are_refused_by_every_format(value: Any, form: Any) -> None:
    with pytest.raises(fs.FlowScriptError, match="two keys with the same text"):
        encode([value] if form in ("csv", "tsv") else value, form, pretty=True)
