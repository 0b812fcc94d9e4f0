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
ALL = os.environ.get("FLOWSCRIPT_HOSTILE") == "all"  # hours
FUNCTIONS = sorted({*function_names()} - {"not", "typeof"})  # operators as well, of one operand
if not ALL:
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
    "a number after spaces": lambda: " " * 3_000_000 + "1",
    "a number after wide spaces": lambda: "\u2003" * 3_000_000 + "1",
    "a long number": lambda: "1" * 3_000_000,
    "letters that grow": lambda: "\ufb03" * 1_000_000,
    "a regular expression": lambda: "a?" * 100_000,
    "classes of Unicode": lambda: r"\p{L}" * 2_000,
    "dollar signs": lambda: "$1" * 1_000_000,
    "a path": lambda: "a." * 1_000_000,
    "a pattern of dates": lambda: "'" * 199,
    "JSON deep and long": lambda: "[" * 300 + "1," * 200_000 + "1" + "]" * 300,
    "JSON of keys": lambda: '{"a":1,"b":' * 300 + "[" + "[1]," * 100_000 + "1]" + "}" * 300,
    "a record of csv": lambda: "a," * 500_000,
    "short rows of csv": lambda: ",".join(map(str, range(30_000))) + "\n" + "x\n" * 30_000,
    "types of columns": lambda: ",".join(f"k{at}: number" for at in range(100_000)),
    "texts that are days": lambda: ["2024-01-0x"] * 200_000,
    "numbers after spaces": lambda: [" " * 1_000_000 + "1"] * 1_000,
    "rows of many columns": lambda: [{f"k{at}": at} for at in range(5_000)],
    "rows of long texts": lambda: [{"a": "x" * 1_000_000}] * 1_000,
    "NaNs": lambda: [float("nan")] * 200_000,
    "values of all kinds": lambda: [None, True, 1, "1", "a", [1], {"a": 1}, 1.5] * 20_000,
    "a fraction": lambda: 0.5,
    "a small decimal": lambda: Decimal("1e-999999"),
    "a long decimal": lambda: Decimal("0." + "1" * 1_000_000),
    "long decimals": lambda: [Decimal("0." + "1" * 200_000) + at for at in range(500)],
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
    "{}('2024-01-01', v)",
    "{}('2024-01-01', 1, v)",
    "{}({{}}, [v], 1)",
    "{}('a', 'a', v)",
    "{}([[v, 1]])",
    "{}([{{a: v}}], {{header: v}})",
    "{}('a', {{types: v}})",
    "map(range(300), x => {}(v, x))",
    "{}(range(1000000), v)",
)
OPERATIONS = (
    "map(range(300), x => v * 1)",
    "map(range(300), x => -v)",
    "map(range(300), x => v < x)",
    "map(range(300), x => v == w)",
    "map(range(300), x => v + 'x')",
    "map(range(300), x => v in range(1000000))",
    "map(range(300), x => v in [w, w, w])",
    "map(range(300), x => x + 0.5 in v)",
    "map(range(300), x => [...v, ...v])",
    "map(range(300), x => ({a: 1, ...v}))",
    "{[v]: 1}",
    "[v, w][v]",
    "v[w]",
    "v ? v : w",
)


@pytest.mark.slow
@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_function_holds_the_thread_longer_than_its_bound(
    name: str, hostile: dict[str, Any]
) -> None:
    for at, (kind, value) in enumerate(hostile.items(), len(name)):
        for call in CALLS if ALL else CALLS[at % len(CALLS) :][:1]:
            text = call.format(name)
            assert hold(text, {"v": value}) < SECONDS + SLACK, f"{text} of {kind}"


@pytest.mark.slow
@pytest.mark.parametrize("at", range(len(OPERATIONS)))
def test_no_operator_holds_the_thread_longer_than_its_bound(
    at: int, hostile: dict[str, Any]
) -> None:
    for kind, value in list(hostile.items())[0 if ALL else at % 5 :: 1 if ALL else 5]:
        values = {"v": value, "w": HOSTILE[kind]()}
        assert hold(OPERATIONS[at], values) < SECONDS + SLACK, f"{OPERATIONS[at]} of {kind}"


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
SECOND_FORTY = [
    "map(xs, x => n * 1)",
    "map(xs, x => -n + +n)",
    "sum(map(xs, x => n))",
    "max(map(xs, x => n))",
    "sort(map(xs, x => n))",
    "sort(xs, (a, b) => n)",
    "map(xs, x => clamp(x, n, n))",
    "map(xs, x => x + 0.5 in range(1e7))",
    "count(xs, x => contains(range(1e7), x + 0.5))",
    "map(xs, x => b == c)",
    "map(xs, x => d + x)",
    "map(xs, x => d == e)",
    "map(xs, x => round(s, 2))",
    "map(xs, x => json_encode(d))",
    "{[shared]: 1}",
    "set({}, [shared], 1)",
    "delete({a: 1}, [shared])",
    "from_entries([[shared, 1]])",
    "duration(shared)",
    "map(xs, x => day == '2024-01-01T00:00:00Z')",
    "day in map(xs, x => '2024-01-0x')",
    "add_time(0, 1, range(1e7))",
    "diff(0, 0, range(1e7))",
    "start_of(0, range(1e7))",
    "get_part(0, t)",
    "format_date(0, range(1e7))",
    "regex_match('', replace(t, 'ß', 'a?'))",
    "map(xs, x => regex_match('', p + x))",
    "regex_match('a', 'a', t)",
    "regex_replace(t, 'ß', replace(t, 'ß', '$&'))",
    "csv_encode(map(xs, x => ({['k' + x]: x})))",
    "csv_encode(map(xs, x => ({a: t})))",
    "csv_encode([{x: 1}], {header: map(xs, x => 'k' + x)})",
    "csv_decode(rows, {header: map(xs, x => 'c' + x), ragged: 'fit'})",
    "csv_decode(join(xs), {types: 'x: number'})",
    "csv_decode(join(xs), {duplicates: 'number', header: 'none'})",
    "csv_decode('a', {types: join(map(xs, x => x + ':number'))})",
    "csv_decode('a', {header: xs})",
    "csv_decode('a', {[t]: 1})",
    "json_decode(deep)",
    "map(xs, x => percent(x, 7, 300))",
    "map(xs, x => merge({a: 1}, o))",
    "map(xs, x => ({a: 1, ...o}))",
    "reduce(xs, (a, x) => replace(a, 'x', 'xx'), 'x')",
    "reduce(xs, (a, x) => join(split(a, ''), 'ab'), 'abc')",
    "reduce(xs, (a, x) => a * a, 3)",
]


