"""Owns where a file may be: paths confined to a base folder, symbolic links and ``..`` included."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from ...types.errors import FlowScriptError

_HAS_FOLDER_HANDLES = os.open in os.supports_dir_fd
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)
_FILE = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


class PathOutside(FlowScriptError):
    """A path leads out of the run's base folder."""


@dataclass(frozen=True, slots=True)
class FolderEntry:
    """A name in an open folder: what is done with it cannot be led elsewhere by a link that someone swaps in.

    ``folder`` is the folder's handle, or None where the system has none (Windows): ``name`` is then a path.
    """

    folder: int | None
    name: str

    def open(self, flags: int, mode: int = 0o666) -> int:
        """A handle of the file itself, never of what a symbolic link of that name points to."""
        return os.open(self.name, flags | _FILE, mode, dir_fd=self.folder)

    def stat(self) -> os.stat_result | None:
        """What is under the name, or None for nothing."""
        try:
            return os.stat(self.name, dir_fd=self.folder, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def sibling(self, name: str) -> FolderEntry:
        """Another name in the same folder."""
        parent = "" if self.folder is not None else os.path.dirname(self.name)
        return FolderEntry(self.folder, os.path.join(parent, name))

    def unlink(self) -> None:
        os.unlink(self.name, dir_fd=self.folder)

    def rename_to(self, other: FolderEntry) -> None:
        """Take the place of another name in the same folder, in one step."""
        os.replace(self.name, other.name, src_dir_fd=self.folder, dst_dir_fd=other.folder)


def resolve(path: str, base: str | os.PathLike[str] | None) -> tuple[str, str]:
    """The folder that a path is confined to and the real path of its file, every link followed.

    Without a base the path is taken from the current folder and may be anywhere. Raises PathOutside where it
    leads out of the base, be it by ``..``, from the root, or through a symbolic link.
    """
    if "\0" in path:
        raise FlowScriptError(f"{path!r} is not a valid path: it has a null character in it")
    if base is None:
        found = os.path.realpath(path)
        return os.path.dirname(found), found
    root = os.path.realpath(base)
    found = os.path.realpath(os.path.join(root, path))
    if os.path.commonpath([root, found]) != root:
        raise PathOutside(f"{path!r} leads out of the base folder {os.fspath(base)!r}")
    return root, found


@contextmanager
def open_entry(
    path: str, base: str | os.PathLike[str] | None, *, create: bool = False
) -> Iterator[FolderEntry]:
    """The place of a file while the block lasts; ``create`` makes the folders that are missing.

    The folders are opened one in the other, none through a link: one that is swapped in after the check is
    an error. An OSError names the path as it is written. Blocks: it looks at the file system.
    """
    root, found = resolve(path, base)
    *folders, name = os.path.relpath(found, root).split(os.sep)
    if name == ".":
        raise IsADirectoryError(21, "a folder, expected a file", path)
    with naming(path):
        if create:
            _make(root)
        if not _HAS_FOLDER_HANDLES:
            if create:
                _make(os.path.dirname(found))
            yield FolderEntry(None, found)
            return
        handle = os.open(root, _FOLDER)
        try:
            for folder in folders:
                inner = _enter(handle, folder, create)
                os.close(handle)
                handle = inner
            yield FolderEntry(handle, name)
        finally:
            os.close(handle)


def _make(folder: str) -> None:
    """Make a folder, and those that it is in, where they are missing."""
    try:
        os.makedirs(folder, exist_ok=True)
    except FileExistsError:  # what is there is a file
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), folder) from None


def _enter(parent: int, name: str, create: bool) -> int:
    """The handle of a folder in another."""
    try:
        return os.open(name, _FOLDER, dir_fd=parent)
    except FileNotFoundError:
        if not create:
            raise
    with suppress(FileExistsError):  # another writer was faster: the folder is there
        os.mkdir(name, dir_fd=parent)
    return os.open(name, _FOLDER, dir_fd=parent)


@contextmanager
def naming(path: str) -> Iterator[None]:
    """Let errors of the system name the whole path, not a part of it or a temporary name."""
    try:
        yield
    except OSError as exc:
        if exc.errno is not None:
            exc.filename = path
        if exc.filename2 is not None:
            del exc.filename2
        raise


def refuse_special(found: os.stat_result, path: str) -> None:
    """Raise for anything but a regular file: a device, a pipe or a folder is never replaced by a file."""
    if not stat.S_ISREG(found.st_mode):
        raise FlowScriptError(f"{path!r} is not a regular file, so it cannot be written to")


def refuse_device(found: os.stat_result, path: str) -> None:
    """Raise for a device, which may never end or do something when it is opened.

    The null device and what the standard streams are connected to are not replaced; pipes and folders are
    left to whoever opens them.
    """
    kind = stat.S_IFMT(found.st_mode)
    if kind == stat.S_IFLNK:  # it was followed as far as it leads
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
    if kind in (stat.S_IFREG, stat.S_IFIFO, stat.S_IFDIR):
        return
    if kind == stat.S_IFCHR and found.st_rdev in _allowed_devices():
        return
    raise FlowScriptError(
        f"{path!r} is a device or a socket; expected a file, a pipe, {os.devnull} or a standard stream"
    )


def _allowed_devices() -> set[int]:
    found = {os.stat(os.devnull).st_rdev}
    for stream in (0, 1, 2):
        with suppress(OSError):  # it is closed
            found.add(os.fstat(stream).st_rdev)
    return found
