"""Owns the writing of a file: whole or not at all, whatever happens on the way."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

import trio


def write(path: Path, data: bytes, *, append: bool, create_dir: bool) -> None:
    """Write a file under a temporary name and rename it. Blocks: for a thread that trio started.

    Just before the rename it raises ``Cancelled`` where the task that waits for it is cancelled: the old
    file stays. Whatever goes wrong, no temporary file is left. The permissions of an existing file are
    kept; a symbolic link is followed.
    """
    target = Path(os.path.realpath(path))
    if create_dir:
        target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            if append and target.exists():
                file.write(target.read_bytes())
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, _mode_of(target))
        trio.from_thread.check_cancelled()
        os.replace(name, target)
        _sync_folder(target.parent)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(name)


def _mode_of(target: Path) -> int:
    """The permissions of the file, or for a new one those that the process gives."""
    with suppress(FileNotFoundError):
        return stat.S_IMODE(target.stat().st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _sync_folder(folder: Path) -> None:
    """Make the rename itself last, where the system can."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
