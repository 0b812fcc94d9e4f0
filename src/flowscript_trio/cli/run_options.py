"""Owns the options that say what a run is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from ..scheduler.limits.limit import Limit

Command = TypeVar("Command", bound=Callable[..., Any])

base_option: Callable[[Command], Command] = click.option(
    "--base",
    type=click.Path(file_okay=False, exists=True),
    help="The folder that file paths may not leave.",
)
seed_option: Callable[[Command], Command] = click.option(
    "--seed", metavar="N", type=int, help="Make random() and uuid() repeatable."
)

_GIVEN = (
    click.option(
        "--config",
        "-c",
        multiple=True,
        metavar="KEY=VALUE",
        help="A value of $config, converted to its declared type; @FILE is a file that has an array or an object.",
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
        "--max-concurrency",
        metavar="N",
        type=click.IntRange(min=1),
        help="How many branches or nodes run at once where nothing else is said.",
    ),
)
place_option: Callable[[Command], Command] = click.option(
    "--place",
    "place",
    multiple=True,
    metavar="NAME=ADDRESS",
    help="Where nodes with place=NAME run: the scheduler of a Dask cluster (tcp://host:8786), or thread, "
    "process, cluster.",
)


def _limits(given: tuple[str, ...]) -> Mapping[str, Limit]:
    if not given:
        return {}
    from .limiting import read_limits  # most runs are given none

    return read_limits(given)


limit_option: Callable[[Command], Command] = click.option(
    "--limit",
    "limits",
    multiple=True,
    metavar="NAME=RULE,…",
    callback=lambda _, __, given: _limits(given),
    help="A limit, which goes before one that the document declares: max=5,rate=100/s,burst=20,"
    "breaker=5 in 1m, 30s; with shared it is kept in the store, for all its runs that are given it.",
)


def given_options(command: Command) -> Command:
    """A decorator that adds ``--config``, ``--input`` and the others of what a run is given itself."""
    for option in reversed(_GIVEN):
        command = option(command)
    return command


def run_options(command: Command) -> Command:
    """A decorator that adds these, and those of where it runs, and its limits, as ``flowscript run`` has them."""
    return given_options(limit_option(place_option(base_option(command))))
