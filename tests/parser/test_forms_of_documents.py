"""Owns the tests of every form that a document may have, and what it is read as."""

from __future__ import annotations

from typing import Any

import pytest

from flowscript_trio.parser import parse
from flowscript_trio.types.ast import BaseNode, Document, Part, Setting, Structure
from flowscript_trio.types.location import Text

URNS = " ".join(
    f'xmlns:{prefix}="urn:flowscript:{family}"'
    for prefix, family in [
        ("source", "source"), ("transform", "transform"), ("sink", "sink"), ("control", "control"),
        ("s", "source"), ("t", "transform"), ("k", "sink"), ("c", "control"),
    ]
)  # fmt: skip


def read(body: str, attributes: str = 'name="w"', warnings: int = 0) -> Document:
    parsed = parse(f"<workflow {attributes}>{body}</workflow>", file="f.xml")
    assert [p for p in parsed.problems if p.severity == "error"] == []
    assert len(parsed.problems) == warnings
    assert parsed.document is not None
    return parsed.document


def only(body: str, attributes: str = 'name="w"', warnings: int = 0) -> Any:
    [node] = read(body, attributes, warnings).body.nodes
    return node


def plain(value: Any) -> Any:
    """A setting's value without its places."""
    if isinstance(value, Setting):
        return plain(value.value)
    if isinstance(value, Text):
        return value.value
    if isinstance(value, Structure) and value.kind == "mapping":
        return {plain(key): plain(item) for key, item in value.value}
    if isinstance(value, Structure):
        return [plain(item) for item in value.value]
    return value


def given(node: BaseNode | Part) -> dict[str, Any]:
    return {name: plain(setting) for name, setting in node.settings.items()}


@pytest.mark.parametrize(
    ("element", "type"),
    [
        ("source:http", "source:http"), ("s:http", "source:http"), ('source type="http"', "source:http"),
        ("transform:map", "transform:map"), ("t:map", "transform:map"), ('transform type="map"', "transform:map"),
        ("sink:file", "sink:file"), ("k:file", "sink:file"), ('sink type="file"', "sink:file"),
        ("transform:ai", "transform:ai"), ("ai", "transform:ai"), ("source:my-own", "source:my-own"),
        ("control:delay", "control:delay"), ("c:delay", "control:delay"), ("delay", "control:delay"),
        ("control:parallel", "control:parallel"), ("c:foreach", "control:foreach"), ("c:call", "control:call"),
    ],
)  # fmt: skip
def test_a_prefix_is_short_for_a_type_under_any_declared_name(element: str, type: str) -> None:
    node = only(f'<{element} id="a" x="1"/>', f'name="w" {URNS}')
    assert (node.type, node.id) == (type, "a")
    assert given(node) == {"x": "1"} or (type == "control:call" and len(node.arguments) == 1)
    assert node.tag == element.split()[0]


@pytest.mark.parametrize("element", ["source:http", "transform:map", "sink:file", "control:delay"])
def test_the_four_prefixes_need_no_declaration(element: str) -> None:
    declared = only(f'<{element} id="a"/>', f'name="w" {URNS}')
    undeclared = only(f'<{element} id="a"/>')
    assert (declared.type, declared.tag) == (undeclared.type, undeclared.tag)


def test_a_prefix_may_be_declared_where_it_is_used() -> None:
    node = only('<x:http xmlns:x="urn:flowscript:source" id="a" xml:space="preserve" url="u"/>')
    assert node.type == "source:http"
    assert given(node) == {"url": "u"}


