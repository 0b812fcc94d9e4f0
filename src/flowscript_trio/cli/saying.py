"""Owns what leaves the command line for people and for programs: nothing in it steers a terminal."""

from __future__ import annotations

import os
import sys

import click

from ..types.printing import json_on_lines, printable


def say(text: str, *, end: str = "\n") -> None:
    """Write to standard error, for people."""
    click.echo(printable(text) + end, nl=False, err=True)


def show_text(text: str, *, end: str = "\n") -> None:
    """Write to standard output, for people."""
    click.echo(printable(text) + end, nl=False)


def write_json(text: str) -> None:
    """Write JSON to standard output, as UTF-8 whatever the locale says."""
    sys.stdout.buffer.write(json_on_lines(text).encode("utf-8", "backslashreplace") + b"\n")
    sys.stdout.buffer.flush()


def columns_of_terminal() -> int | None:
    """How wide the terminal is that standard error goes to; None where it goes elsewhere."""
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or None
    except (OSError, ValueError):  # not a terminal, not a file, or closed
        return None
