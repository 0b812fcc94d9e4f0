"""Owns the tests of the judgement: every expectation can fail, and says how with a path."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import flowscript_trio as fs
from flowscript_trio.testing import Case, Expected, ExpectedError, Reply, Stub, run_cases
from flowscript_trio.testing.comparing import compare

TEXT = """<workflow name="w"><source:http id="a" url="http://x/{{$input}}"/>
  <sink:http id="s" input="a" url="http://y"/></workflow>"""


def problems(expected: Expected, reply: Reply | None = None) -> list[str]:
    """What differs for a run whose source gives ``{n: 1}`` after a second, unless it does as ``reply`` says."""
    stubs = {
        "a": Stub((reply or Reply(output={"n": 1}, delay=1),)),
        "s": Stub((Reply(output={"status": 200}),)),
    }
    case = Case(name="c", stubs=stubs, input="i", expected=expected)
    return list(run_cases(fs.loads(TEXT, name="w.xml"), [case])[0].problems)


FAILS = Reply(error="it is broken", type="BrokenError", status=418)


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ({"output": {"status": 200}}, {"output": {"status": 201}}, "output.status: expected 201, found 200"),
        ({"duration": 1.0}, {"duration": 2.5}, "duration: expected 2.5 s, found 1 s"),
        ({"statuses": {"a": "success"}}, {"statuses": {"a": "failed"}},
         "statuses.a: expected failed, found success"),
        ({"attempts": {"a": 1}}, {"attempts": {"a": 2}}, "attempts.a: expected 2, found 1"),
        ({"calls": {"s": 1}}, {"calls": {"s": 0}}, "calls.s: expected 0, found 1"),
        ({"results": {"a": {"n": 1}}}, {"results": {"a": {}}}, "results.a.n: unexpected 1"),
        ({"inputs": {"s": {"n": 1}}}, {"inputs": {"s": None}}, 'inputs.s: expected null, found {"n":1}'),
        ({"settings": {"a": {"url": "http://x/i"}}}, {"settings": {"a": {"url": "/"}}},
         'settings.a.url: expected "/", found "http://x/i"'),
    ],
)  # fmt: skip
def test_an_expectation_holds_or_tells_what_differs(
    right: dict[str, Any], wrong: dict[str, Any], told: str
) -> None:
    assert problems(Expected(**right)) == []
    assert problems(Expected(**wrong)) == [told]


def test_a_setting_that_does_not_exist_is_told_with_those_that_do() -> None:
    [problem] = problems(Expected(settings={"a": {"uri": 1}}))
    assert problem.startswith("settings.a.uri: there is no such setting; it has auth, body")


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (ExpectedError(type="OtherError"), "error.type: expected OtherError, found BrokenError: it is broken"),
        (ExpectedError(message="fine"), "error.message: expected 'fine', found 'it is broken'"),
        (ExpectedError(message="/^broken/"), "error.message: expected '/^broken/', found 'it is broken'"),
        (ExpectedError(node="s"), "error.node: expected s, found a"),
        (ExpectedError(status=500), "error.status: expected 500, found 418"),
    ],
)  # fmt: skip
def test_each_part_of_an_expected_error_is_looked_at(wrong: ExpectedError, told: str) -> None:
    right = ExpectedError(type="BrokenError", message="/is bro.en$/", node="a", status=418)
    assert problems(Expected(error=right), FAILS) == []
    assert problems(Expected(error=ExpectedError(message="is bro")), FAILS) == []
    assert problems(Expected(error=wrong), FAILS) == [told]


def test_an_error_that_is_not_expected_and_one_that_does_not_come_are_problems() -> None:
    [problem] = problems(Expected(statuses={"a": "failed"}), FAILS)
    assert problem == "the run failed: BrokenError: it is broken (node a at w.xml:1:20)"
    [problem] = problems(Expected(error=ExpectedError()))
    assert problem == "error: the run was expected to fail, and it completed"


def test_what_never_ran_is_told() -> None:
    expected = Expected(
        error=ExpectedError(), statuses={"s": "success"}, attempts={"s": 1}, results={"s": 1},
        inputs={"s": 1}, settings={"s": {"url": ""}},
    )  # fmt: skip
    found = problems(expected, FAILS)
    assert len(found) == 5
    assert found[0] == "statuses.s: expected success, found nothing: it never ran"
    assert all("never ran" in line or "was not called" in line for line in found)


def test_a_case_that_expects_nothing_fails() -> None:
    assert problems(Expected()) == ["nothing is expected, so the case could not fail"]


def test_secrets_are_masked_in_results_and_not_in_the_output() -> None:
    text = """<workflow name="w"><secret name="KEY"/>
      <transform type="template" id="t" template="{{$secrets.KEY}}"/></workflow>"""
    expected = Expected(output="made-up", results={"t": "***"})
    case = Case(name="c", secrets={"KEY": "made-up"}, expected=expected)
    assert run_cases(fs.loads(text), [case])[0].problems == ()


def test_warnings_of_the_run_can_be_expected() -> None:
    text = """<workflow name="w"><secret name="KEY"/><delay id="d" duration="1s"/></workflow>"""
    for expected, passes in (("'KEY' was not given", True), ("something else", False)):
        case = Case(name="c", expected=Expected(warnings=(expected,)))
        assert run_cases(fs.loads(text), [case])[0].passed is passes


@pytest.mark.parametrize(
    ("expected", "found", "told"),
    [
        (1, 1.0, []),
        (1, True, ["v: expected 1, found true"]),
        (0, False, ["v: expected 0, found false"]),
        (None, 0, ["v: expected null, found 0"]),
        ("1", 1, ['v: expected "1", found 1']),
        ([1, 2, 3], [1], ["v[1]: expected 2, but it is missing", "v[2]: expected 3, but it is missing"]),
        ([], [5], ["v[0]: unexpected 5"]),
        ([1], {"0": 1}, ['v: expected [1], found {"0":1}']),
        ({"a": {"b c": 1}}, {"a": {"b c": 2}}, ['v.a["b c"]: expected 1, found 2']),
        ({"a": 1}, {"b": 1}, ["v.a: expected 1, but it is missing", "v.b: unexpected 1"]),
        ("QQ==", b"A", []),
    ],
)  # fmt: skip
def test_values_are_compared_as_json_and_each_difference_has_its_path(
    expected: Any, found: Any, told: list[str]
) -> None:
    assert compare(expected, found, "v") == told


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(JSON, JSON)
def test_values_differ_exactly_when_their_json_does(one: Any, other: Any) -> None:
    def written(value: Any) -> str:
        return json.dumps(value, sort_keys=True)

    assert compare(one, json.loads(written(one)), "v") == []
    assert bool(compare(one, other, "v")) == (written(one) != written(other))


def test_many_differences_are_counted_and_long_values_cut() -> None:
    told = compare(list(range(50)), [0.5] * 50, "v")
    assert len(told) == 11
    assert told[-1] == "v: … and 40 more differences"
    [line] = compare("x" * 1000, None, "v")
    assert len(line) < 250


def test_a_value_that_is_no_json_is_a_difference() -> None:
    [line] = compare(1, float("nan"), "v")
    assert line.startswith("v: what is there is not valid JSON")