@pytest.mark.parametrize("control", ["", "control:", "c:"])
def test_control_elements_and_their_structure_may_have_their_prefix(control: str) -> None:
    source = """
      <parallel id="p"><branch><delay/><finally><set var="v" value="1"/></finally></branch><branch/></parallel>
      <if id="i" condition="a"><then><delay/></then><else><delay/><delay/></else></if>
      <branch id="b"><case when="x"><delay/></case><case when="y"/><default><delay/></default></branch>
      <timeout id="t" duration="5s"><delay/><finally><delay/></finally></timeout>
      <phase name="ph"><delay/></phase>
      <on-workflow-error><delay/></on-workflow-error><finally><delay/></finally>"""
    for name in (
        "parallel",
        "branch",
        "if",
        "then",
        "else",
        "case",
        "default",
        "timeout",
        "phase",
        "finally",
    ):
        source = source.replace(f"<{name}", f"<{control}{name}").replace(
            f"</{name}>", f"</{control}{name}>"
        )
    document = read(source, f'name="w" {URNS}')
    parallel, choice, branch, timeout, phase = document.body.nodes
    assert [len(body.nodes) for body in parallel.bodies] == [1, 0]
    assert [body.tag for body in parallel.bodies] == ["branch", "branch"]
    assert [len(body.nodes) for body in choice.bodies] == [1, 2]
    assert [body.tag for body in branch.bodies] == ["case", "case", "default"]
    assert [plain(body.settings.get("when")) for body in branch.bodies] == ["x", "y", None]
    cleanups = [parallel.bodies[0].cleanup, timeout.bodies[0].cleanup, document.body.cleanup]
    assert [len(body.nodes) for body in cleanups if body] == [1, 1, 1]
    assert (phase.label, phase.bodies[0].kind) == ("ph", "graph")
    assert {body.kind for node in (parallel, choice, branch, timeout) for body in node.bodies} == {
        "sequence"
    }
    assert document.on_workflow_error is not None
    assert len(document.on_workflow_error.nodes) == 1


def test_nodes_and_bodies_are_numbered_together_in_document_order() -> None:
    document = read(
        '<parallel id="p"><branch><delay/></branch><branch><loop id="l"><delay/></loop></branch></parallel>'
        '<source:file id="a" path="p"><compensate><delay/></compensate></source:file><delay/>'
    )
    keys: list[tuple[int, int]] = []

    def visit(body: Any) -> None:
        keys.append((body.key, body.offset))
        for node in body.nodes:
            keys.append((node.key, node.offset))
            for inner in (*node.bodies, *([node.compensate] if node.compensate else [])):
                visit(inner)

    visit(document.body)
    assert [key for key, _ in keys] == list(range(12))
    assert [offset for _, offset in keys] == sorted(offset for _, offset in keys)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("maxConcurrency", "max_concurrency"), ("max-concurrency", "max_concurrency"),
        ("max_concurrency", "max_concurrency"), ("concurrency", "max_concurrency"),
        ("failFast", "fail_fast"), ("fail-fast", "fail_fast"), ("baseURL", "base_url"), ("url", "url"),
        ("outputSchemaJSON", "output_schema_json"),
    ],
)  # fmt: skip
def test_the_spellings_of_a_setting_are_one(written: str, name: str) -> None:
    for body in (
        f'<source:x id="a" {written}="5"/>',
        f'<source:x id="a"><{written}>5</{written}></source:x>',
    ):
        node = only(body)
        assert given(node) == {name: "5"}
        setting = node.settings[name]
        assert (setting.name, setting.written) == (name, written)


def test_input_after_if_and_timeout_are_fields_of_the_node_however_they_are_written() -> None:
    for body in (
        '<source:x id="a" input="b c" after="d" if="e" timeout="5s" url="u"/>',
        '<source:x id="a"><input>b c</input><after>d</after><if>e</if>'
        "<timeout>5s</timeout><url>u</url></source:x>",
        '<source:x id="a"><request>\ninput: b c\nafter: d\nif: e\ntimeout: 5s\nurl: u</request></source:x>',
    ):
        node = only(body)
        assert [plain(x) for x in (node.input, node.after, node.condition, node.timeout)] == [
            "b c", "d", "e", "5s",
        ]  # fmt: skip
        assert given(node) == {"url": "u"}


