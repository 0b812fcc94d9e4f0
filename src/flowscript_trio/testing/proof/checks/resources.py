"""Owns the promises of what is left: no task, no thread, no generator, no token, no file, no variable."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate

from ....types.paths import owner_of
from ..story import Execution, Story
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
    advice = "use trio.to_thread.run_sync, and wait for it"
    for left in story.trial.left_threads:
        said = f"the thread {left.what!r}"
        if left.call is None:
            message = f"{said} was still at work when the run was over; {advice}"
            yield Finding(left.what, message)
        else:
            message = (
                f"{left.call.name} left {said} at work when the run was over; {advice}, without "
                "`abandon_on_cancel`"
            )
            yield Finding(left.call.label, message)


def what_is_entered_is_left(story: Story) -> Iterator[Finding]:
    for name in story.trial.left_generators:
        yield Finding(
            name,
            f"{name} was entered and not left; use `async with`, and contextlib.aclosing for a generator",
        )


def tokens_come_back(story: Story) -> Iterator[Finding]:
    for left in story.trial.left_tokens:
        call = left.call
        if call is not None:
            yield Finding(
                call.label,
                f"{call.name} took {left.held} of a limiter's tokens and did not give back; take them with "
                "`async with limiter`",
            )
        else:
            yield Finding(
                f"a limiter of {left.total:g}",
                f"a limiter of {left.total:g} tokens has {left.held} out and {left.waiting} tasks waiting "
                "after the run",
            )
    for kind, call in story.trial.left_locks:
        subject = kind if call is None else call.label
        who = "the run" if call is None else call.name
        yield Finding(
            subject, f"{who} took a {kind} and did not give it back; take it with `async with`"
        )


def nobody_releases_what_it_has_not_taken(story: Story) -> Iterator[Finding]:
    for call in story.trial.surplus:
        subject, who = ("Semaphore", "the run") if call is None else (call.label, call.name)
        yield Finding(
            subject,
            f"{who} released a Semaphore more often than it had acquired it, so that it lets more in than "
            "before; take it with `async with`",
        )


def no_file_and_no_socket_is_left_open(story: Story) -> Iterator[Finding]:
    for left in story.trial.left_open:
        yield Finding(
            left.call.label,
            f"{left.call.name} left {left.what} open; open it with `with` or `async with`",
        )
    for left in story.trial.probe.leftovers.collected:
        yield Finding(
            left.call.label,
            f"{left.call.name} left something to the garbage collector ({left.what}); open it with `with` or "
            "`async with`",
        )


def no_temporary_file_is_left(story: Story) -> Iterator[Finding]:
    for left in story.trial.left_files:
        yield Finding(
            left.call.label,
            f"{left.call.name} made the temporary file or folder {left.what} and did not remove it; use "
            "`with tempfile.TemporaryDirectory()`, or remove it in a `finally`",
        )


def context_variables_are_reset(story: Story) -> Iterator[Finding]:
    for call in story.trial.probe.calls:
        for name in call.variables_left:
            yield Finding(
                call.label,
                f"{call.name} set the context variable {name} and did not reset it; keep the token that "
                "`set` gives, and `reset` it in a `finally`",
            )
    for name in story.trial.left_variables:
        yield Finding(
            name,
            f"the context variable {name} was set in the run, and its caller sees it; whoever sets it (an "
            "observer, or what the application has around the run) should `reset` it in a `finally`",
        )


def no_more_branches_than_tokens(story: Story) -> Iterator[Finding]:
    for crowd in story.trial.probe.crowded:
        yield Finding(crowd.partition(" ")[0], crowd)
    for prefix, running in _in_graphs(story).items():
        limit = story.plan.width_of(
            story.plan.program_of(running[0].node), story.trial.max_concurrency
        )
        most = _most_at_once(running)
        if limit is not None and most > limit:
            where = owner_of(prefix) or "the run"
            message = (
                f"{where} had {most} of its nodes under way at once, and its limit is {limit:g}"
            )
            yield Finding(where, message)


def _in_graphs(story: Story) -> dict[str, list[Execution]]:
    """The executions of the nodes of each body that is a graph, by the path of the body."""
    found: dict[str, list[Execution]] = {}
    for execution in story.executions:
        body = story.plan.body_around(execution.node)
        if body is not None and body.is_graph:
            found.setdefault(execution.prefix, []).append(execution)
    return found


def _most_at_once(running: list[Execution]) -> int:
    changes = [(execution.began.order, 1) for execution in running]
    changes += [(e.ended.order, -1) for e in running if e.ended is not None]
    return max(accumulate(change for _, change in sorted(changes)))
