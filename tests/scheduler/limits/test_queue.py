"""Taking limits: all or none, first come first served, and never a wait without end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from random import Random

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from flowscript_trio.scheduler.limits.gate import Borrowed, Gate, Held
from flowscript_trio.scheduler.limits.limit import Limit
from flowscript_trio.scheduler.limits.queue import around, borrow, enter, leave
from flowscript_trio.types.limits import CircuitOpen


def gates(*limits: Limit) -> tuple[Gate, ...]:
    return tuple(limit.gate() for limit in limits)


class Who:
    """Tasks that take limits and keep them until they are told to go on."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self.nursery = nursery
        self.having: list[str] = []
        self._done: dict[str, trio.Event] = {}
        self.scopes: dict[str, trio.CancelScope] = {}

    async def take(self, name: str, *limits: Limit, held: Sequence[Limit] = ()) -> None:
        self._done[name] = trio.Event()
        self.scopes[name] = trio.CancelScope()
        self.nursery.start_soon(self._hold, name, gates(*limits), gates(*held))
        await wait_all_tasks_blocked()

    async def _hold(self, name: str, wanted: tuple[Gate, ...], held: tuple[Gate, ...]) -> None:
        token = object()
        with self.scopes[name]:
            await enter(wanted, held, token)
            self.having.append(name)
            try:
                await self._done[name].wait()
            finally:
                self.having.remove(name)
                leave(wanted, token, False)

    async def end(self, name: str) -> None:
        self._done[name].set()
        await wait_all_tasks_blocked()

    async def cancel(self, name: str) -> None:
        self.scopes[name].cancel()
        await wait_all_tasks_blocked()


async def test_a_limit_lets_so_many_in_and_the_first_come_is_the_first_served() -> None:
    limit = Limit(max=2)
    async with trio.open_nursery() as nursery:
        who = Who(nursery)
        for name in "abcd":
            await who.take(name, limit)
        assert (who.having, limit.taken, limit.waiting) == (["a", "b"], 2, 2)
        await who.end("b")
        assert who.having == ["a", "c"]
        await who.end("a")
        assert who.having == ["c", "d"]
        await who.end("c")
        await who.end("d")
    assert (limit.taken, limit.waiting) == (0, 0)


async def test_one_that_takes_several_takes_all_or_none() -> None:
    one, two = Limit(max=1), Limit(max=1)
    async with trio.open_nursery() as nursery:
        who = Who(nursery)
        await who.take("holder", two)
        await who.take("both", one, two)
        assert (who.having, one.taken) == (["holder"], 0), "it holds nothing while it waits"
        await who.end("holder")
        assert who.having == ["both"]
        await who.end("both")


async def test_a_large_wish_does_not_starve_behind_small_ones() -> None:
    one, two = Limit(max=1), Limit(max=1)
    async with trio.open_nursery() as nursery:
        who = Who(nursery)
        await who.take("holder", two)
        await who.take("large", one, two)
        for number in range(3):
            await who.take(f"small {number}", one)
        assert who.having == ["holder"], "the small ones wait behind the large one"
        await who.end("holder")
        assert who.having == ["large"]
        await who.end("large")
        assert who.having == ["small 0"]
        for number in range(3):
            await who.end(f"small {number}")


async def test_whoever_is_awaited_goes_past_those_who_wait_for_it() -> None:
    outer, inner = Limit(max=1), Limit(max=1)
    async with trio.open_nursery() as nursery:
        who = Who(nursery)
        await who.take("block", outer)
        await who.take("large", outer, inner)
        await who.take("inside", inner, held=[outer])
        assert who.having == ["block", "inside"], "else nobody could ever go on"
        await who.end("inside")
        await who.end("block")
        assert who.having == ["large"]
        await who.end("large")


