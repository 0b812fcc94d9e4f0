"""Owns tests of databases that a stranger's document names: no environment, no other file, no hostile schema."""

from __future__ import annotations

import os
import re
import sqlite3
import struct
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy.exc
import trio

import flowscript_trio as fs
from flowscript_trio.runtimes.database.errors import MissingPackage
from flowscript_trio.runtimes.file.paths import PathOutside

from swapping import swapping

ROUNDS = [40, pytest.param(500, marks=pytest.mark.slow)]
"""Connections that a race is tried for."""

SWAPPER = """
import os, sys
base, outside = sys.argv[1:]
victim = os.path.join(outside, "a.db")
folder, moved = os.path.join(base, "sub"), os.path.join(base, "moved")
name, kept = os.path.join(base, "a.db"), os.path.join(base, "kept")
print("ready", flush=True)
def attempt(call, *names):
    try:
        call(*names)
    except OSError:
        pass
while True:
    for make in (os.symlink, os.link):
        attempt(os.rename, name, kept)
        attempt(make, victim, name)
        attempt(os.unlink, name)
        attempt(os.rename, kept, name)
    attempt(os.rename, folder, moved)
    attempt(os.symlink, outside, folder)
    attempt(os.unlink, folder)
    attempt(os.rename, moved, folder)
"""


def source(query: str, url: str = "sqlite:///a.db", settings: str = "") -> str:
    return (
        f'<source:database id="s" connection="{url}" {settings}>'
        f"<query><![CDATA[{query}]]></query></source:database>"
    )


async def run_one(element: str, base: Path | None = None, **options: Any) -> Any:
    flow = fs.loads(f'<workflow name="w">{element}</workflow>')
    return (await fs.run(flow, base=base, **options)).output


def make(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE t (text)")
    connection.execute("INSERT INTO t VALUES (?)", [text])
    connection.commit()
    connection.close()


@pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="the system has no handles of folders")
@pytest.mark.parametrize("rounds", ROUNDS)
@pytest.mark.parametrize("name", ["a.db", "sub/a.db"])
async def test_no_race_of_another_process_opens_a_database_outside(
    name: str, rounds: int, tmp_path: Path
) -> None:
    base, outside = tmp_path / "base", tmp_path / "outside"
    base.mkdir()
    make(outside / "a.db", "outside")
    make(base / "a.db", "inside")
    make(base / "sub" / "a.db", "inside")
    before = (outside / "a.db").read_bytes()
    flow = fs.loads(
        f'<workflow name="w">{source("SELECT text FROM t", f"sqlite:///{name}")}</workflow>'
    )
    opened = 0
    with swapping(SWAPPER, base, outside):
        for _ in range(rounds):
            # A database that was made anew, because there was none at that moment, has no table.
            with suppress(OSError, fs.FlowScriptError, sqlalchemy.exc.OperationalError):
                assert (await fs.run(flow, base=base)).output == [{"text": "inside"}]
                opened += 1
    assert opened > 0
    assert os.listdir(outside) == ["a.db"]
    assert (outside / "a.db").read_bytes() == before


async def test_a_folder_that_is_swapped_while_sqlite_opens_its_file_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base, outside = tmp_path / "base", tmp_path / "outside"
    base.mkdir()
    make(outside / "a.db", "outside")
    make(base / "sub" / "a.db", "inside")
    real = sqlite3.connect

    def swapped(*args: Any, **options: Any) -> Any:
        (base / "sub").rename(base / "moved")
        (base / "sub").symlink_to(outside)
        try:
            return real(*args, **options)
        finally:
            (base / "sub").unlink()
            (base / "moved").rename(base / "sub")

    monkeypatch.setattr(sqlite3, "connect", swapped)
    with pytest.raises(fs.FlowScriptError, match="another process moves files"):
        await run_one(source("SELECT * FROM t", "sqlite:///sub/a.db"), base)


@pytest.mark.parametrize("suffix", ["", "-journal", "-wal"])
async def test_a_database_file_with_a_second_name_is_refused_under_a_base(
    suffix: str, tmp_path: Path
) -> None:
    base = tmp_path / "base"
    make(base / "a.db", "inside")
    outside = tmp_path / "outside"
    outside.write_bytes(b"key")
    (base / f"a.db{suffix}").unlink(missing_ok=True)
    os.link(outside, base / f"a.db{suffix}")
    with pytest.raises(fs.FlowScriptError, match="is a hard link"):
        await run_one(source("SELECT * FROM t"), base)
    assert outside.read_bytes() == b"key"


