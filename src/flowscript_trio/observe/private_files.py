"""Owns making the files that a run leaves: new ones, under names that nobody can take before."""

from __future__ import annotations

import os
from pathlib import Path
from secrets import token_hex

PRIVATE = 0o600
"""The permissions of what may tell of a run's data: its owner may read it, nobody else."""


def open_new(path: Path, mode: int = PRIVATE) -> int:
    """The handle of a file that was not there, open to be written.

    Raises FileExistsError where something has the name already, be it a link that leads nowhere. Blocks.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    for name in ("O_NOFOLLOW", "O_CLOEXEC", "O_BINARY"):
        flags |= getattr(os, name, 0)
    return os.open(path, flags, mode)


def name_beside(path: Path) -> Path:
    """A name in the same folder that nobody can guess, for a file that is renamed once it is whole."""
    return path.with_name(f".{path.name[:100]}.{token_hex(8)}.part")


def followed(path: Path) -> Path:
    """Where a file is written: through a symbolic link only if it is the user's own, or the system's.

    In a folder where everybody may write, another's link would lead the write to a file of the user's.
    Raises PermissionError for such a link.
    """
    try:
        link = path.lstat()
    except OSError:
        return path.resolve()
    if path.is_symlink() and hasattr(os, "geteuid") and link.st_uid not in (os.geteuid(), 0):
        raise PermissionError(1, "it is a symbolic link that belongs to another user", str(path))
    return path.resolve()
