"""What every kind of store does alike with limits that it keeps for all its runs: all or none, in order."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from math import inf
from pathlib import Path
from random import Random

import pytest

from flowscript_trio.journal.rows import Journal
from flowscript_trio.journal.sharing import Ask, Back, Book, Need, Told
from flowscript_trio.journal.store import Store
from flowscript_trio.types.limits import Rate

from databases import expire_leases, new_database
from postgresql import POSTGRESQL, URL

KINDS = ["sqlite", POSTGRESQL]

GRANTED = Told(True, 0.0)
WAITS = Told(False, inf)


def need(key: str, max: float = 1, rate: Rate | None = None, burst: int = 1) -> Need:
    return Need(key, max, rate, burst)


def ask(journal: Journal, token: str, *needs: Need, held: tuple[str, ...] = ()) -> Ask:
    return Ask(*journal.owner, token, needs, held, False)


def back(journal: Journal, token: str) -> Back:
    return Back(*journal.owner, token)


async def test_no_more_hold_a_limit_than_its_max_over_all_runs(store: Store) -> None:
    one, two = await store.begin("one", b""), await store.begin("two", b"")
    asks = [ask(one, "a", need("x", 2)), ask(two, "a", need("x", 2)), ask(two, "b", need("x", 2))]
    assert await store.share(asks, [], 0.0) == [GRANTED, GRANTED, WAITS]
    assert await store.share(asks[2:], [], 0.0) == [WAITS]
    assert await store.share(asks[2:], [back(one, "a")], 0.0) == [GRANTED]
    await one.aclose()
    await two.aclose()


async def test_an_answer_that_was_lost_is_given_again(store: Store) -> None:
    run = await store.begin("r", b"")
    wish = ask(run, "a", need("x", rate=Rate(1, 1000)))
    assert await store.share([wish], [], 10.0) == [GRANTED]
    assert await store.share([wish], [], 10.0) == [GRANTED]
    assert await store.share([], [back(run, "a"), back(run, "a")], 10.0) == []
    await run.aclose()


async def test_all_or_none_are_taken_and_a_large_wish_does_not_starve(store: Store) -> None:
    run = await store.begin("r", b"")
    small, large = ask(run, "small", need("x")), ask(run, "large", need("x"), need("y"))
    late, other = ask(run, "late", need("y")), ask(run, "other", need("z"))
    assert await store.share([small], [], 0.0) == [GRANTED]
    assert await store.share([large], [], 0.0) == [WAITS]
    # 'y' is free, and is not given past the one that came before; what it does not need is.
    assert await store.share([late, other], [], 0.0) == [WAITS, GRANTED]
    assert await store.share([large, late], [back(run, "small")], 0.0) == [GRANTED, WAITS]
    await run.aclose()


async def test_a_wish_that_is_withdrawn_keeps_nobody_waiting(store: Store) -> None:
    run = await store.begin("r", b"")
    first, second = ask(run, "first", need("x"), need("y")), ask(run, "second", need("y"))
    await store.share([ask(run, "holder", need("x"))], [], 0.0)
    assert await store.share([first, second], [], 0.0) == [WAITS, WAITS]
    assert await store.share([second], [back(run, "first")], 0.0) == [GRANTED]
    await run.aclose()


async def test_who_is_awaited_by_those_before_goes_past_them(store: Store) -> None:
    run = await store.begin("r", b"")
    await store.share([ask(run, "block", need("a"))], [], 0.0)
    waits = ask(run, "waits", need("a"), need("b"))
    inside = ask(run, "inside", need("b"), held=("a",))
    stranger = ask(run, "stranger", need("b"), held=("c",))
    assert await store.share([waits], [], 0.0) == [WAITS]
    assert await store.share([stranger], [], 0.0) == [WAITS]
    assert await store.share([inside], [], 0.0) == [GRANTED]
    await run.aclose()


async def test_a_rate_holds_over_all_runs_and_goes_on_in_a_new_process(store: Store) -> None:
    rate = need("r", inf, Rate(1, 1000), burst=2)
    one, two = await store.begin("one", b""), await store.begin("two", b"")
    now = 1_000_000.0
    assert await store.share([ask(one, "a", rate), ask(two, "a", rate)], [], now) == [GRANTED] * 2
    await one.aclose()
    await two.aclose()
    again = await store.open("one")
    [told] = await store.share([ask(again, "b", rate)], [], now)
    assert not told.is_granted
    assert 990 < told.seconds <= 1000.01
    await again.aclose()


async def test_what_a_run_held_is_free_once_it_is_owned_no_longer(store: Store) -> None:
    gone, run = await store.begin("gone", b""), await store.begin("r", b"")
    wish = ask(run, "a", need("x"))
    assert await store.share([ask(gone, "a", need("x"))], [], 0.0) == [GRANTED]
    assert await store.share([wish], [], 0.0) == [WAITS]
    await gone.aclose()
    assert await store.share([wish], [], 0.0) == [GRANTED]
    await run.aclose()


async def test_an_earlier_owner_of_a_run_gets_nothing_and_gives_nothing_back(store: Store) -> None:
    before = await store.begin("r", b"")
    old, old_back = ask(before, "a", need("x")), back(before, "a")
    assert await store.share([old], [], 0.0) == [GRANTED]
    await before.aclose()
    run, other = await store.open("r"), await store.begin("other", b"")
    assert await store.share([old], [], 0.0) == [WAITS]
    assert await store.share([ask(run, "a", need("x"))], [], 0.0) == [GRANTED]
    assert await store.share([ask(other, "b", need("x"))], [old_back], 0.0) == [WAITS]
    await run.aclose()
    await other.aclose()


HOLD = """
import json, sys, trio
from flowscript_trio.journal.store import Store
from flowscript_trio.journal.sharing import Ask, Need