def test_id_and_type_may_be_child_elements_and_keys_of_a_request_too() -> None:
    for body in (
        "<source><id>a</id><type>http</type></source>",
        "<source><request>\nid: a\ntype: http</request></source>",
    ):
        node = only(body)
        assert (node.id, node.type, given(node)) == ("a", "source:http", {})


def test_the_text_of_a_setting_is_the_same_with_cdata_entities_and_repairs() -> None:
    for text, warnings in (
        ("a &lt; b &amp;&amp; c", 0),
        ("<![CDATA[a < b && c]]>", 0),
        ("a &#60; b &#x26;& c", 1),
        ("a <![CDATA[<]]> b <!-- no -->&amp;<?no?><![CDATA[&]]> c", 0),
    ):
        source = f'<source:x id="a"><url>\n   {text}\n </url></source:x>'
        node = only(source, warnings=warnings)
        assert given(node) == {"url": "a < b && c"}
    assert given(only('<source:x id="a" url="a < b && c"/>', warnings=3)) == {"url": "a < b && c"}
    assert given(only("<source:x id='a' url='?a=1&b=2 &amp; &quot;'/>", warnings=1)) == {
        "url": '?a=1&b=2 & "'
    }


def test_text_is_never_read_by_its_look() -> None:
    node = only('<source:x id="a" a="5" b="true" c="[1]"><d>{x: 1}</d><e>null</e><f/></source:x>')
    assert given(node) == {"a": "5", "b": "true", "c": "[1]", "d": "{x: 1}", "e": "null", "f": ""}


def test_the_yaml_of_a_request_is_lifted_with_interpolations_anywhere() -> None:
    node = only(
        """<source:http id="a" method="POST"><request>
             url: {{base}}/x?a=1
             maxRetries: 3
             headers: {A: {{x}}, "B {{n}}": 'it''s {{ {a: "}}"} }}', {{key}}: c}
             {body}: &amp;
             body: {{input}}
             params:
               - {{a}} # one
               - "{{b["k"]}}\\n"
               - literal \\{{x}}
               - [{{c}}, 010, yes, 12:30, 1.50, true, null, 2024-01-01]
             text: |
               one {{x}}
                 two
           </request></source:http>""".replace("             {body}: &amp;\n", "")
    )
    assert given(node) == {
        "method": "POST",
        "url": "{{base}}/x?a=1",
        "max_retries": 3,
        "headers": {"A": "{{x}}", "B {{n}}": "it's {{ {a: \"}}\"} }}", "{{key}}": "c"},
        "body": "{{input}}",
        "params": [
            "{{a}}",
            '{{b["k"]}}\n',
            "literal \\{{x}}",
            ["{{c}}", "010", "yes", "12:30", 1.5, True, None, "2024-01-01"],
        ],
        "text": "one {{x}}\n  two",
    }  # fmt: skip


def test_an_empty_request_gives_nothing() -> None:
    for request in ("<request/>", "<request>\n  \n</request>", "<request># only words</request>"):
        assert given(only(f'<source:x id="a">{request}</source:x>')) == {}


