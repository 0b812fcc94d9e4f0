from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

import flowscript_trio as fs
from flowscript_trio.placement.jobs import Reply
from flowscript_trio.placement.packing import pack
from flowscript_trio.placement.remote import RemotePlace
from flowscript_trio.types.events import (
    AttemptStarted,
    BranchEnded,
    BranchStarted,
    Event,
    NodeEnded,
    NodeStarted,
    RunWarning,
)

from travelling import REGISTRY, OddError, flow, lines, until

PLACES = pytest.mark.parametrize("place", ["process", "thread"])
"""Both run a body whole by the same code; only one is another process."""


async def run(body: str, head: str = "", **given: Any) -> fs.Run:
    return await fs.run(flow(body, head=head), **given)


def documents(folder: Path, outer: str, inner: str, head: str = "") -> fs.Flow:
    (folder / "inner.xml").write_text(f'<workflow name="inner">{inner}</workflow>')
    (folder / "outer.xml").write_text(f'<workflow name="outer">{head}{outer}</workflow>')
    return fs.load(folder / "outer.xml", registry=REGISTRY)


@PLACES
async def test_iterations_run_whole_and_see_what_they_name(place: str) -> None:
    done = await run(
        '<set var="k" value="10"/><transform:where id="w" n="{{7}}"/>'
        f'<foreach id="f" collection="[1, 2]" place="{place}">'
        '<transform:where id="a" n="{{item * k + w.config.n + $index}}"/>'
        '<transform:map id="b" input="{{[a.config.n]}}" expression="item + 1"/></foreach>',
    )
    assert done.output == [[18], [29]]
    assert done.results["b"].output == [29]
    assert [each.output["config"]["n"] for each in done.record["f[1]/a"]] == [28]
    pid = done.record["f[0]/a"][0].output["pid"]
    assert (pid == os.getpid()) is (place == "thread")
    worker = "thread" if place == "thread" else f"process {pid}"
    assert done.record["f[0]/a"][0].worker == worker


@PLACES
async def test_a_branch_runs_whole_and_its_nodes_are_published(place: str) -> None:
    done = await run(
        f'<parallel id="p"><branch place="{place}"><transform:where id="a" n="1"/>'
        '<finally><transform:where id="z" n="9"/></finally></branch>'
        '<branch><transform:where id="b" n="2"/></branch></parallel>'
        '<transform:template id="t" template="{{a.config.n}}{{b.config.n}}"/>',
    )
    assert done.output == "12"
    assert done.record["p/0/@finally/z"][0].status == "success"


@PLACES
async def test_observers_are_told_of_a_body_in_order_with_its_worker(place: str) -> None:
    seen: list[Event] = []
    with pytest.warns(fs.FlowScriptWarning):
        done = await run(
            f'<foreach id="f" collection="[1]" place="{place}"><transform:warn id="a"/></foreach>',
            observers=[seen.append],
        )
    inside = [each for each in seen if each.path.startswith("f[0]")]
    kinds = [type(each) for each in inside]
    assert kinds[0] is BranchStarted
    assert kinds[1] is NodeStarted
    assert kinds[-2:] == [NodeEnded, BranchEnded]
    started, ended = inside[1], inside[-2]
    assert isinstance(started, NodeStarted)
    assert isinstance(ended, NodeEnded)
    assert started.execution == ended.execution == 3
    assert started.node is ended.node
    assert started.node.id == "a"
    assert ended.result.worker == done.record["f[0]/a"][0].worker
    said = [each.message for each in inside if isinstance(each, RunWarning)]
    assert said == [f"one (on {ended.result.worker})", f"two (on {ended.result.worker})"]
    assert [each.message for each in done.warnings] == said


@PLACES
async def test_times_of_what_ran_elsewhere_are_those_of_this_clock(
    place: str, tmp_path: Path
) -> None:
    began = trio.current_time()
    done = await run(
        f'<foreach id="f" collection="[1]" place="{place}">'
        f'<transform:wait id="a" seconds="0.05" log="{tmp_path / "log"}"/></foreach>'
    )
    (result,) = done.record["f[0]/a"]
    assert began <= result.started <= result.started + result.duration <= trio.current_time()
    assert result.duration >= 0.1


