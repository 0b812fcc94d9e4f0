"""Owns the tests of shapes through a document: what is known of its nodes, and the members that cannot be there."""
# ruff: noqa: E501  (each case of a table is one line)

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.expression.functions import functions
from flowscript_trio.expression.shaping import signatures
from flowscript_trio.runtimes.types import ExecutionParams

from harvest import CORPUS

MARK = "⟦"
AI = '<ai id="an" model="m" user="u" output-schema="{summary: string, score: number, parts: {name: string}[]}"/>'
ROWS = '<transform:template id="rows" template="{{ [{a: 1, b: \'x\'}, {a: 2, b: null}] }}"/>'


def document(body: str, start: str = "") -> str:
    return f'{start}<workflow name="w">{body}</workflow>'


def errors_of(text: str, **options: Any) -> list[fs.Problem]:
    name = "w.flow.md" if text.startswith("---") else "w.xml"
    try:
        fs.loads(text, name=name, **options)
    except fs.WorkflowInvalid as exc:
        return [problem for problem in exc.problems if problem.severity == "error"]
    return []


def check_marked(text: str, **options: Any) -> list[fs.Problem]:
    """The errors of a document, which are those at its marks."""
    places, clean = [], ""
    for part in text.split(MARK)[:-1]:
        clean += part
        places.append((clean.count("\n") + 1, len(clean) - clean.rfind("\n")))
    found = errors_of(text.replace(MARK, ""), **options)
    assert [(each.location.line, each.location.column) for each in found] == places, found
    return found


def types_of(text: str, **options: Any) -> dict[str, str]:
    name = "w.flow.md" if text.startswith("---") else "w.xml"
    flow = fs.loads(text, name=name, **options)
    return {name: str(each) for name, each in flow.types.nodes.items()}


