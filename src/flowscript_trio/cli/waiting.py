"""Owns what the command line says of durable runs that wait: for whom, until when, and how to go on with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ..types.printing import one_line
from ..types.storing import StoreFailed
from .saying import say

if TYPE_CHECKING:
    from ..execution.handle import Run
    from ..journal.questions import OpenQuestion
    from ..journal.store import Store
    from ..types.decisions import Action, Answer, Decider

Say = Callable[[str], None]
"""Writes a line for people, wherever the run is shown."""

SUSPENDED = 3
"""The exit status of a command that left a run, since it waits for nothing but people and timers."""


def decider_of(
    store: Store | None, run_id: str | None, where: str | None, say: Say
) -> Decider | None:
    """Says what a durable run waits for, where nobody sits at a terminal; None where nothing is to be said."""
    if store is None or run_id is None or where is None:
        return None
    return StoreDecider(store, run_id, where, say)


class StoreDecider:
    """Says on standard error what a run waits for, and how to answer it from elsewhere, which it leaves to others.

    Cancellation ends it at once.
    """

    def __init__(self, store: Store, run_id: str, where: str, say: Say) -> None:
        self._store = store
        self._run_id = run_id
        self._where = where
        self._say = say

    async def __call__(self, prompt: str, actions: Sequence[Action]) -> Answer:
        """Say it, and answer nothing."""
        import trio

        with suppress(StoreFailed):  # whether the run can go on is not for what is said about it
            for question in await self._store.questions(self._run_id):
                if question.prompt == prompt and question.actions == actions:
                    self._say(how_to_answer(question, self._run_id, self._where))
        await trio.sleep_forever()
        raise AssertionError("it was cancelled")


def how_to_answer(question: OpenQuestion, run_id: str, where: str) -> str:
    """What a run waits for, and the command that answers it."""
    prompt = f" ({one_line(question.prompt)})" if question.prompt else ""
    until = "" if question.due is None else f" until {moment(question.due)}"
    key = one_line(question.key)
    return (
        f"run {run_id} waits for an answer at {key!r}{prompt}{until}; "
        f"flowscript answer {run_id} {key} ACTION --store {where}, where ACTION is one of {_actions(question)}"
    )


def _actions(question: OpenQuestion) -> str:
    from ..journal.questions import actions_of

    return ", ".join(map(one_line, actions_of(question.actions)))


def moment(seconds: float) -> str:
    """A time in seconds since 1970 as ISO 8601, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


class Begun:
    """Says how to go on with a durable run, once it has begun: a run that is refused cannot be gone on with."""

    def __init__(self, where: str | None, say: Say) -> None:
        self._where = where
        self._say = say

    def started(self, run: Run | None = None) -> None:
        """The run has begun."""
        if run is not None and self._where is not None:
            self._say(
                f"run {run.id}; to go on with it: flowscript resume {run.id} --store {self._where}"
            )


async def say_suspended(run: Run, store: Store | None, where: str | None) -> None:
    """Say what a run waits for, if it was left."""
    if run.status != "suspended" or store is None or where is None:
        return
    state = await store.show(run.id)
    until = "" if state.due is None else f" until {moment(state.due)}"
    say(
        f"run {run.id} is suspended{until}; to go on with it: flowscript resume {run.id} --store {where}"
    )
    for question in await store.questions(run.id):
        say(how_to_answer(question, run.id, where))
