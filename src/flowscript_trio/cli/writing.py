"""Owns the writing of a command's own files: whole or not at all."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

import click


def write_whole(path: Path, content: str | bytes, option: str) -> None:
    """Write a file beside its place and put it there; raises UsageError, naming the option, where that fails.

    A file that is there keeps its permissions, and a symbolic link stays one.
    """
    place = path.resolve()
    beside = place.with_name(f".{place.name}.{os.getpid()}.part")
    try:
        beside.write_bytes(content.encode() if isinstance(content, str) else content)
        if place.exists():
            shutil.copymode(place, beside)
        os.replace(beside, place)
    except OSError as exc:
        with suppress(OSError):
            beside.unlink()
        raise click.UsageError(f"{option} {path}: {exc.strerror}") from None
