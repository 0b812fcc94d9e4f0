"""Owns the tests of proofs of what swallows each cancellation and goes on: they end, and say who it is."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.testing import Report, prove

from stubs import Stubs

pytestmark = pytest.mark.slow

TWO = """<parallel id="p">
  <branch><source:tried id="x"/></branch>
  <branch><delay id="d" duration="2s"/><source:stub id="y" takes="1s"/></branch>
</parallel>"""


async def _until(end: float) -> int:
    while True:
        with contextlib.suppress(BaseException):  # the fault
            await trio.sleep_until(end)
            return 1


async def alone(params: fs.ExecutionParams) -> int:
    return await _until(trio.current_time() + 3)


async def in_a_task(params: fs.ExecutionParams) -> int:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_until, trio.current_time() + 3)
    return 1


async def within_its_own_scope(params: fs.ExecutionParams) -> int:
    with trio.move_on_after(9):
        return await _until(trio.current_time() + 3)
    return 2


async def holding_something(params: fs.ExecutionParams) -> int:
    async with trio.CapacityLimiter(1), trio.Lock():
        return await _until(trio.current_time() + 3)


def proved(runtime: Any, text: str = TWO, **options: Any) -> Report:
    stubs = Stubs()
    stubs.registry.runtime("source:tried")(runtime)
    return prove(stubs.load(text), **{"pairs": 5, **options})


@pytest.mark.parametrize("runtime", [alone, in_a_task, within_its_own_scope, holding_something])
def test_a_node_that_swallows_each_cancellation_is_found(runtime: Any) -> None:
    report = proved(runtime)
    [found] = report.violations
    assert (found.promise, found.subject) == ("every run ends", "p/0/x")
    assert "swallows `Cancelled` each time" in found.message
    assert report.undisturbed == "completed"
    assert report.left_out > 0, "what was not tried any more is counted"


def test_trio_is_as_it_was_after_a_run_that_could_only_be_stopped() -> None:
    made, opened, hooks = trio.CapacityLimiter.__init__, open, sys.get_asyncgen_hooks()
    proved(alone)
    assert (trio.CapacityLimiter.__init__, open) == (made, opened)
    assert sys.get_asyncgen_hooks() == hooks
    assert trio.run(trio.sleep, 0) is None
    assert proved(sound).violations == ()


async def sound(params: fs.ExecutionParams) -> int:
    await trio.sleep(3)
    return 1


def test_a_collection_that_swallows_each_cancellation_is_found() -> None:
    async def items(params: fs.ExecutionParams) -> AsyncIterator[int]:
        yield await _until(trio.current_time() + 3)

    async def gives(params: fs.ExecutionParams) -> AsyncIterator[int]:
        await trio.sleep(1)
        return items(params)

    text = '<source:tried id="x"/><foreach id="f" collection="x"><source:stub id="y"/></foreach>'
    [found] = proved(gives, text).violations
    assert found.promise == "every run ends"


def test_an_answer_that_swallows_each_cancellation_is_found() -> None:
    async def decide(prompt: str, actions: Any) -> str:
        await _until(trio.current_time() + 3)
        return "approve"

    [found] = proved(
        sound, '<checkpoint id="c" prompt="?"/>', options={"decider": decide}
    ).violations
    assert (found.promise, found.subject) == ("every run ends", "the run")


def test_crashes_of_what_swallows_each_cancellation_are_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from flowscript_trio.testing.proof import lives

    monkeypatch.setattr(lives, "MOST_PASSES", 2000)
    text = TWO.replace('takes="1s"', 'fails="bad"')
    report = proved(alone, text, crash=True)
    said = [each.message for each in report.violations if each.promise == "a resumed run ends"]
    assert said == [
        "the run goes on without end although it is cancelled: a node of it swallows `Cancelled` each "
        "time, or waits under a shield that has no limit"
    ]


PROGRAM = """
import trio
import flowscript_trio as fs
from flowscript_trio.testing import prove

registry = fs.Registry(base=fs.registry)

@registry.runtime("source:spins")
async def spins(params):
    while True:
        try:
            await trio.sleep(1)
            return 1
        except BaseException:
            pass

print(len(prove(fs.loads('<workflow name="w"><source:spins id="a"/></workflow>', registry=registry)).violations))
"""


def test_a_program_that_has_proved_such_a_node_ends(tmp_path: Path) -> None:
    file = tmp_path / "program.py"
    file.write_text(PROGRAM)
    done = subprocess.run([sys.executable, str(file)], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "1\n", "")
