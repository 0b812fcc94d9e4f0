"""Owns what can be written: literals, words, members, arrows, spread, names with hyphens, and what is named."""

from __future__ import annotations

from typing import Any

import pytest

from flowscript_trio.expression import ExpressionSyntaxError, Reference, call, is_function

from expressing import Node, PlainScope, evaluate, read

SEEN: dict[str, Any] = {
    "a": 1,
    "b": 2,
    "xs": [1, 2, 3],
    "user": {"name": "Ada", "in": 3, "not": 4, "a b": 5},
    "nothing": None,
    "word": "abc",
    "$context": {"x": 1, "my-var": 2},
    "my-var": 9,
    "var": 4,
    "my": 7,
    "i": 1,
    "key": "name",
    "numbered": {1: "one", "2": "two"},
    "$input": {"user-id": 8, "user": 3},
    "id": 1,
}

VALUES: list[tuple[str, Any]] = [
    # literals
    ("1", 1),
    ("0x1F", 31),
    ("1.5e3", 1500.0),
    (".5", 0.5),
    ("'a'", "a"),
    ('"a"', "a"),
    ("true", True),
    ("false", False),
    ("null", None),
    ("undefined", None),
    ("''", ""),
    (r"'it\'s'", "it's"),
    (r"'\u00e9\x41\u{1F600}\n\t\\'", "éA😀\n\t\\"),
    (r"'\uD83D\uDE00'", "😀"),
    ("'two\nlines'", "two\nlines"),
    ("[]", []),
    ("[1, 'a', [null],]", [1, "a", [None]]),
    ("{}", {}),
    ("{a: 1, 'b c': 2, 3: 4,}", {"a": 1, "b c": 2, "3": 4}),
    ("{a, b}", {"a": 1, "b": 2}),
    ("{[key]: 1, ['x' + 1]: 2}", {"name": 1, "x1": 2}),
    ("{in: 1, true: 2, not: 3}", {"in": 1, "true": 2, "not": 3}),
    ("({a: 1})", {"a": 1}),
    # braces around an expression
    ("{{ a + 1 }}", 2),
    ("  {{a}}  ", 1),
    ("{{ {a: {b: 1}} }}", {"a": {"b": 1}}),
    ("{{{a: 1}}}", {"a": 1}),
    # spread
    ("[...xs, 4]", [1, 2, 3, 4]),
    ("[...nothing, ...'ab']", ["a", "b"]),
    ("{...user, name: 'B'}.name", "B"),
    ("{...nothing}", {}),
    ("max(...xs, 9)", 9),
    ("concat(...['a'], 'b')", "ab"),
    ("[...range(2)]", [0, 1]),
    # members
    ("user.name", "Ada"),
    ("user['name']", "Ada"),
    ("user?.name", "Ada"),
    ("user?.['name']", "Ada"),
    ("user.in", 3),
    ("user.not", 4),
    ("user[key]", "Ada"),
    ("user.missing", None),
    ("user.missing.deeper[0].still", None),
    ("nothing.x", None),
    ("nothing?.[0]", None),
    ("xs[0]", 1),
    ("xs[1.0]", 2),
    ("xs['1']", 2),
    ("xs[9]", None),
    ("xs[-1]", None),
    ("xs.length", 3),
    ("word.length", 3),
    ("word[0]", "a"),
    ("'²'['²']", None),
    ("word.upper", None),
    ("numbered[1]", "one"),
    ("numbered[2]", "two"),
    ("(1).x", None),
    ("xs.x", None),
    ("a ?.5 : 1", 0.5),
    # operators and their words
    ("1 + 2 * 3 - 4 / 2", 5),
    ("7 % 4", 3),
    ("-a", -1),
    ("!a", False),
    ("!!a", True),
    ("- - a", 1),
    ("+'5'", 5),
    ("a == 1 and b == 2", True),
    ("a eq 2 or b ne 3", True),
    ("not a", False),
    ("not (a gt b)", True),
    ("a lt b", True),
    ("a le 1", True),
    ("b ge 3", False),
    ("a == 1 AND NOT false OR false", True),
    ("1 IN xs", True),
    ("1 in xs", True),
    ("'name' in user", True),
    ("'b' in word", True),
    ("9 in xs", False),
    ("1 in nothing", False),
    ("{a: 1} in [{a: 1}]", True),
    ("'.' in ['.']", True),
    ("1 in numbered", True),
    ("null in word", False),
    ("'1' in [1]", False),
    ("[1] == [1]", True),
    ("{a: [1]} === {a: [1.0]}", True),
    ("1 == '1'", False),
    ("1 != '1'", True),
    ("null == undefined", True),
    ("null == false", False),
    ("true == 1", False),
    ("a ? 'y' : 'n'", "y"),
    ("nothing ?? 'd'", "d"),
    ("0 || 'd'", "d"),
    ("1 && 2", 2),
    ("nothing ? 1 : b ? 2 : 3", 2),
    ("a ? b ? 1 : 2 : 3", 1),
    ("nothing ?? 0 || 5", 5),
    ("1 < 2 == true", True),
    ("typeof xs", "object"),
    ("typeof 'a' == 'string'", True),
    ("'9' < '10'", True),
    ("'b' > 'a'", True),
    ("'abc' < 5", False),
    ("nothing < 1", False),
    ("nothing >= nothing", False),
    ("9007199254740993 * 3", 27021597764222979),
    ("2 * 3 / 3", 2),
    ("7 / 2", 3.5),
    ("100000000000000000000 + 1", 100000000000000000001),
    # arrows, methods, JSON
    ("xs.map(x => x + a)", [2, 3, 4]),
    ("map(xs, (x, i) => x * i)", [0, 2, 6]),
    ("xs.map(() => 0)", [0, 0, 0]),
    ("xs.map(x => ({v: x}))[1].v", 2),
    ("xs.filter(x => x > 1).map(x => x * 2).join('-')", "4-6"),
    ("[[1]].map(x => x.map(y => y + x[0]))", [[2]]),
    ("map([1], a => map([2], b => a + b))", [[3]]),
    ("map([5], a => a)", [5]),
    ("xs.reduce((s, x) => s + x)", 6),
    ("some(xs, x => x == 2)", True),
    ("a ? x => 1 : 2", "function"),
    ("JSON.parse('{\"a\": 1}').a", 1),
    ("JSON.stringify({a: 1})", '{"a":1}'),
    ("JSON.stringify([1], null, 1)", "[\n 1\n]"),
    ("nothing.map(x => x)", []),
    ("xs.slice(1)", [2, 3]),
    ("user.name.toUpperCase()", "ADA"),
    ("'a-b'.split('-').length", 2),
    # hyphens
    ("my-var", 9),
    ("my - var", 3),
    ("my-var-1", 8),
    ("my-id", 6),
    ("{my-var}", {"my-var": 9}),
    ("$context.my-var", 2),
    ("$context.x-id", 0),
    ("$input.user-id", 2),
    ("user.name-my-var", "error"),
    ("a-b", -1),
    ("a-1", 0),
    ("xs.map(x => x-a)", [0, 1, 2]),
]


