"""Owns the tests of checkpoints: who is asked, what stands without an answer, and where it goes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import trio

import flowscript_trio as fs

from stubs import Stubs

ACTIONS = '<action id="skip" label="Skip ahead" goto="c"/><action id="redo" goto="a"/>'
BODY = f"""
<source:stub id="a" gives="A"/>
<checkpoint id="ask" prompt="Ship {{{{a}}}}?" timeout="5">{ACTIONS}</checkpoint>
<source:stub id="b" gives="B"/>
<source:stub id="c" gives="C"/>
<output>
  <set field="ask" value="{{{{ask}}}}"/><set field="b" value="{{{{b}}}}"/>
  <set field="c" value="{{{{c}}}}"/>
</output>
"""


class Person:
    """A decider that answers after some seconds and remembers what it was asked."""

    def __init__(self, *answers: Any, after: float = 0) -> None:
        self.answers = list(answers)
        self.after = after
        self.asked: list[tuple[str, list[tuple[str, str]]]] = []
        self.cancelled = False

    async def __call__(self, prompt: str, actions: Sequence[fs.Action]) -> Any:
        self.asked.append((prompt, [(action.id, action.label) for action in actions]))
        try:
            await trio.sleep(self.after)  # virtual
        except trio.Cancelled:
            self.cancelled = True
            raise
        return self.answers.pop(0)


async def test_approve_goes_on_with_the_next_node_and_the_person_is_told_prompt_and_actions() -> (
    None
):
    stubs, person = Stubs(), Person("approve")
    run = await stubs.run(BODY, decider=person)
    assert person.asked == [("Ship A?", [("skip", "Skip ahead"), ("redo", "redo")])]
    assert run.output == {
        "ask": {"action": "approve", "input": None, "timed_out": False},
        "b": "B",
        "c": "C",
    }
    assert stubs.events[:2] == ["start a", "end a"]
    assert sorted(stubs.events[2:]) == ["end b", "end c", "start b", "start c"]


async def test_a_goto_passes_over_the_nodes_between() -> None:
    stubs = Stubs()
    run = await stubs.run(BODY, decider=Person(fs.Answer("skip", input="in a hurry")))
    assert run.output == {
        "ask": {"action": "skip", "input": "in a hurry", "timed_out": False},
        "b": None,
        "c": "C",
    }
    assert run.results["b"].status == "skipped"
    assert "start b" not in stubs.events


async def test_a_goto_in_a_sequence_passes_over_the_nodes_between_and_what_stands_in_them() -> None:
    stubs = Stubs()
    run = await stubs.run(
        """
        <loop id="l" max="2">
          <if id="i" condition="$iteration == 1">
            <then><set var="again" value="true"/></then>
          </if>
          <checkpoint id="ask"><action id="skip" goto="z"/></checkpoint>
          <foreach id="each" collection="[1, 2]"><source:stub id="x" gives="{{item}}"/></foreach>
          <transform:template id="z" template="{{each ?? 'none'}} {{x ?? 'none'}} {{again}}"/>
        </loop>
        """,
        decider=Person("approve", "skip"),
    )
    assert run.output == "none none true"
    assert [event for event in stubs.events if event == "start x"] == ["start x"] * 2
    assert [result.status for result in run.record["l[0]/each"]] == ["success"]
    assert [result.status for result in run.record["l[1]/each"]] == ["skipped"]


async def test_without_a_decider_the_default_stands_at_once(
    autojump_clock: trio.testing.MockClock,
) -> None:
    with pytest.raises(fs.CheckpointRejected, match="'ask' was rejected") as caught:
        await Stubs().run(BODY)
    assert not caught.value.timed_out
    failure = fs.failure_of(caught.value)
    assert failure is not None
    assert failure.node == "ask"
    run = await Stubs().run(BODY.replace('timeout="5"', 'default="approve"'))
    assert run.output["ask"] == {"action": "approve", "input": None, "timed_out": False}
    assert trio.current_time() == 0


async def test_when_its_time_passes_the_decider_is_cancelled_and_the_default_stands(
    autojump_clock: trio.testing.MockClock,
) -> None:
    person = Person("approve", after=5)
    with pytest.raises(fs.CheckpointRejected, match="nobody answered in time") as caught:
        await Stubs().run(BODY, decider=person)
    assert caught.value.timed_out
    assert person.cancelled
    assert trio.current_time() == 5
    person = Person("redo", after=6)
    run = await Stubs().run(
        BODY.replace('timeout="5"', 'timeout="5s" default="approve"'), decider=person
    )
    assert run.output["ask"] == {"action": "approve", "input": None, "timed_out": True}
    assert person.cancelled


async def test_reject_as_an_action_of_its_own_goes_where_that_says() -> None:
    body = BODY.replace('id="redo" goto="a"', 'id="reject" goto="c"')
    run = await Stubs().run(body, decider=Person("reject"))
    assert run.output["ask"]["action"] == "reject"
    assert run.results["b"].status == "skipped"


async def test_going_back_is_an_error_that_points_to_a_loop() -> None:
    flow = Stubs().load(BODY)
    assert [problem.code for problem in flow.warnings] == ["backward-goto"]
    with pytest.raises(fs.FlowScriptError, match=r"cannot go back to 'a'.*<loop>"):
        await Stubs().run(BODY, decider=Person("redo"))


async def test_a_falsy_condition_asks_nobody() -> None:
    person = Person()
    run = await Stubs().run('<checkpoint id="ask" condition="1 > 2" prompt="?"/>', decider=person)
    assert run.output == {"action": "approve"}
    assert person.asked == []


@pytest.mark.parametrize("answer", ["skipp", None, 3, fs.Answer("nope")])
async def test_an_answer_that_is_none_is_an_error(answer: Any) -> None:
    with pytest.raises(fs.FlowScriptError, match="the decider answered") as caught:
        await Stubs().run(BODY, decider=Person(answer))
    assert "expected one of skip, redo, approve, reject" in str(caught.value)
    assert ("did it mean 'skip'?" in str(caught.value)) == (answer == "skipp")


async def test_what_a_decider_raises_is_the_nodes_error() -> None:
    error = RuntimeError("nobody home")

    async def decide(prompt: str, actions: Sequence[fs.Action]) -> str:
        raise error

    with pytest.raises(RuntimeError) as caught:
        await Stubs().run(BODY, decider=decide)
    assert caught.value is error


async def test_a_rejection_can_be_handled(autojump_clock: trio.testing.MockClock) -> None:
    run = await Stubs().run(
        """
        <checkpoint id="ask"><on-error><fallback node="no"/></on-error></checkpoint>
        <transform:template id="no" template="{{$error.type}}"/>
        """
    )
    assert run.output == "CheckpointRejected"


async def test_a_sibling_that_fails_cancels_the_question(
    autojump_clock: trio.testing.MockClock,
) -> None:
    person = Person("approve", after=60)
    with pytest.raises(ValueError, match="broken"):
        await Stubs().run(
            """
            <parallel id="p">
              <branch><checkpoint id="ask" prompt="?"/></branch>
              <branch><source:stub id="x" takes="1s" fails="broken"/></branch>
            </parallel>
            """,
            decider=person,
        )
    assert person.cancelled
    assert trio.current_time() == 1


async def test_without_an_answer_of_its_own_the_input_is_the_nodes() -> None:
    run = await Stubs().run(
        '<source:stub id="a" gives="A"/><checkpoint id="ask" input="a"/>', decider=Person("approve")
    )
    assert run.output == {"action": "approve", "input": "A", "timed_out": False}


PROBLEMS = [
    (
        "unused-goto",
        '<checkpoint id="c"><action id="approve" goto="n"/></checkpoint><delay id="n" duration="1s"/>',
    ),
    (
        "misplaced-goto",
        '<checkpoint id="c"><action id="x" goto="n"/></checkpoint>'
        '<source:stub id="s"><on-error><fallback node="c"/></on-error></source:stub><source:stub id="n"/>',
    ),
]


@pytest.mark.parametrize(("code", "body"), PROBLEMS)
def test_a_goto_that_can_never_be_taken_is_reported(code: str, body: str) -> None:
    stubs = Stubs()
    try:
        problems = stubs.load(body).warnings
    except fs.WorkflowInvalid as exc:
        problems = exc.problems
    assert code in [problem.code for problem in problems]


async def test_a_person_is_shown_no_secret() -> None:
    seen: list[str] = []

    async def decide(prompt: str, actions: Sequence[fs.Action]) -> str:
        seen.extend([prompt, *(action.label for action in actions)])
        return "go"

    flow = fs.loads(
        '<workflow name="w"><secret name="K"/><checkpoint id="ask" prompt="send {{$secrets.K}}?">'
        '<action id="go" label="use {{$secrets.K}}"/></checkpoint></workflow>'
    )
    run = await fs.run(flow, secrets={"K": "a-long-secret"}, decider=decide)
    assert run.output["action"] == "go"
    assert seen == ["send ***?", "use ***"]
