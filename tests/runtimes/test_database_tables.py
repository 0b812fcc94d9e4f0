"""Owns tests of PostgreSQL's types, of COPY, and of statements that stand alone, on a real server."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest
import sqlalchemy.exc

import flowscript_trio as fs
from flowscript_trio.runtimes.database import copying, engines
from flowscript_trio.runtimes.database.loaders import iso_of
from flowscript_trio.runtimes.database.writing import FEWEST

from postgresql import URL, needs_postgresql

SCHEMA = "flow_tables"


def source(query: str, settings: str = "") -> str:
    return (
        f'<source:database id="s" connection="{{{{$config.db}}}}" {settings}>'
        f"<query><![CDATA[{query}]]></query></source:database>"
    )


def sink(settings: str = f'table="{SCHEMA}.t"') -> str:
    return f'<sink:database id="k" connection="{{{{$config.db}}}}" {settings}/>'


async def run_one(element: str, **options: Any) -> Any:
    flow = fs.loads(f'<workflow name="w">{element}</workflow>', name="w.xml")
    return (await fs.run(flow, config={"db": URL}, **options)).output


class Server:
    """The server as an onlooker sees it."""

    def __init__(self) -> None:
        self._connection = psycopg.connect(URL, autocommit=True)

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        found = self._connection.execute(query.encode())
        return found.fetchall() if found.description else []

    def make(self, columns: str) -> None:
        self.ask(f"CREATE TABLE {SCHEMA}.t ({columns})")

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server()
    found.ask(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
    found.ask(f"CREATE SCHEMA {SCHEMA}")
    yield found
    found.ask(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
    found.close()


JSON = [
    "text",
    "5",
    "true",
    "null",
    "[1]",
    "",
    5,
    1.5,
    True,
    False,
    [1, "2"],
    {"a": None},
    [],
    "\u2028",
]


@needs_postgresql
@pytest.mark.parametrize("kind", ["json", "jsonb", f"{SCHEMA}.own"])
@pytest.mark.parametrize("times", [1, FEWEST])
async def test_every_kind_of_json_keeps_its_type_there_and_back(
    times: int, kind: str, server: Server
) -> None:
    server.ask(f"CREATE DOMAIN {SCHEMA}.own AS jsonb")
    server.make(f"id int, data {kind}")
    rows = [{"id": number, "data": value} for number, value in enumerate(JSON * times)]
    await run_one(sink(), input=rows)
    found = await run_one(source(f"SELECT data FROM {SCHEMA}.t ORDER BY id"))
    assert [(row["data"], type(row["data"])) for row in found] == [
        (value, type(value)) for value in JSON * times
    ]


@needs_postgresql
async def test_null_is_null_and_not_the_null_of_json(server: Server) -> None:
    server.make("data jsonb")
    await run_one(sink(), input={"data": None})
    assert server.ask(f"SELECT data IS NULL FROM {SCHEMA}.t") == [(True,)]


@needs_postgresql
async def test_lists_of_json_and_upserts_and_updates_keep_types_too(server: Server) -> None:
    server.make("id int PRIMARY KEY, data jsonb, more jsonb[]")
    await run_one(sink(), input={"id": 1, "data": "5", "more": ["5", 5, {"a": "b"}]})
    upsert = sink(f'table="{SCHEMA}.t" operation="upsert" conflict-columns="id"')
    await run_one(upsert, input={"id": 1, "data": "true"})
    assert server.ask(f"SELECT data, more FROM {SCHEMA}.t") == [("true", ["5", 5, {"a": "b"}])]
    await run_one(
        sink(f'table="{SCHEMA}.t" operation="update" where="id"'), input={"id": 1, "data": "7"}
    )
    assert server.ask(f"SELECT data FROM {SCHEMA}.t") == [("7",)]


@needs_postgresql
@pytest.mark.parametrize(
    ("expression", "output"),
    [
        ("interval '1 month 2 days 03:04:05.6'", "P1M2DT3H4M5.6S"),
        ("interval '-1 day'", "P-1D"),
        ("inet '10.0.0.1/8'", "10.0.0.1/8"),
        ("cidr '10.0.0.0/8'", "10.0.0.0/8"),
        ("int4range(1, 5)", "[1,5)"),
        ("numrange(1.5, null)", "[1.5,)"),
        ("daterange('2026-01-01', '2026-01-02')", "[2026-01-01,2026-01-02)"),
        ("ARRAY[interval '1 hour', null]", ["PT1H", None]),
        ("ARRAY[inet '::1']", ["::1"]),
    ],
)
async def test_what_has_no_plain_value_is_text_that_goes_back(
    expression: str, output: Any, server: Server
) -> None:
    flow = (
        source(f"SELECT {expression} AS x")
        + '<output><set field="x" value="{{json_encode(s[0].x)}}"/></output>'
    )
    assert (await run_one(source(f"SELECT {expression} AS x"))) == [{"x": output}]
    assert (await run_one(flow))["x"]  # JSON can hold it
    kind = server.ask(f"SELECT pg_typeof({expression})::text")[0][0]
    server.make(f"x {kind}")
    await run_one(sink(), input={"x": output})
    assert server.ask(f"SELECT x = {expression} FROM {SCHEMA}.t") == [(True,)]


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("00:00:00", "PT0S"),
        ("1 year 2 mons -3 days +04:05:06.70", "P1Y2M-3DT4H5M6.7S"),
        ("-00:00:01.5", "PT-1.5S"),
        ("-04:05:00", "PT-4H-5M"),
        ("100:00:00", "PT100H"),
        ("1 day", "P1D"),
        ("00:00:00.000001", "PT0.000001S"),
        ("P1M", "P1M"),
        ("@ 1 hour", "@ 1 hour"),
        ("", ""),
    ],
)
def test_an_interval_is_written_as_a_duration(text: str, output: str) -> None:
    assert iso_of(text) == output


@needs_postgresql
@pytest.mark.parametrize(
    "query",
    [
        "SELECT 1; SELECT 2",
        "CREATE TABLE {0}.x (n int); COMMIT; SELECT 1",
        "SELECT 1; ; SELECT 2 --",
    ],
)
async def test_a_query_of_two_statements_is_refused(query: str, server: Server) -> None:
    with pytest.raises(sqlalchemy.exc.ProgrammingError, match="multiple commands"):
        await run_one(source(query.format(SCHEMA)))
    assert server.ask(f"SELECT to_regclass('{SCHEMA}.x') IS NULL") == [(True,)]


@needs_postgresql
@pytest.mark.parametrize(
    "query",
    [
        "SELECT 1 AS n;",
        "SELECT 1 AS n; -- done",
        "SELECT ';' AS n, $$;$$ AS m",
        "CREATE TABLE {0}.x (n int)",
        "WITH a AS (SELECT 1 AS n) SELECT n FROM a",
        "CREATE FUNCTION {0}.f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END",
    ],
)
async def test_one_statement_is_done_whatever_is_in_it(query: str, server: Server) -> None:
    if "ATOMIC" in query and server.ask("SHOW server_version_num")[0][0] < "140000":
        pytest.skip("the server has no such functions")
    await run_one(source(query.format(SCHEMA)))


@needs_postgresql
async def test_an_error_of_a_statement_is_not_replaced_by_that_of_its_clean_up(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Any) -> None:
        raise sqlalchemy.exc.InternalError("ROLLBACK", None, Exception("in the clean-up"))

    monkeypatch.setattr(sqlalchemy.Connection, "rollback", fail)
    with pytest.raises(sqlalchemy.exc.DataError, match="division by zero"):
        await run_one(source("SELECT 1/0"))
    with pytest.raises(sqlalchemy.exc.ProgrammingError, match="does not exist"):
        await run_one(sink(f'table="{SCHEMA}.gone"'), input={"id": 1})


@needs_postgresql
async def test_a_lost_connection_after_the_commit_is_no_error(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.make("id int")
    release = engines.Database.release

    def cut(self: Any, connection: Any, job: Any) -> None:
        raw = connection.connection.dbapi_connection
        server.ask(f"SELECT pg_terminate_backend({raw.info.backend_pid})")
        connection.begin()
        release(self, connection, job)

    monkeypatch.setattr(engines.Database, "release", cut)
    assert await run_one(sink(), input={"id": 1}) == {"rows": 1, "batches": 1}
    assert server.ask(f"SELECT id FROM {SCHEMA}.t") == [(1,)]


class Copies:
    """Counts the rows that were copied."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.rows = 0
        real = copying.copy_rows

        def count(connection: Any, name: Any, table: Any, rows: Any, *more: Any) -> None:
            self.rows += len(rows)
            real(connection, name, table, rows, *more)

        monkeypatch.setattr(copying, "copy_rows", count)


