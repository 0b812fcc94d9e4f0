"""Owns what commands have to do with stores of durable runs: the option, and what is said of a run in one."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from ..types.durations import parse_duration
from ..types.errors import FlowScriptError
from ..types.printing import one_line
from .run_options import Command
from .saying import say, show_text, write_json

if TYPE_CHECKING:
    from ..journal.rows import RunState, State
    from ..journal.store import Store


def store_option(required: bool = False) -> Callable[[Command], Command]:
    """The option ``--store``."""
    return click.option(
        "--store",
        "where",
        metavar="FILE|URL",
        required=required,
        help="The store of durable runs: a file, or the URL of a PostgreSQL database.",
    )


def open_store(where: str) -> Store:
    """The store that an option names; exits with 2 where it cannot be one."""
    from ..journal.store import Store

    try:
        return Store(where)
    except FlowScriptError as exc:
        raise click.UsageError(str(exc)) from None


def ask_store(work: Callable[[], Any]) -> Any:
    """What a call of a store gives; says why it failed, and exits with 1."""
    import trio

    try:
        return trio.run(work)
    except FlowScriptError as exc:
        say(f"Error: {exc}")
        sys.exit(1)


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
        line = f"{run.run_id:<36} {_state(run):<10} {_moment(run.created)}  {run.workflow}"
        show_text(one_line(line))


def show_run(where: str, run_id: str, as_json: bool) -> None:
    """Print how a run of a store stands."""
    store = open_store(where)

    async def look() -> RunState:
        return await store.show(run_id)

    run = ask_store(look)
    if as_json:
        write_json(json.dumps(facts_of(run), indent=2))
        return
    show_text(one_line(f"run {run.run_id} of {run.workflow}: {_state(run)}"))
    show_text(one_line(f"began {_moment(run.created)}, {run.rows} entries in its journal"))
    if run.ended is not None:
        show_text(one_line(f"ended {_moment(run.ended)}"))
    if run.orphaned or run.state == "suspended":
        show_text(one_line(f"go on with it: flowscript resume {run.run_id} --store {where}"))


def facts_of(run: RunState) -> dict[str, Any]:
    """A run of a store as JSON."""
    return {
        "run": run.run_id,
        "name": run.workflow,
        "status": _state(run),
        "started": _moment(run.created),
        "ended": None if run.ended is None else _moment(run.ended),
        "entries": run.rows,
        "waits_for": list(run.waits_for),
    }


def _state(run: RunState) -> str:
    return "orphaned" if run.orphaned else run.state


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