async def test_it_goes_past_also_where_it_is_awaited_only_through_others() -> None:
    outer, middle, inner = Limit(max=1), Limit(max=1), Limit(max=1)
    async with trio.open_nursery() as nursery:
        who = Who(nursery)
        await who.take("outer block", outer)
        await who.take("middle block", middle)
        await who.take("large", outer, inner)
        await who.take("inside outer", middle, held=[outer])
        await who.take("other", inner)
        assert who.having == ["outer block", "middle block"]
        await who.take("inside middle", inner, held=[middle])
        assert "inside middle" in who.having, "large waits for outer, that for middle"
        for name in ("inside middle", "middle block", "inside outer", "outer block", "large"):
            await who.end(name)
        assert who.having == ["other"]
        await who.end("other")


async def test_one_that_waits_goes_past_once_another_begins_to_wait_for_what_it_holds() -> None:
    outer, middle, inner = Limit(max=1), Limit(max=1), Limit(max=1)
    async with trio.open_nursery() as nursery:
        who = Who(nursery)
        await who.take("outer block", outer)
        await who.take("middle block", middle)
        await who.take("large", outer, inner)
        await who.take("inside middle", inner, held=[middle])
        assert "inside middle" not in who.having, "nobody waits for it yet"
        await who.take("inside outer", middle, held=[outer])
        assert "inside middle" in who.having
        for name in ("inside middle", "middle block", "inside outer", "outer block", "large"):
            await who.end(name)


async def test_who_holds_something_that_nobody_awaits_waits_in_turn() -> None:
    other, two, inner = Limit(max=1), Limit(max=1), Limit(max=1)
    async with trio.open_nursery() as nursery:
        who = Who(nursery)
        await who.take("two", two)
        await who.take("large", two, inner)
        await who.take("inside", inner, held=[other])
        assert who.having == ["two"]
        await who.end("two")
        await who.end("large")
        assert who.having == ["inside"]
        await who.end("inside")


async def test_a_wait_that_is_cancelled_takes_nothing_and_holds_up_nobody() -> None:
    one, two = Limit(max=1), Limit(max=1)
    async with trio.open_nursery() as nursery:
        who = Who(nursery)
        await who.take("holder", two)
        await who.take("large", one, two)
        await who.take("small", one)
        await who.cancel("large")
        assert who.having == ["holder", "small"]
        assert (one.waiting, two.waiting) == (0, 0)
        await who.end("holder")
        await who.end("small")
    assert (one.taken, two.taken) == (0, 0)


async def test_one_that_is_cancelled_as_it_is_served_gives_back_what_it_was_given() -> None:
    limit = Limit(max=1)
    token = object()
    await enter(gates(limit), (), token)
    async with trio.open_nursery() as nursery:
        who = Who(nursery)
        await who.take("a", limit)
        await who.take("b", limit)
        leave(gates(limit), token, False)
        await who.cancel("a")
        assert who.having == ["b"]
        await who.end("b")
    assert limit.taken == 0


async def test_rates_let_pass_at_exact_times_in_the_order_of_coming(
    autojump_clock: MockClock,
) -> None:
    limit = Limit(rate="10/s", burst=2)
    start, passed = trio.current_time(), []

    async def come(number: int) -> None:
        await trio.sleep(number / 1000)
        token = object()
        await enter(gates(limit), (), token)
        passed.append((number, round(trio.current_time() - start, 9)))
        leave(gates(limit), token, False)

    async with trio.open_nursery() as nursery:
        for number in range(5):
            nursery.start_soon(come, number)
    assert passed == [(0, 0.0), (1, 0.001), (2, 0.1), (3, 0.2), (4, 0.3)]


async def test_a_rate_goes_on_with_the_next_where_the_first_is_cancelled(
    autojump_clock: MockClock,
) -> None:
    limit = Limit(rate="1/s")
    start = trio.current_time()
    async with trio.open_nursery() as nursery:
        who = Who(nursery)
        await who.take("a", limit)
        await who.take("b", limit)
        await who.take("c", limit)
        await who.cancel("b")
        await trio.sleep_until(start + 0.999)
        assert who.having == ["a"]
        await trio.sleep_until(start + 1.001)
        assert who.having == ["a", "c"]
        await who.end("a")
        await who.end("c")


