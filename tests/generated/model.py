"""Owns the model: what must happen in a generated workflow, computed from LANGUAGE.md without running anything.

It is no simulation of tasks. What a part of a workflow does depends on two times only: when it begins, and when
what is around it is cancelled. A block finds out when it is settled by looking at its branches as if it never
were, and then looks at them once more as cancelled at that time: what they did before is the same (nothing acts
back in time). Durations are whole seconds that have no equal sums, so that nothing else happens at the same
instant, but where ``twins`` say so. What a block's own cancellation brings about is ``SOON`` after the instant
that brought it about, and told as of that instant.

Where the order of passes decides which error is first, ``errors`` holds every right one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from heapq import heapify, heappop, heappush
from math import floor, inf
from typing import Any, Literal

from .shapes import Body, Foreach, If, Leaf, Loop, Node, Parallel, Policy, Timeout, While, Workflow

Kind = Literal["ok", "failed", "cancelled", "broke"]
Statuses = dict[str, str]
SOON = 2.0**-8
"""A part of a second that stands for the next passes of an instant."""
STATUS = {"ok": "success", "broke": "success", "failed": "failed", "cancelled": "cancelled"}


@dataclass(frozen=True)
class Result:
    """How a part ended and when. ``errors`` are the names of the errors that may be the first."""

    end: float
    kind: Kind
    value: Any = None
    errors: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Expected:
    """What must come of a run."""

    status: str
    output: Any
    errors: frozenset[str]
    end: float
    statuses: Statuses


def expect(workflow: Workflow) -> Expected:
    """What must come of a workflow."""
    statuses: Statuses = {}
    cancelled = workflow.cancelled
    result = _graph(workflow, cancelled, statuses)
    if result.kind == "failed":
        return Expected("failed", None, result.errors, floor(result.end), statuses)
    if cancelled <= result.end:
        return Expected("cancelled", None, frozenset(), floor(result.end), statuses)
    return Expected("completed", result.value, frozenset(), floor(result.end), statuses)


# ---- nodes ----


def _node(node: Node, path: str, begin: float, cancel: float, statuses: Statuses) -> Result:
    """One node; it does not begin at all where it is cancelled before."""
    if cancel <= begin:
        return Result(begin, "cancelled")
    path += node.id
    match node:
        case Leaf():
            result = _leaf(node, path, begin, cancel, statuses)
        case Parallel():
            result = _parallel(node, path, begin, cancel, statuses)
        case Foreach():
            result = _foreach(node, path, begin, cancel, statuses)
        case If():
            result = _if(node, path, begin, cancel, statuses)
        case Loop() | While():
            result = _loop(node, path, begin, cancel, statuses)
        case Timeout():
            result = _timeout(node, path, begin, cancel, statuses)
    statuses[path] = STATUS[result.kind]
    return result


def _leaf(leaf: Leaf, path: str, begin: float, cancel: float, statuses: Statuses) -> Result:
    def attempt(number: int, begin: float) -> Result:
        return _attempt(leaf, number, begin, cancel)

    return _recovered(leaf, attempt, path, begin, cancel, statuses)


def _recovered(
    node: Leaf | Parallel,
    attempt: Callable[[int, float], Result],
    path: str,
    begin: float,
    cancel: float,
    statuses: Statuses,
) -> Result:
    """Attempts, each with its number and its beginning, and then what stands in."""
    further = 0 if node.retry is None else node.retry.max
    for number in range(further + 1):
        result = attempt(number, begin)
        if result.kind != "failed":
            return result
        if node.retry is None or number == further:
            break
        if cancel <= result.end:  # a cancellation is not tried again
            return Result(result.end, "cancelled")
        begin = result.end + node.retry.wait
        if cancel <= begin:
            return Result(cancel, "cancelled")
    if node.fallback is None:
        return result
    return _node(node.fallback, f"{path}/@fallback/", result.end, cancel, statuses)


def _attempt(leaf: Leaf, number: int, begin: float, cancel: float) -> Result:
    """One attempt, within its time limit."""
    if leaf.timeout is None:
        return _work(leaf, number, begin, cancel)
    deadline = begin + leaf.timeout
    result = _work(leaf, number, begin, min(cancel, deadline))
    return _within(leaf.id, result, deadline, cancel)


def _within(name: str, result: Result, deadline: float, cancel: float) -> Result:
    """What a time limit makes of what was done within it."""
    late = Result(result.end, "failed", errors=frozenset({f"too slow: {name}"}))
    if result.kind == "cancelled" and deadline <= result.end < cancel:
        return late
    if result.kind == "ok" and deadline <= result.end:
        return late
    return result


def _work(leaf: Leaf, number: int, begin: float, cancel: float) -> Result:
    end = inf if leaf.end == "hang" else begin + leaf.takes
    if cancel <= end:
        return _cleaned(leaf, cancel)
    failing = leaf.end in ("fail", "group") or (leaf.end == "flaky" and number < leaf.fails)
    if failing:
        return Result(end, "failed", errors=frozenset({leaf.id}))
    return Result(end, "ok", leaf.id)


def _cleaned(leaf: Leaf, cancel: float) -> Result:
    """What a leaf does that is cancelled."""
    match leaf.cancelled:
        case "swallow":
            return Result(cancel, "ok", leaf.id)
        case "shield":
            return Result(cancel + leaf.shield, "cancelled")
        case "fail":
            return Result(cancel, "failed", errors=frozenset({f"clean-up of {leaf.id}"}))
    return Result(cancel, "cancelled")


# ---- bodies ----


def _body(body: Body, path: str, begin: float, cancel: float, statuses: Statuses) -> Result:
    result = _sequence(body.nodes, path, begin, cancel, statuses)
    if body.cleanup is None:
        return result
    done = _node(body.cleanup, f"{path}@finally/", result.end, inf, statuses)
    if done.kind == "failed" and result.kind != "failed":
        return done
    return replace(result, end=done.end)


def _sequence(
    nodes: Sequence[Node], path: str, begin: float, cancel: float, statuses: Statuses
) -> Result:
    result = Result(begin, "ok")
    for node in nodes:
        result = _node(node, path, result.end, cancel, statuses)
        if result.kind != "ok":
            break
    return result


def _if(node: If, path: str, begin: float, cancel: float, statuses: Statuses) -> Result:
    body = node.then if node.taken else node.other
    return Result(begin, "ok") if body is None else _body(body, f"{path}/", begin, cancel, statuses)


def _loop(node: Loop | While, path: str, begin: float, cancel: float, statuses: Statuses) -> Result:
    result = Result(begin, "ok")
    broken = node.broken if isinstance(node, Loop) else None
    for number in range(node.rounds):
        result = _body(node.body, f"{path}[{number}]/", result.end, cancel, statuses)
        if result.kind != "ok":
            return result
        if isinstance(node, Loop) and node.broken is not None:
            if cancel <= result.end:
                return Result(result.end, "cancelled")
            statuses[f"{path}[{number}]/{node.id}-break"] = "success"
        if number == broken:
            break
    return result


def _timeout(node: Timeout, path: str, begin: float, cancel: float, statuses: Statuses) -> Result:
    deadline = begin + node.seconds
    result = _body(node.body, f"{path}/", begin, min(cancel, deadline), statuses)
    return _within(node.id, result, deadline, cancel)


# ---- blocks ----


@dataclass(frozen=True)
class Job:
    """A branch of a block that began, and how it ended; ``late``: after the block had been settled."""

    index: int
    result: Result
    late: bool = False


Branch = Callable[[float, float, Statuses], Result]
"""What a branch does that begins at the first time and is cancelled at the second."""


def _parallel(node: Parallel, path: str, begin: float, cancel: float, statuses: Statuses) -> Result:
    def branch(index: int, inner: str) -> Branch:
        return lambda begin, cancel, statuses: _body(
            node.branches[index], f"{inner}/{index}/", begin, cancel, statuses
        )

    def attempt(number: int, begin: float) -> Result:
        inner = path if number == 0 else f"{path}~{number + 1}"
        branches = [branch(index, inner) for index in range(len(node.branches))]
        return _block(branches, node.limit, node.policy, begin, cancel, statuses, spawns=True)

    return _recovered(node, attempt, path, begin, cancel, statuses)


def _foreach(node: Foreach, path: str, begin: float, cancel: float, statuses: Statuses) -> Result:
    def branch(index: int) -> Branch:
        return lambda begin, cancel, statuses: _body(
            node.body, f"{path}[{index}]/", begin, cancel, statuses
        )

    branches = [branch(index) for index in range(node.count)]
    return _block(branches, node.limit, node.policy, begin, cancel, statuses, spawns=False)


def _block(
    branches: Sequence[Branch],
    limit: int,
    policy: Policy,
    begin: float,
    cancel: float,
    statuses: Statuses,
    spawns: bool,
) -> Result:
    def run(cancel: float, statuses: Statuses) -> list[Job]:
        """The branches begin in order, each as soon as there is a token for it."""
        free = [begin] * min(limit, len(branches))
        heapify(free)
        jobs = []
        for index, branch in enumerate(branches):
            start = heappop(free)
            if floor_of(cancel) <= start:
                break
            jobs.append(Job(index, branch(start, cancel, statuses)))
            heappush(free, jobs[-1].result.end)
        return jobs

    return _settle(run, len(branches), policy, begin, cancel, statuses, spawns)


def _graph(workflow: Workflow, cancel: float, statuses: Statuses) -> Result:
    nodes = workflow.nodes

    def run(cancel: float, statuses: Statuses) -> list[Job]:
        """A node begins when those that it waits for have succeeded."""
        jobs: dict[int, Job] = {}
        for index, node in enumerate(nodes):
            before = [jobs.get(other) for other in workflow.after[index]]
            if any(job is None or job.result.kind != "ok" for job in before):
                continue
            start = max([job.result.end for job in before if job is not None], default=0)
            if floor_of(cancel) > start:
                jobs[index] = Job(index, _node(node, "", start, cancel, statuses))
        return list(jobs.values())

    result = _settle(run, len(nodes), Policy(), 0, cancel, statuses)
    return replace(result, value=result.value[-1]) if result.kind == "ok" else result


def _settle(
    run: Callable[[float, Statuses], list[Job]],
    total: int,
    policy: Policy,
    begin: float,
    cancel: float,
    statuses: Statuses,
    spawns: bool = False,
) -> Result:
    """``spawns``: somebody waits for a token to start the next branch, and is cancelled with the rest."""
    jobs = run(cancel, {})
    decided = _decision(jobs, total, policy)
    own = decided is not None and decided < cancel
    if own and decided is not None:
        on_time = {job.index for job in jobs if job.result.end <= decided}
        after = run(decided + SOON, statuses)
        jobs = [replace(job, late=job.index not in on_time) for job in after]
    else:
        jobs = run(cancel, statuses)
    end = max([begin, *(job.result.end for job in jobs)])
    waited = len(jobs) < total and (spawns or decided is None)
    unwound = waited or any(job.result.kind == "cancelled" for job in jobs)
    raised = unwound and cancel <= end
    return _conclude(jobs, total, policy, end, raised, decided if own else None, cancel)


def _decision(jobs: list[Job], total: int, policy: Policy) -> float | None:
    """When it is settled whether a block succeeds or fails."""
    failed = succeeded = 0
    for job in _in_order(jobs):
        failed += job.result.kind == "failed"
        succeeded += job.result.kind == "ok"
        if policy.need is not None and succeeded >= policy.need:
            return job.result.end
        if policy.fail_fast and _is_lost(failed, total, policy):
            return job.result.end
    return None


def _is_lost(failed: int, total: int, policy: Policy) -> bool:
    allowed = policy.tolerate if policy.need is None else total - policy.need
    return failed > allowed


def _conclude(
    jobs: list[Job],
    total: int,
    policy: Policy,
    end: float,
    raised: bool,
    decided: float | None,
    cancel: float,
) -> Result:
    ended = _in_order(jobs)
    failures = [job for job in ended if job.result.kind == "failed"]
    winners = [job for job in ended if job.result.kind == "ok"]
    if policy.need is not None and len(winners) >= policy.need and not raised:
        return Result(end, "ok", [job.result.value for job in winners[: policy.need]])
    surfacing = failures
    if not _is_lost(len(failures), total, policy):
        outside = raised and not policy.tolerate and decided is None
        surfacing = [job for job in failures if outside and job.result.end >= cancel]
    if surfacing:
        return Result(end, "failed", errors=_first(surfacing, decided))
    if raised:
        return Result(end, "cancelled")
    values = {job.index: job.result.value for job in winners}
    return Result(end, "ok", [values.get(index) for index in range(total)])


def _first(failures: list[Job], decided: float | None) -> frozenset[str]:
    """The first error: by time, then by document order; under a cancellation the passes may decide."""
    first = failures[0].result
    if decided is not None and first.end <= decided:
        return first.errors
    same = [job.result.errors for job in failures if job.result.end == first.end]
    return frozenset().union(*same)


def _in_order(jobs: list[Job]) -> list[Job]:
    return sorted(jobs, key=lambda job: (job.result.end, job.late, job.index))


def floor_of(time: float) -> float:
    """The instant that a time belongs to."""
    return time if time == inf else floor(time)
