"""Owns what a run has spent of its budget, and what follows where that is exceeded."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Container, Iterable, Iterator
from math import inf
from typing import Any

import trio

from ..types.budget import Budget
from ..types.errors import BudgetExceeded, LimitExceeded
from ..types.paths import is_cleanup
from .bounds import took_too_long
from .kept import Kept

LAST_SECOND = 1.0
"""Seconds that closing what runtimes have opened has at least, in all, whatever clean-up has taken."""


class Purse:
    """What was spent of the counts of a budget: by the nodes of a run, or by its clean-up."""

    __slots__ = ("kept", "nodes", "record_bytes", "requests", "rounds")

    def __init__(self, budget: Budget) -> None:
        self.nodes: int = 0
        self.rounds: int = 0
        self.requests: int = 0
        self.record_bytes: int = 0
        self.kept: Kept | None = None if budget.output_bytes is None else Kept(budget.output_bytes)


class Spending:
    """The budget of one run, and what was spent of it.

    What is exceeded first cancels the run, by ``cancel``, and is ``exceeded`` from then on. What clean-up exceeds
    ends clean-up. The methods that count raise :class:`BudgetExceeded`, so that it is also the error of the node
    that went too far.
    """

    __slots__ = (
        "_cleaning",
        "_cleanup_left",
        "_end",
        "_now",
        "_open",
        "_purse",
        "_purse_of_cleanup",
        "_since",
        "_stopped",
        "budget",
        "cancel",
        "elsewhere",
        "exceeded",
        "had_round",
        "is_over",
        "noted",
        "ran_before",
        "requests_of",
    )

    def __init__(self, budget: Budget) -> None:
        self.budget: Budget = budget
        self.exceeded: BudgetExceeded | None = None
        """What the nodes of the run have exceeded first."""
        self.is_over: bool = False
        """Whether the nodes of the run have ended, so that only clean-up is left."""
        self.cancel: Callable[[str], None] | None = None
        self.ran_before: float = 0.0
        """Seconds in which earlier processes were at work on a durable run."""
        self.had_round: Callable[[str], bool] | None = None
        """Says of a round of a durable run whether an earlier process had begun it."""
        self.requests_of: dict[str, int] | None = None
        """In a durable run, the requests of the executions that are under way, by their paths."""
        self.elsewhere: dict[str, tuple[int, int, int]] | None = None
        """In a durable run, what its parts have spent that ran elsewhere, by their paths."""
        self.noted: Callable[[str, str, int], None] | None = None
        """In a durable run, told of each path where this much of the count of that name was taken."""
        self._now: Callable[[], float]
        self._end = inf
        self._cleanup_left = inf if budget.cleanup is None else budget.cleanup
        self._cleaning = 0  # clean-ups under way
        self._since = 0.0  # when the first of them began
        self._open: set[trio.CancelScope] = set()
        self._stopped: BudgetExceeded | None = None  # what clean-up has exceeded
        self._purse = Purse(budget)
        self._purse_of_cleanup = Purse(budget)

    def begin(self) -> None:
        """The run begins now."""
        self._now = trio.lowlevel.current_clock().current_time
        if self.budget.seconds is not None:
            self._end = self._now() + self.budget.seconds - self.ran_before

    def cap(self, limit: float) -> float:
        """How many branches of a block may run at once where it asks for this many."""
        return limit if self.budget.tasks is None else min(limit, self.budget.tasks)

    def left(self) -> Budget:
        """What is left for a part of the run that runs elsewhere."""
        purse, budget = self._purse, self.budget
        return Budget(
            cleanup=budget.cleanup,
            tasks=budget.tasks,
            nodes=_less(budget.nodes, purse.nodes),
            rounds=_less(budget.rounds, purse.rounds),
            requests=_less(budget.requests, purse.requests),
            output_bytes=budget.output_bytes,
        )

    def counts(self) -> tuple[int, int, int]:
        """The nodes, rounds and requests so far."""
        return self._purse.nodes, self._purse.rounds, self._purse.requests

    def add_spent(self, path: str, nodes: int, rounds: int, requests: int) -> None:
        """Count what a part of the run has spent elsewhere; raises BudgetExceeded, as counting here does."""
        purse = self._purse_at(path)
        purse.nodes += nodes
        purse.rounds += rounds
        purse.requests += requests
        if self.elsewhere is not None:
            self.elsewhere[path] = (nodes, rounds, requests)
        self._note_all(path, nodes, rounds, requests)
        for name in ("nodes", "rounds", "requests"):
            most = getattr(self.budget, name)
            if most is not None and getattr(purse, name) > most:
                raise self.exceed(name, path)

    # ---- counts ----

    def count_node(self, path: str) -> None:
        """One attempt of a node begins."""
        self._check_time(path)
        purse, most = self._purse_at(path), self.budget.nodes
        purse.nodes += 1
        if self.noted is not None:
            self.noted(path, "nodes", 1)
        if most is not None and purse.nodes > most:
            raise self.exceed("nodes", path)

    def recount_node(self, path: str) -> None:
        """An attempt of a node is restored that an earlier process had begun: it was within the budget then."""
        self._purse_at(path).nodes += 1
        if self.noted is not None:
            self.noted(path, "nodes", 1)

    def count_round(self, path: str) -> None:
        """One round of a loop, or one iteration, begins."""
        if self.noted is not None:
            self.noted(path, "rounds", 1)
        if self.had_round is not None and self.had_round(path):
            self._purse_at(path).rounds += 1  # it was within the budget when it was begun
            return
        self._check_time(path)
        purse, most = self._purse_at(path), self.budget.rounds
        purse.rounds += 1
        if most is not None and purse.rounds > most:
            raise self.exceed("rounds", path)

    def count_request(self, path: str) -> None:
        """One request is about to be sent."""
        purse, most = self._purse_at(path), self.budget.requests
        purse.requests += 1
        self._note_requests_of(path, 1)
        if most is not None and purse.requests > most:
            raise self.exceed("requests", path)

    def _note_requests_of(self, path: str, requests: int) -> None:
        if self.noted is not None:
            self.noted(path, "requests", requests)
        if self.requests_of is not None:
            self.requests_of[path] = self.requests_of.get(path, 0) + requests

    def take_requests(self, path: str) -> int:
        """How many requests the execution at ``path`` has sent since this was asked, in a durable run."""
        return 0 if self.requests_of is None else self.requests_of.pop(path, 0)

    def take_elsewhere(self, path: str) -> tuple[int, int, int]:
        """The nodes, rounds and requests of a part that ran elsewhere, in a durable run."""
        return (0, 0, 0) if self.elsewhere is None else self.elsewhere.pop(path, (0, 0, 0))

    def note_elsewhere(self, path: str, nodes: int, rounds: int, requests: int) -> None:
        """A part of the run has spent that elsewhere, which an earlier process has seen."""
        purse = self._purse_at(path)
        purse.nodes += nodes
        purse.rounds += rounds
        purse.requests += requests
        self._note_all(path, nodes, rounds, requests)

    def _note_all(self, path: str, nodes: int, rounds: int, requests: int) -> None:
        if self.noted is not None:
            for name, count in (("nodes", nodes), ("rounds", rounds), ("requests", requests)):
                self.noted(path, name, count)

    def note_spent(self, name: str, in_cleanup: bool, count: int) -> None:
        """What an earlier process has compacted took this much of a count."""
        purse = self._purse_of_cleanup if in_cleanup else self._purse
        setattr(purse, name, getattr(purse, name) + count)

    def note_requests(self, path: str, requests: int) -> None:
        """This many requests were sent by an execution in an earlier process."""
        self._purse_at(path).requests += requests

    def keep(self, value: Any, path: str) -> None:
        """A value was made that may be kept: an output, a variable, an input, the settings of a node."""
        kept = self._purse_at(path).kept
        if kept is not None and not kept.add(value):
            kept.clear()
            raise self.exceed("output_bytes", path)

    def grow(self, made: list[Any], since: int, path: str) -> None:
        """A list that may be kept has grown since it had this many items."""
        kept = self._purse_at(path).kept
        if kept is not None and not kept.grow(made, since):
            kept.clear()
            raise self.exceed("output_bytes", path)

    def note_record(self, more: int, path: str) -> None:
        """The record has grown by this many bytes. It raises nothing: what is recorded has happened."""
        purse, most = self._purse_at(path), self.budget.record_bytes
        before = purse.record_bytes
        purse.record_bytes += more
        if most is not None and before <= most < purse.record_bytes:
            self.exceed("record_bytes", path)

    def exceed(self, bound: str, path: str = "") -> BudgetExceeded:
        """Cancel the run, or in clean-up what is left of it; gives the error to raise."""
        limit = getattr(self.budget, bound)
        if is_cleanup(path):
            stopped = BudgetExceeded(bound, limit, path, in_cleanup=True)
            if self._stopped is None:
                self._stopped = stopped
                self._cleanup_left = 0.0
                for scope in self._open:
                    scope.cancel("clean-up exceeded the budget of the run")
            return stopped
        error = BudgetExceeded(bound, limit, path)
        if self.exceeded is None:
            self.exceeded = error
            if self.cancel is not None:
                self.cancel(reason_of(error))
        return error

    def _purse_at(self, path: str) -> Purse:
        return self._purse_of_cleanup if is_cleanup(path) else self._purse

    # ---- time ----

    def _check_time(self, path: str) -> None:
        """Thousands of tasks may begin in one pass, between two of which trio looks at deadlines."""
        if self._now() >= self._end and not is_cleanup(path):
            raise self.exceed("seconds", path)

    def look(self) -> None:
        """Look at the clock in the middle of an evaluation, which no cancellation reaches.

        Raises BudgetExceeded where the run has no time left, and LimitExceeded where clean-up has none.
        """
        now = self._now()
        if now < self._end and not self.is_over:
            return
        if self._cleaning:
            if now < self._since + self._cleanup_left:
                return
            if self.is_over:
                raise LimitExceeded(
                    f"the clean-up of the run took longer than its budget of {self.budget.cleanup:g} s"
                )
        if not self.is_over:
            raise self.exceeded or self.exceed("seconds")

    def begin_cleanup(self, seconds: float) -> float:
        """A clean-up begins that asks for this many seconds; gives how many it may take."""
        now = self._now()
        if not self._cleaning:
            self._since = now
        self._cleaning += 1
        return min(seconds, max(self._since + self._cleanup_left - now, 0.0))

    def hold(self, scope: trio.CancelScope) -> None:
        """The scope of a clean-up that has begun."""
        self._open.add(scope)

    def end_cleanup(self, scope: trio.CancelScope | None) -> None:
        """A clean-up has ended; what several took at the same time counts once."""
        if scope is not None:
            self._open.discard(scope)
        self._cleaning -= 1
        if not self._cleaning:
            took = self._now() - self._since
            self._cleanup_left = max(self._cleanup_left - took, 0.0)

    @property
    def error(self) -> BudgetExceeded | None:
        """What was exceeded: by the nodes of the run, else by its clean-up."""
        return self.exceeded or self._stopped

    def error_of_cleanup(self, path: str, seconds: float, allowed: float) -> Exception:
        """The error of a clean-up that was given up: it asked for this many seconds, and was allowed this many."""
        if self._stopped is not None:
            return self._stopped
        if allowed == seconds:
            return took_too_long(f"clean-up at {path!r}", seconds)
        return trio.TooSlowError(
            f"clean-up at {path!r} took longer than the {allowed:g} s that were left of the budget's "
            f"{self.budget.cleanup:g} s of clean-up; shorten it, or give the run more with Budget(cleanup=…)"
        )

    @property
    def seconds_to_close(self) -> float:
        """How long closing what runtimes have opened may take, in all."""
        return max(self._cleanup_left, LAST_SECOND)


def reason_of(error: BudgetExceeded) -> str:
    """Why a run is cancelled that has exceeded its budget."""
    return f"{error.path or 'the run'} exceeded the budget: {error.bound}"


def counted(
    items: Iterable[Any],
    spending: Spending,
    name: Callable[[int], str],
    start: int = 0,
    done: Container[int] = (),
) -> Iterator[Any]:
    """The items of a ``<foreach>`` from index ``start`` on, each of which is a round, called by its index.

    Those of ``done`` are counted already.
    """
    for index, item in enumerate(items, start):
        if index not in done:
            spending.count_round(name(index))
        yield item


class CountedAsync:
    """The same of an async iterator.

    It is not a generator: one that is left in the middle would have to be closed.
    """

    __slots__ = ("_done", "_index", "_items", "_name", "_spending")

    def __init__(
        self,
        items: AsyncIterator[Any],
        spending: Spending,
        name: Callable[[int], str],
        start: int = 0,
        done: Container[int] = (),
    ) -> None:
        self._index = start
        self._done = done
        self._items = items
        self._name = name
        self._spending = spending

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        item = await anext(self._items)
        if self._index not in self._done:
            self._spending.count_round(self._name(self._index))
        self._index += 1
        return item


def _less(most: int | None, spent: int) -> int | None:
    return None if most is None else max(most - spent, 0)
