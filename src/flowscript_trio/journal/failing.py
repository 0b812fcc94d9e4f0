"""Owns what is said about a store that cannot be used, and what to do about it."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from ..types.storing import StoreFailed

_SAID = {
    sqlite3.SQLITE_FULL: "the disk is full; make room",
    sqlite3.SQLITE_READONLY: "it can only be read; let this user write the file and its folder",
    sqlite3.SQLITE_PERM: "this user may not use it; let this user write the file and its folder",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; check the file and its folder",
    sqlite3.SQLITE_CORRUPT: "it is damaged; put a copy from before in its place",
    sqlite3.SQLITE_NOTADB: "it is not a SQLite file; name another one, or put a copy from before in its place",
    sqlite3.SQLITE_IOERR: "reading or writing failed; check the disk",
    sqlite3.SQLITE_BUSY: "another process holds it locked; try again once that has ended",
    sqlite3.SQLITE_LOCKED: "another process holds it locked; try again once that has ended",
}


def failure(exc: sqlite3.Error | OSError, path: Path) -> StoreFailed:
    """The error for a file that could not be read or written."""
    if isinstance(exc, FileNotFoundError):
        return StoreFailed(f"there is no folder {str(path.parent)!r} for the store {path.name!r}")
    if isinstance(exc, OSError):
        return StoreFailed(f"the store {path} cannot be used: {exc.strerror or exc}")
    code = getattr(exc, "sqlite_errorcode", None)
    kind = None if code is None else code & 0xFF
    if kind == sqlite3.SQLITE_CANTOPEN and not path.exists():
        return StoreFailed(
            f"there is no store {path}; one is made by the first run that is given it, and by Store.make()"
        )
    if kind == sqlite3.SQLITE_CANTOPEN and not all(
        os.access(at, os.W_OK) for at in (path, path.parent)
    ):
        kind = sqlite3.SQLITE_READONLY  # SQLite tried to make a file beside it
    said = None if kind is None else _SAID.get(kind)
    return StoreFailed(f"the store {path} cannot be used: {said or 'SQLite failed'} ({exc})")