@pytest.fixture
def copies(monkeypatch: pytest.MonkeyPatch) -> Copies:
    return Copies(monkeypatch)


NOON = datetime(2026, 1, 2, 12, 0, tzinfo=timezone(timedelta(hours=2)))
CASES: list[tuple[str, list[Any], bool]] = [
    ("int", [1, -2, None, "3"], True),
    ("bigint", [10**15], True),
    ("numeric", [1, Decimal("1.50"), "1e5", None], True),
    ("numeric", [1.1], False),
    ("int", [Decimal("1.5")], False),
    ("int", [True], None),  # type: ignore[list-item]
    ("float8", [1.5, 2, float("inf")], True),
    ("text", ["a\tb\n\\N", "", None, "\\.", 5, {"a": 1}, [1]], True),
    ("text", [True, 1.5, NOON], False),
    ("varchar(9)", ["é\u2028😀"], True),
    ("boolean", [True, False, None, "yes"], True),
    ("bytea", [b"\x00\xff", b""], True),
    ("date", [date(2026, 1, 2), "2026-01-03"], True),
    ("timestamptz", [NOON, "2026-01-02"], True),
    ("timestamptz", [NOON.replace(tzinfo=None)], False),
    ("timestamp", [NOON.replace(tzinfo=None)], True),
    ("timestamp", [NOON], False),
    ("interval", [timedelta(1, 2), "P1M"], True),
    ("uuid", [UUID(int=1)], True),
    ("text[]", [["a", None, "b,c"]], False),
    ("jsonb", ["a", 1, None, {"a": "\t\\"}], True),
    ("inet", ["10.0.0.1"], True),
]


