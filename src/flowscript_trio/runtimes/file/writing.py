"""Owns the writing of files: whole or not at all, whatever happens on the way."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from secrets import token_hex

import trio

from ...types.errors import FlowScriptError
from .paths import FolderEntry, refuse_special

if sys.platform != "win32":
    import fcntl

CHUNK = 1024 * 1024  # bytes between two looks at whether the write is still wanted
_KEEPS_OPEN = sys.platform != "win32"  # Windows renames no file that is open


def replace(entry: FolderEntry, data: bytes, path: str) -> None:
    """Write a file under a temporary name in its folder and rename it. For a thread that trio started.

    Up to the moment of the rename it raises ``Cancelled`` where the task that waits for it is cancelled: the
    old file stays. Whatever goes wrong, no temporary file is left. Permissions and, where the system allows
    it, the owner of an existing file are kept. ``path`` is for messages.
    """
    old = entry.stat()
    if old is not None:
        refuse_special(old, path)
    temporary = entry.sibling(f".{token_hex(8)}.tmp")
    # Of an existing file that only its owner may read, the new content is never open to others.
    handle = temporary.open(os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666 if old is None else 0o600)
    try:
        try:
            _pour(handle, data, stop=trio.from_thread.check_cancelled)
            if old is not None:
                _make_like(handle, old)
            os.fsync(handle)
            trio.from_thread.check_cancelled()
            if _KEEPS_OPEN:  # while it is open, no other file can get its identity
                _refuse_swapped(temporary, handle, path)
                temporary.rename_to(entry)
        finally:
            os.close(handle)
        if not _KEEPS_OPEN:
            temporary.rename_to(entry)
    except BaseException:
        with suppress(FileNotFoundError):
            temporary.unlink()
        raise
    now = entry.stat()
    if now is not None and stat.S_ISLNK(now.st_mode):
        raise _swapped(path)
    _sync_folder(entry)


def append(entry: FolderEntry, make: Callable[[int], bytes], path: str, *, confined: bool) -> int:
    """Add to the end of a file, all or nothing: what was written of a record that fails is taken back.

    ``make`` gets a handle of the file as it stands and gives the bytes to add. One writer is at work at a
    time, of this process and of others that lock the file; cancellation counts until the first byte is
    written. ``confined`` says that a base folder confines it: then a file that has a second name is refused,
    since that name may be outside of the folder. Gives the number of bytes added.
    """
    with _alone(entry, path, confined) as (handle, is_new):
        size = os.fstat(handle).st_size
        try:
            data = make(handle)
            trio.from_thread.check_cancelled()
            _pour(handle, data)
            os.fsync(handle)
        except BaseException:
            os.ftruncate(handle, size)
            raise
    if is_new:
        _sync_folder(entry)
    return len(data)


@contextmanager
def _alone(entry: FolderEntry, path: str, confined: bool) -> Iterator[tuple[int, bool]]:
    """The handle of a file, locked, and whether it was made for that: then a failure takes it away again."""
    while True:
        handle, is_new = _open_or_make(entry)
        try:
            refuse_special(os.fstat(handle), path)
            if confined:
                _refuse_linked(os.fstat(handle), path)
            if sys.platform != "win32":
                fcntl.flock(handle, fcntl.LOCK_EX)
            now = entry.stat()
            # Whoever held the lock may have replaced the file or taken it away: then it is another's.
            if now is not None and os.path.samestat(now, os.fstat(handle)):
                if confined:
                    # Both by name and by handle: a name that comes and goes is seen by one of them.
                    _refuse_linked(now, path)
                    _refuse_linked(os.fstat(handle), path)
                yield handle, is_new
                return
        except BaseException:
            if is_new and os.fstat(handle).st_size == 0:
                entry.unlink()
            raise
        finally:
            os.close(handle)


def _open_or_make(entry: FolderEntry) -> tuple[int, bool]:
    flags = os.O_RDWR | os.O_APPEND
    while True:
        try:
            return entry.open(flags), False
        except FileNotFoundError:
            pass
        try:
            return entry.open(flags | os.O_CREAT | os.O_EXCL), True
        except FileExistsError:
            pass  # made by another in between: open that one


def _pour(handle: int, data: bytes, stop: Callable[[], None] | None = None) -> None:
    """Write all bytes; ``stop`` is called before each part and may raise."""
    view = memoryview(data)
    while view:
        if stop is not None:
            stop()
        view = view[os.write(handle, view[:CHUNK] if stop is not None else view) :]


def _make_like(handle: int, old: os.stat_result) -> None:
    """Give a new file the owner and the permissions of the old one, by its handle: a name may be swapped."""
    if sys.platform == "win32":
        return
    made = os.fstat(handle)
    if (made.st_uid, made.st_gid) != (old.st_uid, old.st_gid):
        # Only some may give files away; the permissions are kept in any case.
        with suppress(PermissionError):
            os.fchown(handle, old.st_uid, old.st_gid)
    # Not the bits that lend the owner's rights to whoever runs the file: its content is new.
    os.fchmod(handle, stat.S_IMODE(old.st_mode) & 0o777)


def _refuse_swapped(temporary: FolderEntry, handle: int, path: str) -> None:
    """Raise where the temporary name is no longer that of the file which was written."""
    now = temporary.stat()
    if now is None or not os.path.samestat(now, os.fstat(handle)):
        raise _swapped(path)


def _swapped(path: str) -> FlowScriptError:
    return FlowScriptError(
        f"{path!r} was not written: another process moves files in its folder while it is written"
    )


def _refuse_linked(found: os.stat_result, path: str) -> None:
    if found.st_nlink > 1:
        raise FlowScriptError(
            f"{path!r} is not added to: it is a hard link, and its other name may be outside of the base "
            "folder; expected a file with one name"
        )


def _sync_folder(entry: FolderEntry) -> None:
    """Make the new name itself last, where the file system can: some refuse, and the file is whole anyhow."""
    if entry.folder is not None:
        with suppress(OSError):
            os.fsync(entry.folder)
