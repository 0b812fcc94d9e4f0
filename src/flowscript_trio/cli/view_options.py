"""Owns the options that say what is to be seen and kept of a run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from .run_options import Command

FOLDER = "FLOWSCRIPT_RECORD"
"""The environment variable that names the folder of records."""

trace_option: Callable[[Command], Command] = click.option(
    "--trace",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a trace for Perfetto's or Chrome's viewer.",
)
record_option: Callable[[Command], Command] = click.option(
    "--record",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    envvar=FOLDER,
    show_envvar=True,
    help="Keep a record of the run in a file of this folder, one line for each event.",
)
report_option: Callable[[Command], Command] = click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write what happened as one HTML page.",
)
log_option: Callable[[Command], Command] = click.option(
    "--log",
    type=click.Choice(["tree", "lines", "json"]),
    help="What standard error shows of the run; a live tree on a terminal, else lines.",
)
quiet_option: Callable[[Command], Command] = click.option(
    "--quiet", "-q", is_flag=True, help="Show nothing of the run."
)
