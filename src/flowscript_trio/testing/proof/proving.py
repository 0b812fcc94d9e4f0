"""Owns the proof: a workflow is run again and again, disturbed at every point, and its promises are checked."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import trio

from ...execution.durable.given import check_store
from ...execution.options import RunOptions
from ...execution.preparing import check_options
from ...journal.store import Store
from ...program.loading import Flow
from ...runtimes.registry import Registry
from ...types.errors import InputError
from ...types.looking import bounding, summary_of
from ..places import PlayedPlace, played
from .checks import CHECKS, name_of
from .checks.conduct import nothing_is_held_across_a_yield
from .checks.ends import every_run_ends
from .crashing import CrashProver
from .locks import locks_alive
from .looks import Looks
from .others import Others
from .plan import Plan
from .planning import pairs_of, points_of, sample
from .points import Points
from .probe import MOST_STEPS
from .probing import Probing
from .report import Report, Violation, count_kinds
from .sameness import difference_between
from .shrinking import shrink
from .stepping import limiters_alive
from .story import Story
from .trial import Around, Setting, Trial, try_once

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
"""The instant at which the wall clock of each run begins."""
AGAIN = 20
"""Of this many points, one is tried twice: the same seed must give the same events."""
SAME_EVENTS = "the same seed gives the same events"

Progress = Callable[[int, int], None]
Given = RunOptions | Mapping[str, Any]


def prove(
    flow: Flow,
    *,
    options: Given | Callable[[], Given] | None = None,
    registry: Registry | None = None,
    around: Around | None = None,
    seed: int = 0,
    seeds: int = 1,
    most: int = 20_000,
    pairs: int = 500,
    accept: Iterable[tuple[str, str]] = (),
    progress: Progress | None = None,
    crash: bool = False,
    beside: int = 0,
) -> Report:
    """Run a workflow in virtual time, disturbed at every point, and check what is promised of every run.

    It starts trio itself, once for each run: first undisturbed, to count; then with a cancellation from
    outside at each step of the scheduler, with an error before, in and after each wait of each leaf node and
    before each control node, with each time limit passing, and with a deadline at each instant at which
    something happens; then with pairs of those. What is found is shrunk to the fewest and earliest points.

    Args:
        flow: the workflow.
        options: what :func:`run` takes besides the workflow: a :class:`RunOptions`, or a mapping of its names
            (``{"config": …}``); or a function that makes one or the other again for each run. Unless they are
            given, the run's ``seed`` is the proof's, and its wall clock goes with virtual time.
        registry: other runtimes than the workflow's own, stubs mostly. Real ones are waited for in real time.
        around: makes an async context manager that is entered before each run and left after it: what the
            application has around its runs, a nursery that runtimes start tasks in, say.
        seed: fixes the order of tasks and the choice of what is sampled.
        seeds: how many orders of tasks each point is tried with, from ``seed`` on.
        most: how many points are tried at most for each of them; beyond that they are sampled.
        pairs: how many pairs of points are tried at most for each of them.
        accept: violations that are meant to be, each as the name of its promise and its subject, as the report
            tells them (``("no error is lost", "fetch")``: that runtime handles every error itself). They
            are known, and do not count.
        crash: prove the durable run instead: it has a store in memory, and its process dies before and after each
            commit and after each effect, is resumed, and dies again. Nothing else disturbs it then, and
            ``seeds``, ``around`` and ``beside`` do nothing.
        beside: how many other runs of the workflow go on beside each run, undisturbed, with the same limits and
            limiter: what is promised of limits holds over all of them, and none of them waits for ever.
        progress: called with how many runs are done and how many there will be, after each run.

    Returns:
        A :class:`Report`. Nothing is raised for a promise that does not hold.

    Raises:
        WorkflowInvalid: the workflow does not fit the ``registry``.
        InputError: the options do not fit the workflow.
        RuntimeError: it was called from a trio program.
        ValueError: more than one registry was given.

    This is synchronous: it calls ``trio.run`` for each run, so it cannot be called from a trio program.
    Ctrl-C ends it at once, with ``KeyboardInterrupt``. A ``SystemExit`` or ``KeyboardInterrupt`` that a node
    raises itself ends the run that it is raised in, which counts as cancelled, and not the proof.
    """
    if trio.lowlevel.in_trio_run():
        raise RuntimeError(
            "prove() starts trio itself, so it cannot be called from a trio program; call it before trio.run, "
            "or in a thread: await trio.to_thread.run_sync(prove, flow)"
        )
    first = _options_of(options, seed)
    if first.store is not None:
        raise InputError("a proof has a store of its own; leave `store` out of the options")
    if crash:
        return _prove_crashes(flow, options, registry, seed, most, pairs, accept, progress)
    own = _registry_of(flow, registry, first, callable(options))
    others = Others(flow.with_registry(own), beside) if beside else None
    probing = Probing(own)
    flow = flow.with_registry(probing.registry)
    plan = Plan(flow.program)
    gc.collect()  # what earlier runs have left to the collector is not to be watched
    limiters, locks = limiters_alive(), locks_alive()
    check_options(flow, replace(first, places=played(flow.program, PlayedPlace())))
    setting = Setting(
        flow, probing, lambda: _options_of(options, seed), around, plan, limiters, locks, others
    )
    with bounding(Looks().bound):
        report = _Prover(setting, seed, frozenset(accept), progress).prove(seeds, most, pairs)
    if not report.holds:
        _collect()
    return report


def _prove_crashes(
    flow: Flow,
    options: Given | Callable[[], Given] | None,
    registry: Registry | None,
    seed: int,
    most: int,
    pairs: int,
    accept: Iterable[tuple[str, str]],
    progress: Progress | None,
) -> Report:
    first = _options_of(options, seed)
    played = _registry_of(flow, registry, first, callable(options))
    check_store(replace(first, store=Store.memory()))
    with bounding(Looks().bound):
        prover = CrashProver(flow, played, lambda: _options_of(options, seed), seed, progress)
        found = prover.prove(most, pairs)
    meant = frozenset(accept)
    is_meant = {violation: (violation.promise, violation.subject) in meant for violation in found}
    return Report(
        len(prover.tried),
        prover.runs,
        tuple(violation for violation in found if not is_meant[violation]),
        count_kinds(prover.tried),
        prover.left_out,
        seed,
        prover.undisturbed,
        tuple(violation for violation in found if is_meant[violation]),
    )


def _collect() -> None:
    """Collect what runs have left open: it is in the report, and is not to be warned of elsewhere later."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def _registry_of(
    flow: Flow, registry: Registry | None, first: RunOptions, made_anew: bool
) -> Registry:
    """The runtimes that are proved: the workflow is compiled with them once."""
    given = first.registry
    if given is None:
        return registry or flow.registry
    if made_anew or registry not in (None, given):
        raise ValueError("a proof takes one registry for all of its runs: give it as `registry`")
    return given


