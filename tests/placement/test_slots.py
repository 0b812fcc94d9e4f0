"""Owns the tests of slots: which process does which call."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flowscript_trio.placement.slots import join_slots, open_slots


def test_a_slot_says_which_process_began_its_call_and_is_empty_before() -> None:
    with open_slots(2) as slots:
        there = join_slots(slots.path)
        first, second = slots.take(), slots.take()
        assert first != second
        there[second] = os.getpid()
        assert slots.process_at(first) is None
        assert slots.process_at(second) == os.getpid()
        slots.give_back(second)
        again = slots.take()
        assert again == second
        assert slots.process_at(again) is None  # not that of the call before
    assert not Path(slots.path).exists()


def test_there_are_as_many_slots_as_calls_at_once() -> None:
    with open_slots(1) as slots:
        slots.take()
        with pytest.raises(IndexError):
            slots.take()
