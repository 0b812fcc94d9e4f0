"""Owns ``flowscript report``: the page of a run, by its record or by the store that it is in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .loading import load_or_exit, roots_option
from .records import find_chronicle, record_option
from .stores import (
    open_store,
    read_run,
    refuse_without_store,
    store_key_option,
    store_option,
    view_secret_option,
)
from .writing import write_whole

if TYPE_CHECKING:
    from ..observe.chronicle import Entry
    from ..observe.report import DrawStates
    from ..program.loading import Flow


@click.command("report", short_help="Write the report of a recorded run, one HTML page.")
@click.argument("run")
@record_option
@store_option()
@store_key_option
@view_secret_option
@click.option(
    "--output",
    "-o",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="Where the page goes.",
)
@click.option(
    "--workflow",
    type=click.Path(dir_okay=False),
    help="The workflow's document, to be drawn as well; a store has it.",
)
@roots_option
def report_command(
    run: str,
    folder: Path | None,
    where: str | None,
    key_name: str | None,
    secret: tuple[str, ...],
    output: Path,
    workflow: str | None,
    roots: tuple[str, ...],
) -> None:
    """Write the report of a recorded run, one self-contained HTML page.

    With --store it is that of a run there, by its id, whoever runs it now: as far as its journal tells. Secrets
    come from the environment, as of "flowscript resume"; those that are missing are shown masked.
    """
    from ..observe.private_files import PRIVATE
    from ..observe.report import render_report

    flow = None if workflow is None else load_or_exit(workflow, roots)
    if where is None:
        refuse_without_store(key_name, secret)
        entries = _recorded(run, folder)
    else:
        stored = read_run(open_store(where, key_name), run, secret)
        entries, flow = stored.entries, flow or stored.flow
    write_whole(output, render_report(entries, _drawing(flow)), "--output", mode=PRIVATE)


def _recorded(run: str, folder: Path | None) -> list[Entry]:
    from ..observe.replay import read_chronicle

    path = find_chronicle(run, folder)
    try:
        return read_chronicle(path)
    except OSError as exc:
        raise click.UsageError(f"{path}: {exc.strerror}") from None


def _drawing(flow: Flow | None) -> DrawStates | None:
    if flow is None:
        return None
    from .drawing import drawing_of

    return drawing_of(flow)