WRONG = [
    (AI, '<transform:template id="t" template="{{an.⟦sumary}}"/>', "summary"),
    (AI, '<transform:template id="t" template="a {{an.parts[0].⟦nam}} b"/>', "name"),
    (AI, '<transform:map id="t" input="an.parts" expression="item.⟦nam"/>', "name"),
    (AI, '<transform:filter id="t" input="an.parts" condition="x => x.⟦nam"/>', "name"),
    (AI, '<transform:reduce id="t" input="an.parts" initial="\'\'" expression="acc + item.⟦nam"/>', "name"),
    (AI, '<transform:map id="t" input="an.⟦prts" expression="item"/>', "parts"),
    (AI, '<foreach id="t" collection="an.parts"><set var="v" value="{{item.⟦nam}}"/></foreach>', "name"),
    (AI, '<foreach id="t" collection="an.parts" item="p"><set var="v" value="{{p.⟦nam}}"/></foreach>', "name"),
    (AI, '<foreach id="t" collection="an.⟦prts"><set var="v" value="1"/></foreach>', "parts"),
    (AI, '<if id="t" condition="an.⟦scor &gt; 3"><then><set var="v" value="1"/></then></if>', "score"),
    (AI, '<transform:template id="t" if="an.⟦scor" template="x"/>', "score"),
    (AI, '<source:http id="t" url="http://h/{{an.⟦summry}}"/>', "summary"),
    (AI, '<source:http id="t"><request>\nurl: http://h/\nheaders:\n  A: "{{an.⟦summry}}"\n</request></source:http>', "summary"),
    (AI, '<output><set field="f" value="{{an.⟦summry}}"/></output>', "summary"),
    (AI, '<set var="v" value="{{an}}"/><transform:template id="t" template="{{v.⟦summry}}{{$context.v.⟦summry}}"/>', "summary"),
    (ROWS, '<transform:template id="t" template="{{rows[0].⟦aa}}"/>', "a"),
    (ROWS, '<transform:map id="m" input="rows" expression="{x: item.a}"/><transform:template id="t" template="{{m[1].⟦y}}"/>', None),
    (ROWS, '<foreach id="f" collection="rows"><transform:template id="i" template=\'{"n": "{{item.b}}"}\'/></foreach><transform:template id="t" template="{{f[0].⟦nn}}"/>', "n"),
    (ROWS, '<foreach id="f" collection="rows" merge="{n: $branches.length}"><set var="v" value="1"/></foreach><transform:template id="t" template="{{f.⟦nn}}"/>', "n"),
    (ROWS, '<foreach id="f" collection="rows" batch="2"><set var="v" value="{{item[0].⟦c}}"/></foreach>', None),
    ("", '<context id="c"><set key="one" value="1"/></context><transform:template id="t" template="{{c.⟦on}}"/>', "one"),
    ("", '<sink:file id="s" path="a.json"/><transform:template id="t" template="{{s.⟦paht}}"/>', "path"),
    ("", '<sink:http id="s" url="http://h/"/><transform:template id="t" template="{{s.⟦stauts}}"/>', "status"),
    ("", '<source:http id="s" url="http://h/" response="full"/><transform:template id="t" template="{{s.⟦stauts}}"/>', "status"),
    ("", '<sink:database id="s" connection="sqlite:///a.db" table="t"/><transform:template id="t" template="{{s.⟦row}}"/>', "rows"),
    ("", '<source:file id="s" path="a.csv" header="name, age"/><transform:map id="t" input="s" expression="item.⟦nam"/>', "name"),
    ("", '<checkpoint id="s" prompt="?"/><transform:template id="t" template="{{s.⟦actoin}}"/>', "action"),
    ("", '<transform:template id="s" template="text"/><transform:template id="t" template="{{s.⟦x}}"/>', None),
    ("", '<parallel id="s" merge="object"><branch><set id="a" var="v" value="{{ {x: 1} }}"/></branch></parallel><transform:template id="t" template="{{s.⟦yy}}"/>', None),
    ("", '<parallel id="s"><branch><set id="a" var="v" value="{{ {x: 1} }}"/></branch></parallel><transform:template id="t" template="{{s[0].⟦y}}"/>', None),
    ("", '<phase name="p"><set id="a" var="v" value="{{ {x: 1} }}"/></phase><transform:template id="t" input="p.⟦y" template="t"/>', None),
    ("", '<if id="i" condition="$input"><then><set var="v" value="{{ {x: 1} }}"/></then><else><set var="v" value="{{ {y: 1} }}"/></else></if><transform:template id="t" template="{{i.⟦z}}{{i.x}}{{i.y}}"/>', None),
    ("", '<set id="a" var="v" value="{{ {x: 1} }}"><on-error><fallback node="b"/></on-error></set><set id="b" var="w" value="{{ {y: 1} }}"/><transform:template id="t" template="{{a.x}}{{a.y}}{{a.⟦z}}"/>', None),
]  # fmt: skip


@pytest.mark.parametrize(("before", "use", "near"), WRONG, ids=[case[1] for case in WRONG])
def test_a_member_that_cannot_be_there_is_an_error_at_its_place(
    before: str, use: str, near: str | None
) -> None:
    for problem in check_marked(document(before + use)):
        assert problem.code == "unknown-member"
        assert near is None or problem.suggestion == near


RIGHT = [
    (AI, "{{an.summary}}{{an['score']}}{{an.parts[0].name}}{{an.parts.length}}{{an.summary.length}}"),
    (AI, "{{an.output.summary}}{{an.status}}{{an.error.message}}{{an.failures}}{{an.length}}"),
    ('<ai id="an" model="m" user="u"/>', "{{an.length}}{{an[0]}}"),
    ('<ai id="an" model="m" user="u" output-schema="{a: object, b: any}"/>', "{{an.a.x.y}}{{an.b.x}}"),
    ('<source:http id="an" url="http://h/"/>', "{{an.anything.at[0].all}}"),
    ('<source:http id="an" url="http://h/" response="{{$input.r}}"/>', "{{an.anything}}"),
    ('<source:database id="an" connection="sqlite:///a.db" query="SELECT 1"/>', "{{an[0].column}}{{an.length}}"),
    ('<source:file id="an" path="a.csv"/>', "{{an[0].column}}"),
    ('<source:file id="an" path="{{$input.p}}"/>', "{{an[0].column}}{{an.x}}"),
    ('<transform:template id="an" template="{{$input}}"/>', "{{an.x.y}}"),
    ('<transform:template id="an" template="{{json_encode($input)}}"/>', "{{an.x.y}}"),
    ('<transform:template id="an" format="json" template="{ {{$input.k}}: 1 }"/>', "{{an.x}}"),
    ('<transform:template id="an" format="{{$input.f}}" template=\'{"a": 1}\'/>', "{{an.a}}"),
    ('<loop id="an" max="2"><set id="i" var="n" value="{{ {at: i.at + 1} }}"/></loop>', "{{an.at}}{{n.at}}"),
    ('<set var="n" value="{{ {a: 1} }}"/><set var="n" value="{{ {b: 1} }}"/><set id="an" var="m" value="1"/>', "{{n.a}}{{n.b}}"),
    ('<set id="an" var="n" value="{{ {...$input, a: 1} }}"/>', "{{n.a}}{{n.b}}"),
    ('<call id="an" workflow="lib.xml"/>', "{{an.x}}"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "use"), RIGHT, ids=[case[0] + case[1] for case in RIGHT])
