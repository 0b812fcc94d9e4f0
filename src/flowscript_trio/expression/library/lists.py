"""Owns the functions of lists."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cmp_to_key
from typing import Any

from ...types.errors import EvaluationError, LimitExceeded
from ..encoding import encode_json, to_text
from ..operators import BINARY
from ..scope import Services
from ..table import function
from ..values import LISTS, Function, equals, is_number, kind_of, member, require_number, truthy
from .text import whole


def listed(services: Services, value: Any) -> Any:
    """A list argument: null is empty, what is no list a list of one."""
    if isinstance(value, LISTS):
        services.spend(len(value))
        return value
    return [] if value is None else [value]


def test_of(test: Any) -> Callable[..., Any]:
    """What decides about an item: an arrow function, the name of a member, or its own truth."""
    if isinstance(test, Function):
        return test
    if isinstance(test, str):
        return lambda item, *_: member(item, test)
    if test is None:
        return lambda item, *_: item
    raise EvaluationError(f"expected an arrow function, not a {kind_of(test)}")


@function("length", "len")
def length(_: Services, value: Any = None) -> int:
    """Items of a list, characters of a text, keys of an object; of null 0."""
    if value is None:
        return 0
    if isinstance(value, (str, Mapping, *LISTS)):
        return len(value)
    if is_number(value) or isinstance(value, bool):
        return len(to_text(value))
    raise EvaluationError(f"a {kind_of(value)} has no length")


@function("first")
def first(_: Services, value: Any = None) -> Any:
    return (value[0] if value else None) if isinstance(value, (str, *LISTS)) else value


@function("last")
def last(_: Services, value: Any = None) -> Any:
    return (value[-1] if value else None) if isinstance(value, (str, *LISTS)) else value


@function("slice")
def slice_(services: Services, value: Any = None, start: Any = 0, end: Any = None) -> Any:
    if value is None:
        return None
    found = value if isinstance(value, (str, *LISTS)) else [value]
    part = found[whole(start, "the start") : None if end is None else whole(end, "the end")]
    return part if isinstance(part, str) else list(part)


@function("take")
def take(services: Services, value: Any = None, count: Any = 1) -> Any:
    return list(listed(services, value)[: max(whole(count, "the count", 1), 0)])


@function("skip")
def skip(services: Services, value: Any = None, count: Any = 1) -> Any:
    return list(listed(services, value)[max(whole(count, "the count", 1), 0) :])


@function("flatten")
def flatten(services: Services, value: Any = None, depth: Any = 1) -> Any:
    levels = min(whole(depth, "the depth", 1), 100)
    items = list(listed(services, value))
    for _ in range(max(levels, 0)):
        if not any(isinstance(item, LISTS) for item in items):
            break
        flat: list[Any] = []
        for item in items:
            flat.extend(item if isinstance(item, LISTS) else [item])
            if len(flat) > services.limits.items:
                raise LimitExceeded(f"the list has more than {services.limits.items:,} items")
        services.spend(len(flat))
        items = flat
    return items


def identity_of(value: Any) -> Any:
    """A hashable key that is the same for values that are equal."""
    if isinstance(value, bool) or value is None:
        return (kind_of(value), value)
    if is_number(value):
        return ("number", value)
    if isinstance(value, str):
        return ("string", value)
    if isinstance(value, LISTS):
        return ("array", tuple(identity_of(item) for item in value))
    if isinstance(value, Mapping):
        return ("object", frozenset((key, identity_of(item)) for key, item in value.items()))
    return ("other", id(value))


@function("unique")
def unique(services: Services, value: Any = None, key: Any = None) -> Any:
    pick = test_of(key)
    found: dict[Any, Any] = {}
    for item in listed(services, value):
        found.setdefault(identity_of(pick(item)), item)
    return list(found.values())


@function("reverse")
def reverse(services: Services, value: Any = None) -> Any:
    if isinstance(value, str):
        return value[::-1]
    return list(reversed(listed(services, value)))


@function("contains")
def contains(services: Services, value: Any = None, item: Any = None) -> bool:
    if isinstance(value, LISTS):
        services.spend(len(value))
    return bool(BINARY["in"](item, value, services.limits))


@function("index_of")
def index_of(services: Services, value: Any = None, item: Any = None) -> int:
    if isinstance(value, str):
        return value.find(to_text(item))
    for at, other in enumerate(listed(services, value)):
        if equals(item, other):
            return at
    return -1


def compare(a: Any, b: Any) -> int:
    """The order of sorting: null last, numbers before text, each in its own order."""
    if a is None or b is None:
        return (a is None) - (b is None)
    if is_number(a) and is_number(b):
        return bool(a > b) - bool(a < b)
    if is_number(a) != is_number(b):
        return -1 if is_number(a) else 1
    try:
        return bool(a > b) - bool(a < b)
    except TypeError:
        x, y = to_text(a), to_text(b)
        return (x > y) - (x < y)


def _by_first(a: Any, b: Any) -> int:
    return compare(a[0], b[0])


@function("sort")
def sort(services: Services, value: Any = None, by: Any = None, direction: Any = "asc") -> Any:
    """By the items, by a member's name, by an arrow of one argument, or by one of two that compares."""
    items = list(listed(services, value))
    services.spend(len(items) * 4)
    if isinstance(by, str) and by in ("asc", "desc") and direction == "asc":
        by, direction = None, by
    if isinstance(by, Function) and by.arity >= 2:

        def judge(a: Any, b: Any) -> int:
            number = require_number(by(a, b), "what the comparison gives")
            return bool(number > 0) - bool(number < 0)

        items.sort(key=cmp_to_key(judge))
    else:
        pick = test_of(by)
        keyed: list[tuple[Any, Any]] = [(pick(item), item) for item in items]
        keyed.sort(key=cmp_to_key(_by_first))
        items = [item for _, item in keyed]
    if direction == "desc":
        items.reverse()
    return items


