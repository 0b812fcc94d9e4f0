"""Owns the functions of lists that look at how a list is made up, not at what its items are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...types.errors import EvaluationError
from ..encoding import to_text
from ..operators import contains as is_in
from ..scope import Services
from ..table import function
from ..values import LISTS, check_items, equals, shown, truthy
from .arguments import listed, whole


@function("length", "len", "size")
def length(_: Services, value: Any = None) -> int:
    """Items of a list, characters of a text, keys of an object; of null 0."""
    if value is None:
        return 0
    if isinstance(value, (str, Mapping, *LISTS)):
        return len(value)
    raise EvaluationError(f"{shown(value)} has no length")


@function("first")
def first(_: Services, value: Any = None) -> Any:
    """The first item of a list, or character of a text; what is neither is itself."""
    return (value[0] if value else None) if isinstance(value, (str, *LISTS)) else value


@function("last")
def last(_: Services, value: Any = None) -> Any:
    """The last item of a list, or character of a text; what is neither is itself."""
    return (value[-1] if value else None) if isinstance(value, (str, *LISTS)) else value


@function("at")
def at(services: Services, value: Any = None, index: Any = 0) -> Any:
    """The item at an index; a negative one counts from the end."""
    if not isinstance(value, (str, *LISTS)):
        return None
    place = whole(services, index, "the index")
    return value[place] if -len(value) <= place < len(value) else None


@function("slice")
def slice_(services: Services, value: Any = None, start: Any = 0, end: Any = None) -> Any:
    """Of a text or a list; negative bounds count from the end."""
    if value is None:
        return None
    found = value if isinstance(value, str) else listed(value)
    part = found[
        whole(services, start, "the start") : None
        if end is None
        else whole(services, end, "the end")
    ]
    if isinstance(part, str):
        return part
    services.spend_copy(len(part))
    return list(part)


@function("take")
def take(services: Services, value: Any = None, count: Any = 1) -> Any:
    """The first ``count`` items."""
    part = listed(value)[: max(whole(services, count, "the count", 1), 0)]
    services.spend_copy(len(part))
    return list(part)


@function("skip")
def skip(services: Services, value: Any = None, count: Any = 1) -> Any:
    """All but the first ``count`` items."""
    part = listed(value)[max(whole(services, count, "the count", 1), 0) :]
    services.spend_copy(len(part))
    return list(part)


@function("array_concat")
def array_concat(services: Services, *lists: Any) -> Any:
    """Lists one after another; anything but a list is one item, and null adds nothing."""
    joined: list[Any] = []
    for value in lists:
        items = listed(value)
        check_items(len(joined) + len(items), services.limits)
        services.spend_copy(len(items))
        joined.extend(items)
    return joined


@function("flatten")
def flatten(services: Services, value: Any = None, depth: Any = 1) -> Any:
    """Lists in a list opened, ``depth`` levels of them."""
    items = list(services.visit(listed(value)))
    for _ in range(min(max(whole(services, depth, "the depth", 1), 0), services.limits.depth)):
        flat: list[Any] = []
        opened = False
        for item in services.visit(items):
            if not isinstance(item, LISTS):
                flat.append(item)
                continue
            opened = True
            check_items(len(flat) + len(item), services.limits)
            services.spend_copy(len(item))
            flat.extend(item)
        if not opened:
            break
        items = flat
    check_items(len(items), services.limits)
    return items


@function("compact")
def compact(services: Services, value: Any = None) -> Any:
    """The items that are not null."""
    return [item for item in services.visit(listed(value)) if item is not None]


@function("clean")
def clean(services: Services, value: Any = None) -> Any:
    """The items that are truthy."""
    return [item for item in services.visit(listed(value)) if truthy(item)]


@function("reverse")
def reverse(services: Services, value: Any = None) -> Any:
    """A list or a text from its end."""
    if isinstance(value, str):
        services.spend_text(len(value))
        return value[::-1]
    items = listed(value)
    services.spend_copy(len(items))
    return list(reversed(items))


@function("contains", "includes")
def contains(services: Services, value: Any = None, item: Any = None) -> bool:
    """Whether a list has the item, a text the text, an object the key."""
    if value is None or isinstance(value, (str, Mapping, *LISTS)):
        return is_in(item, value, services)
    raise EvaluationError(f"{shown(value)} is not a list, text or an object")


@function("index_of")
def index_of(services: Services, value: Any = None, item: Any = None) -> int:
    """The index of the first equal item, or of a text in a text; -1 where there is none."""
    if isinstance(value, str):
        services.spend_scan(len(value))
        return -1 if item is None else value.find(to_text(item, services))
    for place, other in enumerate(services.visit(listed(value))):
        if equals(item, other, services):
            return place
    return -1


@function("range")
def range_(services: Services, start: Any = 0, end: Any = None, step: Any = 1) -> Any:
    """``range(end)``, ``range(start, end)``, ``range(start, end, step)``: whole numbers, made as needed."""
    a, b = (0, start) if end is None else (start, end)
    stride = whole(services, step, "the step", 1)
    if stride == 0:
        raise EvaluationError("the step is 0")
    low, high = whole(services, a, "the start"), whole(services, b, "the end")
    check_items(max(0, -((low - high) // stride)), services.limits)
    return range(low, high, stride)


@function("zip")
def zip_(services: Services, *lists: Any) -> Any:
    """Lists of the items that are at the same index, as many as the longest list has; null is missing."""
    columns = [listed(value) for value in lists]
    longest = max(map(len, columns), default=0)
    rows = services.visit(range(longest), 1 + len(columns))
    return [[c[at] if at < len(c) else None for c in columns] for at in rows]


@function("chunk")
def chunk(services: Services, value: Any = None, size: Any = 1) -> Any:
    """Lists of ``size`` items each; the last has the rest."""
    items, width = listed(value), whole(services, size, "the size", 1)
    if width < 1:
        raise EvaluationError("the size of a chunk is at least 1")
    services.spend_copy(len(items))
    starts = range(0, len(items), width)
    return [list(items[at : at + width]) for at in services.visit(starts, 2)]
