"""Limits with names: who takes them, when they are given back, and what a run says of the wait."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio
from pydantic import BaseModel
from trio.testing import MockClock

import flowscript_trio as fs
from flowscript_trio.types.events import Event, NodeEnded, TokenAwaited, TokenTaken


class WorkConfig(BaseModel):
    takes: fs.Duration = 1.0
    fails: int = 0


class Works:
    """``source:work``: it takes a second, or what it says, and its first ``fails`` calls fail."""

    def __init__(self) -> None:
        self.registry = fs.Registry(base=fs.registry)
        self.registry.runtime("source:work", config=WorkConfig)(self.execute)
        self.starts: list[tuple[str, float]] = []
        self.now = 0
        self.most = 0
        self.calls = 0
        self.origin = trio.current_time()

    def load(self, body: str, **options: Any) -> fs.Flow:
        return fs.loads(f'<workflow name="w">{body}</workflow>', registry=self.registry, **options)

    async def execute(self, params: fs.ExecutionParams) -> str:
        self.calls += 1
        number = self.calls
        self.starts.append((params.node.label, round(trio.current_time() - self.origin, 9)))
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await trio.sleep(params.config.takes)
        finally:
            self.now -= 1
        if number <= params.config.fails:
            raise OSError("down")
        return params.node.label

    @property
    def times(self) -> list[float]:
        return [time for _, time in self.starts]


EACH = '<foreach id="each" collection="{{range(0, 8)}}" max-concurrency="unlimited">{}</foreach>'


async def test_no_more_nodes_than_max_have_a_limit_at_once(autojump_clock: MockClock) -> None:
    works = Works()
    flow = works.load(
        '<limit name="a" max="3"/>' + EACH.replace("{}", '<source:work id="s" limit="a"/>', 1)
    )
    await fs.run(flow)
    assert (works.most, works.times) == (3, [0, 0, 0, 1, 1, 1, 2, 2])


async def test_a_built_in_node_has_its_limit_until_it_has_ended(autojump_clock: MockClock) -> None:
    delay = '<delay id="d" duration="1s" limit="a"/>'
    run = await fs.run(Works().load('<limit name="a" max="3"/>' + EACH.replace("{}", delay, 1)))
    assert run.duration == 3  # eight of them, three at a time


async def test_all_runs_of_a_workflow_share_what_it_declares(autojump_clock: MockClock) -> None:
    works = Works()
    flow = works.load('<limit name="a" max="2"/><source:work id="s" limit="a"/>')
    async with trio.open_nursery() as nursery:
        for _ in range(6):
            nursery.start_soon(fs.run, flow)
    assert (works.most, sorted(works.times)) == (2, [0, 0, 1, 1, 2, 2])


async def test_runs_with_another_registry_share_it_too(autojump_clock: MockClock) -> None:
    works = Works()
    flow = works.load('<limit name="a" max="1"/><source:work id="s" limit="a"/>')
    async with trio.open_nursery() as nursery:
        for _ in range(3):
            other = fs.Registry(base=works.registry)

            async def run(registry: fs.Registry = other) -> None:
                await fs.run(flow, registry=registry)

            nursery.start_soon(run)
    assert works.most == 1


@pytest.mark.parametrize("kind", ["limit", "limiter"])
async def test_what_the_application_gives_is_shared_with_its_own_code_and_other_workflows(
    autojump_clock: MockClock, kind: str
) -> None:
    works = Works()
    shared = fs.Limit(max=2) if kind == "limit" else trio.CapacityLimiter(2)
    one = works.load('<source:work id="s" limit="a"/>')
    other = works.load('<limit name="b" max="9"/><source:work id="t" limit="b"/>')

    async def run_one() -> None:
        await fs.run(one, limits={"a": shared})

    async def run_other() -> None:
        await fs.run(other, limits={"b": shared})

    async with trio.open_nursery() as nursery, shared:
        for _ in range(3):
            nursery.start_soon(run_one)
            nursery.start_soon(run_other)
        await trio.sleep(1.5)
        assert works.most == 1, "the application has the other one"
    assert works.most == 2


async def test_a_rate_spaces_the_attempts_exactly(autojump_clock: MockClock) -> None:
    works = Works()
    flow = works.load(
        '<limit name="api" rate="10/s" burst="3"/>'
        + EACH.replace("{}", '<source:work id="s" limit="api"/>', 1)
    )
    await fs.run(flow)
    assert works.times == [0, 0, 0, 0.1, 0.2, 0.3, 0.4, 0.5]


async def test_each_attempt_takes_the_limit_anew_and_the_wait_between_holds_nothing(
    autojump_clock: MockClock,
) -> None:
    works = Works()
    flow = works.load(
        """<limit name="a" max="1"/><parallel id="p">
        <branch><source:work id="s" limit="a" fails="1">
          <on-error><retry max="1" when="true" backoff="fixed" base="5s"/></on-error></source:work></branch>
        <branch><delay duration="500ms"/><source:work id="t" limit="a" takes="2s"/></branch>
        </parallel>"""
    )
    await fs.run(flow)
    assert works.starts == [("s", 0), ("t", 1), ("s", 6)]


async def test_the_wait_for_a_limit_is_outside_of_the_timeout(autojump_clock: MockClock) -> None:
    works = Works()
    flow = works.load(
        '<limit name="a" max="1"/>'
        + EACH.replace("{}", '<source:work id="s" limit="a" timeout="1500ms"/>', 1)
    )
    run = await fs.run(flow)
    assert run.output == ["s"] * 8


async def test_named_limits_are_taken_before_a_token_of_the_run(autojump_clock: MockClock) -> None:
    works = Works()
    flow = works.load(
        """<limit name="a" max="1"/><parallel id="p" stagger="1s">
        <branch><source:work id="one" limit="a" takes="9s"/></branch>
        <branch><source:work id="two" limit="a"/></branch>
        <branch><source:work id="free"/></branch></parallel>"""
    )
    await fs.run(flow, limiter=trio.CapacityLimiter(2))
    assert works.starts == [("one", 0), ("free", 2), ("two", 9)], (
        "who waits for a name keeps no token of the run from others"
    )


async def test_a_block_holds_its_limit_while_what_is_in_it_runs(autojump_clock: MockClock) -> None:
    works = Works()
    body = '<foreach id="inner" limit="a" collection="{{[1, 2]}}"><source:work id="s"/></foreach>'
    flow = works.load('<limit name="a" max="2"/>' + EACH.replace("{}", body, 1))
    await fs.run(flow)
    assert works.most == 2
    assert works.times == [float(second) for second in range(8) for _ in range(2)]


async def test_a_call_holds_its_limit_while_its_document_runs(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    works = Works()
    (tmp_path / "part.xml").write_text(
        '<workflow name="p"><source:work id="x"/><source:work id="y" input="x"/></workflow>'
    )
    flow = works.load(
        '<limit name="a" max="1"/>'
        + EACH.replace("{}", '<call id="c" workflow="part.xml" limit="a"/>', 1),
        base=tmp_path,
    )
    await fs.run(flow)
    assert (works.most, works.times) == (1, [float(second) for second in range(16)])


async def test_one_name_is_one_limit_in_all_documents_of_a_run(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    works = Works()
    (tmp_path / "part.xml").write_text(
        '<workflow name="p"><limit name="a" max="5"/><source:work id="x" limit="a"/></workflow>'
    )
    flow = works.load(
        '<limit name="a" max="1"/><parallel id="p">'
        '<branch><call id="c" workflow="part.xml"/></branch>'
        '<branch><include id="i" workflow="part.xml"/></branch>'
        '<branch><source:work id="s" limit="a"/></branch></parallel>',
        base=tmp_path,
    )
    assert [problem.code for problem in flow.warnings] == ["limit-differs"] * 2
    await fs.run(flow)
    assert works.most == 1


async def test_a_limit_is_given_back_when_its_node_has_unwound(autojump_clock: MockClock) -> None:
    works = Works()
    limit = fs.Limit(max=1)
    flow = works.load('<source:work id="s" limit="a"/>')
    for kind in (limit, trio.CapacityLimiter(1)):
        with trio.move_on_after(0.5):
            await fs.run(flow, limits={"a": kind})
        failing = works.load('<source:work id="s" limit="a" fails="99"/>')
        with pytest.raises(OSError, match="down"):
            await fs.run(failing, limits={"a": kind})
        with trio.fail_after(2):
            await fs.run(flow, limits={"a": kind})


async def test_a_wait_for_a_limit_ends_with_a_cancellation_like_any_wait(
    autojump_clock: MockClock,
) -> None:
    works = Works()
    limit = fs.Limit(max=1)
    limiter = trio.CapacityLimiter(1)
    flow = works.load('<source:work id="s" limit="a b"/>')
    async with limit:
        with trio.move_on_after(1) as scope:
            await fs.run(flow, limits={"a": limiter, "b": limit})
        assert scope.cancelled_caught
        assert limiter.borrowed_tokens == 0, "the one that it had is given back"
        assert (limit.taken, limit.waiting) == (1, 0)
    assert works.starts == []


async def test_waiting_is_seen_in_the_events_with_the_names(autojump_clock: MockClock) -> None:
    works = Works()
    events: list[Event] = []
    flow = works.load(
        """<limit name="a" max="1"/><parallel id="p"><branch><source:work id="one" limit="a"/></branch>
        <branch><delay duration="250ms"/><source:work id="two" limit="a"/></branch></parallel>"""
    )
    await fs.run(flow, observers=[events.append])
    seen = [
        (type(event).__name__, event.path, event.limits, event.time - works.origin)
        for event in events
        if isinstance(event, TokenAwaited | TokenTaken)
    ]
    assert seen == [
        ("TokenAwaited", "p/1/two", ("a",), 0.25),
        ("TokenTaken", "p/1/two", ("a",), 1.0),
    ]
    ended = [event.path for event in events if isinstance(event, NodeEnded)]
    assert ended[-2:] == ["p/1/two", "p"]


BREAKING = """<limit name="api" breaker="2 in 1m, 30s"/>
<foreach id="each" collection="{{range(0, 4)}}" tolerate="4"><source:work id="s" limit="api" fails="2">
</source:work></foreach>"""


async def test_an_open_circuit_fails_at_once(autojump_clock: MockClock) -> None:
    works = Works()
    run = await fs.run(works.load(BREAKING))
    assert works.times == [0, 1], "the third and the fourth are not tried"
    errors = [branch.error for branch in run.results["each"].branches]
    assert [type(error).__name__ for error in errors] == ["OSError"] * 2 + ["CircuitOpen"] * 2
    assert errors[2] is not None
    assert "circuit breaker of the limit 'api' is open for another 30 s" in str(errors[2])


async def test_a_retry_waits_for_what_is_left_of_an_open_circuit(autojump_clock: MockClock) -> None:
    works = Works()
    retry = '<on-error><retry max="3" base="1s" backoff="fixed" when="true"/></on-error>'
    run = await fs.run(works.load(BREAKING.replace("</source:work>", retry + "</source:work>")))
    assert works.times == [0, 2, 33, 34, 35, 36], (
        "after two failures at once the circuit is open until 33"
    )
    assert run.output == ["s"] * 4


async def test_a_limit_that_is_declared_and_not_taken_is_no_trouble() -> None:
    flow = fs.loads('<workflow name="w"><limit name="a" max="1"/><delay duration="0s"/></workflow>')
    run = await fs.run(flow, limits={"b": fs.Limit(max=1)})
    assert run.status == "completed"


# ---- what only the application knows ----


async def test_a_name_that_nobody_gives_is_reported_when_the_run_begins() -> None:
    works = Works()
    flow = works.load('<source:work id="s" limit="githb"/>')
    with pytest.raises(fs.InputError, match=r"<source:work> 's' .*'githb'.*did you mean 'github'"):
        await fs.run(flow, limits={"github": fs.Limit(max=1)})


@pytest.mark.parametrize("limits", [5, {"a": 5}, {"a": None}, {"a": "10/s"}, [fs.Limit(max=1)]])
async def test_what_is_no_limit_is_refused(limits: Any) -> None:
    works = Works()
    with pytest.raises(fs.InputError, match="of type"):
        await fs.run(works.load('<source:work id="s" limit="a"/>'), limits=limits)


async def test_bounds_of_expressions_may_stand_in_limits_as_ever_or_in_bounds() -> None:
    flow = fs.loads(
        '<workflow name="w"><set var="x" value="{{range(0, 100000).map(i => i)}}"/></workflow>'
    )
    few = fs.Limits(operations=1000)
    for options in ({"limits": few}, {"bounds": few}, {"bounds": few, "limits": {}}):
        with pytest.raises(fs.LimitExceeded):
            await fs.run(flow, **options)
    with pytest.raises(fs.InputError, match="given twice"):
        await fs.run(flow, bounds=few, limits=few)


async def test_a_given_rate_cannot_be_held_by_a_block() -> None:
    works = Works()
    flow = works.load(
        '<foreach id="f" collection="{{[1]}}" limit="a"><source:work id="s"/></foreach>'
    )
    with pytest.raises(fs.InputError, match=r"'a' is a rate, which <foreach> 'f' .* cannot hold"):
        await fs.run(flow, limits={"a": fs.Limit(rate="1/s")})


HOLDS_A = '<foreach id="f" collection="{{[1]}}" limit="a"><source:work id="s" limit="b"/></foreach>'
HOLDS_B = '<foreach id="f" collection="{{[1]}}" limit="b"><source:work id="s" limit="a"/></foreach>'


async def test_two_names_for_one_limit_that_is_held_and_needed_are_refused() -> None:
    works = Works()
    for one in (fs.Limit(max=5), trio.CapacityLimiter(5)):
        with pytest.raises(fs.InputError, match=r"without end.*<foreach> 'f'.* → .*'s'"):
            await fs.run(works.load(HOLDS_A), limits={"a": one, "b": one})


async def test_the_limiter_of_the_run_is_needed_by_every_leaf_node() -> None:
    works = Works()
    limiter = trio.CapacityLimiter(5)
    held = '<foreach id="f" collection="{{[1]}}" limit="a"><source:work id="s"/></foreach>'
    for body in (held, '<source:work id="s" limit="a"/>'):
        with pytest.raises(fs.InputError, match="without end"):
            await fs.run(works.load(body), limits={"a": limiter}, limiter=limiter)
        await fs.run(works.load(body), limits={"a": limiter}, limiter=trio.CapacityLimiter(1))


async def test_a_limiter_without_bound_cannot_lock_up() -> None:
    works = Works()
    free = trio.CapacityLimiter(float("inf"))
    await fs.run(works.load(HOLDS_A), limits={"a": free, "b": free})


async def test_limiters_are_taken_one_by_one_so_that_holding_the_second_is_refused() -> None:
    works = Works()
    body = '<source:work id="one" limit="a b"/>' + HOLDS_B
    for kind in (trio.CapacityLimiter, lambda size: fs.Limit(max=size)):
        limits = {"a": kind(5), "b": kind(5)}
        if kind is trio.CapacityLimiter:
            with pytest.raises(fs.InputError, match="without end"):
                await fs.run(works.load(body), limits=limits)
        else:
            await fs.run(works.load(body), limits=limits)


async def test_runs_that_hold_shared_limits_in_opposite_order_do_not_run_beside_each_other(
    autojump_clock: MockClock,
) -> None:
    works = Works()
    limits = {"a": fs.Limit(max=5), "b": fs.Limit(max=5)}
    async with fs.open_run(works.load(HOLDS_A), limits=limits) as run:
        await trio.sleep(0.5)
        with pytest.raises(fs.InputError, match="without end"):
            await fs.run(works.load(HOLDS_B), limits=limits)
        await run.wait()
    await fs.run(works.load(HOLDS_B), limits=limits)


async def test_a_run_inside_a_node_that_holds_what_it_needs_is_refused() -> None:
    registry = fs.Registry(base=fs.registry)
    shared = fs.Limit(max=5)
    inner = fs.loads('<workflow name="i"><delay duration="0s" limit="b"/></workflow>')

    @registry.runtime("source:nested")
    async def nested(params: fs.ExecutionParams) -> None:
        await fs.run(inner, limits={"b": shared})

    flow = fs.loads(
        '<workflow name="w"><source:nested id="n" limit="a"/></workflow>', registry=registry
    )
    with pytest.raises(fs.InputError, match="without end"):
        await fs.run(flow, limits={"a": shared})
    await fs.run(flow, limits={"a": fs.Limit(max=1)})


def test_options_are_checked_outside_of_trio_as_well() -> None:
    from flowscript_trio.execution.preparing import check_options

    flow = fs.loads(
        '<workflow name="w"><limit name="a" max="1"/><delay duration="0s" limit="a"/></workflow>'
    )
    check_options(flow, fs.RunOptions())


async def test_two_names_of_one_limit_on_one_node_are_refused_with_both() -> None:
    shared = fs.Limit(max=1)
    flow = Works().load('<source:work id="w" limit="a b"/>')
    with pytest.raises(fs.InputError, match="takes 'a' and 'b', which are one and the same limit"):
        await fs.run(flow, limits={"a": shared, "b": shared})


async def test_a_limiter_of_the_application_is_waited_for_and_given_back_where_the_run_is_cancelled(
    autojump_clock: MockClock,
) -> None:
    limiter = trio.CapacityLimiter(1)
    works = Works()
    seen: list[str] = []

    async def hold(task_status: Any) -> None:
        async with limiter:
            task_status.started()
            await trio.sleep(3)

    def watch(event: Event) -> None:
        if isinstance(event, TokenAwaited | TokenTaken):
            seen.append(f"{type(event).__name__} {event.limits} {trio.current_time():g}")
        if isinstance(event, TokenTaken):
            scope.cancel()  # in the very step in which the token was taken

    async with trio.open_nursery() as nursery:
        await nursery.start(hold)
        with trio.CancelScope() as scope:
            await fs.run(
                works.load('<source:work id="w" limit="a"/>'),
                limits={"a": limiter},
                observers=[watch],
            )
    assert seen == ["TokenAwaited ('a',) 0", "TokenTaken ('a',) 3"]
    assert scope.cancelled_caught
    assert works.calls == 0
    assert limiter.borrowed_tokens == 0
