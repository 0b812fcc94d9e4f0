"""Owns the tests of what a worker has of a run: its loop, and what is cancelled in it."""

from __future__ import annotations

import threading
from math import inf
from types import SimpleNamespace
from typing import Any

from flowscript_trio.placement.worker import cancel_job, close_run, loop_of

JOB: Any = SimpleNamespace(seconds=inf, headers={})


def test_what_is_cancelled_before_its_run_has_anything_here_begins_no_loop_and_never_begins() -> (
    None
):
    threads = threading.active_count()
    assert not cancel_job("early", "one")
    assert threading.active_count() == threads
    try:
        assert loop_of("early").do("w", "one", JOB).status == "cancelled"
    finally:
        close_run("early")
    assert threading.active_count() == threads


def test_a_cancellation_that_comes_when_the_run_has_left_leaves_no_loop_behind() -> None:
    loop_of("left")
    close_run("left")
    threads = threading.active_count()
    assert not cancel_job("left", "late")
    close_run("left")
    assert threading.active_count() == threads
