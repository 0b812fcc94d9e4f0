"""Owns tests that whatever an operation looks at is paid for, or is not looked at."""

from __future__ import annotations

import contextlib
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import re2

from flowscript_trio.types.durations import parse_duration
from flowscript_trio.types.errors import EvaluationError, LimitExceeded, nearest

from expressing import PlainScope, evaluate, read


class Unwritable(list[Any]):
    """A list that nobody writes out: one that holds itself sixty times over would take for ever."""

    def __repr__(self) -> str:
        raise AssertionError("the list was written out")

    __str__ = __repr__


def charged(text: str, **values: Any) -> int:
    """The operations of an evaluation that may end with an error."""
    scope = PlainScope(values, operations=10**12, seconds=1000.0)
    with contextlib.suppress(EvaluationError):
        read(text).compile(lambda _: False)(scope)
    return scope.services.spent


# ---- what is never written out ----


@pytest.mark.parametrize(
    "text",
    [
        "{[v]: 1}",
        "{a: 1, [v]: 1}",
        "set({}, [v], 1)",
        "delete({a: 1}, [v])",
        "from_entries([[v, 1]])",
    ],
)
@pytest.mark.parametrize(
    ("value", "kind"),
    [(Unwritable(), "an array"), ({}, "an object"), (b"\xff", "an object")],
    ids=["list", "object", "bytes"],
)
def test_what_has_no_short_text_is_no_key(text: str, value: Any, kind: str) -> None:
    with pytest.raises(EvaluationError, match=f"{kind} cannot be the key"):
        evaluate(text, v=value)


def test_an_arrow_function_is_no_key() -> None:
    with pytest.raises(EvaluationError, match="a function cannot be the key"):
        evaluate("map([x => x], f => ({[f]: 1}))")


def test_a_value_without_a_key_is_no_case_of_a_switch() -> None:
    for value in (Unwritable(), {}, b"a"):
        assert evaluate("switch(v, {a: 1}, 2)", v=value) == 2


def test_what_is_no_duration_is_described_and_not_written_out() -> None:
    with pytest.raises(EvaluationError, match="an array is not a duration"):
        evaluate("duration(v)", v=Unwritable())
    with pytest.raises(ValueError, match="a Unwritable is not a duration"):
        parse_duration(Unwritable())
    with pytest.raises(ValueError, match="5 is not a duration"):
        parse_duration(5)


# ---- what is found at once ----


@pytest.mark.parametrize(
    ("number", "found"),
    [(0.5, False), (3.0, True), (float("nan"), False), (float("inf"), False), (10, False)],
)
def test_a_number_is_looked_for_in_a_range_without_going_over_it(number: Any, found: bool) -> None:
    # of 10**17 numbers nobody looks at each
    assert evaluate("n in v", n=number, v=range(10**17 if number != 10 else 10)) is found
    assert evaluate("contains(v, n)", n=number, v=range(10)) is found


# ---- what reads a whole value is charged for all of it ----

LONG = 160_000
SPACED = " " * LONG + "1"
"""A number, of which all must be looked at."""
DIGITS = Decimal("0." + "1" * LONG)
BYTES = b"x" * LONG


@pytest.mark.parametrize(
    "text",
    [
        "v * 1", "1 + -v", "+v", "v % 2", "v < 1", "1 >= v", "add(v, 1)", "round(v)", "abs(v)", "sum([v])",
        "avg(1, v)", "min([v])", "sort([v, v])", "sort([1, 2], (a, b) => v)", "clamp(1, 0, v)", "pow(v, 2)",
        "percent(v, 1)", "range([v][0])", "at([1], [v][0])", "to_number([v][0])", "from_timestamp(v)",
        "add_time(0, v, 'days')", "map([1], x => v * 1)", "-v",
    ],
)  # fmt: skip
@pytest.mark.parametrize("value", [SPACED, DIGITS], ids=["text", "decimal"])
def test_what_is_read_as_a_number_is_charged_for_its_length(text: str, value: Any) -> None:
    if isinstance(value, Decimal):
        assert charged(text, v=value) >= value.__sizeof__() >> 4
    else:
        assert charged(text, v=value) >= LONG >> 4


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a == b", {"a": BYTES, "b": bytes(bytearray(BYTES))}),
        ("a in [1, b]", {"a": BYTES, "b": bytes(bytearray(BYTES))}),
        ("unique([a])", {"a": BYTES}),
        ("a == b", {"a": DIGITS, "b": DIGITS + 0}),
        ("unique([a])", {"a": DIGITS}),
        ("'' + a", {"a": DIGITS}),
        ("json_encode(a)", {"a": DIGITS}),
    ],
)
def test_what_looks_at_bytes_or_digits_is_charged_for_them(
    text: str, values: dict[str, Any]
) -> None:
    assert charged(text, **values) >= DIGITS.__sizeof__() >> 4