def test_a_member_that_may_be_there_is_no_error(before: str, use: str) -> None:
    text = document(f'{before}<transform:template id="t" template="{use}"/>')
    assert [p for p in errors_of(text) if p.code not in ("unknown-document",)] == []


TYPES = [
    (AI, "{summary: string, score: number, parts: {name: string}[]}"),
    ('<ai id="an" model="m" user="u"/>', "string"),
    ('<set id="an" var="v" value="7"/>', "number"),
    ('<set id="an" var="v" value="7" type="string"/>', 'enum["7"]'),
    ('<set id="an" var="v" value="{{$input}}" type="string"/>', "string"),
    ('<transform:template id="an" template=\'{"a": [1, "{{$input.x}}", {{$input.y}}], "b": null}\'/>', "{a: any[], b: null}"),
    ('<transform:template id="an" template="{{1}}" if="$input.x"/>', "number?"),
    ('<delay id="an" duration="1s" input="s"/><set id="s" var="v" value="7"/>', "number"),
    ('<parallel id="an" merge="none"><branch><set var="v" value="7"/></branch></parallel>', "number"),
    ('<parallel id="an" merge="concat"><branch><set var="v" value="7"/></branch><branch><set var="w" value="{{[true]}}"/></branch></parallel>', "(boolean | number)[]"),
    ('<parallel id="an" tolerate="1"><branch><set var="v" value="7"/></branch></parallel>', "number?[]"),
    ('<foreach id="an" collection="range(3)"><set var="v" value="{{item}}"/></foreach>', "number[]"),
    ('<foreach id="an" collection="range(3)" wait="any"><set var="v" value="{{index}}"/></foreach>', "number[]"),
    ('<loop id="an" max="3"><set var="v" value="7"/></loop>', "number"),
    ('<while id="an" condition="false"><set var="v" value="7"/></while>', "number?"),
    ('<loop id="an"><set var="v" value="7"/><break when="true"/></loop>', "number?"),
    ('<timeout id="an" duration="1s" on-timeout="late"><set var="v" value="7"/></timeout><set id="late" var="w" value="{{true}}"/>', "boolean | number"),
    ('<branch id="an"><case when="$input"><set var="v" value="7"/></case></branch>', "number?"),
    ('<branch id="an"><case when="$input"><set var="v" value="7"/></case><default><set var="v" value="{{true}}"/></default></branch>', "boolean | number"),
    ('<if id="an" condition="$input"><then><set var="v" value="7" if="$input.x"/></then></if>', "number?"),
    ('<transform:reduce id="an" input="s" initial="0" expression="acc + 1" finalize="{n: acc}"/><set id="s" var="v" value="7"/>', "{n: any}"),
    ('<source:file id="an" path="a.csv" types="n: number, d: date"/>', "{n: number?, d: any, …}[]"),
    ('<source:file id="an" path="a.txt"/>', "string"),
    ('<source:file id="an" path="a.log"/>', "string[]"),
    ('<source:file id="an" path="a.csv" header="none"/>', "string?[][]"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "expected"), TYPES, ids=[case[0] for case in TYPES])
def test_what_is_known_of_a_node(body: str, expected: str) -> None:
    assert types_of(document(body))["an"] == expected