THIRD_FORTY = [
    "map(xs, x => regex_match(repeat('x', 200), repeat('(x?)', 300)))",
    "regex_match(repeat('x', 2000), repeat('(x?)', 900))",
    "regex_match(repeat('x', 20000), repeat('(x|xx)', 300) + '$')",
    "regex_match('x', repeat('()', 1400))",
    "regex_replace(repeat('xy', 20000), repeat('(x|xx)?', 100), '$1')",
    "regex_replace(repeat('x', 1e5), repeat('(x*)', 50), '$1$2')",
    "match_all(repeat('x', 1e5), repeat('(x|xx)', 900) + '$')",
    "test(repeat('x', 2e5), repeat('(x|xx)', 900) + '$')",
    "regex_match(t, '(.)(.)(.)(.)(.)(.)(.)(.)(.*)$')",
    "map(xs, x => match('x', repeat('\\\\pL', 30) + x))",
    "json_encode(repeat('\\u0001', 6e7))",
    "json_encode(map(xs, x => repeat('\\u0001', 1e4)))",
    "pretty({a: repeat('\"', 6e7)})",
    "map(map(xs, x => y => x + y), f => 1)",
    "map(xs, x => y => z => x).length",
    "sort(map(xs, x => f => x), (a, b) => 1)",
    "reduce(range(64), (a, x) => a + a, 'x')",
    "reduce(range(64), (a, x) => [...a, ...a], [1])",
    "to_string(reduce(range(199), (a, x) => ({a, b: a}), 1))",
    "reduce(range(60), (a, x) => [a, a], 1) in [reduce(range(60), (a, x) => [a, a], 2)]",
    "flatten(reduce(range(60), (a, x) => [a, a], 1), 100)",
    "hash(reduce(range(60), (a, x) => [a, a], 1))",
    "zip(range(1e7), range(1e7))",
    "chunk(range(1e7), 1)",
    "group_by(range(1e7), x => x % 2)",
    "from_entries(map(range(3e6), x => ['k' + x, x]))",
    "split(repeat('a', 6e7), '')",
    "join(map(range(1e7), x => 'ab'), ',')",
    "replace(repeat('a', 6e7), 'a', 'ß')",
    "url_encode(repeat('ß', 6e7))",
    "upper(repeat('ß', 6e7))",
    "base64_encode(repeat('ß', 6e7))",
    "map(range(1e7), x => ({a: x}))",
    "map(range(1e7), x => 'k' + x)",
    "map(xs, x => pow(3, 2500) / (x + 1))",
    "map(xs, x => repeat('9', 1200) < repeat('8', 1200))",
    "map(xs, x => to_number(repeat('9', 1200)))",
    "map(xs, x => get({a: {b: {c: x}}}, repeat('a.', 1000)))",
    "set({}, repeat('a.', 1e6), 1)",
    "csv_decode('a' + repeat(',a', 1e6))",
    "date(repeat('y', 1e7))",
    "duration(repeat('1h', 1e6))",
    "map(range(20), x => join(range(1e6)))",
    "unique(map(range(1e6), x => x * 2305843009213693951))",
]


EXPRESSIONS = [*FORTY, *SECOND_FORTY, *THIRD_FORTY]


@pytest.mark.parametrize("text", EXPRESSIONS, ids=range(len(EXPRESSIONS)))
def test_no_expression_holds_the_thread_longer_than_its_bound(text: str) -> None:
    values = {
        "xs": list(range(100_000)),
        "o": {f"k{at}": at for at in range(50_000)},
        "t": "ß" * 500_000,
        "j": "[" + "[]," * 30_000 + "1]",
        "big": (1 << 2000) - 1,
        "n": " " * 3_000_000 + "1",
        "b": b"x" * 3_000_000,
        "c": bytes(bytearray(b"x" * 3_000_000)),
        "d": Decimal("0." + "1" * 1_000_000),
        "e": Decimal("0." + "1" * 1_000_000),
        "s": Decimal("1e-999999"),
        "p": r"\p{L}" * 1_000,
        "shared": _shared(60),
        "day": date(2024, 1, 1),
        "rows": "x\n" * 30_000,
        "deep": HOSTILE["JSON deep and long"](),
    }
    assert hold(text, values) < SECONDS + SLACK
