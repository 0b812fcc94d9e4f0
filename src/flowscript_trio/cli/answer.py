"""Owns ``flowscript answer`` and ``flowscript cancel``: what is left in a store for the run of another process."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from ..types.printing import one_line
from .given import read_input
from .run_options import Command
from .saying import say, write_json
from .stores import ask_store, open_store, store_option

if TYPE_CHECKING:
    from ..journal.store import Reply

by_option: Callable[[Command], Command] = click.option(
    "--by", metavar="WHO", default="", help="Your name, shown to people."
)


@click.command("answer", short_help="Answer a checkpoint at which a durable run waits.")
@click.argument("run")
@click.argument("checkpoint")
@click.argument("action")
@click.option(
    "--input",
    "-i",
    "given",
    metavar="JSON|@FILE",
    help="What goes along with the answer, or the file that has it.",
)
@by_option
@store_option(required=True)
def answer_command(
    run: str, checkpoint: str, action: str, given: str | None, by: str, where: str
) -> None:
    """Answer a checkpoint at which a durable run waits; the first answer stands.

    CHECKPOINT is its id or its key, as show lists them. Exit status: 0 if this answer stands, 1 if another does.
    """
    store = open_store(where)
    value = read_input(given)

    async def work() -> Reply:
        return await store.answer(run, checkpoint, action, value, by=by)

    reply: Reply = ask_store(work)
    facts = {"action": reply.action, "by": reply.by, "taken": reply.taken}
    write_json(json.dumps(facts | {"timed_out": reply.timed_out}, indent=2))
    if reply.taken:
        say(f"answered; to go on with a suspended run: flowscript resume {run} --store {where}")
        return
    by = f" by {reply.by}" if reply.by else ""
    late = "its time had passed, and the default stands" if reply.timed_out else "it was answered"
    say(f"{checkpoint!r} was not waiting any more: {late}{by}: {reply.action}")
    sys.exit(1)


@click.command("cancel", short_help="Ask for a durable run to be cancelled.")
@click.argument("run")
@click.option("--reason", metavar="TEXT", default="", help="Why, for the record.")
@by_option
@store_option(required=True)
def cancel_command(run: str, reason: str, by: str, where: str) -> None:
    """Ask for a durable run to be cancelled.

    The process that runs it cancels it, clean-up included; if none does, the next one to resume it.
    """
    store = open_store(where)

    async def work() -> str:
        return await store.cancel(run, reason, by=by)

    stands = ask_store(work)
    if stands != reason:
        said = f", which said: {one_line(stands)}" if stands else ""
        say(f"its cancellation had been requested before; the first request stands{said}")
        return
    say(
        f"requested; if no process is running it, its clean-up runs with: flowscript resume {run} --store {where}"
    )