def test_what_is_known_of_a_flow() -> None:
    flow = fs.loads(
        document(
            '<param name="size" type="enum[a, b]" required="true"/><param name="rest" type="object"/>'
            '<set var="v" value="{{$config.size}}"/><return if="$input.early" value="{{ {early: true} }}"/>'
            '<output><set field="size" value="{{size}}"/><set field="v" value="{{v}}"/></output>'
        )
    )
    assert str(flow.types.config) == '{size: enum["a", "b"], rest: object?, …}'
    assert str(flow.types.input) == "any"
    assert str(flow.types.output) == '{size: enum["a", "b"]?, v: enum["a", "b"]?, early: boolean?}'


def test_a_member_of_a_declared_parameter_that_cannot_be_there_is_an_error() -> None:
    declared = '<param name="user" type="string"/><param name="any" type="object"/>'
    for use in ("user.⟦name", "$config.user.⟦name", "$context.user.⟦name", "$run.id.⟦x"):
        check_marked(document(f'{declared}<transform:template id="t" template="{{{{{use}}}}}"/>'))
    uses = "{{any.x.y}}{{$config.any.x}}{{user.length}}{{$input.user.name}}"
    assert errors_of(document(f'{declared}<transform:template id="t" template="{uses}"/>')) == []


def test_a_member_of_a_secret_is_an_error_and_not_an_empty_credential() -> None:
    declared = '<secret name="KEY"/>'
    for use in ("$secrets.KEY.⟦token", "$secrets['KEY'].⟦token", "$secrets.KEY?.⟦token"):
        check_marked(document(f'{declared}<transform:template id="t" template="{{{{{use}}}}}"/>'))
    uses = "{{$secrets.KEY.length}}{{$secrets.KEY.trim()}}{{json_decode($secrets.KEY).token}}"
    assert errors_of(document(f'{declared}<transform:template id="t" template="{uses}"/>')) == []


@pytest.mark.parametrize("kind", ["include", "call"])
def test_the_output_of_another_document_is_known(kind: str, tmp_path: Path) -> None:
    inner = '<output><set field="total" value="{{1 + 1}}"/></output>'
    (tmp_path / "inner.xml").write_text(document(inner), encoding="utf-8")
    outer = document(
        f'<{kind} id="i" workflow="inner.xml"/><transform:template id="t" template="{{{{i.totl}}}}"/>'
    )
    (tmp_path / "outer.xml").write_text(outer, encoding="utf-8")
    with pytest.raises(fs.WorkflowInvalid) as caught:
        fs.load(tmp_path / "outer.xml")
    (problem,) = caught.value.problems
    assert problem.message == "'i' has no member 'totl'"
    assert problem.suggestion == "total"


def test_an_include_that_lacks_a_required_parameter_is_an_error(tmp_path: Path) -> None:
    needs = '<param name="width" type="number" required="true"/><set var="v" value="{{width}}"/>'
    (tmp_path / "inner.xml").write_text(document(needs), encoding="utf-8")
    outer = tmp_path / "outer.xml"
    outer.write_text(document('<include id="i" workflow="inner.xml"/>'), encoding="utf-8")
    with pytest.raises(fs.WorkflowInvalid) as caught:
        fs.load(outer)
    assert [problem.code for problem in caught.value.problems] == ["missing-argument"]
    given = '<include id="i" workflow="inner.xml"><bind key="width" value="3"/></include>'
    for right in (given, '<param name="width"/><include id="i" workflow="inner.xml"/>'):
        outer.write_text(document(right), encoding="utf-8")
        fs.load(outer)


def test_an_included_document_that_inherits_what_another_needs_is_read_alone_with_a_warning(
    tmp_path: Path,
) -> None:
    needs = '<param name="width" type="number" required="true"/><set var="v" value="{{width}}"/>'
    (tmp_path / "inner.xml").write_text(document(needs), encoding="utf-8")
    middle = tmp_path / "middle.xml"
    middle.write_text(document('<include id="i" workflow="inner.xml"/>'), encoding="utf-8")
    outer = '<param name="width"/><include id="m" workflow="middle.xml"/>'
    (tmp_path / "outer.xml").write_text(document(outer), encoding="utf-8")
    fs.load(tmp_path / "outer.xml")
    assert [(p.code, p.severity) for p in fs.load(middle).warnings] == [
        ("missing-argument", "warning")
    ]


