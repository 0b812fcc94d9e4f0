"""Owns tests of what PostgreSQL sends and Python has no value for: its column and a remedy are named."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

import flowscript_trio as fs

from postgresql import URL, needs_postgresql

pytestmark = needs_postgresql
EACH = '<foreach id="e" collection="s" batch="1000"><set var="x" value="{{item}}"/></foreach>'
WAYS = {"whole": ("", ""), "stream": ('stream="true"', EACH)}


async def ask(query: str, way: str = "whole") -> Any:
    settings, after = WAYS[way]
    text = (
        f'<source:database id="s" connection="{{{{$config.db}}}}" {settings}><query><![CDATA[{query}]]></query>'
        f"</source:database>{after}"
    )
    flow = fs.loads(f'<workflow name="w">{text}</workflow>')
    return (await fs.run(flow, config={"db": URL})).output


def reads_deep() -> bool:
    try:
        json.loads("[" * 5_000 + "]" * 5_000)
    except RecursionError:
        return False
    return True


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("date 'infinity'", "the date 'infinity', which Python has no value for"),
        ("timestamp '-infinity'", "the timestamp '-infinity', which"),
        ("timestamptz 'infinity'", "the timestamptz 'infinity', which"),
        ("date '0001-01-01 BC'", "the date '0001-01-01 BC', which"),
        ("timestamp '10000-01-01'", "the timestamp '10000-01-01 00:00:00', which"),
        ("time '24:00'", "the time '24:00:00', which"),
        ("timetz '24:00+00'", "the timetz '24:00:00+00', which"),
        ("array[date 'infinity']", "the date '{infinity}', which"),
        ("('1' || repeat('0', 400) || '.5')::jsonb", "the jsonb text of 403 characters, which cannot be read"),
        ("'-1e400'::json", "the json '-1e400', which cannot be read (a number beyond 1.8e+308"),
        ("('[' || repeat('9', 5000) || ']')::json", "the json text of 5,002 characters, which cannot be read"),
        pytest.param(
            "(repeat('[', 5000) || repeat(']', 5000))::json",
            "the json text of 10,000 characters, which",
            marks=pytest.mark.skipif(reads_deep(), reason="the json module of this Python reads it"),
        ),
    ],
)  # fmt: skip
async def test_a_value_that_python_has_not_is_named(expression: str, said: str, way: str) -> None:
    query = f'SELECT n AS number, CASE n WHEN 7 THEN {expression} END AS "Odd one" FROM generate_series(1, 9) n'
    with pytest.raises(fs.FlowScriptError) as caught:
        await ask(query, way)
    assert f"the column 'Odd one' has {said}" in str(caught.value)
    assert 'expected its text, by "Odd one"::text in the query' in str(caught.value)


async def test_the_first_row_of_those_that_have_come_is_named_however_far_it_is() -> None:
    query = (
        "SELECT CASE WHEN n < 1500 THEN date '2026-01-01' ELSE date 'infinity' END AS d "
        "FROM generate_series(1, 3000) n"
    )
    for way in WAYS:
        with pytest.raises(fs.FlowScriptError, match="the column 'd' has the date 'infinity'"):
            await ask(query, way)


async def test_the_remedy_is_right() -> None:
    assert await ask("SELECT (date 'infinity')::text AS d") == [{"d": "infinity"}]


async def test_numbers_that_are_none_are_pythons_own() -> None:
    [row] = await ask("SELECT numeric 'NaN' AS n, numeric 'Infinity' AS i, float8 'NaN' AS f")
    assert row["n"].is_nan()
    assert row["i"] == Decimal("Infinity")
    assert row["f"] != row["f"]


@pytest.mark.parametrize("way", WAYS)
async def test_an_interval_of_any_size_is_text(way: str) -> None:
    rows = await ask("SELECT interval '178000000 years' AS i", way)
    assert (rows[0] if way == "stream" else rows) == [{"i": "P178000000Y"}]


async def test_a_run_goes_on_with_its_connection_after_such_an_error() -> None:
    text = (
        '<source:database id="s" connection="{{$config.db}}" query="SELECT date \'infinity\' AS d">'
        '<on-error><fallback node="again"/></on-error></source:database>'
        '<source:database id="again" connection="{{$config.db}}" query="SELECT 1 AS n"/>'
    )
    flow = fs.loads(f'<workflow name="w">{text}</workflow>')
    assert (await fs.run(flow, config={"db": URL})).output == [{"n": 1}]


@pytest.mark.parametrize("query", ["COPY (SELECT 1) TO STDOUT", "COMMIT"])
async def test_a_statement_that_gives_no_rows_is_refused_where_its_words_are_known(
    query: str,
) -> None:
    with pytest.raises(fs.WorkflowInvalid, match=r"gives no rows|for whoever has the connection"):
        await ask(query)