def test_the_parts_of_nodes() -> None:
    document = read(
        """<context><set key="a" value="1"/><set key="b">two</set><set key="c"><value>3</value></set></context>
        <include id="i" workflow="x.xml"><bind key="k" value="v"/></include>
        <call id="c" workflow="y.xml" Name="n" foo-bar="x" input="i"><arg name="z">{{a}}</arg></call>
        <checkpoint id="k" prompt="ok?"><action id="y" label="Y" goto="o"/><action id="n"/></checkpoint>
        <source:x id="s"><on-error><retry max="3" when="true"/><fallback node="f"/></on-error></source:x>
        <output><set field="r" value="{{c}}"/></output>"""
    )
    context, include, call, checkpoint, source, output = document.body.nodes
    assert [given(part) for part in context.assignments] == [
        {"key": "a", "value": "1"}, {"key": "b", "value": "two"}, {"key": "c", "value": "3"},
    ]  # fmt: skip
    assert [given(part) for part in include.binds] == [{"key": "k", "value": "v"}]
    assert [given(part) for part in call.arguments] == [
        {"name": "Name", "value": "n"}, {"name": "foo-bar", "value": "x"}, {"name": "z", "value": "{{a}}"},
    ]  # fmt: skip
    assert {part.tag for part in call.arguments} == {"arg"}
    assert (given(call), plain(call.input)) == ({"workflow": "y.xml"}, "i")
    assert [given(part) for part in checkpoint.actions] == [
        {"id": "y", "label": "Y", "goto": "o"},
        {"id": "n"},
    ]
    assert given(source.on_error.retry) == {"max": "3", "when": "true"}  # type: ignore[arg-type]
    assert given(source.on_error.fallback) == {"node": "f"}  # type: ignore[arg-type]
    assert [given(part) for part in output.fields] == [{"field": "r", "value": "{{c}}"}]


def test_on_error_and_compensate_stand_in_every_kind_of_node() -> None:
    extra = '<on-error><fallback node="f"/></on-error><compensate><delay/></compensate>'
    for body in (
        f'<source:x id="a">{extra}</source:x>',
        f'<loop id="a">{extra}<delay/></loop>',
        f'<parallel id="a"><branch/>{extra}</parallel>',
        f'<if id="a" condition="x"><then/>{extra}</if>',
        f'<call id="a" workflow="x">{extra}</call>',
        f'<phase name="a">{extra}</phase>',
    ):
        node = only(body)
        assert node.on_error.fallback is not None
        assert node.on_error.retry is None
        assert len(node.compensate.nodes) == 1


def test_settings_of_a_block_may_be_child_elements_between_its_nodes() -> None:
    node = only(
        '<foreach id="f"><collection>[1]</collection><delay/>'
        "<max-concurrency>2</max-concurrency></foreach>"
    )
    assert given(node) == {"collection": "[1]", "max_concurrency": "2"}
    assert len(node.body.nodes) == 1
    assert node.body.settings == {}


def test_params_secrets_and_attributes_of_the_workflow() -> None:
    document = read(
        """
        <param name="a" type="number" default="5" required="true"> how many </param>
        <param name="b" type="enum[x, 'y']" default="y"/>
        <param name="c" type="object" default='{"k": [1]}'/>
        <param name="d" default="5"/><param name="e" type="string" default="5"/>
        <param name="f" type="boolean" default="false"/><param name="g" type="array"/>
        <!-- x --><secret name="KEY">the key</secret><delay/>""",
        'name="w" version="1.2" description="d" timeout="5m" maxConcurrency="3"',
    )
    assert (document.name, document.version, document.description) == ("w", "1.2", "d")
    assert (plain(document.timeout), plain(document.max_concurrency)) == ("5m", "3")
    assert [
        (p.name, p.type, p.has_default, p.default, p.required, p.description) for p in document.parameters
    ] == [
        ("a", "number", True, 5, True, "how many"), ("b", "enum", True, "y", False, ""),
        ("c", "object", True, {"k": [1]}, False, ""), ("d", None, True, "5", False, ""),
        ("e", "string", True, "5", False, ""), ("f", "boolean", True, False, False, ""),
        ("g", "array", False, None, False, ""),
    ]  # fmt: skip
    assert document.parameters[1].choices == ("x", "y")
    assert [secret.name for secret in document.secrets] == ["KEY"]
    assert document.secrets[0].location.line == 7
    assert len(document.body.nodes) == 1


