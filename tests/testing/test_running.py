"""Owns the tests of running cases: stubs, virtual time, real nodes, and runs that never end."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from typing import Any

import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.testing import (
    Case,
    CaseResult,
    Expected,
    ExpectedError,
    Reply,
    Stub,
    run_cases,
)

TWO = """<workflow name="w"><parallel id="p">
  <branch><source:http id="a" url="{{$config.base}}/a"/></branch>
  <branch><source:http id="b" url="{{$config.base}}/b"/></branch>
</parallel></workflow>"""
RETRIED = """<workflow name="w"><source:http id="a" url="http://x">
  <on-error><retry max="3" base="1s"/></on-error></source:http></workflow>"""
FILED = """<workflow name="w"><source:file id="f" path="a.txt"{}/></workflow>"""
BASE = {"base": "https://api.example"}


def play(text: str, *, registry: fs.Registry | None = None, **fields: Any) -> CaseResult:
    fields.setdefault("expected", Expected(error=ExpectedError(message="this is expected nowhere")))
    flow = fs.loads(text, name="w.xml", registry=registry)
    [result] = run_cases(flow, [Case(name="c", **fields)], patience=fields.pop("patience", 60))
    return result


def stub(*replies: Reply) -> Stub:
    return Stub(replies)


def test_stubs_stand_for_the_network_and_their_delays_pass_in_virtual_time() -> None:
    result = play(
        TWO,
        config=BASE,
        stubs={"a": stub(Reply(output=1, delay=10)), "b": stub(Reply(output=[2], delay=20))},
        expected=Expected(output=[1, [2]], duration=20, calls={"a": 1, "b": 1}),
    )
    assert result.problems == ()
    assert result.passed
    assert result.duration == 20


def test_the_default_timeout_of_a_node_holds_for_its_stub() -> None:
    result = play(
        TWO,
        config=BASE,
        stubs={"a": stub(Reply(hangs=True)), "b": stub(Reply(output=2))},
        expected=Expected(error=ExpectedError(type="TooSlowError", node="a"), duration=30),
    )
    assert result.problems == ()


def test_a_stub_replaces_the_runtime_and_not_the_evaluation_of_the_settings() -> None:
    stubs = {"a": stub(Reply(output=1)), "b": stub(Reply(output=2))}
    expected = Expected(settings={"a": {"url": "https://api.example/a", "method": "GET"}})
    assert play(TWO, config=BASE, stubs=stubs, expected=expected).problems == ()
    text = RETRIED.replace("http://x", "{{$input.size + 1}}")
    [problem] = play(text, stubs={"a": stubs["a"]}, expected=Expected(output=1)).problems
    assert problem.startswith("the run failed: EvaluationError")


def test_the_replies_of_a_stub_come_one_for_each_attempt_and_the_last_repeats() -> None:
    busy = Reply(error="busy", status=503, delay=1)
    stubs = {"a": stub(busy, busy, Reply(output="done"))}
    expected = Expected(output="done", attempts={"a": 3}, calls={"a": 3}, duration=2 + 1 + 2)
    assert play(RETRIED, stubs=stubs, expected=expected).problems == ()
    expected = Expected(error=ExpectedError(status=503, message="busy"), calls={"a": 4})
    assert play(RETRIED, stubs={"a": stub(busy)}, expected=expected).problems == ()


@pytest.mark.parametrize(
    ("reply", "calls"),
    [
        (Reply(error="no", type="ConnectError"), 4),
        (Reply(error="no", type="ValueError"), 1),
        (Reply(error="no"), 1),
        (Reply(error="no", status=404), 1),
        (Reply(error="no", status=404, retryable=True), 4),
        (Reply(error="no", status=503, retryable=False), 1),
    ],
)
def test_the_error_of_a_stub_is_retried_as_a_real_one_would_be(reply: Reply, calls: int) -> None:
    expected = Expected(error=ExpectedError(type=reply.type, message="no"), calls={"a": calls})
    assert play(RETRIED, stubs={"a": stub(reply)}, expected=expected).problems == ()


def test_each_call_of_a_stub_gives_an_output_of_its_own() -> None:
    flow = fs.loads('<workflow name="w"><source:http id="a" url="http://x"/></workflow>')
    case = Case(name="c", stubs={"a": stub(Reply(output=[]))}, expected=Expected(output=[]))
    first, second = run_cases(flow, [case, case])
    assert first.run is not None
    first.run.output.append("spoilt")
    assert second.run is not None
    assert second.run.output == []


def test_what_a_runtime_does_to_its_input_does_not_change_what_it_was_called_with() -> None:
    registry = fs.Registry(base=fs.registry)

    @registry.runtime("transform:spoil")
    async def spoil(params: fs.ExecutionParams) -> Any:
        params.input.append("spoilt")
        return params.input

    text = """<workflow name="w"><foreach id="each" collection="[1, 2]">
      <source:http id="a" url="http://x"/><transform:spoil id="s" input="a"/></foreach></workflow>"""
    result = play(
        text,
        registry=registry,
        stubs={"a": stub(Reply(output=[]))},
        real=frozenset({"s"}),
        expected=Expected(output=[["spoilt"], ["spoilt"]], inputs={"s": []}),
    )
    assert result.problems == ()


def test_a_node_that_touches_the_world_fails_the_case_where_it_is_not_stubbed() -> None:
    expected = Expected(error=ExpectedError())
    [problem] = play(TWO, config=BASE, stubs={"a": stub(Reply())}, expected=expected).problems
    assert problem.startswith("b (source:http) ran and has no stub")


def test_a_fallback_does_not_hide_a_missing_stub() -> None:
    text = """<workflow name="w"><source:http id="a" url="http://x"><on-error><fallback node="f"/>
      </on-error></source:http><transform type="template" id="f" template="1"/></workflow>"""
    [problem] = play(text, expected=Expected(output="1")).problems
    assert problem.startswith("a (source:http) ran")


def test_a_node_that_is_not_reached_needs_no_stub() -> None:
    text = """<workflow name="w"><source:http id="a" if="false" url="http://x"/></workflow>"""
    expected = Expected(output=None, statuses={"a": "skipped"}, calls={"a": 0})
    assert play(text, expected=expected).problems == ()


def test_a_named_node_runs_for_real(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hello")
    expected = Expected(output="hello", duration=0)
    text = FILED.format(' timeout="10ms"')
    for real in (frozenset({"f"}), True):
        assert play(text, real=real, base=tmp_path, expected=expected).problems == ()
    assert play(text, base=tmp_path, expected=expected).problems


def waiting(work: Any) -> fs.Registry:
    """A registry with ``source:slow``, which does real work."""
    registry = fs.Registry(base=fs.registry)
    registry.runtime("source:slow")(work)
    return registry


SLOW = """<workflow name="w"><parallel id="p">
  <branch><source:slow id="s" timeout="1s"/></branch>
  <branch><delay id="d" duration="5s"/></branch></parallel></workflow>"""


def test_the_clock_stands_still_while_a_thread_works() -> None:
    async def work(params: fs.ExecutionParams) -> Any:
        def look() -> list[float]:
            return [trio.from_thread.run_sync(trio.current_time) for _ in range(50)]

        times = await trio.to_thread.run_sync(look)
        return [time - times[0] for time in times] == [0.0] * 50

    expected = Expected(output=[True, None], duration=5)
    assert play(SLOW, registry=waiting(work), real=True, expected=expected).problems == ()


def test_the_clock_stands_still_while_a_socket_is_waited_for() -> None:
    async def work(params: fs.ExecutionParams) -> Any:
        near, far = socket.socketpair()
        with far, trio.socket.from_stdlib_socket(near) as stream:
            thread = threading.Thread(target=answer, args=(far,))
            thread.start()
            said = await stream.recv(1)
            thread.join()
        return said.decode()

    def answer(far: socket.socket) -> None:
        sum(range(1_000_000))  # long enough for a clock that jumps to have jumped
        far.sendall(b"x")

    expected = Expected(output=["x", None], duration=5)
    assert play(SLOW, registry=waiting(work), real=True, expected=expected).problems == ()


def test_real_work_that_never_ends_is_given_up_when_patience_is_spent() -> None:
    async def work(params: fs.ExecutionParams) -> Any:
        near, far = socket.socketpair()
        with far, trio.socket.from_stdlib_socket(near) as stream:
            await stream.recv(1)

    flow = fs.loads(SLOW, registry=waiting(work))
    case = Case(name="c", real=True, expected=Expected(output=1))
    [result] = run_cases(flow, [case], patience=0.0)
    assert result.problems == (
        "the run never ends: still waiting: p/0/s, p/1/d (real work has not ended within 0 s)",
    )


def test_a_run_that_never_ends_is_reported_with_the_nodes_that_wait() -> None:
    text = """<workflow name="w"><parallel id="p"><branch><source:file id="f" path="x"/></branch>
      <branch><foreach id="each" collection="[1]"><source:file id="g" path="x"/></foreach></branch>
      <branch><transform type="template" id="t" template="1"/></branch></parallel></workflow>"""
    stubs = {"f": stub(Reply(hangs=True)), "g": stub(Reply(hangs=True))}
    [problem] = play(text, stubs=stubs, expected=Expected(output=1)).problems
    assert "still waiting: p/0/f, p/1/each[0]/g" in problem
    assert "nothing is left that could wake it" in problem


def test_clean_up_runs_when_a_case_is_given_up() -> None:
    text = """<workflow name="w"><source:file id="f" path="x"/>
      <finally><delay id="d" duration="5s"/><sink:file id="g" path="x"/></finally></workflow>"""
    stubs = {"f": stub(Reply(hangs=True)), "g": stub(Reply(output="cleaned", delay=1))}
    expected = Expected(results={"g": "cleaned"}, duration=6)
    [problem] = play(text, stubs=stubs, expected=expected).problems
    assert "still waiting: f" in problem


def test_the_wall_clock_chance_and_what_the_run_is_given_are_the_same_each_time() -> None:
    text = """<workflow name="w"><secret name="KEY"/><delay id="d" duration="1h"/>
      <transform type="template" id="t" after="d"
        template="{{now()}} {{random()}} {{$secrets.KEY}} {{$env.HOME}} {{$input}}"/></workflow>"""
    given: dict[str, Any] = {"secrets": {"KEY": "k"}, "env": {"HOME": "h"}, "input": "i"}
    outputs = set()
    for _ in range(2):
        run = play(text, **given).run
        assert run is not None
        outputs.add(run.output)
    [output] = outputs
    assert output.startswith("2000-01-01T01:00:00")
    assert output.endswith(" k h i")
    other = play(text, **given, seed=1).run
    assert other is not None
    assert other.output != output


def test_config_that_does_not_fit_is_a_problem_of_the_case() -> None:
    text = """<workflow name="w"><param name="k" type="number" required="true"/>
      <transform type="template" id="t" template="1"/></workflow>"""
    result = play(text, expected=Expected(output=1))
    assert result.problems[0].startswith("the run could not begin: the configuration of 'w'")
    assert result.duration is None


def test_the_nodes_of_documents_that_are_run_have_names_that_begin_with_the_id_of_who_runs_them(
    tmp_path: Path,
) -> None:
    inner = """<workflow name="inner"><source:http id="a" url="http://x">
      <on-error><fallback node="b"/></on-error></source:http>
      <source:http id="b" url="http://y"/></workflow>"""
    (tmp_path / "inner.xml").write_text(inner)
    (tmp_path / "outer.xml").write_text("""<workflow name="outer">
      <source:http id="a" url="http://z"/><call id="c" workflow="inner.xml" after="a"/></workflow>""")
    flow = fs.load(tmp_path / "outer.xml")
    stubs = {
        "a": stub(Reply(output="of outer")),
        "c/a": stub(Reply(error="no")),
        "c/b": stub(Reply(output="of inner")),
    }
    expected = Expected(output="of inner", calls={"a": 1, "c/a": 1, "c/b": 1})
    [result] = run_cases(flow, [Case(name="c", stubs=stubs, expected=expected)])
    assert result.problems == ()
    del stubs["c/b"]
    [result] = run_cases(flow, [Case(name="c", stubs=stubs, expected=expected)])
    assert result.problems[0].startswith("c/b (source:http) ran and has no stub")


def test_a_handler_of_a_handler_in_a_branch_can_be_stubbed() -> None:
    handled = """<source:http id="{}" url="http://x"><on-error><fallback node="{}"/></on-error></source:http>"""
    text = f"""<workflow name="w"><parallel id="p"><branch>
      {handled.format("a", "b")}{handled.format("b", "c")}<source:http id="c" url="http://x"/>
      </branch></parallel></workflow>"""
    fails = stub(Reply(error="no"))
    stubs = {"a": fails, "b": fails, "c": stub(Reply(output=1))}
    expected = Expected(output=[1], calls={"a": 1, "b": 1, "c": 1})
    assert play(text, stubs=stubs, expected=expected).problems == ()


def test_a_name_that_no_leaf_has_is_a_problem_of_a_case_made_in_python() -> None:
    stubs = {"a": stub(Reply(output=1)), "A": stub(Reply(output=2))}
    result = play(RETRIED, stubs=stubs, real=frozenset({"none"}), expected=Expected(output=1))
    assert result.problems == (
        "there is no source, transform or sink 'A'; did you mean 'a'?",
        "there is no source, transform or sink 'none'",
    )


def test_cases_do_not_touch_each_other() -> None:
    flow = fs.loads(RETRIED)
    stubs = {"a": stub(Reply(error="x", status=503), Reply(output=1))}
    case = Case(name="c", stubs=stubs, expected=Expected(calls={"a": 2}, duration=1))
    assert [result.passed for result in run_cases(flow, [case] * 3)] == [True] * 3


ASKING = """<workflow name="w">
  <checkpoint id="go" prompt="?"><action id="skip" goto="z"/></checkpoint>
  <transform:template id="y" template="y"/>
  <transform:template id="z" template="{{go.action}} {{go.input ?? '-'}} {{y ?? '-'}}"/>