def test_seeing_whether_texts_are_moments_is_charged() -> None:
    days = ["2024-01-0x"] * 100
    assert charged("v in d", v=date(2024, 1, 1), d=days) >= 100 * 16
    assert charged("unique(d)", d=days) >= 100 * 16


def test_a_limit_that_a_sign_meets_is_told_as_one() -> None:
    with pytest.raises(LimitExceeded, match="decimal of more than 1,240 digits"):
        evaluate("-v", v=Decimal("1e999999"))


# ---- what is one of few words is not made of anything else ----


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("add_time(0, 1, v)", "an array is not a unit of time"),
        ("diff(0, 0, v)", "an array is not a unit of time"),
        ("start_of(0, v)", "an array is not a unit of time"),
        ("get_part(0, v)", "an array does not name a part of a time"),
        ("start_of(0, 'day', v)", "an array is not the name of a time zone"),
        ("format_date(0, v)", "the date format is an array; expected text"),
        ("parse_date('1', v)", "the date format is an array; expected text"),
    ],
)
def test_a_list_is_no_word(text: str, message: str) -> None:
    with pytest.raises(EvaluationError, match=message):
        evaluate(text, v=Unwritable())
    with pytest.raises(EvaluationError):  # nor is a long text, of which nothing is looked at
        evaluate(text, v=Untouched("x" * 1000))


class Untouched(str):
    """A text that nobody looks at."""

    def strip(self, *_: Any) -> str:
        raise AssertionError("the text was looked at")

    lower = upper = strip


def test_a_long_text_is_no_time() -> None:
    with pytest.raises(EvaluationError, match="text of 1,000 characters is not a time"):
        evaluate("timestamp(v)", v=Untouched("x" * 1000))


def test_a_decimal_of_many_digits_is_no_time() -> None:
    with pytest.raises(EvaluationError, match="a number is not a time"):
        evaluate("timestamp(v)", v=DIGITS)


def test_the_clock_is_looked_at_while_long_values_are_compared() -> None:
    looks: list[int] = []
    for text in ("v == [...v]", "o == {...o}"):
        scope = PlainScope({"v": list(range(50_000)), "o": dict.fromkeys(range(50_000))})
        scope.services.look = lambda: looks.append(1)
        assert evaluate(text, scope) is True
        assert len(looks) >= 4
        looks.clear()


# ---- numbers that are larger than any float, and smaller ----


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("ceil(v)", 2**2000, 2**2000),
        ("floor(v)", 2**2000, 2**2000),
        ("trunc(v)", -(2**2000), -(2**2000)),
        ("round(v)", 2**2000, 2**2000),
        ("round(v, -1)", 10**400 + 5, 10**400 + 10),
        ("is_finite(v)", 2**2000, True),
        ("is_integer(v)", 2**2000, True),
        ("sqrt(v)", 10**400 + 1, 1e200),
        ("is_integer(v)", Decimal("1e30"), True),
        ("is_integer(v)", Decimal("1e999999"), True),
        ("is_integer(v)", Decimal("1e-999999"), False),
        ("is_finite(v)", Decimal("1e999999"), True),
        ("round(v)", Decimal("1e-999999"), 0),
        ("round(v, 2)", Decimal("1.005"), Decimal("1.01")),
        ("round(v, 2)", Decimal("-1.005"), Decimal("-1.00")),
        ("round(v, 2)", Decimal("-0.001"), Decimal("0")),
        ("round(v, -2)", Decimal("1250.5"), 1300),
        ("round(v, 30)", Decimal("0." + "1" * 40), Decimal("0." + "1" * 30)),
        ("repeat('', v)", 10**300, ""),
    ],
)
def test_numbers_far_from_floats_are_numbers(text: str, value: Any, expected: Any) -> None:
    found = evaluate(text, v=value)
    assert found == expected
    assert type(found) is type(expected)


