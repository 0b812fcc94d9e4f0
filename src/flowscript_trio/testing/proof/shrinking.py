"""Owns shrinking: the fewest and earliest points that still show what was found."""

from __future__ import annotations

from collections.abc import Callable

from .points import Points, smaller

MOST = 60
"""Runs that are spent on one violation."""


def shrink(points: Points, shows: Callable[[Points], bool]) -> Points:
    """The least points that ``shows`` still accepts, as far as it can be found in a bounded number of runs.

    Greedy, as delta debugging (Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input",
    2002): whatever is less and still shows it takes its place. At least one point stays: what shows with none
    was seen in the undisturbed run.
    """
    tried: set[Points] = {points}
    while True:
        for less in smaller(points):
            if len(tried) > MOST:
                return points
            if less not in tried:
                tried.add(less)
                if shows(less):
                    points = less
                    break
        else:
            return points