</workflow>"""


def test_a_case_decides_what_its_checkpoints_are_answered() -> None:
    decisions = {"go": fs.Answer("skip", input="soon")}
    result = play(ASKING, decisions=decisions, expected=Expected(output="skip soon -"))
    assert result.passed, result.problems
    expected = Expected(error=ExpectedError(type="CheckpointRejected"))
    assert play(ASKING, expected=expected).passed


@pytest.mark.parametrize("field", ["output", "results", "settings"])
def test_what_differed_shows_no_secret(field: str) -> None:
    secret = "do-not-tell-" + "x1y2" * 30
    differing: dict[str, dict[str, Any]] = {
        "output": {"output": "other"},
        "results": {"results": {"v": "other"}},
        "settings": {"settings": {"h": {"url": "other"}}},
    }
    result = play(
        """<workflow name="w"><secret name="KEY"/>
        <source:http id="h" url="https://api.example/{{$secrets.KEY}}"/>
        <set id="v" var="x" value="{{$secrets.KEY}}" after="h"/></workflow>""",
        secrets={"KEY": secret},
        stubs={"h": stub(Reply(output=1))},
        expected=Expected(**differing[field]),
    )
    said = "\n".join(result.problems)
    assert "***" in said
    assert "do-not-tell" not in said
    assert "x1y2x1y2" not in said
