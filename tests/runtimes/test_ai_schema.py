"""Owns tests of ``output-schema``: where it stands, JSON Schema, and how it is asked for."""

from __future__ import annotations

import sys
import tracemalloc
from typing import Any

import pytest

import flowscript_trio as fs
from flowscript_trio.runtimes.ai.schema import OutputSchema

STRING, NUMBER = {"type": "string"}, {"type": "number"}


def closed(**fields: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": fields,
        "required": list(fields),
        "additionalProperties": False,
    }


def test_a_malformed_schema_is_found_with_its_place_when_the_document_is_read() -> None:
    with pytest.raises(fs.WorkflowInvalid) as caught:
        fs.loads(
            '<workflow name="w">\n<ai id="a" model="m" user="u" output-schema="{a: strng}"/>\n'
            '<ai id="b" model="m" user="u"><output-schema>{a}</output-schema></ai></workflow>'
        )
    first, second = caught.value.problems
    assert "no type 'strng' at character 5" in first.message
    assert (first.location.line, first.location.column) == (2, 46)
    assert (second.location.line, second.location.column) == (3, 46)


@pytest.mark.parametrize(
    ("request_text", "schema"),
    [
        ("{score: number, note: string?}", closed(score=NUMBER, note={"type": ["string", "null"]})),
        ("\n  score: number\n  tags: string[]", closed(score=NUMBER, tags={"type": "array", "items": STRING})),
        ("\n  note?: string", closed(note={"type": ["string", "null"]})),
        ("\n  tags: [string]", closed(tags={"type": "array", "items": STRING})),
        ("\n  type: object\n  properties: {a: {type: number}}", {"type": "object", "properties": {"a": NUMBER}}),
    ],
)  # fmt: skip
def test_a_schema_may_stand_as_yaml_in_a_request(request_text: str, schema: dict[str, Any]) -> None:
    flow = fs.loads(
        f'<workflow name="w"><ai id="a"><request>\nmodel: m\noutput-schema: {request_text}\n'
        "</request></ai></workflow>"
    )
    [step] = flow.program.main.steps
    assert step.config(None).output_schema.json == schema  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "is_json_schema"),
    [
        ({"type": "object"}, True),
        ({"type": ["object", "null"]}, True),
        ({"properties": {"a": {"type": "string"}}}, True),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"type": "object"}}}, True),
        ({"enum": [1, 2]}, True),
        ({"type": "object", "x-order": 1}, True),
        ({"type": "string", "name": "string"}, False),
        ({"title": "string", "description": "string"}, False),
        ({"properties": "string"}, False),
        ({"items": "number[]"}, False),
    ],
)
def test_a_mapping_is_a_json_schema_if_all_its_keys_are_words_of_that(
    given: dict[str, Any], is_json_schema: bool
) -> None:
    assert (OutputSchema(given).json == given) is is_json_schema


def test_what_a_json_schema_says_of_a_value() -> None:
    schema = OutputSchema(
        {
            "type": "object",
            "properties": {"a": {"type": "integer", "minimum": 0}},
            "required": ["a"],
        }
    )
    assert schema.problems({"a": 1, "b": 2}) == []
    assert schema.problems({"a": -1}) == ["$.a: -1 is less than the minimum of 0"]
    assert schema.problems({}) == ["$: 'a' is a required property"]


HOSTILE = "a" * 5000 + "!"
"""Python's own engine would never end with it and ``^(a+)+$``."""


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"properties": {"a": {"pattern": "^(a+)+$"}}}, {"a": "aaa"}, {"a": HOSTILE}),
        ({"propertyNames": {"pattern": "^(a+)+$"}}, {"aaa": 1}, {HOSTILE: 1}),
        (
            {"patternProperties": {"^(a+)+$": {"type": "string"}}, "additionalProperties": False},
            {"aaa": "x"},
            {HOSTILE: "x"},
        ),
        (
            {
                "patternProperties": {"^(a+)+$": {"type": "string"}},
                "additionalProperties": {"type": "integer"},
            },
            {"aaa": "x", HOSTILE: 1},
            {"aaa": 1},
        ),
        (
            {"properties": {"a": {"$ref": "#/default"}}, "default": {"pattern": "^(a+)+$"}},
            {"a": "a"},
            {"a": HOSTILE},
        ),
    ],
)
@pytest.mark.parametrize(
    "draft",
    ["https://json-schema.org/draft/2020-12/schema", "http://json-schema.org/draft-07/schema#"],
)
def test_patterns_are_matched_in_linear_time_wherever_they_stand(
    draft: str, schema: dict[str, Any], good: Any, bad: Any
) -> None:
    found = OutputSchema({"$schema": draft, "type": "object", **schema})
    assert found.problems(good) == []
    assert len(found.problems(bad)) == 1


@pytest.mark.parametrize("schema", [{"pattern": "(?=x)"}, {"patternProperties": {"(?=x)": {}}}])
def test_a_pattern_that_is_not_linear_is_refused_when_the_schema_is_read(
    schema: dict[str, Any],
) -> None:
    with pytest.raises(ValueError, match=r"'\(\?=x\)' cannot be matched in linear time"):
        OutputSchema({"type": "object", "properties": {"a": {"type": "object", **schema}}})


def test_what_cannot_be_judged_in_linear_time_is_refused() -> None:
    schema = {"type": "object", "patternProperties": {"x": {}}, "unevaluatedProperties": False}
    hidden = {
        "$ref": "#/default",
        "default": {"patternProperties": {"(a+)+$": {}}, "type": "object"},
        "unevaluatedProperties": False,
    }
    for each in (schema, hidden):
        with pytest.raises(ValueError, match="expected additionalProperties"):
            OutputSchema(each)


