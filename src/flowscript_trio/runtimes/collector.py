"""Owns Python's garbage collector while much is read: its full collections wait until that is done.

A full collection looks at every container there is, while everything else stands still; Python makes one whenever
this many new ones have come, and to build millions of records is nothing else. Of what was read a moment ago
nothing is garbage, and young objects, those of other tasks too, are collected as ever.
"""

from __future__ import annotations

import gc
import threading
from types import TracebackType
from typing import Self

LARGE = 8_000_000
"""Bytes of plain records from which on it matters."""
_NEVER = 2**31 - 1

_lock = threading.Lock()
_readers = 0
_before = (0, 0, 0)


class FullCollections:
    """While the ``with`` block lasts, full collections wait, from ``hold_off`` on.

    ``hold_off`` may be called in a thread that goes on when the block was left: then it does nothing. What the
    application sets the collector to meanwhile stands.
    """

    def __init__(self) -> None:
        self._is_over = False
        self._holds = False

    def __enter__(self) -> Self:
        return self

    def hold_off(self) -> None:
        global _readers, _before
        with _lock:
            if self._is_over or self._holds:
                return
            self._holds = True
            _readers += 1
            if _readers == 1:
                _before = gc.get_threshold()
                gc.set_threshold(_before[0], _before[1], _NEVER)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        global _readers
        with _lock:
            self._is_over = True
            if not self._holds:
                return
            _readers -= 1
            if _readers == 0 and gc.get_threshold()[2] == _NEVER:
                gc.set_threshold(*_before)