@pytest.mark.parametrize(
    "output",
    [
        "{hour: number}",
        {
            "type": "object",
            "properties": {"hour": {"type": "number"}},
            "additionalProperties": False,
        },
    ],
)
def test_a_runtime_of_the_application_says_what_it_gives(output: Any) -> None:
    registry = fs.Registry(base=fs.registry)

    @registry.runtime("source:clock", output=output)
    async def clock(params: ExecutionParams) -> Any: ...

    use = '<source:clock id="c"/><transform:template id="t" template="{{c.⟦huor}}"/>'
    (problem,) = check_marked(document(use), registry=registry)
    assert problem.suggestion == "hour"


def test_what_a_runtime_says_that_it_gives_is_a_schema() -> None:
    with pytest.raises(ValueError, match="did you mean 'number'"):
        fs.Registry().runtime("source:clock", output="{hour: numbr}")


def test_a_runtime_of_the_application_is_unknown_unless_it_says_what_it_gives() -> None:
    registry = fs.Registry(base=fs.registry)

    @registry.runtime("source:mine")
    async def mine(params: ExecutionParams) -> Any: ...

    text = document(
        '<source:mine id="m"/><set id="an" var="v" value="{{m}}"/><set var="w" value="{{m.x}}"/>'
    )
    assert types_of(text, registry=registry)["an"] == "any"


def test_what_stands_around_a_runtime_may_give_something_else() -> None:
    async def around(runtime: fs.NodeRuntime, params: ExecutionParams) -> Any:
        return await runtime.execute(params)

    text = document(f'{AI}<set id="v" var="v" value="{{{{an.sumary}}}}"/>')
    assert errors_of(text)
    assert errors_of(text, registry=fs.registry.wrapped(around)) == []


def test_a_call_that_cannot_succeed_is_an_error_at_its_place() -> None:
    (problem,) = check_marked(
        document('<transform:template id="t" template="{{⟦upper($input.x, 3)}}"/>')
    )
    assert problem.code == "impossible-call"
    assert problem.message == "upper() takes at most 1 argument; 2 were given"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("⟦upper()", "upper() needs an argument; none was given"),
        ("⟦lower()", "lower() needs an argument; none was given"),
        ("⟦map($input.xs)", "map() needs 2 arguments; 1 was given"),
        ("⟦contains()", "contains() needs 2 arguments; none was given"),
        ("$input.xs.⟦map()", "map() needs an argument; none was given"),
        ("$input.xs.⟦includes()", "includes() needs an argument; none was given"),
    ],
)
def test_a_call_with_too_few_arguments_is_an_error_at_its_place(call: str, message: str) -> None:
    (problem,) = check_marked(document(f'<set id="s" var="v" value="{{{{{call}}}}}"/>'))
    assert (problem.code, problem.message) == ("impossible-call", message)


@pytest.mark.parametrize(
    "call",
    [
        "now() + date() + time() + uuid()",
        "random() + random_int()",
        "timestamp()",
        "map(...$input.xs)",
        "upper(null)",
        "$input.s.trim() + $input.xs.join()",
        "min(...[])",
    ],
)
def test_a_call_with_as_many_arguments_as_it_needs_is_right(call: str) -> None:
    assert errors_of(document(f'<set id="s" var="v" value="{{{{{call}}}}}"/>')) == []


def test_every_function_that_needs_more_or_fewer_arguments_is_there() -> None:
    named = signatures._NONE_NEEDED | signatures._TWO_NEEDED
    assert named <= functions().keys()
    assert all(signatures.most_arguments(name) >= 2 for name in signatures._TWO_NEEDED)


@pytest.mark.parametrize(
    "use", ['template="{{gather.⟦fetsh}}"', 'template="x" input="gather.⟦fetsh"']
)
def test_a_member_of_a_block_that_is_not_there_may_be_meant_as_a_node_in_it(use: str) -> None:
    block = '<parallel id="gather"><branch><set id="fetch" var="x" value="1"/></branch></parallel>'
    (problem,) = check_marked(document(f'{block}<transform:template id="t" {use}/>'))
    assert problem.message == "'gather' is a list, which has no member 'fetsh'"
    assert (problem.expected, problem.suggestion) == ("fetch", "fetch")


