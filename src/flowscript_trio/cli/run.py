"""Owns ``flowscript run``."""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from uuid import uuid4

import click

from ..types.ast import Document
from ..types.budget import Budget
from ..types.errors import EvaluationError, FlowScriptError
from ..types.exceptions import is_a
from ..types.printing import one_line
from ..types.services import SECRETS as AI_SECRETS
from .budgeting import budget_option
from .durations import read_seconds
from .given import read_config, read_input
from .loading import load_or_exit, roots_option
from .observing import recording, reporting, tracing
from .placing import read_places
from .run_options import run_options, seed_option
from .saying import columns_of_terminal, say, write_json
from .signals import holding_signals
from .standard import OutputLost, drop_output, is_asked_at_a_terminal
from .stores import durability_option, open_store, store_key_option, store_option, suspend_option
from .view_options import log_option, quiet_option, record_option, report_option, trace_option
from .waiting import SUSPENDED, Begun, Say, decider_of, say_suspended

if TYPE_CHECKING:
    from ..execution.handle import Run
    from ..execution.options import RunOptions
    from ..journal.store import Durability, Store
    from ..program.loading import Flow
    from ..scheduler.limits.limit import Limit


@click.command("run", short_help="Run a workflow; its output goes to standard output as JSON.")
@click.argument("file", type=click.Path(dir_okay=False))
@run_options
@seed_option
@click.option(
    "--watchdog",
    metavar="DURATION",
    callback=lambda _, __, given: read_seconds(given, "5s"),
    help="Report a node that holds everything else up, reaching no checkpoint for this long (5s).",
)
@budget_option
@trace_option
@record_option
@report_option
@log_option
@click.option(
    "--dry-run",
    is_flag=True,
    help="Check the document and what it is given, show the plan, run nothing.",
)
@quiet_option
@store_option()
@store_key_option
@durability_option
@click.option(
    "--run-id",
    metavar="ID",
    help="With --store: the id of the run; a run of that id goes on, or gives its outcome.",
)
@suspend_option()
@roots_option
def run_command(
    file: str,
    config: tuple[str, ...],
    given: str | None,
    secret: tuple[str, ...],
    env: tuple[str, ...],
    max_concurrency: int | None,
    place: tuple[str, ...],
    limits: Mapping[str, Limit],
    base: str | None,
    seed: int | None,
    watchdog: float | None,
    budget: Budget | None,
    trace: Path | None,
    folder: Path | None,
    report: Path | None,
    log: str | None,
    dry_run: bool,
    quiet: bool,
    where: str | None,
    key_name: str | None,
    durability: Durability | None,
    run_id: str | None,
    suspend_after: float | None,
    roots: tuple[str, ...],
) -> None:
    """Run a workflow; its output goes to standard output as JSON, everything for people to standard error."""
    if run_id is not None and where is None:
        raise click.UsageError("--run-id is the id of a run in a store; give the store by --store")
    if suspend_after is not None and where is None:
        raise click.UsageError("--suspend-after leaves a run in a store; give the store by --store")
    if durability is not None and where is None:
        raise click.UsageError("--durability is that of a store; give the store by --store")
    if key_name is not None and where is None:
        raise click.UsageError("--store-key is for a store; give the store by --store")
    flow = load_or_exit(file, roots, in_lines=log == "json")
    from ..execution.options import RunOptions

    secrets = read_secrets(flow.document, secret)
    options = RunOptions(
        config=read_config(flow.document, config),
        input=read_input(given),
        secrets=secrets,
        env=read_environment(env),
        max_concurrency=max_concurrency,
        base=base,
        seed=seed,
        watchdog=watchdog,
        budget=budget,
        places=read_places(place),
        limits=limits,
        store=None if where is None else open_store(where, key_name, durability),
        run_id=run_id or (None if where is None else uuid4().hex),
        suspend_after=suspend_after,
    )
    if dry_run:
        from ..execution.preparing import check_options
        from .inspect import render_flow

        check_options(flow, options)
        say(render_flow(flow))
        return

    from .exiting import run_in_trio

    hints = None if quiet or log == "json" else where
    log = "nothing" if quiet else log
    with (
        holding_signals() as held,
        tracing(trace) as traced,
        recording(folder, file) as recorded,
        reporting(report, (flow,), file) as reported,
    ):
        options = replace(options, observers=(*traced, *recorded, *reported))
        start = partial(_start, flow, hints)
        work = partial(run_in_view, start, options, log, options.store, options.run_id, hints)
        with held.letting_through():
            done, error = run_in_trio(work)
    if error is not None:
        fail(flow, error, silent=log == "json")
    finish(done)


