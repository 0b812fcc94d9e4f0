"""Owns the tests of what is known of an expression's value before it is evaluated: it holds for every value."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from flowscript_trio.expression import ExpressionSyntaxError, function_names
from flowscript_trio.expression.shaping import Inference, misfits
from flowscript_trio.expression.shaping.inference import DEEPEST
from flowscript_trio.expression.shaping.results import RESULTS
from flowscript_trio.types.errors import EvaluationError
from flowscript_trio.types.shapes import (
    UNKNOWN,
    Missing,
    Shape,
    describe_shape,
    shape_of_value,
    union,
)

from expressing import Node, PlainScope, evaluate, read
from function_cases.cases import Refused
from function_cases.kinds import TYPES
from function_cases.lists import LISTS
from function_cases.numbers import NUMBERS
from function_cases.objects import OBJECTS
from function_cases.tables import CSV
from function_cases.text import TEXT
from function_cases.times import TIMES
from modelling import VARIABLES, trees, write

thorough = settings(
    max_examples=300, deadline=None, suppress_health_check=list(HealthCheck), database=None
)


class Known:
    """Names whose values are known."""

    def __init__(self, values: dict[str, Any], nodes: dict[str, Any]) -> None:
        self.values = {name: shape_of_value(value) for name, value in values.items()}
        self.nodes = {name: shape_of_value(value) for name, value in nodes.items()}

    def shape_of(self, name: str, depth: int) -> Shape:
        return self.nodes.get(name) or self.values.get(name, UNKNOWN)

    def is_node(self, name: str) -> bool:
        return name in self.nodes


def infer(text: str, nodes: dict[str, Any] | None = None, **values: Any) -> tuple[Shape, list[str]]:
    """The shape of an expression over values and nodes, and the members that cannot be there."""
    faults: list[str] = []

    def report(offset: int, name: str, whose: str, missing: Missing) -> None:
        faults.append(f"{offset}: {whose}.{name}")

    return Inference(Known(values, nodes or {}), report).infer(read(text).tree), faults


def words(text: str, **values: Any) -> str:
    shape, faults = infer(text, **values)
    assert faults == []
    return describe_shape(shape)


def test_every_function_says_what_it_gives() -> None:
    assert set(RESULTS) == set(function_names())


CASES = [
    case
    for group in (TYPES, LISTS, NUMBERS, OBJECTS, CSV, TEXT, TIMES)
    for cases in group.values()
    for case in cases.all
]


def test_what_is_inferred_of_the_sample_calls_holds_for_their_values() -> None:
    judged = 0
    for text, expected in CASES:
        if not isinstance(expected, Refused):
            shape, _ = infer(text)
            assert shape.holds(evaluate(text)), f"{text}: {describe_shape(shape)}"
            judged += 1
    assert judged > 400


def test_a_sample_call_that_works_cannot_be_said_to_fail_but_for_an_argument_that_is_left_out() -> (
    None
):
    for text, expected in CASES:
        found = [misfit.message for misfit in misfits(read(text).made)]
        if not isinstance(expected, Refused):
            assert all(" needs " in message and message.endswith("given") for message in found), (
                text
            )


arguments = st.sampled_from(
    [
        "null", "''", "'abc'", "'7'", "'2024-02-29'", "0", "1", "-1", "2.5", "true", "false", "[]", "[1, 2]",
        "['a', null, [1]]", "{}", "{a: {b: 1}}", "{a: 1, length: 2}", "[{a: 1}, {a: 'x', b: 2}]", "x => x",
        "(x, y) => x - y", "x => x.a", "'a'", "'a.b'", "range(3)", "now()", "'day'", "'desc'", "[[1, 'a'], ['b']]",
        "word", "rows", "maybe",
    ]
)  # fmt: skip
GIVEN: dict[str, Any] = {"word": "some", "rows": [{"a": 1, "b": None}, {"a": "x"}], "maybe": None}


@thorough
@given(st.sampled_from(sorted(RESULTS)), st.lists(arguments, max_size=4))
def test_what_is_inferred_of_any_call_holds_for_its_value(name: str, args: list[str]) -> None:
    text = f"{name}({', '.join(args)})"
    try:
        shape, _ = infer(text, **GIVEN)
        value = evaluate(text, **GIVEN)
    except (EvaluationError, ExpressionSyntaxError):
        assume(False)
    assert shape.holds(value), f"{text} is {value!r}; inferred was {describe_shape(shape)}"


@thorough
@given(trees)
def test_what_is_inferred_of_random_expressions_holds_for_their_values(tree: Any) -> None:
    text = write(tree)
    shape, _ = infer(text, **VARIABLES)
    try:
        value = evaluate(text, **VARIABLES)
    except EvaluationError:
        assume(False)
    assert shape.holds(value), f"{text} is {value!r}; inferred was {describe_shape(shape)}"


def test_a_member_that_random_expressions_lack_is_null() -> None:
    rows = [{"a": 1}, {"b": [1, "x"]}]
    for text in ("rows[0].c", "rows[1].b.c", "rows.a", "rows[0].a.b", "'x'.y", "(1).z"):
        _, faults = infer(text, rows=rows)
        assert len(faults) == 1, text
        assert evaluate(text, rows=rows) is None


SHAPES = [
    ("a.b", {"a": {"b": "x"}}, 'enum["x"]'),
    ("{...a, c: 1}", {"a": {"b": 1}}, "{b: number, c: number}"),
    ("{...a, b: 'x'}", {"a": {"b": 1}}, '{b: enum["x"]}'),
    ("{[a]: 1}", {"a": "x"}, "object"),
    ("[...a, 'x']", {"a": [1]}, '(number | enum["x"])[]'),
    ("a.map(x => x.b)", {"a": [{"b": True}]}, "boolean[]"),
    ("map(a, x => ({y: x.b, at: 1}))", {"a": [{"b": True}]}, "{y: boolean, at: number}[]"),
    ("map(a, (x, i) => i)", {"a": [1]}, "number[]"),
    ("map(a, 'b')", {"a": [{"b": True}]}, "boolean[]"),
    ("filter(a, x => x.b)[0].b", {"a": [{"b": True}]}, "boolean?"),
    ("find(a, x => x > 1)", {"a": [1]}, "number?"),
    ("a ?? 'x'", {"a": None}, 'enum["x"]'),
    ("a ? 1 : null", {"a": True}, "number?"),
    ("a + 'x'", {"a": 1}, "string"),
    ("a + 1", {"a": 1}, "number"),
    ("a == 1 && true", {"a": 1}, "boolean"),
    ("a.length", {"a": "x"}, "number?"),
    ("typeof a", {"a": 1}, "string"),
    ("merge(a, {c: 1})", {"a": {"b": 1}}, "{b: number, c: number}"),
    ("a[k]", {"a": {"b": 1, "c": "x"}, "k": "b"}, "number"),
    ("a[k]", {"a": {"b": 1, "c": "x"}, "k": 1}, '(number | enum["x"])?'),
    ("a['b' + k]", {"a": {"bc": 1, "c": "x"}, "k": "c"}, "number"),
    ("a[concat('b', k)]", {"a": {"bc": 1, "c": "x"}, "k": "c"}, "number"),
    ("get(a, 'b')", {"a": {"b": 1}}, "any"),
    ("omit(a, 'b')", {"a": {"b": 1, "c": 2}}, "{c: number}"),
    ("omit(a, ['b', 'c'])", {"a": {"b": 1, "c": 2}}, "{}"),
    ("delete(a, 'b')", {"a": {"b": 1, "c": 2}}, "{c: number}"),
    ("delete(a, 'b.x')", {"a": {"b": {"x": 1}}}, "any"),
    ("pick(a, 'b')", {"a": {"b": 1, "c": 2}}, "{b: number}"),
    ("set(a, 'c', 'x')", {"a": {"b": 1}}, '{b: number, c: enum["x"]}'),
    ("set(a, 'b.c', 1)", {"a": {"b": {}}}, "any"),
    ("first(a).b", {"a": [{"b": 1}]}, "number?"),
    ("json_decode(a).b", {"a": "{}"}, "any"),
    ("a => a.b", {}, "any"),
    ("sort(a, (x, y) => x.n - y.n)[0].n", {"a": [{"n": 1}]}, "number?"),
    ("reduce(a, (acc, x) => acc + x.n, 0)", {"a": [{"n": 1}]}, "(number | string)?"),
]


@pytest.mark.parametrize(("text", "values", "expected"), SHAPES, ids=[case[0] for case in SHAPES])
def test_the_shape_of_an_expression(text: str, values: dict[str, Any], expected: str) -> None:
    assert words(text, **values) == expected


LACKING = [
    ("a.c", ["2: a.c"]),
    ("a?.c", ["3: a.c"]),
    ("a['c']", ["2: a.c"]),
    ("a.l[0].z", ["7: a.l[0].z"]),
    ("a.b.c", ["4: a.b.c"]),
    ("a.l.map(x => x.z)", ["15: x.z"]),
    ("map(a.l, x => x.z)", ["16: x.z"]),
    ("a.c.d.e", ["2: a.c"]),
    ("a.c ?? a.d", ["2: a.c", "9: a.d"]),
    ("true || a.c", ["10: a.c"]),
    ("[1].map(x => a.c)", ["15: a.c"]),
]
PRESENT = [
    "a.b", "a['b']", "a.l[5].n", "a.l.length", "a.length", "a[b]", "b.any.thing", "a.n.any.thing", "a.b.length",
    "a.b[0]", "a.l.map(x => x.n)", "x => x.any", "a.l.map((x, i, all) => all[0].n + i)", "json_decode(b).any",
    "(b ? a : {c: 1}).c", "(b ?? a).c",
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), LACKING, ids=[case[0] for case in LACKING])
def test_a_member_that_cannot_be_there_is_found(text: str, expected: list[str]) -> None:
    _, faults = infer(text, a={"b": "x", "l": [{"n": 1}], "n": None})
    assert faults == expected


@pytest.mark.parametrize("text", PRESENT)
def test_a_member_that_may_be_there_is_none_that_cannot(text: str) -> None:
    _, faults = infer(text, a={"b": "x", "l": [{"n": 1}], "n": None})
    assert faults == []


def test_a_node_has_members_of_its_own_beside_its_output() -> None:
    nodes = {"n": {"a": 1}}
    for text in ("n.output.a", "n.status", "n.error.message", "n.failures[0].item", "n['status']"):
        assert infer(text, nodes)[1] == [], text
    assert infer("n.output.b", nodes)[1] == ["9: n.output.b"]
    assert infer("n.state", nodes)[1] == ["2: n.state"]
    assert evaluate("n.status", PlainScope(nodes={"n": Node({"a": 1})})) == "success"
    assert infer("n.status", nodes)[0].holds("success")


def test_an_expression_that_nests_deeper_than_is_followed_is_unknown_and_not_wrong() -> None:
    text = "[{a: " * 20 + "rows[0].z" + "}]" * 20
    tree = read(text).tree
    names = Known({"rows": [{"a": 1}]}, {})
    faults: list[str] = []
    for depth in range(DEEPEST + 2):
        found: list[str] = []
        Inference(names, lambda *fault: found.append(str(fault)), depth).infer(tree)  # noqa: B023
        faults += [f"{depth}"] * len(found)
    assert faults == [f"{depth}" for depth in range(DEEPEST - 41)]


MISFITS = [
    ("upper(a, 3)", ["upper() takes at most 1 argument; 2 were given"]),
    ("now(1)", ["now() takes no arguments; 1 were given"]),
    ("a.slice(1, 2, 3)", ["slice() takes at most 2 arguments; 3 were given"]),
    ("reduce(a, (x, y) => x, 0, 1)", ["reduce() takes at most 3 arguments; 4 were given"]),
    ("round('abc')", ["round(): the argument is text of 3 characters; expected a number"]),
    ("[upper(1, 2), {a: lower(1, 2)}]", ["upper() takes at most 1 argument; 2 were given",
                                         "lower() takes at most 1 argument; 2 were given"]),
    ("a.map(x => upper(x, 1))", ["upper() takes at most 1 argument; 2 were given"]),
    ("sqrt(-1)", ["sqrt(): a negative number has no square root"]),
    ("repeat('a', -2)", ["repeat(): the count is negative"]),
    ("sum([1, 'x'])", ["sum(): an item is text of 1 character; expected a number"]),
    ("add_time('2024-01-01', {eons: -1})", [
        "add_time(): text of 4 characters is not a unit of time; expected one of millisecond, second, minute, "
        "hour, day, week, month, quarter, year"
    ]),
    ("upper(...a, 1, 2)", ["upper() takes at most 1 argument; 2 were given"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), MISFITS, ids=[case[0] for case in MISFITS])
def test_a_call_that_cannot_succeed_is_found(text: str, expected: list[str]) -> None:
    found = [misfit.message for misfit in misfits(read(text).made)]
    assert sorted(found) == sorted(expected)
    with pytest.raises(EvaluationError):
        evaluate(text, a=["x"])


@pytest.mark.parametrize(
    "text",
    ["upper('x')", "upper(...a)", "max(1, 2, 3, 4, 5)", "round(a)", "repeat('x', 1000000)", "a.slice(1, 2)",
     "sum([1, -2, +3])", "sum([1, a])", "sum([...a])", "sqrt(-a)", "add_time('2024-01-01', {...a, eons: 1})",
     "sort([-true])", "pick({[a]: 1}, 'a')",
     "regex_match('aaaa', '(a+)+b')"],
)  # fmt: skip
def test_a_call_that_may_succeed_is_left_to_the_run(text: str) -> None:
    assert list(misfits(read(text).made)) == []


def test_joining_what_is_unknown_with_anything_is_unknown() -> None:
    assert not union(UNKNOWN, shape_of_value(1)).is_known
