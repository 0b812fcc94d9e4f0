"""Owns tests of streams from and to databases: one connection, one transaction, and nothing that is left of it."""

from __future__ import annotations

import sqlite3
import threading
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.runtimes.database import engines, pouring, reading, supply
from flowscript_trio.testing import prove

FILE = "sqlite:///d.db"
QUERY = '<source:database id="s" connection="{}" stream="true" query="{}"/>'
SOURCE = QUERY.format(FILE, "SELECT n FROM t ORDER BY n")
EACH = '<foreach id="e" collection="s"><transform:template id="t" template="{{item.n}}"/></foreach>'
SINK = f'<sink:database id="k" input="s" connection="{FILE}" table="u"/>'


def load(text: str) -> fs.Flow:
    return fs.loads(f'<workflow name="w">{text}</workflow>')


@pytest.fixture
def base(tmp_path: Path) -> Path:
    ask(tmp_path, "CREATE TABLE t (n INTEGER)", "CREATE TABLE u (n INTEGER CHECK (n < 1000))")
    fill(tmp_path, 10)
    return tmp_path


def ask(base: Path, *statements: str) -> list[Any]:
    connection = sqlite3.connect(base / "d.db", timeout=0)
    try:
        for statement in statements:
            found = connection.execute(statement).fetchall()
        connection.commit()
        return found
    finally:
        connection.close()


def fill(base: Path, count: int) -> None:
    numbers = f"SELECT 0 UNION ALL SELECT n + 1 FROM c WHERE n < {count - 1}"
    ask(base, "DELETE FROM t", f"WITH RECURSIVE c(n) AS ({numbers}) INSERT INTO t SELECT n FROM c")


