"""Owns the tests of proofs of nodes that raise what ends programs: it ends the run, and not the proof."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

import pytest
import trio

import flowscript_trio as fs
from endless import handling

from planting import found_in

pytestmark = pytest.mark.slow


class Odd(BaseException):
    """Neither an Exception nor what ends programs."""


def raising(make: Callable[[], BaseException]) -> Any:
    async def fail(params: fs.ExecutionParams) -> None:
        await trio.sleep(1)
        raise make()

    return fail


@pytest.mark.parametrize(
    ("make", "end"),
    [
        (SystemExit, "cancelled: SystemExit"),
        (KeyboardInterrupt, "cancelled: KeyboardInterrupt"),
        (lambda: SystemExit(3), "cancelled: SystemExit: 3"),
        (lambda: BaseExceptionGroup("g", [SystemExit()]), "cancelled: SystemExit"),
        (Odd, "failed: Odd"),
        (GeneratorExit, "failed: GeneratorExit"),
        (lambda: BaseExceptionGroup("g", [Odd()]), "failed: BaseExceptionGroup: g"),
    ],
)
def test_what_is_no_exception_ends_its_run_by_rule_and_the_proof_goes_on(
    make: Callable[[], BaseException], end: str
) -> None:
    report = found_in(raising(make), most=12)
    assert report.undisturbed.startswith(end)
    assert report.holds, report.render()
    assert len(report.render().splitlines()) > 5, "it was disturbed as well"


@pytest.mark.parametrize("make", [SystemExit, Odd])
def test_so_it_is_where_processes_die(make: Callable[[], BaseException]) -> None:
    report = found_in(raising(make), most=6, crash=True)
    assert report.undisturbed.endswith(make.__name__)


def press() -> None:
    signal.raise_signal(signal.SIGINT)


async def is_interrupted_in_its_code(params: fs.ExecutionParams) -> None:
    press()


async def is_interrupted_at_a_checkpoint(params: fs.ExecutionParams) -> None:
    @trio.lowlevel.enable_ki_protection
    def pressed() -> None:
        press()

    pressed()
    await trio.sleep(1)


@pytest.mark.parametrize("runtime", [is_interrupted_in_its_code, is_interrupted_at_a_checkpoint])
def test_ctrl_c_ends_the_proof(runtime: Any) -> None:
    with pytest.raises(KeyboardInterrupt):
        found_in(runtime, most=5)


def test_what_a_signal_handler_of_the_application_raises_ends_the_proof() -> None:
    def leave(number: int, frame: object) -> None:
        raise SystemExit(143)

    async def is_terminated(params: fs.ExecutionParams) -> None:
        signal.raise_signal(signal.SIGTERM)

    with handling(signal.SIGTERM, leave), pytest.raises(SystemExit, match="143"):
        found_in(is_terminated, most=5)
