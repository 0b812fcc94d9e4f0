"""Owns templates: where interpolations end, the text of values, and templates that make JSON."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Any
from uuid import UUID

import pytest
import trio
from pydantic import BaseModel

from flowscript_trio.expression import encode_json, parse_template, to_text
from flowscript_trio.expression.encoding import RawJson
from flowscript_trio.types.errors import EvaluationError, LimitExceeded

from expressing import PlainScope, evaluate, render, text_of

SEEN: dict[str, Any] = {"name": "Ada", "n": 3, "xs": [1, 2], "nothing": None, "o": {"a": 1.0}}

RENDERED: list[tuple[str, Any]] = [
    ("Hello {{name}}!", "Hello Ada!"),
    ("{{n}}", 3),
    ("{{xs}}", [1, 2]),
    ("{{nothing}}", None),
    ("{{ name }}", "Ada"),
    (" {{n}}", " 3"),
    ("{{n}}{{n}}", "33"),
    ("a{{nothing}}b", "ab"),
    ("{{n == 3}} {{n > 3}}", "true false"),
    ("{{3.0}} {{1/3}} {{1e21}} {{0.1}}", "3 0.3333333333333333 1e+21 0.1"),
    ("{{xs}} {{o}}", '[1,2] {"a":1}'),
    ("", ""),
    ("no braces", "no braces"),
    ("{ {n} }", "{ {n} }"),
    ("}} }", "}} }"),
    # what ends an interpolation
    ("{{ {a: {b: n}} }}", {"a": {"b": 3}}),
    ("{{ {a: {b: n}}}}", {"a": {"b": 3}}),
    ("{{{a: 1}}}", {"a": 1}),
    ("{{ '}}' }}x", "}}x"),
    ('{{ "a\\"}}" }}x', 'a"}}x'),
    ("{{ [{a: '}'}] }}", [{"a": "}"}]),
    ("{{ xs.map(x => ({v: x}))[0].v }}}", "1}"),
    ("{{n}} }} {{n}}", "3 }} 3"),
    # literal braces
    (r"\{{ n }}", "{{ n }}"),
    (r"a \{{x}} {{n}}", "a {{x}} 3"),
    (r"{{n}}\{{", "3{{"),
    (r"\{{\{{{{n}}", "{{{{3"),
    (r"\a {{n}}", r"\a 3"),
]


@pytest.mark.parametrize(("text", "expected"), RENDERED, ids=[text for text, _ in RENDERED])
def test_a_setting_is_rendered(text: str, expected: Any) -> None:
    value = render(text, **SEEN)
    assert value == expected
    assert type(value) is type(expected)


def test_a_template_tells_what_it_is_made_of() -> None:
    constant = parse_template(text_of(r"a \{{b}} c"))
    assert constant.constant
    assert constant.literal == "a {{b}} c"
    assert constant.single is None
    single = parse_template(text_of("{{a.b}}"))
    assert not single.constant
    assert single.single is not None
    assert [(r.name, r.path, r.offset) for r in single.references] == [("a", ("b",), 2)]
    mixed = parse_template(text_of("{{upper(a)}} and {{my-b}}"), names={"my-b"})
    assert mixed.single is None
    assert [(r.name, r.offset) for r in mixed.references] == [("a", 8), ("my-b", 19)]
    assert [(c.name, c.offset) for c in mixed.calls] == [("upper", 2)]


@dataclass
class Point:
    x: int
    others: list[object]


class Colour(str, Enum):  # noqa: UP042 -- its str() is not its value
    RED = "red"


class Named(BaseModel):
    name: str


TEXTS: list[tuple[Any, str]] = [
    (None, ""),
    (True, "true"),
    (False, "false"),
    (0, "0"),
    (-7, "-7"),
    (2**70, str(2**70)),
    (3.0, "3"),
    (-0.0, "0"),
    (0.1, "0.1"),
    (1e-7, "1e-7"),
    (1e-6, "0.000001"),
    (1.5e-5, "0.000015"),
    (-1.25e-6, "-0.00000125"),
    (1e21, "1e+21"),
    (1e20, "100000000000000000000"),
    (1.5e300, "1.5e+300"),
    (float("nan"), "NaN"),
    (float("-inf"), "-Infinity"),
    (Decimal("1.50"), "1.5"),
    (Decimal("100"), "100"),
    (Decimal("-0.0"), "0"),
    (
        Decimal("0.1234567890123456789012345678901234567890"),
        "0.123456789012345678901234567890123456789",
    ),
    (Decimal("1E+5000"), "1E+5000"),
    ("a", "a"),
    ([1, None, "x"], '[1,null,"x"]'),
    ((1, 2), "[1,2]"),
    (range(2), "[0,1]"),
    ({"a": {"b": 1.0}}, '{"a":{"b":1}}'),
    (datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC), "2024-01-02T03:04:05+00:00"),
    (date(2024, 1, 2), "2024-01-02"),
    (b"\x00\xff", "AP8="),
    (memoryview(b"\x00\xff"), "AP8="),
    (UUID(int=0), "00000000-0000-0000-0000-000000000000"),
    ({1}, "[1]"),
    (frozenset({"a"}), '["a"]'),
    (Point(1, [Colour.RED]), '{"x":1,"others":["red"]}'),
    (Colour.RED, "red"),
    (Named(name="a"), '{"name":"a"}'),
]


@pytest.mark.parametrize(
    ("value", "expected"), TEXTS, ids=[expected or "null" for _, expected in TEXTS]
)
def test_a_value_has_its_text(value: Any, expected: str) -> None:
    assert to_text(value) == expected


class Level(IntEnum):
    LOW = 1


ENCODED: list[tuple[Any, str]] = [
    (1.0, "1"),
    (0.5, "0.5"),
    (1e20, "100000000000000000000"),
    (1e21, "1e+21"),
    ('é\n"', '"é\\n\\""'),
    ({1: "a", None: 1, False: 2}, '{"1":"a","null":1,"false":2}'),
    (Decimal("1.5"), "1.5"),
    (Decimal("10"), "10"),
    (Decimal("0.1"), "0.1"),
    (Decimal("0.12345678901234567890"), '"0.12345678901234567890"'),
    (Decimal("1E+400"), '"1E+400"'),
    (date(2024, 1, 2), '"2024-01-02"'),
    (b"ab", '"YWI="'),
    (Level.LOW, "1"),
    (range(2), "[0,1]"),
    ({3}, "[3]"),
]


@pytest.mark.parametrize(("value", "expected"), ENCODED, ids=[expected for _, expected in ENCODED])
def test_a_value_has_its_json(value: Any, expected: str) -> None:
    assert encode_json(value) == expected


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": [1, float("nan")]}, "$.a[1] is NaN, which JSON cannot write"),
        ([{"b": float("-inf")}], "$[0].b is -Infinity"),
        ({"d": Decimal("NaN")}, "$.d is NaN"),
        ({"o": object()}, "$.o is of type builtins.object"),
    ],
)
def test_what_has_no_json_is_an_error_that_names_the_path(value: Any, message: str) -> None:
    with pytest.raises(EvaluationError, match="which JSON cannot write") as caught:
        encode_json(value)
    assert message in str(caught.value)


AWKWARD = [
    'say "hi"',
    "back\\slash",
    "new\nline\ttab",
    "</template>",
    "{{x}}",
    "\\",
    '"',
    "\u2028é😀\x01",
    "",
    'a\\"b',
]


@pytest.mark.parametrize("name", AWKWARD)
@pytest.mark.parametrize("format", ["json", "auto"])
def test_a_json_template_is_right_for_every_name(name: str, format: str) -> None:
    person = {"name": name}
    tags = [name, {name: None}]
    text = (
        '{"name": "{{person.name}}", "tags": {{tags}}, "both": "<{{person.name}}> {{tags}}",'
        ' "{{person.name}}": {{person.name}}}'
    )
    value = render(text, format, person=person, tags=tags)
    both = f"<{name}> " + json.dumps(tags, ensure_ascii=False, separators=(",", ":"))
    assert value == {"name": name, "tags": tags, "both": both, name: name}


JSON_TEMPLATES: list[tuple[str, str, Any]] = [
    ('[{{n}}, {{nothing}}, {{n > 1}}, "{{nothing}}", "{{n}}"]', "json", [3, None, True, "", "3"]),
    ("{{n}}", "json", 3),
    ("{{xs}}", "auto", [1, 2]),
    ("{{name}}", "json", "Ada"),
    ("{{json_encode(o)}}", "json", {"a": 1.0}),
    ("{{json_encode(o)}}", "auto", {"a": 1.0}),
    ("{{JSON.stringify(o)}}", "auto", {"a": 1.0}),
    ("{{json_encode(o)}}", "text", '{"a":1}'),
    ('{"a": {{json_encode(xs)}}}', "json", {"a": [1, 2]}),
    ('{"a": {{n > 1 ? json_encode(xs) : n}}}', "json", {"a": [1, 2]}),
    ('{"a": {{nothing ?? json_encode(xs)}}}', "auto", {"a": [1, 2]}),
    ('{"a": "{{json_encode(xs)}}"}', "json", {"a": "[1,2]"}),
    ('{"a": {{[json_encode(xs)]}}}', "json", {"a": ["[1,2]"]}),
    ('{"a": {{json_encode(xs) + ""}}}', "json", {"a": "[1,2]"}),
    ("  \n[{{n}}]\n", "auto", [3]),
    ("{{n}}[1]", "auto", "3[1]"),
    ("[{{n}}", "auto", "[3"),
    ("[not {{name}}]", "auto", "[not Ada]"),
    ("Hello {{name}}", "auto", "Hello Ada"),
    ('{"a": {{n}}}', "text", '{"a": 3}'),
    ("[1, 2]", "auto", [1, 2]),
    (" {{xs}}", "auto", " [1,2]"),
    (" {{xs}}", "json", [1, 2]),
    (r'["\\", "{{name}}"]', "json", ["\\", "Ada"]),
    (r'["\"{{name}}\""]', "json", ['"Ada"']),
    (r'["\{{n}}", {{n}}]', "json", ["{{n}}", 3]),
    ("", "auto", ""),
]


@pytest.mark.parametrize(("text", "format", "expected"), JSON_TEMPLATES)
async def test_a_template_in_a_format(text: str, format: str, expected: Any) -> None:
    pauses = 0

    async def pause() -> None:
        nonlocal pauses
        pauses += 1
        await trio.lowlevel.checkpoint()

    assert render(text, format, **SEEN) == expected
    template = parse_template(text_of(text)).compile(lambda _: False)
    assert await template.render(PlainScope(SEEN), format, pause) == expected  # type: ignore[arg-type]
    parts = len(template.parts)
    is_value = template.single is not None and format != "text"
    # After each part is known, and after each is written, which takes as long: as JSON, and as text if it is none.
    times = {1} if is_value else {2} if format != "auto" else {2, 3}
    assert pauses in {parts * each for each in times}


def test_text_that_is_no_json_is_an_error_in_json_only() -> None:
    with pytest.raises(EvaluationError, match="the text is not valid JSON"):
        render("[{{n}}", "json", n=1)
    assert render("[{{n}}", "auto", n=1) == "[1"


def test_what_json_encode_gives_leaves_an_expression_as_plain_text() -> None:
    assert type(evaluate("json_encode([1])")) is str
    assert type(render("{{json_encode([1])}}")) is str


def test_a_part_that_is_too_long_is_refused_before_the_parts_are_joined() -> None:
    template = parse_template(text_of("{{a}}{{a}} {{a}}")).compile(lambda _: False)
    scope = PlainScope({"a": "x" * 40}, text=100)
    for act in (template.text, lambda s: template.json(s, False), lambda s: template.json(s, True)):
        with pytest.raises(LimitExceeded, match="longer than 100 characters") as caught:
            act(scope)
        assert caught.value.location is not None


@pytest.mark.parametrize(
    "odd",
    [
        {"a": None}, {"a": True}, {"a": 1.0}, {"a": "x" * 64}, {"b": 1 << 47}, {"b": -(1 << 47)},
        {"b": "2"}, {"c": {}}, {"c": 3}, {"c": {"d": [1]}}, {"c": {"d": RawJson("1")}},
    ],
)  # fmt: skip
def test_a_template_that_is_used_often_takes_values_of_other_kinds(odd: dict[str, Any]) -> None:
    usual = {"a": "one", "b": 2, "c": {"d": "three"}}
    source = "{{a}}, {{b}} and {{c.d}}."
    template = parse_template(text_of(source)).compile(lambda _: False)
    for _ in range(40):
        assert template.text(PlainScope(usual)) == "one, 2 and three."
    for values in (usual | odd, usual):
        fresh = parse_template(text_of(source)).compile(lambda _: False)
        assert template.text(PlainScope(values)) == fresh.text(PlainScope(values))


def test_holes_of_a_template_fail_in_their_order_however_often_it_is_used() -> None:
    deep: list[Any] = []
    for _ in range(300):
        deep = [deep]
    template = parse_template(text_of("{{a}} {{b}}")).compile(lambda _: False)
    for _ in range(40):
        assert template.text(PlainScope({"a": "x", "b": 1})) == "x 1"
    for _ in range(2):
        with pytest.raises(EvaluationError) as caught:
            template.text(PlainScope({"a": deep, "b": deep}))
        assert caught.value.offset == 2


def test_a_template_of_texts_and_numbers_makes_few_calls_once_it_is_used_often(
    evaluation: str,
) -> None:
    """Its values are read, and nothing of ours is called between."""
    values = {"a": "one", "b": 2, "c": {"d": "three"}}
    scope = PlainScope(values)
    template = parse_template(text_of("{{a}}, {{b}} and {{c.d}}.")).compile(lambda _: False)
    for _ in range(40):
        template.text(scope)
    called: list[str] = []

    def look(frame: Any, event: str, argument: Any) -> None:
        if event == "call":
            called.append(frame.f_code.co_name)

    sys.setprofile(look)
    try:
        template.text(scope)
    finally:
        sys.setprofile(None)
    assert (called == ["run"]) is (evaluation == "functions")
