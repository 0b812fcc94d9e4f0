"""Owns leases of runs: they are renewed while this process lives, and given up before another may take them.

The clock counts the time in which the machine sleeps or the process is stopped, where the system has such a clock.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from ..types.storing import StoreFailed, Superseded
from .backend import Owned

LEASE = 30.0
"""Seconds that a lease lasts from when it was asked for."""
BEAT = 5.0
"""Seconds between two renewals."""
MARGIN = 5.0
"""Seconds before its end at which a lease counts as lost."""

Lost = Callable[[StoreFailed], None]
Renew = Callable[[list[Owned]], list[Owned]]


def now() -> float:
    """Seconds of a clock that nobody sets and that goes on in sleep."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Leases:
    """The leases of one store. A thread renews them, while there are any.

    Args:
        renew: asks the store for more time, and gives the runs for which it was refused. It raises StoreFailed
            where the store does not answer, within a few seconds.
    """

    def __init__(self, renew: Renew) -> None:
        self._renew = renew
        self._ends: dict[Owned, float] = {}
        self._lost: dict[Owned, Lost] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, owned: Owned, asked: float) -> None:
        """Keep a lease that was asked for at that time of :func:`now`."""
        with self._lock:
            self._ends[owned] = asked + LEASE
            if self._thread is None:
                self._stop = threading.Event()
                self._thread = threading.Thread(
                    target=self._run, args=[self._stop], name="flowscript leases", daemon=True
                )
                self._thread.start()

    def heed(self, owned: Owned, lost: Lost) -> None:
        """Call ``lost``, in any thread, when the lease is."""
        with self._lock:
            self._lost[owned] = lost

    def drop(self, owned: Owned) -> None:
        """Renew a lease no longer; the thread ends with the last."""
        with self._lock:
            self._ends.pop(owned, None)
            self._lost.pop(owned, None)
            thread = None
            if not self._ends:
                self._stop.set()
                thread, self._thread = self._thread, None
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def seconds_of(self, owned: Owned) -> float:
        """For how long a lease may still be relied on; 0.0 where it is lost."""
        with self._lock:
            return max(self._ends.get(owned, 0.0) - MARGIN - now(), 0.0)

    def _run(self, stop: threading.Event) -> None:
        while not stop.wait(BEAT):
            self.beat()

    def beat(self) -> None:
        """Renew all leases once, and tell of those that are lost."""
        with self._lock:
            runs = list(self._ends)
        asked = now()
        refused: list[Owned] = []
        try:
            refused = self._renew(runs)
        except StoreFailed:
            pass  # until the leases end, the store may be back
        else:
            with self._lock:
                for owned in runs:
                    if owned in self._ends and owned not in refused:
                        self._ends[owned] = asked + LEASE
        for owned in runs:
            if owned in refused or not self.seconds_of(owned):
                self._tell(owned)

    def _tell(self, owned: Owned) -> None:
        with self._lock:
            self._ends.pop(owned, None)
            lost = self._lost.pop(owned, None)
        if lost is not None:
            lost(Superseded(owned.run_id))
