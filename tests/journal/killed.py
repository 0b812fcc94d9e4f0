"""Owns the process that is killed: branches write rows to a store and say which are on disk.

``python killed.py STORE before|after|never COMMIT`` goes on with the run ``r`` and kills itself at that commit.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence

import trio

from flowscript_trio.journal.backend import Batch
from flowscript_trio.journal.rows import Row
from flowscript_trio.journal.store import Store

BRANCHES = 4


async def main(store: Store) -> None:
    journal = await store.begin("r", b"doc")
    count = sum(1 for _ in journal.read())

    async def branch() -> None:
        nonlocal count
        while True:
            for _ in range(3):
                journal.write(Row("ended", str(count), b"", b"%d" % count * 5_000))
                count += 1
            last = count
            await journal.synced()
            os.write(1, b"%d\n" % last)

    async with trio.open_nursery() as nursery:
        for _ in range(BRANCHES):
            nursery.start_soon(branch)


def die_at(store: Store, moment: str, number: int) -> None:
    commit, count = store._backend.commit, 0

    def dying(batches: Sequence[Batch], waiting: Callable[[], bool]) -> None:
        nonlocal count
        count += 1
        if (moment, count) == ("before", number):
            os.kill(os.getpid(), signal.SIGKILL)
        commit(batches, waiting)
        if (moment, count) == ("after", number):
            os.kill(os.getpid(), signal.SIGKILL)

    store._backend.commit = dying  # type: ignore[method-assign]


if __name__ == "__main__":
    place = Store(sys.argv[1])
    die_at(place, sys.argv[2], int(sys.argv[3]))
    trio.run(main, place)
