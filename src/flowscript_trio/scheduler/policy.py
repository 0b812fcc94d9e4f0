"""Owns the decision of a block: when it is settled, which error is first, which job has won. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..types.deferred import dataclass
from ..types.errors import BudgetExceeded
from ..types.exceptions import is_a


@dataclass(frozen=True, slots=True)
class Policy:
    """How many jobs of a block must succeed, and how many may fail.

    ``need`` is how many must succeed, None for all; ``tolerate`` (with ``need`` None) how many may fail:
    a count, or as a float a share of the total, rounded down. ``fail_fast`` says whether the rest are
    cancelled once the block can no longer succeed. ``total`` is the number of jobs, None if not known.
    """

    need: int | None = None
    fail_fast: bool = True
    tolerate: int | float = 0
    total: int | None = None

    def is_lost(self, failures: int, total: int | None) -> bool:
        """Whether this many failures are too many. Where the total is not known: whether it is certain."""
        if self.need is not None:
            return total is not None and failures > total - self.need
        if isinstance(self.tolerate, int):
            return failures > self.tolerate
        return total is not None and failures > int(total * self.tolerate + 1e-9)

    def is_won(self, successes: int) -> bool:
        """Whether this many successes end a race."""
        return self.need is not None and successes >= self.need


INTERRUPTS = (KeyboardInterrupt, SystemExit)
"""What ends a program. They surface whenever they come, before all else, in this order."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a job ended, in which of the scheduler's passes.

    ``fatal`` errors are the block's own (its collection failed). ``outside`` says that a cancellation from
    outside the block was pending when the error left the job.
    """

    at: int
    index: int
    error: BaseException | None = None
    fatal: bool = False
    outside: bool = False

    @property
    def is_final(self) -> bool:
        """Whether it is neither tolerated nor waited for: a fatal error, one that is not an ``Exception``, or the
        budget's.
        """
        if self.fatal or is_a(self.error, BudgetExceeded):
            return True
        return not is_a(self.error, (Exception, type(None)))


def in_order(endings: Iterable[Ending]) -> list[Ending]:
    """By the pass in which they ended; those of one pass in document order: nothing is left to chance.

    Interrupts take precedence over everything, whenever they came; of one pass, what is not an
    ``Exception`` goes first.
    """

    def rank(ending: Ending) -> tuple[int, int, bool, int]:
        error = ending.error
        return (_interrupts(error), ending.at, is_a(error, Exception), ending.index)

    return sorted(endings, key=rank)


def _interrupts(error: BaseException | None) -> int:
    for place, kind in enumerate(INTERRUPTS):
        if is_a(error, kind):
            return place
    return len(INTERRUPTS)


def first_to_surface(errors: Sequence[BaseException]) -> BaseException:
    """Of errors in the order in which they came, the one to raise: the first, unless one is an interrupt."""
    return min(errors, key=_interrupts)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a block: the error that surfaces, or None; in a race the winners' indices in order.

    ``failed`` is the index of the job whose error surfaces.
    """

    error: BaseException | None
    winners: tuple[int, ...] | None = None
    failed: int | None = None


class Tally:
    """The endings of a block's jobs so far. ``decided_at`` is the pass in which they settled the block."""

    __slots__ = ("_policy", "_races", "decided_at", "failures", "lost", "succeeded", "successes")

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._races = policy.need is not None
        self.decided_at: int | None = None
        self.failures: list[Ending] = []
        self.successes: list[Ending] = []  # of a race; elsewhere counting them is enough
        self.succeeded: int = 0
        self.lost: list[BaseException] = []
        """What the collection raised when nothing was asked of it any more."""

    def add_success(self, at: int, index: int) -> None:
        self.succeeded += 1
        if self._races:
            self.successes.append(Ending(at, index))
            if self.decided_at is None and self._policy.is_won(self.succeeded):
                self.decided_at = at

    def add_failure(self, ending: Ending) -> None:
        self.failures.append(ending)
        if self.decided_at is not None:
            return
        policy = self._policy
        if ending.is_final or (
            policy.fail_fast and policy.is_lost(len(self.failures), policy.total)
        ):
            self.decided_at = ending.at

    def decisive(self) -> Ending:
        """The ending that settled the block: the first error, or the success that completed a race."""
        if self._policy.is_won(self.succeeded) and not self._beaten():
            return self._winners()[-1]
        return in_order(self.failures)[0]

    def conclude(self, total: int, cancelled: bool) -> Verdict | None:
        """The verdict over all ``total`` jobs; None where it is neither success nor failure but ``cancelled``.

        An error that left its job under a cancellation from outside surfaces, unless it is tolerated.
        """
        policy = self._policy
        if policy.is_won(self.succeeded) and not cancelled:
            surfacing = self._beaten()
            if not surfacing:
                return Verdict(None, tuple(ending.index for ending in self._winners()))
        else:
            surfacing = self.failures
            known = total if policy.total is None else policy.total
            if not policy.is_lost(len(self.failures), known):
                surfacing = [
                    e
                    for e in self.failures
                    if e.is_final or (cancelled and e.outside and not policy.tolerate)
                ]
        if surfacing:
            first = in_order(surfacing)[0]
            return Verdict(first.error, failed=first.index)
        return None if cancelled else Verdict(None)

    def unsurfaced(self, surfacing: BaseException | None) -> list[BaseException]:
        """Errors of the block's own (its collection failed) but the one that surfaces: no job has them."""
        own = [each.error for each in self.failures if each.fatal and each.error is not None]
        return [error for error in (*own, *self.lost) if error is not surfacing]

    def so_far(self) -> Verdict:
        """The verdict over what has ended, where the rest is given up: no error, and the winners so far."""
        if not self._races:
            return Verdict(None)
        return Verdict(None, tuple(ending.index for ending in self._winners()))

    def _beaten(self) -> list[Ending]:
        """The endings that go before a race that was won: interrupts, and of its pass and those before what
        is not an ``Exception``.
        """
        return [
            ending
            for ending in self.failures
            if not is_a(ending.error, Exception)
            and (
                is_a(ending.error, INTERRUPTS)
                or (self.decided_at is not None and ending.at <= self.decided_at)
            )
        ]

    def _winners(self) -> list[Ending]:
        assert self._policy.need is not None
        return in_order(self.successes)[: self._policy.need]