def test_the_root_of_a_number_may_be_larger_than_any_float() -> None:
    with pytest.raises(EvaluationError, match="the result is too large"):
        evaluate("sqrt(v)", v=2**4090 + 1)


def test_a_text_whose_escapes_are_too_many_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("it was written")

    scope = PlainScope({"v": "\x01" * 200, "w": 'a"\n\\' * 60}, text=1_000)
    assert evaluate("json_encode(v.slice(0, 160)).length", scope) == 962
    assert evaluate("json_encode(w).length", scope) == 422
    monkeypatch.setattr("json.dumps", refuse)
    with pytest.raises(LimitExceeded, match="longer than 1,000 characters"):
        evaluate("json_encode(v)", scope)


# ---- regular expressions and csv ----


def test_a_long_regular_expression_is_refused_before_it_is_made() -> None:
    with pytest.raises(EvaluationError, match="regular expression is longer than 10,000"):
        evaluate("regex_match('', v)", v="a?" * 5_001)
    assert evaluate("length(regex_match('', v))", v="a?" * 5_000) == 1


def test_making_a_regular_expression_must_fit_the_time_left() -> None:
    scope = PlainScope({"v": r"\p{L}" * 1_000}, seconds=0.01)
    with pytest.raises(LimitExceeded, match="processor time"):
        evaluate("regex_match('', v)", scope)


def test_flags_are_few() -> None:
    with pytest.raises(EvaluationError, match="has flags that do not exist"):
        evaluate("regex_match('', 'a', v)", v="g" * 100)


def test_the_replacement_of_a_pattern_is_charged_as_it_is_read() -> None:
    assert charged("regex_replace('a', 'b', v)", v="$" * LONG) >= 4 * LONG


def test_a_regular_expression_of_many_groups_is_refused_where_they_are_asked_for() -> None:
    groups = "()" * 5_000
    for text in ("regex_match('x', v)", "regex_replace('x', v, '$1')"):
        with pytest.raises(
            LimitExceeded, match="has 5,000 groups, which is too many for one of its size"
        ):
            evaluate(text, v=groups)
    assert evaluate("[test('x', v), match('x', v), regex_match('x', v, 'g')]", v=groups) == [
        True,
        "",
        ["", ""],
    ]
    assert evaluate("regex_replace('x', v, '-$&')", v=groups) == "-x-"


