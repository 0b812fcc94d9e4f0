"""Owns ``flowscript resume``."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..types.errors import FlowScriptError
from ..types.services import SECRETS as AI_SECRETS
from .observing import recording, tracing
from .run import write_output
from .run_options import base_option
from .saying import say
from .signals import holding_signals
from .standard import is_asked_at_a_terminal
from .stores import open_store, store_option
from .view_options import log_option, quiet_option, record_option, trace_option

if TYPE_CHECKING:
    from ..execution.options import RunOptions
    from ..journal.store import Store


@click.command("resume")
@click.argument("run")
@store_option(required=True)
@click.option("--secret", "-s", multiple=True, metavar="NAME", help="One more secret, by its name.")
@base_option
@trace_option
@record_option
@log_option
@quiet_option
def resume_command(
    run: str,
    where: str,
    secret: tuple[str, ...],
    base: str | None,
    trace: Path | None,
    folder: Path | None,
    log: str | None,
    quiet: bool,
) -> None:
    """Go on with a run that is in a store; one that has ended gives its outcome.

    Its document, input and configuration are those that it began with; secrets come from the environment.
    """
    store = open_store(where)
    from ..execution.options import RunOptions
    from .exiting import run_in_trio

    find = partial(find_secrets, secret)
    log = "nothing" if quiet else log
    with (
        holding_signals() as held,
        tracing(trace) as traced,
        recording(folder, run) as recorded,
    ):
        options = RunOptions(base=base, observers=(*traced, *recorded))
        with held.letting_through():
            work = partial(_resume_in_view, store, run, options, find, log)
            output, error = run_in_trio(work)
    if error is not None:
        _fail(error, silent=log == "json")
    write_output(output)


async def _resume_in_view(
    store: Store, run_id: str, options: RunOptions, find: Any, log: str | None
) -> tuple[Any, Exception | None]:
    from ..execution.run import resume_with
    from .asking import TerminalDecider
    from .console import show

    async with show(log) as view:
        options = replace(
            options,
            observers=(*options.observers, *view.observers),
            decider=TerminalDecider(view.pause) if is_asked_at_a_terminal() else None,
        )
        try:
            done = await resume_with(store, run_id, options, find_secrets=find)
        except Exception as exc:
            return None, exc
        return done.shown_output, None


def find_secrets(more: tuple[str, ...], names: Sequence[str]) -> dict[str, str]:
    """The secrets of those names, and those of AI services, as far as they are in the environment."""
    wanted = dict.fromkeys((*names, *more, *AI_SECRETS))
    return {name: os.environ[name] for name in wanted if os.environ.get(name)}


def _fail(error: Exception, silent: bool) -> None:
    """Print why it failed, and exit: with 2 if nothing has run."""
    from ..execution.failures import failure_of
    from .reports import render_failure

    failure = failure_of(error)
    if not (silent and failure is not None):
        say(render_failure(None, error))
    sys.exit(2 if isinstance(error, FlowScriptError) and failure is None else 1)
