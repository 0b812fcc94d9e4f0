"""Owns a worker for the tests of histories: it takes runs of a store, writes rows, and tells what is on disk.

``python worker.py STORE``: each line that it writes is whole: the run, the fence, how many rows are on disk.
"""

from __future__ import annotations

import os
import random
import sys

import trio

from flowscript_trio.journal.rows import Mark, Row
from flowscript_trio.journal.store import Store
from flowscript_trio.journal.writing import LiveJournal
from flowscript_trio.types.storing import RunBusy, StoreFailed

LENGTH = 60
"""Rows of a run; the last one is its outcome."""


async def work(store: Store) -> None:
    while True:
        try:
            ready = await store.ready(limit=5)
            if not ready:
                return
            await go_on(store, random.choice(ready).run_id)
        except (RunBusy, StoreFailed):  # another was first, or the connection was cut
            continue


async def go_on(store: Store, run_id: str) -> None:
    journal = await store.open(run_id)
    assert isinstance(journal, LiveJournal)
    try:
        count, fence = sum(1 for _ in journal.read()), journal._owned.fence
        while count < LENGTH:
            for _ in range(random.choice((1, 1, 2, 5))):
                if count < LENGTH:
                    kind = "outcome" if count == LENGTH - 1 else "ended"
                    journal.write(Row(kind, f"{fence}", b"%d" % count))
                    count += 1
            if count == LENGTH:
                journal.mark(Mark("completed"))
            await journal.synced()
            os.write(1, f"{run_id} {fence} {count}\n".encode())
    finally:
        await journal.aclose()


async def main(where: str) -> None:
    store = Store(where)
    async with trio.open_nursery() as nursery:
        for _ in range(2):
            nursery.start_soon(work, store)


if __name__ == "__main__":
    trio.run(main, *sys.argv[1:])  # type: ignore[arg-type]
