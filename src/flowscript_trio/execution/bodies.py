"""Owns the two orders in which the nodes of a body run: one after another, or by data flow."""

from __future__ import annotations

from contextvars import copy_context
from typing import Any

from trio.lowlevel import cancel_shielded_checkpoint, checkpoint

from ..program.compiled import CompiledBody
from ..scheduler.concurrency import Block
from ..scheduler.policy import Policy
from ..scheduler.pools import GraphPool
from ..scheduler.raised import is_cancelled
from ..scheduler.signals import Failed, Goto, Return, Signal
from ..scheduler.workers import run_pool
from ..types.paths import owner_of
from ..types.results import Cancellation
from .frame import Frame
from .journalled import journal_of_graph
from .regions import Region
from .walk import Walk

_NONE_YET: Any = object()
"""The output of a body of which no node has given one."""


async def run_sequence(
    walk: Walk, body: CompiledBody, frame: Frame, checked: bool
) -> Signal | None:
    """Run nodes one after another; between two of them lies at least one checkpoint."""
    passes = walk.run.passes
    recorder = walk.run.recorder
    followed = 0
    if recorder is not None:
        from .durable.rounds import count_followed  # only a run with a store needs it

        followed = count_followed(recorder.past, body, frame.prefix)
    target: str | None = None
    left: Return | None = None
    began = -1
    for at, step in enumerate(body.steps):
        if left is not None or (target is not None and step.id != target):
            walk.pass_over(step, frame)
            continue
        target = None
        if passes.now == began:
            if recorder is not None and recorder.past.has(f"{frame.prefix}{step.label}"):
                await cancel_shielded_checkpoint()  # it had begun: what it meets is for itself
            elif at >= followed:
                await checkpoint()
            checked = True
        began = passes.now
        if at < followed:
            assert recorder is not None
            signal = await recorder.restoring.as_it_was(walk.execute_node(step, frame, checked))
        else:
            signal = await walk.execute_node(step, frame, checked)
        checked = False
        if signal is None:
            continue
        if isinstance(signal, Goto):
            target = signal.target
        elif isinstance(signal, Return):
            left = signal
        else:
            return signal
    return left


async def run_graph(walk: Walk, body: CompiledBody, frame: Frame) -> Signal | None:
    """Run nodes by data flow, each once all that it waits for have succeeded."""
    steps = body.steps
    prefix = frame.prefix
    region = Region(frame.region, owner_of(prefix))
    ended: list[Signal] = []
    latest = -1
    failed: dict[int, Failed] = {}
    resume = 0  # what leads there is a barrier: what is to be passed over has not begun

    async def execute(index: int, _: Any, checked: bool) -> Signal | None:
        nonlocal resume, latest
        own = Frame(frame.state, prefix, region, frame.input)
        own.output = _NONE_YET
        own.owns_context = True
        if index < resume:
            walk.pass_over(steps[index], own)
            return None
        signal = await walk.execute_node(steps[index], own, checked)
        if isinstance(signal, Failed):
            failed[index] = signal
            return signal
        if index > latest and own.output is not _NONE_YET:
            latest, frame.output = index, own.output
        if isinstance(signal, Goto):
            resume = next(at for at, step in enumerate(steps) if step.id == signal.target)
            return None
        if isinstance(signal, Return):
            resume = len(steps)
            ended.append(signal)
            return None
        if signal is not None:
            ended.append(signal)
        return signal

    variables = copy_context() if walk.run.observers else None

    def on_cancel(cancellation: Cancellation, pass_number: int) -> None:
        region.cancel(cancellation, pass_number, is_cancelled())
        walk.run.note_cancellation(region.path, cancellation, variables)

    def name(index: int) -> str:
        return f"{prefix}{steps[index].label}"

    recorder = walk.run.recorder
    block = Block(
        execute,
        name,
        Policy(total=len(steps)),
        walk.max_concurrency,
        walk.run.passes,
        on_cancel,
        log=journal_of_graph(recorder, prefix, region, name, len(steps)),
    )
    verdict = await run_pool(block, GraphPool(body.waits, body.dependents))
    if verdict.error is not None:
        assert verdict.failed is not None
        return failed[verdict.failed]
    return ended[0] if ended else None
