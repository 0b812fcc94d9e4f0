"""Owns ``flowscript fork``: a run of a store is started again from one of its nodes on."""

from __future__ import annotations

from functools import partial
from typing import Any

import click

from .loading import load_or_exit, roots_option
from .saying import say, show_text
from .stores import ask_store, find_secrets, open_store, store_option


@click.command("fork", short_help="Begin a new run from what another one had done.")
@click.argument("run")
@store_option(required=True)
@click.option(
    "--at",
    metavar="KEY",
    required=True,
    help="The first node to run again, such as pay or each[3]/step.",
)
@click.option(
    "--document", "file", metavar="FILE", help="A changed document to use instead of the run's own."
)
@roots_option
@click.option(
    "--skip",
    multiple=True,
    metavar="KEY=JSON",
    help="A node's output, used instead of running it.",
)
@click.option("--run-id", "new_id", metavar="ID", help="The id of the new run.")
@click.option("--secret", "-s", multiple=True, metavar="NAME", help="One more secret, by its name.")
def fork_command(
    run: str,
    where: str,
    at: str,
    file: str | None,
    roots: tuple[str, ...],
    skip: tuple[str, ...],
    new_id: str | None,
    secret: tuple[str, ...],
) -> None:
    """Begin a new run from what another one had done up to a node, and print its id.

    The run that it is forked from stays as it is. "flowscript resume" goes on with the new one.
    """
    outputs = dict(map(_output, skip))
    store = open_store(where)
    from ..execution.forking import fork_with

    document = None if file is None else load_or_exit(file, roots)
    find = partial(find_secrets, secret)
    name = ask_store(partial(fork_with, store, run, at, document, outputs, new_id, None, find))
    show_text(name)
    say(f"go on with it: flowscript resume {name} --store {where}")


def _output(text: str) -> tuple[str, Any]:
    from ..expression.json_pieces import read_json

    key, equals, value = text.partition("=")
    try:
        if equals:
            return key, read_json(value)
    except ValueError:
        pass
    raise click.UsageError(f"--skip is {text!r}; expected KEY=JSON, such as pay='{{\"ok\": true}}'")
