"""Owns the tests of ``<include>`` and ``<call>``: what the other document sees, and what comes back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.validator import check

from stubs import Stubs


class Folder:
    """Documents by their paths in a folder, with stubs to run them."""

    def __init__(self, folder: Path, **documents: str) -> None:
        self.path = folder
        self.stubs = Stubs()
        for name, text in documents.items():
            self.write(f"{name}.xml", text)

    def write(self, name: str, text: str) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(".xml") and not text.startswith("<workflow"):
            text = f'<workflow name="{path.stem}">\n{text}\n</workflow>'
        path.write_text(text)
        return path

    def load(self, name: str = "main.xml", **options: Any) -> fs.Flow:
        return fs.load(self.path / name, registry=self.stubs.registry, **options)

    async def run(self, **options: Any) -> fs.Run:
        return await fs.run(self.load(), **options)

    def problems(self, name: str = "main.xml", **options: Any) -> list[tuple[str, str, int]]:
        """Code, file name and line of everything that is wrong."""
        try:
            found = self.load(name, **options).warnings
        except fs.WorkflowInvalid as exc:
            found = exc.problems
        return [(p.code, Path(p.location.file).name, p.location.line) for p in found]


GREET = """<workflow name="greet" description="says hello">
  <param name="who" type="string" required="true"/>
  <param name="times" type="number" default="2"/>
  <secret name="KEY"/>
  <transform:template id="text" template="hello {{who}} {{times}} {{$input.extra ?? '-'}}"/>
  <output>
    <set field="text" value="{{text}}"/>
    <set field="config" value="{{$config}}"/>
    <set field="input" value="{{$input}}"/>
    <set field="secrets" value="{{keys($secrets)}}"/>
    <set field="env" value="{{$env}}"/>
  </output>
