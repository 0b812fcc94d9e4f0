"""Owns what a proof knows of the limits that a run takes by name: what each allows, and has out after it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import trio

from ...execution.options import RunOptions
from ...program.loading import Flow
from ...scheduler.limits.limit import Limit
from ...types.limits import Rate


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a limit allows, and how many held it and waited for it when the run was over, more than before."""

    max: float
    rate: Rate | None = None
    burst: int = 1
    taken: int = 0
    waiting: int = 0


def limits_after(flow: Flow, options: RunOptions, before: Mapping[str, int]) -> dict[str, Allowed]:
    """The limits of a run that is over, by name; ``before`` is how many held each when it began."""
    found: dict[str, Allowed] = {}
    for name, limit in _limits_of(flow, options).items():
        if isinstance(limit, Limit):
            taken = limit.taken - before.get(name, 0)
            found[name] = Allowed(limit.max, limit.rate, limit.burst, taken, limit.waiting)
        elif limit is not None:
            found[name] = Allowed(limit.total_tokens)
    return found


def taken_now(flow: Flow, options: RunOptions) -> dict[str, int]:
    """How many hold each of the limits of a run that is to begin."""
    return {
        name: limit.taken
        for name, limit in _limits_of(flow, options).items()
        if isinstance(limit, Limit)
    }


def _limits_of(
    flow: Flow, options: RunOptions
) -> Mapping[str, Limit | trio.CapacityLimiter | None]:
    use = flow.program.limits
    if use is None:
        return {}
    given = options.limits if isinstance(options.limits, Mapping) else {}
    declared = flow.library.limits_declared
    return {name: given.get(name) or declared.get(name) for name in use.needs}