@PLACES
async def test_an_error_in_a_body_surfaces_as_that_of_its_node(place: str) -> None:
    with pytest.raises(OddError) as caught:
        await run(
            f'<foreach id="f" collection="[1, 2]" place="{place}">'
            '<transform:raise id="a" what="odd"/></foreach>'
        )
    failure = fs.failure_of(caught.value)
    assert failure is not None
    assert (failure.node, failure.path, failure.branch) == ("a", "f[0]/a", "f[0]")
    assert failure.record["f[0]/a"][0].error is caught.value
    assert failure.others == ()


@PLACES
async def test_retries_and_fallbacks_of_a_body_happen_over_there(place: str) -> None:
    done = await run(
        f'<foreach id="f" collection="[1]" place="{place}"><transform:raise id="a" what="odd">'
        '<on-error><retry max="1" base="0s" when="true"/><fallback node="h"/></on-error></transform:raise>'
        '<transform:where id="h" n="{{$error.message}}"/></foreach>'
    )
    assert done.output[0]["config"] == {"n": "one and 2"}
    (result,) = done.record["f[0]/a"]
    assert (result.status, result.attempts) == ("success", 2)
    assert isinstance(result.earlier[0], OddError)


@PLACES
async def test_a_break_in_a_body_ends_the_loop(place: str) -> None:
    done = await run(
        f'<foreach id="f" collection="[1, 2, 3]" place="{place}">'
        '<transform:where id="a" n="{{item}}"/><break when="item == 2"/></foreach>'
    )
    assert len(done.output) == 2


