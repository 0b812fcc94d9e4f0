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

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from heapq import heapify, heappop, heappush
from math import floor, inf
from typing import Any, Literal

from .shapes import (
    Body,
    Fail,
    Foreach,
    If,
    Leaf,
    Loop,
    Node,
    Parallel,
    Policy,
    Retry,
    Return,
    Timeout,
    While,
    Workflow,
)
from .writing import bodies_of

Kind = Literal["ok", "failed", "cancelled", "returned"]
SOON = 2.0**-8
"""A part of a second that stands for the next passes of an instant."""
_FAILING = frozenset({"fail", "group", "frozen", "slotted", "noted"})
_CLEANUP = 10
"""Seconds that clean-up has whose own settings fail."""
STATUS = {"ok": "success", "returned": "success", "failed": "failed", "cancelled": "cancelled"}


@dataclass(frozen=True)
class Result:
    """How a part ended and when. ``errors`` are the names of the errors that may be the first."""

    end: float
    kind: Kind
    value: Any = None
    errors: frozenset[str] = frozenset()
    counted: frozenset[int] | None = None
    """Of a block that succeeded: the branches that it did not go on without."""


@dataclass(frozen=True)
class Owed:
    """What is to be undone: since when, of which node, and by what."""

    end: float
    path: str
    undo: Leaf


@dataclass
class Log:
    """What happened on the way: the status of each node, and what may have to be undone."""

    statuses: dict[str, str] = field(default_factory=dict)
    owed: list[Owed] = field(default_factory=list)


@dataclass(frozen=True)
class Expected:
    """What must come of a run."""

    status: str
    output: Any
    errors: frozenset[str]
    end: float
    statuses: dict[str, str]


def expect(workflow: Workflow) -> Expected:
    """What must come of a workflow."""
    log = Log()
    cancelled = workflow.cancelled
    result = _graph(workflow, cancelled, log)
    if result.kind != "failed" and cancelled > result.end:
        output, end = result.value, floor(result.end)
        return Expected("completed", output, frozenset(), end, log.statuses)
    end, errors = _undo(log, "", result.end)  # type: ignore[assignment]
    errors = result.errors or errors
    status = "failed" if errors else "cancelled"
    return Expected(status, None, errors, floor(end), log.statuses)


def _undo(
    log: Log, path: str, begin: float, is_owed: Callable[[str], bool] = lambda _: True
) -> tuple[float, frozenset[str]]:
    """Undo what is owed below a path, in reverse order of completion: when that ends, and its first error.

    Of what succeeded in one instant the order is not known, so that each error may be the first.
    """
    due = [owed for owed in log.owed if owed.path.startswith(path) and is_owed(owed.path)]
    log.owed = [owed for owed in log.owed if owed not in due]
    due.sort(key=lambda owed: owed.end, reverse=True)
    several = len({floor(owed.end) for owed in due}) < len(due)
    errors: list[frozenset[str]] = []
    for owed in due:
        done = _node(owed.undo, f"{owed.path}/@compensate/", begin, inf, log)
        begin = done.end
        if done.kind == "failed":
            errors.append(done.errors)
    return begin, frozenset().union(*errors) if several else next(iter(errors), frozenset())


# ---- nodes ----


def _node(node: Node, path: str, begin: float, cancel: float, log: Log) -> Result:
    """One node; it does not begin at all where it is cancelled before."""
    if cancel <= begin:
        return Result(begin, "cancelled")
    path += node.id
    match node:
        case Leaf():
            result = _leaf(node, path, begin, cancel, log)
        case Fail():
            result = _fail(node, path, begin, cancel, log)
        case Return():
            result = Result(begin, "returned", node.value)
        case Parallel():
            result = _parallel(node, path, begin, cancel, log)
        case Foreach():
            result = _foreach(node, path, begin, cancel, log)
        case If():
            result = _if(node, path, begin, cancel, log)
        case Loop() | While():
            result = _loop(node, path, begin, cancel, log)
        case Timeout():
            result = _timeout(node, path, begin, cancel, log)
    log.statuses[path] = STATUS[result.kind]
    if isinstance(node, Leaf) and node.undo is not None and result.kind == "ok":
        log.owed.append(Owed(result.end, path, node.undo))
    return result


def _leaf(leaf: Leaf, path: str, begin: float, cancel: float, log: Log) -> Result:
    def attempt(number: int, begin: float) -> Result:
        return _attempt(leaf, number, begin, cancel)

    return _recovered(leaf, attempt, path, begin, cancel, log)


def _fail(fail: Fail, path: str, begin: float, cancel: float, log: Log) -> Result:
    def attempt(number: int, begin: float) -> Result:
        return Result(begin, "failed", errors=frozenset({fail.id}))

    return _recovered(fail, attempt, path, begin, cancel, log)