@needs_postgresql
@pytest.mark.parametrize(("kind", "values", "is_copied"), CASES)
async def test_copy_writes_what_insert_writes_or_is_not_used(
    kind: str, values: list[Any], is_copied: bool | None, server: Server, copies: Copies
) -> None:
    server.make(f"id int, x {kind}")
    many = [{"id": n, "x": values[n % len(values)]} for n in range(FEWEST)]
    few = [{"id": n - 1000, "x": value} for n, value in enumerate(values)]
    if is_copied is None:  # INSERT refuses it, and so it shall be
        with pytest.raises(sqlalchemy.exc.ProgrammingError):
            await run_one(sink(), input=few)
        with pytest.raises(sqlalchemy.exc.ProgrammingError):
            await run_one(sink(), input=many)
        return
    await run_one(sink(), input=few)
    assert copies.rows == 0
    assert await run_one(sink(), input=many) == {"rows": FEWEST, "batches": FEWEST // 100}
    assert copies.rows == (FEWEST if is_copied else 0)
    rows = server.ask(f"SELECT x::text FROM {SCHEMA}.t ORDER BY id")
    assert rows[: len(values)] == rows[len(values) : 2 * len(values)]


@needs_postgresql
@pytest.mark.parametrize(
    "statements",
    [
        ["ALTER TABLE {0}.t ENABLE ROW LEVEL SECURITY"],
        ["CREATE RULE r AS ON INSERT TO {0}.t DO ALSO NOTHING"],
        [
            "CREATE VIEW {0}.v AS SELECT * FROM {0}.t",
            "ALTER TABLE {0}.t RENAME TO o",
            "ALTER VIEW {0}.v RENAME TO t",
        ],
    ],
)
async def test_where_copy_would_do_something_else_it_is_not_used(
    statements: list[str], server: Server, copies: Copies
) -> None:
    server.make("id int")
    for statement in statements:
        server.ask(statement.format(SCHEMA))
    await run_one(sink(), input=[{"id": n} for n in range(FEWEST)])
    assert copies.rows == 0
    assert server.ask(f"SELECT count(*) FROM {SCHEMA}.t") == [(FEWEST,)]


@needs_postgresql
async def test_a_column_that_the_server_alone_fills_is_refused_as_by_insert(
    server: Server, copies: Copies
) -> None:
    server.make("id int GENERATED ALWAYS AS IDENTITY, x int")
    with pytest.raises(sqlalchemy.exc.ProgrammingError, match="non-DEFAULT value"):
        await run_one(sink(), input=[{"id": n, "x": n} for n in range(FEWEST)])
    await run_one(sink(), input=[{"x": n} for n in range(FEWEST)])
    assert copies.rows == FEWEST


@needs_postgresql
async def test_a_copy_that_fails_writes_nothing_and_names_the_row(
    server: Server, copies: Copies
) -> None:
    server.make("id int PRIMARY KEY, x int")
    rows: list[dict[str, Any]] = [{"id": n, "x": n} for n in range(FEWEST)]
    for bad, error in (({"id": 7, "x": 0}, "IntegrityError"), ({"id": -1, "x": "no"}, "DataError")):
        with pytest.raises(getattr(sqlalchemy.exc, error)) as caught:
            await run_one(sink(), input=[*rows, bad])
        assert f"in input[{FEWEST}]" in caught.value.__notes__
        assert server.ask(f"SELECT count(*) FROM {SCHEMA}.t") == [(0,)]
    assert copies.rows == 2 * (FEWEST + 1)


@needs_postgresql
async def test_rows_of_several_shapes_are_written_in_order(server: Server, copies: Copies) -> None:
    server.make("n serial, a int, b int")
    rows = (
        [{"a": n} for n in range(FEWEST)] + [{"b": 1}] + [{"b": n, "a": 0} for n in range(FEWEST)]
    )
    assert (await run_one(sink(), input=rows))["rows"] == 2 * FEWEST + 1
    assert copies.rows == 2 * FEWEST
    found = server.ask(f"SELECT a, b FROM {SCHEMA}.t ORDER BY n")
    assert found == [(row.get("a"), row.get("b")) for row in rows]


@needs_postgresql
async def test_a_table_that_was_changed_in_the_run_is_looked_at_again(server: Server) -> None:
    server.make("x jsonb")
    first = sink().replace('"k"', '"k1"')
    change = source(f"ALTER TABLE {SCHEMA}.t ALTER x TYPE text USING x::text", 'after="k1"')
    second = sink().replace('"k"', '"k2" after="s"')
    await run_one(first + change + second, input={"x": "a"})
    assert server.ask(f"SELECT x FROM {SCHEMA}.t ORDER BY 1") == [('"a"',), ("a",)]


@needs_postgresql
async def test_columns_in_another_order_are_copied_to_their_own(
    server: Server, copies: Copies
) -> None:
    server.make("a text, b text")
    rows = [{"a": "a", "b": "b"} if n % 2 else {"b": "b", "a": "a"} for n in range(FEWEST)]
    await run_one(sink(), input=rows)
    assert copies.rows == FEWEST
    assert server.ask(f"SELECT DISTINCT a, b FROM {SCHEMA}.t") == [("a", "b")]
