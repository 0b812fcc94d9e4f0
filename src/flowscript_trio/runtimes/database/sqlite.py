"""Owns SQLite for documents of strangers: which file is opened, and what a statement may do."""

from __future__ import annotations

import os
import sqlite3
import stat
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ...types.errors import FlowScriptError, SettingError
from ..file.paths import FolderEntry, open_entry, refuse_special, resolve

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from sqlalchemy import URL

PATIENCE = 5.0
"""Seconds that SQLite waits for the lock of another connection, where the URL does not say (``timeout``)."""

_PRAGMAS = """
    analysis_limit application_id auto_vacuum automatic_index cache_size case_sensitive_like
    collation_list compile_options data_version database_list defer_foreign_keys encoding foreign_key_check
    foreign_key_list foreign_keys freelist_count function_list incremental_vacuum index_info index_list
    index_xinfo integrity_check journal_mode journal_size_limit optimize page_count page_size pragma_list
    query_only quick_check read_uncommitted recursive_triggers secure_delete synchronous table_info table_list
    table_xinfo temp_store user_version wal_autocheckpoint wal_checkpoint
"""
_ALLOWED = frozenset(_PRAGMAS.split())
"""The pragmas that a workflow needs: none that unlocks the schema, moves files or corrupts a database."""
_SET_TO = {
    "journal_mode": frozenset({"delete", "persist", "truncate", "wal"}),
    "synchronous": frozenset({"normal", "full", "extra", "1", "2", "3"}),
}
"""The values with which a crash leaves no ruin. SQLite reads others as one that it knows, ``of`` as ``off``."""
_READ = frozenset({"busy_timeout", "schema_version"})
_FUNCTIONS = frozenset({"load_extension", "fts3_tokenizer", "readfile", "writefile", "edit"})
_PRAGMA, _ATTACH, _FUNCTION = 19, 24, 31  # SQLITE_PRAGMA, …
_OK, _DENY = 0, 1

_LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: 256 * 1024 * 1024,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 16 * 1024 * 1024,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 500,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 200,  # one call of LIKE cannot be interrupted
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 100,
    sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
}
_TRIES = 50
_LOOKS = 3
_OPTIONS = {"isolation_level", "detect_types", "check_same_thread", "cached_statements"}
"""What the driver takes from a URL besides ``timeout``."""
_opening = threading.Lock()


def settle(url: URL, base: Path | None) -> tuple[URL, float]:
    """The URL with the file where it really is, and how long to wait for its locks (seconds).

    Raises SettingError for a ``file:`` URI, and PathOutside for a file out of the base folder.
    """
    if "uri" in url.query or (url.database or "").startswith("file:"):
        raise SettingError("the connection is a file: URI; expected sqlite:///file.db")
    if base is not None and url.get_driver_name() != "pysqlite":
        raise SettingError("under a base folder the connection is expected to be sqlite:///file.db")
    try:
        patience = float(str(url.query.get("timeout", PATIENCE)))
    except ValueError:
        raise SettingError("timeout in the connection is not a number of seconds") from None
    url = url.difference_update_query(["timeout"])
    if unknown := sorted(set(url.query) - _OPTIONS):
        # SQLAlchemy would warn of it and go on, with all of it in the text of the warning.
        raise SettingError(f"the connection has the option {unknown[0]!r}; expected timeout")
    if not in_memory(url):
        assert url.database is not None
        url = url.set(database=resolve(url.database, base)[1])
    return url, patience


def in_memory(url: URL) -> bool:
    """Whether the database lives in the memory of its connection."""
    return url.database in (None, "", ":memory:")