@pytest.mark.parametrize(("text", "expected"), VALUES, ids=[text for text, _ in VALUES])
def test_an_expression_is_worth(text: str, expected: Any) -> None:
    if expected == "error":
        with pytest.raises(Exception, match=r"user\.name is text of 3 characters"):
            evaluate(text, **SEEN)
        return
    value = evaluate(text, **SEEN)
    if expected == "function":
        assert is_function(value)
    else:
        assert repr(value) == repr(expected)


def test_the_longest_bound_name_wins_and_ends_at_a_word() -> None:
    values = {"a": 10, "a-b": 1, "a-b-c": 2, "b": 3, "x--y": 4, "end-": 5, "c": 1}
    assert evaluate("a-b-c", **values) == 2  # type: ignore[arg-type]
    assert evaluate("a-b-d", PlainScope({**values, "d": 1})) == 0
    assert evaluate("a-bc", PlainScope({**values, "bc": 4})) == 6
    assert evaluate("x--y", **values) == 4  # type: ignore[arg-type]
    assert evaluate("end-", **values) == 5  # type: ignore[arg-type]
    assert evaluate("a-b[0]", PlainScope({"a-b": [7]})) == 7


def test_functions_are_values_that_take_any_number_of_arguments() -> None:
    function = evaluate("(x, y) => [x, y]")
    assert function(1) == [1, None]
    assert function(1, 2, 3) == [1, 2]
    assert call(function, 5) == [5, None]


