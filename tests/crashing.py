"""Owns runs that die at a commit and are resumed, in virtual time, for the tests of durable runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import trio

import flowscript_trio as fs
from flowscript_trio.execution.durable.coding import Coding
from flowscript_trio.execution.durable.entries import AttemptFailed, Ended
from flowscript_trio.execution.durable.entry_rows import entry_of
from flowscript_trio.journal.store import MemoryStore, Store
from flowscript_trio.testing.proof.lives import _Clock
from flowscript_trio.types.storing import StoreFailed

EPOCH = datetime(2030, 1, 1, tzinfo=UTC)


class World:
    """What the nodes of a run act upon, which outlives its processes, and the runtimes that do.

    ``source:act`` takes ``takes`` (a duration), then is done: it fails with ``fails`` (the message of a
    ValueError), or gives ``gives``, else its id. ``times`` is how many attempts fail, of it or its block. With
    ``shielded`` no cancellation ends it.
    """

    def __init__(self) -> None:
        self.begun: list[tuple[str, int]] = []
        """The attempts of nodes that have begun in the process at work, by their paths."""
        self.done: list[str] = []
        self.ended: set[tuple[str, int]] = set()
        """What was ever on disk as ended when a process died, though it may be compacted now."""
        self.keys: dict[str, set[str]] = {}
        self.offset = 0.0
        self.registry = fs.Registry(base=fs.registry)
        self.registry.runtime("source:act")(self.act)

    async def act(self, params: fs.ExecutionParams) -> Any:
        config = params.config
        name = params.node.label
        self.begun.append((params.execution.path, params.execution.number))
        self.keys.setdefault(name, set()).add(params.idempotency_key)
        with trio.CancelScope(shield=bool(config.get("shielded"))):
            await trio.sleep(float(config.get("takes", 1)))
        times, execution = config.get("times"), params.execution
        attempt = max(execution.number, 1 + execution.path.count("~2"))
        if config.get("fails") and (times is None or attempt <= int(times)):
            self.done.append(f"{name} failed")
            raise ValueError(config["fails"])
        self.done.append(name)
        return config.get("gives", name)

    def now(self) -> datetime:
        return EPOCH + timedelta(seconds=self.offset + trio.current_time())


class Process:
    """One process of a run: how it ended, and what observers saw."""

    def __init__(self) -> None:
        self.run: fs.Run | None = None
        self.error: BaseException | None = None
        self.events: list[Any] = []

    @property
    def died(self) -> bool:
        return isinstance(self.error, StoreFailed)

    @property
    def outcome(self) -> tuple[Any, ...]:
        if self.run is None:
            return ("failed", type(self.error).__name__, str(self.error))
        return (self.run.status, self.run.output)


class Crashing:
    """A workflow whose processes die at commits of its store."""

    def __init__(self, text: str | Path, **options: Any) -> None:
        self.file = text if isinstance(text, Path) else None
        self.text = text.read_text() if isinstance(text, Path) else text
        self.options = options
        self.world = World()
        self.die_at: tuple[str, int] | None = None
        self.outcome: tuple[Any, ...] = ()
        self.store: MemoryStore = Store.memory(watch=self._watch)

    def _watch(self, moment: str, number: int) -> None:
        if (moment, number) == self.die_at:
            self.store.crash()

    def process(
        self,
        die_at: tuple[str, int] | None = None,
        during: Callable[[fs.Run], Awaitable[None]] | None = None,
        later: float = 0.0,
    ) -> Process:
        """Run or resume it in a process that dies at that commit of the store, if it gets so far."""
        self.die_at = die_at
        ended = self._ended()
        self.world.begun.clear()
        process = Process()
        self.world.offset += later

        async def main() -> None:
            if self.file is None:
                flow = fs.loads(self.text, name="w.xml", registry=self.world.registry)
            else:
                flow = fs.load(self.file, registry=self.world.registry)
            async with trio.open_nursery() as nursery:
                if during is None:
                    await self._run(flow, process)
                else:
                    handle = await nursery.start(self._run, flow, process)
                    nursery.start_soon(during, handle)

        trio.run(main, clock=_Clock(10.0, lambda: 0))
        again = ended & set(self.world.begun)
        assert not again, f"done again although they had ended: {again}"
        return process

    def dying(self, seconds: float) -> Callable[[fs.Run], Awaitable[None]]:
        """For ``process(during=…)``: the process dies after so many seconds."""

        async def die(run: fs.Run) -> None:
            await trio.sleep(seconds)  # virtual
            self.store.crash()
            run.leave()  # at once, as it is told that only after a moment: what is dead does nothing more

        return die

    def _ended(self) -> set[tuple[str, int]]:
        """The attempts that are on disk as ended."""
        rows = self.store.rows_of("r")
        coding = Coding(self.options.get("secrets") or {})
        entries = [entry_of(row, coding.decode) for row in rows]
        kinds = Ended | AttemptFailed
        self.world.ended |= {(e.key, e.attempt) for e in entries if isinstance(e, kinds)}
        return self.world.ended

    async def _run(
        self, flow: fs.Flow, process: Process, task_status: Any = trio.TASK_STATUS_IGNORED
    ) -> None:
        try:
            process.run = await fs.run(
                flow,
                store=self.store,
                run_id="r",
                seed=1,
                now=self.world.now,
                observers=[process.events.append],
                task_status=task_status,
                **self.options,
            )
        except Exception as exc:
            process.error = exc
        self.world.offset += trio.current_time()


def undisturbed(text: str | Path, **options: Any) -> Crashing:
    """The workflow, run to its end by one process; ``outcome`` is that of the run."""
    whole = Crashing(text, **options)
    whole.outcome = whole.process().outcome
    return whole


def points(commits: int) -> list[tuple[str, int]]:
    return [(moment, number) for number in range(1, commits + 1) for moment in ("before", "after")]


def check_every_crash(
    text: str | Path,
    *,
    same: bool = True,
    twice: bool = False,
    **options: Any,
) -> int:
    """Let the process die at every commit, resume the run, compare what it comes to; how often it died.

    ``same``: it ends as an undisturbed one. ``twice``: it dies again at each commit of its resumption.
    """
    whole = undisturbed(text, **options)
    expected, total = whole.outcome, whole.store.commits
    tried = 0
    for at in points(total):
        first = Crashing(text, **options)
        if not first.process(at).died:
            continue
        tried += 1
        finished_before = first.store.commits
        last = first.process()
        _check(first, last, expected, whole, same, f"died {at}")
        if not twice:
            continue
        for again in points(first.store.commits - finished_before):
            second = Crashing(text, **options)
            second.process(at)
            shifted = (again[0], again[1] + second.store.commits)
            second.process(shifted)
            last = second.process()
            _check(second, last, expected, whole, same, f"died {at}, then {again}")
            tried += 1
    assert tried, "it died nowhere"
    return tried


def _check(
    crashed: Crashing, last: Process, expected: Any, whole: Crashing, same: bool, said: str
) -> None:
    assert not last.died, f"{said}: {last.error!r}"
    if same:
        assert last.outcome == expected, f"{said}: {last.outcome}, undisturbed {expected}"
        missing = set(whole.world.done) - set(crashed.world.done)
        assert not missing, f"{said}: never done: {missing}"
    for name, keys in crashed.world.keys.items():
        loops = any(word in crashed.text for word in ("loop", "while", "foreach", "retry"))
        assert len(keys) == 1 or loops, f"{said}: {name} had the keys {keys}"