async def _start(flow: Flow, where: str | None, options: RunOptions, say: Say) -> Run:
    from ..execution.run import run_with

    return await run_with(flow, options, Begun(where, say))


async def run_in_view(
    start: Callable[[RunOptions, Say], Awaitable[Run]],
    options: RunOptions,
    log: str | None,
    store: Store | None,
    run_id: str | None,
    where: str | None,
) -> tuple[Run | None, Exception | None]:
    """Run or resume a workflow in sight of whoever looks at standard error; the run, or its error.

    ``start`` is called with the options for that, and with what writes a line meanwhile. ``where`` is the store of
    a durable run of which it is said how to go on with it.
    """
    from .asking import TerminalDecider
    from .console import show

    async with show(log) as view:
        options = replace(
            options,
            observers=(*options.observers, *view.observers),
            decider=TerminalDecider(view.pause)
            if is_asked_at_a_terminal()
            else decider_of(store, run_id, where, view.say),
        )
        try:
            done = await start(options, view.say)
        except Exception as exc:
            return None, exc
    await say_suspended(done, store, where)
    return done, None


def finish(done: Run | None) -> None:
    """Write what a run came to; exits with 3 if it was left and can be gone on with, and with 1 if cancelled."""
    assert done is not None
    if done.status == "suspended":
        sys.exit(SUSPENDED)
    if done.status == "cancelled":
        reason = next((f": {each.reason}" for _, each in done.record.cancellations), "")
        say(f"run {done.id} was cancelled{one_line(reason)}")
        sys.exit(1)
    write_output(done.shown_output)


def fail(flow: Flow | None, error: Exception, silent: bool = False) -> NoReturn:
    """Print why a run failed, and exit: with 2 if what it was given did not fit, so that nothing ran.

    ``silent``: the outcome of a run that has begun was reported already.
    """
    from ..execution.failures import failure_of
    from .reports import render_failure

    has_run = failure_of(error) is not None
    if not (silent and has_run):
        say(render_failure(flow, error, columns_of_terminal()))
    sys.exit(2 if is_a(error, FlowScriptError) and not has_run else 1)


def write_output(output: Any) -> None:
    """Write a run's output as JSON; exits with 1 if it cannot be written."""
    from ..expression import encode_json

    try:
        text = encode_json(output, indent=2)
    except EvaluationError as exc:
        say(f"the output is not valid JSON: {exc}")
        sys.exit(1)
    try:
        write_json(text)
    except OutputLost as exc:
        drop_output()
        say(
            "Error: the workflow completed, and its output could not be written to standard output: "
            + exc.reason
        )
        sys.exit(1)


def read_environment(names: tuple[str, ...]) -> dict[str, str]:
    """The variables of ``--env`` that are set; the rest is null in expressions."""
    for name in names:
        if name not in os.environ:
            say(f"warning: {name} is not in the environment")
    return {name: os.environ[name] for name in names if name in os.environ}


def read_secrets(document: Document, names: tuple[str, ...]) -> dict[str, str]:
    """The declared secrets and those of ``--secret``, from the environment by their names.

    With them the keys and URLs of AI services, where they are there: ``<ai>`` looks for them.
    """
    secrets = {name: os.environ[name] for name in AI_SECRETS if os.environ.get(name)}
    for name in [*(secret.name for secret in document.secrets), *names]:
        value = os.environ.get(name, "")
        if value:
            secrets[name] = value
        else:
            say(f"warning: the secret {name} is not in the environment")
    return secrets