def test_a_node_is_its_output_and_has_status_and_error_beside_it() -> None:
    class Refused(Exception):
        status = 503

    scope = PlainScope(
        {"plain": 1},
        {
            "fetch": Node({"items": [1], "status": "mine"}),
            "list": Node([1, 2], "success"),
            "broken": Node(None, "failed", Refused("no")),
            "safe-fetch": Node([{"a": 1}]),
        },
    )
    for text, expected in [
        ("fetch.items[0]", 1),
        ("fetch.output.items[0]", 1),
        ("fetch.status", "mine"),
        ("fetch['output'].items", [1]),
        ("fetch?.error", None),
        ("list.status", "success"),
        ("list['status']", "success"),
        ("list.length", 2),
        ("list.map(x => x + 1)", [2, 3]),
        ("list", [1, 2]),
        ("broken.error", {"message": "no", "type": "Refused", "status": 503}),
        ("broken.error.message", "no"),
        ("broken.status", "failed"),
        ("broken", None),
        ("broken.items", None),
        ("safe-fetch[0].a", 1),
        ("[5].map(fetch => fetch)", [5]),
    ]:
        assert evaluate(text, scope) == expected, text
    assert evaluate("absent.output", PlainScope({}, {"other": Node(1)})) is None


def test_references_and_calls_are_told_in_order_with_their_places() -> None:
    parsed = read(
        "safe-fetch.items[0]['k'][i] + upper(user.name) + xs.map(x => x.y + z) + {w, v: $item}.w",
        "safe-fetch",
    )
    assert parsed.references == (
        Reference("safe-fetch", ("items", "0", "k"), 0),
        Reference("i", (), 25),
        Reference("user", ("name",), 36),
        Reference("xs", (), 49),
        Reference("z", (), 67),
        Reference("w", (), 73),
        Reference("$item", (), 79),
    )
    assert parsed.calls == (Reference("upper", (), 30),)
    assert not parsed.constant
    assert read("[1, {a: 'b'}.a, x => x]").constant
    assert not read("now()").constant
    assert read("{{ a }}").references == (Reference("a", (), 3),)


def test_an_unknown_function_is_read_but_not_compiled() -> None:
    parsed = read("1 + uper('a')")
    assert parsed.calls[0].name == "uper"
    with pytest.raises(ExpressionSyntaxError) as caught:
        parsed.compile(lambda _: False)
    assert (caught.value.offset, caught.value.length, caught.value.suggestion) == (4, 4, "upper")


def test_what_needs_not_be_looked_at_is_not() -> None:
    assert evaluate("true || 1 / 0") is True
    assert evaluate("false && 1 / 0") is False
    assert evaluate("1 ?? 1 / 0") == 1
    assert evaluate("true ? 1 : 1 / 0") == 1
    assert evaluate("some([1, 0], x => 1 / x)") is True


def test_an_evaluation_changes_nothing_that_it_is_given() -> None:
    values = {"xs": [3, 1, 2], "o": {"a": {"b": 1}}}
    for text in [
        "sort(xs)",
        "reverse(xs)",
        "set(o, 'a.b', 2)",
        "delete(o, 'a.b')",
        "merge(o, {a: 1})",
        "concat(xs, [4])",
        "{...o, a: 2}",
    ]:
        evaluate(text, **values)  # type: ignore[arg-type]
    assert values == {"xs": [3, 1, 2], "o": {"a": {"b": 1}}}