async def test_a_new_database_is_made_in_the_base(tmp_path: Path) -> None:
    await run_one(source("CREATE TABLE t (n)", "sqlite:///new.db"), tmp_path)
    await run_one(
        '<sink:database id="k" connection="sqlite:///new.db" table="t"/>', tmp_path, input={"n": 1}
    )
    assert await run_one(source("SELECT n FROM t", "sqlite:///new.db"), tmp_path) == [{"n": 1}]


@pytest.mark.parametrize("with_base", [True, False])
@pytest.mark.parametrize(
    "query",
    [
        "PRAGMA writable_schema = ON",
        "PRAGMA trusted_schema = ON",
        "PRAGMA temp_store_directory = '/'",
        "PRAGMA schema_version = 7",
        "PRAGMA journal_mode = OFF",
        "PRAGMA main.journal_mode('off')",
        "PRAGMA journal_mode = of",
        "PRAGMA journal_mode = 'O'",
        "PRAGMA journal_mode = MEMORY",
        "PRAGMA synchronous = OFF",
        "PRAGMA synchronous = 256",
        "SELECT load_extension('/tmp/x.so')",
    ],
)
async def test_what_corrupts_a_database_or_runs_other_code_is_refused(
    query: str, with_base: bool, tmp_path: Path
) -> None:
    make(tmp_path / "a.db", "x")
    url = "sqlite:///a.db" if with_base else f"sqlite:///{tmp_path}/a.db"
    with pytest.raises(sqlalchemy.exc.DatabaseError, match="not authorized"):
        await run_one(source(query, url), tmp_path if with_base else None)


@pytest.mark.parametrize(
    "query",
    [
        "PRAGMA table_info(t)",
        "PRAGMA user_version",
        "PRAGMA journal_mode = WAL",
        "PRAGMA synchronous",
        "PRAGMA schema_version",
        "SELECT upper('a') AS x",
    ],
)
async def test_what_a_workflow_needs_is_allowed(query: str, tmp_path: Path) -> None:
    make(tmp_path / "a.db", "x")
    assert len(await run_one(source(query), tmp_path)) == 1


async def test_a_pattern_that_would_hold_the_thread_is_refused(tmp_path: Path) -> None:
    make(tmp_path / "a.db", "x")
    query = source("SELECT ? LIKE ? AS found", settings="params=\"['a', '{}']\"".format("%a" * 150))
    with pytest.raises(sqlalchemy.exc.DatabaseError, match="too complex"):
        await run_one(query, tmp_path)


PSYCOPG = pytest.importorskip("psycopg")


async def asked_of(url: str, **options: Any) -> list[bytes]:
    """What a server that asks for a password in the clear is told by a workflow."""
    told: list[bytes] = []

    async def serve(stream: trio.SocketStream) -> None:
        async def message() -> bytes:
            size = struct.unpack(">I", await receive(stream, 4))[0]
            return await receive(stream, size - 4)

        with suppress(trio.BrokenResourceError, EOFError):
            first = await message()
            if first[:4] == struct.pack(">I", 80877103):
                await stream.send_all(b"N")
                first = await message()
            told.append(first[4:])
            await stream.send_all(b"R" + struct.pack(">II", 8, 3))
            kind = await receive(stream, 1)
            told.append(kind + await message())
        await stream.aclose()

    async with trio.open_nursery() as nursery:
        [listener] = await nursery.start(partial(trio.serve_tcp, serve, 0, host="127.0.0.1"))
        port = listener.socket.getsockname()[1]
        try:
            with trio.fail_after(10):
                await run_one(source("select 1", url.format(port=port)), **options)
        except (sqlalchemy.exc.OperationalError, fs.FlowScriptError) as exc:
            told.append(str(exc).encode())
        nursery.cancel_scope.cancel()
    return told


async def receive(stream: trio.SocketStream, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = await stream.receive_some(size - len(data))
        if not part:
            raise EOFError
        data += part
    return data


async def test_a_server_of_the_documents_choice_gets_nothing_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".pgpass").write_text("*:*:*:*:the-operators-own")
    (tmp_path / ".pgpass").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / ".pgpass"))
    for name in (
        "PGPASSWORD",
        "PGUSER",
        "PGDATABASE",
        "PGAPPNAME",
        "PGOPTIONS",
        "PGSSLCERT",
        "PGHOST",
    ):
        monkeypatch.setenv(name, "the-operators-own")
    monkeypatch.setenv("PGHOSTADDR", "192.0.2.1")
    monkeypatch.setenv("PGPORT", "1")
    told = await asked_of("postgresql://app@127.0.0.1:{port}/db")
    assert told[0].startswith(b"user\0app\0")
    assert b"the-operators-own" not in b"".join(told)
    assert not any(one.startswith(b"p") for one in told)


