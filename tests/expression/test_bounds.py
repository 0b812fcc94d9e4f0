"""Owns the bounds: nothing that an expression does can hang or exhaust, and real work goes through."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from flowscript_trio.expression import ExpressionSyntaxError, encode_json, equals, parse_template
from flowscript_trio.types.errors import EvaluationError, LimitExceeded

from expressing import PlainScope, evaluate, read, text_of

pytestmark = pytest.mark.slow


def nest(depth: int) -> Any:
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


def share(depth: int) -> Any:
    """A list of few objects that has 2 ** depth items when it is walked."""
    value: Any = [1]
    for _ in range(depth):
        value = [value, value]
    return value


HUGE: list[tuple[str, str]] = [
    ("repeat('x', 1e9)", "text is longer"),
    ("repeat(repeat('x', 1e6), 1e6)", "text is longer"),
    ("pad_start('', 1e9)", "text is longer"),
    ("pad_end('x', 1e12, 'ab')", "text is longer"),
    ("range(0, 1e9)", "more than 10,000,000 items"),
    ("range(0, -1e9, -1)", "more than 10,000,000"),
    ("[...range(1e7), ...range(1e7)]", "more than 10,000,000 items"),
    ("concat(range(1e7), [1])", "more than 10,000,000 items"),
    ("flatten([range(1e7), range(1e7)])", "more than 10,000,000 items"),
    ("pow(2, 1e9)", "too large"),
    ("pow(2, 1000000000)", "4,096 bits"),
    ("pow(10, pow(10, 100))", "4,096 bits"),
    ("pow(pow(2, 4000), 2)", "4,096 bits"),
    ("pow(9, pow(9, pow(9, 9)))", ""),
    ("reduce(range(100), a => a * a, 3)", "4,096 bits"),
    ("reduce(range(100), a => a + a, 'x')", "text is longer"),
    ("reduce(range(100), a => a.replace('x', 'xx'), 'x')", "takes more than"),
    ("reduce(range(100), a => [a, a].join(''), 'x')", "text is longer"),
    ("reduce(range(100), a => concat(a, a), 'x')", "text is longer"),
    ("reduce(range(100), a => concat(a, a), [1])", "more than 10,000,000 items"),
    ("reduce(range(100), a => [...a, ...a], [1])", "more than 10,000,000 items"),
    ("reduce(range(100), a => json_encode(a), '\"')", "text is longer"),
    ("reduce(range(100), a => regex_replace(a, 'x', 'xx'), 'x')", "operations"),
    ("regex_replace(repeat('x', 1e4), 'x*', repeat('$&', 1e4))", "longer"),
    ("replace(repeat('x', 1e6), 'x', repeat('y', 1e6))", "text is longer"),
    ("join(map(range(100), x => repeat('y', 1e6)), '')", "text is longer"),
    ("join(range(1e6), repeat('y', 1e6))", "text is longer"),
    ("split(repeat('x', 2e7), '')", "more than 10,000,000 items"),
    ("split(repeat('x', 2e7), 'x')", "more than 10,000,000 items"),
    ("json_encode(map(range(100), x => repeat('y', 1e6)))", "text is longer"),
    ("concat(map(range(100), x => repeat('y', 1e6)))", "text is longer"),
    ("map(range(1e4), x => map(range(1e3), y => y))", "operations"),
    ("map(range(1e4), x => -1 in big)", "operations"),
    ("map(range(1e4), x => big == other)", "operations"),
    ("map(range(1e5), x => [...big])", "operations"),
    ("map(range(1e6), x => upper(long))", "operations"),
    ("map(range(1e6), x => long + 'y')", "operations"),
    ("map(range(1e6), x => slice(big, 1))", "operations"),
    ("map(range(1e5), x => regex_match(long, '(a|b)*c'))", "operations"),
    ("zip(...map(range(1e4), x => range(1e6)))", "operations"),
    ("reduce(range(1e7), (a, i) => set(a, i, i), [])", "operations"),
    ("reduce(range(1e7), (a, i) => ({...a, [i]: i}), {})", "operations"),
    ("equals(shared, shared2)", "operations"),
    ("json_encode(shared)", ""),
    ("shared + ''", ""),
    ("unique([shared])", "operations"),
    ("clone(shared)", "operations"),
    ("map([x => map([x], x)], f => map([f], f))", "deeper than 50"),
    ("json_encode(deep)", "nests deeper than 200"),
    ("equals(deep, deep2)", "nests deeper than 200"),
    ("deep == deep2", "nests deeper than 200"),
    ("clone(deep)", "nests deeper than 200"),
    ("unique([deep])", "nests deeper than 200"),
    ("deep + ''", "nests deeper than 200"),
    ("group_by([deep])", "nests deeper than 200"),
    ("flatten(deep, 1e9)", "none"),
    ("set(null, repeat('a.', 1000), 1)", "nests deeper than 200"),
    ("json_decode(repeat('[', 100000))", "nests too deep"),
    (r"csv_decode('a\n' + repeat('1\n', 30000000))", "takes more than"),
    ("csv_encode(map(range(1000000), x => ({n: repeat('x', 1000)})))", "takes more than"),
    ("json_decode(repeat('[', 100000) + repeat(']', 100000))", "nests too deep"),
    ("json_decode(repeat('9', 5000))", "too many digits"),
    ("to_number(repeat('9', 5000))", "none"),
    ("repeat('9', 5000) * 1", "none"),
    ("format_date(now(), repeat('y ', 1e6))", "longer than 200"),
    ("looped + ''", "nests deeper than 200"),
    ("huge + ''", "too many digits"),
    ("json_encode(huge)", "too many digits"),
    ("regex_match('a', repeat('(', 1000) + repeat(')', 1000))", "none"),
    ("regex_match('a', 'a{1000}{1000}')", "is not a regular expression"),
    ("regex_match(repeat('a', 1e5) + 'b', '(a+)+$')", "none"),
    ("get({}, repeat('a.', 1e5))", "none"),
]


@pytest.mark.parametrize(("text", "message"), HUGE, ids=[text for text, _ in HUGE])
def test_growth_meets_a_bound(text: str, message: str) -> None:
    looped: list[Any] = []
    looped.append(looped)
    scope = PlainScope(
        {
            "big": list(range(100_000)),
            "other": list(range(100_000)),
            "long": "a" * 100_000,
            "deep": nest(100_000),
            "deep2": nest(100_000),
            "shared": share(100),
            "shared2": share(100),
            "looped": looped,
            "huge": 10**5000,
        },
        # On a busy machine the bound of time might be met before that of operations.
        **({"operations": 200_000, "seconds": 60} if message in ("operations", "") else {}),  # type: ignore[arg-type]
    )
    if message == "none":
        evaluate(text, scope)
        return
    with pytest.raises(EvaluationError) as caught:
        evaluate(text, scope)
    assert message in str(caught.value)
    assert caught.value.location is not None


NESTED: list[tuple[str, Callable[[int], str]]] = [
    ("parentheses", lambda n: "(" * n + "1" + ")" * n),
    ("open parentheses", lambda n: "(" * n),
    ("lists", lambda n: "[" * n + "]" * n),
    ("objects", lambda n: "{a:" * n + "1" + "}" * n),
    ("not", lambda n: "!" * n + "1"),
    ("minus", lambda n: "- " * n + "1"),
    ("typeof", lambda n: "typeof " * n + "1"),
    ("items", lambda n: "a[" * n + "1" + "]" * n),
    ("calls", lambda n: "abs(" * n + "1" + ")" * n),
    ("members", lambda n: "a" + ".b" * n),
    ("item chain", lambda n: "a" + "[0]" * n),
    ("arrows", lambda n: "x => " * n + "1"),
    ("arrows in parentheses", lambda n: "(x) => (" * n + "1" + ")" * n),
    ("methods", lambda n: "a" + ".trim()" * n),
    ("spread", lambda n: "[..." * n + "]" * n),
    ("questions in parentheses", lambda n: "(1 ? " * n + "1" + " : 0)" * n),
    ("questions", lambda n: "1 ? " * n + "1" + " : 0" * n),
    ("mixed", lambda n: "[-(!{a: " * n + "1" + "})]" * n),
    ("computed keys", lambda n: "{[" * n + "1" + "]: 1}" * n),
    ("signs in parentheses", lambda n: ("-" * 40 + "(") * (n // 20) + "1" + ")" * n),
    ("optional", lambda n: "a" + "?.b" * n),
]


@pytest.mark.parametrize(("name", "make"), NESTED, ids=[name for name, _ in NESTED])
@pytest.mark.parametrize("depth", [300, 100_000])
def test_source_that_nests_deep_is_refused(
    name: str, make: Callable[[int], str], depth: int
) -> None:
    with pytest.raises(
        ExpressionSyntaxError, match=r"nests deeper than 50|members in a row"
    ) as caught:
        read(make(depth))
    assert 0 < caught.value.offset < 5000


FLAT: list[tuple[str, Callable[[int], str], Any]] = [
    ("sums", lambda n: " + ".join(["1"] * n), 20_000),
    ("alternatives", lambda n: " || ".join(["0"] * n), 0),
    ("else", lambda n: "0 ? 1 : " * n + "2", 2),
    ("a list", lambda n: f"length([{','.join(['1'] * n)}])", 20_000),
    ("an object", lambda n: f"length({{{','.join(f'k{i}: 1' for i in range(n))}}})", 20_000),
    ("comparisons", lambda n: " == ".join(["1"] * n), False),
    ("a text", lambda n: f"length('{'x' * n}')", 20_000),
    ("arguments", lambda n: f"max({','.join(['1'] * n)})", 1),
    ("hyphens", lambda n: "a" + "-a" * n, -19_999),
    ("words", lambda n: "not_a and " * n + "1", None),
]


@pytest.mark.parametrize(("name", "make", "expected"), FLAT, ids=[row[0] for row in FLAT])
def test_source_that_is_long_but_flat_is_read_in_linear_time(
    name: str, make: Callable[[int], str], expected: Any
) -> None:
    assert evaluate(make(20_000), PlainScope({"a": 1, "long-name": 1})) == expected


def test_the_deepest_source_that_is_read_can_be_evaluated() -> None:
    for make in (NESTED[0][1], NESTED[8][1], NESTED[2][1], NESTED[17][1]):
        deepest = next(n for n in range(60, 0, -1) if _reads(make(n)))
        assert deepest >= 9
        evaluate(make(deepest))
    assert evaluate("map([1], x => " * 24 + "x" + ")" * 24) is not None


def _reads(text: str) -> bool:
    try:
        read(text)
    except ExpressionSyntaxError:
        return False
    return True


def test_bounds_are_those_of_the_run_and_of_each_evaluation() -> None:
    with pytest.raises(LimitExceeded, match="more than 3 items"):
        evaluate("[...xs, 4]", PlainScope({"xs": [1, 2, 3]}, items=3))
    with pytest.raises(LimitExceeded, match="longer than 3 characters"):
        evaluate("'ab' + 'cd'", PlainScope(text=3))
    with pytest.raises(LimitExceeded, match="larger than 8 bits"):
        evaluate("255 + 1", PlainScope(bits=8))
    scope = PlainScope({"xs": list(range(10))}, operations=40)
    compiled = read("xs.map(x => x)").compile(lambda _: False)
    for _ in range(5):
        compiled(scope)
    with pytest.raises(LimitExceeded, match="more than 40 operations"):
        evaluate("xs.map(x => xs.map(y => y))", scope)


def test_outside_of_an_evaluation_there_are_bounds_too() -> None:
    for act in (lambda: encode_json(nest(1000)), lambda: equals(nest(1000), nest(1000))):
        with pytest.raises(LimitExceeded, match="nests deeper"):
            act()


def test_real_work_goes_through() -> None:
    assert evaluate("length(filter(range(1e5), x => x % 2 == 0))") == 50_000
    assert evaluate("length(repeat('x', 6e7))") == 60_000_000
    assert evaluate("length(range(1e7))") == 10_000_000
    assert evaluate("sum(range(1e7))") == 49_999_995_000_000


def test_an_interpolation_that_never_ends_is_found_in_linear_time() -> None:
    for text in (
        "{{ " + "a" * 200_000,
        "{{" * 100_000,
        "{{ '" + "\\'" * 100_000,
        "{{ (" * 10_000 + "}}",
    ):
        with pytest.raises(ExpressionSyntaxError):
            parse_template(text_of(text))
