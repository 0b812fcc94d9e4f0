"""Owns what follows a node's error: further attempts, then its handler."""

from __future__ import annotations

from typing import Any

import trio

from ..expression import truthy
from ..expression.scope import Overlay
from ..runtimes.control.types import RetryConfig
from ..scheduler.signals import Failed
from ..types.events import AttemptFailed
from .describing import describe
from .frame import Frame, Outcome
from .program import Step
from .walk import Walk


def delay_of(config: RetryConfig, attempt: int, chance: float) -> float:
    """Seconds to wait before the ``attempt``-th further attempt (from 1).

    With full jitter a random part of it (``chance``, 0 to 1), as in Brooker, "Exponential Backoff And
    Jitter", 2015.
    """
    if config.backoff == "fixed":
        delay = config.base
    elif config.backoff == "linear":
        delay = config.base * attempt
    else:
        delay = config.base * 2.0 ** min(attempt - 1, 1000)
    delay = min(delay, config.cap)
    return delay * chance if config.jitter == "full" else delay


async def recover(
    walk: Walk,
    step: Step,
    frame: Frame,
    path: str,
    outcome: Outcome,
    earlier: list[BaseException],
) -> Outcome:
    """Try a failed node again as its ``<retry>`` says, then run its fallback.

    The errors that do not surface are added to ``earlier`` as they happen. Cancellation is never retried:
    it passes through at once, also from the wait between attempts.
    """
    retry: RetryConfig | None = None if step.retry is None else step.retry(frame.state)
    further = 0
    while isinstance(outcome.signal, Failed) and retry is not None and further < retry.max:
        error = outcome.signal.error
        if not _applies(retry, describe(error, step.label), frame):
            break
        earlier.append(error)
        further += 1
        delay = delay_of(retry, further, walk.run.services.random.random())
        if walk.run.observers:
            walk.run.notify(
                AttemptFailed(
                    time=trio.current_time(),
                    path=path,
                    node=step.node,
                    attempt=further,
                    error=error,
                    delay=delay,
                )
            )
        await trio.sleep(delay)
        outcome = await walk.attempt(step, frame, path, further + 1)
    if isinstance(outcome.signal, Failed) and step.fallback is not None:
        error = outcome.signal.error
        earlier.append(error)
        outcome = await run_handler(walk, step.fallback, step, frame, path, error)
    outcome.attempts = further + 1
    return outcome


async def run_handler(
    walk: Walk, handler: Step, step: Step, frame: Frame, path: str, error: BaseException
) -> Outcome:
    """Run a handler in the scope of the node that names it; its output stands for the node's."""
    view = describe(error, step.label)
    state = frame.state.fork({"$error": view, "error": view})
    inner = Frame(state, f"{path}/", frame.region, frame.input)
    signal = await walk.execute_node(handler, inner)
    if isinstance(signal, Failed):
        return Outcome(signal=signal)
    names = handler.inner_ids if handler.id is None else (handler.id, *handler.inner_ids)
    frame.state.publish(state, names, variables=True)
    return Outcome(inner.output, signal)


def _applies(retry: RetryConfig, view: dict[str, Any], frame: Frame) -> bool:
    if retry.when == "retryable":
        return bool(view["retryable"])
    return truthy(retry.when(Overlay(frame.state, {**view, "error": view, "$error": view})))