@pytest.fixture
def checked_out(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """After the test every connection is back, and no thread of a database is at work."""
    out: list[int] = []
    connect, release = engines.Database.connect, engines.Database.release

    def connecting(self: Any, job: Any) -> Any:
        found = connect(self, job)
        out.append(id(found))
        return found

    def releasing(self: Any, connection: Any, job: Any) -> None:
        release(self, connection, job)
        out.remove(id(connection))

    monkeypatch.setattr(engines.Database, "connect", connecting)
    monkeypatch.setattr(engines.Database, "release", releasing)
    yield out
    assert out == []


@pytest.fixture(autouse=True)
def _nothing_is_left(checked_out: list[int]) -> None:
    pass


async def test_a_query_is_a_stream(base: Path) -> None:
    run = await fs.run(load(SOURCE + EACH), base=base)
    assert run.output == list(range(10))


async def test_rows_come_in_parts_as_they_are_wanted(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supply, "FETCH", 3)
    parts: list[int] = []
    as_rows = supply.as_rows
    monkeypatch.setattr(
        supply, "as_rows", lambda names, part: parts.append(len(part)) or as_rows(names, part)
    )
    flow = load(SOURCE + '<foreach id="e" collection="s"><break when="index == 3"/></foreach>')
    await fs.run(flow, base=base)
    assert parts == [3, 3]


async def test_a_stream_goes_from_one_table_to_another_of_the_same_database(base: Path) -> None:
    fill(base, 999)
    assert (await fs.run(load(SOURCE + SINK), base=base)).output == {"rows": 999, "batches": 10}
    assert ask(base, "SELECT count(*), sum(n) FROM u") == [(999, 999 * 998 / 2)]


IN_BATCHES = (
    '<foreach id="e" collection="s" batch="4">'
    f'<sink:database id="k" input="item" connection="{FILE}?timeout=0.1" table="u"/></foreach>'
)


async def test_who_writes_while_a_stream_reads_is_told_of_wal(base: Path) -> None:
    fill(base, 5000)  # more than are fetched at once
    source = SOURCE.replace(FILE, f"{FILE}?timeout=0.1")
    with pytest.raises(Exception, match="database is locked") as caught:
        await fs.run(load(source + IN_BATCHES), base=base)
    assert any("PRAGMA journal_mode = WAL" in note for note in caught.value.__notes__)


async def test_in_wal_mode_batches_are_written_while_a_stream_reads(base: Path) -> None:
    fill(base, 999)
    ask(base, "PRAGMA journal_mode = WAL")
    await fs.run(load(SOURCE + IN_BATCHES), base=base)
    assert ask(base, "SELECT count(*) FROM u") == [(999,)]


async def test_what_a_sink_writes_of_a_stream_is_written_whole_or_not_at_all(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pouring, "STEP", 100)
    fill(base, 1200)
    with pytest.raises(Exception, match="CHECK constraint failed") as caught:
        await fs.run(load(SOURCE + SINK), base=base)
    assert any(note == "in input[1000]" for note in caught.value.__notes__)
    assert ask(base, "SELECT count(*) FROM u") == [(0,)]
    ask(base, "INSERT INTO u VALUES (1)")  # no lock is left


async def test_a_row_that_is_none_is_named_by_its_number_in_the_stream(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pouring, "STEP", 100)
    rows = iter([{"n": 1}] * 250 + [7])
    with pytest.raises(fs.FlowScriptError, match=r"input\[250\] is not a row: it is a number"):
        await fs.run(load(SINK.replace('input="s"', "")), base=base, input=rows)
    assert ask(base, "SELECT count(*) FROM u") == [(0,)]


async def test_an_async_iterator_of_the_application_is_written_and_closed(base: Path) -> None:
    closed = []

    async def rows() -> Any:
        try:
            for n in range(5):
                await trio.lowlevel.checkpoint()
                yield {"n": n}
        finally:
            closed.append(True)

    run = await fs.run(load(SINK.replace('input="s"', "")), base=base, input=rows())
    assert run.output == {"rows": 5, "batches": 1}
    assert closed == [True]


async def test_an_empty_stream_writes_nothing(base: Path) -> None:
    ask(base, "DELETE FROM t")
    assert (await fs.run(load(SOURCE + SINK), base=base)).output == {"rows": 0, "batches": 0}


async def test_what_the_query_of_a_stream_changes_is_committed_at_its_end(base: Path) -> None:
    source = QUERY.format(FILE, "INSERT INTO u VALUES (1), (2) RETURNING n")
    assert (await fs.run(load(source + EACH), base=base)).output == [1, 2]
    assert ask(base, "SELECT count(*) FROM u") == [(2,)]


async def test_a_statement_without_rows_is_an_empty_stream(base: Path) -> None:
    source = QUERY.format(FILE, "INSERT INTO u VALUES (1)")
    assert (await fs.run(load(source + EACH), base=base)).output == []
    assert ask(base, "SELECT count(*) FROM u") == [(1,)]


async def test_an_error_of_the_query_is_the_sources(base: Path) -> None:
    source = QUERY.format(FILE, "SELECT nothing FROM t").replace(
        "/>", '><on-error><fallback node="f"/></on-error></source:database>'
    )
    flow = load(f'{source}{EACH}<transform:template id="f" template="{{{{ [{{n: 7}}] }}}}"/>')
    assert (await fs.run(flow, base=base)).output == [7]


async def test_a_database_in_memory_gives_and_takes_streams() -> None:
    url = "sqlite:///:memory:"
    flow = load(
        f'<source:database id="a" connection="{url}" query="CREATE TABLE u AS SELECT 1 AS n"/>'
        + QUERY.format(url, "SELECT n + 1 AS n FROM u").replace("/>", ' after="a"/>')
        + f'<sink:database id="k" input="s" connection="{url}" table="u"/>'
        f'<source:database id="z" after="k" connection="{url}" query="SELECT n FROM u ORDER BY n"/>'
    )
    assert (await fs.run(flow)).output == [{"n": 1}, {"n": 2}]


@pytest.mark.parametrize("writes", [False, True])
async def test_a_statement_of_a_stream_that_runs_is_interrupted(writes: bool, base: Path) -> None:
    """It would go on for hours: the first row of one comes at once, and the rest never."""
    endless = (
        "WITH RECURSIVE c(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM c) "
        "SELECT n FROM c WHERE n = 0 OR n IS NULL"
    )
    source = QUERY.format(FILE, endless)
    with trio.move_on_after(0.3) as scope:
        await fs.run(load(source + (SINK if writes else EACH)), base=base)
    assert scope.cancelled_caught
    ask(base, "INSERT INTO u VALUES (1)")  # no lock is left
    names = [thread.name for thread in threading.enumerate()]
    assert not any(name.startswith("flowscript database") for name in names)


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        SOURCE + EACH,
        SOURCE + EACH.replace("<foreach", '<foreach batch="4" maxConcurrency="2"').replace("item.n", "item"),
        SOURCE + SINK,
        SOURCE + '<foreach id="e" collection="s" batch="4">'
        '<sink:file id="k" input="item" path="x.jsonl" append="true"/></foreach>',
    ],
)  # fmt: skip
def test_streams_of_databases_are_proved(
    text: str, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cancelled at every step, and failed at every node, they leave no lock and no connection."""
    monkeypatch.setattr(supply, "FETCH", 4)
    monkeypatch.setattr(pouring, "STEP", 4)
    monkeypatch.setattr(reading, "FETCH", 4)
    report = prove(load(text), options={"base": base}, pairs=20)
    assert report.holds, report.render()
    ask(base, "INSERT INTO u VALUES (1)")


async def test_a_stream_takes_as_much_memory_as_a_part_of_it(base: Path) -> None:
    ask(base, "DROP TABLE u", "CREATE TABLE u (n INTEGER)")
    fill(base, 30_000)
    flow = load(SOURCE + SINK)
    tracemalloc.start()
    try:
        await fs.run(flow, base=base)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        rows = await fs.run(load(SOURCE.replace('stream="true"', "")), base=base)
        _, whole = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(rows.output) == 30_000
    assert peak < whole / 2
