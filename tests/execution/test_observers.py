"""An observer that raises, at any event: the run fails cleanly."""

from __future__ import annotations

import contextlib
from collections import Counter

import pytest
import trio
from trio._core._run import GLOBAL_RUN_CONTEXT
from trio.testing import MockClock

import flowscript_trio as fs
from flowscript_trio.types import events
from flowscript_trio.types.events import Event

BODY = (
    '<source:does id="undone"><compensate><source:does id="undo"/></compensate></source:does>'
    '<parallel id="p" after="undone"><branch><source:does id="a" takes="5"/></branch>'
    '<branch><source:does id="b" fails="true"><on-error><retry max="1" when="true"/></on-error></source:does>'
    '</branch></parallel><finally><source:does id="close"/></finally>'
)
KINDS = [
    "RunStarted",
    "NodeStarted",
    "AttemptStarted",
    "AttemptFailed",
    "TokenAwaited",
    "TokenTaken",
    "BlockStarted",
    "BranchStarted",
    "BranchEnded",
    "CancelRequested",
    "NodeEnded",
    "RunEnded",
]


class Broken(Exception):
    pass


def world() -> tuple[fs.Registry, list[str]]:
    registry, did = fs.Registry(base=fs.registry), []

    @registry.runtime("source:does")
    async def does(params: fs.ExecutionParams) -> None:
        did.append(f"begin {params.node.id}")
        try:
            await trio.sleep(float(params.config.get("takes", 1)))
        finally:
            did.append(f"end {params.node.id}")
        if params.config.get("fails"):
            raise ValueError("its own")

    return registry, did


@pytest.mark.parametrize("kind", KINDS)
def test_the_run_fails_and_all_that_waits_for_it_ends(kind: str) -> None:
    registry, did = world()
    flow = fs.loads(f'<workflow name="w">{BODY}</workflow>', registry=registry)
    told: list[Event] = []
    raised: list[str] = []

    def observer(event: Event) -> None:
        if type(event).__name__ == kind:
            raised.append(event.path)
            raise Broken(kind)

    async def main() -> None:
        async with trio.open_nursery() as nursery:

            async def call(task_status: trio.TaskStatus[fs.Run] = trio.TASK_STATUS_IGNORED) -> None:
                with pytest.raises((Broken, ValueError)) as caught:
                    await fs.run(
                        flow,
                        observers=[observer, told.append],
                        limiter=None if kind == "CancelRequested" else trio.CapacityLimiter(1),
                        task_status=task_status,
                    )
                failure = fs.failure_of(caught.value)
                assert failure is not None
                if isinstance(caught.value, Broken):
                    assert failure.path == raised[0]

            run = await nursery.start(call)
            seen = [event async for event in run.events()]
            assert isinstance(seen[-1], events.RunEnded)
            with pytest.raises((Broken, ValueError)) if not run._raised else trio.CancelScope():
                await run.wait()
            assert run.status == "failed"
            assert run.output is None
        assert not GLOBAL_RUN_CONTEXT.runner.instruments.get("_all")

    trio.run(main, clock=MockClock(autojump_threshold=0))
    assert len(raised) == 1  # it was told nothing more
    assert Counter(w.split()[1] for w in did if w.startswith("begin")) == Counter(
        w.split()[1] for w in did if w.startswith("end")
    )
    assert "end close" in did
    assert "end undone" not in did or "end undo" in did
    assert isinstance(told[-1], events.RunEnded)


def test_the_first_error_surfaces_and_the_observers_is_on_the_record() -> None:
    registry, _ = world()
    flow = fs.loads(
        '<workflow name="w"><source:does id="a" fails="true"/></workflow>', registry=registry
    )

    def observer(event: Event) -> None:
        if isinstance(event, events.RunEnded):
            raise Broken("too late")

    async def main() -> None:
        with pytest.raises(ValueError, match="its own") as caught:
            await fs.run(flow, observers=[observer])
        failure = fs.failure_of(caught.value)
        assert failure is not None
        assert "Broken: too late" in failure.record.warnings[-1].message

    trio.run(main, clock=MockClock(autojump_threshold=0))


def test_a_second_observer_that_breaks_is_a_warning() -> None:
    registry, _ = world()
    flow = fs.loads('<workflow name="w"><source:does id="a"/></workflow>', registry=registry)

    def breaks(event: Event) -> None:
        raise Broken("the first")

    def breaks_too(event: Event) -> None:
        raise Broken("the second")

    async def main() -> None:
        with pytest.raises(Broken, match="the first") as caught:
            await fs.run(flow, observers=[breaks, breaks_too])
        record = fs.failure_of(caught.value).record
        assert [each.message for each in record.warnings] == [
            "an observer raised Broken: the second"
        ]

    trio.run(main, clock=MockClock(autojump_threshold=0))


def test_an_observer_beside_a_broken_one_is_notified_of_everything_in_order() -> None:
    registry, _ = world()
    flow = fs.loads('<workflow name="w"><source:does id="a"/></workflow>', registry=registry)
    seen: list[str] = []

    def breaks(event: Event) -> None:
        raise Broken("at once")

    async def main() -> None:
        with pytest.raises(Broken, match="at once"):
            await fs.run(flow, observers=[breaks, lambda event: seen.append(type(event).__name__)])

    trio.run(main, clock=MockClock(autojump_threshold=0))
    assert seen[:2] == ["RunStarted", "CancelRequested"]
    assert seen[-1] == "RunEnded"


@pytest.mark.parametrize("kind", KINDS)
def test_an_observer_may_cancel_the_run_at_any_event(kind: str) -> None:
    registry, did = world()
    flow = fs.loads(f'<workflow name="w">{BODY}</workflow>', registry=registry)
    seen: list[Event] = []

    async def main() -> None:
        def cancels(event: Event) -> None:
            seen.append(event)
            if type(event).__name__ == kind:
                run.cancel("seen enough")

        async with fs.open_run(flow, limiter=trio.CapacityLimiter(1)) as run:
            run._context.observers = (cancels, *run._context.observers)
            with contextlib.suppress(ValueError):
                await run.wait()
            assert [event async for event in run.events()] == []
            failed = kind in ("CancelRequested", "RunEnded")  # what fails came before these
            assert run.status == ("failed" if failed else "cancelled")

    trio.run(main, clock=MockClock(autojump_threshold=0))
    assert [each for each in seen if isinstance(each, events.RunEnded)] == seen[-1:]
    assert did[-1:] == ["end close"]


def test_what_is_shown_of_a_run_has_no_secret_however_many_lists_have_it() -> None:
    flow = fs.loads(
        '<workflow name="w"><secret name="KEY"/><foreach id="f" collection="range(200)">'
        '<set id="s" var="v" value="{{[item, $secrets.KEY]}}"/></foreach></workflow>'
    )

    async def main() -> None:
        async with fs.open_run(flow, secrets={"KEY": "abcdefgh123"}) as run:
            seen = [event async for event in run.events() if isinstance(event, events.NodeEnded)]
            await run.wait()
        assert len(seen) == 201
        assert "abcdefgh123" not in str([event.result for event in seen])
        assert "abcdefgh123" in str(run.output)
        assert "abcdefgh123" not in str(run.shown_output)
        assert len(run.shown_output) == 200

    trio.run(main)