def _options_of(given: Given | Callable[[], Given] | None, seed: int) -> RunOptions:
    """The options of a run; its chance and its wall clock are fixed unless they are given."""
    given = given() if callable(given) else given
    options = given if isinstance(given, RunOptions) else RunOptions(**(given or {}))
    return replace(
        options,
        seed=seed if options.seed is None else options.seed,
        now=options.now or virtual_now,
    )


def virtual_now() -> datetime:
    """The wall clock of a proof: it begins at a fixed instant, and goes with virtual time."""
    seconds = trio.current_time() if trio.lowlevel.in_trio_run() else 0.0
    return EPOCH + timedelta(seconds=seconds)


class _Prover:
    def __init__(
        self,
        setting: Setting,
        seed: int,
        accept: frozenset[tuple[str, str]],
        progress: Progress | None,
    ) -> None:
        self._setting = setting
        self._seed = seed
        self._accept = accept
        self._chance = Random(seed)
        self._progress = progress
        self._tried: list[Points] = []
        self._left_out = 0
        self._runs = 0
        self._planned = 0
        self._most_steps = MOST_STEPS
        self._incomparable: set[str] = set()
        self._violations: dict[tuple[str, str], Violation] = {}

    def prove(self, seeds: int, most: int, pairs: int) -> Report:
        undisturbed = ""
        for seed in range(self._seed, self._seed + seeds):
            clean = self._run((), seed)
            undisturbed = undisturbed or _told(clean.trial)
            self._most_steps = min(MOST_STEPS, 1_000 + 50 * clean.trial.probe.steps)
            if clean.trial.endless:
                break  # what never ends undisturbed shows nothing further
            everything = list(points_of(clean))
            points = sample(everything, most, self._chance)
            paired = pairs_of(points, self._chance)
            chosen = sample(paired, pairs, self._chance)
            self._left_out += len(everything) - len(points) + len(paired) - len(chosen)
            self._planned = (len(points) + len(chosen)) * (seed + seeds - self._seed)
            self._try_again(clean, (), seed)
            if not self._try_each([*((point,) for point in points), *chosen], seed):
                break
        found = list(self._violations.values())
        accepted = tuple(violation for violation in found if self._is_accepted(violation))
        violations = (violation for violation in found if not self._is_accepted(violation))
        return Report(
            len(self._tried),
            self._runs,
            tuple(map(self._shrunk, violations)),
            count_kinds(self._tried),
            self._left_out,
            self._seed,
            undisturbed,
            accepted,
            tuple(sorted(self._incomparable)),
        )

    def _try_each(self, disturbances: Sequence[Points], seed: int) -> bool:
        """Disturb a run in each of these ways; False where one could only be stopped.

        Others would be no different, and what is stopped is never let go.
        """
        for number, points in enumerate(disturbances):
            story = self._run(points, seed)
            self._tried.append(points)
            if story.trial.stopped:
                self._left_out += len(disturbances) - number - 1
                return False
            if number % AGAIN == 0:
                self._try_again(story, points, seed)
        return True

    def _is_accepted(self, violation: Violation) -> bool:
        return (violation.promise, violation.subject) in self._accept

    def _run(self, points: Points, seed: int) -> Story:
        story = self._story(points, seed)
        for promise, subject, message in _findings(story):
            self._note(promise, subject, message, points, seed)
        return story

    def _story(self, points: Points, seed: int) -> Story:
        trial = try_once(self._setting, points, seed, self._most_steps)
        story = Story(trial, self._setting.plan)
        self._runs += 1
        self._incomparable |= {call.name for call in trial.probe.calls if not call.comparable}
        if self._progress is not None:
            self._progress(self._runs, max(self._planned, self._runs))
        return story

    def _note(self, promise: str, subject: str, message: str, points: Points, seed: int) -> None:
        """Keep a violation: of those of one promise and subject the first, and how many there were."""
        known = self._violations.get((promise, subject))
        if known is None:
            self._violations[promise, subject] = Violation(promise, subject, message, points, seed)
        else:
            self._violations[promise, subject] = replace(known, runs=known.runs + 1)

    def _try_again(self, story: Story, points: Points, seed: int) -> None:
        if story.trial.real:
            return
        again = self._story(points, seed)
        difference = difference_between(story, again)
        if difference is not None:
            message = f"two runs of one seed differ ({difference}); take time from trio, and chance from the run"
            self._note(SAME_EVENTS, "the run", message, points, seed)

    def _shrunk(self, violation: Violation) -> Violation:
        """The violation with the least points that show it, and what is said about it there."""
        said = {violation.points: violation.message}

        def shows(points: Points) -> bool:
            for promise, subject, message in _findings(self._story(points, violation.seed)):
                if (promise, subject) == (violation.promise, violation.subject):
                    said[points] = message
                    return True
            return False

        least = shrink(violation.points, shows)
        return replace(violation, points=least, message=said[least])


def _findings(story: Story) -> Iterator[tuple[str, str, str]]:
    """What does not hold, as (promise, subject, message), each once.

    Where a runtime breaks the order of trio's scopes, trio delivers errors to whoever happens to be there: what
    becomes of the engine then is not its fault, and only what is said about runtimes counts.
    """
    found: dict[tuple[str, str], str] = {}
    runtimes = {call.label for call in story.trial.probe.calls}
    broken = story.trial.probe.generators.breaks_trio
    for check in CHECKS:
        if story.trial.stopped and check is not every_run_ends:
            continue
        for subject, message in check(story):
            if not broken or subject in runtimes or check is nothing_is_held_across_a_yield:
                found.setdefault((name_of(check), subject), message)
    return ((promise, subject, message) for (promise, subject), message in found.items())


def _told(trial: Trial) -> str:
    if trial.error is not None:
        return f"{trial.status}: {summary_of(trial.error)}"
    return trial.status
