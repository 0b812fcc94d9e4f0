"""What a store in a file owes beside the others: locks of processes, faults of the disk, versions, permissions."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trio

from flowscript_trio.journal import schema, sqlite, writing
from flowscript_trio.journal.errors import encode_error
from flowscript_trio.journal.rows import Mark, Row
from flowscript_trio.journal.secrets import KeptSecrets
from flowscript_trio.journal.store import Store
from flowscript_trio.journal.values import decode_value, encode_value
from flowscript_trio.types.errors import InputError
from flowscript_trio.types.masking import Masker
from flowscript_trio.types.spellings import spellings_of
from flowscript_trio.types.storing import RunBusy, StoreFailed, Superseded

from invoking import unmeasured


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "runs.db"


def tables(file: Path, sql: str, *values: Any) -> list[Any]:
    connection = sqlite3.connect(file, isolation_level=None)
    try:
        return connection.execute(sql, values).fetchall()
    finally:
        connection.close()


def rows(count: int, size: int = 0) -> Iterator[Row]:
    for number in range(count):
        yield Row("ended", str(number), os.urandom(size))


def damage(file: Path) -> None:
    """Overwrite the heads of all pages but the first two."""
    data = bytearray(file.read_bytes())
    for page in range(2, len(data) // 4096):
        data[page * 4096 : page * 4096 + 64] = b"\xa5" * 64
    file.write_bytes(data)


def size_of(file: Path) -> int:
    return file.stat().st_size


# -- who owns a run


OWNER = """
import os, sys, trio
from flowscript_trio.journal.store import Store
async def main():
    journal = await Store(sys.argv[1]).begin("r", b"")
    child = os.fork() if sys.argv[2] == "fork" else None
    if child == 0:
        sys.stdin.read(1)  # it lives on, with all that it has inherited
        os._exit(0)
    print(child or 0, flush=True)
    await trio.sleep_forever()
