"""Owns the processes that are killed: each goes on with one durable run, and is a child of a server that forks.

``python dying.py FOLDER`` reads orders from standard input, one a line, each a JSON object: ``run`` (its id), the
``mode`` of the document, and where the process is to end. ``moment`` and ``number``: it kills itself with SIGKILL
``before`` or ``after`` that commit, or after that ``effect``. ``seconds``: it is killed from outside by then. The
answer is a line of JSON: ``killed``, or what the run came to. What its nodes do is in ``RUN.log``, a line each.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import trio

import flowscript_trio as fs
import flowscript_trio.runtimes.database.reading
import flowscript_trio.runtimes.database.writing  # once, and not in each process
from flowscript_trio.execution.durable import compacting
from flowscript_trio.journal.backend import Batch

DOCUMENT = Path(__file__).parent / "killed" / "everything.xml"
PATIENCE = 30.0
"""Seconds after which a process that nobody kills counts as one that hangs."""
compacting.MOST_ROWS = 8  # so that short loops are compacted too


class Dying:
    """What one process does for the run of an order, and where it kills itself."""

    def __init__(self) -> None:
        registry = fs.Registry(base=fs.registry)
        registry.runtime("source:act")(self.act)
        registry.runtime("sink:act")(self.act)
        registry.runtime("source:feed", pure=True)(self.feed)
        self.flow = fs.load(DOCUMENT, registry=registry)
        self.counts = {"before": 0, "after": 0, "effect": 0}

    def begin(self, folder: Path, order: dict[str, Any]) -> dict[str, Any]:
        """Be the process of that order; what its run came to."""
        self.folder = folder / order["run"]
        self.mode = order["mode"]
        self.end = order.get("moment"), order.get("number")
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self.log = os.open(self.folder / "log.txt", flags, 0o600)
        return trio.run(self.main)

    async def main(self) -> dict[str, Any]:
        store = fs.Store(self.folder / "runs.db", durability="process")
        self.watch(store)
        try:
            run = await fs.run(
                self.flow,
                config={"mode": self.mode},
                store=store,
                run_id="r",
                seed=7,
                base=self.folder,
                decider=self.decide,
            )
        except fs.WorkflowFailed as exc:
            return {"status": "failed", "error": str(exc), **self.counts}
        return {"status": run.status, "output": run.output, **self.counts}

    async def act(self, params: fs.ExecutionParams) -> Any:
        config, execution = params.config, params.execution
        self.say("begun", execution, params.idempotency_key)
        await trio.sleep_forever() if config.get("hangs") else await trio.sleep(0.001)
        tries = execution.number + execution.path.count("~2")
        if config.get("fails") and tries <= int(config.get("times", 99)):
            self.say("failed", execution)
            self.reach("effect")
            raise ValueError(config["fails"])
        self.say("done", execution)
        self.reach("effect")
        return config.get("gives", params.node.label)

    async def feed(self, params: fs.ExecutionParams) -> Any:
        async def numbers(start: int) -> AsyncIterator[int]:
            for number in range(start, 12):
                await trio.lowlevel.checkpoint()
                yield number

        return fs.Items(numbers)

    async def decide(self, prompt: str, actions: Sequence[fs.Action]) -> fs.Answer:
        await trio.sleep(0.001)
        return fs.Answer("go", input="Ann")

    def watch(self, store: fs.Store) -> None:
        commit = store._backend.commit

        def dying(batches: Sequence[Batch], waiting: Callable[[], bool]) -> None:
            self.reach("before")
            commit(batches, waiting)
            self.reach("after")

        store._backend.commit = dying  # type: ignore[method-assign]

    def say(self, what: str, execution: Any, key: str = "") -> None:
        line = [what, execution.path, execution.number, key]
        os.write(self.log, json.dumps(line).encode() + b"\n")

    def reach(self, moment: str) -> None:
        self.counts[moment] += 1
        if (moment, self.counts[moment]) == self.end:
            os.kill(os.getpid(), signal.SIGKILL)


def serve(folder: Path) -> None:
    dying = Dying()  # once: a process that is forked has read the document already
    for line in sys.stdin:
        order = json.loads(line)
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(writing, json.dumps(dying.begin(folder, order)).encode())
            os._exit(0)
        os.close(writing)
        sys.stdout.write(json.dumps(ended(child, reading, order.get("seconds"))) + "\n")
        sys.stdout.flush()
        os.close(reading)


def ended(child: int, reading: int, seconds: float | None) -> dict[str, Any]:
    """How a process came to its end; it is killed after so many seconds, where it lives so long."""
    hangs = not select.select([reading], [], [], PATIENCE if seconds is None else seconds)[0]
    if hangs:
        os.kill(child, signal.SIGKILL)
    data = b"".join(iter(lambda: os.read(reading, 1 << 16), b""))
    _, status = os.waitpid(child, 0)
    if hangs and seconds is None:
        return {"status": "hangs"}
    if data:
        return dict(json.loads(data))
    killed = os.waitstatus_to_exitcode(status) == -signal.SIGKILL
    return {"status": "killed" if killed else "crashed"}


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
