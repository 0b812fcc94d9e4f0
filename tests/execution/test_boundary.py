"""Whatever is evaluated or called for a node fails at its boundary, and nowhere else."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import trio
from trio._core import _run
from trio.testing import MockClock

import flowscript_trio as fs
from flowscript_trio.types.errors import StrayCancelled
from flowscript_trio.types.events import (
    BranchEnded,
    BranchStarted,
    Event,
    NodeEnded,
    NodeStarted,
    RunEnded,
)

pytestmark = pytest.mark.filterwarnings("ignore::flowscript_trio.FlowScriptWarning")


@dataclass(frozen=True)
class Frozen(Exception):
    sku: str


class Slotted(Exception):
    __slots__ = ("code",)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(name)


class OddNotes(Exception):
    __notes__ = 7  # type: ignore[assignment]


class RefusesNotes(Exception):
    def add_note(self, note: str) -> None:
        raise RuntimeError("no notes")


class NoDictionary(Exception):
    @property
    def __dict__(self) -> Any:  # type: ignore[override]
        raise RuntimeError("no dictionary")


class BadText(Exception):
    def __str__(self) -> str:
        raise TypeError("no text")


class BadStatus(Exception):
    @property
    def status(self) -> int:
        raise RuntimeError("no response yet")


class BadRetryable(Exception):
    @property
    def retryable(self) -> bool:
        raise LookupError("who knows")


SHARED = ValueError("one object")
RESISTING: dict[str, Callable[[], Exception]] = {
    "frozen": lambda: Frozen("sku"),
    "slotted": Slotted,
    "odd notes": OddNotes,
    "refuses notes": RefusesNotes,
    "no dictionary": NoDictionary,
    "bad text": BadText,
    "shared": lambda: SHARED,
}


class World:
    """A registry whose nodes fail, note what they did, and the events of a run."""

    def __init__(self) -> None:
        self.did: list[str] = []
        self.events: list[Event] = []
        self.errors: list[BaseException] = []
        self.make: Callable[[], BaseException] = ValueError
        self.registry = fs.Registry(base=fs.registry)

        @self.registry.runtime("source:fails")
        async def fails(params: fs.ExecutionParams) -> None:
            await trio.sleep(float(params.config.get("at", 1)))
            self.errors.append(self.make())
            raise self.errors[-1]

        @self.registry.runtime("source:does")
        async def does(params: fs.ExecutionParams) -> str:
            self.did.append(params.node.id or "")
            return params.node.id or ""

    def run(self, body: str, seed: int = 0, **options: Any) -> fs.Run | BaseException:
        flow = fs.loads(f'<workflow name="w">{body}</workflow>', registry=self.registry)

        async def main() -> fs.Run | BaseException:
            try:
                return await fs.run(flow, observers=[self.events.append], **options)
            except BaseException as exc:
                return exc

        _run._r.seed(seed)
        return trio.run(main, clock=MockClock(autojump_threshold=0))

    @property
    def status(self) -> str:
        [ended] = [event for event in self.events if isinstance(event, RunEnded)]
        return ended.status

    def is_balanced(self) -> bool:
        """Whether everything that began has ended, under its number."""
        begun = [e.execution for e in self.events if isinstance(e, (NodeStarted, BranchStarted))]
        ended = [e.execution for e in self.events if isinstance(e, (NodeEnded, BranchEnded))]
        return sorted(begun) == sorted(ended)


@pytest.fixture
def world() -> World:
    return World()


CLEAN_UP = (
    '<source:does id="booked"><compensate><source:does id="unbook"/></compensate></source:does>'
    "{}"
    '<on-workflow-error><source:does id="report"/></on-workflow-error>'
    '<finally><source:does id="close"/></finally>'
)
RULES = {
    "when": '<retry max="2" when="null + 1"/>',
    "max": '<retry max="{{null + 1}}"/>',
    "base": '<retry max="2" when="true" base="{{1 / 0}}s"/>',
    "base that is no duration": '<retry max="2" when="true" base="{{lower(\'soon\')}}"/>',
}


@pytest.mark.parametrize("rule", ["when", "max", "base", "base that is no duration"])
def test_a_retry_rule_that_fails_is_the_nodes_own_error(world: World, rule: str) -> None:
    text = RULES[rule]
    node = f'<source:fails id="a"><on-error>{text}</on-error></source:fails>'
    error = world.run(CLEAN_UP.replace("{}", node))
    assert isinstance(error, fs.FlowScriptError)
    failure = fs.failure_of(error)
    assert failure is not None
    assert failure.node == "a"
    assert error.__context__ is world.errors[0]
    [result] = failure.record["a"]
    assert result.earlier == (world.errors[0],)
    assert (result.status, world.status, len(world.errors)) == ("failed", "failed", 1)
    assert world.did == ["booked", "unbook", "report", "close"]
    assert world.is_balanced()


@pytest.mark.parametrize("rule", ["when", "max", "base", "base that is no duration"])
def test_a_retry_rule_that_fails_is_answered_as_any_error(world: World, rule: str) -> None:
    text = RULES[rule]
    node = f'<source:fails id="a"><on-error>{text}HANDLER</on-error></source:fails>'
    fallback = node.replace("HANDLER", '<fallback node="does"/>') + '<source:does id="does"/>'
    done = world.run(f'<phase name="x">{fallback}</phase>')
    assert isinstance(done, fs.Run)
    assert done.output == "does"
    tolerated = node.replace("HANDLER", "")
    done = world.run(f'<parallel id="p" tolerate="1"><branch>{tolerated}</branch></parallel>')
    assert isinstance(done, fs.Run)
    assert done.output == [None]
    race = f'<branch>{tolerated}</branch><branch><delay id="d" duration="9s"/></branch>'
    world.events.clear()
    done = world.run(f'<parallel id="p" wait="any">{race}</parallel>')
    assert isinstance(done, fs.Run)
    assert (done.output, world.status, world.is_balanced()) == ([None], "completed", True)


BROKEN_BODIES = {
    "finally": '<finally timeout="{{1 / 0}}"><source:does id="first"/></finally>',
    "compensate": None,
    "on-workflow-error": '<on-workflow-error timeout="{{null + 1}}"><source:does id="first"/></on-workflow-error>',
}


@pytest.mark.parametrize("kind", ["finally", "compensate", "on-workflow-error"])
def test_the_settings_of_a_clean_up_fail_and_every_clean_up_runs(world: World, kind: str) -> None:
    broken = BROKEN_BODIES[kind]
    undo = "<compensate timeout=\"{{lower('never')}}\">" if kind == "compensate" else "<compensate>"
    body = (
        f'<source:does id="a">{undo}<source:does id="undo-a"/></compensate></source:does>'
        '<source:does id="b" after="a"><compensate><source:does id="undo-b"/></compensate></source:does>'
        '<source:fails id="c" after="b"/>'
    )
    parts = [
        broken
        if kind == "on-workflow-error"
        else '<on-workflow-error><source:does id="report"/></on-workflow-error>',
        broken if kind == "finally" else '<finally><source:does id="close"/></finally>',
    ]
    error = world.run(body + "".join(part or "" for part in parts))
    assert error is world.errors[0]
    report = "first" if kind == "on-workflow-error" else "report"
    close = "first" if kind == "finally" else "close"
    assert world.did == ["a", "b", "undo-b", "undo-a", report, close]
    failure = fs.failure_of(world.errors[0])
    assert failure is not None
    assert failure.node == "c"
    assert [r.path.rpartition("@")[2] for r in failure.others] == [kind]
    assert world.status == "failed"


def test_the_settings_of_a_clean_up_surface_where_nothing_else_does(world: World) -> None:
    broken = BROKEN_BODIES["finally"]
    error = world.run(f'<source:does id="a"/>{broken}')
    assert isinstance(error, fs.FlowScriptError)
    assert (world.did, world.status) == (["a", "first"], "failed")
    failure = fs.failure_of(error)
    assert failure is not None
    assert failure.path == "@finally"


@pytest.mark.parametrize("secret", [False, True])
@pytest.mark.parametrize("kind", RESISTING)
def test_an_error_that_resists_surfaces_as_it_is(world: World, kind: str, secret: bool) -> None:
    world.make = RESISTING[kind]
    options = {"secrets": {"KEY": "a-long-secret"}} if secret else {}
    error = world.run(CLEAN_UP.format('<source:fails id="a"/>'), **options)  # type: ignore[arg-type]
    assert error is world.errors[0]
    failure = fs.failure_of(error)
    assert failure is not None
    assert (failure.node, failure.error, world.status) == ("a", error, "failed")
    assert any("node 'a'" in note for note in failure.notes)
    assert world.did == ["booked", "unbook", "report", "close"]
    assert world.is_balanced()


@pytest.mark.parametrize("kind", RESISTING)
def test_an_error_that_resists_is_tried_again_tolerated_and_handled(
    world: World, kind: str
) -> None:
    world.make = RESISTING[kind]
    again = (
        '<source:fails id="a"><on-error><retry max="2" when="true"/>{}</on-error></source:fails>'
    )
    if kind == "bad text":
        again = again.replace(' when="true"', "")  # to look at it fails, which is another test
    done = world.run(
        f'<phase name="x">{again.format("<fallback node=" + chr(34) + "b" + chr(34) + "/>")}'
        '<source:does id="b"/></phase>'
    )
    assert isinstance(done, fs.Run)
    assert done.output == "b"
    done = world.run(
        '<parallel id="p" tolerate="2"><branch><source:fails id="a"/></branch>'
        '<branch><source:fails id="b"/></branch><branch><source:does id="c"/></branch></parallel>'
    )
    assert isinstance(done, fs.Run)
    assert done.output == [None, None, "c"]


@pytest.mark.parametrize(
    ("make", "rule"),
    [
        (BadText, "error.message == 'x'"),
        (BadStatus, "error.status == 503"),
        (BadStatus, "retryable"),
        (BadRetryable, "retryable"),
    ],
)
def test_a_description_that_fails_is_the_nodes_error_with_the_first_as_context(
    world: World, make: Callable[[], Exception], rule: str
) -> None:
    world.make = make
    node = (
        f'<source:fails id="a"><on-error><retry max="1" when="{rule}"/></on-error></source:fails>'
    )
    error = world.run(CLEAN_UP.format(node))
    assert isinstance(error, (TypeError, RuntimeError, LookupError))
    assert error.__context__ is world.errors[0]
    failure = fs.failure_of(error)
    assert failure is not None
    assert failure.record["a"][0].earlier == (world.errors[0],)
    assert world.did == ["booked", "unbook", "report", "close"]


@pytest.mark.parametrize("make", [BadText, BadStatus, BadRetryable])
def test_a_fallback_runs_though_the_error_cannot_be_described(
    world: World, make: Callable[[], Exception]
) -> None:
    world.make = make
    done = world.run(
        '<phase name="x"><source:fails id="a"><on-error><fallback node="b"/></on-error></source:fails>'
        '<source:does id="b"/></phase>'
    )
    assert isinstance(done, fs.Run)
    assert done.output == "b"
    assert done.results["a"].earlier[0] is world.errors[0]


def test_one_object_of_two_branches_is_first_by_rule(world: World) -> None:
    world.make = lambda: SHARED
    body = "".join(f'<branch><source:fails id="{name}"/></branch>' for name in "abc")
    for seed in range(20):
        world.errors.clear()
        world.events.clear()
        error = world.run(f'<parallel id="p">{body}</parallel>', seed)
        assert error is SHARED
        failure = fs.failure_of(SHARED)
        assert failure is not None
        assert (failure.node, failure.path) == ("a", "p/0/a")
        assert sorted(result.path for result in failure.others) == ["p/1/b", "p/2/c"]
        assert "2 other branches failed" in "".join(failure.notes)
    assert len(SHARED.__notes__) < 8  # those of earlier runs were taken back


class Stop(BaseException):
    pass


class Halt(BaseException):
    pass


def raising(kinds: dict[str, Callable[[], BaseException]]) -> fs.Registry:
    registry = fs.Registry(base=fs.registry)

    @registry.runtime("source:raises")
    async def raises(params: fs.ExecutionParams) -> None:
        await trio.sleep(float(params.config["at"]))
        raise kinds[params.config["kind"]]()

    return registry


def outcome_of(branches: str, kinds: dict[str, Any], seed: int, settings: str = "") -> str:
    return outcome_in(f'<parallel id="p" {settings}>{branches}</parallel>', kinds, seed)


def outcome_in(body: str, kinds: dict[str, Any], seed: int) -> str:
    """The name of what a run of that body raises in that order of tasks, or its output."""
    flow = fs.loads(f'<workflow name="w">{body}</workflow>', registry=raising(kinds))

    async def main() -> str:
        try:
            run = await fs.run(flow)
        except BaseException as exc:
            return type(exc).__name__
        return repr(run.output)

    _run._r.seed(seed)
    return trio.run(main, clock=MockClock(autojump_threshold=0))


def branch(kind: str, at: int) -> str:
    return f'<branch><source:raises id="{kind}{at}" kind="{kind}" at="{at}"/></branch>'


KINDS: dict[str, Callable[[], BaseException]] = {
    "value": ValueError,
    "stop": Stop,
    "halt": Halt,
    "exit": SystemExit,
    "ctrl-c": KeyboardInterrupt,
    "group": lambda: BaseExceptionGroup("both", [Stop(), ValueError()]),
    "hidden": lambda: BaseExceptionGroup("both", [ValueError(), SystemExit()]),
}


@pytest.mark.parametrize(
    ("branches", "settings", "expected"),
    [
        ([("value", 1), ("stop", 1)], "", "Stop"),
        ([("stop", 1), ("halt", 1)], "", "Stop"),
        ([("halt", 1), ("stop", 1)], "", "Halt"),
        ([("value", 1), ("stop", 2)], "", "ValueError"),
        ([("exit", 1), ("ctrl-c", 1)], "", "KeyboardInterrupt"),
        ([("value", 1), ("exit", 1)], "", "SystemExit"),
        ([("group", 1)], "", "BaseExceptionGroup"),
        ([("hidden", 1)], "", "SystemExit"),
        ([("stop", 1), ("value", 1)], 'tolerate="2"', "Stop"),
        ([("stop", 1), ("value", 2)], 'fail-fast="false"', "Stop"),
        ([("stop", 1), ("value", 2)], 'wait="any"', "Stop"),
    ],
)
def test_what_is_no_exception_decides_by_rule(
    branches: list[tuple[str, int]], settings: str, expected: str
) -> None:
    text = "".join(branch(kind, at) for kind, at in branches)
    found = {outcome_of(text, KINDS, seed, settings) for seed in range(60)}
    assert found == {expected}


def in_foreach(*nodes: tuple[str, int]) -> str:
    """The nodes as iterations of a loop that run at the same time."""
    items = ", ".join(f"{{kind: '{kind}', at: {at}}}" for kind, at in nodes)
    return (
        f'<foreach id="f" collection="[{items}]" maxConcurrency="9">'
        '<source:raises id="r" kind="{{item.kind}}" at="{{item.at}}"/></foreach>'
    )


def in_while(*nodes: tuple[str, int]) -> str:
    """The nodes as branches of a block in a loop."""
    return f'<while id="w" condition="true" max="3">{in_parallel(*nodes)}</while>'


def in_parallel(*nodes: tuple[str, int], settings: str = "") -> str:
    return f'<parallel id="p" {settings}>{"".join(branch(*each) for each in nodes)}</parallel>'


def in_nested(*nodes: tuple[str, int]) -> str:
    """Each node in a block of its own, and these in one."""
    longer = '<branch><delay duration="9s"/></branch>'
    inner = "".join(
        f'<branch><parallel id="i{number}">{branch(*each)}{longer}</parallel></branch>'
        for number, each in enumerate(nodes)
    )
    return f'<parallel id="o">{inner}</parallel>'


def in_slow_failing(*nodes: tuple[str, int]) -> str:
    """The nodes in a block that lets its branches finish, beside one that takes longer."""
    slow = '<branch><delay duration="5s"/></branch>'
    return in_parallel(*nodes, settings='fail-fast="false"').replace(
        "</parallel>", f"{slow}</parallel>"
    )


BLOCKS = [in_foreach, in_while, in_nested, in_slow_failing]


@pytest.mark.slow
@pytest.mark.parametrize("block", BLOCKS, ids=[each.__name__ for each in BLOCKS])
@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        ([("value", 1), ("stop", 1)], "Stop"),
        ([("stop", 1), ("halt", 1)], "Stop"),
        ([("halt", 1), ("value", 1), ("stop", 1)], "Halt"),
        ([("exit", 1), ("ctrl-c", 1)], "KeyboardInterrupt"),
        ([("value", 1), ("exit", 1)], "SystemExit"),
        ([("ctrl-c", 1), ("stop", 1)], "KeyboardInterrupt"),
        ([("value", 1), ("group", 1)], "BaseExceptionGroup"),
        ([("stop", 1), ("hidden", 1)], "SystemExit"),
        ([("stop", 1), ("value", 2)], "Stop"),
        ([("exit", 1), ("value", 2)], "SystemExit"),
    ],
)
def test_what_is_no_exception_decides_by_rule_in_every_block(
    nodes: list[tuple[str, int]], expected: str, block: Callable[..., str]
) -> None:
    found = {outcome_in(block(*nodes), KINDS, seed) for seed in range(60)}
    assert found == {expected}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["value", "stop", "halt", "exit", "ctrl-c", "group", "hidden"])
@pytest.mark.parametrize("block", BLOCKS, ids=[each.__name__ for each in BLOCKS])
def test_each_kind_surfaces_out_of_every_block(block: Callable[..., str], kind: str) -> None:
    alone = {outcome_in(block((kind, 1)), KINDS, seed) for seed in range(60)}
    assert alone == {"SystemExit" if kind == "hidden" else type(KINDS[kind]()).__name__}


def test_a_group_of_a_node_stays_whole(world: World) -> None:
    group = BaseExceptionGroup("both", [Stop(), ExceptionGroup("inner", [ValueError()])])
    world.make = lambda: group
    assert world.run('<source:fails id="a"/>') is group


def test_what_is_no_exception_is_not_tried_again_and_has_no_fallback(world: World) -> None:
    world.make = Stop
    error = world.run(
        '<phase name="x"><source:fails id="a"><on-error><retry max="3" when="true"/><fallback node="b"/>'
        '</on-error></source:fails><source:does id="b"/></phase>'
    )
    assert error is world.errors[0]
    assert (len(world.errors), world.did) == (1, [])


@pytest.mark.parametrize("kept", ["bare", "in a group"])
def test_a_cancelled_that_was_kept_is_the_error_of_who_raises_it(kept: str) -> None:
    registry = fs.Registry(base=fs.registry)
    stored: list[BaseException] = []

    @registry.runtime("source:first")
    async def first(params: fs.ExecutionParams) -> None:
        with trio.move_on_after(1):
            try:
                await trio.sleep(9)
            except trio.Cancelled as exc:
                stored.append(exc)
                raise

    @registry.runtime("source:follows")
    async def follows(params: fs.ExecutionParams) -> None:
        await trio.sleep(2)
        if kept == "bare":
            raise stored[0]
        raise BaseExceptionGroup("", [stored[0], ValueError("beside it")])

    flow = fs.loads(
        '<workflow name="w"><parallel id="p"><branch><source:first id="a"/></branch>'
        '<branch><source:follows id="b"/></branch><branch><delay id="d" duration="9s"/></branch></parallel>'
        "</workflow>",
        registry=registry,
    )
    with pytest.raises((StrayCancelled, ExceptionGroup)) as caught:
        trio.run(fs.run, flow, clock=MockClock(autojump_threshold=0))
    failure = fs.failure_of(caught.value)
    assert failure is not None
    assert failure.node == "b"
    assert [result.id for result in failure.cancelled] == ["d"]
    if kept == "bare":
        assert caught.value.__cause__ is stored[0]
    else:
        assert isinstance(caught.value, ExceptionGroup)
        assert [type(each) for each in caught.value.exceptions] == [StrayCancelled, ValueError]


def test_the_first_error_is_told_where_its_fallback_fails_too(world: World) -> None:
    made = iter([ValueError("first"), LookupError("second")])
    world.make = lambda: next(made)
    error = world.run(
        '<phase name="x"><source:fails id="a"><on-error><fallback node="b"/></on-error></source:fails>'
        '<source:fails id="b"/></phase>'
    )
    first, second = world.errors
    assert error is second
    assert "ValueError: first" in "".join(second.__notes__)
    failure = fs.failure_of(second)
    assert failure is not None
    [result] = failure.record["x/a"]
    assert (result.replaced, result.error) == (first, second)


def raised_by(raising: Callable[[], object], body: str) -> BaseException:
    """What surfaces from a workflow of that body, in which ``source:raising`` raises."""
    registry = fs.Registry(base=fs.registry)

    @registry.runtime("source:raising")
    async def source(params: fs.ExecutionParams) -> object:
        return raising()

    flow = fs.loads(f'<workflow name="w">{body}</workflow>', registry=registry)
    with pytest.raises(BaseException) as caught:  # noqa: PT011 (whatever it is)
        trio.run(fs.run, flow, clock=MockClock(autojump_threshold=0))
    return caught.value


@pytest.mark.parametrize(
    "body",
    [
        '<source:raising id="a"/>',
        '<parallel id="p"><branch><source:raising id="a"/></branch></parallel>',
        """<source:raising id="a"><on-error><retry max="2" when="true" base="1s"/></on-error></source:raising>""",
    ],
)
def test_the_traceback_of_an_error_keeps_no_function_of_the_engine_that_caught_it(
    body: str,
) -> None:
    """It would show their variables, and hold what holds the error."""

    def broken() -> None:
        raise ValueError("broken")

    error = raised_by(broken, body)
    functions = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
    first = functions.index("_call")
    assert functions[first:] == ["_call", "source", "broken"]
    assert "execute_node" not in functions[first - 1 :]
    assert "_try_again" not in functions


def test_an_interrupt_out_of_a_group_keeps_its_whole_traceback() -> None:
    def broken() -> None:
        try:
            raise SystemExit("out of a group")
        except SystemExit as exc:
            raise BaseExceptionGroup("both", [exc, ValueError()]) from None

    error = raised_by(broken, '<source:raising id="a"/>')
    assert type(error) is SystemExit
    assert traceback.extract_tb(error.__traceback__)[-1].name == "broken"


def test_a_group_of_cancellations_is_recorded_and_passes_on_as_the_one_that_it_stands_for() -> None:
    registry = fs.Registry(base=fs.registry)

    @registry.runtime("source:grouping")
    async def grouping(params: fs.ExecutionParams) -> None:
        try:
            await trio.sleep_forever()
        except trio.Cancelled as exc:
            raise BaseExceptionGroup("both", [exc, BaseExceptionGroup("inner", [exc])]) from None

    @registry.runtime("source:broken")
    async def broken(params: fs.ExecutionParams) -> None:
        await trio.sleep(1)
        raise ValueError("broken")

    flow = fs.loads(
        '<workflow name="w"><parallel id="p"><branch><source:grouping id="a"/></branch>'
        '<branch><source:broken id="b"/></branch></parallel></workflow>',
        registry=registry,
    )
    with pytest.raises(ValueError, match="broken") as caught:
        trio.run(fs.run, flow, clock=MockClock(autojump_threshold=0))
    assert caught.value.__context__ is None
    failure = fs.failure_of(caught.value)
    assert failure is not None
    assert [(each.id, each.status) for each in failure.cancelled] == [("a", "cancelled")]
    assert failure.cancelled[0].cancelled_by is not None
    assert failure.cancelled[0].cancelled_by.by == "p/1"
