"""Owns ``flowscript work``."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import trio

from ..types.durations import parse_duration
from ..types.errors import FlowScriptError
from ..types.printing import json_on_lines, one_line
from .durations import read_seconds
from .placing import read_places
from .run_options import base_option, limit_option, place_option
from .saying import say
from .stores import durability_option, open_store, store_key_option, store_option
from .view_options import quiet_option, record_option

if TYPE_CHECKING:
    from ..execution.worker import WorkEvent
    from ..journal.rows import RunState
    from ..journal.store import Durability
    from ..scheduler.limits.limit import Limit
    from ..types.events import Observer


@click.command("work", short_help="Take runs of a store, and finish them.")
@store_option(required=True)
@store_key_option
@durability_option
@click.option(
    "--at-once",
    metavar="N",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    help="How many runs at once.",
)
@click.option(
    "--every",
    metavar="DURATION",
    default="1s",
    show_default=True,
    callback=lambda _, __, given: read_seconds(given, "1s", parse_duration),
    help="How long to wait before looking again where there was nothing to do.",
)
@click.option(
    "--suspend-after",
    metavar="DURATION",
    default="60s",
    show_default=True,
    callback=lambda _, __, given: read_seconds(given, "1s", parse_duration),
    help="How long to hold a run that only waits for people or timers; then others are taken in its place.",
)
@click.option(
    "--until-empty", is_flag=True, help="End once nothing can go on, and nothing runs here."
)
@click.option(
    "--max-crashes",
    metavar="N",
    type=click.IntRange(min=1),
    default=3,
    show_default=True,
    help="A node at which this many processes have died fails with Interrupted.",
)
@place_option
@limit_option
@base_option
@record_option
@click.option(
    "--log",
    type=click.Choice(["lines", "json"]),
    default="lines",
    show_default=True,
    help="How standard error shows what becomes of each run.",
)
@quiet_option
def work_command(
    where: str,
    key_name: str | None,
    durability: Durability | None,
    at_once: int,
    every: float,
    suspend_after: float,
    until_empty: bool,
    max_crashes: int,
    place: tuple[str, ...],
    limits: Mapping[str, Limit],
    base: str | None,
    folder: Path | None,
    log: str,
    quiet: bool,
) -> None:
    """Take runs of a store that are queued, due, answered, or whose process is gone, and finish them.

    Any number of workers may work on one store, on as many machines as can reach it. Runs that need a runtime, a
    place or a secret that is missing here are passed over.

    SIGTERM, SIGHUP and Ctrl-C end it with status 0: its runs are left as they are, and another worker goes on
    with them. A second signal kills it, which loses nothing either. Runs that fail do not end it; a store that
    cannot be used does, with status 1.
    """
    store = open_store(where, key_name, durability)
    if folder is not None:
        _make_folder(folder)
    from ..execution.working import work
    from ..types.storing import StoreFailed
    from .exiting import run_in_trio

    worker = partial(
        work,
        store,
        at_once=at_once,
        every=every,
        until_empty=until_empty,
        report=None if quiet else partial(_say, log == "json"),
        suspend_after=suspend_after,
        observing=None if folder is None else partial(_recording, folder),
        secrets=os.environ,
        max_crashes=max_crashes,
        base=base,
        places=read_places(place),
        limits=limits,
    )
    try:
        run_in_trio(partial(_until_asked, worker))
    except StoreFailed as exc:
        say(f"Error: {exc}")
        sys.exit(1)


async def _until_asked(worker: Callable[[], Awaitable[Any]]) -> None:
    """Work until a signal comes. No interrupt reaches a node: that would cancel its run."""
    wanted = [
        number
        for name in ("SIGINT", "SIGTERM", "SIGHUP")
        if (number := getattr(signal, name, None)) is not None
        and signal.getsignal(number) is not signal.SIG_IGN
    ]
    failed: FlowScriptError | None = None
    async with trio.open_nursery() as nursery:
        with trio.open_signal_receiver(*wanted) as signals:

            async def listen() -> None:
                async for number in signals:
                    for each in wanted:
                        signal.signal(each, signal.SIG_DFL)  # a second one kills
                    name = signal.Signals(number).name
                    nursery.cancel_scope.cancel(f"{name} asks the worker to end")
                    return

            nursery.start_soon(listen)
            try:
                await worker()
            except FlowScriptError as exc:
                failed = exc
            nursery.cancel_scope.cancel("the worker has ended")
    if failed is not None:
        raise failed


def _make_folder(folder: Path) -> None:
    """Make the folder of records now: later each run would be passed over for it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise click.UsageError(f"--record {folder}: {exc.strerror}") from None


@contextmanager
def _recording(folder: Path, state: RunState) -> Iterator[Sequence[Observer]]:
    from ..observe.chronicle import keeping_chronicle

    with keeping_chronicle(folder, state.run_id) as observer:
        yield [observer]


def _say(as_json: bool, event: WorkEvent) -> None:
    with suppress(OSError):  # that nobody reads it any more does not stop the work
        say(json_on_lines(json.dumps(_facts(event))) if as_json else _line(event))


def _line(event: WorkEvent) -> str:
    if event.what == "unreachable":
        return f"unreachable  {event.reason}"
    took = "" if event.seconds is None else f" ({event.seconds:.3f} s)"
    reason = f": {event.reason}" if event.reason else ""
    workflow = f" of {event.workflow}" if event.workflow else ""
    return one_line(f"{event.what:<12} {event.run_id}{workflow}{took}{reason}")


def _facts(event: WorkEvent) -> dict[str, Any]:
    facts = {"event": event.what, "run": event.run_id, "name": event.workflow}
    more = {"seconds": event.seconds, "reason": event.reason or None}
    return {**facts, **{name: value for name, value in more.items() if value is not None}}
