"""Owns how commands load a document: its problems are printed, and the command ends."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

import click

from ..parser.files import decode
from ..program.loading import Flow, load, loads
from ..types.errors import Problem, WorkflowInvalid
from ..types.printing import json_on_lines
from .run_options import Command
from .saying import columns_of_terminal, say
from .standard import standard_input

STDIN = "-"
"""The name of standard input, where a file is expected."""

roots_option: Callable[[Command], Command] = click.option(
    "--root",
    "roots",
    multiple=True,
    type=click.Path(file_okay=False, exists=True),
    help="A further folder of documents to include and call.",
)


def load_document(file: str, roots: tuple[str, ...] = ()) -> Flow:
    """The flow of a file, or of standard input (-), which is in the current folder; raises as ``load``, and
    UsageError for a file that cannot be read.
    """
    try:
        if file != STDIN:
            return load(file, roots=roots)
        found = decode(standard_input("the document"), file="<stdin>")
        if isinstance(found, Problem):
            raise WorkflowInvalid((found,))
        return loads(found.text, name="<stdin>", roots=roots, base=".")
    except OSError as exc:
        raise click.UsageError(f"{file}: {exc.strerror or exc}") from None


def load_or_exit(file: str, roots: tuple[str, ...] = (), *, in_lines: bool = False) -> Flow:
    """The flow of a file; prints what is wrong and exits with 2 where there is none.

    Warnings are printed for people, or with ``in_lines`` as a line of JSON each.
    """
    try:
        flow = load_document(file, roots)
    except WorkflowInvalid as exc:
        _say_problems(exc.problems)
        sys.exit(2)
    if in_lines:
        for warning in flow.warnings:
            say(json_on_lines(json.dumps({"event": "document-warning", **warning.as_dict()})))
    elif flow.warnings:
        _say_problems(flow.warnings)
    return flow


def _say_problems(problems: tuple[Problem, ...]) -> None:
    from .reports import render_problems  # most documents have none

    say(render_problems(problems, columns_of_terminal()))