FRONT = """---
name: w
version: 1.10
description: "d"
config:
  count: {type: number, default: 3, required: true, description: how many}
  text: {type: string, default: 1.10}
  mode:
    type: enum[fast, slow]
    default: slow
  short: 5
secrets: [A, B]
runtime: {timeout: 5m, concurrency: 8, retry: 2}
trigger: {manual: true}
schemas: {a: [1, x]}
evolution: yes
---

<!-- the workflow -->
<workflow>
  <delay id="d" duration="5s"/>
</workflow>

# Words
<!DOCTYPE html> & < are words, too: <b>
"""


@pytest.mark.parametrize("text", [FRONT, FRONT.replace("\n", "\r\n"), "\ufeff" + FRONT])
@pytest.mark.parametrize("file", ["f.flow.md", "f.txt"])
def test_front_matter_and_words_behind_the_workflow(text: str, file: str) -> None:
    parsed = parse(text, file=file)
    document = parsed.document
    assert parsed.problems == ()
    assert document is not None
    assert (document.name, document.version, document.description) == ("w", "1.10", "d")
    assert [(p.name, p.type, p.default, p.required) for p in document.parameters] == [
        ("count", "number", 3, True), ("text", "string", "1.10", False), ("mode", "enum", "slow", False),
        ("short", None, 5, False),
    ]  # fmt: skip
    assert document.parameters[2].choices == ("fast", "slow")
    assert document.parameters[0].location.line == 6
    assert [secret.name for secret in document.secrets] == ["A", "B"]
    assert [plain(x) for x in (document.timeout, document.max_concurrency, document.retry)] == [
        "5m",
        "8",
        "2",
    ]
    assert (document.trigger, document.schemas, document.evolution) == (
        {"manual": True},
        {"a": [1, "x"]},
        "yes",
    )
    [node] = document.body.nodes
    assert (node.location.line, node.location.column) == (21, 3)
    assert text[node.offset :].startswith("<delay")


def test_a_flow_file_needs_no_front_matter_and_attributes_win_over_it() -> None:
    bare = parse('\n<workflow name="w"/>\nwords & more', file="f.flow.md")
    assert bare.problems == ()
    assert bare.document is not None
    both = parse(
        '---\nname: a\nversion: 1.0\n---\n<workflow name="b" version="2.0"/>', file="f.flow.md"
    )
    assert both.document is not None
    assert (both.document.name, both.document.version) == ("b", "2.0")


@pytest.mark.parametrize("word", ["string", "number", "object", "enum[a, b]"])
def test_a_type_in_the_place_of_a_default_is_a_warning(word: str) -> None:
    text = f"---\nname: w\nconfig:\n  city: '{word}'\n  town: strings\n---\n<workflow/>"
    found = [
        (problem.code, problem.severity, problem.location.line, problem.expected)
        for problem in parse(text, file="w.flow.md").problems
    ]
    assert found == [("default-not-type", "warning", 4, f"city: {{type: {word}}}")]


@pytest.mark.parametrize(
    ("written", "right"), [("1.0", True), ("1.10.3", True), ("abc", False), ("1", False)]
)
def test_the_version_of_a_workflow_is_two_or_three_numbers_in_both_forms(
    written: str, right: bool
) -> None:
    attribute = parse(f'<workflow name="w" version="{written}"/>', file="w.xml")
    text = f"---\nname: w\nversion: '{written}'\n---\n<workflow/>"
    for parsed in (attribute, parse(text, file="w.flow.md")):
        assert parsed.document is not None
        assert parsed.document.version == written
        codes = [(problem.code, problem.expected) for problem in parsed.problems]
        assert codes == ([] if right else [("version", "X.Y or X.Y.Z")])


