"""Owns ``submit``: a run is checked and queued in a store, for a worker to take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..journal.store import Store
from ..program.loading import Flow
from ..types.budget import Budget
from .durable.given import document_of
from .durable.given_items import check_no_items
from .inputs import check_secrets
from .options import RunOptions
from .preparing import check_submitted


async def submit(
    flow: Flow,
    *,
    store: Store,
    run_id: str | None = None,
    config: Mapping[str, Any] | None = None,
    secrets: Mapping[str, str | None] | None = None,
    input: Any = None,
    env: Mapping[str, str] | None = None,
    max_concurrency: float | None = None,
    seed: int | None = None,
    budget: Budget | None = None,
) -> str:
    """Queue a run in a store: nothing of it runs here, and a worker (:func:`work`) takes it.

    Args:
        flow: what :func:`load` or :func:`loads` gave; its text is kept, and workers read that.
        store: where the run is kept.
        run_id: the id of the run; None: a new one. To submit the same again under one id changes nothing.
        config, input, env, max_concurrency, seed, budget: as of :func:`run`.
        secrets: values of ``$secrets`` by name. Only their names are kept, and those that the document declares:
            a worker has to have them. None: a value that the worker alone has.

    Returns:
        The id of the run.

    Raises:
        InputError: what was given does not fit the document, or cannot be kept, or the id is that of a run with
            other things; nothing was queued.
        StoreFailed: the store cannot be written.

    A cancellation waits for the store.
    """
    values = check_secrets(secrets or {})
    options = RunOptions(
        config=config,
        secrets=values,
        input=input,
        env=env,
        max_concurrency=max_concurrency,
        seed=seed,
        budget=budget,
        store=store,
        run_id=run_id,
    )
    names = [*(secrets or {}), *(secret.name for secret in flow.document.secrets)]
    del secrets
    check_no_items(input)
    document = await document_of(flow, options, values, names)
    check_submitted(flow, options)
    return await store.submit(run_id, document, workflow=flow.name)