def test_a_long_chain_of_nodes_is_followed_without_end_of_the_stack() -> None:
    nodes = '<set id="n0" var="v0" value="{{ {a: 1} }}"/>' + "".join(
        f'<set id="n{at}" var="v{at}" value="{{{{n{at - 1}}}}}"/>' for at in range(1, 2000)
    )
    use = '<transform:template id="t" template="{{n1999.a}}"/>'
    flow = fs.loads(document(nodes + use))
    assert str(flow.types.nodes["n1999"]) == "{a: number}"
    check_marked(document(nodes + use.replace("1999.a", "1999.⟦b")))


def test_the_types_of_a_run_hold_where_a_branch_is_tolerated() -> None:
    text = document(
        '<parallel id="p" tolerate="1"><branch><set id="a" var="v" value="{{ {x: 1} }}"/></branch>'
        '<branch><fail message="no"/></branch></parallel>'
    )
    flow = fs.loads(text)
    run = trio.run(fs.run, flow)
    assert flow.types.nodes["p"].holds(run.output)
    assert str(flow.types.nodes["p"]) == "any[]"


def test_no_document_that_tests_make_is_refused_for_its_shapes() -> None:
    judged = 0
    for line in CORPUS.read_text(encoding="utf-8").splitlines():
        judged += 1
        text = json.loads(line)
        found = [
            problem.message
            for problem in errors_of(text)
            if problem.code in ("impossible-call", "missing-output", "missing-package")
            or (problem.code == "unknown-member" and "has no member" in problem.message)
        ]
        assert found == [], text
    assert judged > 600


FAIL = '<fail id="f" message="m" status="3">{}</fail>'
SAID_OF_ERRORS = [
    (
        FAIL.format('<on-error><fallback node="h"/></on-error>')
        + '<transform:template id="h" template="{{$error.ERROR}} {{$error.headers.a}}{{$error.body.b}}"/>',
        ("type", "message", "status", "retryable", "node"),
    ),
    (
        FAIL.format('<on-error><retry max="1" base="0s" when="error.ERROR == 1 or $error.ERROR == 1"/></on-error>'),
        ("type", "message", "status", "retryable", "node"),
    ),
    (
        FAIL.format("")
        + '<on-workflow-error><set var="v" value="{{$error.ERROR}}"/></on-workflow-error>',
        ("type", "message", "status", "retryable", "node"),
    ),
    ('<set id="s" var="a" value="1"/><set var="v" value="{{s.error.ERROR}}"/>', ("type", "message", "status")),
    (
        f'<foreach id="e" collection="[1]" tolerate="1">{FAIL.format("")}</foreach>'
        '<set var="v" value="{{e.failures[0].ERROR}}{{e.failures.map(one => one.ERROR)}}"/>',
        ("index", "item", "type", "message", "status"),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("body", "members"), SAID_OF_ERRORS)
def test_what_is_said_of_an_error_is_known(body: str, members: tuple[str, ...]) -> None:
    """A ``when`` of ``error.staus`` was never true, and said nothing."""
    for member in members:
        fs.loads(f'<workflow name="w">{body.replace("ERROR", member)}</workflow>')
    with pytest.raises(fs.WorkflowInvalid) as caught:
        fs.loads(f'<workflow name="w">{body.replace("ERROR", "staus")}</workflow>')
    assert {problem.code for problem in caught.value.problems} == {"unknown-member"}
    assert "has no member 'staus'" in caught.value.problems[0].message


def test_an_error_in_an_output_is_the_outputs() -> None:
    set_ = '<set id="s" var="a" value="{{ {error: {code: 1}} }}"/>'
    fs.loads(f'<workflow name="w">{set_}<set var="v" value="{{{{s.error.code}}}}"/></workflow>')
    open_ = '<transform:template id="s" template="{{input}}"/>'
    fs.loads(f'<workflow name="w">{open_}<set var="v" value="{{{{s.error.code}}}}"/></workflow>')