def test_finding_the_groups_of_a_match_is_charged_for_each_of_them() -> None:
    """It took 19 s of processor time for 2,000 characters and 2,400 groups, and was charged as if it had none."""
    few = charged("regex_match(t, v)", v="(x?)" * 10 + "(?:x?)" * 300, t="x" * 310)
    many = charged("regex_match(t, v)", v="(x?)" * 310, t="x" * 310)
    assert many - few > 326 * (310 - 10) * 310 * 4 >> 5
    spared = charged("regex_match(t, v)", v="(x?)" * 310 + "y", t="x" * 310)
    assert spared < many / 4  # nothing matches: no group is looked for


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"(\w+)\b", "abc déf ghi"),
        (r"^(a+)$", "aaa"),
        (r"(?m)^(a*)$", "aa\na\n\nb"),
        (r"\b(e+)(é)?", " ee eé xe"),
        (r"(a)|(b)|()", "aéb\u2028a"),
        (r"(x*)", "éxxé"),
        (r"(?P<n>.)(?P<m>.)?", "öäü"),
    ],
)
def test_groups_are_the_same_where_the_match_is_found_without_them_first(
    pattern: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = ["regex_match(t, v)", "regex_match(t, v, 'g')", "regex_replace(t, v, '<$1|$&>')"]

    def found() -> list[object]:
        return [evaluate(each, v=pattern, t=text) for each in texts]

    at_once = found()
    monkeypatch.setattr("flowscript_trio.expression.library.searching.SHORT", 0)
    assert found() == at_once
    matches = list(re2.finditer(pattern, text))
    first, every = [matches[0].group(), *matches[0].groups()], [each.group() for each in matches]
    assert at_once[:2] == [first, every]


def test_each_field_of_csv_is_charged_before_it_is_written() -> None:
    rows = [{f"k{at}": at} for at in range(300)]
    assert charged("csv_encode(v)", v=rows) >= 300 * 300
    assert charged("csv_encode([{a: v}])", v="x" * LONG) >= LONG
    assert charged("csv_encode(v)", v=[dict.fromkeys(map(str, range(LONG)))]) >= 3 * LONG


def test_a_text_of_csv_meets_its_bound_while_it_is_written() -> None:
    class Fields(dict[str, str]):
        asked = 0

        def items(self) -> Any:
            Fields.asked += 1
            return super().items()

    scope = PlainScope({"v": [Fields(a="x" * 4_000) for _ in range(100)]}, text=10_000)
    with pytest.raises(LimitExceeded, match="text is longer than 10,000"):
        evaluate("csv_encode(v)", scope)
    assert Fields.asked < 5


def test_each_field_of_csv_is_charged_before_it_is_read() -> None:
    header = [f"k{at}" for at in range(300)]
    fit = "csv_decode(v, {header: h, ragged: 'fit'})"
    assert charged(fit, v="x\n" * 300, h=header) >= 300 * 300
    assert charged("csv_decode(v)", v=",".join(header) + "\n") >= 8 * 300
    assert charged("csv_decode('', {header: h})", h=header) >= 8 * 300
    assert (
        charged("csv_decode('', {types: v})", v=",".join(f"{one}: number" for one in header))
        > 300 * 16
    )


def test_a_record_of_csv_that_does_not_end_must_fit_the_time_left() -> None:
    scope = PlainScope({"v": "x" * 3_000_000}, seconds=0.2)
    with pytest.raises(LimitExceeded, match="processor time"):
        evaluate("csv_decode(v)", scope)
    assert scope.services.spent < 2_000_000  # long before the end


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("csv_decode('a', {[v]: 1})", "an option is text of 1,000 characters"),
        ("csv_decode('a', {types: {a: 5}})", "the type of a column is text"),
        ("csv_decode('a', {types: [1]})", "types is an array; expected an object, or text"),
        ("csv_decode('a', {types: v})", "text of 1,000 characters is not a column and its type"),
    ],
)
def test_options_of_csv_that_are_none_are_described(text: str, message: str) -> None:
    with pytest.raises(EvaluationError, match=message):
        evaluate(text, v="x" * 1000)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "csv_decode('n\\n' + v, {types: {n: 'number'}})",
            "is text of 6 characters; expected number",
        ),
        ("csv_decode('n\\n1', {types: {n: v}})", "the type text of 6 characters; expected one of"),
        ("csv_decode('n\\n1', {types: v})", "text of 6 characters is not a column and its type"),
    ],
)
def test_what_csv_cannot_use_is_described_and_not_shown(text: str, message: str) -> None:
    with pytest.raises(EvaluationError, match=message) as caught:
        evaluate(text, v="s3cr3t")
    assert "s3cr3t" not in str(caught.value)


def test_no_name_is_looked_for_that_is_like_a_long_text() -> None:
    assert nearest("x" * 201, ["x" * 200]) is None
    assert nearest("x" * 199, ["x" * 200]) == "x" * 200


# ---- what is more than a copy ----


def test_keys_that_are_put_beside_others_are_charged_more_than_a_copy() -> None:
    keys = {f"k{at}": at for at in range(1_000)}
    assert charged("merge({a: 1}, v)", v=keys) >= 2 * 1_000
    assert charged("{a: 1, ...v}", v=keys) >= 2 * 1_000
    assert charged("{...v}", v=keys) < 1_000


def test_rounding_to_many_digits_is_charged_for_them() -> None:
    assert charged("round(v, 300)", v=0.1) >= 4 * 300
    assert charged("percent(v, 7, 300)", v=0.1) >= 4 * 300
