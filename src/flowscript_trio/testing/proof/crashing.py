"""Owns the proof of durable runs: a workflow whose processes die at every point, and what must hold of that."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from random import Random

from ...execution.durable.entries import Decided, Entry, Started
from ...execution.failures import failure_of
from ...execution.options import RunOptions
from ...program.compiled import Program, Step
from ...program.loading import Flow
from ...program.placing import programs_of, steps_in
from ...runtimes.registry import Registry
from ...types.looking import summary_of
from ...types.paths import is_below, is_cleanup
from .crash_checks import (
    Found,
    decisions_go_before,
    passes_are_those_of_ends,
    secrets_are_hidden,
    time_goes_on,
)
from .lives import Lives, Staging
from .looks import endless_behind
from .metering import Rates
from .planning import sample
from .points import Crash, Points
from .report import Violation
from .shrinking import shrink

Progress = Callable[[int, int], None]
MOMENTS = ("before", "after")


class CrashProver:
    """Lets the processes of a durable run die at every commit and after every effect, and in what follows.

    ``tried`` are the points so far, ``runs`` the processes, ``left_out`` the points that were sampled away.
    """

    def __init__(
        self,
        flow: Flow,
        registry: Registry,
        options: Callable[[], RunOptions],
        seed: int,
        progress: Progress | None = None,
    ) -> None:
        self.tried: list[Points] = []
        self.runs: int = 0
        self.left_out: int = 0
        self._staging = Staging(flow, registry, options, seed)
        self._seed = seed
        self._chance = Random(seed)
        self._progress = progress
        self._whole = self._play(())
        self._rates = Rates(flow.program)
        self._repeats = _Repeats(flow.program, self._whole)

    @property
    def undisturbed(self) -> str:
        """How the run ends with nothing done to it."""
        last = self._whole.last
        return last.status if last.error is None else f"{last.status}: {last.outcome[1]}"

    def prove(self, most: int, pairs: int) -> list[Violation]:
        """Every point, and this many pairs of one and another in the process that follows."""
        found: dict[tuple[str, str], Violation] = {}
        if self._whole.last.endless:  # what never ends undisturbed shows nothing further
            self._try((), found)
            return list(found.values())
        everything = _points_of(self._whole)
        points = sample(everything, most, self._chance)
        self.left_out += len(everything) - len(points)
        chosen: list[Points] = [(point,) for point in points]
        seconds: list[Points] = []
        for number, each in enumerate(chosen):
            lives = self._try(each, found)
            if (
                lives.last.stopped
            ):  # others would be no different, and what is stopped is never let go
                self.left_out += len(chosen) - number - 1
                return list(found.values())
            if any(life.died for life in lives.lives):
                seconds += [(*each, second) for second in _points_of(lives)]
            if self._progress is not None:
                self._progress(number + 1, len(chosen) + pairs)
        paired = sample(seconds, pairs, self._chance)
        self.left_out += len(seconds) - len(paired)
        for number, each in enumerate(paired):
            self._try(each, found)
            if self._progress is not None:
                self._progress(len(chosen) + number + 1, len(chosen) + len(paired))
        return [self._shrunk(violation) for violation in found.values()]

    def _try(self, points: Points, found: dict[tuple[str, str], Violation]) -> Lives:
        lives = self._play(points)
        self.tried.append(points)
        for promise, subject, message in self._findings(lives):
            known = found.get((promise, subject))
            if known is None:
                new = Violation(promise, subject, message, points, self._seed)
                found[promise, subject] = new
            else:
                found[promise, subject] = replace(known, runs=known.runs + 1)
        return lives

    def _play(self, points: Points) -> Lives:
        lives = self._staging.play(points)
        self.runs += len(lives.lives)
        return lives

    def _findings(self, lives: Lives) -> Iterator[Found]:
        numbered = self._staging.numbered(lives)
        entries = [entry for _, entry in numbered]
        yield from _ends(lives)
        yield from _looks_end(lives)
        yield from _nothing_is_done_again(lives)
        yield from _at_most_once(lives, self._repeats.once)
        yield from _the_dead_do_nothing(lives)
        yield from _clean_up_ended(lives, entries)
        yield from self._rates.exceeded(lives)
        yield from _decisions_stand(entries)
        yield from decisions_go_before(lives.witnesses)
        yield from passes_are_those_of_ends(numbered, lives.witnesses)
        yield from time_goes_on(entries, lives.witnesses)
        yield from secrets_are_hidden(self._staging.kept(lives), self._staging.secrets)
        yield from self._repeats.differences(lives)

    def _shrunk(self, violation: Violation) -> Violation:
        """The violation with the least points that show it, and what is said about it there."""
        said = {violation.points: violation.message}

        def shows(points: Points) -> bool:
            for promise, subject, message in self._findings(self._play(points)):
                if (promise, subject) == (violation.promise, violation.subject):
                    said[points] = message
                    return True
            return False

        least = shrink(violation.points, shows)
        return replace(violation, points=least, message=said[least])


def _points_of(lives: Lives) -> list[Crash]:
    """Where the last process could die as well."""
    last = lives.last
    commits = product(range(1, last.commits + 1), MOMENTS)
    points = [Crash("before" if moment == "before" else "after", n) for n, moment in commits]
    return points + [Crash("effect", number) for number in range(1, last.ends + 1)]


# ---- what must hold ----


def _ends(lives: Lives) -> Iterator[Found]:
    last = lives.last
    if last.stopped:
        said = (
            "the run goes on without end although it is cancelled: a node of it swallows `Cancelled` each "
            "time, or waits under a shield that has no limit"
        )
        yield "a resumed run ends", "the run", said
    elif last.endless or last.died or not last.status or last.status == "suspended":
        said = "never ended" if last.endless else f"is {last.status or 'without an end'}"
        yield "a resumed run ends", "the run", f"the run {said}: {summary_of(last.error)}"


def _looks_end(lives: Lives) -> Iterator[Found]:
    for life in lives.lives:
        failure = None if life.error is None else failure_of(life.error)
        subject = "the run" if failure is None or failure.node is None else failure.node
        for name, why in endless_behind(life.error):
            said = f"{subject!r} failed with a {name} that cannot be looked at: {why}"
            yield "looks at errors end", subject, said


def _nothing_is_done_again(lives: Lives) -> Iterator[Found]:
    for call in lives.calls:
        life = lives.lives[call.process]
        known = (call.path, call.attempt) in life.known
        known = known or any(is_below(call.path, whole) for whole in life.wholes)
        if not call.is_pure and known:
            said = f"{call.path!r} was done again, although it was on record how it had ended"
            yield "what has ended is not done again", call.label, said


def _at_most_once(lives: Lives, once: frozenset[str]) -> Iterator[Found]:
    seen: set[tuple[str, int]] = set()
    for call in lives.calls:
        if call.label not in once:
            continue
        if (call.path, call.attempt) in seen:
            said = f'{call.path!r} was begun twice, although it says on-crash="fail"'
            yield "on-crash fail is at most once", call.label, said
        seen.add((call.path, call.attempt))


def _the_dead_do_nothing(lives: Lives) -> Iterator[Found]:
    for call in lives.calls:
        if call.after_death and not call.is_pure:
            said = f"{call.path!r} was begun by a process that had lost the run"
            yield "a process that leaves does nothing more", call.label, said
    for life in lives.lives:
        if life.wrote_after_death:
            yield "the superseded write nothing", "the run", "a dead process changed the journal"


def _clean_up_ended(lives: Lives, entries: list[Entry]) -> Iterator[Found]:
    """What was begun of clean-up came to an end, or was too late: on record, or before the last process."""
    last = max((call.process for call in lives.calls), default=0)
    again = {(call.path, call.attempt) for call in lives.calls if call.process == last}
    ended = {(entry.key, getattr(entry, "attempt", 0)) for entry in entries if entry.kind in _ENDS}
    late = [entry.key for entry in entries if entry.kind == "late"]
    for entry in entries:
        if not isinstance(entry, Started) or not is_cleanup(entry.key):
            continue
        is_over = (entry.key, entry.attempt) in ended | again
        if not is_over and not any(is_below(entry.key, each) for each in late):
            said = f"{entry.key!r} was begun and never brought to an end"
            yield "clean-up runs to its end", entry.key, said


_ENDS = ("ended", "failed", "late")


def _decisions_stand(entries: list[Entry]) -> Iterator[Found]:
    decided: dict[str, int] = {}
    for entry in entries:
        if isinstance(entry, Decided) and entry.index != decided.setdefault(entry.key, entry.index):
            if entry.reason.endswith("broke out of the loop"):
                continue  # the lowest counts
            said = f"{entry.key!r} was decided by {decided[entry.key]}, and then by {entry.index}"
            yield "a decision stands", entry.key or "the workflow", said


class _Repeats:
    """What a run must repeat that was interrupted: where nothing depends on time, all of it."""

    def __init__(self, program: Program, whole: Lives) -> None:
        steps = [step for each in programs_of(program) for step in steps_in(each)]
        self.once = frozenset(step.label for step in steps if step.on_crash == "fail")
        self._outcome = whole.last.outcome
        self._did = set(whole.done)
        self._is_fixed = whole.last.status == "completed" and not any(map(_by_time, steps))
        self._is_fixed = self._is_fixed and not self.once and program.timeout is None
        attempts = {path for path, attempt in self._did if attempt > 1}
        self._is_fixed = self._is_fixed and not attempts

    def differences(self, lives: Lives) -> Iterator[Found]:
        if not self._is_fixed:
            return
        if lives.last.outcome != self._outcome:
            said = f"it came to {lives.last.outcome!r}, and undisturbed to {self._outcome!r}"
            yield "a resumed run ends as an undisturbed one", "the run", said
        for path, _ in sorted(self._did - lives.done):
            yield "everything is done", path, f"{path!r} was never brought to its end"
        for path, _ in sorted(lives.done - self._did):
            yield "nothing else is done", path, f"{path!r} is not done by an undisturbed run"


def _by_time(step: Step) -> bool:
    """Whether what a node comes to may depend on when something happens."""
    settings = step.node.settings
    races = "wait" in settings or "accept" in settings or "fail_fast" in settings
    limited = step.timeout is not None and step.is_control
    return races or limited or step.reads_clock or step.node.kind in ("timeout", "break")
