"""What a `<foreach>` goes through: lists, iterators of the application, batches of them, and how they end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import trio
from trio.testing import MockClock

import flowscript_trio as fs
from flowscript_trio.execution.batches import Batches
from flowscript_trio.types.events import Event, NodeEnded

SUMS = '<foreach id="f" collection="$input" batch="2"><set id="s" var="v" value="{{sum(item)}}"/></foreach>'
WAITS = '<foreach id="f" collection="$input"><delay id="d" duration="1s"/></foreach>'


def load(body: str) -> fs.Flow:
    return fs.loads(f'<workflow name="w">{body}</workflow>')


def test_batches_of_a_list_are_a_sequence_of_lists() -> None:
    batches = Batches([1, 2, 3, 4, 5], 2)
    assert (len(batches), list(batches)) == (3, [[1, 2], [3, 4], [5]])
    assert (batches[-1], batches[1:]) == ([5], [[3, 4], [5]])
    with pytest.raises(IndexError):
        batches[3]


async def numbers(last: int) -> AsyncIterator[int]:
    for number in range(1, last + 1):
        await trio.lowlevel.checkpoint()
        yield number


@pytest.mark.parametrize(
    "given", [[1, 2, 3], iter([1, 2, 3]), numbers(3)], ids=["list", "iterator", "async"]
)
async def test_batches_are_taken_of_whatever_is_given(given: Any) -> None:
    assert (await fs.run(load(SUMS), input=given)).output == [3, 3]


async def test_a_collection_that_is_null_is_an_error_that_says_so() -> None:
    with pytest.raises(fs.SettingError, match="the collection of 'f' is null; expected a list"):
        await fs.run(load(WAITS), input=None)
    with pytest.raises(fs.SettingError, match="the collection of 'f' is an object"):
        await fs.run(load(WAITS), input={"a": 1})


class Lost(Exception):
    pass


def losing() -> Iterator[int]:
    try:
        yield 1
        yield 2
    finally:
        raise Lost("closing it")


BROKEN = """<foreach id="f" collection="$input" {0}><fail id="x" message="the node"/></foreach>"""


@pytest.mark.parametrize("settings", ["", 'maxConcurrency="2" fail-fast="false"'])
async def test_what_closing_a_collection_raises_does_not_replace_the_error_of_a_node(
    settings: str,
) -> None:
    given = losing()
    with pytest.raises(fs.WorkflowFailed, match="the node") as caught:
        await fs.run(load(BROKEN.format(settings)), input=given)
    record = fs.failure_of(caught.value).record
    assert record is not None


async def test_what_closing_a_collection_raises_after_a_failure_is_a_warning(
    autojump_clock: MockClock,
) -> None:
    flow = load(
        '<foreach id="f" collection="$input"><if id="i" condition="true"><then>'
        '<fail id="x" message="the node"/></then></if></foreach>'
    )
    with pytest.raises(fs.WorkflowFailed) as caught:
        await fs.run(flow, input=losing())
    failure = fs.failure_of(caught.value)
    assert [warned.message for warned in failure.record.warnings] == [
        "failed too: Lost: closing it"
    ]


async def test_what_closing_a_collection_raises_fails_a_block_that_had_succeeded() -> None:
    flow = load('<foreach id="f" collection="$input"><break id="b"/></foreach>')
    with pytest.raises(Lost, match="closing it"):
        await fs.run(flow, input=losing())


async def test_a_cancellation_reaches_an_async_collection_where_it_waits(
    autojump_clock: MockClock,
) -> None:
    seen = []

    async def slow() -> AsyncIterator[int]:
        try:
            await trio.sleep_forever()
            yield 1
        except trio.Cancelled:
            seen.append(trio.current_time())
            raise

    began = trio.current_time()
    with trio.move_on_after(3):
        await fs.run(load(WAITS), input=slow())
    assert seen == [began + 3]


class Counting:
    """Gives numbers, and then waits for the next one until it is interrupted."""

    def __init__(self, last: int) -> None:
        self.given = iter(range(last))

    def __aiter__(self) -> AsyncIterator[int]:
        return self

    async def __anext__(self) -> int:
        for number in self.given:
            await trio.lowlevel.checkpoint()
            return number
        try:
            await trio.sleep_forever()
        except trio.Cancelled:
            raise Lost("interrupted") from None
        raise AssertionError("it sleeps for ever")


async def generated(last: int) -> AsyncIterator[int]:
    async for number in Counting(last):
        yield number


FOUR_AT_ONCE = '<foreach id="f" collection="$input" maxConcurrency="4" {0}>{1}</foreach>'
FAILS = '<delay duration="1s"/><fail id="x" message="the node"/>'


@pytest.mark.parametrize("collection", [Counting, generated])
@pytest.mark.parametrize("settings", ["", 'tolerate="1"', 'throttle="1ms"', 'debounce="1ms"'])
async def test_what_asking_for_an_item_raises_when_a_node_has_failed_is_a_warning(
    settings: str, collection: Any, autojump_clock: MockClock
) -> None:
    flow = load(FOUR_AT_ONCE.format(settings, FAILS))
    with pytest.raises(fs.WorkflowFailed, match="the node") as caught:
        await fs.run(flow, input=collection(3))
    failure = fs.failure_of(caught.value)
    assert [warned.message for warned in failure.record.warnings] == [
        "failed too: Lost: interrupted"
    ]


@pytest.mark.parametrize("settings", ["", 'debounce="1ms"'])
@pytest.mark.parametrize("collection", [Counting, generated])
async def test_what_asking_for_an_item_raises_when_a_race_is_won_is_a_warning(
    settings: str, collection: Any, autojump_clock: MockClock
) -> None:
    flow = load(
        FOUR_AT_ONCE.format(
            f'wait="any" {settings}', '<delay id="d" duration="1s"/><set var="v" value="7"/>'
        )
    )
    run = await fs.run(flow, input=collection(3))
    assert (run.status, run.output) == ("completed", [7])
    assert [warned.message for warned in run.record.warnings] == ["failed too: Lost: interrupted"]


@pytest.mark.parametrize("collection", [Counting, generated])
async def test_what_asking_for_an_item_raises_when_an_iteration_has_broken_out_fails_the_block(
    collection: Any, autojump_clock: MockClock
) -> None:
    flow = load(FOUR_AT_ONCE.format("", '<delay duration="1s"/><break when="index == 2"/>'))
    with pytest.raises(Lost, match="interrupted"):
        await fs.run(flow, input=collection(3))


async def lingering(seconds: float, shielded: bool) -> AsyncIterator[int]:
    try:
        yield 1
        yield 2
    finally:
        with trio.CancelScope(shield=shielded):
            await trio.sleep(seconds)


@pytest.mark.parametrize("shielded", [False, True])
async def test_closing_a_collection_has_one_time_limit_shielded_or_not(
    shielded: bool, autojump_clock: MockClock
) -> None:
    flow = load('<foreach id="f" collection="$input"><break id="b"/></foreach>')
    run = await fs.run(flow, input=lingering(9.9, shielded))
    assert run.status == "completed"
    for seconds in (10, 50):
        with pytest.raises(trio.TooSlowError, match="closing the collection took longer than 10 s"):
            await fs.run(flow, input=lingering(seconds, shielded))


async def closed_slowly() -> AsyncIterator[int]:
    """Three items, and then one that is never ready; closing it takes nine seconds, whatever is cancelled."""
    try:
        for number in range(3):
            yield number
        await trio.sleep_forever()
    finally:
        with trio.CancelScope(shield=True):
            await trio.sleep(9)


async def test_a_loop_that_was_broken_out_of_stays_so_when_it_is_cancelled_while_its_collection_is_closed(
    autojump_clock: MockClock,
) -> None:
    flow = load(FOUR_AT_ONCE.format("", '<delay duration="1s"/><break when="index == 2"/>'))
    ended: dict[str, str] = {}

    def note(event: Event) -> None:
        if isinstance(event, NodeEnded):
            ended[event.path] = event.result.status

    with trio.move_on_after(5) as scope:
        await fs.run(flow, input=closed_slowly(), observers=[note])
    assert scope.cancelled_caught
    assert trio.current_time() == 10
    assert ended["f"] == "success"


def test_batches_are_a_sequence() -> None:
    batches = Batches(range(5), 2)
    assert list(batches) == [[0, 1], [2, 3], [4]]
    assert batches[-1] == [4]
    assert batches[1:] == [[2, 3], [4]]
    with pytest.raises(IndexError):
        batches[3]
