"""An interrupt surfaces bare wherever it comes from, whatever else went wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Iterator
from typing import Any

import pytest
import trio
from trio.testing import MockClock

import flowscript_trio as fs
from flowscript_trio.types.events import Event

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
