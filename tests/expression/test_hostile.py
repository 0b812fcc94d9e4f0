"""Owns hostile evaluations: every function over hostile values of each type is held to its second."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from time import thread_time
from typing import Any
from uuid import UUID

import pytest

from flowscript_trio.expression import function_names
from flowscript_trio.types.errors import EvaluationError

from expressing import PlainScope, read

SECONDS = 0.02
"""The bound of time of an evaluation here: the same as the default at a fiftieth of the size."""
SLACK = 2.0
"""Seconds over it at most, on a machine that is busy: what has no bound takes minutes. How close to their bound
evaluations come is measured by the family ``holds`` of the benchmarks.
"""
FUNCTIONS = sorted({*function_names()} - {"not"})  # that is an operator as well, of one operand
if os.environ.get("FLOWSCRIPT_HOSTILE") != "all":  # ten minutes
    FUNCTIONS = FUNCTIONS[::12]
PRIME = 2**61 - 1
"""Multiples of it have the same hash in Python."""

HOSTILE: dict[str, Callable[[], Any]] = {
    "a wide text": lambda: "ß" * 3_000_000,
    "digits": lambda: "1" * 1_000_000 + "x",
    "a text of spaces": lambda: " " * 3_000_000 + "x",
    "percent signs": lambda: "%C3" * 500_000,
    "open brackets": lambda: "[" * 1_000_000,
    "JSON": lambda: "[" + '{"a":[]},' * 200_000 + "1]",
    "a list": lambda: list(range(1_000_000)),
    "a range": lambda: range(10_000_000),
    "texts": lambda: [f"{at:08}" for at in range(200_000)],
    "the same long text": lambda: ["x" * 100_000] * 20_000,
    "lists": lambda: [[at] for at in range(300_000)],
    "pairs": lambda: [[f"k{at}", at] for at in range(200_000)],
    "numbers of one hash": lambda: [at * PRIME for at in range(100_000)],
    "decimals of one hash": lambda: [Decimal(at * PRIME) / 10 for at in range(1, 30_000)],
    "an object": lambda: {f"k{at}": at for at in range(300_000)},
    "a shared structure": lambda: _shared(60),
    "a deep list": lambda: _nested(100_000),
    "a large integer": lambda: (1 << 4090) - 1,
    "large integers": lambda: [(1 << 4090) - at for at in range(20_000)],
    "a huge decimal": lambda: Decimal("1e999999"),
    "bytes": lambda: b"\xff" * 5_000_000,
    "dates": lambda: [date.fromordinal(1 + at) for at in range(100_000)],
    "identifiers": lambda: [UUID(int=at) for at in range(50_000)],
    "infinity": lambda: float("inf"),
}


def _shared(depth: int) -> Any:
    value: Any = [1]
    for _ in range(depth):
        value = [value, value]
    return value


def _nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.fixture(scope="module")
def hostile() -> dict[str, Any]:
    return {name: make() for name, make in HOSTILE.items()}


def hold(text: str, values: dict[str, Any]) -> float:
    """The processor time of an evaluation, whatever comes of it."""
    compiled = read(text).compile(lambda _: False)
    scope = PlainScope(values, seconds=SECONDS)
    began = thread_time()
    with contextlib.suppress(EvaluationError):
        compiled(scope)
    return thread_time() - began


CALLS = (
    "{}(v)",
    "{}(v, v)",
    "{}(v, 'x', 'y')",
    "{}('x', v)",
    "{}([v, v, 1])",
)


@pytest.mark.slow
@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_function_holds_the_thread_longer_than_its_bound(
    name: str, hostile: dict[str, Any]
) -> None:
    for at, (kind, value) in enumerate(hostile.items(), len(name)):
        text = CALLS[at % len(CALLS)].format(name)
        assert hold(text, {"v": value}) < SECONDS + SLACK, f"{text} of {kind}"


FORTY = [
    "map(xs, x => map(xs, y => y))",
    "map(xs, x => xs)",
    "map(xs, x => [...xs])",
    "map(xs, x => ({...o}))",
    "filter(xs, x => x in xs && -1 in xs)",
    "reduce(xs, (a, x) => [...a, x], [])",
    "reduce(xs, (a, x) => ({...a, [x]: x}), {})",
    "reduce(xs, (a, x) => a + x, '')",
    "reduce(xs, (a, x) => set(a, x, x), [])",
    "find(xs, x => t == t + x)",
    "every(xs, x => t.slice(1) == t.slice(1))",
    "some(xs, x => o == x)",
    "count(xs, x => o == {...o})",
    "sort(xs, (a, b) => length(filter(xs, x => x > a)))",
    "sort(map(xs, x => t))",
    "sort(map(xs, x => 'k' + (x * 7919) % 1000003), 'desc')",
    "unique(map(xs, x => [x, [x], {a: x}]))",
    "unique(map(xs, x => x * 2305843009213693951))",
    "group_by(xs, x => t)",
    "group_by(xs, x => xs)",
    "map(xs, x => json_encode(xs))",
    "map(xs, x => json_decode(j))",
    "map(xs, x => json_encode(big * x))",
    "map(xs, x => big * big % (big - x))",
    "map(xs, x => to_string(big - x))",
    "map(xs, x => pow(x, 400))",
    "map(xs, x => round(x + 0.005, 2))",
    "map(xs, x => upper(t))",
    "map(xs, x => hash(t, 'sha512'))",
    "map(xs, x => regex_match(t, '(a|b)*c' + x))",
    "map(xs, x => regex_match('', '((a{30}){30}|b' + x + ')'))",
    "map(xs, x => parse_date('2020', \"yyyy'\" + x + \"'\") ?? 1)",
    "map(xs, x => format_date(x, 'EEEE MMMM yyyy'))",
    "regex_replace(t, '(.?)(.?)(.?)', '$3$2$1')",
    "regex_match(t, 'ß.*x|ß', 'g')",
    "flatten(map(xs, x => xs))",
    "concat(...map(xs, x => xs))",
    "zip(...map(range(1000), x => xs))",
    "join(map(xs, x => t), t)",
    "map([x => map(xs, x)], f => map(xs, y => map(xs, f)))",
    "length(map(xs, x => " + " + ".join(["x"] * 900) + "))",
    "map(xs, x => [" + ", ".join(["x"] * 900) + "])",
    "map(xs, x => x ? " * 15 + "1" + " : 2)" * 15,
]


@pytest.mark.parametrize("text", FORTY, ids=range(len(FORTY)))
def test_no_expression_holds_the_thread_longer_than_its_bound(text: str) -> None:
    values = {
        "xs": list(range(100_000)),
        "o": {f"k{at}": at for at in range(50_000)},
        "t": "ß" * 500_000,
        "j": "[" + "[]," * 30_000 + "1]",
        "big": (1 << 2000) - 1,
    }
    assert hold(text, values) < SECONDS + SLACK
