"""Owns how commands load a document: its problems are printed, and the command ends."""

from __future__ import annotations

import sys
from collections.abc import Callable

import click

from ..program.loading import Flow, load
from ..types.errors import WorkflowInvalid
from .reports import render_problems
from .run_options import Command

roots_option: Callable[[Command], Command] = click.option(
    "--root",
    "roots",
    multiple=True,
    type=click.Path(file_okay=False, exists=True),
    help="A further folder of documents to include and call.",
)


def load_or_exit(file: str, roots: tuple[str, ...] = ()) -> Flow:
    """The flow of a file; prints what is wrong and exits with 2 where there is none."""
    try:
        flow = load(file, roots=roots)
    except OSError as exc:
        raise click.UsageError(f"{file}: {exc.strerror or exc}") from None
    except WorkflowInvalid as exc:
        click.echo(render_problems(exc.problems), err=True)
        sys.exit(2)
    if flow.warnings:
        click.echo(render_problems(flow.warnings), err=True)
    return flow
