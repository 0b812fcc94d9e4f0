"""What every kind of store does alike: journals, owners, answers, the list of runs, forgetting."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import pytest
import trio

from flowscript_trio.journal.questions import encode_question
from flowscript_trio.journal.rows import CANCEL, Answered, Mark, Question, Row
from flowscript_trio.journal.store import Store
from flowscript_trio.types.decisions import Action
from flowscript_trio.types.errors import InputError
from flowscript_trio.types.storing import RunBusy

ASKED = encode_question("ask", "Go?", [], "reject")
ROWS = [
    Row("began", "", b"\x00\xff"),
    Row("started", "a~2/0/book", b"1", b"value"),
    Row("ended", "a\U0001f600", b"", b"x" * 70_000),
    Row("ended", "b", b"y" * 70_000, b"x" * 70_000),
    Row("ended", "c", b"", b"x" * 70_000),
]


async def test_rows_come_back_in_order_and_as_they_were(store: Store) -> None:
    journal = await store.begin("r", b"doc", workflow="w")
    assert list(journal.read()) == []
    for row in ROWS[:2]:
        journal.write(row)
    await journal.synced()
    for row in ROWS[2:]:
        journal.write(row)
    await journal.aclose()
    again = await store.open("r")
    assert list(again.read()) == ROWS
    assert (again.run_id, again.document) == ("r", b"doc")
    again.write(Row("more", "", b""))
    await again.aclose()
    last = await store.begin("r", b"doc")
    assert list(last.read()) == [*ROWS, Row("more", "", b"")]
    await last.aclose()


async def test_more_rows_than_are_read_at_once_come_back(store: Store) -> None:
    rows = [Row("ended", str(number), b"") for number in range(2_500)]
    journal = await store.begin("r", b"")
    for row in rows:
        journal.write(row)
    await journal.aclose()
    again = await store.open("r")
    assert list(again.read()) == rows
    await again.aclose()


async def test_what_is_synced_can_be_seen_and_what_waits_is_woken(store: Store) -> None:
    journal = await store.begin("r", b"")

    async def node(number: int) -> None:
        for turn in range(10):
            journal.write(Row("started", f"{number}/{turn}", b""))
            await journal.synced()
            assert (await store.show("r")).rows >= turn + 1

    async with trio.open_nursery() as nursery:
        for number in range(5):
            nursery.start_soon(node, number)
    assert (await store.show("r")).rows == 50
    await journal.aclose()


async def test_waiting_can_be_cancelled_and_what_was_written_stays(store: Store) -> None:
    journal = await store.begin("r", b"")
    with trio.CancelScope() as scope:
        journal.write(Row("started", "a", b""))
        scope.cancel()
        await journal.synced()
    assert scope.cancelled_caught
    await journal.synced()
    assert (await store.show("r")).rows == 1
    await journal.aclose()


async def test_waiting_is_a_checkpoint_with_nothing_to_write_too(store: Store) -> None:
    journal = await store.begin("r", b"")
    with trio.CancelScope() as scope:
        scope.cancel()
        await journal.synced()
    assert scope.cancelled_caught
    await journal.aclose()
    await journal.aclose()


async def test_closing_in_what_is_cancelled_puts_all_on_disk_and_gives_the_run_back(
    store: Store,
) -> None:
    with trio.CancelScope() as scope:
        journal = await store.begin("r", b"")
        journal.write(Row("ended", "a", b""))
        scope.cancel()
        await journal.aclose()
    again = await store.open("r")
    assert [row.key for row in again.read()] == ["a"]
    await again.aclose()


async def test_a_run_has_one_owner(store: Store) -> None:
    journal = await store.begin("r", b"")
    for own in (store.open, lambda name: store.begin(name, b"")):
        with pytest.raises(RunBusy, match=r"'r' is owned by another (task of this )?process"):
            await own("r")
    other = await store.begin("s", b"")
    await journal.aclose()
    await (await store.open("r")).aclose()
    await other.aclose()


async def test_a_run_is_not_begun_twice_with_different_documents(store: Store) -> None:
    await (await store.begin("r", b"one")).aclose()
    with pytest.raises(InputError, match="another document, input or config"):
        await store.begin("r", b"two")
    with pytest.raises(InputError, match="another document, input or config"):
        await store.submit("r", b"two")
    await store.submit("r", b"one")
    assert (await store.show("r")).state == "running"


async def test_a_run_without_a_name_gets_one_of_its_own(store: Store) -> None:
    one, other = await store.begin(None, b""), await store.begin(None, b"")
    assert one.run_id != other.run_id
    await one.aclose()
    await other.aclose()


async def test_a_run_that_is_not_there_is_named_with_the_nearest(store: Store) -> None:
    await store.submit("nightly", b"")
    for call in (store.open, store.show, store.cancel):
        with pytest.raises(
            InputError, match="no run 'nightli' in the store; did you mean 'nightly'"
        ):
            await call("nightli")


async def test_runs_are_listed_the_youngest_first_with_how_they_stand(store: Store) -> None:
    await store.submit("a", b"", workflow="one")
    journal = await store.begin("b", b"", workflow="two")
    journal.mark(Mark("suspended", due=99.5))
    journal.ask(Question("ask", ASKED, due=7.0))
    await journal.synced()
    runs = await store.runs()
    assert [(run.run_id, run.workflow, run.state, run.due) for run in runs] == [
        ("b", "two", "suspended", 99.5),
        ("a", "one", "queued", None),
    ]
    assert [(run.owned, run.waits_for) for run in runs] == [(True, ("ask",)), (False, ())]
    assert [run.run_id for run in await store.runs("queued")] == ["a"]
    assert [run.run_id for run in await store.runs(limit=1)] == ["b"]
    journal.mark(Mark("completed"))
    await journal.aclose()
    ended = await store.show("b")
    assert (ended.state, ended.due, ended.owned, ended.waits_for) == ("completed", None, False, ())
    assert ended.ended is not None
    assert ended.ended >= ended.created > 1e9


async def test_a_store_can_be_made_before_anything_is_run(store: Store) -> None:
    await store.make()
    assert await store.runs() == []
    await store.submit("a", b"")
    await store.make()
    assert [run.run_id for run in await store.runs()] == ["a"]


async def test_runs_in_what_is_not_a_state_are_refused(store: Store) -> None:
    with pytest.raises(
        InputError, match=r"'complete' is not a state of a run; .* mean 'completed'"
    ):
        await store.runs("running", "complete")  # type: ignore[arg-type]


@pytest.mark.parametrize("number", [float("nan"), True, "5"])
async def test_what_is_no_number_of_runs_or_seconds_is_refused_in_the_same_way(
    store: Store, number: Any
) -> None:
    await store.submit("a", b"")
    for ask, name in (
        (partial(store.runs, younger_than=number), "younger_than"),
        (partial(store.runs, limit=number), "limit"),
        (partial(store.ready, limit=number), "limit"),
        (partial(store.prune, older_than=number), "older_than"),
        (partial(store.prune, older_than=0, keep=number), "keep"),
    ):
        with pytest.raises(InputError, match=f"^{name} is .*; expected "):
            await ask()


async def test_numbers_that_no_database_knows_are_asked_for_as_others(store: Store) -> None:
    await store.submit("a", b"")
    for ask, name in (
        (partial(store.runs, limit=-1), "limit"),
        (partial(store.ready, limit=-1), "limit"),
        (partial(store.prune, older_than=0, keep=-1), "keep"),
    ):
        with pytest.raises(InputError, match=f"^{name} is -1; expected a whole number from 0"):
            await ask()
    assert await store.runs(younger_than=-1e300) == []
    for age in (float("inf"), 1e300):
        assert len(await store.runs(younger_than=age, limit=1 << 70)) == 1
        assert await store.prune(older_than=age, keep=1 << 70) == 0
    assert await store.runs(limit=0) == []


@pytest.mark.parametrize("name", ["a\0b", "\ud800", "", "x" * 300])
async def test_what_no_run_can_be_called_is_not_in_the_store(store: Store, name: str) -> None:
    await store.submit("a", b"")
    for ask in (
        partial(store.show, name),
        partial(store.open, name),
        partial(store.copy, name),
        partial(store.questions, name),
        partial(store.answer, name, "ask", "approve"),
        partial(store.cancel, name),
    ):
        with pytest.raises(InputError, match="there is no run"):
            await ask()
    assert await store.runs(workflow=f"w{name}") == []


async def test_a_workflow_is_found_by_the_name_that_it_has(store: Store) -> None:
    await store.submit("a", b"", workflow="two\nlines")
    assert [run.run_id for run in await store.runs(workflow="two\nlines")] == ["a"]


async def test_a_run_whose_owner_is_gone_is_orphaned(store: Store) -> None:
    journal = await store.begin("r", b"")
    assert not (await store.show("r")).orphaned
    await journal.aclose()
    assert (await store.show("r")).orphaned


async def test_the_first_answer_stands_and_the_second_is_told_it(store: Store) -> None:
    journal = await store.begin("r", b"")
    journal.ask(Question("ask", ASKED))
    await journal.synced()
    first = await store.answer("r", "ask", "approve", 7, by="ann")
    assert (first.action, first.input, first.by, first.taken) == ("approve", 7, "ann", True)
    second = await store.answer("r", "ask", "reject", by="bob")
    assert (second.action, second.input, second.by, second.taken) == ("approve", 7, "ann", False)
    late = await journal.settle("ask", b"time-out", "time")
    assert (late.by, late.taken) == ("ann", False)
    assert [(each.slot, each.by) for each in await journal.answers()] == [("ask", "ann")]
    await journal.aclose()


async def test_the_time_out_takes_the_same_slot(store: Store) -> None:
    journal = await store.begin("r", b"")
    journal.ask(Question("ask", ASKED))
    await journal.synced()
    assert await journal.settle("ask", b"late", "time") == Answered("ask", b"late", "time", True)
    assert await journal.answers() == [Answered("ask", b"late", "time", True)]
    await journal.aclose()


async def test_an_answer_to_what_is_not_asked_is_refused(store: Store) -> None:
    journal = await store.begin("r", b"")
    with pytest.raises(InputError, match=re.escape("does not ask 'x'; it waits for no answer")):
        await store.answer("r", "x", "approve")
    journal.ask(Question("approval", ASKED))
    await journal.synced()
    said = "does not ask 'aproval'; it waits for 'approval'; did you mean 'approval'?"
    with pytest.raises(InputError, match=re.escape(said)):
        await store.answer("r", "aproval", "approve")
    journal.mark(Mark("failed"))
    await journal.synced()
    with pytest.raises(InputError, match="has ended; it is failed"):
        await store.answer("r", "approval", "approve")
    with pytest.raises(InputError, match="has ended; it is failed"):
        await store.cancel("r")
    await journal.aclose()


async def test_a_question_that_is_asked_again_keeps_its_answer(store: Store) -> None:
    journal = await store.begin("r", b"")
    journal.ask(Question("ask", ASKED))
    await journal.synced()
    await store.answer("r", "ask", "approve")
    journal.ask(Question("ask", ASKED))
    await journal.synced()
    assert (await store.show("r")).waits_for == ()
    assert len(await journal.answers()) == 1
    await journal.aclose()


async def test_a_question_that_is_withdrawn_takes_no_answer_unless_it_had_one(
    store: Store,
) -> None:
    journal = await store.begin("r", b"")
    for slot, due in (("a", None), ("b", 7.5), ("c", None)):
        journal.ask(Question(slot, ASKED, due))
    await journal.synced()
    asked = await store.questions("r")
    assert [(each.key, each.checkpoint, each.prompt, each.due) for each in asked] == [
        ("a", "ask", "Go?", None),
        ("b", "ask", "Go?", 7.5),
        ("c", "ask", "Go?", None),
    ]
    await store.answer("r", "b", "approve")
    for slot in "ab":
        journal.ask(Question(slot, ASKED, withdrawn=True))
    await journal.synced()
    assert [each.key for each in await store.questions("r")] == ["c"]
    with pytest.raises(InputError, match="does not ask 'a'; it waits for 'c'"):
        await store.answer("r", "a", "approve")
    late = await store.answer("r", "b", "reject")
    assert (late.action, late.taken) == ("approve", False)
    await journal.aclose()


async def test_a_question_lists_all_that_may_be_answered(store: Store) -> None:
    actions = [Action("later", "Tomorrow"), Action("reject", "Never")]
    journal = await store.begin("r", b"")
    journal.ask(Question("ask", encode_question("ask", "Now?", actions, "reject")))
    await journal.synced()
    (question,) = await store.questions("r")
    await journal.aclose()
    assert question.actions == tuple(actions)
    assert question.choices == (*actions, Action("approve", "Approve"))


async def test_an_action_that_is_not_offered_is_refused_before_anything_is_written(
    store: Store,
) -> None:
    journal = await store.begin("r", b"")
    journal.ask(Question("ask", ASKED))
    await journal.synced()
    with pytest.raises(InputError, match=r"no action 'aprove'.*did you mean 'approve'"):
        await store.answer("r", "ask", "aprove")
    assert await journal.answers() == []
    await journal.aclose()


async def test_a_journal_hears_of_what_comes_into_its_inbox(store: Store) -> None:
    journal = await store.begin("r", b"")
    await store.cancel("r", "enough")
    with trio.fail_after(60):
        while not await journal.answers():
            await journal.news()
    await journal.aclose()


async def test_a_wish_to_cancel_waits_in_the_inbox_and_the_first_reason_stands(
    store: Store,
) -> None:
    journal = await store.begin("r", b"")
    await store.cancel("r", "too slow", by="ann")
    await store.cancel("r", "other", by="bob")
    (wish,) = await journal.answers()
    assert (wish.slot, wish.by) == (CANCEL, "ann")
    assert Store.reason_of(wish) == "too slow"
    await journal.aclose()


async def test_ended_runs_are_forgotten_by_age_and_number(store: Store) -> None:
    for name in "abcd":
        journal = await store.begin(name, b"doc")
        journal.write(Row("ended", name, b"", name.encode() * 70_000))
        journal.mark(Mark("completed"))
        await journal.aclose()
    owned = await store.open("a")
    await (await store.begin("runs", b"doc")).aclose()
    assert await store.prune(older_than=3600, keep=0) == 0
    assert await store.prune(older_than=0, keep=2) == 1  # a is owned
    assert [run.run_id for run in await store.runs()] == ["runs", "d", "c", "a"]
    await owned.aclose()
    assert await store.prune(older_than=0, keep=0) == 3
    journal = await store.open("runs")
    assert journal.document == b"doc"
    await journal.aclose()


async def test_a_run_that_was_forgotten_can_be_begun_anew(store: Store) -> None:
    for _ in range(2):
        journal = await store.begin("r", b"doc")
        assert list(journal.read()) == []
        for row in ROWS:
            journal.write(row)
        journal.mark(Mark("failed"))
        await journal.aclose()
        assert await store.prune(older_than=0, keep=0) == 1


async def test_workers_are_shown_the_runs_that_can_go_on(store: Store) -> None:
    async def ready() -> list[str]:
        return [run.run_id for run in await store.ready()]

    async def suspended(name: str, mark: Mark, *questions: str) -> None:
        journal = await store.begin(name, b"")
        for question in questions:
            journal.ask(Question(question, ASKED))
        journal.mark(mark)
        await journal.aclose()

    await store.submit("queued", b"")
    await suspended("late", Mark("suspended", due=1.0))
    await suspended("early", Mark("suspended", due=4e9))
    await suspended("asks", Mark("suspended"), "a", "b")
    await suspended("ended", Mark("completed"))
    await suspended("orphaned", Mark("running"))
    owned = await store.begin("owned", b"")
    assert await ready() == ["queued", "late", "orphaned"]
    assert [run.run_id for run in await store.ready(limit=1)] == ["queued"]
    others = await store.ready(limit=2, skip=["queued", "none"])
    assert [run.run_id for run in others] == ["late", "orphaned"]
    await store.answer("asks", "a", "approve")
    await store.cancel("early")
    assert await ready() == ["queued", "late", "early", "asks", "orphaned"]
    await suspended("asks", Mark("suspended", seen=1))
    assert "asks" not in await ready()
    await store.answer("asks", "b", "approve")
    assert "asks" in await ready()
    await owned.aclose()
    assert "owned" in await ready()


async def test_a_run_that_begins_is_at_no_moment_one_that_a_worker_may_take(store: Store) -> None:
    found: list[str] = []
    others = trio.CancelScope()

    async def look() -> None:
        with others:
            while True:
                found.extend(run.run_id for run in await store.ready())

    journals = [await store.begin("first", b"")]  # a file that is not there cannot be looked at
    async with trio.open_nursery() as nursery:
        nursery.start_soon(look)
        journals += [await store.begin(f"r{number}", b"") for number in range(60)]
        others.cancel()
    for journal in journals:
        await journal.aclose()
    assert found == []


@pytest.mark.parametrize("run_id", ["", "a\nb", "x" * 201, "\ud800", 7])
async def test_a_run_has_a_name_that_can_be_printed(store: Store, run_id: Any) -> None:
    for call in (store.begin, store.submit):
        with pytest.raises(InputError, match="expected text of 1 to 200 characters"):
            await call(run_id, b"")


async def test_names_of_workflows_and_people_cannot_steer_a_terminal(store: Store) -> None:
    await store.submit("r", b"", workflow="a\x1b[2J\ud800")
    assert (await store.show("r")).workflow == "a\\x1b[2J\\ud800"
    await store.cancel("r", by="b\n\0")
    journal = await store.open("r")
    assert [each.by for each in await journal.answers()] == ["b\\n\\x00"]
    await journal.aclose()


async def test_journals_may_be_opened_while_others_are_closed(store: Store) -> None:
    async def keep(name: str) -> None:
        for turn in range(5):
            journal = await store.begin(name, b"")
            journal.write(Row("ended", str(turn), b""))
            await journal.synced()
            journal.write(Row("more", str(turn), b""))
            await journal.aclose()

    with trio.fail_after(120):
        async with trio.open_nursery() as nursery:
            for number in range(6):
                nursery.start_soon(keep, str(number))
    assert {run.rows for run in await store.runs()} == {10}
