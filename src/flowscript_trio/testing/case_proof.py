"""Owns the proof of a case: what plays the nodes, made for each run; and stand-ins where nothing is said."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import trio

from ..execution.options import RunOptions
from ..program.loading import Flow
from ..scheduler.limits.limit import Limit
from ..types.errors import FlowScriptError
from ..types.looking import text_of
from .cases import Case, Reply, Stub
from .ids import leaves_of
from .proof import Report, prove
from .proof.proving import Progress
from .proof.trial import Around
from .running import unknown_names
from .stage import PURE, NotStubbed, Stage

STAND_IN = Stub((Reply(delay=1.0),))
"""What plays a node of which nothing is said: it takes a virtual second and gives null."""


def prove_case(
    flow: Flow,
    case: Case,
    *,
    around: Around | None = None,
    seed: int = 0,
    seeds: int = 1,
    most: int = 20_000,
    pairs: int = 500,
    progress: Progress | None = None,
    crash: bool = False,
    suspend_after: float | None = None,
    beside: int = 0,
    limits: Mapping[str, Limit | trio.CapacityLimiter] | None = None,
) -> Report:
    """Prove a workflow with the input, the stubs and the decisions of one of its cases.

    What the case expects is not looked at: disturbed runs end otherwise.

    Args:
        flow: the workflow that the case is for.
        case: what :func:`read_cases` gave, or a case made in Python. Nodes that are ``real`` run for real, in
            each of hundreds of runs.
        around, seed, seeds, most, pairs, progress, crash, beside: as :func:`prove` takes them. Stubs
            answer the runs beside each, too, in the order in which they are asked.
        suspend_after: with ``crash``, the seconds after which a run that waits for nothing but people and timers
            is left, as :func:`run` takes them; the proof goes on with it.
        limits: limits by name, as :func:`run` takes them.

    Returns:
        A :class:`Report`.

    Raises:
        NotStubbed: nodes that touch the world were reached in some run, and are neither stubbed nor real. An
            error at another node may be what leads to them: fallbacks need stubs, too.
        InputError: what the case gives does not fit the workflow.
        FlowScriptError: a name in the case is not known, or its input cannot be copied for each run.

    This is synchronous, as :func:`prove` is, and cannot be called from a trio program.

    It starts trio itself and waits for nothing else; a Ctrl-C ends it, with the run in hand cancelled.
    """
    for problem in unknown_names(flow, case):
        raise FlowScriptError(problem)
    stage = Stage(case, flow)

    def now() -> datetime:  # the clock of a run begins at 0
        passed = trio.current_time() if trio.lowlevel.in_trio_run() else 0.0
        return case.now + timedelta(seconds=passed)

    def options() -> RunOptions:
        stage.begin()
        return replace(_given(case), now=now, suspend_after=suspend_after, limits=limits)

    report = prove(
        flow,
        options=options,
        registry=stage.registry,
        around=around,
        seed=seed,
        seeds=seeds,
        most=most,
        pairs=pairs,
        progress=progress,
        crash=crash,
        beside=beside,
    )
    if stage.missing:
        names = ", ".join(f"{name} ({kind})" for name, kind in stage.missing.items())
        raise NotStubbed(
            f"ran in the proof, and neither stubbed nor real: {names}; an error elsewhere may lead to a node"
        )
    return report


def stand_in(flow: Flow, case: Case) -> tuple[Case, dict[str, str]]:
    """The case with a stand-in for each node that touches the world and of which it says nothing.

    Returns the case, and those nodes by name with their types.
    """
    if case.real is True:
        return case, {}
    names: dict[int, list[str]] = {}
    types: dict[str, str] = {}
    for name, node in leaves_of(flow).items():
        if node.type not in PURE:
            names.setdefault(id(node), []).append(name)
            types[name] = node.type
    said = {*case.stubs, *case.real}
    unsaid = [known[0] for known in names.values() if said.isdisjoint(known)]
    stubs = {**case.stubs, **dict.fromkeys(unsaid, STAND_IN)}
    return replace(case, stubs=stubs), {name: types[name] for name in unsaid}


def real_nodes(flow: Flow, case: Case) -> list[str]:
    """The nodes that touch the world and run for real in a case."""
    return [
        name
        for name, node in leaves_of(flow).items()
        if node.type not in PURE
        and name not in case.stubs
        and (case.real is True or name in case.real)
    ]


def _given(case: Case) -> RunOptions:
    """What a run of a case is given, its own."""
    return RunOptions(
        input=_copy(case.input, "input"),
        config=_copy(dict(case.config), "config"),
        secrets=case.secrets,
        env=case.env,
        seed=case.seed,
        base=case.base,
        max_concurrency=case.max_concurrency,
    )


def _copy(value: Any, what: str) -> Any:
    """A value of its own for each run: what one did to it must not be seen by the next."""
    try:
        return deepcopy(value)
    except Exception as exc:
        raise FlowScriptError(
            f"the {what} cannot be copied for each run of a proof ({text_of(exc)}); "
            "call prove(…, options=…) with a function that makes a new one each time"
        ) from None
