"""Owns the bound on looks at errors in a proof: what an error's class does when it is asked has to end."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

from ...types.exceptions import class_name
from ...types.looking import LookAbandoned, abandoned, summary_of
from .chains import behind

MOST_LINES = 1_000_000
"""Lines of Python that one look at an error may run."""
PATIENCE = 10.0
"""Real seconds after which one that waits is not tried any further either."""


class _TooLong(BaseException):
    """Ends a look from inside it."""


class Looks:
    """Bounds the looks of one proof. A class of which one did not end is not asked again in any of its runs."""

    def __init__(self, most: int = MOST_LINES) -> None:
        self._most = most
        self._endless: dict[int, type] = {}

    def bound(self, error: BaseException, ask: Callable[[], Any]) -> Any:
        """What a look finds; raises LookAbandoned where it does not end."""
        kind = type(error)
        count = 0 if id(kind) not in self._endless else self._most
        until = time.monotonic() + PATIENCE

        def trace(frame: FrameType, event: str, arg: object) -> Any:
            nonlocal count
            count += 1
            if count > self._most or time.monotonic() > until:
                count = self._most + 1
                raise _TooLong
            return trace

        before = sys.gettrace()
        try:
            if count < self._most:
                sys.settrace(trace)
                found = ask()
                if count <= self._most:
                    return found  # else it has caught what should have ended it
        except _TooLong:
            pass
        finally:
            sys.settrace(before)
        self._endless[id(kind)] = kind
        raise LookAbandoned(error, f"it had not ended after {self._most:,} lines of Python")


def endless_behind(error: BaseException | None) -> list[tuple[str, str]]:
    """The errors that cannot be looked at, of one and all that it groups and came from: the class, and why not."""
    found = []
    for each in behind(error):
        summary_of(each)  # what nobody has looked at yet
        why = abandoned(each)
        if why is not None:
            found.append((class_name(each), why))
    return found
