"""Owns the workloads of limits with names where nobody waits: what taking one adds to a node.

Both sides are the engine: with the limit, and without. The difference is what is to be below 2 µs.
"""

from __future__ import annotations

from collections.abc import Iterator

import trio

import flowscript_trio as fs

from . import flows
from .measuring import Workload

HEAD = '<limit name="a" max="5"/><limit name="b" max="5" rate="1000000000/s" burst="100"/>'
BREAKER = '<limit name="c" breaker="5 in 1m, 30s"/>'


def nodes(count: int, limit: str) -> fs.Flow:
    named = f' limit="{limit}"' if limit else ""
    each = f'<foreach id="f" collection="range({count})" merge="none"><source:noop id="n"{named}/></foreach>'
    return flows.load(HEAD + BREAKER + each)


def workload(count: int, what: str, limit: str, reach: float) -> Workload:
    name = f"foreach, {count} nodes, {what}"
    plain, limited = flows.run(nodes(count, "")), flows.run(nodes(count, limit))
    return Workload(name, "node", count, limited, plain, reach, None)


def by_limiter(count: int) -> Workload:
    """The same node with a limit, and with a token of trio's own limiter over the run."""
    limiter = trio.CapacityLimiter(5)
    engine, hand = flows.run(nodes(count, "a")), flows.run(nodes(count, ""), limiter=limiter)
    name = f"foreach, {count} nodes, one limit, to limiter="
    return Workload(name, "node", count, engine, hand, 1.0, None)


def workloads(scale: float) -> Iterator[Workload]:
    count = max(int(10_000 * scale), 10)
    yield workload(count, "one limit, to none", "a", 1.3)
    yield workload(count, "a limit, a rate and a breaker, to none", "a b c", 1.6)
    yield by_limiter(count)
