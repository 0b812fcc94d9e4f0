"""Owns what a proof notes of control nodes: the time limits that they set, the terms of blocks, assignments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...runtimes.control.results import ForeachResult, ParallelResult
from ...runtimes.control.types import RetryConfig
from ...types.ast import BaseNode
from .calls import Moment


@dataclass(frozen=True, slots=True)
class Limit:
    """The node at ``path``, or the document that it runs ("" for the run), may take this many ``seconds``."""

    path: str
    seconds: float
    since: Moment


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt of the node at ``path`` began; ``retries`` say when a further one follows its failure."""

    path: str
    retries: tuple[RetryConfig, ...]
    at: Moment


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms on which a block opened its branches: ``asked`` is what its runtime gave."""

    path: str
    node: BaseNode
    asked: ParallelResult | ForeachResult
    since: Moment

    @property
    def need(self) -> int | None:
        return self.asked.policy.need

    @property
    def fails_fast(self) -> bool:
        return self.asked.policy.fail_fast

    @property
    def total(self) -> int | None:
        """How many branches there are to be; None where the collection does not say."""
        if isinstance(self.asked, ParallelResult):
            return len(self.asked.branches)
        try:
            return len(self.asked.collection)
        except TypeError:
            return None

    def is_won(self, successes: int) -> bool:
        """Whether this many successes end a race."""
        return self.need is not None and successes >= self.need

    def is_lost(self, failures: int) -> bool:
        """Whether the block can no longer succeed after this many failures, for certain."""
        total, tolerate = self.total, self.asked.policy.tolerate
        if self.need is not None:
            return total is not None and total - failures < self.need
        if isinstance(tolerate, int):
            return failures > tolerate
        return total is not None and failures > tolerate * total + 1e-9


@dataclass(frozen=True, slots=True)
class Assigned:
    """The node at ``path`` assigned these variables."""

    path: str
    values: Mapping[str, Any]
    at: Moment