async def test_a_circuit_that_opens_refuses_all_who_wait() -> None:
    limit = Limit(max=1, breaker="1 in 1m, 30s")
    token = object()
    await enter(gates(limit), (), token)
    refused: list[float] = []

    async def wait() -> None:
        with pytest.raises(CircuitOpen) as caught:
            await enter(gates(limit), (), object())
        refused.append(caught.value.retry_after)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait)
        nursery.start_soon(wait)
        await wait_all_tasks_blocked()
        leave(gates(limit), token, True)
    assert len(refused) == 2
    assert all(29 < left <= 30 for left in refused)
    assert (limit.taken, limit.waiting) == (0, 0)
    with pytest.raises(CircuitOpen):
        await enter(gates(limit), (), object())


# ---- no wait without end, whatever comes in whatever order ----


def make_sides(chance: Random, limits: Sequence[Held]) -> list[list[tuple[Held, ...]]]:
    """What several sides take, each inside what it took before; along one order of all limits, as is checked."""
    sides = []
    for _ in range(chance.randint(2, 8)):
        ranks = sorted(chance.sample(range(len(limits)), chance.randint(1, len(limits))))
        side: list[tuple[Held, ...]] = []
        while ranks:
            size = chance.randint(1, min(2, len(ranks)))
            if any(isinstance(limits[rank], Borrowed) for rank in ranks[:size]):
                size = 1  # else these would be taken one after the other, in an order of their own
            side.append(tuple(limits[rank] for rank in ranks[:size]))
            ranks = ranks[size:]
        sides.append(side)
    return sides


async def go_in(
    chance: Random, side: Sequence[tuple[Held, ...]], taken: Counter[Held], most: dict[Held, float]
) -> None:
    await trio.sleep(chance.randint(0, 3))
    if not side:
        return
    token = object()
    wanted = side[0]
    ours = tuple(one for one in wanted if isinstance(one, Gate))
    outer = held = around.get()
    borrowed = [one for one in wanted if isinstance(one, Borrowed)]
    for one in borrowed:
        await borrow(one, held, token)
        held = (*held, one)
    if ours:
        await enter(ours, held, token)
    reset = around.set((*outer, *wanted))
    taken.update(wanted)
    assert all(taken[one] <= most[one] for one in wanted)
    for _ in range(chance.randint(1, 2)):
        await go_in(chance, side[1:], taken, most)
    taken.subtract(wanted)
    around.reset(reset)
    leave(ours, token, False)
    for one in borrowed:
        one.limiter.release_on_behalf_of(token)


def settle(seed: int) -> None:
    async def main() -> None:
        chance = Random(seed)
        limits: list[Held] = []
        most: dict[Held, float] = {}
        for number in range(chance.randint(2, 5)):
            size = chance.randint(1, 2)
            one: Held
            if chance.random() < 0.25:
                one = Borrowed(str(number), trio.CapacityLimiter(size))
            else:
                one = Limit(max=size, rate="10/s" if chance.random() < 0.2 else None).gate()
            limits.append(one)
            most[one] = size
        taken: Counter[Held] = Counter()
        with trio.fail_after(10_000):
            async with trio.open_nursery() as nursery:
                for side in make_sides(chance, limits):
                    for _ in range(chance.randint(1, 3)):
                        nursery.start_soon(go_in, Random(chance.random()), side, taken, most)
        for one in limits:
            assert not one.inside
            if isinstance(one, Gate):
                assert (one.taken, len(one.queue), len(one.room.passed_by)) == (0, 0, 0)

    trio.run(main, clock=MockClock(autojump_threshold=0))


@pytest.mark.parametrize("block", range(10))
def test_sides_that_take_along_one_order_always_come_to_an_end(block: int) -> None:
    for seed in range(block * 40, block * 40 + 40):
        settle(seed)
