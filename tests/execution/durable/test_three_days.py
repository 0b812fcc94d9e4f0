"""Owns the test of an approval that takes three days, over processes that end and on every kind of store."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import trio

import flowscript_trio as fs

from databases import new_database
from postgresql import POSTGRESQL, URL

EPOCH = datetime(2030, 1, 1, tzinfo=UTC)

TEXT = """<workflow name="payout">
  <source:act id="prepare"><compensate><source:act id="undo"/></compensate></source:act>
  <checkpoint id="approve" after="prepare" prompt="Pay?" timeout="7d"><action id="half"/></checkpoint>
  <source:act id="pay" input="approve"/>
  <transform:template id="done" after="pay" template="{{approve.action}} {{approve.input}} {{approve.timed_out}}"/>
</workflow>"""


class Payouts:
    """A store, and what is done in the processes that use it; ``days`` have passed since the beginning."""

    def __init__(self, where: str | None) -> None:
        self.where = where
        self.days = 0.0
        self.done: list[str] = []
        self.memory = fs.Store.memory(clock=lambda: self.now().timestamp())
        self.registry = fs.Registry(base=fs.registry)
        self.registry.runtime("source:act")(self.act)

    @property
    def store(self) -> fs.Store:
        """As a new process has it."""
        return self.memory if self.where is None else fs.Store(self.where)

    async def act(self, params: fs.ExecutionParams) -> str:
        self.done.append(params.node.label)
        return params.node.label

    def now(self) -> datetime:
        return EPOCH + timedelta(days=self.days)

    def process(self) -> fs.Run:
        """One more process that runs it, until it has ended or only waits."""

        async def main() -> fs.Run:
            flow = fs.loads(TEXT, registry=self.registry)
            return await fs.run(
                flow, store=self.store, run_id="r", now=self.now, suspend_after=0.02
            )

        return trio.run(main)

    def answer(self, action: str, by: str) -> dict[str, Any]:
        """Answer from another process, or from another thread where there is only the memory of this one."""
        if self.where is not None:
            command = [sys.executable, "-m", "flowscript_trio", "answer", "r", "approve", action]
            options = ["-i", "50", "--by", by, "--store", self.where]
            given = subprocess.run(
                [*command, *options], capture_output=True, text=True, check=False
            )
            assert given.returncode in (0, 1), given.stderr
            found: dict[str, Any] = json.loads(given.stdout)
            return found
        replies: list[fs.Reply] = []

        async def main() -> None:
            replies.append(await self.memory.answer("r", "approve", action, 50, by=by))

        in_thread(lambda: trio.run(main))
        (reply,) = replies
        return {name: getattr(reply, name) for name in ("action", "by", "taken", "timed_out")}


def in_thread(work: Callable[[], None]) -> None:
    thread = Thread(target=work)
    thread.start()
    thread.join()


@pytest.fixture(params=["memory", "sqlite", POSTGRESQL], name="payouts")
def _payouts(request: pytest.FixtureRequest, tmp_path: Path) -> Payouts:
    if request.param == "memory":
        return Payouts(None)
    return Payouts(str(tmp_path / "runs.db") if request.param == "sqlite" else new_database(URL))


def test_an_approval_that_takes_three_days_over_two_restarts(payouts: Payouts) -> None:
    for days in (0.0, 1.0, 2.0):
        payouts.days = days
        assert payouts.process().status == "suspended"
        state = trio.run(payouts.store.show, "r")
        assert (state.state, state.waits_for, state.owned) == ("suspended", ("approve",), False)
        assert state.due == pytest.approx((EPOCH + timedelta(days=7)).timestamp())
    payouts.days = 3.0
    first = payouts.answer("half", "ann")
    assert first == {"action": "half", "by": "ann", "taken": True, "timed_out": False}
    second = payouts.answer("approve", "bob")
    assert second == {"action": "half", "by": "ann", "taken": False, "timed_out": False}
    run = payouts.process()
    assert (run.status, run.output) == ("completed", "half 50 false")
    assert payouts.done == ["prepare", "pay"]
    assert payouts.answer("approve", "bob")["taken"] is False
    assert payouts.process().output == "half 50 false"


def test_an_approval_that_nobody_gives_in_time_is_refused_after_that(payouts: Payouts) -> None:
    assert payouts.process().status == "suspended"
    payouts.days = 8.0
    with pytest.raises(fs.CheckpointRejected, match="nobody answered in time"):
        payouts.process()
    late = payouts.answer("half", "ann")
    assert late == {"action": "reject", "by": "", "taken": False, "timed_out": True}
    assert payouts.done == ["prepare", "undo"]


def test_of_many_who_answer_at_once_from_stores_of_their_own_one_is_first(
    payouts: Payouts,
) -> None:
    payouts.process()
    replies: list[fs.Reply] = []

    async def answer(who: int) -> None:
        action = "half" if who % 2 else "approve"
        replies.append(await payouts.store.answer("r", "approve", action, who, by=f"p{who}"))

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            for who in range(5):
                nursery.start_soon(answer, who)

    trio.run(main)
    taken = [reply for reply in replies if reply.taken]
    assert len(taken) == 1
    assert {(reply.action, reply.input, reply.by) for reply in replies} == {
        (taken[0].action, taken[0].input, taken[0].by)
    }
    assert payouts.process().output == f"{taken[0].action} {taken[0].input} false"


def test_an_answer_while_it_is_being_resumed_is_heard_now_or_by_the_next(payouts: Payouts) -> None:
    payouts.process()

    async def answer() -> None:
        assert (await payouts.store.answer("r", "approve", "half", 1)).taken

    thread = Thread(target=lambda: trio.run(answer))
    thread.start()
    run = payouts.process()
    thread.join()
    if run.status == "suspended":
        assert [ready.run_id for ready in trio.run(payouts.store.ready)] == ["r"]
        run = payouts.process()
    assert (run.status, run.output) == ("completed", "half 1 false")


def test_a_live_run_hears_an_answer_and_a_wish_from_a_store_of_its_own(payouts: Payouts) -> None:
    outputs: list[Any] = []

    async def main(run_id: str) -> None:
        flow = fs.loads(TEXT, registry=payouts.registry)
        async with fs.open_run(flow, store=payouts.store, run_id=run_id, now=payouts.now) as run:
            while not (await payouts.store.show(run_id)).waits_for:  # noqa: ASYNC110 as others see it
                await trio.sleep(0.01)
            if run_id == "r":
                await payouts.store.answer(run_id, "approve", "half")
            else:
                await payouts.store.cancel(run_id, "enough")
            await run.wait()
        outputs.append((run.status, run.output))

    trio.run(main, "r")
    trio.run(main, "s")
    assert outputs == [("completed", "half  false"), ("cancelled", None)]
