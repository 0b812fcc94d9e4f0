"""Owns the tests of ``run_flow`` and ``prove_case``: stubs given in Python, what is returned and raised."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import flowscript_trio as fs
from flowscript_trio.testing import (
    Case,
    Expected,
    NeverEnds,
    NotStubbed,
    Reply,
    Stub,
    prove_case,
    run_flow,
)
from flowscript_trio.testing.case_proof import stand_in

TWO = fs.loads("""<workflow name="w">
  <source:http id="a" url="http://x/{{$config.who}}">
    <on-error><retry max="2" base="1s"/></on-error></source:http>
  <transform type="template" id="b" template="{{a}} {{input}}"/>
</workflow>""")
ME = {"who": "me"}


def one(element: str, registry: fs.Registry | None = None) -> fs.Flow:
    return fs.loads(f'<workflow name="w">{element}</workflow>', registry=registry)


def test_a_flow_runs_in_virtual_time_and_tells_what_its_nodes_were_handed() -> None:
    replies = [Reply(error="busy", status=503, delay=20.0), Reply(output="hi")]
    run = run_flow(TWO, stubs={"a": replies}, input="you", config=ME)
    assert run.output == "hi you"
    assert run.duration == 21
    assert run.calls == {"a": 2, "b": 1}
    assert run.results["a"].attempts == 2
    assert run.settings["a"]["url"] == "http://x/me"
    assert run.inputs["b"] == "you"
    assert run.record.warnings == run.warnings == []


@pytest.mark.parametrize(
    ("stub", "output"),
    [
        ([1, 2], [1, 2]),
        ([], []),
        (None, None),
        ({"output": 3}, {"output": 3}),
        (Reply(output=4), 4),
        (Stub((Reply(output=5),)), 5),
        ((Reply(output=6), Reply(output=7)), 6),
    ],
)
def test_a_stub_is_an_output_or_replies(stub: Any, output: Any) -> None:
    assert run_flow(one('<source:http id="a" url="http://x"/>'), stubs={"a": stub}).output == output


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"stubs": {"a": ValueError("x")}}, "which is not an output; an error is written Reply"),
        ({"stubs": {"a": ValueError}}, "which is not an output"),
        ({"stubs": {"a": [Reply(), 1]}}, "the list has replies and other values"),
        ({"stubs": {"aa": 1}}, "there is no source, transform or sink 'aa'; did you mean 'a'"),
        ({"real": ["aa"]}, "did you mean 'a'"),
        ({"decisions": {"aks": "approve"}}, "there is no checkpoint 'aks'; did you mean 'ask'"),
    ],
)
def test_what_does_not_fit_is_an_error_that_says_what_does(given: Any, message: str) -> None:
    flow = one('<source:file id="a" path="a"/><checkpoint id="ask" prompt="?"/>')
    with pytest.raises(fs.FlowScriptError, match=message.replace("?", r"\?")):
        run_flow(flow, **given)


def test_the_error_of_a_run_is_raised_as_it_is() -> None:
    with pytest.raises(fs.FlowScriptError, match="refused") as caught:
        run_flow(TWO, stubs={"a": Reply(error="refused", type="Refused", status=403)}, config=ME)
    assert type(caught.value).__name__ == "Refused"
    failure = fs.failure_of(caught.value)
    assert failure is not None
    assert failure.node == "a"


def test_a_node_without_a_stub_is_named_though_its_error_is_recovered() -> None:
    with pytest.raises(NotStubbed, match=r"neither stubbed nor real: a \(source:http\)"):
        run_flow(TWO, config=ME)
    fallback = (
        '<source:http id="a" url="http://x"><on-error><fallback node="b"/></on-error></source:http>'
    )
    rest = '<transform type="template" id="b" template="b"/>'
    with pytest.raises(NotStubbed, match="a "):
        run_flow(one(fallback + rest))


def test_what_is_real_runs() -> None:
    registry = fs.Registry(base=fs.registry)

    @registry.runtime("source:own")
    async def own(params: fs.ExecutionParams) -> str:
        return "own"

    flow = one('<source:own id="a"/>', registry)
    assert run_flow(flow, real=["a"]).output == "own"
    assert run_flow(flow, real=True).output == "own"
    assert run_flow(flow, real="a").output == "own"
    with pytest.raises(NotStubbed):
        run_flow(flow)


def test_a_run_that_never_ends_is_given_up() -> None:
    with pytest.raises(NeverEnds, match="still waiting: a"):
        run_flow(one('<source:file id="a" path="a"/>'), stubs={"a": Reply(hangs=True)})


def test_decisions_secrets_environment_time_and_path_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "w.xml"
    path.write_text("""<workflow name="w"><secret name="S"/><checkpoint id="ask" prompt="?">
      <action id="later" label="later"/></checkpoint>
      <transform type="template" id="t" template="{{ask.action}} {{len($secrets.S)}} {{$env.E}} {{now()}}"/>
      </workflow>""")
    said = {"decisions": {"ask": "later"}, "secrets": {"S": "12345"}, "env": {"E": "e"}}
    now = datetime(2020, 2, 29, tzinfo=UTC)
    assert run_flow(path, **said, now=now).output == "later 5 e 2020-02-29T00:00:00.000Z"  # type: ignore[arg-type]
    said["decisions"] = {"ask": fs.Answer("approve")}  # type: ignore[dict-item]
    assert run_flow(str(path), **said).output.startswith("approve 5 e 2000-01-01")  # type: ignore[arg-type]


def test_a_seed_fixes_the_order_of_tasks_and_chance() -> None:
    order: list[str] = []
    registry = fs.Registry(base=fs.registry)

    @registry.runtime("source:own")
    async def own(params: fs.ExecutionParams) -> None:
        order.append(params.node.label)

    branches = "".join(f'<branch><source:own id="b{n}"/></branch>' for n in range(6))
    text = f'<parallel id="p">{branches}</parallel><transform type="template" id="r" template="{{{{uuid()}}}}"/>'
    flow = one(text, registry)
    found = []
    for seed in (1, 2, 1):
        order.clear()
        output = run_flow(flow, real=True, seed=seed).results["r"].output
        found.append((tuple(order), output))
    assert found[0] == found[2]
    assert found[0][0] != found[1][0]
    assert found[0][1] != found[1][1]


async def test_it_cannot_be_called_in_a_trio_program() -> None:
    with pytest.raises(fs.FlowScriptError, match="make the test a plain `def`"):
        run_flow(TWO)


# ---- proofs of cases ----


def case(**fields: Any) -> Case:
    return Case(name="c", expected=Expected(), **fields)


@pytest.mark.slow
def test_each_run_of_a_proof_begins_with_the_first_reply() -> None:
    stub = Stub((Reply(output=1), Reply(error="asked twice", delay=1.0)))
    report = prove_case(one('<source:file id="a" path="a"/>'), case(stubs={"a": stub}), pairs=5)
    assert report.holds, report.render()
    assert report.undisturbed == "completed"
    assert "deadlines from outside" not in dict(report.tried)  # no run came to the second reply


@pytest.mark.slow
def test_each_run_of_a_proof_has_an_input_of_its_own() -> None:
    registry = fs.Registry(base=fs.registry)
    seen = []

    @registry.runtime("source:own", reads_only=True)  # a lie: it gets the original, and changes it
    async def own(params: fs.ExecutionParams) -> None:
        seen.append(list(params.input["n"]))
        params.input["n"].append(2)

    given = {"n": [1]}
    prove_case(one('<source:own id="a"/>', registry), case(real=True, input=given), pairs=0)
    assert len(seen) > 1
    assert all(found == [1] for found in seen)
    with pytest.raises(fs.FlowScriptError, match="the input cannot be copied for each run"):
        prove_case(one('<delay duration="1s"/>'), case(input=(n for n in [1])))


@pytest.mark.slow
def test_a_fallback_that_only_an_error_leads_to_must_be_stubbed() -> None:
    flow = one(
        '<source:file id="a" path="a"><on-error><fallback node="b"/></on-error></source:file>'
        '<source:file id="b" path="b"/>'
    )
    a = {"a": Stub((Reply(output=1),))}
    with pytest.raises(NotStubbed, match=r"neither stubbed nor real: b \(source:file\)"):
        prove_case(flow, case(stubs=a), pairs=0)
    whole, unsaid = stand_in(flow, case(stubs=a))
    assert unsaid == {"b": "source:file"}
    assert prove_case(flow, whole, pairs=0).holds
    assert stand_in(flow, case(real=frozenset(["a"])))[1] == {"b": "source:file"}
    assert stand_in(flow, case(real=True)) == (case(real=True), {})


@pytest.mark.slow
def test_what_does_not_fit_is_an_error_before_anything_runs() -> None:
    flow = fs.loads(
        '<workflow name="w"><param name="n" required="true"/><delay duration="1s"/></workflow>'
    )
    with pytest.raises(fs.InputError, match="'n'"):
        prove_case(flow, case())
    with pytest.raises(fs.FlowScriptError, match="there is no source, transform or sink 'x'"):
        prove_case(flow, case(stubs={"x": Stub((Reply(),))}))


@pytest.mark.slow
def test_a_proof_that_finds_something_reports_it() -> None:
    stubs = {"a": Stub((Reply(hangs=True),))}
    report = prove_case(one('<source:file id="a" path="a"/>'), case(stubs=stubs), pairs=0)
    assert "every run ends" in {violation.promise for violation in report.violations}
