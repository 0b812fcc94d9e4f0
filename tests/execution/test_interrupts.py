"""An interrupt surfaces bare wherever it comes from, whatever else went wrong."""

from __future__ import annotations

import itertools
import signal
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
from trio.testing import MockClock

import flowscript_trio as fs
from flowscript_trio.types import exceptions
from flowscript_trio.types.events import AttemptStarted, Event, NodeEnded
from flowscript_trio.types.paths import label_of

from scheduling import run_virtually

INTERRUPTS = [KeyboardInterrupt, SystemExit]
FAILS = (
    '<source:does id="ok"><compensate><source:does id="undo"/></compensate></source:does>'
    '<parallel id="p" after="ok"><branch><source:does id="a" fails="true"/></branch>'
    '<branch><source:does id="b" takes="5"/></branch></parallel>'
    '<on-workflow-error><source:does id="report"/></on-workflow-error>'
    '<finally><source:does id="close"/></finally>'
)


class Closes:
    """A resource that cannot be closed."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def close(self) -> None:
        raise self._error


class InterruptsAt:
    """An observer that raises at the event of that number."""

    def __init__(self, number: int, interrupt: BaseException) -> None:
        self.number = number
        self.interrupt = interrupt
        self.seen = 0

    def __call__(self, event: Event) -> None:
        self.seen += 1
        if self.seen == self.number:
            raise self.interrupt


def world(error: BaseException | None = None) -> fs.Registry:
    registry = fs.Registry(base=fs.registry)

    @registry.runtime("source:does")
    async def does(params: fs.ExecutionParams) -> None:
        if error is not None:
            await params.run.resource("one", lambda: Closes(error))
        await trio.sleep(float(params.config.get("takes", 1)))
        if params.config.get("fails"):
            raise ValueError("its own")

    return registry


def run(
    document: str, registry: fs.Registry, *observers: fs.Observer, input: object = None
) -> tuple[BaseException | None, fs.Run]:
    """What a run raised, and the run."""
    flow = fs.loads(f'<workflow name="w">{document}</workflow>', registry=registry)
    found: list[fs.Run] = []

    async def main() -> BaseException | None:
        try:
            async with fs.open_run(flow, observers=observers, input=input) as handle:
                found.append(handle)
        except BaseException as exc:
            return exc
        return None

    return trio.run(main, clock=MockClock(autojump_threshold=0)), found[0]


def is_bare(error: BaseException | None, handle: fs.Run, interrupt: BaseException) -> bool:
    return (
        error is interrupt
        and fs.failure_of(interrupt) is None
        and handle.status == "cancelled"
        and handle.error is None
        and handle.output is None
    )


@pytest.mark.parametrize("kind", INTERRUPTS)
def test_an_observers_interrupt_surfaces_at_whatever_event_it_comes(
    kind: type[BaseException],
) -> None:
    for count in range(1, 100):
        interrupt = kind("now")
        observer = InterruptsAt(count, interrupt)
        error, handle = run(FAILS, world(), observer)
        if observer.seen < count:
            break
        assert is_bare(error, handle, interrupt), count
    assert 25 < count < 99


def test_an_observers_interrupt_goes_before_the_error_of_one_that_raised_earlier() -> None:
    interrupt = KeyboardInterrupt("later")

    def breaks(event: Event) -> None:
        raise LookupError("at once")

    error, handle = run(FAILS, world(), breaks, InterruptsAt(2, interrupt))
    assert is_bare(error, handle, interrupt)
    assert [w.message for w in handle.warnings] == ["an observer raised LookupError: at once"]


@pytest.mark.parametrize("kind", INTERRUPTS)
@pytest.mark.parametrize("document", ['<source:does id="ok"/>', FAILS])
def test_an_interrupt_while_a_resource_is_closed_surfaces(
    kind: type[BaseException], document: str
) -> None:
    interrupt = kind("closing")
    error, handle = run(document, world(interrupt))
    assert is_bare(error, handle, interrupt)


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("tolerate", [0, 1])
def test_an_interrupt_while_a_collection_is_closed_surfaces(
    asynchronous: bool, tolerate: int
) -> None:
    interrupt = KeyboardInterrupt("closing")

    def items() -> Iterator[int]:
        try:
            yield from range(5)
        finally:
            raise interrupt

    async def items_in_time() -> AsyncIterator[int]:
        try:
            for item in range(5):
                yield item
        finally:
            raise interrupt

    document = (
        f'<parallel id="p" tolerate="{tolerate}"><branch><foreach id="each" collection="$input">'
        '<source:does id="a" fails="true"/></foreach></branch>'
        '<branch><source:does id="b"/></branch></parallel>'
    )
    given = items_in_time() if asynchronous else items()
    error, handle = run(document, world(), input=given)
    assert is_bare(error, handle, interrupt)
    assert handle.record["p/0/each[0]/a"][0].status == "failed"  # it is lost nowhere
    assert handle.record["p/0/each"][0].status == "cancelled"


def test_what_a_collection_raised_before_closing_it_was_interrupted_is_on_the_record() -> None:
    interrupt = KeyboardInterrupt("closing")

    class Items(Generator[int, None, None]):
        def send(self, value: None) -> int:
            raise LookupError("no more")

        def throw(self, *raised: Any) -> int:
            raise AssertionError

        def close(self) -> None:
            raise interrupt

    error, handle = run(
        '<foreach id="each" collection="$input"><source:does id="a"/></foreach>',
        world(),
        input=Items(),
    )
    assert is_bare(error, handle, interrupt)
    assert [w.message for w in handle.warnings] == ["failed too: LookupError: no more"]


class PressesCtrlC:
    """An observer in whose call Ctrl-C comes, at that event: trio holds it back until a checkpoint."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.events: list[Event] = []

    def __call__(self, event: Event) -> None:
        self.events.append(event)
        if len(self.events) == self.number:
            signal.raise_signal(signal.SIGINT)

    def owing(self) -> set[str]:
        """The ids of the nodes for which something is to be cleaned up."""
        begun = {e.path for e in self.events if isinstance(e, AttemptStarted)}
        ended = [e for e in self.events if isinstance(e, NodeEnded)]
        succeeded = {e.path for e in ended if e.result.status == "success"}
        return {label_of(path) for path in begun & {"inner/a"} | succeeded & {"ok", "other"}}


