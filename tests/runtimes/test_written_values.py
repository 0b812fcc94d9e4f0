"""Owns tests of values that are neither JSON's nor text: each is written by a rule, everywhere, or refused."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from fractions import Fraction
from pathlib import Path, PurePosixPath
from secrets import token_hex
from typing import Any
from uuid import UUID

import pydantic
import pytest
import sqlalchemy.exc
import trio
from hypothesis import given
from hypothesis import strategies as st

import flowscript_trio as fs
from flowscript_trio.expression import encode_json, to_text
from flowscript_trio.expression.standing import in_order, stands_for
from flowscript_trio.runtimes.database.loaders import iso_of

from loopback import loopback
from postgresql import URL, needs_postgresql


class Color(Enum):
    RED = 1
    BLUE = "blue"


class Level(IntEnum):
    HIGH = 7


class Word(StrEnum):
    YES = "yes"


@dataclass
class Point:
    x: int
    names: frozenset[str]


class Model(pydantic.BaseModel):
    when: timedelta


class Odd:
    def __str__(self) -> str:
        return "by accident"


BY_RULE: dict[str, tuple[Any, Any]] = {
    "duration": (timedelta(days=1, hours=2, seconds=3.5), "P1DT2H3.5S"),
    "negative duration": (-timedelta(hours=30), "P-1DT-6H"),
    "path": (PurePosixPath("/a/b"), "/a/b"),
    "enumeration of a number": (Color.RED, 1),
    "enumeration of a text": (Color.BLUE, "blue"),
    "number of an enumeration": (Level.HIGH, 7),
    "text of an enumeration": (Word.YES, "yes"),
    "dataclass": (Point(1, frozenset("ba")), {"x": 1, "names": ["a", "b"]}),
    "model": (Model(when=timedelta(seconds=1)), {"when": "PT1S"}),
    "set": ({10, 9, 1}, [1, 9, 10]),
    "mixed set": ({"b", 2, "a"}, [2, "a", "b"]),
    "range": (range(3), [0, 1, 2]),
    "bytes": (b"\xff", "/w=="),
    "uuid": (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    "decimal": (Decimal("1.5"), 1.5),
}
REFUSED = [Odd(), Fraction(1, 3), 1j, ValueError("x"), Odd]


async def write_and_read(form: str, value: Any, base: Path) -> Any:
    flow = fs.loads(
        f'<workflow name="w"><sink:file id="k" path="a" format="{form}"/>'
        f'<source:file id="s" path="a" format="{form}" after="k"/></workflow>'
    )
    return (await fs.run(flow, input=value, base=base)).output


@pytest.mark.parametrize("name", BY_RULE)
@pytest.mark.parametrize("form", ["json", "jsonl", "yaml", "csv", "tsv", "text", "lines"])
async def test_a_value_is_written_to_files_by_its_rule(
    form: str, name: str, tmp_path: Path
) -> None:
    value, plain = BY_RULE[name]
    if form in ("csv", "tsv"):
        assert await write_and_read(form, [{"v": value}], tmp_path) == [{"v": to_text(plain)}]
    elif form in ("text", "lines"):
        found = await write_and_read(form, [value] if form == "lines" else value, tmp_path)
        assert found == ([to_text(plain)] if form == "lines" else to_text(plain))
    else:
        given = [{"v": value}] if form == "jsonl" else {"v": value}
        found = await write_and_read(form, given, tmp_path)
        assert found == ([{"v": plain}] if form == "jsonl" else {"v": plain})


@pytest.mark.parametrize("value", REFUSED, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize(
    "form", ["json", "jsonl", "yaml", "csv", "text", "lines", "xlsx", "parquet"]
)
async def test_what_has_no_rule_is_refused_and_touches_no_file(
    form: str, value: Any, tmp_path: Path
) -> None:
    given = value if form == "text" else [value] if form == "lines" else [{"v": value}]
    with pytest.raises(fs.FlowScriptError, match=type(value).__name__) as caught:
        await write_and_read(form, given, tmp_path)
    if form in ("csv", "lines"):
        assert caught.value.__notes__[0] == (
            "in row 0, column 'v'" if form == "csv" else "in item 0"
        )
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", BY_RULE)
async def test_a_value_is_sent_by_its_rule(name: str) -> None:
    value, plain = BY_RULE[name]
    flow = fs.loads(
        '<workflow name="w"><sink:http id="a" url="{{$config.base}}/x"/>'
        '<sink:http id="b" url="{{$config.base}}/x" after="a"><form>{v: {{[$input]}}}</form></sink:http>'
        "</workflow>"
    )
    async with loopback() as server:
        server.page("/x", 1)
        await fs.run(flow, input=value, config={"base": server.base})
        body, form = (seen.body.decode() for seen in server.seen)
    assert body == encode_json(plain)
    assert form == _query_of(to_text(plain))


def _query_of(text: str) -> str:
    from urllib.parse import urlencode

    return urlencode({"v": text})


@pytest.mark.parametrize(
    "settings",
    [
        'body="b" params="{a: {{$input}}}"',
        'body="b" headers="{A: {{$input}}}"',
        'form="{a: {{$input}}}"',
        'multipart="{a: {{$input}}}"',
    ],
)
async def test_what_has_no_rule_is_not_sent(settings: str) -> None:
    text = f'<sink:http id="k" url="http://127.0.0.1:1/" {settings}/>'
    with pytest.raises(fs.EvaluationError, match=r"of type .*Odd, which has no text of its own"):
        await fs.run(fs.loads(f'<workflow name="w">{text}</workflow>'), input=Odd())


@pytest.mark.parametrize("name", [name for name in BY_RULE if name != "bytes"])
async def test_a_value_is_written_to_sqlite_by_its_rule(name: str) -> None:
    value, plain = BY_RULE[name]
    flow = fs.loads(
        '<workflow name="w"><source:database id="m" connection="sqlite://" query="CREATE TABLE r (v)"/>'
        '<sink:database id="k" connection="sqlite://" table="r" after="m"/>'
        '<source:database id="s" connection="sqlite://" after="k" query="SELECT v FROM r"/></workflow>'
    )
    [row] = (await fs.run(flow, input={"v": value})).output
    if isinstance(value, Decimal):
        assert row["v"] == "1.5"  # SQLite has no decimals
    else:
        assert row["v"] == (plain if isinstance(plain, (str, int)) else encode_json(plain))


@needs_postgresql
@pytest.mark.parametrize("many", [1, 600])
@pytest.mark.parametrize(
    ("kind", "value", "found"),
    [
        ("interval", timedelta(days=1, hours=2), "P1DT2H"),
        ("text", PurePosixPath("/a"), "/a"),
        ("int", Color.RED, 1),
        ("text", Color.BLUE, "blue"),
        ("text", Word.YES, "yes"),
        ("jsonb", Point(1, frozenset("ba")), {"x": 1, "names": ["a", "b"]}),
        ("jsonb", timedelta(seconds=1), "PT1S"),
        ("jsonb", {2, 1}, [1, 2]),
        ("int[]", [Color.RED, None], [1, None]),
    ],
)
async def test_a_value_is_written_to_postgresql_by_its_rule(
    kind: str, value: Any, found: Any, many: int
) -> None:
    table = f"v_{token_hex(4)}"
    at = 'connection="{{$config.db}}"'
    flow = fs.loads(
        f'<workflow name="w"><source:database id="m" {at} query="CREATE TABLE {table} (v {kind})"/>'
        f'<sink:database id="k" {at} table="{table}" after="m"/>'
        f'<source:database id="s" {at} after="k" query="SELECT v FROM {table}"/>'
        f'<finally><source:database id="d" {at} query="DROP TABLE {table}"/></finally></workflow>'
    )
    rows = (await fs.run(flow, input=[{"v": value}] * many, config={"db": URL})).results["s"]
    assert rows.output == [{"v": found}] * many


@pytest.mark.parametrize("url", ["sqlite://"])
async def test_what_no_database_takes_is_refused_with_its_row(url: str) -> None:
    flow = fs.loads(
        f'<workflow name="w"><source:database id="m" connection="{url}" query="CREATE TABLE r (v)"/>'
        f'<sink:database id="k" connection="{url}" table="r" after="m"/></workflow>'
    )
    with pytest.raises(sqlalchemy.exc.SQLAlchemyError, match="Odd") as caught:
        await fs.run(flow, input=[{"v": 1}, {"v": Odd()}])
    assert "in input[1]" in caught.value.__notes__


@given(st.timedeltas())
def test_a_duration_is_that_of_postgresql_and_the_same_number(value: timedelta) -> None:
    text = stands_for(value)
    hours = abs(value) // timedelta(hours=1) % 24
    total = abs(value)
    sign = "-" if value < timedelta() else ""
    whole = f"{sign}{total.days} days" if total.days else ""
    rest = total - timedelta(days=total.days)
    micros = f".{rest.microseconds:06}" if rest.microseconds else ""
    clock = f"{sign}{hours:02}:{rest.seconds // 60 % 60:02}:{rest.seconds % 60:02}{micros}"
    assert text == iso_of(f"{whole} {clock}".strip())


def test_a_set_is_in_the_same_order_in_every_process() -> None:
    code = (
        "from flowscript_trio.expression import encode_json;"
        "print(encode_json([{'b', 'a', 'c'}, {1, 'x', None}, {frozenset('ab'), frozenset('c')}]))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert found == {'[["a","b","c"],[null,1,"x"],[["a","b"],["c"]]]\n'}


def test_numbers_in_a_set_are_in_their_order() -> None:
    assert in_order({10, 9, 1}) == [1, 9, 10]


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (datetime(2026, 1, 2, 3, 4, 5, 6000), datetime(2026, 1, 2, 3, 4, 5, 6000)),
        (datetime(2026, 1, 2, 3, 4, 5, 6), "2026-01-02T03:04:05.000006"),
        (timedelta(days=400, seconds=1), timedelta(days=400, seconds=1)),
        (timedelta(microseconds=7), "PT0.000007S"),
        (date(1800, 1, 1), "1800-01-01"),
        (date(1900, 2, 28), "1900-02-28"),
        (Color.BLUE, "blue"),
        (Color.RED, 1),
        (PurePosixPath("a"), "a"),
    ],
)
async def test_what_a_cell_cannot_hold_exactly_is_text(
    value: Any, found: Any, tmp_path: Path
) -> None:
    assert await write_and_read("xlsx", [{"v": value}], tmp_path) == [{"v": found}]


async def test_parquet_takes_durations_and_what_is_inside(tmp_path: Path) -> None:
    rows = [{"a": timedelta(seconds=1), "b": {"c": [Color.RED]}, "d": Point(1, frozenset("b"))}]
    assert await write_and_read("parquet", rows, tmp_path) == [
        {"a": timedelta(seconds=1), "b": {"c": [1]}, "d": {"x": 1, "names": ["b"]}}
    ]


def test_a_template_shows_any_object_as_it_prints() -> None:
    flow = fs.loads(
        '<workflow name="w"><transform:template id="t" template="a {{$input}}"/></workflow>'
    )
    assert trio.run(lambda: fs.run(flow, input=Odd())).output == "a by accident"
