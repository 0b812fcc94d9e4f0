"""Owns ``flowscript resume``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .observing import recording, reporting, tracing
from .placing import read_places
from .run import fail, finish, run_in_view
from .run_options import base_option, limit_option, place_option
from .signals import holding_signals
from .stores import (
    durability_option,
    find_secrets,
    open_store,
    store_key_option,
    store_option,
    suspend_option,
)
from .view_options import log_option, quiet_option, record_option, report_option, trace_option

if TYPE_CHECKING:
    from ..execution.handle import Run
    from ..execution.options import RunOptions
    from ..journal.store import Durability, Store
    from ..program.loading import Flow
    from ..scheduler.limits.limit import Limit
    from .waiting import Say


@click.command("resume", short_help="Go on with a run that is in a store.")
@click.argument("run")
@store_option(required=True)
@store_key_option
@durability_option
@click.option("--secret", "-s", multiple=True, metavar="NAME", help="One more secret, by its name.")
@place_option
@limit_option
@base_option
@trace_option
@record_option
@report_option
@log_option
@quiet_option
@suspend_option()
def resume_command(
    run: str,
    where: str,
    key_name: str | None,
    durability: Durability | None,
    secret: tuple[str, ...],
    place: tuple[str, ...],
    limits: Mapping[str, Limit],
    base: str | None,
    trace: Path | None,
    folder: Path | None,
    report: Path | None,
    log: str | None,
    quiet: bool,
    suspend_after: float | None,
) -> None:
    """Go on with a run that is in a store; one that has ended gives its outcome.

    Its document, input and configuration are those that it began with; secrets come from the environment.
    """
    store = open_store(where, key_name, durability)
    from ..execution.options import RunOptions
    from .exiting import run_in_trio

    find = partial(find_secrets, secret)
    flows: list[Flow] = []
    hints = None if quiet or log == "json" else where
    log = "nothing" if quiet else log
    with (
        holding_signals() as held,
        tracing(trace) as traced,
        recording(folder, run) as recorded,
        reporting(report, flows, run) as reported,
    ):
        options = RunOptions(
            base=base,
            places=read_places(place),
            limits=limits,
            observers=(*traced, *recorded, *reported),
            suspend_after=suspend_after,
        )
        start = partial(_start, store, run, find, flows)
        work = partial(run_in_view, start, options, log, store, run, hints)
        with held.letting_through():
            done, error = run_in_trio(work)
    if error is not None:
        fail(flows[0] if flows else None, error, silent=log == "json")
    finish(done)


async def _start(
    store: Store, run_id: str, find: Any, flows: list[Flow], options: RunOptions, _: Say
) -> Run:
    from ..execution.run import resume_with

    return await resume_with(store, run_id, options, find_secrets=find, tell=flows.append)
