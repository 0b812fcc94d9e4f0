"""A lease is renewed while it can be, and counts as lost before another process may take the run."""

from __future__ import annotations

import time

import pytest

from flowscript_trio.journal import leases
from flowscript_trio.journal.backend import Owned
from flowscript_trio.journal.leases import BEAT, LEASE, MARGIN, Leases
from flowscript_trio.types.storing import StoreFailed, Superseded

RUN, OTHER = Owned("r", 1, 1, b"", 0), Owned("s", 2, 1, b"", 0)


class Server:
    """Answers renewals; ``refused`` are those that it does not renew, or it does not answer."""

    def __init__(self) -> None:
        self.refused: list[Owned] = []
        self.answers = True
        self.asked: list[list[Owned]] = []

    def renew(self, runs: list[Owned]) -> list[Owned]:
        self.asked.append(runs)
        if not self.answers:
            raise StoreFailed("it does not answer")
        return self.refused


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(leases, "now", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def kept(server: Server, clock: Clock) -> Leases:
    """The leases of two runs, without the beats of their thread."""
    made = Leases(server.renew)
    made._thread = object()  # type: ignore[assignment]
    made.add(RUN, clock.now)
    made.add(OTHER, clock.now)
    return made


def told(kept: Leases) -> list[str]:
    lost: list[str] = []
    for run in (RUN, OTHER):

        def tell(error: StoreFailed) -> None:
            assert isinstance(error, Superseded)
            lost.append(error.run_id)

        kept.heed(run, tell)
    return lost


def test_a_lease_that_is_renewed_goes_on(kept: Leases, clock: Clock, server: Server) -> None:
    lost = told(kept)
    for _ in range(20):
        clock.now += BEAT
        kept.beat()
    assert kept.seconds_of(RUN) == LEASE - MARGIN
    assert server.asked == [[RUN, OTHER]] * 20
    assert lost == []


def test_a_lease_that_is_refused_is_lost_at_once(kept: Leases, server: Server) -> None:
    lost = told(kept)
    server.refused = [RUN]
    kept.beat()
    assert lost == ["r"]
    assert kept.seconds_of(RUN) == 0.0
    assert kept.seconds_of(OTHER) > 0
    kept.beat()
    assert server.asked[-1] == [OTHER]
    assert lost == ["r"]


def test_leases_are_lost_before_they_end_where_the_store_does_not_answer(
    kept: Leases, clock: Clock, server: Server
) -> None:
    lost = told(kept)
    server.answers = False
    start = clock.now
    while not lost:
        clock.now += BEAT
        kept.beat()
    assert lost == ["r", "s"]
    assert clock.now - start < LEASE


def test_a_store_that_answers_again_in_time_loses_nothing(
    kept: Leases, clock: Clock, server: Server
) -> None:
    lost = told(kept)
    server.answers = False
    clock.now += LEASE - MARGIN - 1
    kept.beat()
    server.answers = True
    clock.now += 0.5
    kept.beat()
    assert lost == []
    assert kept.seconds_of(RUN) == LEASE - MARGIN


def test_a_process_that_was_stopped_past_its_lease_relies_on_it_no_more(
    kept: Leases, clock: Clock
) -> None:
    clock.now += LEASE
    assert kept.seconds_of(RUN) == 0.0


def test_the_thread_ends_with_the_last_lease(server: Server) -> None:
    made = Leases(server.renew)
    made.add(RUN, leases.now())
    made.add(OTHER, leases.now())
    thread = made._thread
    assert thread is not None
    made.drop(RUN)
    assert thread.is_alive()
    made.drop(OTHER)
    assert not thread.is_alive()
    made.drop(OTHER)


def test_the_thread_renews(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    from threading import Event

    asked = Event()
    monkeypatch.setattr(leases, "BEAT", 0.001)

    def renew(runs: list[Owned]) -> list[Owned]:
        asked.set()
        return []

    made = Leases(renew)
    made.add(RUN, leases.now())
    assert asked.wait(10)
    made.drop(RUN)


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="this system has no such clock")
def test_leases_are_counted_by_a_clock_that_goes_on_in_sleep(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clocks = {time.CLOCK_BOOTTIME: 500.0, time.CLOCK_MONOTONIC: 3.0}
    monkeypatch.setattr(time, "clock_gettime", clocks.__getitem__)
    assert leases.now() == 500.0