@function("compact")
def compact(services: Services, value: Any = None) -> Any:
    return [item for item in listed(services, value) if truthy(item)]


@function("count")
def count(services: Services, value: Any = None, test: Any = None) -> int:
    items = listed(services, value)
    if test is None:
        return len(items)
    decide = test_of(test)
    return sum(truthy(decide(item, at, items)) for at, item in enumerate(items))


@function("at")
def at(_: Services, value: Any = None, index: Any = 0) -> Any:
    """The item at an index; a negative one counts from the end."""
    if not isinstance(value, (str, *LISTS)):
        return None
    place = whole(index, "the index")
    return value[place] if -len(value) <= place < len(value) else None


@function("every")
def every(services: Services, value: Any = None, test: Any = None) -> bool:
    items, decide = listed(services, value), test_of(test)
    return all(truthy(decide(item, at, items)) for at, item in enumerate(items))


@function("some")
def some(services: Services, value: Any = None, test: Any = None) -> bool:
    items, decide = listed(services, value), test_of(test)
    return any(truthy(decide(item, at, items)) for at, item in enumerate(items))


@function("find")
def find(services: Services, value: Any = None, test: Any = None) -> Any:
    items, decide = listed(services, value), test_of(test)
    return next((item for at, item in enumerate(items) if truthy(decide(item, at, items))), None)


@function("filter")
def filter_(services: Services, value: Any = None, test: Any = None) -> Any:
    items, decide = listed(services, value), test_of(test)
    return [item for at, item in enumerate(items) if truthy(decide(item, at, items))]


@function("map")
def map_(services: Services, value: Any = None, change: Any = None) -> Any:
    items, apply = listed(services, value), test_of(change)
    return [apply(item, at, items) for at, item in enumerate(items)]


@function("reduce")
def reduce(services: Services, value: Any = None, step: Any = None, initial: Any = None) -> Any:
    if not isinstance(step, Function):
        raise EvaluationError("reduce needs an arrow function of (acc, item)")
    items = listed(services, value)
    result = initial
    for at, item in enumerate(items):
        result = step(result, item, at, items)
    return result


@function("range")
def range_(services: Services, start: Any = 0, end: Any = None, step: Any = 1) -> Any:
    """``range(end)``, ``range(start, end)``, ``range(start, end, step)``: whole numbers, made as needed."""
    a, b = (0, start) if end is None else (start, end)
    stride = whole(step, "the step", 1)
    if stride == 0:
        raise EvaluationError("the step is 0")
    made = range(whole(a, "the start"), whole(b, "the end"), stride)
    size = max(0, -(-(made.stop - made.start) // stride) if stride else 0)
    if size > services.limits.items:
        raise LimitExceeded(f"the list has more than {services.limits.items:,} items")
    return made


def numbers_of(services: Services, values: tuple[Any, ...]) -> list[Any]:
    """The numbers of one list or of several values; null is left out."""
    items = listed(services, values[0]) if len(values) == 1 else values
    return [require_number(item, "an item") for item in items if item is not None]


@function("sum")
def sum_(services: Services, *values: Any) -> Any:
    return sum(numbers_of(services, values)) if values else 0


@function("avg")
def avg(services: Services, *values: Any) -> Any:
    numbers = numbers_of(services, values) if values else []
    return BINARY["/"](sum(numbers), len(numbers), services.limits) if numbers else None


def _extreme(services: Services, values: tuple[Any, ...], sign: int) -> Any:
    items = list(listed(services, values[0]) if len(values) == 1 else values)
    best: Any = None
    for item in items:
        if item is not None and (best is None or compare(item, best) * sign > 0):
            best = item
    return best


@function("min")
def min_(services: Services, *values: Any) -> Any:
    return _extreme(services, values, -1)


@function("max")
def max_(services: Services, *values: Any) -> Any:
    return _extreme(services, values, 1)


@function("zip")
def zip_(services: Services, *lists: Any) -> Any:
    """As long as the longest list; what is missing is null."""
    columns = [listed(services, value) for value in lists]
    longest = max(map(len, columns), default=0)
    return [[c[at] if at < len(c) else None for c in columns] for at in range(longest)]


@function("group_by")
def group_by(services: Services, value: Any = None, key: Any = None) -> Any:
    pick = test_of(key)
    groups: dict[str, list[Any]] = {}
    for item in listed(services, value):
        groups.setdefault(_group_name(pick(item)), []).append(item)
    return groups


def _group_name(value: Any) -> str:
    if value is None:
        return "null"
    return encode_json(value) if isinstance(value, (Mapping, *LISTS)) else to_text(value)


@function("chunk")
def chunk(services: Services, value: Any = None, size: Any = 1) -> Any:
    items, width = listed(services, value), whole(size, "the size", 1)
    if width < 1:
        raise EvaluationError("the size of a chunk is at least 1")
    return [list(items[at : at + width]) for at in range(0, len(items), width)]
