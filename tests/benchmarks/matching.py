"""Owns the workloads of regular expressions: each of the sources over hostile texts, and ones twice as long."""

from __future__ import annotations

from collections.abc import Iterator
from time import thread_time

from patterns import Use, hostile, uses

from .measuring import Cost, Workload


def over(use: Use, size: int) -> Cost:
    """The processor time of the text that takes the longest."""

    def cost() -> float:
        longest = 1e-5  # what is quicker is noise
        for text in hostile(size):
            began = thread_time()
            use.over(text)
            longest = max(longest, thread_time() - began)
        return longest

    return cost


def workloads(scale: float) -> Iterator[Workload]:
    size = max(int(4_000 * scale), 100)
    for use in uses():
        name = f"twice as long a text, to one of {size}: {use}"
        yield Workload(name, "text", 1, over(use, 2 * size), over(use, size), 3.0, 2.0)
