"""Owns the tests of collections of which a durable run knows how far they were read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.execution.durable import compacting
from flowscript_trio.types.storing import CannotKeep

from crashing import Crashing, points

EACH = """<workflow name="w"><foreach id="each" collection="$input.rows" max-concurrency="2" merge="{}"{}>
  <source:act id="a" gives="{{{{item}}}}" takes="{{{{$index % 3}}}}"/></foreach></workflow>"""


class Rows:
    """Gives the texts of numbers below ``count`` from n on, and remembers the n."""

    def __init__(self, count: int, waits: bool) -> None:
        self.count = count
        self.asked: list[int] = []
        self.fetched: list[int] = []
        self.items = fs.Items(self.waiting if waits else self.plain)

    def plain(self, start: int) -> Iterator[Any]:
        self.asked.append(start)
        for number in range(start, self.count):
            self.fetched.append(number)
            yield number

    async def waiting(self, start: int) -> AsyncIterator[Any]:
        self.asked.append(start)
        for number in range(start, self.count):
            await trio.sleep(0.1)
            self.fetched.append(number)
            yield number


@pytest.mark.parametrize("waits", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("rows", [2, 1000])
@pytest.mark.parametrize(("merge", "more"), [("none", ""), ("array", ""), ("array", ' batch="2"')])
def test_a_run_over_items_that_dies_at_any_commit_ends_as_it_must(
    waits: bool, rows: int, merge: str, more: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compacting, "MOST_ROWS", rows)
    text = EACH.format(merge, more)
    whole = Crashing(text, input={"rows": Rows(9, waits).items})
    expected = whole.process().outcome
    assert expected[0] == "completed"
    for at in points(whole.store.commits):
        given = Rows(9, waits)
        crashed = Crashing(text, input={"rows": given.items})
        if crashed.process(at).died:
            last = crashed.process()
            assert (at, last.outcome) == (at, expected)
            assert given.asked[0] == 0
            assert len(given.asked) <= 2


@pytest.mark.parametrize("waits", [False, True], ids=["sync", "async"])
def test_items_are_read_from_where_the_run_had_come_to(
    waits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compacting, "MOST_ROWS", 20)
    given = Rows(100, waits)
    work = Crashing(EACH.format("none", ""), input={"rows": given.items})
    assert work.process(("after", 80)).died
    given.fetched.clear()
    assert work.process().outcome == ("completed", 100)
    assert given.asked[1] > 50
    assert len(given.fetched) == 100 - given.asked[1]


@pytest.mark.parametrize("waits", [False, True], ids=["sync", "async"])
async def test_items_are_a_collection_of_any_run_and_read_anew_by_each(
    waits: bool, autojump_clock: Any
) -> None:
    given = Rows(3, waits)
    flow = fs.loads(
        '<workflow name="w"><foreach id="e" collection="$input"><transform:template id="t" template="{{item}}"/>'
        "</foreach></workflow>"
    )
    for _ in range(2):
        assert (await fs.run(flow, input=given.items)).output == [0, 1, 2]
    assert given.asked == [0, 0]


def test_items_come_from_a_pure_runtime_in_each_process() -> None:
    text = '<workflow name="w"><source:rows id="r"/><foreach id="e" collection="r"><source:act id="a"/></foreach></workflow>'
    given = Rows(4, False)

    async def rows(params: fs.ExecutionParams) -> Any:
        return given.items

    work = Crashing(text)
    work.world.registry.runtime("source:rows", pure=True)(rows)
    assert work.process(("after", 3)).died
    assert work.process().outcome == ("completed", ["a"] * 4)


async def test_items_of_a_runtime_that_is_not_pure_are_refused_with_advice() -> None:
    registry = fs.Registry(base=fs.registry)

    @registry.runtime("source:rows")
    async def rows(params: fs.ExecutionParams) -> Any:
        return fs.Items(lambda n: range(n, 3))

    flow = fs.loads('<workflow name="w"><source:rows id="r"/></workflow>', registry=registry)
    with pytest.raises(CannotKeep, match="registered with pure=True"):
        await fs.run(flow, store=fs.Store.memory())


async def test_a_generator_refuses_the_run_at_its_beginning_with_advice() -> None:
    flow = fs.loads(
        '<workflow name="w"><foreach id="e" collection="$input.rows"><set var="x" value="1"/></foreach></workflow>'
    )
    store = fs.Store.memory()
    with pytest.raises(
        fs.InputError, match=r"rows: a 'generator' cannot be kept.*flowscript_trio\.Items"
    ):
        await fs.run(flow, store=store, input={"rows": (each for each in "ab")})
    assert not await store.runs()


async def test_a_run_that_was_given_items_is_not_resumed_without_them(autojump_clock: Any) -> None:
    flow = fs.loads(
        '<workflow name="w"><delay duration="1s"/><foreach id="e" collection="$input[0].rows">'
        '<transform:template id="t" template="{{item}}"/></foreach></workflow>'
    )
    store = fs.Store.memory()
    given = [{"rows": fs.Items(lambda n: range(n, 3))}]
    async with fs.open_run(flow, store=store, run_id="r", input=given) as run:
        run.leave()
    with pytest.raises(fs.InputError, match=r"Items.*as input\[0\]\.rows"):
        await fs.resume(store, "r")
    run = await fs.run(flow, store=store, run_id="r", input=given)
    assert run.output == [0, 1, 2]


async def test_a_range_is_kept_as_such() -> None:
    flow = fs.loads(
        '<workflow name="w"><foreach id="e" collection="$input" merge="none"><set var="x" value="{{item}}"/></foreach></workflow>'
    )
    store = fs.Store.memory()
    run = await fs.run(flow, store=store, run_id="r", input=range(1_000_000, 1_000_040, 2))
    assert run.output == 20
    assert (
        await fs.run(flow, store=store, run_id="r", input=range(1_000_000, 1_000_040, 2))
    ).output == 20


def test_what_cannot_be_called_is_refused() -> None:
    with pytest.raises(TypeError, match="expected a function that is called with n"):
        fs.Items([1, 2])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wrap", [lambda part: [part], lambda part: {"k": part}], ids=["list", "dict"]
)
@pytest.mark.parametrize("given", [7, fs.Items(lambda n: range(n, 3))], ids=["number", "Items"])
async def test_an_input_may_be_as_deep_with_a_store_as_without(given: Any, wrap: Any) -> None:
    deep = given
    for _ in range(900):
        deep = wrap(deep)
    flow = fs.loads('<workflow name="w"><transform:template id="t" template="done"/></workflow>')
    for store in (None, fs.Store.memory()):
        run = await fs.run(flow, store=store, input=[given, {"k": deep}])
        assert run.output == "done"


async def test_an_input_that_refers_to_itself_is_refused_with_its_place() -> None:
    circle: list[Any] = []
    circle.append(circle)
    flow = fs.loads('<workflow name="w"><transform:template id="t" template="done"/></workflow>')
    with pytest.raises(fs.InputError, match=r"input\.x\[0\]: it refers to itself"):
        await fs.run(flow, store=fs.Store.memory(), input={"x": circle})


async def test_items_that_stand_twice_in_an_input_are_kept_nowhere() -> None:
    shared = {"rows": fs.Items(lambda n: range(n, 3))}
    flow = fs.loads(
        '<workflow name="w"><foreach id="e" collection="$input.b[0].rows">'
        '<transform:template id="t" template="{{item}}"/></foreach></workflow>'
    )
    store = fs.Store.memory()
    for _ in range(2):
        run = await fs.run(flow, store=store, run_id="r", input={"a": shared, "b": (shared, 1)})
        assert run.output == [0, 1, 2]


async def test_items_may_be_the_whole_input() -> None:
    flow = fs.loads(
        '<workflow name="w"><foreach id="f" collection="$input"><set id="s" var="x" value="{{item}}"/></foreach></workflow>'
    )
    items = fs.Items(lambda start: iter([1, 2][start:]))
    store = fs.Store.memory()
    run = await fs.run(flow, input=items, store=store, run_id="r")
    assert run.output == [1, 2]
    with pytest.raises(fs.InputError, match=r"no worker could read input;"):
        await fs.submit(flow, store=store, input=items)