@PLACES
async def test_a_failed_branch_cancels_one_that_runs_elsewhere(place: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    registry = fs.Registry(base=REGISTRY)

    @registry.runtime("transform:fail-late")
    async def fail(params: fs.ExecutionParams) -> None:
        await until(lambda: lines(log))
        raise KeyError("late")

    body = (
        f'<parallel id="p"><branch place="{place}"><transform:wait id="a" log="{log}"/></branch>'
        '<branch><transform:fail-late id="b"/></branch></parallel>'
    )
    with pytest.raises(KeyError) as caught:
        await fs.run(flow(body, registry))
    failure = fs.failure_of(caught.value)
    assert failure is not None
    if place == "thread":  # its clean-up has run there to the end, and its record has come back
        assert lines(log)[1:] == ["cleaned up"]
        (result,) = failure.record["p/0/a"]
        assert result.status == "cancelled"
        assert result.cancelled_by is not None
        assert result.cancelled_by.by == "p/1"
    else:  # the process was killed
        assert lines(log)[1:] == []


@PLACES
async def test_a_call_runs_whole_with_its_arguments_and_its_own_secrets(
    place: str, tmp_path: Path
) -> None:
    loaded = documents(
        tmp_path,
        f'<call id="c" workflow="inner.xml" n="5" place="{place}"/>',
        '<param name="n" type="number"/><secret name="A"/>'
        '<transform:where id="x" n="{{n}}" s="{{$secrets.A}}" m="{{$input.n}}"/>'
        '<transform:where id="y" after="x"/><output><set field="x" value="{{x}}"/></output>',
        '<secret name="A"/><secret name="B"/>',
    )
    done = await fs.run(loaded, secrets={"A": "alpha", "B": "beta"})
    assert done.output["x"]["config"] == {"n": 5, "s": "alpha", "m": 5}
    assert done.output["x"]["secrets"] == {"A": "alpha"}
    worker = done.results["c"].worker
    assert worker == ("thread" if place == "thread" else f"process {done.output['x']['pid']}")
    assert done.record["c/y"][0].worker == worker
    assert set(done.results) == {"c"}
    assert "alpha" not in repr(done.record["c/x"])


@PLACES
async def test_an_include_runs_whole_with_what_it_inherits(place: str, tmp_path: Path) -> None:
    loaded = documents(
        tmp_path,
        f'<include id="c" workflow="inner.xml" place="{place}"><bind key="n" value="{{{{2}}}}"/></include>',
        '<transform:where id="x" n="{{n + $config.k}}"/>',
        '<param name="k" type="number" default="40"/>',
    )
    done = await fs.run(loaded)
    assert done.output["config"] == {"n": 42}


@PLACES
async def test_a_body_with_documents_in_it_runs_whole(place: str, tmp_path: Path) -> None:
    loaded = documents(
        tmp_path,
        f'<foreach id="f" collection="[1, 2]" place="{place}"><call id="c" workflow="inner.xml" n="{{{{item}}}}"/>'
        "</foreach>",
        '<param name="n"/><transform:where id="x" n="{{n}}"/>',
    )
    done = await fs.run(loaded)
    assert [each["config"]["n"] for each in done.output] == [1, 2]


@PLACES
async def test_what_a_node_in_a_body_draws_is_the_same_wherever_it_runs(place: str) -> None:
    drawn = [
        (
            await run(
                f'<foreach id="f" collection="[1, 2]" place="{at}">'
                '<transform:where id="a" n="{{random()}}"/></foreach>',
                seed=3,
            )
        ).output
        for at in ("here", place)
    ]
    assert [(each["draw"], each["config"]["n"]) for each in drawn[0]] == [
        (each["draw"], each["config"]["n"]) for each in drawn[1]
    ]


@PLACES
async def test_a_body_spends_the_budget_of_the_run(place: str) -> None:
    body = (
        f'<foreach id="f" collection="[1, 2, 3]" place="{place}">'
        '<transform:request id="a" count="1"/></foreach>'
    )
    await run(body, budget=fs.Budget(requests=3))
    with pytest.raises(fs.BudgetExceeded) as caught:
        await run(body, budget=fs.Budget(requests=2))
    assert caught.value.bound == "requests"
    with pytest.raises(fs.BudgetExceeded) as caught:
        await run(body, budget=fs.Budget(nodes=3))
    assert caught.value.bound == "nodes"


@PLACES
async def test_what_runs_whole_holds_one_token_of_the_runs_limiter(place: str) -> None:
    limiter = trio.CapacityLimiter(1)
    body = (
        f'<foreach id="f" collection="[1, 2]" maxConcurrency="2" place="{place}">'
        '<parallel id="p"><branch><transform:where id="a"/></branch><branch><transform:where id="b"/></branch>'
        "</parallel></foreach>"
    )
    with trio.fail_after(60):
        await run(body, limiter=limiter)
    assert limiter.borrowed_tokens == 0


@PLACES
async def test_the_record_of_a_body_is_bounded_as_any(place: str) -> None:
    done = await run(
        f'<foreach id="f" collection="[1, 2, 3, 4]" place="{place}"><transform:where id="a"/></foreach>',
        keep=2,
    )
    assert sum(each.id == "a" for each in done.record) == 2
    assert done.record.dropped == {"a": 2}


@PLACES
async def test_a_scope_that_cannot_cross_is_the_error_of_its_branch(place: str) -> None:
    with pytest.raises(fs.CannotTravel, match="a generator"):
        await run(
            f'<foreach id="f" collection="[1]" place="{place}">'
            '<transform:where id="a" n="{{$input.x}}"/></foreach>',
            input={"x": (n for n in [1])},
        )


@PLACES
async def test_only_what_a_body_names_crosses(place: str) -> None:
    done = await run(
        f'<foreach id="f" collection="[1]" place="{place}"><transform:where id="a" n="{{{{item}}}}"/></foreach>',
        input=None,
        config={"unused": (n for n in [1])},
    )
    assert done.output[0]["config"] == {"n": 1}


@PLACES
async def test_what_nodes_of_a_body_give_each_other_may_be_what_cannot_cross(
    place: str, tmp_path: Path
) -> None:
    (tmp_path / "rows.csv").write_text("a\n1\n2\n")
    seen: list[Event] = []
    done = await run(
        f'<foreach id="f" collection="[1]" place="{place}">'
        '<source:file id="s" path="rows.csv" stream="true"/>'
        '<transform:give id="l"/><transform:holds id="h" input="l"/>'
        '<foreach id="g" collection="s"><transform:where id="e" input="{{item.a}}"/></foreach>'
        '<transform:template id="t" template="{{length(g)}}"/></foreach>',
        base=tmp_path,
        observers=[seen.append],
    )
    assert done.output == [2]
    (stream,) = done.record["f[0]/s"]
    assert stream.status == "success"
    assert repr(stream.output) == f"<a Stream that stayed on {stream.worker}>"
    (given,) = done.record["f[0]/l"]
    (attempt,) = (
        each for each in seen if isinstance(each, AttemptStarted) and each.path == "f[0]/h"
    )
    assert repr(given.output) == repr(attempt.input) == f"<a dict that stayed on {given.worker}>"


@PLACES
async def test_what_nodes_of_a_body_give_each_other_may_be_what_cannot_be_made_again(
    place: str,
) -> None:
    body = (
        f'<parallel id="p"><branch place="{place}"><transform:give-what-refuses id="l"/>'
        '<transform:template id="t" template="x"/></branch></parallel>'
        '<transform:template id="z" template="{{%s}}"/>'
    )
    done = await run(body % "t")
    assert done.output == "x"
    (given,) = done.record["p/0/l"]
    assert (given.status, repr(given.output)) == (
        "success",
        f"<a Refusing that stayed on {given.worker}>",
    )
    with pytest.raises(fs.CannotTravel, match=r"the output of 'l' stayed on .*: a Refusing"):
        await run(body % "l")


@pytest.mark.parametrize("asked", ["t", "l"])
async def test_what_stays_at_its_place_fails_a_durable_run_only_where_it_is_asked_for(
    asked: str, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    loaded = flow(
        '<parallel id="p"><branch place="thread"><transform:give id="l"/>'
        '<transform:template id="t" template="x"/></branch></parallel>'
        f'<transform:wait id="w" log="{log}" seconds="0.2" after="p"/>'
        f'<transform:template id="z" template="{{{{{asked}}}}}" after="w"/>'
    )
    store = fs.Store.memory()
    async with fs.open_run(loaded, store=store, run_id="one") as left:
        await until(lambda: lines(log))
        left.leave()
    (given,) = left.record["p/0/l"]
    if asked == "l":
        with pytest.raises(fs.CannotTravel, match="the output of 'l' stayed on "):
            await fs.resume(store=store, run_id="one", registry=REGISTRY)
        return
    again = await fs.resume(store=store, run_id="one", registry=REGISTRY)
    assert again.output == "x"
    (kept,) = again.record["p/0/l"]
    assert repr(kept.output) == repr(given.output) != "None"


UNKNOWN_HERE = '<transform:give-what-only-a-worker-knows id="l"/>'


async def test_a_class_that_only_the_worker_knows_keeps_nothing_else_of_a_body_there() -> None:
    seen: list[Event] = []
    done = await run(
        f'<foreach id="f" collection="[1]" place="process">{UNKNOWN_HERE}'
        '<transform:template id="t" template="x" input="{{l}}"/></foreach>',
        observers=[seen.append],
    )
    assert done.output == ["x"]
    (given,) = done.record["f[0]/l"]
    assert given.status == "success"
    (attempt,) = (
        each for each in seen if isinstance(each, AttemptStarted) and each.path == "f[0]/t"
    )
    assert repr(given.output) == repr(attempt.input) == f"<a list that stayed on {given.worker}>"


async def test_an_error_whose_class_only_the_worker_knows_is_a_remote_error_in_a_body() -> None:
    with pytest.raises(fs.RemoteError, match="said there") as caught:
        await run(
            '<foreach id="f" collection="[1]" place="process"><transform:where id="a"/>'
            '<transform:give-what-only-a-worker-knows id="l" fails="yes"/></foreach>'
        )
    failure = fs.failure_of(caught.value)
    assert failure is not None
    assert [each.status for each in failure.record if each.path.startswith("f[0]/")] == [
        "success",
        "failed",
    ]


async def test_an_output_of_a_body_that_only_the_worker_knows_is_an_error_that_leaves_the_record() -> (
    None
):
    with pytest.raises(fs.CannotTravel, match=r"'p/0' gave .*only_there") as caught:
        await run(
            '<parallel id="p"><branch place="process"><transform:where id="a"/>'
            f"{UNKNOWN_HERE}</branch></parallel>"
        )
    failure = fs.failure_of(caught.value)
    assert failure is not None
    ended = {each.path: each.status for each in failure.record}
    assert ended == {"p/0/a": "success", "p/0/l": "success", "p/0/@place": "failed", "p": "failed"}


async def test_a_document_whose_output_only_the_worker_knows_fails_its_node_and_leaves_the_record(
    tmp_path: Path,
) -> None:
    loaded = documents(
        tmp_path, '<call id="c" workflow="inner.xml" place="process"/>', UNKNOWN_HERE
    )
    with pytest.raises(fs.CannotTravel, match=r"'c' gave .*only_there") as caught:
        await fs.run(loaded)
    failure = fs.failure_of(caught.value)
    assert failure is not None
    assert {each.path: each.status for each in failure.record} == {"c/l": "success", "c": "failed"}


@PLACES
async def test_an_output_of_a_body_that_cannot_be_made_again_is_named(place: str) -> None:
    with pytest.raises(fs.CannotTravel, match=r"the output cannot be read .*ValueError") as caught:
        await run(
            f'<foreach id="f" collection="[1]" place="{place}">'
            '<transform:where id="a"/><transform:give-what-refuses id="l"/></foreach>'
        )
    failure = fs.failure_of(caught.value)
    assert failure is not None
    assert failure.branch == "f[0]"


@PLACES
async def test_what_stayed_on_a_worker_is_an_error_where_it_is_asked_for(place: str) -> None:
    body = (
        f'<parallel id="p"><branch place="{place}"><transform:give id="l"/>'
        '<transform:template id="t" template="x"/></branch></parallel>'
        '<transform:template id="z" template="{{%s}}"/>'
    )
    assert (await run(body % "t")).output == "x"
    with pytest.raises(fs.CannotTravel, match=r"the output of 'l' stayed on .*: a dict"):
        await run(body % "l")


@PLACES
async def test_an_output_of_a_body_that_cannot_cross_is_named(place: str) -> None:
    with pytest.raises(fs.CannotTravel, match=r"the output\['deep'\]\[1\] cannot.*a lock"):
        await run(
            f'<foreach id="f" collection="[1]" place="{place}"><transform:give id="l"/></foreach>'
        )


CALLED = '<call id="f" workflow="inner.xml" place="p"/>'


class NeverBegins(RemotePlace):
    """A place where what is cancelled has not begun yet; with ``others``, somebody else cancels it."""

    def __init__(self, others: bool = False) -> None:
        super().__init__()
        self._others = others

    async def carry(self, context: Any, path: str, job: bytes) -> bytes:
        with suppress(trio.Cancelled):
            await trio.sleep(1 if self._others else 100)
        return pack(Reply(worker="w", status="cancelled"), "")


@pytest.mark.parametrize("others", [False, True])
@pytest.mark.parametrize("what", ["foreach", "branch", "call"])
async def test_what_is_cancelled_before_it_begins_over_there_is_cancelled_and_no_failure(
    what: str, others: bool, tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    body = {
        "foreach": '<foreach id="f" collection="[1]" place="p" timeout="5s"><transform:where id="a"/></foreach>',
        "branch": '<parallel id="f" timeout="5s"><branch place="p"><transform:where id="a"/></branch></parallel>',
        "call": '<timeout id="t" duration="5s">' + CALLED + "</timeout>",
    }[what]
    if others:  # with a deadline, it would be waited for: the clock over there may be ahead
        body = body.replace(' timeout="5s"', "") if what != "call" else CALLED
    loaded = documents(tmp_path, body, '<transform:where id="x"/>')
    with pytest.raises(fs.WorkerDied if others else trio.TooSlowError) as caught:
        await fs.run(loaded, places={"p": NeverBegins(others)})
    failure = fs.failure_of(caught.value)
    assert failure is not None
    errors = {type(each.error) for each in failure.record if each.status == "failed"}
    assert errors == {fs.WorkerDied} if others else errors <= {trio.TooSlowError}
