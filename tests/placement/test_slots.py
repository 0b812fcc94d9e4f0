"""Owns the tests of slots: which process does which call."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flowscript_trio.placement.slots import call_at, open_slots


def test_a_slot_says_which_process_began_its_call_and_is_empty_before() -> None:
    with open_slots() as slots:
        first, second = slots.take(), slots.take()
        assert first != second
        assert call_at(slots.path, second, pow, 2, 3) == 8
        assert slots.process_at(first) is None
        assert slots.process_at(second) == os.getpid()
        slots.give_back(second)
        again = slots.take()
        assert again == second
        assert slots.process_at(again) is None  # not that of the call before
    assert not Path(slots.path).exists()


def test_a_call_that_fails_was_begun_all_the_same() -> None:
    def fail() -> None:
        raise ValueError("no")

    with open_slots() as slots:
        slot = slots.take()
        with pytest.raises(ValueError, match="no"):
            call_at(slots.path, slot, fail)
        assert slots.process_at(slot) == os.getpid()
