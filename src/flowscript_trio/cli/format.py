"""Owns ``flowscript fmt``: documents in their one layout."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import click

from ..parser.files import Decoded, decode
from ..parser.formatting import format_file
from ..types.errors import Problem, WorkflowInvalid
from ..types.printing import printable
from .reports import render_problems
from .saying import columns_of_terminal, say
from .standard import standard_input
from .writing import write_whole

_STDIN = "-"


@dataclass(frozen=True, slots=True)
class _Formatted:
    name: str
    before: bytes
    after: bytes


@click.command("fmt", short_help="Lay out documents: one element a line, indented.")
@click.argument("files", type=click.Path(dir_okay=False, allow_dash=True), nargs=-1, required=True)
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if a file would change.")
@click.option("--write", is_flag=True, help="Put the result into the file itself.")
def fmt_command(files: tuple[str, ...], check: bool, write: bool) -> None:
    """Lay out documents: one element a line, indented; comments and meaning stay.

    The result of one file, or of standard input (-), goes to standard output, unless --check or --write is given.
    """
    if check and write:
        raise click.UsageError("--check writes nothing; give it or --write")
    if not check and not write and len(files) > 1:
        raise click.UsageError("several files are formatted with --write, or checked with --check")
    if write and _STDIN in files:
        raise click.UsageError("standard input cannot be written to")
    done = _format_or_exit(files)
    changed = [one for one in done if one.before != one.after]
    if check:
        for one in changed:
            say(f"{one.name} would change")
        sys.exit(1 if changed else 0)
    if not write:
        _print(done[0])
        return
    for one in changed:
        write_whole(Path(one.name), one.after, "--write")
        say(f"{one.name} changed")


def _print(formatted: _Formatted) -> None:
    """The document byte by byte; on a terminal, which its characters could steer, as what can be shown."""
    text = decode(formatted.after, file=formatted.name) if sys.stdout.isatty() else None
    if isinstance(text, Decoded):
        sys.stdout.write(printable(text.text))
    else:
        sys.stdout.buffer.write(formatted.after)


def _format_or_exit(files: tuple[str, ...]) -> list[_Formatted]:
    """The files formatted; where one cannot be, prints why and exits with 2, before anything is written."""
    done = []
    problems: list[Problem] = []
    for file in files:
        try:
            before = _read(file)
            done.append(_Formatted(file, before, format_file(before, file=file)))
        except OSError as exc:
            raise click.UsageError(f"{file}: {exc.strerror or exc}") from None
        except WorkflowInvalid as exc:
            problems += exc.problems
    if problems:
        say(render_problems(tuple(problems), columns_of_terminal()))
        sys.exit(2)
    return done


def _read(file: str) -> bytes:
    return standard_input("-") if file == _STDIN else Path(file).read_bytes()
