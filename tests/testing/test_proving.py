"""Owns the tests of proofs: sound workflows hold, and planted faults are found, in runtimes and in the engine."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
import trio
import trio.lowlevel

import flowscript_trio as fs
from flowscript_trio.testing import Report, prove
from flowscript_trio.testing.proof.points import CancelAt, RaiseAt

from stubs import Stubs

NESTED = """
<parallel id="p" maxConcurrency="2">
  <branch>
    <foreach id="each" collection="[1, 2, 3]" maxConcurrency="2">
      <source:stub id="a" takes="1s" cleanup="{{if_else(item == 2, 'slow', null)}}"/>
      <if id="choice" condition="item > 1"><then><source:stub id="b" takes="1s"/></then></if>
    </foreach>
  </branch>
  <branch>
    <timeout id="bounded" duration="10s"><source:stub id="c" takes="2s" cleanup="slow"/></timeout>
    <source:stub id="d" takes="1s"><on-error><retry max="1" when="true"/></on-error></source:stub>
  </branch>
  <branch><source:stub id="e" takes="1s"/></branch>
</parallel>
<parallel id="race" wait="any" after="p">
  <branch><source:stub id="f" takes="2s" gives="slow"/></branch>
  <branch><source:stub id="g" takes="1s" gives="quick"/></branch>
</parallel>
"""
LIMITER = trio.CapacityLimiter(3)


def promises(report: Report) -> set[str]:
    return {violation.promise for violation in report.violations}


def test_a_sound_workflow_holds_at_every_point() -> None:
    report = prove(Stubs().load(NESTED), pairs=100)
    assert report.violations == (), report.render()
    assert report.points > 150
    assert dict(report.tried)["cancellations"] > 25
    assert "violations" in report.render()


async def swallow(params: fs.ExecutionParams) -> int:
    with contextlib.suppress(BaseException):  # the fault
        await trio.sleep(1)
    return 1


async def leak(params: fs.ExecutionParams) -> None:
    await trio.sleep(1)
    trio.lowlevel.spawn_system_task(trio.sleep_forever, name="leaky")


async def keep_a_token(params: fs.ExecutionParams) -> None:
    await LIMITER.acquire_on_behalf_of(params)
    await trio.sleep(1)
    LIMITER.release_on_behalf_of(params)


async def hide_errors(params: fs.ExecutionParams) -> int:
    try:
        await trio.sleep(1)
    except Exception:
        return 2
    return 1


async def wait_for_ever(params: fs.ExecutionParams) -> None:
    await trio.sleep_forever()


async def share(params: fs.ExecutionParams) -> list[int]:
    await trio.lowlevel.checkpoint()
    SHARED.append(1)
    return SHARED


SHARED: list[int] = []
FAULTS: list[tuple[Any, str]] = [
    (swallow, "nobody swallows cancelled"),
    (leak, "no task is left"),
    (keep_a_token, "tokens come back"),
    (hide_errors, "no error is lost"),
    (wait_for_ever, "every run ends"),
    (share, "outputs stay as given"),
]


@pytest.mark.parametrize(("fault", "promise"), FAULTS, ids=[fault.__name__ for fault, _ in FAULTS])
def test_a_fault_of_a_runtime_is_found_and_the_runtime_named(fault: Any, promise: str) -> None:
    registry = fs.Registry(base=fs.registry)
    registry.runtime("source:faulty")(fault)
    SHARED.clear()
    text = """<workflow name="w">
      <parallel id="p">
        <branch><source:faulty id="x"/></branch>
        <branch><delay id="d" duration="2s"/><source:faulty id="y"/></branch>
      </parallel></workflow>"""
    report = prove(fs.loads(text, registry=registry), pairs=10)
    assert promise in promises(report), report.render()
    for token in list(LIMITER.statistics().borrowers):
        LIMITER.release_on_behalf_of(token)


def test_a_violation_is_shown_with_the_fewest_points() -> None:
    registry = fs.Registry(base=fs.registry)
    registry.runtime("source:faulty")(swallow)
    report = prove(
        fs.loads('<workflow name="w"><source:faulty id="x"/></workflow>', registry=registry)
    )
    assert all(len(violation.points) == 1 for violation in report.violations)
    kinds = {type(point) for violation in report.violations for point in violation.points}
    assert kinds <= {CancelAt, RaiseAt}
