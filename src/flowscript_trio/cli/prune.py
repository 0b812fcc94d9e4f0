"""Owns ``flowscript prune``: ended runs are forgotten, by age and number."""

from __future__ import annotations

from functools import partial

import click

from ..types.durations import parse_duration
from .saying import say
from .stores import ask_store, open_store, store_option


@click.command("prune")
@store_option(required=True)
@click.option(
    "--older-than",
    "age",
    metavar="DURATION",
    required=True,
    help="Forget runs that ended longer ago than this, such as 30d.",
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
    try:
        seconds = parse_duration(age)
    except ValueError as exc:
        raise click.UsageError(str(exc)) from None
    store = open_store(where)
    count = ask_store(partial(store.prune, older_than=seconds, keep=keep))
    say("1 run forgotten" if count == 1 else f"{count} runs forgotten")
