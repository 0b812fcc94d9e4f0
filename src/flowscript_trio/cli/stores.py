"""Owns what commands have to do with stores of durable runs: the option, and what is said about a run in one."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import click

from ..types.durations import parse_duration
from ..types.errors import FlowScriptError, InputError
from ..types.printing import one_line
from .durations import read_seconds
from .run_options import Command
from .saying import say, show_text, write_json
from .waiting import how_to_answer, moment

if TYPE_CHECKING:
    from ..journal.questions import OpenQuestion
    from ..journal.rows import RunState, State
    from ..journal.store import Durability, Store
    from ..observe.chronicle import Entry
    from ..observe.stored import Stored


def store_option(required: bool = False) -> Callable[[Command], Command]:
    """The option ``--store``."""
    return click.option(
        "--store",
        "where",
        metavar="FILE|URL",
        required=required,
        help="The store of durable runs: a file, or the URL of a PostgreSQL database.",
    )


view_secret_option: Callable[[Command], Command] = click.option(
    "--secret",
    "-s",
    multiple=True,
    metavar="NAME",
    help="With --store: one more secret, by its name.",
)


store_key_option: Callable[[Command], Command] = click.option(
    "--store-key",
    "key_name",
    metavar="NAME",
    help="With --store: the environment variable that has the key with which cookies are sealed.",
)


durability_option: Callable[[Command], Command] = click.option(
    "--durability",
    type=click.Choice(["power", "process"]),
    help="With --store: what a run survives: a power cut, too (power), or kill -9 alone, at less cost (process).",
)
MAY_BE_LOST = (
    "the store survives kill -9; a power cut may lose the last moments of a run, and then a node with "
    'on-crash="fail" may run a second time'
)


def open_store(
    where: str, key_name: str | None = None, durability: Durability | None = None
) -> Store:
    """The store that an option names, with the key of that variable; exits with 2 where it cannot be one."""
    from ..journal.store import Store

    if durability == "process":
        say(f"Note: {MAY_BE_LOST}")
    key = None
    if key_name is not None:
        key = os.environ.get(key_name)
        if not key:
            raise click.UsageError(
                f"--store-key names the environment variable {key_name!r}, which is not set"
            )
    try:
        return Store(where, key=key, durability=durability or "power")
    except FlowScriptError as exc:
        raise click.UsageError(str(exc)) from None


def suspend_option(needed: str = "--store") -> Callable[[Command], Command]:
    """The option ``--suspend-after``, which goes with another one."""
    return click.option(
        "--suspend-after",
        metavar="DURATION",
        callback=lambda _, __, given: read_seconds(given, "1h"),
        help=f"With {needed}: leave a run that waits for nothing but people and timers for this long (1h).",
    )


def ask_store(work: Callable[[], Any]) -> Any:
    """What a call of a store gives; says why it failed, and exits with 1, or with 2 where it was asked wrongly."""
    import trio

    try:
        return trio.run(work)
    except FlowScriptError as exc:
        say(f"Error: {exc}")
        sys.exit(2 if isinstance(exc, InputError) else 1)


def find_secrets(more: tuple[str, ...], names: Sequence[str]) -> dict[str, str]:
    """The secrets of those names, and those of AI services, as far as they are in the environment."""
    from ..types.services import SECRETS as AI_SECRETS

    wanted = dict.fromkeys((*names, *more, *AI_SECRETS))
    return {name: os.environ[name] for name in wanted if os.environ.get(name)}


def list_runs(
    where: str, as_json: bool, states: tuple[State, ...], workflow: str | None, age: str | None
) -> None:
    """Print the runs of a store, the newest first."""
    try:
        younger = None if age is None else parse_duration(age)
    except ValueError as exc:
        raise click.UsageError(str(exc)) from None
    store = open_store(where)
    found = ask_store(partial(store.runs, *states, workflow=workflow, younger_than=younger))
    if as_json:
        write_json(json.dumps([facts_of(run) for run in found], indent=2))
        return
    for run in found:
        line = (
            f"{run.run_id:<36} {_state(run):<10} {moment(run.created)}  {run.workflow}{_waits(run)}"
        )
        show_text(one_line(line))


def refuse_without_store(key_name: str | None, secret: tuple[str, ...]) -> None:
    """Exit with 2 where something is given that goes with a store alone."""
    if key_name is not None or secret:
        raise click.UsageError("--store-key and --secret are of a run of a --store")


def read_run(store: Store, run_id: str, secret: tuple[str, ...]) -> Stored:
    """What happened in a run of a store; says why that cannot be told, and exits."""
    from ..observe.stored import read_stored_with

    return cast(
        "Stored", ask_store(partial(read_stored_with, store, run_id, partial(find_secrets, secret)))
    )


def show_run(
    where: str,
    run_id: str,
    as_json: bool,
    key_name: str | None,
    secret: tuple[str, ...],
    show_nodes: Callable[[list[Entry]], None],
) -> None:
    """Print the state of a run of a store, and what happened in it, as ``show_nodes`` prints that."""
    from ..observe.stored import read_stored_with

    store = open_store(where, key_name)
    untold: list[str] = []

    async def look() -> tuple[RunState, list[OpenQuestion], list[Entry]]:
        state = await store.show(run_id)
        questions = [] if state.ended else await store.questions(run_id)
        try:
            stored = await read_stored_with(store, run_id, partial(find_secrets, secret))
        except FlowScriptError as exc:  # its state is there all the same
            untold.append(str(exc))
            return state, questions, []
        return state, questions, stored.entries

    run, questions, entries = ask_store(look)
    for said in untold:
        say(f"Warning: what happened in the run cannot be shown: {said}")
    if as_json:
        asked = {"questions": [_facts_of_question(each) for each in questions], "events": entries}
        write_json(json.dumps(facts_of(run) | asked, indent=2))
        return
    _show_state(run, questions, where)
    if len(entries) > 1:
        show_nodes(entries)


def _show_state(run: RunState, questions: list[OpenQuestion], where: str) -> None:
    show_text(one_line(f"run {run.run_id} of {run.workflow}: {_state(run)}"))
    show_text(one_line(f"began {moment(run.created)}, {run.rows} entries in its journal"))
    if run.ended is not None:
        show_text(one_line(f"ended {moment(run.ended)}"))
    if run.due is not None:
        show_text(f"due {moment(run.due)}")
    for question in questions:
        show_text(how_to_answer(question, run.run_id, where))
    if run.orphaned or run.state == "suspended":
        show_text(one_line(f"go on with it: flowscript resume {run.run_id} --store {where}"))


def _facts_of_question(question: OpenQuestion) -> dict[str, Any]:
    return {
        "key": question.key,
        "checkpoint": question.checkpoint,
        "prompt": question.prompt,
        "actions": [{"id": each.id, "label": each.label} for each in question.actions],
        "default": question.default,
        "due": None if question.due is None else moment(question.due),
    }


def facts_of(run: RunState) -> dict[str, Any]:
    """A run of a store as JSON."""
    return {
        "run": run.run_id,
        "name": run.workflow,
        "status": _state(run),
        "started": moment(run.created),
        "ended": None if run.ended is None else moment(run.ended),
        "entries": run.rows,
        "due": None if run.due is None else moment(run.due),
        "waits_for": list(run.waits_for),
    }


def _state(run: RunState) -> str:
    return "orphaned" if run.orphaned else run.state


def _waits(run: RunState) -> str:
    """What a run waits for, and until when."""
    people = f", waits for {', '.join(run.waits_for)}" if run.waits_for else ""
    return people + ("" if run.due is None else f", due {moment(run.due)}")
