"""Owns the blocks whose branches run side by side: ``<parallel>`` and ``<foreach>``."""

from __future__ import annotations

from collections.abc import (
    Awaitable,
    Sequence,
    Sized,
)
from contextvars import copy_context
from dataclasses import replace
from functools import partial
from typing import Any

import trio

from ..expression import Expression
from ..expression.scope import Overlay
from ..program.compiled import CompiledBody
from ..runtimes.control.results import ForeachResult, ParallelResult
from ..runtimes.streams import Stream
from ..scheduler.feeding import run_each_async
from ..scheduler.policy import Policy, Verdict
from ..scheduler.pools import CollectionPool
from ..scheduler.raised import goes_before
from ..scheduler.signals import Failed
from ..scheduler.workers import run_pool
from ..types.ast import Body
from ..types.errors import SettingError
from ..types.exceptions import is_a
from ..types.items import Items
from ..types.paths import branch_paths, iteration_paths, prefix_in
from ..types.results import SKIPPED
from .batches import Batches
from .branches import Branches
from .collections import PLAIN, close_collection, feed_items
from .frame import Attempt, Frame, Outcome
from .merge import merge_outputs
from .pacing import Fetched
from .regions import Region
from .state import clone_state_for_branch
from .walk import Walk


async def handle_parallel_result(walk: Walk, result: ParallelResult, attempt: Attempt) -> Outcome:
    """Run the branches at the same time; their outputs are in the order of the branches.

    The first error of a branch comes back as it left its node, once every other branch has unwound.
    Cancellation reaches every branch and passes on.
    """
    total, bodies = len(result.branches), walk.program.bodies
    state = attempt.enter().state.snapshot()
    name = branch_paths(attempt.inner)
    limit = walk.run.capped(result.max_concurrency or walk.max_concurrency)
    one_each = total <= limit

    def enter(index: int, branch: Body, region: Region) -> tuple[CompiledBody, Frame]:
        body = bodies[branch.key]
        own = clone_state_for_branch(state, index)
        frame = Frame(own, prefix_in(name(index)), region, attempt.input)
        frame.owns_context = body.is_one_node
        return body, frame

    branches = Branches(
        walk,
        attempt,
        name,
        enter,
        keep_outputs=True,
        keep_states=True,
        accept=result.accept,
    )
    _check_race(result.policy, total, attempt)
    block = branches.open(result.policy, limit, breakable=False)

    def feed() -> Awaitable[Verdict]:
        if result.stagger is None:
            return run_pool(block, CollectionPool(result.branches, total), one_each=one_each)
        return run_each_async(block, branches.pace(Fetched(result.branches), result.stagger))

    verdict = await branches.judge(feed)
    if verdict.error is not None:
        return _fail(branches, verdict, total)
    ran = total
    if branches.is_cut_short:
        total = block.started
    counted = _counted(branches, verdict, total)
    published = attempt.frame.state
    for index, branch in enumerate(result.branches):
        body = bodies[branch.key]
        if index in branches.states and index in counted:
            published.publish(branches.states[index], body.inner_ids, variables=False)
        else:
            lost = branches.states.get(index) or branches.lost_states.get(index)
            published.lose(lost, body.inner_ids)
    labels = [bodies[branch.key].last_label for branch in result.branches]
    output = _merge(result.merge, branches, counted, labels, attempt)
    return Outcome(
        output,
        branches=branches.results(ran),
        lost=branches.lost(verdict) if attempt.step.undoes else None,
    )


