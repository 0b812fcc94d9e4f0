"""Owns ``flowscript markers``: the table by which durable runs write to a database exactly once."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import click

from ..types.looking import summary_of
from .saying import say, show_text

T = TypeVar("T")


@click.command("markers", short_help="Make the table with which sinks write exactly once.")
@click.argument("connection", required=False)
@click.option("--print", "is_shown", is_flag=True, help="Print the statements instead.")
def markers_command(connection: str | None, is_shown: bool) -> None:
    """Make the table of markers in the database of that URL, where it has none.

    Durable runs write to such a database exactly once: a sink inserts its marker in its own transaction. Make it
    before the runs begin; making it again does no harm.
    """
    from ..runtimes.database.markers import STATEMENTS, make_markers
    from ..runtimes.database.types import MARKERS

    if is_shown:
        for statement in STATEMENTS:
            show_text(f"{statement};")
        return
    if connection is None:
        raise click.UsageError("a CONNECTION is missing, such as sqlite:///shop.db; or --print")
    ask_database(partial(make_markers, connection))
    say(f"the database has the table {MARKERS}")


def ask_database(work: Callable[[], Any]) -> Any:
    """What a call of a database gives; says why it failed, and exits with 1."""
    import trio

    try:
        return trio.run(work)
    except Exception as exc:
        say(f"Error: {summary_of(exc)}")
        sys.exit(1)
