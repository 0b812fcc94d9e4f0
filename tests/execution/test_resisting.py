"""An error is surfaced, recorded and described whatever its class raises when it is looked at."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import MockClock

import flowscript_trio as fs
from endless import MISSED, never_end
from flowscript_trio.observe.chronicle import Chronicle, line_of
from flowscript_trio.types.errors import StrayCancelled
from flowscript_trio.types.events import Event, NodeEnded, NodeStarted, RunEnded

pytestmark = pytest.mark.filterwarnings("ignore::flowscript_trio.FlowScriptWarning")


SOURCES = Path(fs.__file__).parent


class Odd(BaseException):
    """Neither an Exception nor an interrupt."""


class OddText(Exception):
    def __str__(self) -> str:
        raise Odd("str")

    __repr__ = __str__


class OddStatus(Exception):
    @property
    def status(self) -> int:
        raise Odd("status")


class OddRetryable(Exception):
    @property
    def retryable(self) -> bool:
        raise Odd("retryable")


class OddNotes(Exception):
    @property
    def __notes__(self) -> list[str]:  # type: ignore[override]
        raise Odd("notes")

    def add_note(self, note: str) -> None:
        raise Odd(note)


class OddAttributes(Exception):
    def __setattr__(self, name: str, value: object) -> None:
        raise Odd(name)


class NoAttributes(Exception):
    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)


class NoChain(Exception):
    @property
    def __context__(self) -> Any:  # type: ignore[override]
        raise RuntimeError("context")

    __cause__ = __traceback__ = __context__


class NoTruth(Exception):
    def __bool__(self) -> bool:
        raise Odd("bool")


class NoTracebackSet(Exception):
    def with_traceback(self, tb: Any) -> Any:
        raise Odd("with_traceback")


@dataclass(frozen=True)
class Frozen(Exception):
    code: int = 3


class OddClass(type):
    @property
    def __name__(cls) -> str:  # type: ignore[override]
        raise Odd("name")


class Nameless(Exception, metaclass=OddClass):
    pass


class Incomparable(Exception):
    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        raise Odd("eq")


class NoDivision(ExceptionGroup[Exception]):
    def derive(self, _: Any) -> Any:
        raise RuntimeError("derive")


class NoInside(ExceptionGroup[Exception]):
    @property
    def exceptions(self) -> Any:
        raise Odd("exceptions")


class NotGiven(ExceptionGroup[Exception]):
    def split(self, _: Any) -> Any:
        raise Odd("split")


def chained() -> Exception:
    error = ValueError("the first")
    for number in range(3_000):
        later = ValueError(str(number))
        later.__cause__ = error
        error = later
    return error


def nested() -> Exception:
    error: Exception = ValueError("the innermost")
    for _ in range(900):
        error = ExceptionGroup("group", [error])
    return error


KINDS: dict[str, Callable[[], BaseException]] = {
    "text": OddText,
    "status": OddStatus,
    "retryable": OddRetryable,
    "notes": OddNotes,
    "attributes": OddAttributes,
    "no attributes": NoAttributes,
    "no chain": NoChain,
    "no truth": NoTruth,
    "no traceback set": NoTracebackSet,
    "frozen": Frozen,
    "nameless": Nameless,
    "incomparable": Incomparable,
    "no division": lambda: NoDivision("g", [ValueError("in")]),
    "no inside": lambda: NoInside("g", [ValueError("in")]),
    "not given": lambda: NotGiven("g", [ValueError("in")]),
    "chained": chained,
    "nested": nested,
    "generator exit": GeneratorExit,
}
OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "secret": {"secrets": {"KEY": "a-long-secret"}},
    "budget": {"budget": fs.Budget(record_bytes=10**9, output_bytes=10**9, seconds=900)},
    "store": {"store": fs.Store.memory()},
}
FAILS = '<source:fails id="a"/>'
PLACES = {
    "node": FAILS,
    "branch": f'<parallel id="p"><branch>{FAILS}</branch><branch><delay duration="9s"/></branch></parallel>',
    "iteration": f'<foreach id="f" collection="[1, 2]">{FAILS}</foreach>',
    "clean-up": f'<phase name="q"><does/><finally>{FAILS}</finally></phase>',
    "compensation": f"<phase name='q'><does/>{FAILS}</phase>",
}
DID: list[str] = []


def run(body: str, make: Callable[[], BaseException], watching: Any = None, **options: Any) -> Any:
    """What a run with that body came to: the run, or what it raised; its events; what was raised."""
    registry = fs.Registry(base=fs.registry)
    raised: list[BaseException] = []

    @registry.runtime("source:fails")
    async def fails(params: fs.ExecutionParams) -> None:
        await trio.sleep(1)
        raised.append(make())
        raise raised[-1]

    @registry.runtime("source:does")
    async def does(params: fs.ExecutionParams) -> None:
        DID.append(params.node.id or "")

    DID.clear()
    events: list[Event] = []
    entries: list[dict[str, Any]] = []
    body = body.replace("<does/>", '<source:does id="inner"/>')
    flow = fs.loads(
        '<workflow name="w"><source:does id="booked"><compensate><source:does id="unbook"/></compensate>'
        f'</source:does><phase name="ph">{body}</phase><finally><source:does id="close"/></finally></workflow>',
        registry=registry,
    )

    async def main() -> Any:
        try:
            return await fs.run(
                flow,
                observers=[
                    events.append,
                    Chronicle(entries.append, "w.xml"),
                    *([watching] if watching else []),
                ],
                **options,
            )
        except BaseException as exc:
            return exc

    done = trio.run(main, clock=MockClock(autojump_threshold=0))
    begun = [event.execution for event in events if type(event) is NodeStarted]
    ended = [event.execution for event in events if type(event) is NodeEnded]
    assert sorted(begun) == sorted(ended)
    assert type(events[-1]) is RunEnded
    assert [json.loads(line_of(entry)) for entry in entries][-1]["event"] == "run-ended"
    return done, raised, events[-1].status


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", KINDS)
def test_it_surfaces_as_it_is_and_every_clean_up_runs(kind: str, place: str, options: str) -> None:
    done, raised, status = run(PLACES[place], KINDS[kind], **OPTIONS[options])
    assert done is raised[0]
    failure = fs.failure_of(done)
    assert failure is not None
    assert (failure.node, status) == ("a", "failed")
    assert failure.notes
    assert (DID[-1], DID.count("unbook")) == ("close", 1)


def doors(fail: Callable[[], Any]) -> fs.Registry:
    """Runtimes that meet an error elsewhere than in their own code."""
    registry = fs.Registry(base=fs.registry)

    async def fail_late() -> None:
        await trio.lowlevel.checkpoint()  # also in a thread, where time is real
        fail()

    class Closing:
        async def aclose(self) -> None:
            await fail_late()

    class Leaving:
        def __enter__(self) -> Leaving:
            return self

        def __exit__(self, *_: object) -> None:
            fail()

    class LeavingLate:
        async def __aenter__(self) -> LeavingLate:
            return self

        async def __aexit__(self, *_: object) -> None:
            await fail_late()

    factories = {
        "factory": fail,
        "late": fail_late,
        "closing": Closing,
        "leaving": Leaving,
        "leaving-late": LeavingLate,
    }

    @registry.runtime("source:opens")
    async def opens(params: fs.ExecutionParams) -> None:
        await params.run.resource("key", factories[params.config["what"]])

    @registry.runtime("source:fails")
    async def fails(params: fs.ExecutionParams) -> None:
        await fail_late()

    @registry.blocking_runtime("source:blocks")
    def blocks(params: fs.ExecutionParams) -> None:
        fail()

    return registry


def closed_badly(fail: Callable[[], Any]) -> Any:
    try:
        yield 1
    finally:
        fail()


DOORS = {
    **{
        f"a resource's {what}": f'<source:opens id="a" what="{what}"/>'
        for what in ("factory", "late", "closing", "leaving", "leaving-late")
    },
    "a resource's factory from a thread": '<source:opens id="a" what="factory" place="thread"/>',
    "a blocking runtime": '<source:blocks id="a" place="thread"/>',
    "a loop in a thread": '<source:fails id="a" place="thread"/>',
    "the decider": '<checkpoint id="a" prompt="?"><action id="y"/></checkpoint>',
    "closing a collection": (
        '<foreach id="a" collection="{{$input}}"><if id="i" condition="true"><then><break/></then></if></foreach>'
    ),
}


@pytest.mark.parametrize(
    ("door", "options"),
    [(door, "plain") for door in DOORS]
    + [
        (door, "store") for door in DOORS if "$input" not in DOORS[door]
    ],  # no stream may be given there
)
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "generator exit"])
def test_it_comes_through_every_door(kind: str, door: str, options: str) -> None:
    raised: list[BaseException] = []

    def fail() -> Any:
        raised.append(KINDS[kind]())
        raise raised[-1]

    async def decide(prompt: str, actions: Any) -> str:
        await trio.lowlevel.checkpoint()
        return fail()

    flow = fs.loads(f'<workflow name="w">{DOORS[door]}</workflow>', registry=doors(fail))

    async def main() -> BaseException | None:
        given = {"input": closed_badly(fail)} if "$input" in DOORS[door] else {}
        try:
            await fs.run(flow, decider=decide, **given, **OPTIONS[options])
        except BaseException as exc:
            return exc
        return None

    done = trio.run(main, clock=MockClock(autojump_threshold=0))
    assert done is raised[0]
    assert fs.failure_of(done) is not None


TOLERATED = (
    f'<parallel id="p" tolerate="1"><branch>{FAILS}</branch><branch><source:does id="b"/></branch></parallel>'
    '<transform:template id="t" after="p" template="{{a.status}} {{a.error}} {{p.failures}}"/>'
)


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "generator exit"])
def test_it_is_tolerated_and_told_of_in_expressions(kind: str, options: str) -> None:
    done, _, status = run(TOLERATED, KINDS[kind], **OPTIONS[options])
    assert status == "completed", done
    assert done.results["t"].output.startswith("failed {")


RULE = '<source:fails id="a"><on-error><retry max="1" when="error.status == 3"/>{}</on-error></source:fails>'


@pytest.mark.parametrize("kind", ["text", "status", "retryable"])
def test_what_is_no_exception_and_raised_by_a_look_at_it_is_the_nodes_error(kind: str) -> None:
    done, raised, status = run(RULE.format(""), KINDS[kind])
    assert type(done) is Odd
    assert done.__context__ is raised[0]
    failure = fs.failure_of(done)
    assert failure is not None
    assert (failure.node, status, DID[-1]) == ("a", "failed", "close")


def kept_cancelled() -> BaseException:
    """A ``Cancelled`` that has left the task that it was raised in."""
    kept: list[BaseException] = []

    async def keep() -> None:
        with trio.CancelScope() as scope:
            scope.cancel()
            try:
                await trio.sleep(1)
            except trio.Cancelled as exc:
                kept.append(exc)

    trio.run(keep)
    return kept[0]


def test_a_kept_cancelled_that_a_look_at_it_raises_is_a_stray_one() -> None:
    cancelled = kept_cancelled()

    class Kept(Exception):
        def __str__(self) -> str:
            raise cancelled

    done, _, status = run(RULE.format(""), Kept)
    assert (type(done), status, DID[-1]) == (StrayCancelled, "failed", "close")
    done, raised, status = run(FAILS, Kept)
    assert (done, status) == (raised[0], "failed")


@pytest.mark.parametrize("kind", ["kept", "in a group", "stop"])
def test_what_no_caller_could_take_from_an_observer_is_an_error_of_the_run(kind: str) -> None:
    cancelled = kept_cancelled()
    make: dict[str, Callable[[], BaseException]] = {
        "kept": lambda: cancelled,
        "in a group": lambda: BaseExceptionGroup("g", [cancelled, ValueError()]),
        "stop": StopIteration,
    }
    expected = {"kept": StrayCancelled, "in a group": ExceptionGroup, "stop": RuntimeError}

    def observe(event: Event) -> None:
        if type(event) is NodeEnded:
            raise make[kind]()

    flow = fs.loads('<workflow name="w"><set var="x" value="1"/></workflow>')
    with pytest.raises(expected[kind]) as caught:
        trio.run(lambda: fs.run(flow, observers=[observe]))
    assert fs.failure_of(caught.value) is not None


def test_a_stop_of_an_iteration_in_the_settings_of_a_node_is_its_error() -> None:
    class Spent(dict[str, Any]):
        def __getitem__(self, name: str) -> Any:
            raise StopIteration

        get = __getitem__  # type: ignore[assignment]

    flow = fs.loads('<workflow name="w"><set var="x" value="{{$input.x.y}}"/></workflow>')
    with pytest.raises(RuntimeError) as caught:
        trio.run(lambda: fs.run(flow, input={"x": Spent(y=1)}))
    failure = fs.failure_of(caught.value)
    assert failure is not None
    assert failure.node == "set@1"


def test_what_is_no_exception_and_raised_by_accept_is_the_branchs_error() -> None:
    class Answer(dict[str, Any]):
        def __getitem__(self, name: str) -> Any:
            raise Odd(name)

        get = __getitem__  # type: ignore[assignment]

    registry = fs.Registry(base=fs.registry)

    @registry.runtime("source:answers")
    async def answers(params: fs.ExecutionParams) -> Any:
        return Answer(ok=1)

    flow = fs.loads(
        '<workflow name="w"><parallel id="p" wait="any" accept="result.ok"><branch><source:answers id="a"/>'
        "</branch></parallel></workflow>",
        registry=registry,
    )
    events: list[Event] = []
    with pytest.raises(Odd) as caught:
        trio.run(
            lambda: fs.run(flow, observers=[events.append]), clock=MockClock(autojump_threshold=0)
        )
    failure = fs.failure_of(caught.value)
    assert failure is not None
    ended = events[-1]
    assert isinstance(ended, RunEnded)
    assert ended.status == "failed"


@dataclass(frozen=True)
class FrozenNoted(Exception):
    sku: str


class Saying(ExceptionGroup[Exception]):
    def __str__(self) -> str:
        return "it was a-long-secret"


def test_secrets_in_the_notes_of_an_error_that_takes_no_attributes_are_masked() -> None:
    def make() -> BaseException:
        error = FrozenNoted("1")
        error.__dict__["__notes__"] = ["with a-long-secret"]
        return error

    done, raised, _ = run(FAILS, make, **OPTIONS["secret"])
    assert done is raised[0]
    assert done.__notes__[0] == "with ***"


def test_a_group_whose_text_is_its_own_shows_no_secret() -> None:
    done, _, _ = run(FAILS, lambda: Saying("g", [ValueError()]), **OPTIONS["secret"])
    assert "a-long-secret" not in f"{done} {done!r}"


@pytest.mark.parametrize("waits", [False, True])
def test_a_kept_cancelled_that_closing_a_collection_raises_is_a_stray_one(waits: bool) -> None:
    cancelled = kept_cancelled()

    async def waiting() -> Any:
        try:
            for number in range(5):
                yield number
        finally:
            raise cancelled

    def plain() -> Any:
        try:
            yield from range(5)
        finally:
            raise cancelled

    flow = fs.loads(
        '<workflow name="w"><foreach id="f" collection="$input"><break when="index == 1"/></foreach></workflow>'
    )
    items = waiting() if waits else plain()
    with pytest.raises(StrayCancelled, match="closing the collection raised") as caught:
        trio.run(lambda: fs.run(flow, input=items))
    failure = fs.failure_of(caught.value)
    assert failure is not None
    assert failure.node == "f"


def test_a_kept_cancelled_that_closing_a_resource_raises_is_a_stray_one() -> None:
    cancelled = kept_cancelled()
    registry = fs.Registry(base=fs.registry)

    class Open:
        def close(self) -> None:
            raise cancelled

    @registry.runtime("source:opens")
    async def opens(params: fs.ExecutionParams) -> None:
        await params.run.resource("it", Open)

    flow = fs.loads('<workflow name="w"><source:opens id="a"/></workflow>', registry=registry)
    with pytest.raises(StrayCancelled, match="closing a resource raised") as caught:
        trio.run(lambda: fs.run(flow))
    assert fs.failure_of(caught.value) is not None


class EndlessText(Exception):
    def __str__(self) -> str:
        return str(never_end())

    __repr__ = __str__


class EndlessStatus(Exception):
    @property
    def status(self) -> Any:
        return never_end()


class EndlessResponse(Exception):
    @property
    def response(self) -> Any:
        return never_end()


class EndlessRetryable(Exception):
    @property
    def retryable(self) -> Any:
        return never_end()


class EndlessNote(Exception):
    def add_note(self, note: str) -> None:
        never_end()


class EndlessAttributes(Exception):
    def __getattr__(self, name: str) -> Any:
        return never_end()


class EndlessDivision(BaseExceptionGroup[BaseException]):
    def derive(self, _: Any) -> Any:
        return never_end()


class EndlessState(Exception):
    def __setattr__(self, name: str, value: object) -> None:
        never_end()

    def __reduce__(self) -> Any:
        return never_end()


ENDLESS: dict[str, tuple[Callable[[], BaseException], str]] = {
    "text": (EndlessText, RULE.format("")),
    "text of a record": (EndlessText, FAILS),
    "status": (EndlessStatus, RULE.format("")),
    "response": (EndlessResponse, RULE.format("")),
    "retryable": (EndlessRetryable, RULE.format("")),
    "note": (EndlessNote, FAILS),
    "attributes": (EndlessAttributes, RULE.format("")),
    "tolerated": (EndlessText, TOLERATED),
    "handled": (
        EndlessText,
        '<source:fails id="a"><on-error><fallback node="b"/></on-error></source:fails><source:does id="b"/>',
    ),
}


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("kind", ENDLESS)
def test_ctrl_c_ends_a_run_in_which_a_look_at_an_error_never_ends(kind: str, options: str) -> None:
    make, body = ENDLESS[kind]
    done, raised, status = run(body, make, **OPTIONS[options])
    assert type(done) is KeyboardInterrupt
    assert status == "cancelled"
    assert len(raised) == 1, "it is not tried again"
    assert MISSED == []


def test_ctrl_c_reaches_what_masks_an_error() -> None:
    def tells() -> Exception:
        return EndlessState("a-long-secret")

    done, _, _ = run(FAILS, tells, secrets={"KEY": "a-long-secret"})
    assert type(done) is KeyboardInterrupt
    assert MISSED == []


def test_an_error_of_its_own_that_ctrl_c_ended_has_the_first_as_its_context() -> None:
    from flowscript_trio.types.looking import LookAbandoned

    failed: list[BaseException | None] = []

    def observe(event: Event) -> None:
        if type(event) is NodeEnded and event.result.id == "a":
            failed.append(event.result.error)

    done, raised, _ = run(RULE.format(""), EndlessStatus, watching=observe)
    assert type(done) is KeyboardInterrupt
    [error] = failed
    assert isinstance(error, LookAbandoned)
    assert error.__context__ is raised[0]


WITHOUT_FOREIGN_ERRORS = {
    "_masking",
    "_open",
    "begun",
    "counting_passes",
    "reopened",
}
"""The rest: what nodes raise is raised outside of their blocks."""


def test_no_error_of_a_node_passes_through_contextlib() -> None:
    """It throws the error into a generator and sets its traceback, which a class may refuse."""
    found = {
        function.name
        for room in ("execution", "scheduler", "placement")
        for path in (SOURCES / room).rglob("*.py")
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
        and any("contextmanager" in ast.unparse(each) for each in function.decorator_list)
    }
    assert found == WITHOUT_FOREIGN_ERRORS
