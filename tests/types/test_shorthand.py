"""Owns tests of the short form of a schema: what it means, and what it says of an answer."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowscript_trio.runtimes.ai.schema import OutputSchema
from flowscript_trio.types.shorthand import schema_of_text

STRING, NUMBER = {"type": "string"}, {"type": "number"}


def closed(**fields: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": fields,
        "required": list(fields),
        "additionalProperties": False,
    }


@pytest.mark.parametrize(
    ("text", "schema"),
    [
        ("{a: string}", closed(a=STRING)),
        (" { a : string , b:number, } ", closed(a=STRING, b=NUMBER)),
        ("{a:string,\n b:number}", closed(a=STRING, b=NUMBER)),
        ("{'a': string, \"b\": 'number'}", closed(a=STRING, b=NUMBER)),
        ('{"it\\"s": string}', closed(**{'it"s': STRING})),
        ("{first-name: string, größe: number}", closed(**{"first-name": STRING, "größe": NUMBER})),
        ("{a: integer, b: boolean}", closed(a={"type": "integer"}, b={"type": "boolean"})),
        ("{a: object, b: array, c: any}", closed(a={"type": "object"}, b={"type": "array", "items": {}}, c={})),
        ("{a: string[]}", closed(a={"type": "array", "items": STRING})),
        ("{a: string [ ] [ ]}", closed(a={"type": "array", "items": {"type": "array", "items": STRING}})),
        ("{a: string?}", closed(a={"type": ["string", "null"]})),
        ("{a?: string}", closed(a={"type": ["string", "null"]})),
        ("{a?: string??}", closed(a={"type": ["string", "null"]})),
        ("{a: string?[]}", closed(a={"type": "array", "items": {"type": ["string", "null"]}})),
        ("{a: string[]?}", closed(a={"anyOf": [{"type": "array", "items": STRING}, {"type": "null"}]})),
        ("{a: any?}", closed(a={})),
        ("{a: {b: {c: number}}}", closed(a=closed(b=closed(c=NUMBER)))),
        ("{a: {b: number}[]}", closed(a={"type": "array", "items": closed(b=NUMBER)})),
        ("{a: {b: number}?}", closed(a={"anyOf": [closed(b=NUMBER), {"type": "null"}]})),
        ("{a: enum[low, 'very high', low]}", closed(a={"type": "string", "enum": ["low", "very high"]})),
        ("{a: enum[1, 2.5]}", closed(a={"type": "string", "enum": ["1", "2.5"]})),
        ("{a: enum[x]?}", closed(a={"type": ["string", "null"], "enum": ["x", None]})),
        ("{a: enum[x][]}", closed(a={"type": "array", "items": {"type": "string", "enum": ["x"]}})),
        ("{type: string, properties: number}", closed(type=STRING, properties=NUMBER)),
        ("{enum: string}", closed(enum=STRING)),
        ("number", NUMBER),
        ("{a: number}[]", {"type": "array", "items": closed(a=NUMBER)}),
    ],
)  # fmt: skip
def test_the_short_form_means(text: str, schema: dict[str, Any]) -> None:
    assert OutputSchema(text).json == schema


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"the schema ends; expected string, number"),
        ("{a: strng}", r"no type 'strng' at character 5 \(did you mean 'string'\?\); expected"),
        ("{a: int}", r"did you mean 'integer'"),
        ("{a}", r"has '}' at character 3; expected ':'"),
        ("{a: string b: number}", r"has 'b' at character 12; expected ',' or '}'"),
        ("{a: string", r"ends; expected ',' or '}'"),
        ("{: string}", r"expected the name of a field or '}'"),
        ("{a: string[3]}", r"has '3' at character 12; expected ']'"),
        ("{a: string | null}", r"has '\|' at character 12"),
        ("{a: enum}", r"expected '\['"),
        ("{a: enum[]}", r"expected a word"),
        ("{a: enum[x y]}", r"expected ',' or ']'"),
        ("{a: string} x", r"has 'x' at character 13; expected the end"),
        ("{a: string, a: number}", r"has the field 'a' twice, at character 13"),
        ("{a: 'strng'}", r"no type 'strng'"),
        ("{" * 3 + "a: number", r"expected"),
        ("{a: string" + "[]" * 100_000 + "}", r"nests too deep"),
        ('{"not":' * 5000 + "{}" + "}" * 5000, r"nests too deep"),
        ("{a:" * 100 + "number" + "}" * 100, r"nests too deep"),
        ("{type: object, properties: {a: {type: string}}}", r"JSON Schema without quotes, .*; expected {name"),
        ("[1, 2]", r"that is not a schema; expected"),
        ("{}x", r"expected the end"),
        ("{}", r"that is not a schema"),
        ("12", r"that is not a schema"),
        ("null", r"that is not a schema"),
        ('{"a": 1}', r"the field 'a' of the schema has no type"),
        ('{"a": {"b": "strng"}}', r"in the field 'b': there is no type 'strng'"),
        ('{"type": "object", "properties": {"a": {"type": "strin"}}}', r"not a JSON Schema: at \$.properties.a"),
        ('{"type": "object", "required": "a"}', r"not a JSON Schema: at \$.required: 'a' is not of type 'array'"),
    ],
)  # fmt: skip
def test_a_malformed_schema_is_an_error_that_says_where(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        OutputSchema(text)


@pytest.mark.parametrize(
    "text", ["{type: string, properties: any}", "{type: object, properties: string[]}"]
)
def test_fields_that_are_called_as_words_of_json_schema_are_fields(text: str) -> None:
    assert list(OutputSchema(text).json["properties"]) == ["type", "properties"]


@pytest.mark.parametrize(
    ("text", "value", "problems"),
    [
        ("{a: number}", {"a": 1}, []),
        ("{a: number}", {"a": True}, ["$.a is true; expected number"]),
        ("{a: number}", {"a": None}, ["$.a is null; expected number"]),
        ("{a: number}", {}, ["$.a is missing"]),
        ("{a: number}", {"a": 1, "b": 2}, ["$ has 'b', which the schema does not have"]),
        ("{a: number}", [], ["$ is a list; expected object"]),
        ("{a: integer}", {"a": 3.0}, []),
        ("{a: integer}", {"a": 3.5}, ["$.a is 3.5; expected integer"]),
        ("{a: boolean}", {"a": 1}, ["$.a is 1; expected boolean"]),
        ("{a: boolean}", {"a": False}, []),
        ("{a: string?}", {}, []),
        ("{a: string?}", {"a": None}, []),
        ("{a: string?}", {"a": 1}, ["$.a is 1; expected string or null"]),
        ("{a: {b: string}?}", {}, []),
        ("{a: {b: string}?}", {"a": None}, []),
        ("{a: {b: string}?}", {"a": {"b": 1}}, ["$.a.b is 1; expected string"]),
        ("{a: string[]}", {"a": ["x", {}]}, ["$.a[1] is an object; expected string"]),
        ("{a: enum[x, y]}", {"a": "z"}, ["$.a is 'z'; expected one of 'x', 'y'"]),
        ("{a: enum[x]?}", {"a": None}, []),
        ("{a: any, b: object, c: array}", {"a": None, "b": {"k": 1}, "c": [1, "x"]}, []),
        ("{a: any}", {}, ["$.a is missing"]),
        ("{a: any?}", {"a": 1}, []),
    ],
)  # fmt: skip
def test_what_the_short_form_says_of_a_value(text: str, value: Any, problems: list[str]) -> None:
    assert OutputSchema(text).problems(value) == problems


types = st.recursive(
    st.sampled_from(["string", "number", "integer", "boolean", "any", "object", "enum[a, b]"]),
    lambda inner: st.one_of(
        inner.map(lambda text: text + "[]"),
        inner.map(lambda text: text + "?"),
        st.dictionaries(st.sampled_from("abc"), inner, min_size=1).map(
            lambda fields: "{" + ", ".join(f"{k}: {v}" for k, v in fields.items()) + "}"
        ),
    ),
)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.sampled_from(["a", "z"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
)


@given(types, values)
def test_what_the_schema_that_is_sent_accepts_the_check_accepts(text: str, value: Any) -> None:
    """Against jsonschema; the check is milder in one thing alone, that what may be null may be absent."""
    import jsonschema

    schema = OutputSchema(text)
    accepted = jsonschema.Draft202012Validator(schema.json).is_valid(value)
    if accepted:
        assert schema.problems(value) == []
    elif not schema.problems(value):
        missing = jsonschema.Draft202012Validator(schema.json).iter_errors(value)
        assert all(
            "required" in error.message or error.validator in ("anyOf", "required")
            for error in missing
        )


@given(st.text(alphabet="{}[]:,?'\"ab enum string\\"))
def test_any_text_is_a_schema_or_a_value_error(text: str) -> None:
    with suppress(ValueError):
        schema_of_text(text)
