"""Owns what of the input of a durable run is not kept: ``Items``, which are given again to go on with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...types.errors import InputError
from ...types.items import Items

_CONTAINERS = (dict, list, tuple)


def without_items(value: Any) -> tuple[Any, list[str]]:
    """The value with null in the place of each ``Items``, and their paths; what has none stays the same object."""
    paths: list[str] = []
    made: dict[int, Any] = {}

    def now(part: Any) -> Any:
        return None if isinstance(part, Items) else made.get(id(part), part)

    for each, place in _inside(value):
        own = [_path((place, each, step)) for step, part in _parts(each) if isinstance(part, Items)]
        paths += own
        if own or (made and any(id(part) in made for _, part in _parts(each))):
            pairs = [(step, now(part)) for step, part in _parts(each)]
            made[id(each)] = dict(pairs) if isinstance(each, dict) else [part for _, part in pairs]
    if isinstance(value, Items):
        paths.append(_path(None))
    return now(value), paths


_Place = tuple[Any, Any, Any] | None
"""Where a part is: the place of its container, that container, and its key or index; None: it is the input."""


def _inside(value: Any) -> Iterator[tuple[Any, _Place]]:
    """The dicts, lists and tuples of a value with their places, each once and after those inside it.

    It takes no stack, however deep they are.
    """
    if not isinstance(value, _CONTAINERS):
        return
    seen = {id(value)}
    around: list[tuple[Any, _Place, Iterator[tuple[Any, Any]]]] = [(value, None, _parts(value))]
    while around:
        current, place, rest = around[-1]
        for step, part in rest:
            if isinstance(part, _CONTAINERS) and id(part) not in seen:
                seen.add(id(part))
                around.append((part, (place, current, step), _parts(part)))
                break
        else:
            around.pop()
            yield current, place


def _parts(value: Any) -> Iterator[tuple[Any, Any]]:
    return iter(value.items()) if isinstance(value, dict) else enumerate(value)


def _path(place: _Place) -> str:
    steps = []
    while place is not None:
        place, container, step = place
        steps.append(f".{step}" if isinstance(container, dict) else f"[{step}]")
    return "".join(["input", *reversed(steps)])


def check_no_items(input: Any) -> None:
    """Raise InputError for the input of a run that is queued, if it has ``Items``: no worker could read them."""
    _, paths = without_items(input)
    if paths:
        raise InputError(
            f"Items are not kept, so no worker could read {', '.join(paths)}; expected a list, or a runtime that "
            "is registered with pure=True and gives the Items"
        )


class ItemsNeeded(InputError):
    """A run was given ``Items`` at these ``paths``, which only a caller can give again."""

    def __init__(self, said: str, paths: list[str]) -> None:
        super().__init__(said)
        self.paths: list[str] = paths


def check_items(run_id: str, paths: list[str]) -> None:
    """Raise ItemsNeeded for a run that was given ``Items``."""
    if paths:
        raise ItemsNeeded(
            f"the run {run_id!r} was given Items, which are not kept, as {', '.join(paths)}; expected that "
            "run() is called again with its run_id, document and input, or that a runtime gives the Items",
            paths,
        )
