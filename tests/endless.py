"""Owns what tests of endless looks at errors share: code that only a Ctrl-C ends, and handlers of signals."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

MOST = 10_000_000
"""Turns after which a Ctrl-C that has not come is missed: seconds later than it comes."""

MISSED: list[str] = []
"""What was missed, for tests to find empty."""


def never_end() -> Any:
    """Press Ctrl-C, and go on until that comes."""
    signal.raise_signal(signal.SIGINT)
    for _ in range(MOST):
        pass
    MISSED.append("the Ctrl-C did not come")


@contextmanager
def handling(number: int, handler: Callable[..., Any]) -> Iterator[None]:
    """Handle a signal so while the block lasts."""
    before = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, before)
