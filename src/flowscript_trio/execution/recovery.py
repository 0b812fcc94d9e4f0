"""Owns what follows a node's error: further attempts, then its handler."""

from __future__ import annotations

import trio

from ..expression.scope import Overlay, Scope
from ..program.compiled import Step
from ..runtimes.control.types import RetryConfig
from ..scheduler.raised import error_of_call
from ..scheduler.signals import Failed
from ..types.describing import describe, retry_after_of
from ..types.errors import BudgetExceeded
from ..types.events import AttemptFailed
from ..types.exceptions import context_of, hides_context, is_a, set_context
from ..types.paths import FALLBACK, attempt_path, part_path
from .attempts import caught, fail, make_attempt
from .compensating import compensate_inside, failed_undoing
from .failures import note_first
from .frame import Frame, Outcome
from .handlers import run_handler
from .retrying import Retries
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
    further = 0
    undone: list[BaseException] = []
    scope: Scope = frame.state
    if step.draws or (step.reads_clock and walk.run.recorder is not None):
        scope = Overlay(scope, {"$attempt": 1}, walk.run.services_of(path, "retry"))
    retries = Retries(step, scope)
    recorder = walk.run.recorder
    while step.retry is not None and (error := _recoverable(outcome)) is not None:
        known = None if recorder is None else recorder.retries.known(path, further + 1)
        try:
            if recorder is None or known is None:
                delay = seconds_before(walk, retries, path, error, further + 1)
                if recorder is not None:
                    recorder.retries.note(path, further + 1, retries.last, delay)
            else:
                delay = None
                if known.rule is not None:
                    retries.use(known.rule)
                    delay = recorder.clock.seconds_until(known.due)
            if delay is None:
                break
        except BaseException as exc:
            earlier.append(error)
            outcome = fail(walk, step, path, _looking_at(error, exc))
            break
        earlier.append(error)
        further += 1
        if walk.run.observers:
            walk.run.notify(
                AttemptFailed(
                    time=trio.current_time(),
                    path=path,
                    execution=walk.run.numbers.of(path),
                    node=step.node,
                    attempt=further,
                    error=error,
                    delay=delay,
                )
            )
        if step.undoes:
            undone += await compensate_inside(walk, attempt_path(path, further), error)
        if recorder is None:
            await trio.sleep(delay)
        else:
            await recorder.retries.back_off(path, attempt_path(path, further + 1), further, delay)
        outcome = await _try_again(walk, step, frame, path, further + 1)
    if recorder is not None and recorder.leaving.is_left:
        return outcome  # whoever resumes the run goes on from here
    if step.fallback is not None and (error := _recoverable(outcome)) is not None:
        if recorder is not None and step.retry is None:
            recorder.retries.note(path, further + 1, None, None)
        earlier.append(error)
        if step.undoes:
            undone += await compensate_inside(walk, attempt_path(path, further + 1), error)
        outcome = await _fall_back(walk, step.fallback, step, frame, path, error)
    if undone and not isinstance(outcome.signal, Failed):
        outcome = Outcome(signal=failed_undoing(walk, undone))
    outcome.attempts = further + 1
    return outcome


async def _try_again(walk: Walk, step: Step, frame: Frame, path: str, number: int) -> Outcome:
    """A further attempt of a node; an error comes back as a value."""
    try:
        return await make_attempt(walk, step, frame, path, number)
    except BaseException:
        outcome = caught(walk, step, path, number)
        if outcome is None:
            raise
        return outcome


def seconds_before(
    walk: Walk, retries: Retries, path: str, error: Exception, attempt: int
) -> float | None:
    """The seconds until the node is tried again after its ``attempt``-th attempt; None where it is not."""
    rule = retries.decide(error, attempt)
    if rule is None:
        return None
    rule.used += 1
    full = rule.config.jitter == "full"
    part = walk.run.chance(path, f"jitter {attempt}").random() if full else 1.0
    delay = delay_of(rule.config, rule.used, part)
    asked = _asked_for(rule.config, error)
    if asked <= delay:
        return delay
    if _is_too_late(asked):
        retries.last = None
        return None
    return asked


def _asked_for(retry: RetryConfig, error: Exception) -> float:
    """The seconds that an answer asks for with ``Retry-After``."""
    return 0.0 if retry.retry_after == "ignore" else retry_after_of(error)


def _is_too_late(seconds: float) -> bool:
    """Whether a wait would end behind a deadline around all attempts: there is no use in waiting for that.

    Where a cancellation is under way already the wait is begun, and raises it.
    """
    deadline = trio.current_effective_deadline()
    return deadline > trio.current_time() and trio.current_time() + seconds >= deadline


def _recoverable(outcome: Outcome) -> Exception | None:
    """The error that something may follow; what is not an ``Exception``, or exceeds the budget, ends the run."""
    signal = outcome.signal
    if not isinstance(signal, Failed) or is_a(signal.error, BudgetExceeded):
        return None
    return signal.error if is_a(signal.error, Exception) else None


async def _fall_back(
    walk: Walk, handler: Step, step: Step, frame: Frame, path: str, error: Exception
) -> Outcome:
    """Run a node's fallback; where that fails as well, its error says which was the first."""
    described: BaseException = error
    try:
        describe(error, step.label)
    except BaseException as exc:
        signal = fail(walk, step, path, _looking_at(error, exc)).signal
        assert isinstance(signal, Failed)
        described = signal.error
    above = part_path(path, FALLBACK)
    outcome = await run_handler(walk, handler, step, frame, above, described)
    if isinstance(outcome.signal, Failed) and outcome.signal.error is not error:
        note_first(outcome.signal.error, walk.run.record.number, error, step.label)
    return outcome


def _looking_at(error: BaseException, raised: BaseException) -> BaseException:
    """What was raised while a node's error was looked at, with that error as its context.

    What ``from None`` has hidden gives way to it; else it is behind what was being handled.
    """
    raised = last = error_of_call(raised, "looking at the node's error raised")
    seen = {id(raised)}
    while (
        (behind := context_of(last)) is not None
        and not hides_context(last)
        and id(behind) not in seen
    ):
        last = behind
        seen.add(id(last))
    if id(error) not in seen:
        set_context(last, error, shown=True)
    return raised