async def main():
    store = Store(sys.argv[1])
    run = await store.begin("killed", b"")
    [told] = await store.share([Ask(*run.owner, "a", (Need("x", 1, None, 1),), (), False)], [], 0.0)
    print(json.dumps(told.is_granted), flush=True)
    await trio.sleep_forever()

trio.run(main)
"""


@contextmanager
def held_by_another_process(where: str) -> Iterator[None]:
    """A process holds 'x'; it is killed when the block ends."""
    with subprocess.Popen([sys.executable, "-c", HOLD, where], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline()) is True
        try:
            yield
        finally:
            process.send_signal(signal.SIGKILL)


@pytest.mark.parametrize("kind", KINDS)
async def test_what_a_killed_process_held_is_free_again(kind: str, tmp_path: Path) -> None:
    where = str(tmp_path / "runs.db") if kind == "sqlite" else new_database(URL)
    store = Store(where)
    run = await store.begin("r", b"")
    wish = ask(run, "a", need("x"))
    with held_by_another_process(where):
        assert await store.share([wish], [], 0.0) == [WAITS]
    if kind == "postgresql":  # a lease is waited for
        assert await store.share([wish], [], 0.0) == [WAITS]
        await run.aclose()
        expire_leases(where)
        run = await store.open("r")
        wish = ask(run, "a", need("x"))
    assert await store.share([wish], [], 0.0) == [GRANTED]
    await run.aclose()


def edges(journal: Journal, *pairs: tuple[str, str]) -> Ask:
    return Ask(*journal.owner, "edges", (), (), False, pairs)


async def test_edges_that_close_a_cycle_with_those_of_other_runs_are_refused(store: Store) -> None:
    one, two, three = [await store.begin(name, b"") for name in ("one", "two", "three")]
    asks = [edges(one, ("x", "y")), edges(two, ("y", "z")), edges(three, ("x", "z"))]
    assert await store.share(asks, [], 0.0) == [GRANTED] * 3
    late = await store.begin("late", b"")
    [told] = await store.share([edges(late, ("z", "x"))], [], 0.0)
    assert (told.is_granted, set(told.cycle)) == (False, {"x", "z"})
    # What was refused is forgotten: it keeps nobody else from beginning.
    assert await store.share([edges(late, ("z", "u"))], [], 0.0) == [GRANTED]
    # It is asked again where the answer was lost.
    assert await store.share([edges(late, ("z", "u"))], [], 0.0) == [GRANTED]
    for each in (one, two, three, late):
        await each.aclose()


async def test_edges_of_a_run_count_for_as_long_as_it_is_owned(store: Store) -> None:
    gone, run = await store.begin("gone", b""), await store.begin("r", b"")
    assert await store.share([edges(gone, ("x", "y"))], [], 0.0) == [GRANTED]
    [told] = await store.share([edges(run, ("y", "x"))], [], 0.0)
    assert told.cycle
    await gone.aclose()
    assert await store.share([edges(run, ("y", "x"))], [], 0.0) == [GRANTED]
    again = await store.open("gone")
    [told] = await store.share([edges(again, ("x", "y"))], [], 0.0)
    assert set(told.cycle) == {"x", "y"}
    await again.aclose()
    await run.aclose()


async def test_edges_take_nothing_and_keep_nobody_waiting(store: Store) -> None:
    one, two = await store.begin("one", b""), await store.begin("two", b"")
    asks = [edges(one, ("x", "y")), ask(two, "a", need("x"), need("y"))]
    assert await store.share(asks, [], 0.0) == [GRANTED, GRANTED]
    await one.aclose()
    await two.aclose()


def has_cycle(pairs: Iterable[tuple[str, str]]) -> bool:
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for held, needed in pairs:
        sorter.add(needed, held)
    try:
        sorter.prepare()
    except CycleError:
        return True
    return False


@pytest.mark.parametrize("seed", range(200))
def test_what_is_told_has_never_a_cycle_and_is_refused_for_one_alone(seed: int) -> None:
    chance = Random(seed)
    book, told = Book([], {}, alive), list[tuple[str, str]]()
    for number in range(8):
        some = tuple(
            (chance.choice("abcdef"), chance.choice("abcdef")) for _ in range(chance.randint(1, 3))
        )
        [answer] = book.turn([Ask(number, 1, "edges", (), (), False, some)], [], 0.0)
        assert answer.is_granted is not has_cycle([*told, *some])
        if answer.is_granted:
            told += some
        else:
            around = [*answer.cycle, answer.cycle[0]]
            assert set(pairwise(around)) <= {*told, *some}


def alive(number: int, fence: int) -> bool:
    return True


def test_a_clock_that_was_set_back_does_not_keep_a_rate_shut() -> None:
    wish = Ask(1, 1, "a", (Need("r", inf, Rate(1, 10), 2),), (), False)
    [told] = Book([], {"r": (1_000_000.0, 2)}, alive).turn([wish], [], 5.0)
    assert (told.is_granted, told.seconds) == (False, pytest.approx(10))


def test_beside_limits_that_a_store_does_not_know_who_holds_something_goes_past_the_others() -> (
    None
):
    needs = (Need("a", 1, None, 1), Need("b", 1, None, 1))
    block = Ask(1, 1, "block", (Need("a", 1, None, 1),), (), False)
    waits = Ask(1, 1, "waits", needs, (), False)
    book = Book([], {}, alive)
    assert book.turn([block, waits], [], 0.0) == [GRANTED, WAITS]
    inside = Ask(1, 1, "inside", (Need("b", 1, None, 1),), ("c",), True)
    assert book.turn([inside], [], 0.0) == [GRANTED]


def test_what_a_table_has_to_be_told_is_what_has_changed() -> None:
    one, two = (Ask(1, 1, name, (Need("x", 1, None, 1),), (), False) for name in "ab")
    first = Book([], {}, alive)
    first.turn([one, two], [], 0.0)
    assert [(each.token, each.is_granted) for each in first.added] == [("a", True), ("b", False)]
    second = Book(first.entries, {}, alive)
    second.turn([two], [Back(1, 1, "a")], 0.0)
    assert [each.token for each in second.removed] == ["a"]
    assert [each.token for each in second.changed] == ["b"]
    assert second.added == []
    third = Book(second.entries, {}, alive)
    third.turn([Ask(1, 1, "c", (Need("x", 1, None, 1),), (), False)], [Back(1, 1, "c")], 0.0)
    assert [each.token for each in third.added] == ["c"]
    assert third.removed == third.changed == []
