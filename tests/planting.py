"""Owns what planted faults share: a runtime that is tried beside an innocent one, and a faulty boundary."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.execution import executor, recovery, taking
from flowscript_trio.scheduler.limits import queue
from flowscript_trio.scheduler.limits.gate import Gate
from flowscript_trio.testing import Report, prove

Fault = Callable[[fs.ExecutionParams], Awaitable[Any]]

TWO = """<parallel id="p">
  <branch><source:tried id="x" timeout="30s">
    <on-error><retry max="1" when="true" base="1s" jitter="none"/></on-error>
  </source:tried></branch>
  <branch><delay id="d" duration="2s"/><source:innocent id="y"/></branch>
</parallel>"""


async def innocent(params: fs.ExecutionParams) -> int:
    await trio.sleep(1)
    return 1


def found_in(runtime: Fault, text: str = TWO, **options: Any) -> Report:
    """The report of a proof with that runtime as ``source:tried``."""
    registry = fs.Registry(base=fs.registry)
    registry.runtime("source:tried")(runtime)
    registry.runtime("source:innocent")(innocent)
    flow = fs.loads(f'<workflow name="w">{text}</workflow>', registry=registry)
    return prove(flow, **{"pairs": 0, **options})


def plant_attempt(monkeypatch: pytest.MonkeyPatch, fault: Callable[..., Awaitable[Any]]) -> None:
    """Put a fault where the engine makes an attempt of a node: the first one, and those after it."""
    for module in (executor, recovery):
        monkeypatch.setattr(module, "make_attempt", fault)


def let_too_many_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a fault where limits with names are taken: one that is full lets one more in."""
    original = taking.take_nowait

    def take_nowait(gates: tuple[Gate, ...], token: object) -> bool:
        if any(gate.taken == gate.max for gate in gates):
            queue._take(gates, token)
            return True
        return original(gates, token)

    monkeypatch.setattr(taking, "take_nowait", take_nowait)
