"""Owns the writing of a command's own files: whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import click

from ..observe.private_files import followed, name_beside, open_new


def write_whole(path: Path, content: str | bytes, option: str, *, mode: int = 0o666) -> None:
    """Write a file beside its place and put it there; raises UsageError, naming the option, where that fails.

    A file that is there keeps its permissions, and a symbolic link of the user's own stays one; ``mode`` is
    what a new file gets, less the process's mask.
    """
    beside: Path | None = None
    try:
        place = followed(path)
        with open(open_new(name := name_beside(place), mode), "wb") as file:
            beside = name
            file.write(content.encode() if isinstance(content, str) else content)
            if place.exists() and hasattr(os, "fchmod"):
                os.fchmod(file.fileno(), place.stat().st_mode & 0o777)
        os.replace(beside, place)
    except OSError as exc:
        if beside is not None:
            with suppress(OSError):
                beside.unlink()
        raise click.UsageError(f"{option} {path}: {exc.strerror}") from None