</workflow>"""


async def test_a_call_sees_its_arguments_and_the_secrets_that_it_declares_and_nothing_else(
    tmp_path: Path,
) -> None:
    folder = Folder(
        tmp_path,
        greet=GREET,
        main="""
        <set var="region" value="north"/>
        <source:stub id="name" gives="Ann"/>
        <call id="text" workflow="greet.xml" who="{{name}}"><arg name="times" value="3"/></call>
        """,
    )
    run = await folder.run(
        config={"mode": "fast"}, secrets={"KEY": "k", "OTHER": "o"}, env={"HOME": "/"}
    )
    assert run.output == {
        "text": "hello Ann 3 -",
        "config": {"who": "Ann", "times": 3},
        "input": {"who": "Ann", "times": 3},
        "secrets": ["KEY"],
        "env": {},
    }
    assert run.results["text"].output == run.output, (
        "the inner node of that id has a space of its own"
    )
    assert run.record["text/text"][0].output == "hello Ann 3 -"


async def test_an_include_inherits_configuration_and_secrets(tmp_path: Path) -> None:
    folder = Folder(
        tmp_path,
        greet=GREET,
        main='<param name="who"/><include id="i" workflow="greet.xml"><bind key="extra" value="!"/></include>',
    )
    run = await folder.run(
        config={"who": "Ben", "mode": "fast"}, secrets={"KEY": "k", "OTHER": "o"}, env={"A": "1"}
    )
    assert run.output == {
        "text": "hello Ben 2 !",
        "config": {"who": "Ben", "times": 2, "mode": "fast"},
        "input": {"extra": "!", "times": 2},
        "secrets": ["KEY", "OTHER"],
        "env": {"A": "1"},
    }


async def test_variables_of_the_caller_are_not_seen_and_those_of_the_called_do_not_come_out(
    tmp_path: Path,
) -> None:
    folder = Folder(
        tmp_path,
        part='<set var="x" value="2"/><transform:template id="t" template="{{x}} {{$context}}"/>',
        main="""
        <set var="x" value="1"/>
        <include id="i" workflow="part.xml"/>
        <transform:template id="t" after="i" template="{{i}} and {{x}}"/>
        """,
    )
    assert (await folder.run()).output == '2 {"x":2} and 1'


async def test_without_arguments_the_input_that_the_node_names_is_handed_over(
    tmp_path: Path,
) -> None:
    folder = Folder(
        tmp_path,
        part='<transform:map id="m" expression="item * 2"/>',
        main='<source:stub id="xs" gives="{{[1, 2]}}"/><call id="c" workflow="part.xml" input="xs"/>',
    )
    assert (await folder.run()).output == [2, 4]


async def test_the_first_error_comes_out_with_the_place_in_its_own_document(tmp_path: Path) -> None:
    folder = Folder(
        tmp_path,
        part='<source:stub id="bad" fails="broken"/><on-workflow-error><source:stub id="told"/>'
        '</on-workflow-error><finally><source:stub id="last"/></finally>',
        main='<include id="i" workflow="part.xml"/>',
    )
    with pytest.raises(ValueError, match="broken") as caught:
        await folder.run()
    assert caught.value is folder.stubs.errors["bad"]
    failure = fs.failure_of(caught.value)
    assert failure is not None
    assert (failure.node, failure.path) == ("bad", "i/bad")
    assert failure.location is not None
    assert failure.location.file.endswith("part.xml")
    assert folder.stubs.events == [
        *("start bad", "fail bad"),
        *("start told", "end told"),
        *("start last", "end last"),
    ]


async def test_cancellation_reaches_the_nodes_of_the_other_document_and_its_finally_runs(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    folder = Folder(
        tmp_path,
        part='<source:stub id="h" hangs="true"/><finally><source:stub id="f" takes="1s"/></finally>',
        main='<timeout id="t" duration="5s"><call id="c" workflow="part.xml"/></timeout>',
    )
    with pytest.raises(trio.TooSlowError):
        await folder.run()
    assert folder.stubs.events == ["start h", "cancelled h", "start f", "end f"]
    assert trio.current_time() == 6


async def test_the_timeout_of_the_other_document_bounds_it(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    folder = Folder(
        tmp_path,
        part='<workflow name="part" timeout="3s"><source:stub id="h" hangs="true"/></workflow>',
        main="""
        <include id="i" workflow="part.xml"><on-error><fallback node="b"/></on-error></include>
        <transform:template id="b" template="{{$error.message}}"/>
        """,
    )
    assert (await folder.run()).output == "'part' took longer than 3 s"
    assert trio.current_time() == 3


async def test_the_limit_of_the_other_document_is_its_own(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    nodes = "".join(f'<source:stub id="n{n}" takes="1s"/>' for n in range(4))
    folder = Folder(
        tmp_path,
        part=f'<workflow name="part" maxConcurrency="2">{nodes}</workflow>',
        main='<include id="i" workflow="part.xml"/>',
    )
    await folder.run()
    assert trio.current_time() == 2


async def test_compensations_of_the_other_document_follow_the_failure_of_the_run(
    tmp_path: Path,
) -> None:
    folder = Folder(
        tmp_path,
        part='<source:stub id="paid" gives="7"><compensate><parallel id="p"><branch>'
        '<source:stub id="refund" gives="{{paid}}"/></branch></parallel></compensate></source:stub>',
        main='<include id="i" workflow="part.xml"/><source:stub id="x" after="i" fails="late"/>',
    )
    with pytest.raises(ValueError, match="late"):
        await folder.run()
    assert folder.stubs.events[-4:] == ["start x", "fail x", "start refund", "end refund"]


async def test_one_document_may_be_run_many_times_at_once(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    folder = Folder(
        tmp_path,
        part='<source:stub id="s" takes="1s" gives="{{n}}"/>',
        main='<foreach id="f" collection="range(5)" maxConcurrency="5">'
        '<call id="c" workflow="part.xml" n="{{item * item}}"/></foreach>',
    )
    assert (await folder.run()).output == [0, 1, 4, 9, 16]
    assert trio.current_time() == 1


async def test_documents_in_documents_are_found_from_their_own_folders(tmp_path: Path) -> None:
    folder = Folder(tmp_path, main='<include id="i" workflow="lib/one.xml"/>')
    folder.write("lib/one.xml", '<include id="i" workflow="deep/two.flow.md"/>')
    folder.write(
        "lib/deep/two.flow.md",
        '---\nname: two\n---\n<workflow><transform:template id="t" template="two"/></workflow>\n# Notes\n',
    )
    assert (await folder.run()).output == "two"
    assert [r.path for r in folder_record(await folder.run())] == ["i/i/t", "i/i", "i"]


def folder_record(run: fs.Run) -> list[fs.NodeResult]:
    return list(run.record)


def test_a_cycle_is_found_when_the_document_is_read(tmp_path: Path) -> None:
    folder = Folder(
        tmp_path,
        main='<include id="i" workflow="a.xml"/>',
        a='<call id="c" workflow="./b.xml"/>',
        b='\n<include id="i" workflow="a.xml"/>',
    )
    assert folder.problems() == [("document-cycle", "b.xml", 3)]
    with pytest.raises(fs.WorkflowInvalid, match=r"a\.xml → .*b\.xml → .*a\.xml"):
        folder.load()
    folder.write("self.xml", '<include id="i" workflow="self.xml"/>')
    assert folder.problems("self.xml") == [("document-cycle", "self.xml", 2)]


def test_documents_leave_the_folder_only_to_given_roots(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    folder = Folder(tmp_path / "in", main='<include id="i" workflow="../outside/o.xml"/>')
    Folder(outside, o='<source:stub id="s"/>')
    assert folder.problems() == [("forbidden-document", "main.xml", 2)]
    assert folder.problems(roots=[outside]) == []
    folder.write("main.xml", f'<include id="i" workflow="{outside / "o.xml"}"/>')
    assert folder.problems() == [("forbidden-document", "main.xml", 2)]
    (tmp_path / "in" / "link.xml").symlink_to(outside / "o.xml")
    folder.write("main.xml", '<include id="i" workflow="link.xml"/>')
    assert folder.problems() == [("forbidden-document", "main.xml", 2)]
    assert folder.problems(roots=[tmp_path]) == []


def test_a_path_is_looked_for_in_the_base_second(tmp_path: Path) -> None:
    base = tmp_path / "base"
    folder = Folder(tmp_path / "in", main='<include id="i" workflow="x.xml"/>')
    Folder(base, x='<source:stub id="s"/>')
    assert folder.problems() == [("unknown-document", "main.xml", 2)]
    assert folder.problems(roots=[base]) == [("unknown-document", "main.xml", 2)]
    assert folder.problems(base=base) == []
    text = '<workflow name="t"><include id="i" workflow="x.xml"/></workflow>'
    registry = folder.stubs.registry
    assert fs.loads(text, base=base, registry=registry).name == "t"
    with pytest.raises(fs.WorkflowInvalid, match="text has no folder"):
        fs.loads(text, registry=registry)


@pytest.mark.parametrize(
    ("written", "suggestion"),
    [
        ("prt.xml", "part.xml"),
        ("part", "part.xml"),
        ("nope.xml", None),
    ],
)
def test_a_document_that_is_not_there_is_answered_with_one_of_a_like_name(
    written: str, suggestion: str | None, tmp_path: Path
) -> None:
    use = f'<include id="i" workflow="{written}"/>'
    folder = Folder(tmp_path, main=use, part='<source:stub id="b"/>')
    with pytest.raises(fs.WorkflowInvalid) as caught:
        folder.load()
    [problem] = caught.value.problems
    assert (problem.code, problem.suggestion) == ("unknown-document", suggestion)


def test_all_problems_of_all_documents_are_reported_at_once(tmp_path: Path) -> None:
    folder = Folder(
        tmp_path,
        main='<source:stub id="a" tkes="1s"/>\n<include id="i" workflow="part.xml"/>'
        '\n<include id="j" workflow="prt.xml"/>\n<include id="k" workflow="broken.xml"/>',
        part='<source:stub id="b" gives="{{nope}}"/>',
        broken="<workflow name='x'><a></workflow>",
    )
    with pytest.raises(fs.WorkflowInvalid) as caught:
        folder.load()
    found = [(p.code, Path(p.location.file).name) for p in caught.value.problems]
    assert found[:3] == [
        ("unknown-setting", "main.xml"),
        ("unknown-document", "main.xml"),
        ("unknown-name", "part.xml"),
    ]
    assert {file for _, file in found[3:]} == {"broken.xml"}
    assert caught.value.problems[1].suggestion == "part.xml"


CALLS = [
    ('<call id="c" workflow="greet.xml"/>', [("missing-argument", 2)]),
    ('<call id="c" workflow="greet.xml" who="x" tims="3"/>', [("unknown-argument", 2)]),
    ('<call id="c" workflow="greet.xml" who="7"/>', []),
    ('<call id="c" workflow="greet.xml" who="x" times="true"/>', [("invalid-argument", 2)]),
    ('<call id="c" workflow="greet.xml" who="x">\n<arg name="who" value="y"/></call>', [("setting-twice", 3)]),
    ('<include id="c" workflow="greet.xml"/>', [("missing-argument", 2)]),
    ('<param name="who"/><include id="c" workflow="greet.xml"/>', []),
    (
        '<include id="c" workflow="greet.xml">\n<bind key="times" value="x"/></include>',
        [("missing-argument", 2), ("invalid-argument", 3)],
    ),
    ('<call id="c" workflow="{{$config.x}}"/>', [("not-constant", 2)]),
]  # fmt: skip


@pytest.mark.parametrize(("body", "expected"), CALLS)
def test_arguments_are_held_against_what_the_document_declares(
    tmp_path: Path, body: str, expected: list[tuple[str, int]]
) -> None:
    folder = Folder(tmp_path, greet=GREET, main=body)
    assert [(code, line) for code, _, line in folder.problems()] == expected


async def test_what_is_only_known_when_it_runs_is_checked_then(tmp_path: Path) -> None:
    folder = Folder(
        tmp_path,
        greet=GREET,
        main='<source:stub id="n" gives="{{7}}"/><call id="c" workflow="greet.xml" who="{{n}}"/>',
    )
    with pytest.raises(
        fs.InputError, match="the arguments of 'greet': 'who' is 7; expected a string"
    ):
        await folder.run()
    folder.write("main.xml", '<param name="who"/><include id="c" workflow="greet.xml"/>')
    with pytest.raises(fs.InputError, match="'who' is None; expected a string"):
        await folder.run()


async def test_other_runtimes_can_be_given_for_the_run(tmp_path: Path) -> None:
    folder = Folder(
        tmp_path,
        part='<source:stub id="s" gives="1"/>',
        main='<include id="i" workflow="part.xml"/>',
    )
    flow = folder.load()
    other = fs.Registry(base=folder.stubs.registry)

    @other.runtime("source:stub")
    async def stand_in(params: fs.ExecutionParams) -> str:
        return "other"

    (tmp_path / "part.xml").unlink()
    assert (await fs.run(flow, registry=other)).output == "other"


def test_a_chain_of_documents_has_a_bound(tmp_path: Path) -> None:
    folder = Folder(tmp_path, main='<include id="i" workflow="d0.xml"/>')
    for number in range(70):
        folder.write(f"d{number}.xml", f'<include id="i" workflow="d{number + 1}.xml"/>')
    folder.write("d70.xml", '<source:stub id="s"/>')
    assert folder.problems() == [("too-deep", "d62.xml", 2)]


async def test_arguments_are_variables_also_by_way_of_the_context(tmp_path: Path) -> None:
    folder = Folder(
        tmp_path,
        part='<param name="times" type="number" default="2"/>'
        '<set var="own" value="1"/><transform:template id="t" template="{{$context}}"/>',
        main='<call id="c" workflow="part.xml" who="Ann"/>',
    )
    assert (await folder.run()).output == {"who": "Ann", "times": 2, "own": 1}


PART = """<workflow name="part"><param name="own"/><secret name="OWN"/>
<transform:template id="t" template="{{$config.base}} {{$secrets.TOKEN}} {{$config.own}} {{$secrets.OWN}}"/>
</workflow>"""


def test_an_included_document_has_the_members_that_those_declare_who_include_it(
    tmp_path: Path,
) -> None:
    declared = '<param name="base"/><secret name="TOKEN"/>'
    include = '<include id="i" workflow="{}.xml"/>'
    folder = Folder(
        tmp_path,
        part=PART,
        middle=include.format("part"),
        main=declared + include.format("middle"),
        lacking=include.format("part") + '<secret name="TOKN"/>',
        calling=declared + '<call id="c" workflow="part.xml"/>',
        both=declared + include.format("part") + '<call id="c" workflow="part.xml"/>',
    )
    wrong = [("unknown-member", "part.xml", 2), ("unknown-member", "part.xml", 2)]
    assert folder.problems("main.xml") == []
    assert folder.problems("calling.xml") == wrong
    assert folder.problems("both.xml") == wrong
    with pytest.raises(fs.WorkflowInvalid) as caught:
        folder.load("lacking.xml")
    codes = {(problem.code, problem.suggestion) for problem in caught.value.problems}
    assert ("unknown-member", None) in codes
    folder.write("lacking.xml", '<secret name="TOKN"/>' + include.format("part"))
    with pytest.raises(fs.WorkflowInvalid) as caught:
        folder.load("lacking.xml")
    assert "TOKN" in {problem.suggestion for problem in caught.value.problems}


async def test_the_environment_that_an_included_document_reads_is_asked_for_when_the_run_begins(
    tmp_path: Path,
) -> None:
    reads = '<transform:template id="t" template="{{$env.HOME}}"/>'
    folder = Folder(tmp_path, part=reads, main='<include id="i" workflow="part.xml"/>')
    with pytest.raises(fs.InputError, match=r"\$env.HOME \(at .*part.xml:2:"):
        await folder.run()
    assert (await folder.run(env={"HOME": "/"})).output == "/"


async def test_a_called_document_has_no_environment_which_is_a_warning(tmp_path: Path) -> None:
    reads = '<transform:template id="t" template="{{$env.HOME}}"/>'
    folder = Folder(tmp_path, part=reads, main='<call id="c" workflow="part.xml"/>')
    assert folder.problems() == [("no-value", "part.xml", 2)]
    assert (await folder.run()).output is None


ALONE = """<workflow name="part"><param name="own"/>
<transform:template id="a" template="{{$config.base}} {{$secrets.TOKEN}} {{who}} {{$context.who}}"/>
</workflow>"""
RUNS_IT = """<param name="base"/><secret name="TOKEN"/>
<include id="i" workflow="{}"><bind key="who" value="1"/></include>"""


def severities(folder: Folder, name: str = "part.xml") -> list[tuple[str, str]]:
    """Code and severity of what is found in a document that is read by itself."""
    try:
        found = folder.load(name).warnings
    except fs.WorkflowInvalid as exc:
        found = exc.problems
    return [(problem.code, problem.severity) for problem in found]


@pytest.mark.parametrize(
    ("part", "caller", "runs"),
    [
        ("part.xml", "main.xml", "part.xml"),
        ("parts/part.xml", "main.xml", "parts/part.xml"),
        ("part.xml", "main.flow.md", "./part.xml"),
    ],
)
def test_a_document_that_is_included_is_read_alone_with_warnings_for_what_it_is_given(
    part: str, caller: str, runs: str, tmp_path: Path
) -> None:
    folder = Folder(tmp_path)
    folder.write(part, ALONE)
    missing = ["unknown-member", "unknown-member", "unknown-name", "unknown-member"]
    assert severities(folder, part) == [(code, "error") for code in missing]
    folder.write(caller, f'<workflow name="main">{RUNS_IT.format(runs)}</workflow>')
    assert severities(folder, part) == [(code, "warning") for code in missing]
    assert severities(folder, caller) == [("unknown-argument", "warning")]


def test_what_no_caller_gives_is_an_error_all_the_same(tmp_path: Path) -> None:
    wrong = ALONE.replace("TOKEN", "TOKN").replace("{{who}}", "{{hwo}}")
    folder = Folder(tmp_path, part=wrong, main=RUNS_IT.format("part.xml"))
    with pytest.raises(fs.WorkflowInvalid) as caught:
        folder.load("part.xml")
    found = [(problem.severity, problem.suggestion) for problem in caught.value.problems]
    assert found == [("warning", None), ("error", "TOKEN"), ("error", "who"), ("warning", None)]


def test_callers_of_callers_count_and_those_that_call_hand_on_their_arguments_only(
    tmp_path: Path,
) -> None:
    folder = Folder(
        tmp_path,
        part='<set var="x" value="{{$secrets.TOKEN}}"/>',
        middle='<include id="i" workflow="part.xml"/>',
        main='<secret name="TOKEN"/><include id="i" workflow="middle.xml"/>',
    )
    assert severities(folder) == [("unknown-member", "warning")]
    assert severities(folder, "middle.xml") == [("unknown-member", "warning")]
    folder.write("main.xml", '<secret name="TOKEN"/><call id="i" workflow="middle.xml" who="1"/>')
    assert severities(folder) == [("unknown-member", "error")]
    folder.write("part.xml", '<set var="x" value="{{who}}"/>')
    folder.write("middle.xml", '<call id="i" workflow="part.xml" who="1"/>')
    assert severities(folder) == [("unknown-name", "warning")]


def test_many_documents_that_run_each_other_are_each_looked_at_once(tmp_path: Path) -> None:
    names = [f"d{number}" for number in range(12)]
    includes = [f'<include id="{name}" workflow="{name}.xml"/>' for name in names]
    folder = Folder(tmp_path, part='<set var="x" value="{{$secrets.TOKEN}}"/>')
    for name in names:
        others = "".join(one for one in includes if f'"{name}"' not in one)
        folder.write(f"{name}.xml", f'{others}<include id="part" workflow="part.xml"/>')
    assert severities(folder) == [("unknown-member", "error")]
    folder.write("d7.xml", '<secret name="TOKEN"/>' + includes[3] + includes[5])
    assert severities(folder) == [("unknown-member", "warning")]


def test_documents_that_are_included_in_many_ways_are_not_checked_for_each_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of twenty levels, each with two documents that include both of the next, there are a million ways down."""
    folder, levels = Folder(tmp_path), 20
    for level in range(levels):
        for side in "ab":
            inner = "".join(
                f'<include id="{name}" workflow="{name}{level + 1}.xml"/>' for name in "ab"
            )
            uses = '<set var="x" value="{{[$secrets.Sa0, $secrets.Sb0]}}"/>'
            declared = f'<secret name="S{side}{level}"/>'
            folder.write(f"{side}{level}.xml", declared + (inner if level < levels - 1 else uses))
    folder.write(
        "main.xml", '<include id="a" workflow="a0.xml"/><include id="b" workflow="b0.xml"/>'
    )
    checked = []

    def counted(document: Any, *args: Any, **options: Any) -> Any:
        checked.append(document.name)
        return check(document, *args, **options)

    monkeypatch.setattr("flowscript_trio.program.linking.check", counted)
    assert {code for code, _ in severities(folder, "main.xml")} <= {"unknown-member"}
    assert len(checked) < 2 * levels * 30


def test_other_files_beside_a_document_are_no_callers(tmp_path: Path) -> None:
    folder = Folder(tmp_path, part=ALONE)
    folder.write("broken.xml", '<workflow name="part.xml">')
    (tmp_path / "part.xml.xml").mkdir()
    (tmp_path / "notes.txt").write_text("part.xml")
    folder.write("other.xml", f"<!-- part.xml -->{RUNS_IT.format('else.xml')}")
    assert {severity for _, severity in severities(folder)} == {"error"}


async def test_a_document_that_is_read_alone_can_run_and_an_absent_secret_is_an_error(
    tmp_path: Path,
) -> None:
    folder = Folder(tmp_path, part=ALONE, main=RUNS_IT.format("part.xml"))
    flow = folder.load("part.xml")
    with pytest.raises(fs.EvaluationError, match="there is no secret 'TOKEN'"):
        await fs.run(flow)
    run = await fs.run(flow, secrets={"TOKEN": "t-123456"}, config={"base": "b"})
    assert run.output == "b t-123456  "
