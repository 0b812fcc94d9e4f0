"""Owns the running of cases: each in a trio of its own, in virtual time, with its stage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import trio
from trio.testing import MockClock

from ..execution.handle import Run
from ..execution.options import RunOptions
from ..execution.preparing import masker_of
from ..execution.run import open_run
from ..program.loading import Flow
from ..types.errors import nearest
from ..types.events import Event, NodeEnded, NodeStarted
from ..types.location import Location
from .cases import Case
from .clock import pass_time
from .ids import leaves_of
from .judging import Ended, judge
from .places import PlayedPlace, played
from .stage import Stage

PATIENCE = 60.0
"""Real seconds for which real nodes (``real``) may do nothing before a case is given up."""


@dataclass(frozen=True, slots=True)
class CaseResult:
    """How a case ended.

    ``problems`` are what differed from what was expected, one line each, without secrets; ``duration`` is in
    virtual seconds, None where nothing ran. ``run`` has what the run left behind.

    Plain data: cancellation means nothing to it.
    """

    name: str
    problems: tuple[str, ...]
    duration: float | None
    location: Location | None
    run: Run | None

    @property
    def passed(self) -> bool:
        return not self.problems

    def as_dict(self) -> dict[str, Any]:
        """The result for tools, ready for JSON."""
        return {
            "name": self.name,
            "passed": self.passed,
            "problems": list(self.problems),
            "duration": self.duration,
        }


def run_cases(flow: Flow, cases: Iterable[Case], *, patience: float = PATIENCE) -> list[CaseResult]:
    """Run cases one after another, each on its own.

    Args:
        flow: the workflow that the cases are for.
        cases: what :func:`read_cases` gave, or cases made in Python.
        patience: real seconds for which the real nodes of a case may do nothing before it is given up.

    Returns:
        A result for each case, in order. That a case fails is not an error.

    This is synchronous: it calls ``trio.run`` for each case, so it cannot be called from a trio program.
    Ctrl-C cancels the case that runs, and surfaces.
    """
    return [_run_case(flow, case, patience) for case in cases]


def _run_case(flow: Flow, case: Case, patience: float) -> CaseResult:
    stage, ended = play_case(flow, case, patience)
    duration = None if ended.run is None else ended.run.duration
    problems = [*unknown_names(flow, case), *judge(case, stage, ended)]
    given = RunOptions(secrets=case.secrets, config=case.config, input=case.input, env=case.env)
    if (masker := masker_of(flow, given)) is not None:  # what was found may be the secret
        problems = [masker.text(problem) for problem in problems]
    return CaseResult(case.name, tuple(problems), duration, case.location, ended.run)


def play_case(flow: Flow, case: Case, patience: float = PATIENCE) -> tuple[Stage, Ended]:
    """Run the workflow of a case in a trio of its own; what it met, and how it ended. Nothing is judged."""
    stage = Stage(case, flow)
    clock = MockClock()
    return stage, trio.run(partial(_play, flow, case, stage, clock, patience), clock=clock)


def unknown_names(flow: Flow, case: Case) -> Iterator[str]:
    """What a case stubs or names as real, and is not there: cases that were made in Python are not checked yet."""
    leaves = leaves_of(flow)
    for name in [*case.stubs, *(case.real if case.real is not True else ())]:
        if name not in leaves:
            near = nearest(name, leaves)
            hint = f"; did you mean {near!r}?" if near else ""
            yield f"there is no source, transform or sink {name!r}{hint}"


@trio.lowlevel.enable_ki_protection
async def _play(flow: Flow, case: Case, stage: Stage, clock: MockClock, patience: float) -> Ended:
    """Run the workflow of a case to its end, or until it is known that it has none."""
    waiting = _Waiting()
    run: Run | None = None
    error: Exception | None = None
    stuck: list[str] = []

    def give_up(why: str) -> None:
        names = ", ".join(waiting.innermost()) or "the run itself"
        stuck.append(f"the run never ends: still waiting: {names} ({why})")
        if run is not None:
            run.cancel("the case was given up")

    def now() -> datetime:  # the clock of a case begins at 0
        return case.now + timedelta(seconds=trio.current_time())

    async with trio.open_nursery() as nursery:
        await nursery.start(partial(pass_time, clock, give_up, patience))
        try:
            async with open_run(
                flow,
                registry=stage.registry,
                input=case.input,
                config=case.config,
                secrets=case.secrets,
                env=case.env,
                seed=case.seed,
                now=now,
                base=case.base,
                max_concurrency=case.max_concurrency,
                observers=(waiting,),
                places=played(flow.program, PlayedPlace()),
            ) as handle:
                run = handle
        except Exception as exc:
            error = exc
        nursery.cancel_scope.cancel("the case has ended")
    return Ended(run, error, stuck[0] if stuck else None)


class _Waiting:
    """An observer that knows which nodes have started and not ended."""

    def __init__(self) -> None:
        self._paths: dict[str, None] = {}

    def __call__(self, event: Event) -> None:
        if isinstance(event, NodeStarted):
            self._paths[event.path] = None
        elif isinstance(event, NodeEnded):
            self._paths.pop(event.path, None)

    def innermost(self) -> list[str]:
        """The paths of the nodes that wait, without the blocks around them."""
        return [
            path
            for path in sorted(self._paths)
            if not any(other.startswith((f"{path}/", f"{path}[")) for other in self._paths)
        ]