async def test_the_password_of_the_url_is_sent() -> None:
    told = await asked_of("postgresql://app:own@127.0.0.1:{port}/db")
    assert b"pown\0" in told


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("postgresql://127.0.0.1/db", "names no user"),
        ("postgresql://u@/db", "names no host"),
        ("postgresql://u@h/db?service=x", "option 'service', which is not allowed"),
        ("postgresql://u@h/db?sslkeylogfile=/tmp/x", "'sslkeylogfile', which is not allowed"),
        ("postgresql://u@h/db?autocommit=1", "'autocommit', which is not allowed"),
        ("postgresql://u@h/db?ssl_mode=x", "did you mean 'sslmode'"),
    ],
)
async def test_a_url_says_who_and_where_and_only_what_is_allowed(url: str, message: str) -> None:
    with pytest.raises((fs.SettingError, fs.WorkflowInvalid), match=message):
        await run_one(source("select 1", url))


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mysql+pymysql://u@h/db?local_infile=1", "'local_infile', which is not allowed for mysql"),
        ("mysql+mysqldb://u@h/db?read_default_file=/root/.my.cnf", "'read_default_file'"),
        ("mysql+pymysql://u@h/db?plugin=x", "'plugin', which is not allowed"),
        ("mysql+pymysql://u@h/db?charset=a/b", "'charset' in the connection has a path"),
        ("mssql+pyodbc://u@h/db?odbc_connect=Driver%3D/tmp/x.so", "'odbc_connect'"),
        ("mssql+pyodbc://u@h/db?driver=/tmp/x.so", "'driver' in the connection has a path"),
        ("mssql+pyodbc://u@h/db?driver=A;Trusted_Connection%3Dyes", "several values"),
        ("oracle+oracledb://u@h/db?config_dir=/etc", "'config_dir'"),
    ],
)
async def test_a_url_of_another_driver_reads_no_file_and_loads_no_code(
    url: str, message: str
) -> None:
    with pytest.raises(fs.SettingError, match=re.escape(message)):
        await run_one(source("select 1", url))


async def test_the_usual_options_of_another_driver_are_allowed() -> None:
    for url in (
        "mysql+pymysql://u@h/db?charset=utf8mb4&connect_timeout=5",
        "mssql+pyodbc://u@h/db?driver=ODBC+Driver+18+for+SQL+Server&Encrypt=yes",
    ):
        with pytest.raises(MissingPackage):  # which is the next thing that is looked for
            await run_one(source("select 1", url))


async def test_under_a_base_a_database_of_another_driver_is_one_of_a_server(tmp_path: Path) -> None:
    with pytest.raises(fs.SettingError, match="names no host, and under a base folder"):
        await run_one(source("select 1", "mysql+pymysql:///db"), tmp_path)


async def test_files_of_a_url_are_confined_to_the_base(tmp_path: Path) -> None:
    for name in ("passfile", "sslkey", "sslcert", "sslrootcert"):
        with pytest.raises(PathOutside):
            await run_one(source("select 1", f"postgresql://u@h/db?{name}=../key"), tmp_path)


@pytest.mark.parametrize("variable", ["PGSERVICE", "PGDATESTYLE", "PGTZ", "PGGEQO"])
async def test_a_variable_that_libpq_reads_in_any_case_is_refused(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "the-operators-own")
    told = await asked_of("postgresql://app@127.0.0.1:{port}/db")
    assert len(told) == 1, "nothing was sent"
    assert f"the environment has {variable}, which libpq cannot".encode() in told[0]


async def test_a_second_name_that_goes_while_the_names_are_counted_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base, outside = tmp_path / "base", tmp_path / "outside"
    base.mkdir()
    make(outside / "a.db", "outside")
    # What is found is the file outside, whose second name is gone when its names are counted, and back then.
    alone = os.stat(outside / "a.db")
    os.link(outside / "a.db", base / "a.db")
    monkeypatch.setattr(
        "flowscript_trio.runtimes.database.sqlite._find_or_make", lambda entry, name: alone
    )
    flow = fs.loads(f'<workflow name="w">{source("SELECT text FROM t")}</workflow>')
    with pytest.raises(fs.FlowScriptError, match="another process moves files"):
        await fs.run(flow, base=base)


async def test_how_long_a_lock_is_waited_for_is_not_the_queries_to_say(tmp_path: Path) -> None:
    make(tmp_path / "a.db", "x")
    for query in ("PRAGMA busy_timeout = 600000", "PRAGMA main.busy_timeout(600000)"):
        with pytest.raises(sqlalchemy.exc.DatabaseError, match="not authorized"):
            await run_one(source(query), tmp_path)
    assert await run_one(source("PRAGMA busy_timeout"), tmp_path) == [{"timeout": 0}]
