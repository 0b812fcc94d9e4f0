"""Owns the options by which a command is told what a run is given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--config", "-c", multiple=True, metavar="KEY=VALUE", help="A value of $config."),
    click.option("--input", "-i", "given", metavar="JSON|@FILE", help="The run's input."),
    click.option(
        "--secret", "-s", multiple=True, metavar="NAME", help="A secret, from the environment."
    ),
    click.option(
        "--env",
        "-e",
        multiple=True,
        metavar="NAME",
        help="A variable of the environment, for $env.",
    ),
    click.option("--max-concurrency", type=click.IntRange(min=1), help="The run's limit."),
    click.option(
        "--base", type=click.Path(file_okay=False, exists=True), help="Confine files to a folder."
    ),
)


def given_options(command: Command) -> Command:
    """A decorator that adds ``--config``, ``--input`` and the others, as ``flowscript run`` has them."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