@pytest.mark.parametrize(
    ("front", "attribute", "message"),
    [
        ("", 'name="b"', "the front matter has name: a, and this is what counts"),
        (
            "version: 1.0",
            'version="2.0"',
            "the front matter has version: 1.0, and this is what counts",
        ),
        (
            "runtime: {concurrency: 8}",
            'maxConcurrency="4"',
            "the front matter has concurrency: 8, and this is what counts",
        ),
        (
            "runtime: {timeout: 5m}",
            'timeout="1m"',
            "the front matter has timeout: 5m, and this is what counts",
        ),
        ("runtime: {timeout: 5m}", 'timeout="5m" name="a"', None),
        (f"description: {'x' * 99}", f'description="{"x" * 99}"', None),
        (
            f"description: {'x' * 99}",
            'description="y"',
            "the front matter has description: a text of 99 characters, and this is what counts",
        ),
        ("", 'version="2.0"', None),
    ],
)
def test_what_the_workflow_and_its_front_matter_say_otherwise_is_a_warning(
    front: str, attribute: str, message: str | None
) -> None:
    body = '<transform id="t" template="1"/>'
    text = f"---\nname: a\n{front}\n---\n<workflow {attribute}>{body}</workflow>"
    found = parse(text, file="w.flow.md").problems
    assert [problem.message for problem in found] == ([] if message is None else [message])
    assert all(problem.code == "said-otherwise" for problem in found)
    assert all(problem.location.line == 5 for problem in found)


REFUSED = "which only an output-schema can be, as a whole or by its name among the schemas"


@pytest.mark.parametrize(
    ("front", "message", "expected"),
    [
        (
            "input: {type: object, properties: {a: {type: string}}}",
            "this is a JSON Schema; here each member stands with its type",
            "the short form: {name: type}",
        ),
        (
            "output: {$schema: 'x', type: object}",
            "this is a JSON Schema; here each member stands with its type",
            "the short form: {name: type}",
        ),
        (
            "input: {a: {type: object, properties: {b: {type: string}}}}",
            f"that is a JSON Schema, {REFUSED}",
            "the short form: {name: type}",
        ),
        (
            "input: {a: {type: string, minLength: 3}}",
            f"that is a JSON Schema, {REFUSED}",
            "the short form: {name: type}",
        ),
        (
            "schemas: {P: {type: object, properties: {a: {type: string}}}}\ninput: P",
            f"'P' is a JSON Schema, {REFUSED}",
            "the short form: {name: type}",
        ),
        (
            "schemas: {P: {type: array, items: {type: string}}}\ninput: P",
            f"'P' is a JSON Schema, {REFUSED}",
            "the short form: {name: type}",
        ),
        (
            "schemas: {P: {anyOf: [{type: string}, {type: number}]}}\ninput: {a: P}",
            f"in the field 'a': 'P' is a JSON Schema, {REFUSED}",
            "the short form: {name: type}",
        ),
        (
            "input: P",
            "there is no schema 'P'",
            "the members, {name: type}, or schemas: {P: {name: type}}",
        ),
        (
            "config: {type: object, properties: {a: {type: string}}}",
            "this is a JSON Schema; here each key stands with its description",
            "{name: {type: string, default: …}}",
        ),
        (
            "schemas: P",
            "schemas is not a mapping, so that no schema has a name",
            "schemas: {Name: {name: type}}",
        ),
    ],
)
def test_a_json_schema_in_a_place_for_something_else_is_told_what_stands_there(
    front: str, message: str, expected: str
) -> None:
    (found,) = parse(f"---\nname: w\n{front}\n---\n<workflow/>", file="w.flow.md").problems
    assert found.message == message
    assert found.expected == expected


@pytest.mark.parametrize(
    "front",
    [
        "input: {type: string}",
        "input: {type: string, items: 'string[]', properties: object}",
        "input: {type: {type: string}, required: [string]}",
        "config: {type: array, minimum: 3, required: [a, b]}",
        "schemas: {P: {type: string, properties: object}}\noutput: P",
    ],
)
def test_members_may_be_called_as_words_of_json_schema(front: str) -> None:
    found = parse(f"---\nname: w\n{front}\n---\n<workflow/>", file="w.flow.md").problems
    assert [problem.code for problem in found if problem.severity == "error"] == []
