"""Owns the tests of reading a file of cases: what each key comes to, and every mistake with its place."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import flowscript_trio as fs
from flowscript_trio.testing import (
    Case,
    CasesInvalid,
    Expected,
    ExpectedError,
    Reply,
    Stub,
    beside,
    read_cases,
)

TEXT = """<workflow name="w">
  <source:http id="fetch" url="http://x"/>
  <phase name="last"><sink:file id="save" input="fetch" path="x"/></phase>
</workflow>"""
FULL = """
cases:
  everything:
    input: {n: 1, text: "line\\nend\\n", none: null, "odd key": [1.5, true, "010"]}
    config: {k: v}
    secrets: {KEY: "123"}
    env: {HOME: /h}
    seed: -7
    now: 2024-02-29T12:00:00+01:00
    base: files
    max-concurrency: 2
    real: [save]
    stubs:
      fetch:
        - {error: "busy {{now}}", type: ConnectError, status: 503, retryable: false, delay: 250ms}
        - {hangs: true}
        - {output: "{{not evaluated}}"}
    output: null
    error: {type: ConnectError, message: /busy/, node: fetch, status: 503}
    duration: 1.5m
    statuses: {fetch: failed, last: skipped}
    attempts: {fetch: 3}
    calls: {fetch: 3}
    results: {last: [1]}
    inputs: {save: 1}
    settings: {fetch: {url: http://x}}
    warnings: was not given
"""


@pytest.fixture
def flow() -> fs.Flow:
    return fs.loads(TEXT)


def read(tmp_path: Path, flow: fs.Flow, text: str) -> tuple[Case, ...]:
    path = tmp_path / "w.test.yaml"
    path.write_text(text, encoding="utf-8")
    return read_cases(path, flow)


def mistakes(tmp_path: Path, flow: fs.Flow, text: str) -> list[fs.Problem]:
    with pytest.raises(CasesInvalid) as caught:
        read(tmp_path, flow, text)
    return list(caught.value.problems)


def test_every_key_is_read(tmp_path: Path, flow: fs.Flow) -> None:
    (tmp_path / "files").mkdir()
    [case] = read(tmp_path, flow, FULL)
    location = case.location
    assert location is not None
    assert (location.line, location.column) == (3, 3)
    busy = Reply(error="busy {{now}}", type="ConnectError", status=503, retryable=False, delay=0.25)
    assert case == Case(
        name="everything",
        location=location,
        input={"n": 1, "text": "line\nend\n", "none": None, "odd key": [1.5, True, "010"]},
        config={"k": "v"},
        secrets={"KEY": "123"},
        env={"HOME": "/h"},
        seed=-7,
        now=datetime(2024, 2, 29, 11, tzinfo=UTC),
        base=tmp_path / "files",
        max_concurrency=2,
        real=frozenset({"save"}),
        stubs={"fetch": Stub((busy, Reply(hangs=True), Reply(output="{{not evaluated}}")))},
        expected=Expected(
            output=None,
            error=ExpectedError(type="ConnectError", message="/busy/", node="fetch", status=503),
            duration=90.0,
            statuses={"fetch": "failed", "last": "skipped"},
            attempts={"fetch": 3},
            calls={"fetch": 3},
            results={"last": [1]},
            inputs={"save": 1},
            settings={"fetch": {"url": "http://x"}},
            warnings=("was not given",),
        ),
    )


def test_cases_may_stand_in_a_list_with_names(tmp_path: Path, flow: fs.Flow) -> None:
    text = "cases:\n  - {name: a, output: 1}\n  - name: b\n    error: no\n"
    first, second = read(tmp_path, flow, text)
    assert (first.name, second.name) == ("a", "b")
    assert second.expected == Expected(error=ExpectedError(message="no"))
    assert second.location is not None
    assert second.location.line == 3


def test_the_spellings_of_a_key_are_one(tmp_path: Path, flow: fs.Flow) -> None:
    for word in ("max-concurrency", "max_concurrency", "maxConcurrency", "concurrency"):
        [case] = read(tmp_path, flow, f"cases: {{a: {{{word}: 3, output: 1}}}}")
        assert case.max_concurrency == 3


def test_an_error_may_be_anything(tmp_path: Path, flow: fs.Flow) -> None:
    [case] = read(tmp_path, flow, "cases: {a: {error: true, real: true}}")
    assert case.expected.error == ExpectedError()
    assert case.real is True
    assert not case.expected.is_nothing


def test_a_time_without_an_offset_is_in_utc(tmp_path: Path, flow: fs.Flow) -> None:
    [case] = read(tmp_path, flow, "cases: {a: {now: '2024-01-01', output: 1}}")
    assert case.now.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("workflow", "cases"),
    [
        ("a/fetch_all.xml", "a/fetch_all.test.yaml"),
        ("a/x.flow.md", "a/x.test.yaml"),
        ("odd", "odd.test.yaml"),
        ("a.b.xml", "a.b.test.yaml"),
    ],
)
def test_the_cases_of_a_workflow_stand_beside_it(workflow: str, cases: str) -> None:
    assert beside(workflow) == Path(cases)


@pytest.mark.parametrize(
    ("case", "code", "column", "message", "suggestion"),
    [
        ("outptu: 1, error: no", "unknown-name", 10, "a case has no key 'outptu'", "output"),
        ("name: b, output: 1", "unknown-name", 10, "a case has no key 'name'", None),
        ("input: 1", "nothing-expected", 6, "the case 'a' expects nothing, so it cannot fail", None),
        ("error: true, stubs: {fetsch: {output: 1}}", "unknown-name", 31, "there is no source, transform or sink 'fetsch'", "fetch"),
        ("error: true, stubs: {last: {output: 1}}", "control-node", 31, "'last' is a control node: it always runs for real", None),
        ("error: true, stubs: {fetch: {}}", "unclear-stub", 38, "a stub does one thing; this one has none of them", None),
        ("error: true, stubs: {fetch: {output: 1, hangs: true}}", "unclear-stub", 38, "a stub does one thing; this one has output and hangs", None),
        ("error: true, stubs: {fetch: []}", "no-reply", 38, "a stub needs at least one reply", None),
        ("error: true, stubs: {fetch: 1}", "wrong-value", 31, "a stub is the number 1", None),
        ("error: true, stubs: {fetch: {output: 1, status: 500}}", "no-error", 50, "'status' belongs to an error, and this stub has none", None),
        ("error: true, stubs: {fetch: {output: 1, delay: soon}}", "wrong-value", 57, "delay is the text 'soon'", None),
        ("error: true, stubs: {fetch: {error: no, type: A B}}", "wrong-value", 56, "type is the text 'A B'", None),
        ("error: true, stubs: {fetch: {hangs: false}}", "wrong-value", 39, "hangs is false", None),
        ("error: true, real: [safe]", "unknown-name", 30, "there is no source, transform or sink 'safe'", "save"),
        ("error: true, real: false", "wrong-value", 23, "real is false", None),
        ("error: true, seed: x", "wrong-value", 29, "seed is the text 'x'", None),
        ("error: true, now: noon", "wrong-value", 28, "now is the text 'noon'", None),
        ("error: true, base: none", "no-folder", 29, "there is no folder 'none'", None),
        ("error: true, secrets: {K: 1}", "wrong-value", 33, "secrets: K is the number 1", None),
        ("error: true, config: []", "wrong-value", 31, "config is a list", None),
        ("error: true, max-concurrency: 0", "wrong-value", 23, "max-concurrency is the number 0", None),
        ("statuses: {fetch: sucess}", "unknown-name", 28, "there is no status 'sucess'", "success"),
        ("statuses: {fetsch: failed}", "unknown-name", 21, "there is no node 'fetsch'", "fetch"),
        ("statuses: {}", "nothing-expected", 20, "'statuses' names no node", None),
        ("calls: {last: 1}", "control-node", 18, "'last' is a control node: it always runs for real", None),
        ("attempts: {fetch: 0}", "wrong-value", 21, "attempts is the number 0", None),
        ("duration: 5", "wrong-value", 10, "duration is the number 5", None),
        ("error: {nod: fetch}", "unknown-name", 18, "error has no key 'nod'", "node"),
        ("error: {node: fetsch}", "unknown-name", 24, "there is no node 'fetsch'", "fetch"),
        ("error: /(/", "wrong-value", 17, "/(/ is not a regular expression: missing ), unterminated subpattern at position 0", None),
        ("output: 1, output: 2", "yaml", 21, "the key 'output' is given twice", None),
        ("output: 1, max-concurrency: 1, maxConcurrency: 2", "given-twice", 41, "a case has 'maxConcurrency' twice", None),
    ],
)  # fmt: skip
def test_a_mistake_has_its_place_and_the_nearest_right_name(
    tmp_path: Path,
    flow: fs.Flow,
    case: str,
    code: str,
    column: int,
    message: str,
    suggestion: str | None,
) -> None:
    [problem] = mistakes(tmp_path, flow, f"cases:\n    {{a: {{{case}}}}}\n")
    assert (problem.code, problem.message) == (code, message)
    assert problem.suggestion == suggestion
    assert problem.location.file == str(tmp_path / "w.test.yaml")
    assert (problem.location.line, problem.location.column) == (2, column)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is null"),
        ("cases:", "cases is null"),
        ("cases: {}", "the file has no cases"),
        ("cases: []", "the file has no cases"),
        ("{}", "the file has no cases"),
        ("case: {a: {output: 1}}", "the file has no key 'case'"),
        ("cases: [{output: 1}]", "a case in a list needs a name"),
        ("cases: [{name: a, output: 1}, {name: a, output: 2}]", "there are two cases 'a'"),
        ("cases: {a: 1}", "a case is the number 1"),
        ("cases: {a: {output: &x 1}}", "an anchor is not allowed"),
        ("cases: {a: [", "not YAML"),
    ],
)
def test_a_file_that_has_no_usable_cases_says_why(
    tmp_path: Path, flow: fs.Flow, text: str, message: str
) -> None:
    [problem] = mistakes(tmp_path, flow, text)
    assert problem.message.startswith(message)


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(
    tmp_path: Path, flow: fs.Flow
) -> None:
    text = (
        "cases:\n  a: {outptu: 1}\n  b: {output: 1, seed: x}\n  c: {duration: 3, stubs: {x: {}}}\n"
    )
    found = [(p.location.line, p.code) for p in mistakes(tmp_path, flow, text)]
    assert found == [
        (2, "nothing-expected"),
        (2, "unknown-name"),
        (3, "wrong-value"),
        (4, "wrong-value"),
        (4, "unknown-name"),
        (4, "unclear-stub"),
    ]


def test_a_file_that_is_no_utf_8_is_a_problem_at_its_byte(tmp_path: Path, flow: fs.Flow) -> None:
    path = tmp_path / "w.test.yaml"
    path.write_bytes(b"cases:\n  \xff: 1")
    with pytest.raises(CasesInvalid) as caught:
        read_cases(path, flow)
    [problem] = caught.value.problems
    assert (problem.code, problem.location.line, problem.location.column) == ("encoding", 2, 3)


def test_a_file_that_cannot_be_read_is_an_os_error(tmp_path: Path, flow: fs.Flow) -> None:
    with pytest.raises(FileNotFoundError):
        read_cases(tmp_path / "none.test.yaml", flow)


def test_decisions_are_actions_or_actions_with_an_input(tmp_path: Path) -> None:
    flow = fs.loads(
        '<workflow name="w"><checkpoint id="one"/><checkpoint id="two"/><delay id="d" duration="1s"/></workflow>'
    )
    text = "cases: {a: {decisions: {one: approve, two: {action: reject, input: {why: 1}}}, duration: 0s}}"
    [case] = read(tmp_path, flow, text)
    assert case.decisions == {"one": fs.Answer("approve"), "two": fs.Answer("reject", {"why": 1})}
    text = "cases: {a: {decisions: {oen: approve, d: approve, two: {actoin: x}, one: 5}, duration: 0s}}"
    found = mistakes(tmp_path, flow, text)
    assert [problem.location.column for problem in found] == sorted(
        p.location.column for p in found
    )
    assert found[0].suggestion == "one"
    assert len(found) >= 4
