"""Owns the tests of durable runs that ask people: answers, the time-out, what is withdrawn, wishes to cancel."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest
import trio
from trio.testing import MockClock

import flowscript_trio as fs

from crashing import Crashing, points

ASKS = """<workflow name="w"><source:act id="a"/>
  <checkpoint id="ask" after="a" prompt="Go?" timeout="3d" default="approve">
    <action id="go"/><action id="later"/></checkpoint>
  <source:act id="b" after="ask"/>
  <transform:template id="t" after="b" template="{{ask.action}} {{ask.timed_out}}"/></workflow>"""
UNBOUNDED = ASKS.replace('timeout="3d" ', "")
DAY = 86_400.0


def in_trio(call: Callable[..., Awaitable[Any]], *args: Any, **options: Any) -> Any:
    return trio.run(partial(call, *args, **options), clock=MockClock(autojump_threshold=0))


def answer_after(seconds: float, work: Crashing, replies: list[fs.Reply], *answer: Any) -> Any:
    async def answering(_: fs.Run) -> None:
        await trio.sleep(seconds)  # virtual
        replies.append(await work.store.answer("r", *answer, by="ann"))

    return answering


def test_without_a_decider_a_durable_run_waits_until_somebody_answers() -> None:
    work, replies = Crashing(UNBOUNDED), list[fs.Reply]()
    done = work.process(during=answer_after(40 * DAY, work, replies, "ask", "go", {"n": 1}))
    assert done.run is not None
    assert done.run.output == "go false"
    assert done.run.results["ask"].output["input"] == {"n": 1}
    assert replies == [fs.Reply("go", {"n": 1}, "ann", True)]
    assert done.run.duration == pytest.approx(40 * DAY + 1)


def test_the_default_stands_only_when_the_time_has_passed() -> None:
    work = Crashing(ASKS)
    done = work.process()
    assert done.run is not None
    assert done.run.output == "approve true"
    assert done.run.duration == pytest.approx(3 * DAY + 2)
    late = in_trio(work.store.answer, "r", "ask", "go")
    assert (late.action, late.by, late.taken, late.timed_out) == ("approve", "", False, True)


def test_a_decider_is_one_more_way_to_answer() -> None:
    async def decide(prompt: str, actions: Any) -> str:
        await trio.sleep(10)  # virtual
        return "go"

    work = Crashing(ASKS, decider=decide)
    done = work.process()
    assert done.run is not None
    assert done.run.output == "go false"
    second = in_trio(work.store.answer, "r", "ask", "later")
    assert (second.action, second.by, second.taken) == ("go", "the decider", False)


def test_whoever_answers_first_ends_the_wait_of_the_decider() -> None:
    left: list[float] = []

    async def decide(prompt: str, actions: Any) -> str:
        try:
            await trio.sleep(10)  # virtual
        finally:
            left.append(trio.current_time())
        return "later"

    work, replies = Crashing(ASKS, decider=decide), list[fs.Reply]()
    done = work.process(during=answer_after(3, work, replies, "ask", "go"))
    assert done.run is not None
    assert done.run.output == "go false"
    assert left == [3.0]


def test_a_decider_that_fails_is_the_error_of_its_node_and_the_question_is_withdrawn() -> None:
    async def decide(prompt: str, actions: Any) -> str:
        raise ValueError("no terminal")

    work = Crashing(ASKS, decider=decide)
    assert work.process().outcome == ("failed", "ValueError", "no terminal")
    with pytest.raises(fs.InputError, match="has ended; it is failed"):
        in_trio(work.store.answer, "r", "ask", "go")


def test_an_answer_outlives_every_crash_and_is_the_same_after_each() -> None:
    text = UNBOUNDED.replace("{{ask.timed_out}}", "{{ask.input}}")
    whole, replies = Crashing(text), list[fs.Reply]()
    whole.process(during=answer_after(9, whole, replies, "ask", "go", 7))
    for at in points(whole.store.commits):
        work = Crashing(text)
        work.process(at, during=answer_unless_dead(work))
        last = work.process(during=answer_unless_dead(work))
        assert last.run is not None, at
        assert last.run.output == "go 7", at


def answer_unless_dead(work: Crashing) -> Any:
    """Answer what is asked after some seconds, if it is."""

    async def answering(_: fs.Run) -> None:
        await trio.sleep(9)  # virtual
        for question in await work.store.questions("r"):
            await work.store.answer("r", question.key, "go", 7)

    return answering


def test_the_time_goes_on_while_nobody_runs_it() -> None:
    work = Crashing(ASKS, suspend_after=60.0)
    assert work.process().run.status == "suspended"
    last = work.process(later=4 * DAY)
    assert last.run is not None
    assert last.run.output == "approve true"
    assert last.run.duration == pytest.approx(1 + 60 + 1)
    assert last.run.elapsed == pytest.approx(4 * DAY + 62)


def test_an_answer_that_came_late_stands_where_the_time_out_had_not_taken_its_place() -> None:
    work = Crashing(ASKS, suspend_after=60.0)
    work.process()
    assert in_trio(work.store.answer, "r", "ask", "go").taken
    last = work.process(later=4 * DAY)
    assert last.run is not None
    assert last.run.output == "go false"


def test_what_a_lost_race_asked_is_asked_no_more() -> None:
    text = """<workflow name="w"><parallel id="p" wait="any">
      <branch><checkpoint id="ask" prompt="Go?"/></branch>
      <branch><source:act id="fast" takes="5"/></branch></parallel>
      <source:act id="b" after="p" takes="9"/></workflow>"""
    work, said = Crashing(text), list[str]()

    async def answer_late(_: fs.Run) -> None:
        await trio.sleep(3)  # virtual
        assert [each.key for each in await work.store.questions("r")] == ["p/0/ask"]
        await trio.sleep(5)  # virtual
        assert await work.store.questions("r") == []
        with pytest.raises(fs.InputError, match="does not ask 'ask'; it waits for no answer"):
            await work.store.answer("r", "ask", "approve")
        said.append("refused")

    assert work.process(during=answer_late).outcome == ("completed", "b")
    assert said == ["refused"]


def test_questions_of_one_checkpoint_are_told_apart_by_their_keys() -> None:
    text = """<workflow name="w"><foreach id="f" collection="[1,2]" max-concurrency="2">
      <checkpoint id="ask" prompt="Item {{item}}?"/>
      <transform:template id="t" template="{{ask.input}}"/></foreach></workflow>"""
    work = Crashing(text)

    async def answer(_: fs.Run) -> None:
        await trio.sleep(1)  # virtual
        asked = await work.store.questions("r")
        assert sorted((each.key, each.prompt) for each in asked) == [
            ("f[0]/ask", "Item 1?"),
            ("f[1]/ask", "Item 2?"),
        ]
        said = "waits at 'ask' 2 times; expected one of the keys 'f[0]/ask', 'f[1]/ask'"
        with pytest.raises(fs.InputError, match=re.escape(said)):
            await work.store.answer("r", "ask", "approve")
        await work.store.answer("r", "f[1]/ask", "approve", "second")
        await work.store.answer("r", "ask", "approve", "first")

    assert work.process(during=answer).outcome == ("completed", ["first", "second"])


@pytest.mark.parametrize(
    ("checkpoint", "action", "said"),
    [
        (
            "ask",
            "goo",
            "no action 'goo'; expected one of go, later, approve, reject; did you mean 'go'?",
        ),
        ("ask", 7, "'ask' has no action 7"),
        ("asked", "go", "does not ask 'asked'; it waits for 'ask'; did you mean 'ask'?"),
    ],
)
def test_what_is_no_answer_is_refused_and_changes_nothing(
    checkpoint: str, action: Any, said: str
) -> None:
    work = Crashing(UNBOUNDED, suspend_after=5.0)
    work.process()
    with pytest.raises(fs.InputError, match=re.escape(said)):
        in_trio(work.store.answer, "r", checkpoint, action)
    with pytest.raises(fs.CannotKeep):
        in_trio(work.store.answer, "r", "ask", "go", object())
    assert [each.key for each in in_trio(work.store.questions, "r")] == ["ask"]
    assert in_trio(work.store.answer, "r", "ask", "go").taken


def test_a_checkpoint_that_is_tried_again_asks_again() -> None:
    text = """<workflow name="w"><checkpoint id="ask" prompt="Go?">
      <on-error><retry max="1" when="true" base="1s"/></on-error></checkpoint></workflow>"""
    work = Crashing(text)

    async def answer(_: fs.Run) -> None:
        await trio.sleep(1)  # virtual
        assert (await work.store.answer("r", "ask", "reject")).taken
        await trio.sleep(5)  # virtual
        (again,) = await work.store.questions("r")
        assert again.key == "ask~2"
        assert (await work.store.answer("r", "ask", "approve")).taken

    done = work.process(during=answer)
    assert done.run is not None
    assert done.run.output["action"] == "approve"


# ---- secrets ----


def test_no_secret_of_a_question_or_an_answer_is_in_the_store() -> None:
    secret = "hunter2-hunter2"

    async def decide(prompt: str, actions: Any) -> fs.Answer:
        assert secret not in prompt
        return fs.Answer("go", {"token": f"it is {secret}"})

    text = """<workflow name="w"><secret name="KEY"/>
      <checkpoint id="ask" prompt="Use {{$secrets.KEY}}?"><action id="go"/></checkpoint>
      <source:act id="a" takes="3" after="ask"/>
      <return after="a" value="{{ask.input.token == 'it is ' + $secrets.KEY}}"/></workflow>"""
    work = Crashing(text, decider=decide, secrets={"KEY": secret})

    async def leave(handle: fs.Run) -> None:
        await trio.sleep(1.5)  # virtual
        handle.leave()

    work.process(during=leave)
    run = work.store._backend._runs["r"]
    kept = [each.asked for each in run.questions.values()]
    kept += [each.data for each in run.answers.values()]
    kept += [part for row in run.rows.values() for part in (row.data, row.value)]
    assert not any(secret.encode() in part for part in kept)
    second = in_trio(work.store.answer, "r", "ask", "approve")
    assert (second.action, second.input, second.taken) == ("go", None, False)
    assert work.process().outcome == ("completed", True)


# ---- wishes to cancel ----

CLEANED = """<workflow name="w">
  <source:act id="a"><compensate><source:act id="undo"/></compensate></source:act>
  <checkpoint id="ask" after="a" prompt="Go?"/><source:act id="b" after="ask"/>
  <finally><source:act id="last"/></finally></workflow>"""


def test_a_wish_to_cancel_reaches_a_run_that_is_at_work_and_its_clean_up_runs() -> None:
    work = Crashing(CLEANED)

    async def cancel(_: fs.Run) -> None:
        await trio.sleep(5)  # virtual
        assert await work.store.cancel("r", "not needed", by="ann") == "not needed"

    done = work.process(during=cancel)
    assert done.run is not None
    assert done.run.status == "cancelled"
    assert done.run.record.cancellations[0][1].reason == "not needed"
    assert work.world.done == ["a", "undo", "last"]
    with pytest.raises(fs.InputError, match="has ended; it is cancelled"):
        in_trio(work.store.cancel, "r")


def test_a_run_that_was_left_is_cancelled_by_whoever_resumes_it_with_its_clean_up() -> None:
    work = Crashing(CLEANED, suspend_after=60.0)
    assert work.process().run.status == "suspended"
    in_trio(work.store.cancel, "r", "", by="ann")
    assert [run.run_id for run in in_trio(work.store.ready)] == ["r"]
    assert work.world.done == ["a"]
    last = work.process()
    assert last.run is not None
    assert last.run.status == "cancelled"
    assert last.run.record.cancellations[0][1].reason == "cancelled in its store by ann"
    assert work.world.done == ["a", "undo", "last"]


def test_a_wish_to_cancel_outlives_every_crash_of_the_clean_up() -> None:
    def left() -> Crashing:
        work = Crashing(CLEANED, suspend_after=60.0)
        work.process()
        in_trio(work.store.cancel, "r", "not needed")
        return work

    whole = left()
    before = whole.store.commits
    whole.process()
    for moment, number in points(whole.store.commits - before):
        work = left()
        work.process((moment, number + before))
        last = work.process()
        assert last.run is not None, (moment, number)
        assert last.run.status == "cancelled", (moment, number)
        assert list(dict.fromkeys(work.world.done)) == ["a", "undo", "last"], (moment, number)


def test_a_queued_run_that_is_to_be_cancelled_does_nothing() -> None:
    work = Crashing(CLEANED)
    work.process(("before", 1))  # it is in the store, and has no entry
    in_trio(work.store.cancel, "r", "not needed")
    last = work.process()
    assert last.run is not None
    assert last.run.status == "cancelled"
    assert set(work.world.done) <= {"last"}


# ---- races ----


@pytest.mark.parametrize("shift", [0.0, 1.0])
def test_of_an_answer_and_the_time_out_in_one_pass_one_stands_and_both_know_it(
    shift: float,
) -> None:
    text = ASKS.replace("3d", "20s")
    work, replies = Crashing(text), list[fs.Reply]()
    done = work.process(during=answer_after(20 + shift, work, replies, "ask", "go"))
    assert done.run is not None
    (reply,) = replies
    if reply.taken:
        assert done.run.output == "go null false" or done.run.output.startswith("go")
    else:
        assert (reply.action, reply.timed_out) == ("approve", True)
        assert done.run.output == "approve true"


def test_of_an_answer_and_that_of_the_decider_in_one_pass_one_stands() -> None:
    async def decide(prompt: str, actions: Any) -> str:
        await trio.sleep(10)  # virtual
        return "later"

    work, replies = Crashing(ASKS, decider=decide), list[fs.Reply]()
    done = work.process(during=answer_after(11, work, replies, "ask", "go"))
    assert done.run is not None
    (reply,) = replies
    assert done.run.output == f"{reply.action} false"
    assert reply.action == ("go" if reply.taken else "later")


def test_of_an_answer_and_a_wish_to_cancel_in_one_pass_the_run_is_cancelled_or_had_gone_on() -> (
    None
):
    work, replies = Crashing(CLEANED), list[fs.Reply]()

    async def both(_: fs.Run) -> None:
        await trio.sleep(5)  # virtual
        async with trio.open_nursery() as nursery:
            nursery.start_soon(work.store.cancel, "r", "not needed")
            nursery.start_soon(answer_after(0, work, replies, "ask", "approve"), _)

    done = work.process(during=both)
    assert done.run is not None
    assert done.run.status == "cancelled"
    assert work.world.done == ["a", "undo", "last"]


def test_of_two_answers_in_one_pass_the_first_stands() -> None:
    work, replies = Crashing(ASKS), list[fs.Reply]()

    async def both(run: fs.Run) -> None:
        await trio.sleep(5)  # virtual
        async with trio.open_nursery() as nursery:
            nursery.start_soon(answer_after(0, work, replies, "ask", "go"), run)
            nursery.start_soon(answer_after(0, work, replies, "ask", "later"), run)

    done = work.process(during=both)
    assert done.run is not None
    assert sorted(reply.taken for reply in replies) == [False, True]
    assert len({reply.action for reply in replies}) == 1
    assert done.run.output == f"{replies[0].action} false"


def test_an_answer_to_a_run_that_is_just_being_resumed_is_heard() -> None:
    work, replies = Crashing(ASKS, suspend_after=60.0), list[fs.Reply]()
    work.process()
    done = work.process(during=answer_after(0, work, replies, "ask", "go"))
    assert done.run is not None
    assert done.run.status == "completed"
    assert done.run.output == "go false"
