"""Owns the tests of what a task is told of a cancellation around it."""

from __future__ import annotations

import signal

import pytest
import trio

from flowscript_trio.scheduler.raised import is_cancelled


async def test_a_cancellation_of_any_scope_around_is_seen() -> None:
    assert not is_cancelled()
    with trio.CancelScope() as outer, trio.CancelScope(), trio.CancelScope():
        assert not is_cancelled()
        outer.cancel()
        assert is_cancelled()
        await trio.lowlevel.cancel_shielded_checkpoint()
    assert not is_cancelled()


async def test_a_shield_hides_it() -> None:
    with trio.CancelScope() as outer, trio.CancelScope(shield=True) as shield:
        outer.cancel()
        assert not is_cancelled()
        shield.shield = False
        assert is_cancelled()
        shield.shield = True
        shield.cancel()
        assert is_cancelled()
        await trio.lowlevel.cancel_shielded_checkpoint()


async def test_a_deadline_that_has_not_passed_is_none(autojump_clock: object) -> None:
    with trio.move_on_after(5):
        assert not is_cancelled()
        await trio.sleep(4)
        assert not is_cancelled()


def test_a_ctrl_c_that_waits_for_the_main_task_is_no_cancellation() -> None:
    async def main() -> None:
        signal.raise_signal(signal.SIGINT)
        assert not is_cancelled()
        with pytest.raises(KeyboardInterrupt):
            await trio.lowlevel.checkpoint_if_cancelled()

    trio.run(trio.lowlevel.enable_ki_protection(main))
