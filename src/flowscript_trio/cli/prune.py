"""Owns ``flowscript prune``: ended runs are forgotten, by age and number."""

from __future__ import annotations

import sys
from functools import partial

import click

from ..types.durations import parse_duration
from ..types.errors import FlowScriptError
from .saying import say


@click.command("prune")
@click.option(
    "--store",
    "where",
    metavar="FILE|URL",
    required=True,
    help="The store of durable runs: a file, or the URL of a PostgreSQL database.",
)
@click.option(
    "--older-than",
    "age",
    metavar="DURATION",
    required=True,
    help="Forget runs that ended longer ago than that, such as 30d.",
)
@click.option(
    "--keep",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="Keep the N runs that ended last in any case.",
)
def prune_command(where: str, age: str, keep: int) -> None:
    """Forget ended runs of a store, and give their room back.

    Runs that have not ended and those that a process owns are left as they are.
    """
    import trio

    from ..journal.store import Store

    try:
        seconds = parse_duration(age)
        store = Store(where)
    except (ValueError, FlowScriptError) as exc:
        raise click.UsageError(str(exc)) from None
    try:
        count = trio.run(partial(store.prune, older_than=seconds, keep=keep))
    except FlowScriptError as exc:
        say(f"Error: {exc}")
        sys.exit(1)
    say("1 run forgotten" if count == 1 else f"{count} runs forgotten")
