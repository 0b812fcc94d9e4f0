"""Owns ``flowscript submit``."""

from __future__ import annotations

import os
from functools import partial

import click

from ..types.budget import Budget
from .budgeting import budget_option
from .given import read_config, read_input
from .loading import load_or_exit, roots_option
from .run import fail, read_environment
from .run_options import given_options, seed_option
from .saying import show_text
from .stores import open_store, store_option


@click.command("submit", short_help="Queue a run in a store, for flowscript work to take.")
@click.argument("file", type=click.Path(dir_okay=False))
@given_options
@seed_option
@budget_option
@store_option(required=True)
@click.option(
    "--run-id",
    metavar="ID",
    help="The id of the run; submitting the same again under the same id changes nothing.",
)
@roots_option
def submit_command(
    file: str,
    config: tuple[str, ...],
    given: str | None,
    secret: tuple[str, ...],
    env: tuple[str, ...],
    max_concurrency: int | None,
    seed: int | None,
    budget: Budget | None,
    where: str,
    run_id: str | None,
    roots: tuple[str, ...],
) -> None:
    """Queue a run in a store, for flowscript work to take; its id goes to standard output.

    The document and what the run is given are checked now. Of secrets only the names are kept: the worker takes
    their values from its own environment.
    """
    flow = load_or_exit(file, roots)
    from ..execution.submitting import submit
    from .exiting import run_in_trio

    names = (*(declared.name for declared in flow.document.secrets), *secret)
    send = partial(
        submit,
        flow,
        store=open_store(where),
        run_id=run_id,
        config=read_config(flow.document, config),
        secrets={name: os.environ.get(name) for name in names},
        input=read_input(given),
        env=read_environment(env),
        max_concurrency=max_concurrency,
        seed=seed,
        budget=budget,
    )
    try:
        run = run_in_trio(send)
    except Exception as exc:
        fail(flow, exc)
    show_text(run)
