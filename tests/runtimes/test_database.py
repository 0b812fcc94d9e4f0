"""Owns tests of database sources and sinks, on SQLite: rows, parameters, transactions, confinement."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy.event
import sqlalchemy.exc
import sqlalchemy.pool
import yaml

import flowscript_trio as fs
from flowscript_trio.runtimes.database import writing
from flowscript_trio.runtimes.database.errors import MissingPackage
from flowscript_trio.runtimes.file.paths import PathOutside

URL = "sqlite:///a.db"


def source(query: str, settings: str = "", url: str = URL) -> str:
    return (
        f'<source:database id="s" connection="{url}" {settings}>'
        f"<query><![CDATA[{query}]]></query></source:database>"
    )


def sink(settings: str, url: str = URL) -> str:
    return f'<sink:database id="k" connection="{url}" {settings}/>'


async def run_one(element: str, base: Path | None, **options: Any) -> Any:
    flow = fs.loads(f'<workflow name="w">{element}</workflow>', name="w.xml")
    return (await fs.run(flow, base=base, **options)).output


def create(base: Path, *statements: str) -> None:
    connection = sqlite3.connect(base / "a.db")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def table_in(base: Path, table: str = "t") -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(base / "a.db")
    found = connection.execute(f'SELECT * FROM "{table}" ORDER BY 1').fetchall()
    connection.close()
    return found


@pytest.fixture
def base(tmp_path: Path) -> Path:
    create(tmp_path, "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, size NUMERIC)")
    return tmp_path


async def test_a_query_gives_a_list_of_dicts_in_order(base: Path) -> None:
    create(base, "INSERT INTO t VALUES (1, 'one', 1.5), (2, NULL, x'00ff')")
    assert await run_one(source("SELECT * FROM t ORDER BY id DESC"), base) == [
        {"id": 2, "name": None, "size": b"\x00\xff"},
        {"id": 1, "name": "one", "size": 1.5},
    ]


@pytest.mark.parametrize(
    ("query", "settings"),
    [
        ("SELECT ? AS a, ? AS b", 'params="[{{input}}, 2]"'),
        ("SELECT $2 AS b, $1 AS a", 'params="[{{input}}, 2]"'),
        ("SELECT :x AS a, :y AS b, :y AS c", 'params="{x: {{input}}, y: 2, unused: 3}"'),
        ("SELECT?AS a,?AS b LIMIT?", 'params="[{{input}}, 2, 1]"'),
        ("SELECT :x AS a, 2 AS b", 'params="{{ {x: input} }}"'),
    ],
)
async def test_parameters_are_bound_and_never_read_as_sql(
    query: str, settings: str, base: Path
) -> None:
    evil = "'; DROP TABLE t; -- ? :x $1"
    [row] = await run_one(source(query, settings), base, input=evil)
    assert row["a"] == evil
    assert row["b"] == 2
    assert table_in(base) == []


async def test_what_looks_like_a_parameter_in_literals_and_comments_is_left_alone(
    base: Path,
) -> None:
    query = """SELECT ':a ? it''s $1 %s \\:a' AS "b ? :c" -- ? :d
      /* ? $1 :e */ , CAST(:f AS TEXT) AS f, 7 % 4 AS rest"""
    [row] = await run_one(source(query, 'params="{f: 1}"'), base)
    assert row == {"b ? :c": ":a ? it's $1 %s \\:a", "f": "1", "rest": 3}


@pytest.mark.parametrize("place", [":ids", "(:ids)", "( :ids )", "(1, :two)"])
@pytest.mark.parametrize("ids", [[1, 2], [], [2]])
async def test_a_list_after_in_is_as_many_parameters_as_it_has_items(
    place: str, ids: list[int], base: Path
) -> None:
    create(base, "INSERT INTO t (id) VALUES (1), (2), (3)")
    if place == "(1, :two)":
        expected, ids = [1, 2], [2]
        query, settings = f"SELECT id FROM t WHERE id IN {place}", 'params="{two: 2}"'
    else:
        expected = ids
        query, settings = f"SELECT id FROM t WHERE id IN {place}", 'params="{ids: {{input}}}"'
    rows = await run_one(source(query, settings), base, input=ids)
    assert [row["id"] for row in rows] == expected


async def test_values_that_sqlite_has_not_are_bound_as_text(base: Path) -> None:
    given = [
        Decimal("1.10"),
        date(2026, 1, 2),
        datetime(2026, 1, 2, 3, tzinfo=UTC),
        {"a": [1]},
        [1],
    ]
    [row] = await run_one(
        source("SELECT $1 AS a, $2 AS b, $3 AS c, $4 AS d, $5 AS e", 'params="{{input}}"'),
        base,
        input=given,
    )
    assert [*row.values()] == [
        "1.10",
        "2026-01-02",
        "2026-01-02T03:00:00+00:00",
        '{"a":[1]}',
        "[1]",
    ]


@pytest.mark.parametrize(
    ("query", "params", "message"),
    [
        ("SELECT ?, ?", "[1]", r"the query has 2 of \?, and params has 1 values"),
        ("SELECT ?", "[1, 2]", r"the query has 1 of \?, and params has 2 values"),
        ("SELECT $3, $1", "[1, 2, 3]", r"the query has up to \$3, but no \$2, and params has 3"),
        ("SELECT 1", "[1]", "the query has no places for parameters, and params has 1"),
        ("SELECT :who", "{whom: 1}", "the query has :who, and params has whom"),
        ("SELECT :who", "[1]", "the query has :who, which takes a mapping, and params is a list"),
        ("SELECT $2", "{a: 1}", r"the query has \$2, which takes a list, and params is a mapping"),
    ],
)
async def test_parameters_that_do_not_fit_are_named(
    query: str, params: str, message: str, base: Path
) -> None:
    with pytest.raises(fs.WorkflowInvalid, match=message):
        fs.loads(f'<workflow name="w">{source(query, f"params={params!r}")}</workflow>')
    value = yaml.safe_load(params)
    with pytest.raises(fs.SettingError, match=message):
        await run_one(source(query, 'params="{{input}}"'), base, input=value)


@pytest.mark.parametrize("query", ["SELECT :a", "SELECT $1", "SELECT ?"])
async def test_a_query_with_parameters_needs_params(query: str, base: Path) -> None:
    with pytest.raises((fs.WorkflowInvalid, fs.SettingError), match="there are no params"):
        await run_one(source(query), base)


def test_a_computed_query_is_refused_when_the_document_is_read() -> None:
    with pytest.raises(fs.WorkflowInvalid) as caught:
        fs.loads(f'<workflow name="w">{source("SELECT {{input.x}}")}</workflow>')
    [problem] = caught.value.problems
    assert problem.code == "not-constant"
    assert problem.expected is not None
    assert "params" in problem.expected


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ('table="t" operation="upsert"', "upsert needs the setting 'conflict-columns'"),
        ('table="t" operation="update"', "update needs the setting 'where'"),
        ('table="t" where="id"', "where is only for update"),
        ('table="t" conflict-columns="id"', "conflict-columns is only for upsert"),
        ('table="t" batch="0"', "batch"),
    ],
)
def test_settings_that_do_not_fit_the_operation_are_problems(settings: str, message: str) -> None:
    with pytest.raises(fs.WorkflowInvalid, match=message):
        fs.loads(f'<workflow name="w">{sink(settings)}</workflow>')


async def test_two_columns_of_one_name_are_an_error(base: Path) -> None:
    with pytest.raises(fs.FlowScriptError, match="two columns named 'id'"):
        await run_one(source("SELECT 1 AS id, 2 AS id"), base)


async def test_what_a_source_changed_is_committed(base: Path) -> None:
    insert = "INSERT INTO t (name) VALUES (?) RETURNING id"
    assert await run_one(source(insert, 'params="[new]"'), base) == [{"id": 1}]
    assert await run_one(source("UPDATE t SET size = 2"), base) == []
    assert table_in(base) == [(1, "new", 2)]


async def test_rows_may_differ_in_columns_and_are_flattened_and_written_in_order(
    base: Path,
) -> None:
    create(
        base, "CREATE TABLE log (n INTEGER PRIMARY KEY AUTOINCREMENT, a TEXT, b TEXT DEFAULT 'd')"
    )
    rows = [{"a": "1"}, [{"b": "2", "a": "2"}, [{"a": "3", "b": "3"}]], {"a": "4"}]
    output = await run_one(sink('table="log" batch="3"'), base, input=rows)
    assert output == {"rows": 4, "batches": 2}
    assert table_in(base, "log") == [(1, "1", "d"), (2, "2", "2"), (3, "3", "3"), (4, "4", "d")]


@pytest.mark.parametrize(("rows", "batches"), [(250, 3), (200, 2), (1, 1), (0, 0)])
async def test_rows_are_sent_by_the_hundred(rows: int, batches: int, base: Path) -> None:
    given = [{"id": n} for n in range(rows)]
    assert await run_one(sink('table="t"'), base, input=given) == {"rows": rows, "batches": batches}
    assert len(table_in(base)) == rows


async def test_a_mapping_is_one_row(base: Path) -> None:
    value = {"id": 1, "name": {"json": [1, None]}, "size": Decimal("2.5")}
    assert await run_one(sink('table="main.t"'), base, input=value) == {"rows": 1, "batches": 1}
    assert table_in(base) == [(1, '{"json":[1,null]}', 2.5)]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "input is not a row: it is null"),
        ("text", "input is not a row: it is text"),
        ([{"id": 1}, 7], r"input\[1\] is not a row: it is a number"),
        (
            [{"id": 1}, [[], [{"id": 2}, True]]],
            r"input\[1\]\[1\]\[1\] is not a row: it is a boolean",
        ),
        ([{}], r"input\[0\] is not a row: it has no columns"),
        ([{"id": 1}, {2: 1}], r"input\[1\] has a column named 2"),
    ],
)
async def test_anything_that_is_no_row_is_named_and_nothing_is_written(
    value: Any, message: str, base: Path
) -> None:
    with pytest.raises(fs.FlowScriptError, match=message):
        await run_one(sink('table="t" batch="1"'), base, input=value)
    assert table_in(base) == []


async def test_a_sink_that_fails_in_its_last_batch_writes_nothing_and_names_the_rows(
    base: Path,
) -> None:
    rows = [{"id": n} for n in (1, 2, 3, 4, 1)]
    with pytest.raises(sqlalchemy.exc.IntegrityError) as caught:
        await run_one(sink('table="t" batch="2"'), base, input=rows)
    assert "in input[4]" in caught.value.__notes__
    assert table_in(base) == []


@pytest.mark.parametrize(
    "element",
    [
        sink('table="t"'),
        '<source:database id="q" connection="sqlite:///a.db" query="SELECT ?" params="{{$input}}"/>',
        '<source:database id="q" connection="sqlite:///a.db" query="SELECT ?" params="{{$input}}" stream="true"/>'
        '<foreach id="f" collection="q"><delay duration="0s"/></foreach>',
    ],
)
async def test_an_integer_too_large_for_sqlite_is_an_error_that_says_what_to_write(
    element: str, base: Path
) -> None:
    given: list[Any] = [{"id": 1}, {"id": 2**70}] if "sink" in element else [2**70]
    with pytest.raises(fs.FlowScriptError, match=r"a\.db has no integers .* to_string") as caught:
        await run_one(element, base, input=given)
    if "sink" in element:
        assert any(note.startswith("in input[") for note in caught.value.__notes__)


@pytest.mark.parametrize("odd", ["\ud800", ["\ud800"]])
async def test_half_of_a_surrogate_pair_is_an_error_that_names_the_database(
    odd: object, base: Path
) -> None:
    said = r"a\.db cannot write a text that has half of a surrogate pair"
    with pytest.raises(fs.FlowScriptError, match=said):
        await run_one(sink('table="t"'), base, input=[{"id": 1}, {"id": odd}])
    query = (
        '<source:database id="q" connection="sqlite:///a.db" query="SELECT ?" params="{{$input}}"/>'
    )
    with pytest.raises(fs.FlowScriptError, match=said):
        await run_one(query, base, input=[odd] if isinstance(odd, str) else [{"a": odd}])


@pytest.mark.parametrize(
    "url", ["sqlite:///a.db", "postgresql://user:hidden@127.0.0.1:1/shop?connect_timeout=3"]
)
@pytest.mark.parametrize("stream", ["", ' stream="true"'])
async def test_an_error_names_the_database_that_was_asked_without_its_secrets(
    url: str, stream: str, base: Path
) -> None:
    body = f'<source:database id="q" connection="{url}" query="SELECT * FROM nothing"{stream}/>'
    reading = '<foreach id="f" collection="q"><delay duration="0s"/></foreach>' if stream else ""
    with pytest.raises(sqlalchemy.exc.OperationalError) as caught:
        await run_one(body + reading, base)
    [note] = [note for note in caught.value.__notes__ if note.startswith("asked of ")]
    server = "asked of the postgresql database shop at 127.0.0.1:1"
    assert note == ("asked of the SQLite database a.db" if "sqlite" in url else server)


async def test_an_error_of_sqlite_names_the_very_row_however_deep_it_stands(base: Path) -> None:
    many = [{"id": n} for n in range(1500)]
    with pytest.raises(sqlalchemy.exc.IntegrityError) as caught:
        await run_one(sink('table="t"'), base, input=[many, [{"id": -1}, {"id": 3}]])
    assert "in input[1][1]" in caught.value.__notes__
    rows = [*many, {"id": 2000, "name": ["x"]}, {"id": 2001, "name": [float("nan")]}]
    with pytest.raises(fs.EvaluationError) as odd:
        await run_one(sink('table="t"'), base, input=rows)
    assert "in input[1501]" in odd.value.__notes__
    assert table_in(base) == []


async def test_many_rows_of_sqlite_are_one_statement_whatever_the_batch(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    real = writing._statement

    def counted(*args: Any) -> Any:
        made.append(args)
        return real(*args)

    monkeypatch.setattr(writing, "_statement", counted)
    rows = [{"id": n, "name": "x"} for n in range(2500)]
    done = await run_one(sink('table="t" batch="1"'), base, input=rows)
    assert done == {"rows": 2500, "batches": 2500}
    assert len(made) == 1
    assert len(table_in(base)) == 2500
    await run_one(sink('table="t"'), base, input=[{"id": -1}, {"name": "y"}, {"id": -2}])
    assert len(made) == 4


async def test_an_upsert_inserts_or_changes_by_its_columns(base: Path) -> None:
    create(base, "INSERT INTO t VALUES (1, 'one', 1), (2, 'two', 2)")
    rows = [{"id": 1, "name": "new"}, {"id": 3, "name": "three"}, {"id": 2}]
    settings = 'table="t" operation="upsert" conflict-columns="id"'
    assert await run_one(sink(settings), base, input=rows) == {"rows": 3, "batches": 1}
    assert table_in(base) == [(1, "new", 1), (2, "two", 2), (3, "three", None)]
    with pytest.raises(fs.FlowScriptError, match=r"input has no 'id', which conflict-columns"):
        await run_one(sink(settings), base, input={"name": "x"})


@pytest.mark.parametrize(
    ("where", "row", "rows", "names"),
    [
        ("id", {"id": 1, "name": "new"}, 1, ["new", "b", "c"]),
        ("id, size", {"id": 1, "size": 9, "name": "new"}, 0, ["a", "b", "c"]),
        ("[size]", {"size": 1, "name": "new"}, 2, ["new", "new", "c"]),
        ("{size: {{$config.from}}}", {"name": "new"}, 2, ["new", "new", "c"]),
        ("{size: null}", {"name": "new"}, 1, ["a", "b", "new"]),
        ("{id: [2, 3]}", {"name": "new"}, 2, ["a", "new", "new"]),
        ("{id: 'id OR 1=1'}", {"name": "new"}, 0, ["a", "b", "c"]),
    ],
)
async def test_an_update_finds_its_rows_by_where(
    where: str, row: dict[str, Any], rows: int, names: list[str], base: Path
) -> None:
    create(base, "INSERT INTO t VALUES (1, 'a', 1), (2, 'b', 1), (3, 'c', NULL)")
    element = (
        f'<sink:database id="k" connection="{URL}" table="t" operation="update">'
        f"<where>{where}</where></sink:database>"
    )
    output = await run_one(element, base, input=row, config={"from": 1})
    assert output == {"rows": rows, "batches": 1}
    assert [name for _, name, _ in table_in(base)] == names


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"name": "x"}, r"input has no 'id', which where names"),
        ({"id": None, "name": "x"}, r"input has null in 'id', which where names"),
        ({"id": 1}, r"input has nothing to update"),
    ],
)
async def test_an_update_never_touches_more_than_where_says(
    row: dict[str, Any], message: str, base: Path
) -> None:
    with pytest.raises(fs.FlowScriptError, match=message):
        await run_one(sink('table="t" operation="update" where="id"'), base, input=row)


async def test_a_where_with_a_list_holds_for_every_row(base: Path) -> None:
    create(base, "INSERT INTO t VALUES (1, 'a', 1), (2, 'b', 1), (3, 'c', NULL)")
    element = sink('table="t" operation="update" where="{id: [1, 3]}"')
    rows = [{"name": "x"}, {"name": "y"}]
    assert await run_one(element, base, input=rows) == {"rows": 4, "batches": 1}
    assert [name for _, name, _ in table_in(base)] == ["y", "b", "y"]


async def test_identifiers_are_quoted_whatever_is_in_them(base: Path) -> None:
    odd = 'a"; DROP TABLE t; --%(x)s :y'
    name = odd.replace('"', '""')
    create(base, f'CREATE TABLE "select" (id INTEGER PRIMARY KEY, "{name}" TEXT, "%" TEXT)')
    rows = [{"id": 1, odd: "x", "%": "y"}]
    assert await run_one(sink('table="select"'), base, input=rows) == {"rows": 1, "batches": 1}
    settings = 'table="main.select" operation="upsert" conflict-columns="id"'
    await run_one(sink(settings), base, input=[{"id": 1, odd: "z"}])
    assert table_in(base, "select") == [(1, "z", "y")]
    with pytest.raises(sqlalchemy.exc.OperationalError, match="no such table: t; DROP TABLE t"):
        await run_one(sink('table="t; DROP TABLE t"'), base, input={"id": 1})
    for table in ('"a', "a.", "a.b.c", ".", 'a"b"'):
        with pytest.raises(fs.SettingError, match="is not a table"):
            await run_one(sink('table="{{$config.t}}"'), base, input={"id": 1}, config={"t": table})


async def test_a_file_is_confined_to_the_base_folder(base: Path) -> None:
    for url in ("sqlite:///../out.db", f"sqlite:///{base.parent}/out.db"):
        with pytest.raises(PathOutside):
            await run_one(source("SELECT 1", url=url), base)
    with pytest.raises(fs.SettingError, match="file: URI"):
        await run_one(source("SELECT 1", url="sqlite:///file:/x?uri=true"), base)
    outside = base.parent / "out.db"
    for query in (f"ATTACH '{outside}' AS o", f"VACUUM INTO '{outside}'"):
        with pytest.raises(
            sqlalchemy.exc.DatabaseError, match=r"not authorized|authorization denied"
        ):
            await run_one(source(query), base)
    assert not outside.exists()


async def test_a_database_in_memory_lives_as_long_as_the_run(base: Path) -> None:
    url = "sqlite://"
    create_it = source("CREATE TABLE m (n INTEGER)", "", url).replace('"s"', '"c"')
    write = sink('table="m" input="row"', url)
    each = (
        '<foreach id="each" collection="range(20)" item="n" maxConcurrency="20" after="c">'
        f'<transform:map id="row" expression="{{n: n}}"/>{write}</foreach>'
    )
    count = source("SELECT count(*) AS n FROM m", 'after="each"', url)
    flow = fs.loads(f'<workflow name="w">{create_it}{each}{count}</workflow>')
    for _ in range(2):
        assert (await fs.run(flow, base=base, input=0)).output == [{"n": 20}]
    assert os.listdir(base) == ["a.db"]


async def test_every_connection_is_closed_with_the_run(base: Path) -> None:
    opened: list[object] = []
    closed: list[object] = []

    def note_opened(connection: object, record: object) -> None:
        opened.append(connection)

    def note_closed(connection: object, record: object) -> None:
        closed.append(connection)

    listeners = [("connect", note_opened), ("close", note_closed)]
    for name, listener in listeners:
        sqlalchemy.event.listen(sqlalchemy.pool.Pool, name, listener)
    try:
        each = '<foreach id="each" collection="range(3)" maxConcurrency="3">{}</foreach>'
        await run_one(each.format(source("SELECT 1")), base)
        assert opened
        assert set(map(id, opened)) == set(map(id, closed))
        with pytest.raises(sqlalchemy.exc.DatabaseError):
            await run_one(
                each.format(source("SELECT 1") + sink('table="gone"')), base, input={"id": 1}
            )
        assert set(map(id, opened)) == set(map(id, closed))
    finally:
        for name, listener in listeners:
            sqlalchemy.event.remove(sqlalchemy.pool.Pool, name, listener)


@pytest.mark.parametrize(
    ("url", "error", "message"),
    [
        ("secret-nonsense", fs.SettingError, "not a valid database URL"),
        ("nodb://u:secret@h/x", fs.SettingError, "there is no dialect 'nodb'"),
        ("postgresql://u:secret@h:port/x", fs.SettingError, "not a valid database URL"),
        ("sqlite+aiosqlite:///secret.db", fs.SettingError, "an asyncio driver, 'aiosqlite'"),
        ("mysql://u:secret@h/x", MissingPackage, "pip install mysqlclient"),
        (
            "mysql+mysqlconnector://u:secret@h/x",
            MissingPackage,
            "pip install mysql-connector-python",
        ),
        ("postgresql+psycopg2://u:secret@h/x", fs.SettingError, "from the environment"),
        ("postgresql+asyncpg://u:secret@h/x", fs.SettingError, "expected a synchronous one"),
        ("sqlite:///a.db?timeout=secret", fs.SettingError, "timeout"),
        ("sqlite://secret/x", fs.SettingError, "follows three slashes"),
        ("jdbc:postgresql://u:secret@h/x", fs.SettingError, "begins with jdbc:"),
        ("https://u:secret@h/x", fs.SettingError, "is a URL of https, and not of a database"),
        ("sqllite:///secret", fs.SettingError, "no dialect 'sqllite'.*; did you mean 'sqlite'"),
        ("postgresql://secret", fs.SettingError, "names no user"),
        ("postgresql://u:secret@/x", fs.SettingError, "names no host"),
    ],
)
async def test_a_url_that_is_none_is_told_without_showing_it(
    url: str, error: type[Exception], message: str, base: Path
) -> None:
    with pytest.raises(error, match=message) as caught:
        await run_one(source("SELECT 1", url="{{$config.db}}"), base, config={"db": url})
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sqlite://x/y", "a file of SQLite follows three slashes.*; expected sqlite:///file.db"),
        ("nonsense", "not a valid database URL; expected sqlite:///file.db or postgresql://"),
        ("postgresql://h/x", "the connection names no user; expected postgresql://user@host/name"),
        ("postgresql://u@h:port/x", "its port is not a number from 1 to 65535"),
        ("postgresql+psycopg2://u@h/x", "which uses psycopg"),
        ("sqlite+aiosqlite:///a.db", "expected a synchronous one, such as sqlite://"),
    ],
)
@pytest.mark.parametrize("node", ["source", "sink"])
def test_a_constant_url_that_cannot_be_is_a_problem_of_the_document(
    node: str, url: str, message: str
) -> None:
    settings = 'query="SELECT 1"' if node == "source" else 'table="t"'
    text = f'<{node}:database id="x" connection="{url}" {settings}/>'
    with pytest.raises(fs.WorkflowInvalid) as caught:
        fs.loads(f'<workflow name="w">{text}</workflow>')
    [problem] = caught.value.problems
    assert re.search(message, f"{problem.message}; expected {problem.expected}")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("COPY t TO STDOUT", "COPY to or from the client gives no rows"),
        ("/* all */ copy (SELECT 1) to stdout (FORMAT csv)", "gives no rows"),
        ("COPY t FROM STDIN", "gives no rows"),
        ("BEGIN", "BEGIN is for whoever has the connection"),
        ("-- now\nrollback to savepoint a", "ROLLBACK is for whoever has the connection"),
    ],
)
def test_a_statement_that_is_not_for_a_node_is_a_problem_of_the_document(
    query: str, message: str
) -> None:
    with pytest.raises(fs.WorkflowInvalid, match=re.escape(message)):
        fs.loads(f'<workflow name="w">{source(query)}</workflow>')


@pytest.mark.parametrize(
    "query", ["COPY t TO '/tmp/x'", "SELECT 1 AS begin", "SELECT 'COPY STDIN'"]
)
def test_what_only_looks_like_one_is_read(query: str) -> None:
    fs.loads(f'<workflow name="w">{source(query)}</workflow>')


async def test_errors_show_no_parameter(base: Path) -> None:
    with pytest.raises(sqlalchemy.exc.OperationalError, match="no such column") as caught:
        await run_one(source("SELECT absent FROM t WHERE id = ?", 'params="[hidden]"'), base)
    assert "hidden]" not in str(caught.value)
    assert "parameters hidden" in str(caught.value)
    with pytest.raises(sqlalchemy.exc.OperationalError) as caught:
        await run_one(sink('table="t"'), base, input={"none": "concealed"})
    assert "concealed" not in str(caught.value)


def test_sqlalchemy_is_not_imported_until_a_database_is_used_and_missing_is_told() -> None:
    code = """
