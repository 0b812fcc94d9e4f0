"""Owns ``flowscript new``: a commented document to start from, and its test cases."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import click

from .saying import say

_NAME = re.compile(r"[A-Za-z_][\w.-]*")
_SUFFIX = ".xml"


@click.command("new", short_help="Write a workflow to start from, and its test cases.")
@click.argument("name")
def new_command(name: str) -> None:
    """Write NAME.xml, a commented workflow to start from, and NAME.test.yaml, its test cases."""
    path = Path(name)
    if path.suffix == _SUFFIX:
        path = path.with_suffix("")
    if not _NAME.fullmatch(path.name):
        raise click.UsageError(
            f"{path.name!r} is not the name of a workflow: a letter or _, then letters, digits, _, . and -"
        )
    made = {
        path.with_name(path.name + suffix): _starter(f"workflow{suffix}", path.name)
        for suffix in (_SUFFIX, ".test.yaml")
    }
    there = [str(file) for file in made if file.exists()]
    if there:
        raise click.UsageError(f"{' and '.join(there)} exists already; nothing was written")
    for file, text in made.items():
        _write_new(file, text)
    say("\n".join(map(str, made)))


def _starter(file: str, name: str) -> str:
    text = files(__package__).joinpath("starters", file).read_text(encoding="utf-8")
    return text.replace("@NAME@", name)


def _write_new(path: Path, text: str) -> None:
    """Write a file that is not there yet."""
    try:
        with open(path, "x", encoding="utf-8") as opened:
            opened.write(text)
    except OSError as exc:
        raise click.UsageError(f"{path}: {exc.strerror}") from None