def guard(connection: Any, *, confined: bool) -> None:
    """Let a connection do what a workflow needs, and nothing that corrupts a database or runs other code.

    ``confined`` says that a base folder confines it: then no statement opens another file.
    """
    if not isinstance(connection, sqlite3.Connection):
        return
    for limit, most in _LIMITS.items():
        connection.setlimit(limit, most)
    if sys.version_info >= (
        3,
        12,
    ):  # before, Python cannot ask for it: the authorizer does what it can
        connection.setconfig(sqlite3.SQLITE_DBCONFIG_DEFENSIVE, True)
    connection.execute("PRAGMA trusted_schema = OFF").close()

    def authorize(action: int, one: str | None, other: str | None, *_: Any) -> int:
        if action == _PRAGMA:
            # To set the version of the schema by hand corrupts what other connections know of it.
            # And to wait for a lock is ours: a thread that SQLite keeps waiting cannot be interrupted.
            name = (one or "").lower()
            is_read = name in _READ and other is None
            if name in _SET_TO and other is not None and other.lower() not in _SET_TO[name]:
                return _DENY
            return _OK if is_read or name in _ALLOWED else _DENY
        if action == _FUNCTION:
            return _DENY if (other or "").lower() in _FUNCTIONS else _OK
        if action == _ATTACH and confined:
            return _OK if one in ("", ":memory:") else _DENY  # VACUUM attaches one without a file
        return _OK

    connection.set_authorizer(authorize)


def connect_beneath(
    path: str, name: str, base: Path, options: dict[str, Any]
) -> sqlite3.Connection:
    """A connection to a file beneath the base folder, whatever others swap in that folder meanwhile.

    SQLite opens files by path. So the file is found (or made) beneath handles of its folders first; SQLite
    may then make none, and nothing is read of what it opened unless it is that very file. ``path`` is the
    file's real path, ``name`` is for messages.
    """
    if sys.platform == "win32":
        return sqlite3.connect(path, **options)
    for _ in range(_TRIES):
        with open_entry(path, base) as entry:
            wanted = _identity(_find_or_make(entry, name))
            with _opening:
                before = _open_files()
                uri = f"file:{quote(path)}?mode=rw"
                connection: sqlite3.Connection = sqlite3.connect(uri, uri=True, **options)
                new = {
                    found for handle, found in _open_files().items() if before.get(handle) != found
                }
            # No new one: SQLite keeps handles of the same file for later, and looks at their identity itself.
            is_found = new == {wanted} or (not new and wanted in before.values())
            # One look is not enough: a second name may go between the moments in which a file is found under it
            # and its names are counted.
            if is_found and all(_is_alone(entry, wanted) for _ in range(_LOOKS)):
                return connection
        connection.close()
        time.sleep(0.001)
    raise FlowScriptError(
        f"the database {name!r} was not opened: another process moves files in its folder"
    )


def _find_or_make(entry: FolderEntry, name: str) -> os.stat_result:
    """What is under a name, made where there is nothing; raises where it is not a file with one name."""
    for suffix in ("-journal", "-wal", "-shm"):  # SQLite writes to these as well
        found = entry.sibling(os.path.basename(entry.name) + suffix).stat()
        if found is not None:
            _refuse_linked(found, name + suffix)
    if entry.stat() is None:
        with suppress(FileExistsError):  # another connection was faster
            os.close(entry.open(os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644))
    found = entry.stat()
    if found is None:
        raise FileNotFoundError(2, "it was removed while it was being opened", name)
    _refuse_linked(found, name)
    return found


def _refuse_linked(found: os.stat_result, name: str) -> None:
    refuse_special(found, name)
    if found.st_nlink > 1:
        raise FlowScriptError(
            f"the database file {name!r} is a hard link, and its other name may be outside of the base "
            "folder; expected a file with one name"
        )


def _is_alone(entry: FolderEntry, wanted: tuple[int, int]) -> bool:
    """Whether a name stands for that file, which has no other name."""
    found = entry.stat()
    return found is not None and _identity(found) == wanted and found.st_nlink == 1


def _identity(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino


def _open_files() -> dict[int, tuple[int, int]]:
    """The files that the process has open as SQLite opens its own, by handle."""
    handles: dict[int, tuple[int, int]] = {}
    for name in os.listdir("/dev/fd"):
        with suppress(OSError):  # the handle of the list itself, and what others close meanwhile
            found = os.fstat(int(name))
            flags = fcntl.fcntl(int(name), fcntl.F_GETFL)
            writes_only = flags & os.O_ACCMODE == os.O_WRONLY
            if stat.S_ISREG(found.st_mode) and not writes_only and not flags & os.O_APPEND:
                handles[int(name)] = _identity(found)
    return handles
