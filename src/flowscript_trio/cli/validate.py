"""Owns ``flowscript validate``."""

from __future__ import annotations

import json
import sys

import click

from ..types.errors import Problem, WorkflowInvalid
from .loading import load_document, roots_option
from .reports import render_problems
from .saying import columns_of_terminal, say, write_json


@click.command("validate", short_help="Check workflows; all problems are reported at once.")
@click.argument("files", type=click.Path(dir_okay=False), nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="The problems as JSON on standard output.")
@click.option(
    "--durable",
    is_flag=True,
    help="Say which database sinks do not write exactly once in a run with a store; databases are asked.",
)
@roots_option
def validate_command(
    files: tuple[str, ...], as_json: bool, durable: bool, roots: tuple[str, ...]
) -> None:
    """Check workflows; all problems of a document are reported at once."""
    problems: list[Problem] = []
    for file in files:
        problems += problems_of(file, roots, durable)
    if as_json:
        write_json(json.dumps([problem.as_dict() for problem in problems], indent=2))
    elif problems:
        say(render_problems(tuple(problems), columns_of_terminal()))
    else:
        say("valid")
    sys.exit(2 if any(problem.severity == "error" for problem in problems) else 0)


def problems_of(file: str, roots: tuple[str, ...], durable: bool = False) -> tuple[Problem, ...]:
    """What is wrong with a file, warnings included; with ``durable`` also what is of it in a run with a store."""
    try:
        flow = load_document(file, roots)
    except WorkflowInvalid as exc:
        return exc.problems
    if not durable:
        return flow.warnings
    import trio

    from ..program.durability import sinks_without_markers

    return (*flow.warnings, *trio.run(sinks_without_markers, flow))