import sys, trio, flowscript_trio as fs
assert "sqlalchemy" not in sys.modules
flow = fs.loads('<workflow name="w"><source:database id="s" connection="sqlite://" query="SELECT 1"/></workflow>')
assert "sqlalchemy" not in sys.modules
sys.modules["sqlalchemy"] = None
try:
    trio.run(fs.run, flow)
except fs.FlowScriptError as exc:
    print(exc)
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "a database needs SQLAlchemy: pip install 'flowscript-trio[database]'\n"


async def test_percents_and_parentheses_in_a_query_are_its_own(base: Path) -> None:
    create(base)
    query = "SELECT 7 %(:x) AS rest, '%(' || :y AS text, '%(a)s' AS plain, 9 IN (:z) AS found"
    node = source(query, 'params="{x: 4, y: b, z: [1, 9]}"')
    assert await run_one(node, base) == [{"rest": 3, "text": "%(b", "plain": "%(a)s", "found": 1}]


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("sqlite:///none/a.db", "there is no folder 'none' for it; make it first"),
        ("sqlite:///there", "'there' is a folder; expected the file of a database"),
    ],
)
@pytest.mark.parametrize(
    "element",
    [
        '<source:database id="d" connection="{}" query="SELECT 1 FROM t"/>',
        '<source:database id="d" connection="{}" query="SELECT 1 FROM t" stream="true"/>'
        '<sink:file id="f" input="d" path="out.csv"/>',
        '<sink:database id="d" connection="{}" table="t"/>',
    ],
)
async def test_a_file_that_sqlite_cannot_open_is_an_error_that_says_why(
    element: str, url: str, hint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    with pytest.raises(Exception, match="unable to open database file") as caught:
        await fs.run(
            fs.loads(f'<workflow name="w">{element.format(url)}</workflow>'), input={"a": 1}
        )
    assert hint in caught.value.__notes__