def _recovered(
    node: Leaf | Fail | Parallel,
    attempt: Callable[[int, float], Result],
    path: str,
    begin: float,
    cancel: float,
    log: Log,
) -> Result:
    """Attempts, each with its number and its beginning, and then what stands in."""
    retries = _Retries(node.retry)
    number = 0
    undone: frozenset[str] = frozenset()

    def undo(end: float, inner: str) -> float:
        nonlocal undone
        end, errors = _undo(log, f"{inner}/", end)
        undone = undone or errors
        return end

    while True:
        inner = path if number == 0 else f"{path}~{number + 1}"
        result = attempt(number, begin)
        number += 1
        retry = retries.decide(number) if result.kind == "failed" else None
        if retry is None:
            break
        if retry.broken:
            result = replace(result, errors=frozenset({f"evaluated: {path}"}))
            break
        end = undo(result.end, inner)
        if cancel <= end:  # a cancellation is not tried again
            return Result(end, "cancelled")
        begin = end + retry.wait
        if cancel <= begin:
            return Result(cancel, "cancelled")
    if result.kind == "failed" and node.fallback is not None:
        end = undo(result.end, inner)
        result = _node(node.fallback, f"{path}/@fallback/", end, cancel, log)
    if undone and result.kind == "ok":
        return Result(result.end, "failed", errors=undone)
    return result


class _Retries:
    """The retries of a node: the first that is for an attempt decides, each with its own count."""

    def __init__(self, first: Retry | None) -> None:
        self._rules: list[Retry] = []
        while first is not None:
            self._rules.append(first)
            first = first.then
        self._used = [0] * len(self._rules)

    def decide(self, attempt: int) -> Retry | None:
        for index, rule in enumerate(self._rules):
            spent = self._used[index] >= rule.max
            if spent and index == len(self._rules) - 1:
                return None
            if rule.broken:
                return rule
            if rule.upto is None or attempt <= rule.upto:
                self._used[index] += 1
                return None if spent else rule
        return None


def _attempt(leaf: Leaf, number: int, begin: float, cancel: float) -> Result:
    """One attempt, within its time limit."""
    if leaf.timeout is None:
        return _work(leaf, number, begin, cancel)
    deadline = begin + leaf.timeout
    result = _work(leaf, number, begin, min(cancel, deadline))
    return _within(leaf.id, result, deadline, cancel)


def _within(name: str, result: Result, deadline: float, cancel: float) -> Result:
    """What a time limit makes of what was done within it."""
    if result.kind == "failed" or result.end < deadline:
        return result
    if cancel <= result.end:  # what is around goes first
        return Result(result.end, "cancelled")
    return Result(result.end, "failed", errors=frozenset({f"too slow: {name}"}))


def _work(leaf: Leaf, number: int, begin: float, cancel: float) -> Result:
    end = inf if leaf.end == "hang" else begin + leaf.takes
    if leaf.end in ("stubborn", "block"):
        return Result(end, "ok", leaf.id)
    if cancel <= end:
        return _cleaned(leaf, cancel)
    if leaf.end == "shared":
        return Result(end, "failed", errors=frozenset({"shared"}))
    failing = leaf.end in _FAILING or (leaf.end == "flaky" and number < leaf.fails)
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


def _body(body: Body, path: str, begin: float, cancel: float, log: Log) -> Result:
    result = _sequence(body.nodes, path, begin, cancel, log)
    if body.cleanup is None:
        return result
    own = f"{path}@finally"
    if body.broken:
        late = _node(body.cleanup, f"{own}/", result.end, result.end + _CLEANUP, log)
        done = Result(late.end, "failed", errors=frozenset({f"evaluated: {own}"}))
    else:
        done = _node(body.cleanup, f"{own}/", result.end, inf, log)
    if done.kind == "failed" and result.kind != "failed":
        return done
    return replace(result, end=done.end)


def _sequence(nodes: Sequence[Node], path: str, begin: float, cancel: float, log: Log) -> Result:
    result = Result(begin, "ok")
    for index, node in enumerate(nodes):
        if isinstance(node, Return) and not node.taken and cancel > result.end:
            log.statuses[f"{path}{node.id}"] = "skipped"  # the output stays that of the node before
            continue
        result = _node(node, path, result.end, cancel, log)
        if result.kind == "returned":
            log.statuses |= {f"{path}{later.id}": "skipped" for later in nodes[index + 1 :]}
        if result.kind != "ok":
            break
    return result


def _if(node: If, path: str, begin: float, cancel: float, log: Log) -> Result:
    body = node.then if node.taken else node.other
    return Result(begin, "ok") if body is None else _body(body, f"{path}/", begin, cancel, log)


