"""Owns the tests of shapes: that no value is left out by joining, by a schema, or by taking a member."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from flowscript_trio.expression.values import member
from flowscript_trio.types.shapes import (
    NOTHING,
    NULL,
    TEXT,
    UNKNOWN,
    Missing,
    Shape,
    ValueType,
    describe_shape,
    item_of,
    list_of,
    member_of,
    object_of,
    schema_of_shape,
    shape_of_schema,
    shape_of_value,
    union,
)
from flowscript_trio.types.shapes.overlap import may_be
from flowscript_trio.types.shapes.shape import DEEPEST, MOST_CONSTANTS, MOST_PARTS

keys = st.sampled_from(["a", "b", "c", "length", "0"])
values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-5, 5),
        st.sampled_from([0.5, 1e30]),
        st.sampled_from(["", "a", "b", "7", "x" * 100]),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=3)),
    max_leaves=8,
)
thorough = settings(
    max_examples=300, deadline=None, suppress_health_check=list(HealthCheck), database=None
)


@thorough
@given(st.lists(values, min_size=1, max_size=4))
def test_a_union_holds_what_each_of_its_shapes_holds(several: list[Any]) -> None:
    joined = union(*map(shape_of_value, several))
    assert all(map(joined.holds, several))
    assert union(joined, joined) == joined


@thorough
@given(st.lists(values, max_size=3), st.lists(values, max_size=3), values)
def test_shapes_of_which_a_value_is_both_may_be_each_other(
    some: list[Any], others: list[Any], shared: Any
) -> None:
    shape, wanted = (union(*map(shape_of_value, [*each, shared])) for each in (some, others))
    assert may_be(shape, wanted)
    assert may_be(wanted, shape)
    assert may_be(shape, UNKNOWN)


@pytest.mark.parametrize(
    ("value", "other"),
    [
        ("4", 4),
        (None, 4),
        (True, 1),
        ("a", "b"),
        ([1], {"a": 1}),
        ({"a": 1}, {"a": "x"}),
        ({"a": 1, "b": 2}, {"a": 1}),
        ({"a": {"b": 1}}, {"a": {"b": None}}),
    ],
)
def test_shapes_without_a_common_value_are_never_each_other(value: Any, other: Any) -> None:
    assert not may_be(shape_of_value(value), shape_of_value(other))
    assert not may_be(shape_of_value(other), shape_of_value(value))


@thorough
@given(st.lists(values, min_size=1, max_size=3), keys)
def test_a_member_of_a_shape_holds_that_of_each_value(several: list[Any], key: str) -> None:
    shape = union(*map(shape_of_value, several))
    found = member_of(shape, key)
    for value in several:
        taken = member(value, key)
        if isinstance(found, Missing):
            assert taken is None
        else:
            assert found.holds(taken)
        assert item_of(shape, shape_of_value(key)).holds(taken)


@thorough
@given(st.lists(values, min_size=1, max_size=3), values)
def test_the_json_schema_of_a_shape_says_what_the_shape_says(
    several: list[Any], other: Any
) -> None:
    shape = union(*map(shape_of_value, several))
    schema = schema_of_shape(shape)
    Draft202012Validator.check_schema(schema)
    judge = Draft202012Validator(schema)
    assert all(map(judge.is_valid, several))
    if judge.is_valid(other):
        assert shape.holds(other)


def _schemas(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        st.fixed_dictionaries({"type": st.just("array"), "items": inner}),
        st.fixed_dictionaries(
            {
                "type": st.sampled_from(["object", ["object", "null"]]),
                "properties": st.dictionaries(keys, inner, max_size=3),
            },
            optional={
                "required": st.lists(keys, unique=True, max_size=2),
                "additionalProperties": st.sampled_from([True, False]),
                "patternProperties": st.just({"^c$": {}}),
            },
        ),
        st.fixed_dictionaries({"anyOf": st.lists(inner, min_size=1, max_size=2)}),
        st.fixed_dictionaries({"oneOf": st.lists(inner, min_size=1, max_size=2)}),
        st.fixed_dictionaries({"allOf": st.lists(inner, min_size=1, max_size=2)}),
    )


_simple = st.one_of(
    st.just({}),
    st.just(True),
    st.sampled_from(["string", "number", "integer", "boolean", "null"]).map(
        lambda kind: {"type": kind}
    ),
    st.just({"type": ["string", "null"]}),
    values.map(lambda value: {"const": value}),
    st.just({"enum": ["a", 1, None]}),
    st.just({"minLength": 1}),
)
_whole = st.recursive(_simple, _schemas, max_leaves=4)
_referring = st.recursive(
    st.one_of(_simple, st.just({"$ref": "#/$defs/d"})), _schemas, max_leaves=6
).filter(lambda found: isinstance(found, dict))
schemas = st.builds(lambda whole, defined: {**whole, "$defs": {"d": defined}}, _referring, _whole)


@thorough
@given(schemas, values)
def test_the_shape_of_a_schema_holds_whatever_is_valid_by_it(schema: Any, value: Any) -> None:
    if Draft202012Validator(schema).is_valid(value):
        assert shape_of_schema(schema).holds(value)


def test_a_closed_schema_says_which_members_there_are() -> None:
    closed = {"type": "object", "properties": {"a": {}}, "additionalProperties": False}
    assert member_of(shape_of_schema(closed), "b") == Missing(("a",), "an object")
    assert member_of(shape_of_schema({**closed, "patternProperties": {"^b": {}}}), "b") == UNKNOWN
    assert member_of(shape_of_schema({"type": "object", "properties": {"a": {}}}), "b") == UNKNOWN


def test_a_schema_that_refers_to_itself_is_followed_so_far() -> None:
    schema = {
        "$ref": "#/$defs/tree",
        "$defs": {
            "tree": {
                "type": "object",
                "properties": {"kids": {"type": "array", "items": {"$ref": "#/$defs/tree"}}},
                "additionalProperties": False,
            }
        },
    }
    shape = shape_of_schema(schema)
    assert isinstance(member_of(shape, "kid"), Missing)
    assert shape.holds({"kids": [{"kids": [{}]}]})


def test_a_reference_to_another_document_is_unknown() -> None:
    assert not shape_of_schema({"$ref": "https://example.com/a.json"}).is_known
    assert not shape_of_schema({"type": "array", "items": {"$id": "x", "$ref": "#"}}).item.is_known


WORDS = [
    (UNKNOWN, "any"),
    (NULL, "null"),
    (NOTHING, "nothing"),
    (shape_of_value([]), "nothing[]"),
    (list_of(union(TEXT, NULL)), "string?[]"),
    (list_of(union(TEXT, shape_of_value(1))), "(number | string)[]"),
    (union(TEXT, shape_of_value(True), NULL), "(boolean | string)?"),
    (shape_of_value({"a b": 1}), '{"a b": number}'),
    (object_of({"a": TEXT}, is_open=True), "{a: string, …}"),
    (object_of({}, is_open=True), "object"),
    (object_of({}), "{}"),
    (union(*map(shape_of_value, "abcdefgh")), 'enum["a", "b", "c", "d", "e", "f", …]'),
]


@pytest.mark.parametrize(("shape", "words"), WORDS, ids=[case[1] for case in WORDS])
def test_shapes_in_words(shape: Shape, words: str) -> None:
    assert describe_shape(shape) == words
    assert str(ValueType(shape)) == words


def test_many_constants_are_their_kind() -> None:
    many = [f"w{at}" for at in range(MOST_CONSTANTS + 1)]
    assert union(*map(shape_of_value, many)) == TEXT
    assert union(*map(shape_of_value, many[1:])).holds("w1")
    assert not union(*map(shape_of_value, many[1:])).holds("other")


def test_shapes_do_not_grow_without_end() -> None:
    shape = shape_of_value({"a": 1})
    for _ in range(200):
        shape = object_of({"left": shape, "right": shape})
    assert shape.parts <= MOST_PARTS
    assert isinstance(member_of(shape, "up"), Missing)
    wide = object_of({f"k{at}": TEXT for at in range(2 * MOST_PARTS)})
    assert member_of(wide, "other") == UNKNOWN
    deep, value = TEXT, "x"
    for _ in range(100):
        deep, value = list_of(deep), [value]  # type: ignore[assignment]
    assert deep.holds(value)
    assert deep.depth <= DEEPEST


def test_what_a_type_tells_a_program() -> None:
    known = ValueType(shape_of_value({"a": 1, "b": None}))
    assert known.is_known
    assert not ValueType(UNKNOWN).is_known
    assert known.schema["properties"]["b"] == {"type": "null"}
    assert known.schema["required"] == ["a"]
    assert known.holds({"a": 1})
    assert not known.holds({"a": 1, "c": 2})