CLEANED = """<source:notes id="ok"><compensate><source:notes id="undo"/></compensate></source:notes>
  <source:notes id="other" after="ok"><compensate><source:notes id="undo_other"/></compensate></source:notes>
  <phase name="inner" after="ok"><source:notes id="a" fails="true" takes="{takes}"/>
    <finally><source:notes id="close_inner"/></finally></phase>
  <on-workflow-error><source:notes id="report"/></on-workflow-error>
  <finally><source:notes id="close"/></finally>"""
OWED = {"ok": "undo", "other": "undo_other", "a": "close_inner"}
"""The clean-up that is owed once a node has begun (of a phase) or succeeded (the others), by the node's id."""


@pytest.mark.parametrize("takes", ["1", "0"])
@pytest.mark.parametrize("seed", range(5))
def test_ctrl_c_at_whatever_event_it_comes_skips_no_clean_up(seed: int, takes: str) -> None:
    done: list[str] = []
    registry = fs.Registry(base=fs.registry)

    @asynccontextmanager
    async def session() -> AsyncIterator[None]:
        done.append("open session")
        try:
            yield
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(1)
            done.append("close session")

    @registry.runtime("source:notes")
    async def notes(params: fs.ExecutionParams) -> None:
        await params.run.resource("session", session)
        await trio.sleep(float(params.config.get("takes", 1)))
        if params.config.get("fails"):
            raise ValueError("its own")
        done.append(params.node.label)

    text = f'<workflow name="w">{CLEANED.format(takes=takes)}</workflow>'
    flow = fs.loads(text, registry=registry)
    for number in itertools.count(1):
        done.clear()
        observer = PressesCtrlC(number)

        async def main(observer: PressesCtrlC = observer) -> None:
            await fs.run(flow, observers=[observer])

        raised: BaseException | None = None
        try:
            run_virtually(main, seed)
        except (KeyboardInterrupt, ValueError) as exc:
            raised = exc
        if len(observer.events) < number:
            break
        # The clean-up that it came in may be cut short, and no other.
        label = label_of(observer.events[number - 1].path)
        owed = {"close"} | {OWED[each] for each in observer.owing()}
        assert owed - {label} <= set(done), (number, label)
        assert done.count("open session") == done.count("close session")
        is_last = number == len(observer.events)
        assert isinstance(raised, KeyboardInterrupt) or is_last
    assert number > 28


@pytest.mark.parametrize("kind", INTERRUPTS)
def test_an_error_beside_an_interrupt_in_one_group_is_behind_it(kind: type[BaseException]) -> None:
    interrupt, before, lost = kind("now"), LookupError("before"), ValueError("lost")
    interrupt.__context__ = before
    registry = fs.Registry(base=fs.registry)

    @registry.runtime("source:breaks")
    async def breaks(params: fs.ExecutionParams) -> None:
        raise BaseExceptionGroup("both", [ExceptionGroup("", [lost]), interrupt])

    error, handle = run('<source:breaks id="x"/>', registry)
    assert is_bare(error, handle, interrupt)
    assert interrupt.__context__ is before
    assert isinstance(before.__context__, ExceptionGroup)
    assert before.__context__.exceptions == (lost,)


@pytest.mark.parametrize("where", ["a node", "the caller"])
def test_a_signal_that_acts_as_ctrl_c_is_named_on_the_record(
    where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exceptions, "_called", "KeyboardInterrupt")
    exceptions.call_ctrl_c("SIGTERM")  # what a handler of the command line does
    reasons: set[str] = set()

    def note(event: Event) -> None:
        if isinstance(event, NodeEnded) and event.result.cancelled_by is not None:
            reasons.add(event.result.cancelled_by.reason)

    registry = world()

    @registry.runtime("source:is-hit")
    async def is_hit(params: fs.ExecutionParams) -> None:
        await trio.sleep(1)
        if where == "a node":
            raise KeyboardInterrupt

    flow = fs.loads(
        '<workflow name="w"><parallel id="p"><branch><source:is-hit id="a"/></branch>'
        '<branch><delay id="b" duration="9s"/></branch></parallel></workflow>',
        registry=registry,
    )

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lambda: fs.run(flow, observers=[note]))
            if where == "the caller":
                await trio.sleep(0.5)
                raise KeyboardInterrupt

    with pytest.raises(BaseExceptionGroup):
        trio.run(main, clock=MockClock(autojump_threshold=0))
    assert reasons
    by = "interrupted by" if where == "a node" else "cancelled from outside"
    assert any(reason.startswith(by) and "SIGTERM" in reason for reason in reasons), reasons
    assert not any("KeyboardInterrupt" in reason for reason in reasons), reasons