trio.run(main)
"""


@pytest.fixture
def owner(file: Path) -> Iterator[Callable[[str], tuple[subprocess.Popen[bytes], int]]]:
    """Start a process that owns the run ``r``, and perhaps has forked; gives it and its child."""
    processes: list[subprocess.Popen[bytes]] = []

    def start(how: str) -> tuple[subprocess.Popen[bytes], int]:
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", OWNER, str(file), how],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        processes.append(process)
        assert process.stdout is not None
        return process, int(process.stdout.readline())

    yield start
    for process in processes:
        process.kill()
        process.communicate()


async def test_a_run_of_another_process_is_busy_until_that_is_dead(file: Path, owner: Any) -> None:
    process, _ = owner("alone")
    store = Store(file)
    assert (await store.show("r")).owned
    with pytest.raises(RunBusy, match=f"owned by the process {process.pid}"):
        await store.open("r")
    (await store.begin("s", b""),)  # another run of the same file is free
    process.kill()
    process.wait()
    assert (await store.show("r")).orphaned
    await (await store.open("r")).aclose()


async def test_a_forked_child_does_not_keep_the_run_of_its_dead_parent(
    file: Path, owner: Any
) -> None:
    process, child = owner("fork")
    process.kill()
    process.wait()
    os.kill(child, 0)  # it lives
    journal = await Store(file).open("r")
    await journal.aclose()


async def test_a_forked_child_owns_nothing_of_its_parent(file: Path) -> None:
    journal = await Store(file).begin("r", b"")
    code = "import sys, trio; from flowscript_trio.journal.store import Store; "
    child = os.fork()
    if child == 0:
        os.execv(
            sys.executable,
            [sys.executable, "-c", f"{code}trio.run(Store(sys.argv[1]).open, 'r')", str(file)],
        )
    _, status = await trio.to_thread.run_sync(os.waitpid, child, 0)
    assert os.waitstatus_to_exitcode(status) == 1
    with pytest.raises(RunBusy):  # its closing of the side file freed nothing here
        await Store(file).open("r")
    await journal.aclose()


async def test_reading_a_store_by_any_path_does_not_give_a_run_away(
    file: Path, tmp_path: Path
) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path, target_is_directory=True)
    journal = await Store(file).begin("r", b"")
    other = Store(link / "runs.db")
    await other.runs()
    with pytest.raises(RunBusy, match="another task of this process"):
        await other.open("r")
    code = (
        "import sys, trio; from flowscript_trio.journal.store import Store; from flowscript_trio"
        ".types.storing import RunBusy\ntry: trio.run(Store(sys.argv[1]).open, 'r')\n"
        "except RunBusy: sys.exit(7)"
    )
    done = await trio.run_process([sys.executable, "-c", code, str(file)], check=False)
    assert done.returncode == 7
    await journal.aclose()


@pytest.mark.parametrize("here", ["runs.db", "link.db"])
async def test_a_run_has_one_owner_by_whatever_link_its_file_is_reached(
    file: Path, tmp_path: Path, here: str
) -> None:
    (tmp_path / "link.db").symlink_to("runs.db")
    journal = await Store(tmp_path / here).begin("r", b"")
    with pytest.raises(RunBusy, match="another task of this process"):
        await Store(tmp_path / "link.db").open("r")
    code = (
        "import sys, trio; from flowscript_trio.journal.store import Store; from flowscript_trio"
        ".types.storing import RunBusy\nfor file in sys.argv[1:]:\n"
        "    try: trio.run(Store(file).open, 'r')\n    except RunBusy: pass\n    else: sys.exit(7)"
    )
    await trio.run_process([sys.executable, "-c", code, str(file), str(tmp_path / "link.db")])
    await journal.aclose()
    assert set(os.listdir(tmp_path)) == {"runs.db", "runs.db-owners", "link.db"}


@pytest.mark.parametrize("name", ["nul\0.db", "\ud800.db"])
def test_what_no_file_can_be_called_is_no_store(name: str) -> None:
    with pytest.raises(InputError, match=r"the store is .*; expected the path of a file"):
        Store(name)


# -- locks on the whole file


async def test_the_lock_of_another_process_is_waited_for(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = trio.Event()
    token = trio.lowlevel.current_trio_token()
    journal = await Store(file).begin("r", b"")
    begun = sqlite.begun

    def begins(connection: sqlite3.Connection) -> bool:
        done = begun(connection)
        if not done:
            token.run_sync_soon(asked.set)
        return done

    monkeypatch.setattr(sqlite, "begun", begins)
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0)
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("begin immediate")
    async with trio.open_nursery() as nursery:
        journal.write(Row("started", "a", b""))
        nursery.start_soon(journal.synced)
        await asked.wait()
        other.execute("commit")
    other.close()
    assert (await Store(file).show("r")).rows == 1
    await journal.aclose()


async def test_readers_hold_no_transaction_and_need_no_lock(file: Path) -> None:
    store = Store(file)
    await store.submit("r", b"")
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("begin immediate")
    assert [run.run_id for run in await store.runs()] == ["r"]
    assert (await store.show("r")).rows == 0
    other.execute("rollback")
    assert other.execute("pragma wal_checkpoint(truncate)").fetchone()[0] == 0
    other.close()


async def test_a_journal_that_cannot_be_written_is_closed_with_a_word(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0)
    monkeypatch.setattr(writing, "PATIENCE", 0.01)
    journal = await Store(file).begin("r", b"")
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("begin immediate")
    journal.write(Row("ended", "a", b""))
    with pytest.raises(StoreFailed, match="another process holds the store locked"):
        await journal.aclose()
    other.execute("rollback")
    other.close()
    again = await Store(file).open("r")
    assert list(again.read()) == []
    await again.aclose()


async def test_an_owner_that_was_followed_by_another_writes_nothing(file: Path) -> None:
    store = Store(file)
    journal, other = await store.begin("r", b""), await store.begin("s", b"")
    tables(file, "update runs set fence = fence + 1 where id = 'r'")

    async def write(to: Any) -> None:
        to.write(Row("ended", "a", b""))
        await to.synced()

    async with trio.open_nursery() as nursery:  # in one commit: the other is none the worse for it
        nursery.start_soon(write, other)
        with pytest.raises(Superseded):
            await write(journal)
    with pytest.raises(Superseded):
        await journal.synced()
    assert (await store.show("r")).rows == 0
    assert (await store.show("s")).rows == 1
    await journal.aclose()
    await other.aclose()


# -- faults of the disk


def limited(monkeypatch: pytest.MonkeyPatch, pages: int) -> None:
    """Let files grow by so many pages at most: a disk that is full."""
    connect = schema.connect

    def connects(*args: Any) -> sqlite3.Connection:
        connection = connect(*args)
        (count,) = connection.execute("pragma page_count").fetchone()
        connection.execute(f"pragma max_page_count = {count + pages}")
        return connection

    monkeypatch.setattr(sqlite, "connect", connects)


async def test_a_full_disk_is_said_and_what_was_synced_stays(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as full:
        limited(full, 30)
        journal = await Store(file).begin("r", b"")
        synced = 0

        async def fill() -> None:
            nonlocal synced
            for row in rows(100, 5_000):
                journal.write(row)
                await journal.synced()
                synced += 1

        with pytest.raises(StoreFailed, match="the disk is full; make room"):
            await fill()
        with pytest.raises(StoreFailed, match="the disk is full"):
            await journal.synced()
        journal.write(
            Row("ended", "later", b"")
        )  # it is lost, as all after what could not be written
        await journal.aclose()
    again = await Store(file).open("r")
    assert [row.key for row in again.read()] == list(map(str, range(synced)))
    assert synced > 5
    again.write(Row("ended", "on", b""))
    await again.aclose()
    assert (await Store(file).show("r")).rows == synced + 1


TOO_LARGE = """
import os, resource, signal, sys, trio
from flowscript_trio.journal.rows import Row
from flowscript_trio.journal.store import Store
from flowscript_trio.types.storing import StoreFailed
async def main():
    journal = await Store(sys.argv[1]).begin("r", b"")
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
    for number in range(200):
        journal.write(Row("ended", str(number), os.urandom(5_000)))
        try:
            await journal.synced()
        except StoreFailed as exc:
            print(number, exc)
            await journal.aclose()
            return
