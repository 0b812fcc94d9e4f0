"""Owns the branch that all programs of this folder run ten times, and the line that says how it went."""

import time
from dataclasses import dataclass


class OutOfPaper(Exception):
    """What branch 3 fails with."""


@dataclass
class Tally:
    """What became of ten branches of a second each, whose clean-up takes a tenth of a second."""

    failing: int | None = None
    started: float = 0.0
    cleaned: int = 0

    async def work(self, branch, sleep):
        """A branch: it takes a second, and branch ``failing`` fails after 0.2 s."""
        self.started = self.started or time.perf_counter()
        if branch == self.failing:
            await sleep(0.2)
            raise OutOfPaper(branch)
        await sleep(1)

    async def tidy(self, sleep):
        """Its clean-up, which has to wait for something."""
        await sleep(0.1)
        self.cleaned += 1

    async def says(self, what, outcome, sleep):
        """One line: what was tried, what came of it and when, and what still went on half a second later."""
        seconds, cleaned = time.perf_counter() - self.started, self.cleaned
        await sleep(0.5)
        print(
            f"{what}: {outcome} after {seconds:.1f} s; "
            f"{cleaned} of 10 cleaned up by then, {self.cleaned - cleaned} later"
        )
