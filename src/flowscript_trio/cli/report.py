"""Owns ``flowscript report``: the page of a recorded run."""

from __future__ import annotations

from pathlib import Path

import click

from .loading import load_or_exit, roots_option
from .records import find_chronicle, record_option
from .writing import write_whole


@click.command("report", short_help="Write the report of a recorded run, one HTML page.")
@click.argument("run")
@record_option
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
    help="The workflow's document, to be drawn as well.",
)
@roots_option
def report_command(
    run: str, folder: Path | None, output: Path, workflow: str | None, roots: tuple[str, ...]
) -> None:
    """Write the report of a recorded run, one self-contained HTML page."""
    from ..observe.private_files import PRIVATE
    from ..observe.replay import read_chronicle
    from ..observe.report import render_report

    path = find_chronicle(run, folder)
    try:
        entries = read_chronicle(path)
    except OSError as exc:
        raise click.UsageError(f"{path}: {exc.strerror}") from None
    graph = None
    if workflow is not None:
        from .drawing import drawing_of

        graph = drawing_of(load_or_exit(workflow, roots))
    write_whole(output, render_report(entries, graph), "--output", mode=PRIVATE)
