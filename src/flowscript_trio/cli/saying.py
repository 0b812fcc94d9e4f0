"""Owns what leaves the command line for people and for programs: nothing in it steers a terminal."""

from __future__ import annotations

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