async def handle_foreach_result(walk: Walk, result: ForeachResult, attempt: Attempt) -> Outcome:
    """Run the body once for each item of the collection, which is consumed here and only here.

    Cancellation reaches every iteration and passes on; a generator that is left early is closed.
    """
    collection = result.collection
    if isinstance(collection, Stream):
        collection.claim()
    if walk.run.recorder is not None and not isinstance(collection, (Sequence, Stream, Items)):
        raise SettingError(
            f"the collection of {attempt.step.label!r} is of type {type(collection).__name__}, of which a "
            "durable run cannot know how far it was read; expected a list, the stream of a source, or "
            "flowscript_trio.Items, whose function is called with n and gives the items from the n-th on"
        )
    if walk.run.spending is not None:
        walk.run.spending.keep(collection, attempt.path)
    items = collection if isinstance(collection, Sequence) else None
    size = len(collection) if isinstance(collection, Sized) else None
    if result.debounce is not None:
        size = None  # nobody knows which items will count
    if result.batch is not None:
        if type(collection) in PLAIN and result.debounce is None:
            collection = Batches(collection, result.batch)
        size = None if size is None else -(-size // result.batch)
    body = walk.program.bodies[result.body.key]
    state = attempt.enter({"$items": items}).state.snapshot()
    name = iteration_paths(attempt.inner)
    last = None if size is None else size - 1
    owns_context = body.is_one_node

    def enter(index: int, item: Any, region: Region) -> tuple[CompiledBody, Frame]:
        bound = {
            "$item": item,
            "$index": index,
            "$first": index == 0,
            "$last": None if last is None else index == last,
            result.item: item,
            result.index: index,
        }
        frame = Frame(state.fork(bound), prefix_in(name(index)), region, attempt.input)
        frame.owns_context = owns_context
        return body, frame

    races = result.policy.need is not None
    branches = Branches(
        walk,
        attempt,
        name,
        enter,
        keep_outputs=result.merge != "none",
        keep_states=races,
        is_foreach=True,
        accept=result.accept,
    )
    policy = replace(result.policy, total=size)
    if size is not None:
        _check_race(policy, size, attempt)
    limit = walk.run.capped(result.max_concurrency)
    block = branches.open(policy, limit, breakable=body.can_break)
    context = copy_context()
    verdict: Verdict | None = None
    raised: BaseException | None = None
    try:
        start = 0
        if isinstance(collection, Items):
            if branches.journal is not None and not result.is_paced:
                start = branches.journal.compacted.first_missing()
            collection = context.run(collection.factory, start * (result.batch or 1))
        walked = partial(
            feed_items, branches, collection, result, size, context, walk.run.spending, start
        )
        verdict = await branches.judge(walked)
        if branches.journal is not None:
            await branches.journal.tell_again()
    except BaseException as exc:
        raised = exc
    if branches.journal is not None:
        branches.journal.close()
    lost = await close_collection(collection, context)
    found = raised if verdict is None else verdict.error
    for error in block.unsurfaced(found):
        walk.run.note_lost(attempt.path, error)
    try:
        if lost is not None:
            if goes_before(lost, found):
                if found is not None and not is_a(found, trio.Cancelled):
                    walk.run.note_lost(attempt.path, found)
                return Outcome(signal=Failed(lost), branches=branches.results(block.started))
            assert found is not None
            walk.run.note_lost(attempt.path, lost)
        if raised is not None:
            raise raised
    finally:
        del raised, found  # their tracebacks have this frame
    assert verdict is not None
    total = block.started if size is None or branches.is_cut_short else size
    if verdict.error is not None:
        return _fail(branches, verdict, total)
    if races and verdict.winners is None and not branches.is_cut_short:
        _check_race(policy, total, attempt)
    if block.lowest_break is not None:
        total = block.lowest_break + 1
    counted = _counted(branches, verdict, total)
    latest = max(counted, default=-1) if races else total - 1
    if latest in branches.states:
        attempt.frame.state.publish(branches.states[latest], body.inner_ids, variables=False)
    elif total == 0:
        attempt.frame.state.forget(body.inner_ids, SKIPPED)
    else:
        attempt.frame.state.lose(branches.lost_states.get(latest), body.inner_ids)
    if result.merge == "none":
        output: Any = len(counted) if races else branches.succeeded
    else:
        output = _merge(result.merge, branches, counted, (), attempt)
    escape = branches.escape.get(total - 1) if block.lowest_break is not None else None
    return Outcome(
        output,
        escape,
        branches.results(total),
        lost=branches.lost(verdict) if attempt.step.undoes else None,
    )


def _check_race(policy: Policy, total: int, attempt: Attempt) -> None:
    """Raise SettingError where more branches must succeed than there are."""
    if policy.need is not None and policy.need > total:
        raise SettingError(
            f"{attempt.step.label!r} waits for {policy.need} of its branches to succeed, and has {total}"
        )


def _counted(branches: Branches, verdict: Verdict, total: int) -> Sequence[int]:
    """The branches whose outputs make the block's output, in its order."""
    return range(total) if verdict.winners is None else verdict.winners


def _fail(branches: Branches, verdict: Verdict, total: int) -> Outcome:
    assert verdict.error is not None
    branches.explain(verdict, total)
    signal = None if verdict.failed is None else branches.failed.get(verdict.failed)
    return Outcome(signal=signal or Failed(verdict.error), branches=branches.results(total))


def _merge(
    merge: str | Expression,
    branches: Branches,
    counted: Sequence[int],
    labels: Sequence[str],
    attempt: Attempt,
) -> Any:
    outputs = [branches.outputs.get(index) for index in counted]
    if isinstance(merge, Expression):
        return merge(Overlay(attempt.scope, {"$branches": outputs}))
    failed = frozenset(slot for slot, index in enumerate(counted) if index not in branches.outputs)
    return merge_outputs(
        merge, outputs, failed, [labels[index] for index in counted] if labels else ()
    )
