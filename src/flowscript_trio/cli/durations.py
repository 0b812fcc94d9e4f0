"""Owns how the options of commands read durations."""

from __future__ import annotations

from collections.abc import Callable

import click

from ..types.durations import parse_timeout


def read_seconds(
    given: str | None, example: str, parse: Callable[[str], float] = parse_timeout
) -> float | None:
    """The seconds of a duration above 0, None where none is given; raises click.BadParameter with an example."""
    if given is None:
        return None
    try:
        seconds = parse(given)
    except ValueError as exc:
        raise click.BadParameter(str(exc)) from None
    if not seconds:
        raise click.BadParameter(
            f"{given!r} is not a time; expected a duration above 0, such as {example}"
        )
    return seconds
