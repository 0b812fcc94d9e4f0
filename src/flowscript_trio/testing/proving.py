"""Owns the proof: a workflow is run again and again, disturbed at every point, and its promises are checked."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, product
from typing import Any

from ..execution.loading import Flow
from ..runtimes.registry import Registry
from ..types.events import NodeEnded
from .invariants import CHECKS
from .points import CancelAt, DeadlineAt, Point, RaiseAt
from .probe import ProbedRegistry
from .report import Report, Violation, count_kinds
from .stepping import limiters_alive
from .trials import Options, Trial, try_once

Points = tuple[Point, ...]


def prove(
    flow: Flow,
    *,
    options: Mapping[str, Any] | Options | None = None,
    registry: Registry | None = None,
    seed: int = 0,
    seeds: int = 1,
    most: int = 20_000,
    pairs: int = 500,
) -> Report:
    """Run a workflow in virtual time, disturbed at every point, and check what is promised of every run.

    It starts trio itself, once for each run: first undisturbed, to count; then with a cancellation from
    outside at each step of the scheduler, with an error before, in and after each wait of each leaf node, and
    with a deadline at each instant at which something happens; then with pairs of those.

    Args:
        flow: the workflow.
        options: the arguments of each run (``config``, ``input``, …), or a function that makes them anew.
        registry: other runtimes than the workflow's own, stubs mostly.
        seed: fixes the order of tasks and the choice of what is sampled.
        seeds: how many orders of tasks each point is tried with.
        most: how many points are tried at most; beyond that they are sampled.
        pairs: how many pairs of points are tried at most.

    Returns:
        A :class:`Report`. Nothing is raised for a promise that does not hold.
    """
    probed = ProbedRegistry(registry or flow.registry)
    flow = flow.with_registry(probed)
    prover = _Prover(flow, probed, _maker(options), random.Random(seed))
    return prover.prove(seed, seeds, most, pairs)


def _maker(options: Mapping[str, Any] | Options | None) -> Options:
    if callable(options):
        return options
    fixed = dict(options or {})
    return lambda: fixed


class _Prover:
    def __init__(
        self, flow: Flow, registry: ProbedRegistry, options: Options, chance: random.Random
    ) -> None:
        self._flow = flow
        self._registry = registry
        self._options = options
        self._chance = chance
        self._limiters = limiters_alive()
        self._tried: list[Points] = []
        self._runs = 0
        self._violations: dict[tuple[str, str], Violation] = {}

    def prove(self, seed: int, seeds: int, most: int, pairs: int) -> Report:
        for number in range(seed, seed + seeds):
            clean = self._try((), number)
            self._compare(clean, self._try((), number))
            points = self._sample(list(points_of(clean)), most)
            for point in points:
                self._try((point,), number)
            for pair in self._sample(list(pairs_of(points)), pairs):
                self._try(pair, number)
        violations = tuple(self._violations.values())
        tried = count_kinds(self._tried)
        return Report(len(self._tried), self._runs, violations, tried, seed)

    def _sample(self, found: list[Any], most: int) -> list[Any]:
        if len(found) <= most:
            return found
        return [found[at] for at in sorted(self._chance.sample(range(len(found)), most))]

    def _try(self, points: Points, seed: int) -> Trial:
        trial = try_once(self._flow, self._registry, self._options, points, seed, self._limiters)
        self._runs += 1
        self._tried.append(points)
        for check in CHECKS:
            for message in check(trial):
                self._note(check.__name__, message, points, seed)
        return trial

    def _note(self, promise: str, message: str, points: Points, seed: int) -> None:
        """Keep a violation; of those of one promise with one message, the one with the fewest points."""
        promise = promise.replace("_", " ")
        known = self._violations.get((promise, message))
        if known is None or len(points) < len(known.points):
            self._violations[promise, message] = Violation(promise, message, points, seed)

    def _compare(self, one: Trial, other: Trial) -> None:
        if history(one) != history(other):
            self._note(
                "the_same_seed_gives_the_same_events",
                "two runs of one seed differ; take time from trio and chance from the run",
                (),
                one.seed,
            )


def points_of(clean: Trial) -> Iterator[Point]:
    """Every point of a run, as an undisturbed one shows them."""
    for step in range(1, clean.probe.steps + 1):
        yield CancelAt(step)
    for call in clean.probe.calls:
        for wait in range(call.waits + 1):
            yield RaiseAt(call.label, call.number, wait)
    for time in sorted(clean.probe.times):
        yield DeadlineAt(time)


def pairs_of(points: Sequence[Point]) -> Iterator[Points]:
    """An error with each cancellation, and each two errors."""
    errors = [point for point in points if isinstance(point, RaiseAt)]
    others = [point for point in points if not isinstance(point, RaiseAt)]
    yield from product(errors, others)
    yield from combinations(errors, 2)


def history(trial: Trial) -> list[tuple[str, str, str]]:
    """What happened in a run, in order: events by kind, path and status."""
    told: list[tuple[str, str, str]] = []
    for event in trial.events:
        status = event.result.status if isinstance(event, NodeEnded) else ""
        told.append((type(event).__name__, event.path, status))
    return told
