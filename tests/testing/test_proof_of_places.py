from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.testing import prove, run_flow
from flowscript_trio.testing.places import PlayedPlace
from flowscript_trio.testing.proof.placing import ProvedPlace

pytestmark = pytest.mark.slow

REGISTRY = fs.Registry(base=fs.registry)


@REGISTRY.runtime("transform:work")
async def work(params: fs.ExecutionParams) -> int:
    try:
        await trio.sleep(1)
    finally:
        with trio.CancelScope(shield=True):
            await trio.sleep(0.1)
    return 1


EACH = (
    '<foreach id="f" collection="[1,2,3]" maxConcurrency="2" place="cluster">'
    '<transform:work id="a"/><transform:work id="b"/></foreach>'
)
RETRIED = (
    '<transform:work id="a" place="process"><on-error><retry max="2"/><fallback node="h"/></on-error>'
    '</transform:work><transform:work id="h"/><transform:work id="z" input="a" place="gpu"/>'
)
RACE = (
    '<parallel id="p" wait="any"><branch place="cluster"><transform:work id="a"/>'
    '<finally><transform:work id="c"/></finally></branch>'
    '<branch><transform:work id="b" place="process" timeout="5s"/></branch></parallel>'
)


def loaded(body: str) -> fs.Flow:
    return fs.loads(f'<workflow name="w">{body}</workflow>', registry=REGISTRY)


@pytest.mark.parametrize("body", [EACH, RETRIED, RACE], ids=["each", "retried", "race"])
def test_lost_workers_lost_replies_and_late_ones_break_no_promise(body: str) -> None:
    report = prove(loaded(body), pairs=60, most=120)
    assert report.holds, report.render()
    assert dict(report.tried)["losses at places"] > 0


LIMITS = (
    '<limit name="a" max="2"/><limit name="b" max="1"/><limit name="r" rate="2/s" burst="2"/>'
    '<limit name="k" breaker="3 in 1m, 5s"/>'
)
LIMITED = {
    "leaves": '<foreach id="f" collection="[1,2,3]" maxConcurrency="3" limit="a">'
    '<transform:work id="x" limit="b r" place="process" timeout="5s">'
    '<on-error><retry max="2" base="1s"/></on-error></transform:work></foreach>',
    "bodies": '<foreach id="f" collection="range(0,5)" batch="2" throttle="1s" maxConcurrency="2" place="cluster" '
    'limit="b"><transform:work id="x"/></foreach>',
    "both": '<parallel id="p" wait="any" limit="a"><branch place="gpu"><transform:work id="x"/><finally>'
    '<transform:work id="c"/></finally></branch><branch><transform:work id="y" limit="b" place="cluster"/>'
    '</branch></parallel><transform:work id="z" limit="b k" place="process"/>',
}


@pytest.mark.parametrize("body", LIMITED.values(), ids=LIMITED)
def test_places_and_limits_together_break_no_promise(body: str) -> None:
    report = prove(loaded(LIMITS + body), pairs=30, most=60)
    assert report.holds, report.render()
    assert dict(report.tried)["losses at places"] > 0


def promises(body: str, **options: Any) -> set[str]:
    report = prove(loaded(body), pairs=0, most=60, options=options or None)
    return {violation.promise for violation in report.violations}


@pytest.mark.breaks_the_engine
def test_a_cancellation_that_is_not_delivered_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    async def execute(self: Any, runtime: Any, params: Any) -> Any:
        with trio.CancelScope(shield=True):
            return await runtime.execute(params)

    monkeypatch.setattr(ProvedPlace, "execute", execute)
    assert "cancellations reach places" in promises(RETRIED)


@pytest.mark.breaks_the_engine
def test_a_lost_reply_that_is_waited_for_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    carry = ProvedPlace._carry

    async def waiting(self: Any, label: str, work: Any) -> Any:
        try:
            return await carry(self, label, work)
        except fs.WorkerDied:
            await trio.sleep_forever()

    monkeypatch.setattr(ProvedPlace, "_carry", waiting)
    assert "every run ends" in promises(EACH)


@pytest.mark.breaks_the_engine
def test_a_token_given_back_before_the_clean_up_over_there_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def execute(self: Any, runtime: Any, params: Any) -> Any:
        ended = trio.Event()
        scope = trio.CancelScope()

        async def over_there() -> None:
            try:
                with scope:
                    await runtime.execute(params)
            finally:
                ended.set()

        trio.lowlevel.spawn_system_task(over_there)
        try:
            await ended.wait()
        except trio.Cancelled:
            scope.cancel()  # and its clean-up is not waited for
            raise

    monkeypatch.setattr(ProvedPlace, "execute", execute)
    limiter_body = (
        '<foreach id="f" collection="[1,2]" maxConcurrency="2" tolerate="2">'
        '<transform:work id="a" place="cluster" timeout="500ms"/></foreach>'
    )
    assert "no more branches than tokens" in promises(limiter_body, limiter=trio.CapacityLimiter(1))


def test_a_case_plays_what_has_a_place_in_virtual_time(tmp_path: Path) -> None:
    body = (
        '<source:http id="s" url="http://example.com" place="far"/>'
        '<foreach id="f" collection="s" place="cluster"><transform:work id="a"/></foreach>'
    )
    done = run_flow(loaded(body), stubs={"s": [1, 2]}, real=["a"])
    assert done.output == [1, 1]
    assert done.duration == pytest.approx(2.2)


def test_a_played_place_is_a_place() -> None:
    assert isinstance(PlayedPlace(), fs.Place)
