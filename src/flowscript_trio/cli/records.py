"""Owns ``flowscript runs`` and ``flowscript show``: what was kept of runs by ``flowscript run --record``."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..types.errors import nearest
from ..types.printing import one_line, printable
from .run_options import Command
from .saying import show_text, write_json
from .stores import (
    list_runs,
    refuse_without_store,
    show_run,
    store_key_option,
    store_option,
    view_secret_option,
)
from .view_options import FOLDER

if TYPE_CHECKING:
    from ..journal.rows import State
    from ..observe.chronicle import Entry

_STATES = ("queued", "running", "suspended", "completed", "failed", "cancelled")
"""The states of a run of a store: :data:`~flowscript_trio.journal.rows.STATES`, which takes long to import."""
WIDE = 500
"""Columns where no terminal says how many there are, so that nothing is cut off."""

record_option: Callable[[Command], Command] = click.option(
    "--record",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    envvar=FOLDER,
    show_envvar=True,
    help="The folder of the records.",
)


@click.command("runs", short_help="List the runs of a store, or of a folder of records.")
@click.argument(
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    envvar=FOLDER,
    required=False,
)
@store_option()
@click.option(
    "--status",
    "states",
    multiple=True,
    type=click.Choice(_STATES),
    help="Of a store, only the runs in that state.",
)
@click.option(
    "--name", metavar="NAME", help="Of a store, only the runs of the workflow of that name."
)
@click.option(
    "--younger-than",
    "age",
    metavar="DURATION",
    help="Of a store, only the runs that began in that time, such as 2h.",
)
@click.option("--json", "as_json", is_flag=True, help="As JSON on standard output.")
def runs_command(
    folder: Path | None,
    where: str | None,
    states: tuple[State, ...],
    name: str | None,
    age: str | None,
    as_json: bool,
) -> None:
    """List the runs that a folder has records of, the oldest first; or those in a store, the newest first."""
    if where is not None:
        list_runs(where, as_json, states, name, age)
        return
    if states or name is not None or age is not None:
        raise click.UsageError(
            "--status, --name and --younger-than choose among the runs of a --store"
        )
    if folder is None:
        raise click.UsageError(f"expected a folder of records (or {FOLDER}), or --store")
    runs = [_summary(path) for path in chronicles_in(folder)]
    if as_json:
        write_json(json.dumps(runs, indent=2))
        return
    for run in runs:
        took = "" if run["duration"] is None else f"{run['duration']:.2f} s"
        line = f"{run['record']:<36} {run['status']:<10} {took:>10}  {run['name']}"
        show_text(one_line(line))


@click.command("show", short_help="Show what happened in a run.")
@click.argument("run")
@record_option
@store_option()
@store_key_option
@view_secret_option
@click.option("--all", "everything", is_flag=True, help="Fold nothing.")
@click.option("--json", "as_json", is_flag=True, help="The record as JSON on standard output.")
def show_command(
    run: str,
    folder: Path | None,
    where: str | None,
    key_name: str | None,
    secret: tuple[str, ...],
    everything: bool,
    as_json: bool,
) -> None:
    """Show what happened in a recorded run: its file, or the beginning of its name in the folder.

    With --store it shows a run there, by its id: its state, what it waits for, and its nodes as far as its journal
    tells. Secrets come from the environment, as of "flowscript resume"; those that are missing are shown masked.
    """
    rows = sys.maxsize if everything else 200
    if where is not None:
        show_run(where, run, as_json, key_name, secret, partial(_print_tree, rows=rows))
        return
    refuse_without_store(key_name, secret)
    from ..observe.replay import read_chronicle

    path = find_chronicle(run, folder)
    try:
        entries = read_chronicle(path)
    except OSError as exc:
        raise click.UsageError(f"{path}: {exc.strerror}") from None
    if as_json:
        write_json(json.dumps(entries, indent=2))
    else:
        _print_tree(entries, rows)


def chronicles_in(folder: Path) -> list[Path]:
    """The records of a folder, the oldest first."""
    return sorted(folder.glob("*.jsonl"))


def find_chronicle(run: str, folder: Path | None) -> Path:
    """The record that is meant by a file, or by the beginning of the name of one or of its run's id."""
    path = Path(run)
    if path.is_file() or folder is None:
        if not path.is_file():
            raise click.UsageError(
                f"there is no file {run!r}; to name a run by its id, give the folder of the records by "
                f"--record or {FOLDER}"
            )
        return path
    known = {chronicle.stem: chronicle for chronicle in chronicles_in(folder)}
    found = [name for name in known if name.startswith(run) or name.split("-")[-1].startswith(run)]
    if len(found) == 1:
        return known[found[0]]
    if found:
        raise click.UsageError(f"{run!r} is the beginning of {len(found)} runs in {folder}")
    near = nearest(run, known)
    hint = f"; did you mean {near!r}?" if near else ""
    raise click.UsageError(f"there is no record of {run!r} in {folder}{hint}")


def _summary(path: Path) -> dict[str, Any]:
    """What a list says of a run: its first line and its last are enough."""
    from ..observe.replay import ChronicleError, read_ends

    try:
        first, last = read_ends(path)
    except (ChronicleError, OSError) as exc:
        unreadable = {"name": str(exc), "status": "unreadable", "started": None, "duration": None}
        return {"record": path.stem, **unreadable}
    ended = last["event"] == "run-ended"
    return {
        "record": path.stem,
        "name": first["name"],
        "status": last["status"] if ended else "not ended",
        "started": first["started"],
        "duration": last["time"] if ended else None,
    }


def _print_tree(entries: list[Entry], rows: int) -> None:
    from rich.console import Console

    from ..observe.replay import events_of
    from ..observe.tree import RunTree
    from .reports import is_long
    from .tables import draw

    tree = RunTree(room=rows)
    for event in events_of(entries):
        tree(event)
    first, last = entries[0], entries[-1]
    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)
    head = f"run {first['run']} of {first['file'] or first['name']}, {first['started']}"
    console.print(one_line(head), markup=False)
    for line in _ending(last):
        console.print(printable(line), markup=False)
    console.print(draw(tree, last["time"], rows, failed_first=True))
    for note in filter(is_long, _notes(last)):
        console.print(printable(note), markup=False)


def _ending(last: Entry) -> Iterator[str]:
    from .reports import is_long

    if last["event"] != "run-ended":
        yield "the record ends here: the run goes on, or its process was killed"
    elif error := last.get("error"):
        yield f"{error['type']}: {error['message']}"
        yield from (note for note in _notes(last) if not is_long(note))


def _notes(last: Entry) -> list[str]:
    error: Entry = last.get("error") or {}
    return [str(note) for note in error.get("notes", ())]