def _loop(node: Loop | While, path: str, begin: float, cancel: float, log: Log) -> Result:
    result = Result(begin, "ok")
    broken = node.broken if isinstance(node, Loop) else None
    for number in range(node.rounds):
        result = _body(node.body, f"{path}[{number}]/", result.end, cancel, log)
        if result.kind == "returned" and broken is not None:
            log.statuses[f"{path}[{number}]/{node.id}-break"] = "skipped"
        if result.kind != "ok":
            return result
        if isinstance(node, Loop) and node.broken is not None:
            if cancel <= result.end:
                return Result(result.end, "cancelled")
            log.statuses[f"{path}[{number}]/{node.id}-break"] = "success"
        if number == broken:
            break
    return result


def _timeout(node: Timeout, path: str, begin: float, cancel: float, log: Log) -> Result:
    deadline = begin + node.seconds
    result = _body(node.body, f"{path}/", begin, min(cancel, deadline), log)
    return _within(node.id, result, deadline, cancel)


# ---- blocks ----


@dataclass(frozen=True)
class Job:
    """A branch of a block that began, and how it ended; ``late``: after the block had been settled."""

    index: int
    result: Result
    late: bool = False


Branch = Callable[[float, float, Log], Result]
"""What a branch does that begins at the first time and is cancelled at the second."""


def _parallel(node: Parallel, path: str, begin: float, cancel: float, log: Log) -> Result:
    def branch(inner: str, index: int) -> Branch:
        def run(begin: float, cancel: float, log: Log) -> Result:
            result = _body(node.branches[index], f"{inner}/{index}/", begin, cancel, log)
            if result.kind != "ok" or node.refused is None or result.value != node.refused:
                return result
            error = f"the output of {inner}/{index} was not accepted"
            return Result(result.end, "failed", errors=frozenset({error}))

        return run

    def attempt(number: int, begin: float) -> Result:
        inner = path if number == 0 else f"{path}~{number + 1}"
        branches = [branch(inner, index) for index in range(len(node.branches))]
        result = _block(
            branches,
            node.limit,
            node.policy,
            begin,
            cancel,
            log,
            node.keeps,
            spawns=node.stagger is not None,
            stagger=node.stagger,
        )
        return _without(result, log, inner)

    return _recovered(node, attempt, path, begin, cancel, log)


def _foreach(node: Foreach, path: str, begin: float, cancel: float, log: Log) -> Result:
    def branch(index: int) -> Branch:
        return lambda begin, cancel, log: _body(node.body, f"{path}[{index}]/", begin, cancel, log)

    branches = [branch(index) for index in range(node.count)]
    result = _block(branches, node.limit, node.policy, begin, cancel, log, node.keeps, spawns=False)
    return _without(result, log, path)


def _without(result: Result, log: Log, inner: str) -> Result:
    """A block undoes what succeeded in the branches that it goes on without."""
    counted = result.counted
    if result.kind != "ok" or counted is None:
        return result

    def is_lost(path: str) -> bool:
        found = re.match(r"[/\[](\d+)", path[len(inner) :])
        return found is not None and int(found[1]) not in counted

    end, errors = _undo(log, inner, result.end, is_lost)
    return Result(end, "failed", errors=errors) if errors else replace(result, end=end)


def _block(
    branches: Sequence[Branch],
    limit: int,
    policy: Policy,
    begin: float,
    cancel: float,
    log: Log,
    keeps: int | None,
    spawns: bool,
    stagger: int | None = None,
) -> Result:
    behind: list[float] = [begin]
    refused: list[float] = [inf]

    def run(cancel: float, log: Log) -> list[Job]:
        """The branches begin in order, each as soon as there is a token for it."""
        free = [begin] * min(limit, len(branches))
        heapify(free)
        jobs: list[Job] = []
        began = begin
        for index, branch in enumerate(branches):
            start = heappop(free)
            if stagger is not None and jobs:
                before = jobs[-1].result
                failed = before.end if before.kind == "failed" else inf
                start = max(start, min(began + stagger, failed))
            began = start
            if floor_of(cancel) <= start:
                refused[0] = start
                if stagger is not None:
                    behind[0] = max(start, cancel)
                break
            jobs.append(Job(index, branch(start, cancel, log)))
            heappush(free, jobs[-1].result.end)
        else:
            if stagger is not None and limit <= len(branches):
                # Who starts them asks for a further one once there is a token.
                behind[0] = min(free, default=inf)
        return jobs

    deadline = inf if keeps is None else begin + keeps
    return _settle(
        run, len(branches), policy, begin, cancel, log, spawns, deadline, behind, refused
    )