def test_equal_items_are_found_without_comparing_each_with_each() -> None:
    class Counted(dict[str, Any]):
        compared = 0

        def __eq__(self, other: object) -> bool:
            Counted.compared += 1
            return super().__eq__(other)

        __hash__ = None

    schema = OutputSchema({"type": "array", "uniqueItems": True})
    assert schema.problems([Counted(a=number) for number in range(3000)]) == []
    assert Counted.compared == 0
    assert schema.problems([1, True, "1", [1], {"a": 1}, None, 0, False]) == []
    for one, other in ((1, 1.0), ({"a": 1, "b": [2]}, {"b": [2.0], "a": 1}), ("x", "x")):
        assert schema.problems([one, None, other]) == ["$: the items 0 and 2 are equal"]


def test_the_problems_of_an_answer_are_bounded() -> None:
    for schema in ("{a: string[]}", {"properties": {"a": {"items": {"type": "string"}}}}):
        problems = OutputSchema(schema).problems({"a": [1.5] * 1000})
        assert len(problems) == 10
    [problem] = OutputSchema("{a: number}").problems({"a": "x" * 10_000})
    assert len(problem) < 300


@pytest.mark.parametrize("word", ["anyOf", "oneOf"])
def test_of_several_schemas_no_more_is_kept_than_is_told(word: str) -> None:
    """An answer of 100,000 numbers where texts or null are wanted made as many errors, with all their texts."""
    choice = [{"type": "array", "items": {"type": "string"}}, {"type": "null"}]
    schema = OutputSchema({"type": "object", "properties": {"a": {word: choice}}})
    tracemalloc.start()
    try:
        problems = schema.problems({"a": [1] * 100_000})
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert problems == [f"$.a: the value fits none of the schemas of {word}"]
    assert most < 10_000_000
    assert schema.problems({"a": ["x"]}) == schema.problems({"a": None}) == []


def test_a_value_that_fits_two_schemas_of_one_of_is_told_which() -> None:
    choice = [{"type": "null"}, {"type": "number"}, {"minimum": 0}, {}]
    schema = OutputSchema({"type": "object", "properties": {"a": {"oneOf": choice}}})
    assert schema.problems({"a": 1}) == ["$.a: the value fits the schemas 1 and 2 of oneOf"]


def test_an_old_draft_is_refused() -> None:
    with pytest.raises(ValueError, match="expected draft 4 or later"):
        OutputSchema({"$schema": "http://json-schema.org/draft-03/schema#", "type": "object"})


@pytest.mark.parametrize("value", [b"x", {1, 2}])
def test_a_computed_json_schema_of_what_is_no_json_is_a_value_error(value: Any) -> None:
    with pytest.raises(ValueError, match="not a JSON Schema: Object of type"):
        OutputSchema({"type": "string", "default": value})


@pytest.mark.parametrize(
    "schema",
    [{"$ref": "http://127.0.0.1:1/x.json"}, {"$ref": "#/$defs/none"}, {"allOf": [{"$ref": "#"}]}],
)
def test_a_reference_that_leads_nowhere_is_an_error(
    schema: dict[str, Any],
) -> None:
    with pytest.raises(fs.FlowScriptError, match="the output-schema cannot be applied"):
        OutputSchema(schema).problems({})


def test_a_reference_to_another_document_is_not_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(*args: Any, **options: Any) -> Any:
        pytest.fail("it was fetched")

    monkeypatch.setattr("urllib.request.urlopen", fetch)
    with pytest.raises(fs.FlowScriptError, match="Unresolvable: http://localhost/x"):
        OutputSchema({"$ref": "http://localhost/x.json"}).problems({})


@pytest.mark.parametrize(
    ("schema", "strict"),
    [
        ("{a: number, b: {c: string?}[]}", True),
        ("{a: enum[x]?}", True),
        ("string[]", True),
        ("{a: any}", False),
        ("{a: object}", False),
        ("{a: array}", False),
        (closed(a=NUMBER), True),
        ({"type": "object", "properties": {"a": NUMBER}}, False),
        ({**closed(a=NUMBER, b=NUMBER), "required": ["a"]}, False),
        ({**closed(a={"$ref": "#/$defs/x"}), "$defs": {"x": {"type": "object"}}}, False),
    ],
)
def test_it_is_strict_where_each_object_is_closed_and_complete(schema: Any, strict: bool) -> None:
    assert OutputSchema(schema).strict is strict


def test_the_definitions_of_a_wrapped_schema_stay_where_references_look() -> None:
    schema = OutputSchema({"type": "array", "items": {"$ref": "#/$defs/x"}, "$defs": {"x": NUMBER}})
    assert schema.sent["$defs"] == {"x": NUMBER}
    assert schema.problems([1]) == []
    assert schema.problems(["a"]) == ["$[0]: 'a' is not of type 'number'"]


def test_a_missing_package_is_an_error_that_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "jsonschema", None)
    text = '<workflow name="w"><ai id="a" model="m" user="u"><output-schema>{}</output-schema></ai></workflow>'
    with pytest.raises(fs.WorkflowInvalid, match=r"jsonschema, which is not installed") as caught:
        fs.loads(text.replace("{}", '{"type": "object"}'))
    assert "pip install 'flowscript-trio[ai]'" in str(caught.value)
    fs.loads(text.replace("{}", "{a: number}"))  # the short form needs nothing
