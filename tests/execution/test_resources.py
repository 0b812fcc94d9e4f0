"""Resources of a run: opened once, however they are made, and closed last in, first out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any

import pytest
import trio
import trio.lowlevel
from trio.testing import MockClock

import flowscript_trio as fs
from flowscript_trio.types.events import Event, RunWarning

from scheduling import outcomes

TENANT: ContextVar[str] = ContextVar("tenant", default="nobody")


class World:
    """Nodes that ask for resources, and what was opened and closed, in order."""

    def __init__(self, factories: dict[str, Callable[[], Any]]) -> None:
        self.factories = factories
        self.got: list[Any] = []
        self.registry = fs.Registry(base=fs.registry)

        @self.registry.runtime("source:asks")
        async def asks(params: fs.ExecutionParams) -> Any:
            name = str(params.config["for"])
            value = await params.run.resource(name, self.factories[name])
            self.got.append(value)
            await trio.sleep(float(params.config.get("takes", 0)))
            return name

    def run(self, body: str, **options: Any) -> fs.Run:
        flow = fs.loads(f'<workflow name="w">{body}</workflow>', registry=self.registry)
        return trio.run(partial(fs.run, flow, **options), clock=MockClock(autojump_threshold=0))


class Thing:
    def __init__(self, log: list[str], name: str = "thing") -> None:
        self.log, self.name = log, name
        log.append(f"open {name}")


class AsyncThing(Thing):
    async def aclose(self) -> None:
        await trio.lowlevel.checkpoint()
        self.log.append(f"close {self.name}")


class PlainThing(Thing):
    def close(self) -> None:
        self.log.append(f"close {self.name}")


def factories(log: list[str]) -> dict[str, Callable[[], Any]]:
    async def opened() -> AsyncThing:
        await trio.sleep(1)
        return AsyncThing(log)

    @asynccontextmanager
    async def managed() -> AsyncIterator[Thing]:
        await trio.sleep(1)
        thing = Thing(log)
        yield thing
        await trio.sleep(1)
        log.append("close thing")

    @asynccontextmanager
    async def with_a_nursery() -> AsyncIterator[Thing]:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            yield Thing(log)
            nursery.cancel_scope.cancel()
        log.append("close thing")

    @contextmanager
    def managed_plainly() -> Iterator[Thing]:
        yield Thing(log)
        log.append("close thing")

    class Manager:
        async def __aenter__(self) -> Thing:
            return Thing(log)

        async def __aexit__(self, *exc: object) -> None:
            log.append("close thing")

    return {
        "a class": lambda: AsyncThing(log),
        "a class with close": lambda: PlainThing(log),
        "a coroutine": opened,
        "an async context manager": managed,
        "a nursery": with_a_nursery,
        "a context manager": managed_plainly,
        "a class of context managers": Manager,
    }


KINDS = sorted(factories([]))


@pytest.mark.parametrize("kind", KINDS)
def test_a_resource_is_opened_once_for_all_who_ask_at_once_and_closed_with_the_run(
    kind: str,
) -> None:
    log: list[str] = []
    world = World(factories(log))
    branches = "".join(
        f'<branch><source:asks id="n{i}" for="{kind}" takes="1"/></branch>' for i in range(5)
    )
    world.run(
        f'<parallel id="p">{branches}</parallel><source:asks id="later" after="p" for="{kind}"/>'
    )
    assert log == ["open thing", "close thing"]
    assert len({id(value) for value in world.got}) == 1
    assert len(world.got) == 6


@pytest.mark.parametrize("kind", KINDS)
def test_a_resource_is_closed_however_the_run_ends(kind: str) -> None:
    log: list[str] = []
    world = World(factories(log))
    with pytest.raises(fs.FlowScriptError):
        world.run(
            f'<source:asks id="a" for="{kind}"/>'
            '<transform:template id="t" after="a" template="{{null + 1}}"/>'
        )
    assert log == ["open thing", "close thing"]


def test_what_was_opened_last_is_closed_first() -> None:
    log: list[str] = []
    world = World({name: lambda name=name: AsyncThing(log, name) for name in "abc"})  # type: ignore[misc]
    world.run(
        "".join(
            f'<source:asks id="{n}" for="{n}" after="{p}"/>' for n, p in ("a ", "ba", "cb")
        ).replace(' after=" "', "")
    )
    assert log == ["open a", "open b", "open c", "close c", "close b", "close a"]


def test_a_factory_that_fails_is_asked_again_by_the_next_node() -> None:
    log: list[str] = []
    answers: Iterator[Any] = iter([ValueError("not yet"), ValueError("nor now"), "there"])

    async def flaky() -> Any:
        log.append("asked")
        await trio.sleep(1)
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    world = World({"x": flaky})
    branches = "".join(f'<branch><source:asks id="n{i}" for="x"/></branch>' for i in range(4))
    done = world.run(f'<parallel id="p" tolerate="2">{branches}</parallel>')
    assert log == ["asked"] * 3
    assert sorted(map(str, done.output)) == ["None", "None", "x", "x"]


def _asking_for(params: fs.ExecutionParams, *keys: str) -> Callable[[], Any]:
    """A factory that opens the first key after a second, and asks meanwhile for the others, each by the next."""

    async def opened() -> str:
        await trio.sleep(1)
        if len(keys) > 1:
            await params.run.resource(keys[1], _asking_for(params, *keys[1:]))
        return keys[0]

    return opened


def _where_factories_ask() -> fs.Registry:
    """``source:asks`` opens a resource whose factory asks for the next one of its keys, and so on."""
    registry = fs.Registry(base=fs.registry)

    @registry.runtime("source:asks")
    async def asks(params: fs.ExecutionParams) -> Any:
        keys = str(params.config["for"])
        return await params.run.resource(keys[0], _asking_for(params, *keys))

    return registry


@pytest.mark.parametrize(
    "chains",
    [["aa"], ["aba"], ["abca"], ["ab", "ba"], ["abc", "ca"], ["ab", "bc", "ca"]],
    ids="+".join,
)
def test_factories_that_ask_for_each_other_in_a_circle_are_an_error(chains: list[str]) -> None:
    registry = _where_factories_ask()
    nodes = "".join(f'<source:asks id="n{keys}" for="{keys}"/>' for keys in chains)
    flow = fs.loads(f'<workflow name="w">{nodes}</workflow>', registry=registry)

    async def main() -> str:
        with trio.move_on_after(1000), pytest.raises(RuntimeError, match="asks for") as caught:
            await fs.run(flow)
        failure = fs.failure_of(caught.value)
        assert failure is not None
        return failure.path[0]

    assert outcomes(main) == {"n"}


@pytest.mark.parametrize(
    "chains", [["abc", "bc"], ["ab", "cb", "b"], ["abc", "b", "c"]], ids="+".join
)
def test_factories_may_ask_for_what_others_open(chains: list[str]) -> None:
    registry = _where_factories_ask()
    nodes = "".join(f'<branch><source:asks id="n{keys}" for="{keys}"/></branch>' for keys in chains)
    flow = fs.loads(
        f'<workflow name="w"><parallel id="p">{nodes}</parallel></workflow>', registry=registry
    )

    async def main() -> str:
        return "".join((await fs.run(flow)).output)

    assert outcomes(main) == {"".join(keys[0] for keys in chains)}


def test_a_run_that_has_ended_opens_nothing_more() -> None:
    log: list[str] = []
    kept: list[fs.ExecutionParams] = []
    registry = fs.Registry(base=fs.registry)

    @registry.runtime("source:asks")
    async def asks(params: fs.ExecutionParams) -> None:
        kept.append(params)
        await params.run.resource("a", lambda: AsyncThing(log))

    async def main() -> None:
        await fs.run(
            fs.loads('<workflow name="w"><source:asks id="a"/></workflow>', registry=registry)
        )
        for key in ("a", "b"):
            with pytest.raises(RuntimeError, match="the run has ended"):
                await kept[0].run.resource(key, lambda: AsyncThing(log))

    trio.run(main)
    assert log == ["open thing", "close thing"]


def test_who_opens_it_may_be_cancelled_and_the_next_node_opens_it() -> None:
    log: list[str] = []

    @asynccontextmanager
    async def slow() -> AsyncIterator[str]:
        log.append(f"begins {trio.current_time():g}")
        try:
            await trio.sleep(5)
            yield "there"
        finally:
            log.append(f"ends {trio.current_time():g}")

    world = World({"x": slow})
    done = world.run(
        '<parallel id="p" tolerate="1"><branch><source:asks id="a" for="x" timeout="2s"/></branch>'
        '<branch><delay id="d" duration="1s"/><source:asks id="b" for="x"/></branch></parallel>'
    )
    assert done.output == [None, "x"]
    assert log == ["begins 0", "ends 2", "begins 2", "ends 7"]


def test_it_is_opened_and_closed_in_the_context_of_the_run() -> None:
    seen: list[str] = []
    registry = fs.Registry(base=fs.registry)

    @asynccontextmanager
    async def managed() -> AsyncIterator[None]:
        seen.append(TENANT.get())
        token = TENANT.set("of the resource")
        yield
        TENANT.reset(token)
        seen.append(TENANT.get())

    @registry.runtime("source:asks")
    async def asks(params: fs.ExecutionParams) -> str:
        TENANT.set("of the node")
        await params.run.resource("x", managed)
        return TENANT.get()

    flow = fs.loads('<workflow name="w"><source:asks id="a"/></workflow>', registry=registry)

    async def main() -> None:
        TENANT.set("of the caller")
        done = await fs.run(flow)
        assert done.output == "of the node"
        assert TENANT.get() == "of the caller"

    trio.run(main)
    assert seen == ["of the caller", "of the caller"]


def test_a_lock_and_a_limiter_are_handed_over_and_not_taken() -> None:
    made = [trio.Lock(), trio.CapacityLimiter(1), trio.Semaphore(1)]
    world = World({str(i): lambda thing=thing: thing for i, thing in enumerate(made)})  # type: ignore[misc]
    world.run("".join(f'<source:asks id="n{i}" for="{i}"/>' for i in range(3)))
    assert {id(thing) for thing in world.got} == {id(thing) for thing in made}
    assert not made[0].locked()  # type: ignore[attr-defined]
    assert made[1].borrowed_tokens == 0  # type: ignore[attr-defined]


def test_one_that_cannot_be_closed_keeps_no_other_from_it() -> None:
    log: list[str] = []

    class Broken(Thing):
        async def aclose(self) -> None:
            raise OSError("stuck")

    class Endless(Thing):
        async def aclose(self) -> None:
            await trio.sleep_forever()

    world = World(
        {
            "a": lambda: AsyncThing(log, "a"),
            "b": lambda: Broken(log, "b"),
            "c": lambda: Endless(log, "c"),
        }
    )
    with pytest.raises(OSError, match="stuck"):
        world.run(
            '<source:asks id="a" for="a"/><source:asks id="b" after="a" for="b"/>'
            '<source:asks id="c" after="b" for="c"/>'
        )
    assert log == ["open a", "open b", "open c", "close a"]


class Managed:
    """An async context manager that fails, or waits for ever, where it is told to, and notes what it did."""

    def __init__(self, log: list[str], enters: str = "", leaves: str = "") -> None:
        self.log = log
        self.does = {"enter": enters, "leave": leaves}

    async def _pass(self, which: str) -> None:
        self.log.append(which)
        try:
            if self.does[which] == "hangs":
                await trio.sleep_forever()
            await trio.lowlevel.checkpoint()
            if self.does[which] == "fails":
                raise OSError(f"cannot {which}")
        finally:
            self.log.append(f"{which} ended")

    async def __aenter__(self) -> str:
        await self._pass("enter")
        return "opened"

    async def __aexit__(self, *_: object) -> None:
        await self._pass("leave")


def test_a_manager_that_fails_to_open_is_the_error_of_the_node() -> None:
    log: list[str] = []
    world = World({"a": lambda: Managed(log, enters="fails")})
    with pytest.raises(OSError, match="cannot enter") as caught:
        world.run('<source:asks id="a" for="a"/>')
    assert fs.failure_of(caught.value).node == "a"
    assert log == ["enter", "enter ended"]


def test_a_manager_that_fails_to_close_fails_the_run_after_all_its_nodes() -> None:
    log: list[str] = []
    world = World({"a": lambda: Managed(log, leaves="fails")})
    with pytest.raises(OSError, match="cannot leave"):
        world.run('<source:asks id="a" for="a"/>')
    assert world.got == ["opened"]
    assert log == ["enter", "enter ended", "leave", "leave ended"]


def test_a_node_that_is_cancelled_while_a_manager_opens_waits_until_that_has_ended() -> None:
    log: list[str] = []
    world = World({"a": lambda: Managed(log, enters="hangs")})
    with pytest.raises(trio.TooSlowError):
        world.run('<source:asks id="a" for="a" timeout="3s"/>')
    assert log == ["enter", "enter ended"]


def test_a_manager_that_does_not_close_is_cancelled_after_ten_seconds() -> None:
    log: list[str] = []
    world = World({"a": lambda: Managed(log, leaves="hangs")})
    done = world.run('<source:asks id="a" for="a"/>')
    assert (done.status, done.duration) == ("completed", 10)
    [warned] = done.warnings
    assert "'a'" in warned.message
    assert log == ["enter", "enter ended", "leave", "leave ended"]


def test_observers_are_told_of_one_that_cannot_be_closed() -> None:
    class Broken(Thing):
        async def aclose(self) -> None:
            raise OSError("stuck")

    events: list[Event] = []
    world = World({"a": lambda: Broken([], "a")})
    with pytest.raises(OSError, match="stuck"):
        world.run('<source:asks id="a" for="a"/>', observers=[events.append])
    told = [event.message for event in events if isinstance(event, RunWarning)]
    assert told == ["closing a resource failed: OSError: stuck"]
