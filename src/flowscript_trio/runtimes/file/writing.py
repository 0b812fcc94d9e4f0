"""Owns the writing of files: whole or not at all, whatever happens on the way."""

from __future__ import annotations

import os
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from secrets import token_hex
from tempfile import TemporaryFile
from typing import IO

import trio

from ...types.errors import FlowScriptError
from .again import CHUNK as PART
from .again import Earlier, parts_of, what_follows
from .paths import FolderEntry, refuse_special

if sys.platform != "win32":
    import fcntl

CHUNK = 1024 * 1024  # bytes between two looks at whether the write is still wanted
_LOOK = 0.02  # seconds between two attempts to lock a file
_KEEPS_OPEN = sys.platform != "win32"  # Windows renames no file that is open


class Replacement:
    """A file that is written under a temporary name in its folder, part by part, and renamed in the end.

    For threads that trio started. Up to the moment of the rename it raises ``Cancelled`` where the task that waits
    for the thread is cancelled: the old file stays. Whoever does not finish it discards it, and nothing is left.
    Permissions and, where the system allows it, the owner of an existing file are kept. ``path`` is for messages.
    """

    def __init__(self, entry: FolderEntry, path: str) -> None:
        self._entry = entry
        self._path = path
        self._old = entry.stat()
        if self._old is not None:
            refuse_special(self._old, path)
        self._temporary = entry.sibling(f".{token_hex(8)}.tmp")
        # Of an existing file that only its owner may read, the new content is never open to others.
        mode = 0o666 if self._old is None else 0o600
        self._handle = self._temporary.open(os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        self._is_open = True

    def write(self, data: bytes) -> None:
        _pour(self._handle, data, stop=trio.from_thread.check_cancelled)

    def finish(self) -> None:
        """Put what was written in the place of the old file."""
        if self._old is not None:
            _make_like(self._handle, self._old)
        os.fsync(self._handle)
        trio.from_thread.check_cancelled()
        if _KEEPS_OPEN:  # while it is open, no other file can get its identity
            _refuse_swapped(self._temporary, self._handle, self._path)
            self._temporary.rename_to(self._entry)
        self._close()
        if not _KEEPS_OPEN:
            self._temporary.rename_to(self._entry)

    def discard(self) -> None:
        """Leave nothing of it; a new file that took the old one's place already stays."""
        self._close()
        with suppress(FileNotFoundError):
            self._temporary.unlink()

    def settle(self) -> None:
        """After it has taken its place: look that it did, and make that last."""
        now = self._entry.stat()
        if now is not None and stat.S_ISLNK(now.st_mode):
            raise _swapped(self._path)
        _sync_folder(self._entry)

    def _close(self) -> None:
        if self._is_open:
            self._is_open = False
            os.close(self._handle)


def replace(entry: FolderEntry, data: bytes, path: str) -> None:
    """Write a file under a temporary name in its folder and rename it, as :class:`Replacement` does."""
    new = Replacement(entry, path)
    try:
        new.write(data)
        new.finish()
    except BaseException:
        new.discard()
        raise
    new.settle()


class Addition:
    """What is added to the end of a file, part by part, all or nothing: what was written of one that is discarded
    is taken back.

    For threads that trio started. The file is locked meanwhile; waiting for the lock raises ``Cancelled`` where
    the task that waits for the thread is cancelled. ``confined`` and ``earlier`` are as for :func:`append`;
    ``since`` is the length of the file that counts.
    """

    def __init__(
        self, entry: FolderEntry, path: str, confined: bool, earlier: Earlier | None = None
    ) -> None:
        self._entry = entry
        self._path = path
        self._open = ExitStack()
        self.handle: int
        self.handle, self._is_new = self._open.enter_context(_alone(entry, path, confined))
        self._size = os.fstat(self.handle).st_size
        self._is_whole = False
        self.since: int = self._size
        self._spool: IO[bytes] | None = None
        """What is to be added, until all of it can be compared with what is there."""
        if earlier is not None:
            try:
                self.since = earlier.length(self._size)
                if self.since != self._size:
                    self._spool = self._open.enter_context(TemporaryFile())  # noqa: SIM115
            except BaseException:
                self.discard()
                raise

    def write(self, data: bytes) -> None:
        trio.from_thread.check_cancelled()
        if self._spool is not None:
            self._spool.write(data)
        else:
            _pour(self.handle, data)

    def finish(self) -> None:
        if self._spool is not None:
            self._take_over(self._spool)
        os.fsync(self.handle)
        self._is_whole = True
        self._open.close()

    def _take_over(self, spool: IO[bytes]) -> None:
        """Add what was gathered, in the place of what an earlier process had written of it."""
        found = what_follows(self.handle, self.since, _rewound(spool))
        if found == "others":
            raise FlowScriptError(
                f"nothing more is added to {self._path!r} after a crash: others have written to it since, so it "
                "is not known how much of the stream is there; look at the file, and begin a new run"
            )
        if found != "whole":
            os.ftruncate(self.handle, self.since)
            self._size = self.since
            for part in _rewound(spool):
                _pour(self.handle, part)

    def settle(self) -> None:
        """After it has ended: make a new name last."""
        if self._is_new:
            _sync_folder(self._entry)

    def discard(self) -> None:
        """Take back what was written, and a file that was made for it."""
        if self._is_whole:
            return
        with self._open:
            os.ftruncate(self.handle, self._size)
            if self._is_new and self._size == 0:
                self._entry.unlink()


def _rewound(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    return iter(lambda: file.read(PART), b"")


def append(
    entry: FolderEntry,
    make: Callable[[int, int], bytes],
    path: str,
    *,
    confined: bool,
    earlier: Earlier | None = None,
) -> int:
    """Add to the end of a file, all or nothing: what was written of a record that fails is taken back.

    ``make`` gets a handle of the file and its length, and gives the bytes to add. What an ``earlier`` process had
    written of them is taken back first; where others have written since, that is said, and nothing is. One
    writer is at work at a time, of this process and of others that lock the file; cancellation counts until the
    first byte is written. ``confined`` says that a base folder confines it: then a file that has a second name is
    refused, since that name may be outside of the folder. Gives the number of bytes added.
    """
    with _alone(entry, path, confined) as (handle, is_new):
        size = os.fstat(handle).st_size
        since = size if earlier is None else earlier.length(size)
        data = make(handle, since if since < size else size)
        if since != size:
            assert earlier is not None
            found = what_follows(handle, since, parts_of(data))
            if found == "whole":
                os.fsync(handle)
                return len(data)
            if found == "others":
                earlier.warn_of_others(path)
                data = make(handle, size)
            else:
                os.ftruncate(handle, since)
                size = since
        try:
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
        if (found := entry.stat()) is not None:
            refuse_special(found, path)  # some devices do something when they are opened
        handle, is_new = _open_or_make(entry)
        try:
            refuse_special(os.fstat(handle), path)
            if confined:
                _refuse_linked(os.fstat(handle), path)
            _lock(handle)
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


def _lock(handle: int) -> None:
    """Lock a file. While it waits for another to be done it looks now and then whether it is still wanted."""
    if sys.platform == "win32":
        return
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            trio.from_thread.check_cancelled()
            time.sleep(_LOOK)
        else:
            return


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
