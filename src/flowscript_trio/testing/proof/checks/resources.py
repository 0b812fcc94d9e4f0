"""Owns the promises of what is left: no task, no thread, no open generator, no token."""

from __future__ import annotations

from collections.abc import Iterator

from ..story import Story
from .finding import Finding


def no_task_is_left(story: Story) -> Iterator[Finding]:
    for left in story.trial.probe.owners.left_tasks:
        if left.call is not None:
            yield Finding(
                left.call.label,
                f"{left.call.name} left the task {left.what!r} behind; start tasks in a nursery that the "
                "runtime itself opens and waits for",
            )
        else:
            yield Finding(left.what, f"the task {left.what!r} outlived the run that started it")


def no_thread_is_left(story: Story) -> Iterator[Finding]:
    for name in story.trial.left_threads:
        yield Finding(
            name,
            f"the thread {name!r} was still at work when the run was over; use trio.to_thread.run_sync, and "
            "wait for it",
        )


def what_is_entered_is_left(story: Story) -> Iterator[Finding]:
    for name in story.trial.left_generators:
        yield Finding(
            name,
            f"{name} was entered and not left; use `async with`, and contextlib.aclosing for a generator",
        )


def tokens_come_back(story: Story) -> Iterator[Finding]:
    probe = story.trial.probe
    for limiter in probe.limiters:
        held = probe.owners.held_since(limiter)
        waiting = limiter.statistics().tasks_waiting
        if not held and not waiting:
            continue
        call = probe.owners.owner_of(limiter)
        if call is not None:
            yield Finding(
                call.label,
                f"{call.name} took {held} of a limiter's tokens and did not give back; take them with "
                "`async with limiter`",
            )
        else:
            yield Finding(
                f"a limiter of {limiter.total_tokens}",
                f"a limiter of {limiter.total_tokens} tokens has {held} out and {waiting} tasks waiting "
                "after the run",
            )


def no_more_branches_than_tokens(story: Story) -> Iterator[Finding]:
    for crowd in story.trial.probe.crowded:
        yield Finding(crowd.partition(" ")[0], crowd)
