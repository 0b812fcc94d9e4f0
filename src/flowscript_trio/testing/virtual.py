"""Owns ``run_flow``: a workflow runs in virtual time with stubs, from a plain function."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import trio

from ..execution.handle import Run
from ..execution.record import Record, Warned
from ..program.loading import Flow, load
from ..types.ast import CheckpointNode
from ..types.decisions import Answer
from ..types.errors import FlowScriptError, nearest
from ..types.exceptions import is_a
from ..types.results import NodeResult
from .cases import START, Case, Expected, Reply, Stub
from .judging import settings_of
from .proof.stepping import order_of
from .running import play_case, unknown_names
from .stage import NotStubbed, Stage


class NeverEnds(FlowScriptError):
    """A run was given up, because everything in it waited and nothing was left that could wake it.

    The run was cancelled first, and had unwound when this was raised.
    """


@dataclass(frozen=True, slots=True)
class VirtualRun:
    """A run that completed in virtual time, and what its leaf nodes were handed.

    ``calls`` has how often each node was called, every attempt and every iteration counted; ``inputs`` and
    ``settings`` what it was handed last. All are by id.

    Plain data: cancellation means nothing to it.
    """

    run: Run
    calls: Mapping[str, int]
    inputs: Mapping[str, Any]
    settings: Mapping[str, Mapping[str, Any]]

    @property
    def output(self) -> Any:
        """What the workflow returned."""
        return self.run.output

    @property
    def results(self) -> Mapping[str, NodeResult]:
        """Of each node by id, its last :class:`~flowscript_trio.NodeResult`."""
        return self.run.results

    @property
    def record(self) -> Record:
        """Every execution of every node."""
        return self.run.record

    @property
    def warnings(self) -> list[Warned]:
        return self.run.warnings

    @property
    def duration(self) -> float:
        """How long it took, in virtual seconds."""
        return self.run.duration or 0.0


def run_flow(
    flow: Flow | str | Path,
    *,
    stubs: Mapping[str, Any] | None = None,
    real: Collection[str] | Literal[True] = (),
    input: Any = None,
    config: Mapping[str, Any] | None = None,
    secrets: Mapping[str, str] | None = None,
    env: Mapping[str, str] | None = None,
    decisions: Mapping[str, str | Answer] | None = None,
    max_concurrency: int | None = None,
    base: str | Path | None = None,
    now: datetime = START,
    seed: int = 0,
) -> VirtualRun:
    """Run a workflow in virtual time, with stubs in place of what touches the world.

    Args:
        flow: a loaded workflow, or the path of a document.
        stubs: by id, what plays a source, a transform or a sink: its output; or a :class:`Reply`; or a list of
            nothing but replies, one for each call, the last of which repeats; or a :class:`Stub`.
        real: the ids that run as they are; True: all that have no stub.
        decisions: by id of a checkpoint, what is answered; to the others, their default.
        seed: fixes ``random`` and ``uuid``, and the order in which trio runs what can run at one time.
        input, config, secrets, env, max_concurrency, base, now: as a :class:`Case` has them.

    Returns:
        A :class:`VirtualRun`.

    Raises:
        NotStubbed: nodes that touch the world were reached and are neither stubbed nor ``real``.
        NeverEnds: everything waited and nothing was left that could wake it.
        BaseException: the run's own error, as :func:`flowscript_trio.run` raises it.

    This is synchronous and starts trio itself, so it cannot be called from a trio program, an ``async def``
    test included. Ctrl-C cancels the run, and surfaces.
    """
    __tracebackhide__ = True  # pytest shows the caller's line
    refuse_inside_trio("run_flow")
    flow = flow_of(flow)
    case = make_case(
        flow,
        stubs=stubs,
        real=real,
        input=input,
        config=config,
        secrets=secrets,
        env=env,
        decisions=decisions,
        max_concurrency=max_concurrency,
        base=base,
        now=now,
        seed=seed,
    )
    with order_of(seed):
        stage, ended = play_case(flow, case)
    if stage.missing:
        names = ", ".join(f"{name} ({kind})" for name, kind in stage.missing.items())
        raise NotStubbed(f"ran, and neither stubbed nor real: {names}")
    if ended.stuck is not None:
        raise NeverEnds(ended.stuck)
    if ended.error is not None:
        raise ended.error
    assert ended.run is not None
    return VirtualRun(ended.run, dict(stage.calls), *_handed(stage))


def make_case(
    flow: Flow,
    *,
    stubs: Mapping[str, Any] | None = None,
    real: Collection[str] | Literal[True] = (),
    decisions: Mapping[str, str | Answer] | None = None,
    config: Mapping[str, Any] | None = None,
    secrets: Mapping[str, str] | None = None,
    env: Mapping[str, str] | None = None,
    base: str | Path | None = None,
    **given: Any,
) -> Case:
    """A case that expects nothing, of what :func:`run_flow` takes; raises FlowScriptError for unknown names."""
    case = Case(
        name=flow.name,
        expected=Expected(),
        stubs={name: _stub_of(name, value) for name, value in (stubs or {}).items()},
        real=True if real is True else frozenset([real] if isinstance(real, str) else real),
        decisions={
            name: answer if isinstance(answer, Answer) else Answer(answer)
            for name, answer in (decisions or {}).items()
        },
        config=config or {},
        secrets=secrets or {},
        env=env or {},
        base=None if base is None else Path(base),
        **given,
    )
    for problem in unknown_names(flow, case):
        raise FlowScriptError(problem)
    _check_decisions(flow, case)
    return case


def flow_of(flow: Flow | str | Path) -> Flow:
    """A loaded workflow, or that of a path."""
    return flow if isinstance(flow, Flow) else load(flow)


def refuse_inside_trio(name: str) -> None:
    """Raise an error that says what to do, where a trio program runs already."""
    if trio.lowlevel.in_trio_run():
        raise FlowScriptError(
            f"{name} starts trio itself, so it cannot be called in a trio program: make the test a plain `def`, "
            "or `await flowscript_trio.run(…)` under a virtual clock (pytest-trio's `autojump_clock`)"
        )


def _stub_of(name: str, value: Any) -> Stub:
    if isinstance(value, Stub):
        return value
    if isinstance(value, Reply):
        return Stub((value,))
    if is_a(value, BaseException) or (isinstance(value, type) and issubclass(value, BaseException)):
        raise FlowScriptError(
            f"stubs: {name}: found {value!r}, which is not an output; an error is written "
            "Reply(error='what it says', type='ConnectError')"
        )
    if isinstance(value, (list, tuple)) and any(isinstance(item, Reply) for item in value):
        if not all(isinstance(item, Reply) for item in value):
            raise FlowScriptError(
                f"stubs: {name}: the list has replies and other values; an output among replies is written "
                "Reply(output=…)"
            )
        return Stub(tuple(value))
    return Stub((Reply(output=value),))


def _check_decisions(flow: Flow, case: Case) -> None:
    nodes = (checked.node for checked in flow.checked.nodes.values())
    known = [node.label for node in nodes if isinstance(node, CheckpointNode)]
    for name in case.decisions:
        if name not in known:
            near = nearest(name, known)
            hint = f"; did you mean {near!r}?" if near else ""
            raise FlowScriptError(f"there is no checkpoint {name!r}{hint}")


def _handed(stage: Stage) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """The last input and the last settings of each node."""
    inputs = {name: given for name, (given, _) in stage.last.items()}
    settings = {name: settings_of(config) for name, (_, config) in stage.last.items()}
    return inputs, settings
