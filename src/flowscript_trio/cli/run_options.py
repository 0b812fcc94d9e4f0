"""Owns the options that say what a run is given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

base_option: Callable[[Command], Command] = click.option(
    "--base",
    type=click.Path(file_okay=False, exists=True),
    help="The folder that file paths may not leave.",
)

_OPTIONS = (
    click.option(
        "--config",
        "-c",
        multiple=True,
        metavar="KEY=VALUE",
        help="A value of $config, converted to its declared type.",
    ),
    click.option(
        "--input",
        "-i",
        "given",
        metavar="JSON|@FILE",
        help="The run's input, or the file that has it.",
    ),
    click.option(
        "--secret",
        "-s",
        multiple=True,
        metavar="NAME",
        help="A secret to take from the environment by its name; declared ones are always taken.",
    ),
    click.option(
        "--env",
        "-e",
        multiple=True,
        metavar="NAME",
        help="An environment variable that $env shows; it shows no others.",
    ),
    click.option(
        "--max-concurrency", metavar="N", type=click.IntRange(min=1), help="The run's limit."
    ),
    click.option(
        "--place",
        "place",
        multiple=True,
        metavar="NAME=ADDRESS",
        help="Where nodes with place=NAME run: the scheduler of a Dask cluster (tcp://host:8786), or thread, "
        "process, cluster.",
    ),
    base_option,
)


def run_options(command: Command) -> Command:
    """A decorator that adds ``--config``, ``--input`` and the others, as ``flowscript run`` has them."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
