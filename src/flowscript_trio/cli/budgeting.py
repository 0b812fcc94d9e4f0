"""Owns how a budget is written on the command line: ``seconds=10,tasks=20,output_bytes=64MiB``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from ..types.budget import COUNTS, SECONDS, Budget
from ..types.durations import parse_timeout
from ..types.errors import InputError, nearest
from ..types.patterns import pattern
from .run_options import Command

_UNITS = {
    "": 1,
    "KB": 1000,
    "MB": 1000**2,
    "GB": 1000**3,
    "KiB": 1024,
    "MiB": 1024**2,
    "GiB": 1024**3,
}
_COUNT = pattern(r"([0-9][0-9_]{0,17})(KB|MB|GB|KiB|MiB|GiB)?")


def read_budget(given: str | None) -> Budget | None:
    """The budget that ``--budget`` says, or None; raises click.BadParameter for what is wrong with it."""
    if given is None:
        return None
    fields: dict[str, Any] = {}
    for pair in given.split(","):
        name, equals, word = (part.strip() for part in pair.partition("="))
        known = (*SECONDS, *COUNTS)
        if name not in known:
            near = nearest(name, known)
            hint = f"did you mean {near!r}?" if near else f"expected {', '.join(known)}"
            raise click.BadParameter(f"a budget has no {name!r}; {hint}")
        if not equals:
            raise click.BadParameter(f"{name} has no value; write {name}=…")
        if name in fields:
            raise click.BadParameter(f"{name} is given twice")
        fields[name] = _seconds(name, word) if name in SECONDS else _count(name, word)
    try:
        return Budget(**fields)
    except InputError as exc:
        raise click.BadParameter(str(exc)) from None


def _seconds(name: str, word: str) -> float:
    try:
        return parse_timeout(word)
    except ValueError as exc:
        raise click.BadParameter(f"{name}: {exc}") from None


def _count(name: str, word: str) -> int:
    found = _COUNT.fullmatch(word)
    sized = name.endswith("_bytes")
    if found is None or (found[2] and not sized):
        such = "such as 1000000, 64MB or 64MiB" if sized else "such as 1000"
        raise click.BadParameter(f"{name} is {word!r}; expected a whole number {such}")
    return int(found[1]) * _UNITS[found[2] or ""]


budget_option: Callable[[Command], Command] = click.option(
    "--budget",
    metavar="NAME=VALUE,…",
    callback=lambda _, __, given: read_budget(given),
    help="What the run may take in all: seconds=10,tasks=20,output_bytes=64MiB, and others.",
)
