"""Owns the writing of a command's own files: whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import click


def write_whole(path: Path, text: str, option: str) -> None:
    """Write a file beside its place and put it there; raises UsageError, naming the option, where that fails."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        beside.write_text(text, encoding="utf-8")
        os.replace(beside, path)
    except OSError as exc:
        with suppress(OSError):
            beside.unlink()
        raise click.UsageError(f"{option} {path}: {exc.strerror}") from None