def _graph(workflow: Workflow, cancel: float, log: Log) -> Result:
    nodes = workflow.nodes
    awaited = _awaited(workflow)
    returned: list[Result] = []

    def run(cancel: float, log: Log) -> list[Job]:
        """A node begins when those that it waits for have succeeded; behind a return it is passed over."""
        returned.clear()
        jobs: dict[int, Job] = {}
        for index, node in enumerate(nodes):
            before = [jobs.get(other) for other in awaited[index]]
            if any(job is None or job.result.kind != "ok" for job in before):
                continue
            start = max([job.result.end for job in before if job is not None], default=0)
            if floor_of(cancel) <= start:
                continue
            if returned:
                log.statuses[node.id] = "skipped"
                jobs[index] = Job(index, Result(start, "ok"))
                continue
            result = _node(node, "", start, cancel, log)
            if result.kind == "returned":
                returned.append(result)
                result = replace(result, kind="ok")
            jobs[index] = Job(index, result)
        return list(jobs.values())

    result = _settle(run, len(nodes), Policy(), 0, cancel, log)
    if result.kind != "ok":
        return result
    return replace(result, value=returned[0].value if returned else result.value[-1])


def _awaited(workflow: Workflow) -> list[set[int]]:
    """What each node waits for: what it names, and whatever may end the document stands between all others."""
    awaited: list[set[int]] = []
    barrier: int | None = None
    for index, node in enumerate(workflow.nodes):
        waits = set(workflow.after[index])
        if barrier is not None:
            waits.add(barrier)
        if _may_return(node):
            waits |= set(range(index))
            barrier = index
        awaited.append(waits)
    return awaited


def _may_return(node: Node) -> bool:
    inner = (other for body in bodies_of(node) for other in body.nodes)
    return isinstance(node, Return) or any(map(_may_return, inner))


def _settle(
    run: Callable[[float, Log], list[Job]],
    total: int,
    policy: Policy,
    begin: float,
    cancel: float,
    log: Log,
    spawns: bool = False,
    deadline: float = inf,
    behind: Sequence[float] = (0,),
    refused: Sequence[float] = (inf,),
) -> Result:
    """``spawns``: somebody waits for a token to start the next branch, and is cancelled with the rest.

    ``deadline``: when the block ends with what has succeeded. ``behind``: until when somebody waits to start the
    next branch, or for a token behind the last one. ``refused``: when a branch was to begin that met the
    cancellation; it passes on unless the block was settled by then.
    """
    around, cancel = cancel, min(cancel, deadline)
    jobs = run(cancel, Log())
    decided = _decision(jobs, total, policy)
    own = decided is not None and decided < cancel
    if own and decided is not None:
        on_time = {job.index for job in jobs if job.result.end <= decided}
        after = run(decided + SOON, log)
        jobs = [replace(job, late=job.index not in on_time) for job in after]
    else:
        jobs = run(cancel, log)
    end = max([begin, *(job.result.end for job in jobs)])
    waited = len(jobs) < total and (spawns or decided is None or decided > refused[0])
    waited = waited or behind[0] >= cancel
    if behind[0] >= cancel and not own:
        end = max(end, cancel)  # they have all ended, and it is waited for the next one's turn
    unwound = waited or any(job.result.kind == "cancelled" for job in jobs)
    raised = unwound and cancel <= end
    result = _conclude(jobs, total, policy, end, raised, decided if own else None, cancel)
    if end < deadline:
        return result
    settled = _decision(jobs, total, policy)
    if result.kind == "failed" and settled is not None and settled < deadline:
        return result
    if around <= end:  # what is around goes first
        return Result(end, "cancelled")
    return _kept([job for job in jobs if job.result.end < deadline], len(jobs), policy, end)


def _kept(ended: list[Job], started: int, policy: Policy, end: float) -> Result:
    """What a block has that ends with what has succeeded."""
    winners = [job for job in _in_order(ended) if job.result.kind == "ok"][: policy.need]
    values = {job.index: job.result.value for job in winners}
    if policy.need is not None:
        return Result(end, "ok", list(values.values()), counted=frozenset(values))
    return Result(end, "ok", [values.get(i) for i in range(started)], counted=frozenset(values))


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
        counted = frozenset(job.index for job in winners[: policy.need])
        values = [job.result.value for job in winners[: policy.need]]
        return Result(end, "ok", values, counted=counted)
    surfacing = failures
    if not _is_lost(len(failures), total, policy):
        outside = raised and not policy.tolerate and decided is None
        surfacing = [job for job in failures if outside and job.result.end >= cancel]
    if surfacing:
        return Result(end, "failed", errors=_first(surfacing, decided))
    if raised:
        return Result(end, "cancelled")
    found = {job.index: job.result.value for job in winners}
    output = [found.get(index) for index in range(total)]
    return Result(end, "ok", output, counted=frozenset(found))


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
