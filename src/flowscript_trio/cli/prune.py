"""Owns ``flowscript prune``: ended runs are forgotten, by age and number."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

import click

from ..types.durations import parse_duration
from .markers import ask_database
from .saying import say
from .stores import ask_store, open_store, store_option

if TYPE_CHECKING:
    from ..journal.store import Store


@click.command("prune", short_help="Forget ended runs of a store, and free their space.")
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
@click.option(
    "--markers",
    "connections",
    multiple=True,
    metavar="CONNECTION",
    help="A database whose markers of these runs are forgotten as well.",
)
def prune_command(where: str, age: str, keep: int, connections: tuple[str, ...]) -> None:
    """Forget ended runs of a store, and free their space.

    Runs that have not ended and those that a process owns are left as they are.
    """
    try:
        seconds = parse_duration(age)
    except ValueError as exc:
        raise click.UsageError(str(exc)) from None
    store = open_store(where)
    if connections:
        seconds = _forget_markers(store, seconds, keep, connections)
    count = ask_store(partial(store.prune, older_than=seconds, keep=keep))
    say("1 run forgotten" if count == 1 else f"{count} runs forgotten")


def _forget_markers(store: Store, seconds: float, keep: int, connections: tuple[str, ...]) -> float:
    """Forget the markers of the runs that are about to be forgotten; the age at which they are, from now on.

    First the markers: a run that is left without them has ended, and is not resumed; markers without a run would
    stay for ever.
    """
    from ..journal.rows import ENDED
    from ..runtimes.database.markers import forget_markers

    until = time.time() - seconds
    ended = ask_store(partial(store.runs, *sorted(ENDED), limit=MOST))
    ended = sorted((run for run in ended if run.ended is not None), key=lambda run: -run.ended)
    runs = [run.run_id for run in ended[keep:] if run.ended <= until and not run.owned]
    count = 0
    for connection in connections:
        count += ask_database(partial(forget_markers, connection, runs))
    say("1 marker forgotten" if count == 1 else f"{count} markers forgotten")
    return max(time.time() - until, 0.0)


MOST = 1_000_000_000
"""As many runs as there may be."""
