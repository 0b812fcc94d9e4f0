"""Owns the tests of what front matter says of shapes: ``input``, ``output``, ``schemas``, as read and as run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio

import flowscript_trio as fs

FRONT = """---
name: w
schemas:
  Person: "{name: string, tags: string[]}"
  Team: {lead: Person, all: "Person[]"}
  Strict: {type: object, properties: {z: {type: string}}, additionalProperties: false}
"""
SET = '<set id="s" var="v" value="{{$input}}"/>'


def flow_of(front: str, body: str) -> fs.Flow:
    return fs.loads(f"{FRONT}{front}---\n<workflow>{body}</workflow>", name="w.flow.md")


def problems_of(front: str, body: str) -> list[tuple[str, str]]:
    with pytest.raises(fs.WorkflowInvalid) as caught:
        flow_of(front, body)
    return [(problem.code, problem.message) for problem in caught.value.problems]


def run(flow: fs.Flow, **options: Any) -> Any:
    async def main() -> Any:
        return (await fs.run(flow, **options)).output

    return trio.run(main)


def ai(schema: str, use: str) -> str:
    node = f'<ai id="a" model="m" user="u" output-schema="{schema}"/>'
    return f'{node}<transform:template id="t" template="{{{{{use}}}}}"/>'


@pytest.mark.parametrize(
    ("schema", "use"),
    [("Team", "a.lead.nam"), ("{people: Person[]}", "a.people[0].nam"), ("Strict", "a.nam")],
)
def test_a_schema_of_the_document_stands_in_output_schema_by_its_name(
    schema: str, use: str
) -> None:
    ((code, message),) = problems_of("", ai(schema, use))
    assert code == "unknown-member"
    assert message.endswith("has no member 'nam'")


def test_a_name_of_no_schema_is_an_error_with_the_nearest_one() -> None:
    ((code, message),) = problems_of("", ai("Teem", "a"))
    assert code == "invalid-setting"
    assert "did you mean 'Team'?" in message


def test_a_schema_that_has_itself_inside_is_an_error() -> None:
    ((_, message),) = problems_of('  Loop: "{again: Loop}"\n', ai("{one: Loop}", "a"))
    assert "'Loop' has itself inside" in message


def test_a_json_schema_is_named_for_a_whole_schema_only() -> None:
    ((_, message),) = problems_of("", ai("{one: Strict}", "a"))
    assert "'Strict' is a JSON Schema" in message


def test_the_input_and_the_output_may_be_a_schema_of_the_document() -> None:
    front = "input: Team\noutput: Team\n"
    body = (
        '<output><set field="lead" value="{{$input.lead}}"/><set field="all" value="[]"/></output>'
    )
    ann = {"name": "Ann", "tags": []}
    flow = flow_of(front, body.replace('"[]"', '"{{ [] }}"'))
    assert run(flow, input={"lead": ann, "all": []}) == {"lead": ann, "all": []}
    with pytest.raises(fs.InputError, match=r"'all' is missing \(declared at w.flow.md:7:8\)"):
        run(flow, input={"lead": ann})
    with pytest.raises(fs.OutputError, match="all is '\\[\\]'; expected array"):
        run(
            flow_of(front, body.replace('"[]"', '"{{$config.all}}"')),
            input={"lead": ann, "all": []},
            config={"all": "[]"},
        )
    assert problems_of(front, '<set var="v" value="{{$input.lead.nam}}"/>') == [
        ("unknown-member", "'$input.lead' has no member 'nam'")
    ]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Teem", "there is no schema 'Teem'"),
        (
            "Strict",
            "'Strict' is a JSON Schema, which only an output-schema can be, as a whole or by its name among the "
            "schemas",
        ),
        ("Word", "'Word' is not the schema of an object"),
    ],
)
def test_what_has_no_members_is_no_input(name: str, message: str) -> None:
    ((_, said),) = problems_of(f"  Word: string\ninput: {name}\n", '<set var="v" value="1"/>')
    assert said == message


DECLARED = (
    'input: {order: {id: number, by: Person}, note?: string, size: {type: "enum[s, m]", '
    "default: s}, rest: {type: object}}\n"
)
ORDER = {"id": 1, "by": {"name": "Ada", "tags": []}}


def test_the_declared_input_is_known() -> None:
    flow = flow_of(DECLARED, SET)
    assert str(flow.types.input) == (
        '{order: {id: number, by: {name: string, tags: string[]}}, note: string?, size: enum["m", "s"]?, '
        "rest: object?, …}"
    )


@pytest.mark.parametrize("use", ["$input.order.idd", "input.order.by.nam", "$input.note.x"])
def test_a_member_that_the_declared_input_cannot_have_is_an_error(use: str) -> None:
    ((code, _),) = problems_of(DECLARED, f'<transform:template id="t" template="{{{{{use}}}}}"/>')
    assert code == "unknown-member"


def test_callers_may_give_more_than_is_declared() -> None:
    flow = flow_of(DECLARED, '<set id="s" var="v" value="{{$input.more.x}}"/>')
    assert run(flow, input={"order": ORDER, "more": {"x": 1}}) == 1


def test_a_run_is_given_the_declared_defaults_of_its_input() -> None:
    flow = flow_of(DECLARED, SET)
    assert run(flow, input={"order": ORDER}) == {"order": ORDER, "size": "s"}
    assert flow.types.input.holds(run(flow, input={"order": ORDER, "note": None}))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, "'order' is missing"),
        ({}, "'order' is missing"),
        ([], "is of type list; expected an object with order"),
        ({"order": {"id": "x", "by": ORDER["by"]}}, "order.id is 'x'; expected number"),
        ({"order": {**ORDER, "more": 1}}, "order has 'more'"),
        ({"order": ORDER, "size": "xl"}, "size is 'xl'; expected one of 's', 'm'"),
    ],
)
def test_an_input_that_does_not_fit_is_refused_before_anything_runs(given: Any, words: str) -> None:
    with pytest.raises(fs.InputError) as caught:
        run(flow_of(DECLARED, SET), input=given)
    assert words in str(caught.value)


@pytest.mark.parametrize("kind", ["include", "call"])
def test_the_input_of_another_document_is_held_against_what_it_declares(
    kind: str, tmp_path: Path
) -> None:
    part = '<arg name="n" value="{}"/>' if kind == "call" else '<bind key="n" value="{}"/>'
    inner = '---\nname: i\ninput: {n: number}\n---\n<workflow><set var="v" value="{{$input.n}}"/></workflow>'
    (tmp_path / "inner.flow.md").write_text(inner, encoding="utf-8")
    for value, given, fits in (
        ("3", None, True),
        ("{{input}}", 3, True),
        ("{{input}}", "three", False),
    ):
        node = f'<{kind} id="i" workflow="inner.flow.md">{part.format(value)}</{kind}>'
        (tmp_path / "outer.xml").write_text(
            f'<workflow name="o">{node}</workflow>', encoding="utf-8"
        )
        flow = fs.load(tmp_path / "outer.xml")
        if fits:
            assert run(flow, input=given) == 3
            assert str(flow.types.nodes["i"]) == "number"
        else:
            with pytest.raises(fs.InputError, match="n is 'three'; expected number"):
                run(flow, input=given)


def test_an_output_that_cannot_have_what_is_declared_is_an_error_where_that_stands() -> None:
    body = '<output><set field="totl" value="1"/></output>'
    text = f"{FRONT}output: {{total: number, rest: any}}\n---\n<workflow>{body}</workflow>"
    with pytest.raises(fs.WorkflowInvalid) as caught:
        fs.loads(text, name="w.flow.md")
    (problem,) = caught.value.problems
    assert (problem.code, problem.location.line, problem.location.column) == (
        "missing-output",
        7,
        10,
    )


def test_an_output_that_does_not_fit_fails_the_run_and_its_cleanup_runs() -> None:
    body = (
        '<set id="a" var="v" value="1"><compensate><set id="undone" var="w" value="1"/></compensate></set>'
        '<output><set field="total" value="{{$input}}"/></output>'
        '<finally><set id="cleaned" var="w" value="1"/></finally>'
    )
    flow = flow_of("output: {total: number}\n", body)
    assert run(flow, input=3) == {"total": 3}
    with pytest.raises(fs.OutputError, match="total is 'x'; expected number") as caught:
        run(flow, input="x")
    failure = fs.failure_of(caught.value)
    assert failure is not None
    assert {"undone", "cleaned"} <= {result.label for result in failure.record}


def test_an_early_return_is_held_against_the_declared_output() -> None:
    flow = flow_of("output: {total: number}\n", '<return value="{{$input}}"/>')
    assert run(flow, input={"total": 1}) == {"total": 1}
    with pytest.raises(fs.OutputError, match="expected an object with total"):
        run(flow, input=[])
    with pytest.raises(fs.OutputError, match="'total' is missing"):
        run(flow, input={})


def test_a_called_document_whose_output_does_not_fit_fails_its_node(tmp_path: Path) -> None:
    inner = '---\nname: i\noutput: {n: number}\n---\n<workflow><return value="{{ {n: $input.n} }}"/></workflow>'
    (tmp_path / "inner.flow.md").write_text(inner, encoding="utf-8")
    node = '<call id="i" workflow="inner.flow.md" n="three"><on-error><fallback node="f"/></on-error></call>'
    text = f'<workflow name="o">{node}<set id="f" var="v" value="{{{{$error.type}}}}"/></workflow>'
    (tmp_path / "outer.xml").write_text(text, encoding="utf-8")
    assert run(fs.load(tmp_path / "outer.xml")) == "OutputError"


@pytest.mark.parametrize("key", ["input", "output"])
def test_a_shape_that_is_none_is_an_error_at_its_place(key: str) -> None:
    text = f"{FRONT}{key}: {{a: strng}}\n---\n<workflow>{SET}</workflow>"
    with pytest.raises(fs.WorkflowInvalid) as caught:
        fs.loads(text, name="w.flow.md")
    problem = caught.value.problems[0]
    assert problem.code == "invalid-schema"
    assert "did you mean 'string'?" in problem.message
    assert problem.location.line == 7
