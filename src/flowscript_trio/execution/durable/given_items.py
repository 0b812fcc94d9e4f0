"""Owns what of the input of a durable run is not kept: ``Items``, which are given again to go on with it."""

from __future__ import annotations

from typing import Any

from ...types.errors import InputError
from ...types.items import Items


def without_items(value: Any, path: str = "input") -> tuple[Any, list[str]]:
    """The value with null in the place of each ``Items``, and their paths."""
    if isinstance(value, Items):
        return None, [path]
    if isinstance(value, dict):
        pairs = [(key, without_items(part, f"{path}.{key}")) for key, part in value.items()]
    elif isinstance(value, (list, tuple)):
        pairs = [(at, without_items(part, f"{path}[{at}]")) for at, part in enumerate(value)]
    else:
        return value, []
    found = [each for _, (_, inner) in pairs for each in inner]
    if not found:
        return value, []
    if isinstance(value, dict):
        return {key: part for key, (part, _) in pairs}, found
    return [part for _, (part, _) in pairs], found


def check_no_items(input: Any) -> None:
    """Raise InputError for the input of a run that is queued, if it has ``Items``: no worker could read them."""
    _, paths = without_items(input)
    if paths:
        raise InputError(
            f"Items are not kept, so no worker could read {', '.join(paths)}; expected a list, or a runtime that "
            "is registered with pure=True and gives the Items"
        )


def check_items(run_id: str, paths: list[str]) -> None:
    """Raise InputError for a run that was given ``Items``, which only a caller can give again."""
    if paths:
        raise InputError(
            f"the run {run_id!r} was given Items, which are not kept, as {', '.join(paths)}; expected that "
            "run() is called again with its run_id, document and input, or that a runtime gives the Items"
        )