trio.run(main)
"""


async def test_a_write_that_the_system_refuses_is_said_and_what_was_synced_stays(
    file: Path,
) -> None:
    done = await trio.run_process([sys.executable, "-c", TOO_LARGE, str(file)], capture_stdout=True)
    synced, _, said = done.stdout.decode().partition(" ")
    assert "cannot be used" in said
    journal = await Store(file).open("r")
    assert [row.key for row in journal.read()] == list(map(str, range(int(synced))))
    assert int(synced) > 10
    journal.write(Row("ended", "on", b""))
    await journal.aclose()


READ_ONLY = """
import os, sys, trio
from flowscript_trio.journal.store import Store
from flowscript_trio.types.storing import StoreFailed
if os.geteuid() == 0:
    os.seteuid(65534)
try:
    trio.run(lambda: Store(sys.argv[1]).begin("s", b""))
except StoreFailed as exc:
    sys.exit(str(exc))
"""


@pytest.fixture
def read_only(file: Path) -> Iterator[None]:
    """A store that may be read by all and written by nobody."""
    trio.run(Store(file).submit, "r", b"")
    folders = {each: each.stat().st_mode for each in [file.parent, *file.parents[1:4]]}
    for folder, mode in folders.items():
        folder.chmod(mode | 0o055)
    for each in file.parent.iterdir():
        each.chmod(0o444)
    file.parent.chmod(0o555)
    yield
    for folder, mode in folders.items():
        folder.chmod(mode)


@pytest.mark.usefixtures("read_only")
async def test_a_store_that_may_not_be_written_is_said(file: Path) -> None:
    command = [sys.executable, "-c", READ_ONLY, str(file)]
    done = await trio.run_process(command, check=False, capture_stderr=True, env=unmeasured())
    assert done.returncode == 1
    assert b"cannot be used: it can only be read; let this user write" in done.stderr
    assert b"Traceback" not in done.stderr


async def test_a_store_in_no_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreFailed, match=r"there is no folder .*none' for the store 'runs.db'"):
        await Store(tmp_path / "none" / "runs.db").begin("r", b"")


async def test_looking_into_a_store_that_is_not_there_makes_none(file: Path) -> None:
    for call in (Store(file).runs(), Store(file).show("r"), Store(file).open("r")):
        with pytest.raises(StoreFailed, match="there is no store"):
            await call
    assert await trio.Path(file).exists() is False


async def test_a_damaged_row_is_found(file: Path) -> None:
    journal = await Store(file).begin("r", b"")
    for row in [*rows(3), Row("ended", "large", b"x" * 70_000)]:
        journal.write(row)
    await journal.aclose()
    tables(file, "update rows set data = x'00' where number = 1")
    again = await Store(file).open("r")
    with pytest.raises(StoreFailed, match="of the run 'r' row 1 is not what was written"):
        list(again.read())
    tables(file, "delete from rows where number = 1")
    with pytest.raises(StoreFailed, match="of the run 'r' rows are missing"):
        list(again.read())
    await again.aclose()


@pytest.mark.parametrize("change", ["packed = x'00'", "packed = zeroblob(20)", "hash = x'00'"])
async def test_a_damaged_large_value_is_found(file: Path, change: str) -> None:
    journal = await Store(file).begin("r", b"")
    journal.write(Row("ended", "large", b"x" * 70_000))
    await journal.aclose()
    tables(file, f"update large set {change} where length(packed) > 30")
    again = await Store(file).open("r")
    with pytest.raises(StoreFailed, match="a large value is not what was written"):
        list(again.read())
    await again.aclose()


async def test_a_damaged_page_is_said(file: Path) -> None:
    journal = await Store(file).begin("r", b"")
    for row in rows(200, 2_000):
        journal.write(row)
    await journal.aclose()
    damage(file)
    with pytest.raises(StoreFailed, match="damaged"):
        list((await Store(file).open("r")).read())


async def test_a_file_of_something_else_is_left_alone(file: Path) -> None:
    content = b"not a database, but long enough to be looked at" * 100
    await trio.Path(file).write_bytes(content)
    with pytest.raises(StoreFailed, match="it is not a SQLite file"):
        await Store(file).begin("r", b"")
    assert await trio.Path(file).read_bytes() == content


async def test_a_sqlite_file_of_something_else_is_left_alone(file: Path) -> None:
    tables(file, "create table mine (x)")
    with pytest.raises(StoreFailed, match="is a SQLite file of something else"):
        await Store(file).begin("r", b"")
    assert tables(file, "select name from sqlite_schema") == [("mine",)]


# -- versions of the schema


async def test_a_store_of_a_later_release_is_left_alone(file: Path) -> None:
    await Store(file).submit("r", b"")
    tables(file, f"pragma user_version = {len(schema.STEPS) + 1}")
    with pytest.raises(StoreFailed, match="was written by a later release"):
        await Store(file).open("r")


async def test_a_store_of_an_earlier_release_is_brought_up_once_no_run_is_owned(
    file: Path, owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    process, _ = owner("alone")
    monkeypatch.setattr(schema, "STEPS", [*schema.STEPS, "create table more (x text) strict"])
    with pytest.raises(StoreFailed, match=f"since the process {process.pid} owns a run"):
        await Store(file).runs()
    assert tables(file, "select count(*) from sqlite_schema where name = 'more'") == [(0,)]
    process.kill()
    process.wait()
    assert [run.run_id for run in await Store(file).runs()] == ["r"]
    assert tables(file, "select count(*) from sqlite_schema where name = 'more'") == [(1,)]


async def test_a_step_that_fails_leaves_the_earlier_version(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await Store(file).submit("r", b"")
    with monkeypatch.context() as wrong:
        wrong.setattr(schema, "STEPS", [*schema.STEPS, "create table more (x); drop table none"])
        with pytest.raises(StoreFailed):
            await Store(file).runs()
    assert len(await Store(file).runs()) == 1


async def test_many_processes_may_make_a_store_at_once(file: Path) -> None:
    code = (
        "import sys, trio; from flowscript_trio.journal.store import Store; "
        "trio.run(Store(sys.argv[1]).submit, sys.argv[2], b'')"
    )
    async with trio.open_nursery() as nursery:
        for name in "abcdef":
            nursery.start_soon(trio.run_process, [sys.executable, "-c", code, str(file), name])
    assert len(await Store(file).runs()) == 6


# -- the file, and what it costs


async def test_no_secret_is_in_the_files_of_a_store(file: Path) -> None:
    secret = 's3cr3t "wörd"/+&'
    secrets = KeptSecrets({"token": secret})
    journal = await Store(file).begin("r", encode_value({"config": {"token": secret}}, secrets))
    for form in spellings_of(secret):
        journal.write(Row("ended", "a", encode_value([form, {"in": form * 10}], secrets)))
        text = form.decode("utf-8", "surrogatepass") if form.isascii() else secret
        error = ValueError(text)
        error.add_note(f"see {text}")
        facts = encode_error(error, {"message": text}, secrets)
        journal.write(Row("failed", "a", b"", encode_value(facts, secrets)))
    journal.write(Row("set", "a", encode_value(f"{secret} and so on, " * 3_000, secrets)))
    await journal.synced()
    masker = Masker([secret])
    files = list(file.parent.iterdir())
    contents = [each.read_bytes() for each in files]
    large = [zlib.decompress(packed) for (packed,) in tables(file, "select packed from large")]
    assert large
    assert len(files) == 4
    for content in contents + large:
        assert not masker.spans(content)
    await journal.aclose()
    again = await Store(file).open("r")
    values = [decode_value(row.data, secrets) for row in again.read() if row.kind == "ended"]
    assert values == [[form, {"in": form * 10}] for form in spellings_of(secret)]
    await again.aclose()


async def test_only_the_owner_of_the_files_may_read_them(file: Path) -> None:
    journal = await Store(file).begin("r", b"")
    journal.write(Row("ended", "a", b""))
    await journal.synced()
    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in file.parent.iterdir()}
    assert modes == dict.fromkeys(
        ["runs.db", "runs.db-wal", "runs.db-shm", "runs.db-owners"], 0o600
    )
    await journal.aclose()
    assert sorted(each.name for each in file.parent.iterdir()) == ["runs.db", "runs.db-owners"]


@pytest.mark.parametrize(("durability", "level"), [("power", 2), ("process", 1)])
async def test_what_survives_a_power_cut_is_chosen(
    file: Path, durability: Any, level: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    keep = sqlite.keep

    def keeps(connection: sqlite3.Connection, batch: Any) -> None:
        seen.append(connection.execute("pragma synchronous").fetchone()[0])
        seen.append(connection.execute("pragma journal_mode").fetchone()[0])
        keep(connection, batch)

    monkeypatch.setattr(sqlite, "keep", keeps)
    journal = await Store(file, durability=durability).begin("r", b"")
    journal.write(Row("ended", "a", b""))
    await journal.aclose()
    assert seen == [level, "wal"]


async def test_all_that_wait_in_a_pass_share_one_commit(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits = 0
    commit = sqlite.SqliteBackend.commit

    def counted(self: Any, *args: Any) -> None:
        nonlocal commits
        commits += 1
        commit(self, *args)

    monkeypatch.setattr(sqlite.SqliteBackend, "commit", counted)
    journal = await Store(file).begin("r", b"")

    async def node() -> None:
        journal.write(Row("ended", "a", b""))
        await journal.synced()

    async with trio.open_nursery() as nursery:
        for _ in range(100):
            nursery.start_soon(node)
    assert commits == 1
    await journal.aclose()
    assert commits == 1


async def test_rows_that_nobody_waits_for_reach_the_disk_soon(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = trio.Event()
    token = trio.lowlevel.current_trio_token()
    commit = sqlite.SqliteBackend.commit

    def told(self: Any, *args: Any) -> None:
        commit(self, *args)
        token.run_sync_soon(written.set)

    monkeypatch.setattr(sqlite.SqliteBackend, "commit", told)
    journal = await Store(file).begin("r", b"")
    journal.write(Row("ended", "a", b""))
    await written.wait()
    assert (await Store(file).show("r")).rows == 1
    await journal.aclose()


async def test_a_large_value_is_kept_once_and_compressed(file: Path) -> None:
    value = os.urandom(500) * 2_000
    journal = await Store(file).begin("r", b"")
    for row in range(50):
        journal.write(Row("ended", str(row), b"", value))
    await journal.aclose()
    assert size_of(file) < 200_000
    again = await Store(file).open("r")
    assert all(row.value == value for row in again.read())
    await again.aclose()


async def test_what_is_forgotten_leaves_no_large_values_and_the_file_shrinks(file: Path) -> None:
    journal = await Store(file).begin("r", b"")
    for row in rows(20, 100_000):
        journal.write(row)
    journal.mark(Mark("completed"))
    await journal.aclose()
    before = size_of(file)
    await Store(file).prune(older_than=0)
    assert tables(file, "select count(*) from large") == [(0,)]
    assert size_of(file) < before / 10


def stopped(code: str, file: Path) -> subprocess.Popen[bytes]:
    """A process that has stopped itself."""
    process = subprocess.Popen([sys.executable, "-c", code, str(file)])
    os.waitpid(process.pid, os.WUNTRACED)
    return process


async def test_a_process_stopped_in_its_transaction_holds_others_up_until_it_is_killed(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.01)
    journal = await Store(file).begin("r", b"")
    code = (
        "import os, signal, sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None); "
        "c.execute('begin immediate'); os.kill(os.getpid(), signal.SIGSTOP)"
    )
    process = await trio.to_thread.run_sync(stopped, code, file)
    async with trio.open_nursery() as nursery:
        journal.write(Row("ended", "a", b""))
        nursery.start_soon(journal.synced)
        await trio.testing.wait_all_tasks_blocked()
        os.kill(process.pid, signal.SIGKILL)
    process.wait()
    await journal.aclose()
    assert (await Store(file).show("r")).rows == 1


@pytest.mark.parametrize("after", [1, 2])
def test_a_file_whose_tables_another_process_makes_at_the_moment_is_not_taken_for_something_else(
    after: int, tmp_path: Path
) -> None:
    path = tmp_path / "runs.db"
    schema.make_file(path)
    reader = sqlite3.connect(path, factory=_Overtaken)
    reader.path, reader.after = path, after
    assert schema._version(reader, path) in (0, len(schema.STEPS))
    reader.close()


class _Overtaken(sqlite3.Connection):
    """Another process makes the tables once so many statements have been read."""

    path: Path
    after: int

    def execute(self, sql: str, *given: Any) -> sqlite3.Cursor:
        done = super().execute(sql, *given)
        rows = done.fetchall()
        self.after -= 1
        if not self.after:
            schema.connect(self.path, "full").close()
        return super().execute("select " + ", ".join(map(str, rows[0])))


async def test_a_run_is_not_taken_over_from_a_process_that_is_stopped(
    file: Path, owner: Any
) -> None:
    process, _ = owner("alone")
    os.kill(process.pid, signal.SIGSTOP)
    with pytest.raises(RunBusy, match=f"owned by the process {process.pid}"):
        await Store(file).open("r")
    assert not (await Store(file).show("r")).orphaned


async def test_a_reader_holds_no_transaction_between_two_reads(file: Path) -> None:
    journal = await Store(file).begin("r", b"")
    for row in rows(2_500):
        journal.write(row)
    await journal.aclose()
    journal = await Store(file).open("r")
    reading = iter(journal.read())
    assert next(reading).key == "0"
    assert tables(file, "pragma wal_checkpoint(truncate)")[0][0] == 0  # nobody is in its way
    assert sum(1 for _ in reading) == 2_499
    await journal.aclose()


async def test_one_thread_writes_all_runs_of_a_store(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: set[int] = set()
    commit = sqlite.SqliteBackend.commit

    def noted(self: Any, *args: Any) -> None:
        threads.add(threading.get_ident())
        commit(self, *args)

    monkeypatch.setattr(sqlite.SqliteBackend, "commit", noted)
    store = Store(file)
    journals = [await store.begin(name, b"") for name in "abc"]
    for number in range(10):
        for journal in journals:
            journal.write(Row("ended", str(number), b""))
            await journal.synced()
    for journal in journals:
        await journal.aclose()
    assert len(threads) == 1
    assert threading.get_ident() not in threads
