"""Owns the beginning of a durable run: what is kept of what it was given, and which runs are refused."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from random import Random
from typing import Any

from ...expression.scope import Services
from ...journal.rows import Answered, Journal, Row
from ...journal.sealing import Seal
from ...journal.store import Store
from ...journal.values import decode_value, encode_value
from ...program.loading import Flow, Kept, keep, restore
from ...types.budget import COUNTS, SECONDS, Budget
from ...types.errors import InputError
from ...types.storing import CannotKeep, StoreFailed
from ..inputs import check_secrets
from ..masking import public_texts
from ..options import RunOptions
from .coding import Coding, changed_since, fingerprints
from .cutting import check_whole
from .entry_rows import LARGE_PARTS, entry_of
from .given_items import check_items, without_items
from .past import Past
from .run_entries import RunBegan

FindSecrets = Callable[[Sequence[str]], Mapping[str, str]]
"""Finds secrets by their names."""

SEMANTICS = 5
"""The version of what the walk of a document means, and the entries of its journal.

A run that began with another one is not resumed.
"""


@dataclass(frozen=True, slots=True)
class Owned:
    """A run that this process owns: its journal, what it was given, and what is on record."""

    journal: Journal
    coding: Coding
    past: Past
    began: RunBegan
    answers: Sequence[Answered]
    """What its inbox has."""
    changed: frozenset[str]
    """The names of the secrets whose value is not the one that the run began with."""
    acts: bool = True
    """Whether nodes act; else each waits for ever where it would, and nothing is done but what had ended."""


@asynccontextmanager
async def begun(store: Store, flow: Flow, options: RunOptions) -> AsyncIterator[Owned]:
    """Own the run with the id of the options, or a new one, while the block runs.

    Raises InputError for what cannot be kept, or be durable yet, and where the run was begun with something else;
    RunBusy where another owns it; StoreFailed. A cancellation waits until the run is given back.
    """
    secrets = check_secrets(options.secrets or {})
    document = document_of(flow, options, secrets)
    journal = await store.begin(options.run_id, document, workflow=flow.name)
    try:
        yield await _owned(journal, flow, options, secrets)
    finally:
        await journal.aclose()


def document_of(
    flow: Flow, options: RunOptions, secrets: Mapping[str, str], names: Iterable[str] = ()
) -> bytes:
    """What a store keeps of what a run is given, with the names of its secrets, and ``names`` beside them.

    Raises InputError for what cannot be kept, or be durable yet.
    """
    check_store(options)
    coding = Coding(secrets, partial(public_texts, flow, options))
    try:
        given = coding.encode(_given(flow, options))
        return encode_value([SEMANTICS, sorted({*secrets, *names}), given])
    except CannotKeep as exc:
        raise InputError(f"what the run is given cannot be kept: {exc}") from exc


@asynccontextmanager
async def reopened(
    store: Store, run_id: str, options: RunOptions, find_secrets: FindSecrets | None = None
) -> AsyncIterator[tuple[Flow, RunOptions, Owned]]:
    """Own a run that is in the store, with its document and what it was given.

    ``find_secrets`` gives the secrets in the place of those of the options, by the names that the run began with.

    Raises InputError where it is not there, or another version began it, or a secret is missing; RunBusy;
    StoreFailed; WorkflowInvalid where the runtimes do not fit. A cancellation waits until the run is given back.
    """
    journal = await store.open(run_id)
    try:
        semantics, names, document, *rows = decode_value(journal.document)
        check_whole(journal, rows)
        if semantics != SEMANTICS:
            raise InputError(
                f"the run {run_id!r} was begun by a release whose workflows or journals mean something else "
                f"({semantics}, here {SEMANTICS}); resume it with that release"
            )
        if find_secrets is not None:
            options = replace(options, secrets=find_secrets(names))
        secrets = check_secrets(options.secrets or {})
        missing = [name for name in names if name not in secrets]
        if missing:
            raise InputError(
                f"the run was given secrets that are missing now: {', '.join(missing)}"
            )
        given = Coding(secrets).decode(document)
        check_items(run_id, given["items"])
        flow = restore(Kept(*given["flow"]), options.registry)
        options = replace(
            options,
            config=given["config"],
            input=given["input"],
            env=given["env"],
            max_concurrency=given["max_concurrency"],
            seed=given["seed"],
            budget=options.budget or _budget_in(given),
            store=store,
            run_id=run_id,
        )
        check_store(options)
        yield flow, options, await _owned(journal, flow, options, secrets)
    finally:
        await journal.aclose()


def _given(flow: Flow, options: RunOptions) -> dict[str, Any]:
    """What another process needs to go on with the run, but for secrets and what is not a value."""
    input, items = without_items(options.input)
    given = {
        "flow": given_of(keep(flow)),
        "input": input,
        "items": items,
        "config": None if options.config is None else dict(options.config),
        "env": None if options.env is None else dict(options.env),
        "max_concurrency": options.max_concurrency,
        "seed": options.seed,
    }
    if isinstance(options.budget, Budget):
        given["budget"] = {name: getattr(options.budget, name) for name in (*SECONDS, *COUNTS)}
    return given


def _budget_in(given: Mapping[str, Any]) -> Budget | None:
    """The budget that a run began with."""
    return Budget(**given["budget"]) if "budget" in given else None


def given_of(kept: Kept) -> tuple[Any, ...]:
    """A workflow as it is kept."""
    return kept.texts, kept.names, kept.path, kept.roots, kept.base


async def _owned(
    journal: Journal, flow: Flow, options: RunOptions, secrets: Mapping[str, str]
) -> Owned:
    """The run of a journal: what is on record, or else the entry that it is to begin with."""
    store = options.store
    assert isinstance(store, Store)
    first = next(iter(journal.read()), None)
    public = partial(public_texts, flow, options)
    answers = await journal.answers()
    if first is None:
        now = (options.now or Services().now)() + timedelta(seconds=journal.ahead)
        seed = Random().getrandbits(64) if options.seed is None else options.seed
        proof = b"" if store.seal is None else store.seal.proof()
        began = RunBegan("", seed, now, *await fingerprints(secrets), proof)
        coding = Coding(secrets, public, seal=store.seal)
        return Owned(journal, coding, Past(), began, answers, frozenset())
    known = entry_of(first, Coding(secrets).decode)
    if not isinstance(known, RunBegan):
        raise StoreFailed(f"the journal of the run {journal.run_id!r} lacks its beginning")
    seal = _seal_of(store, known, journal.run_id)
    changed = frozenset(await changed_since(secrets, known.prints, known.salt))
    coding = Coding(secrets, public, changed, seal)
    past = Past()
    for number, row in journal.numbered():
        past.take_in(entry_of(row, coding.decode), number, _size_of(row), row.value)
    return Owned(journal, coding, past, known, answers, changed)


def _size_of(row: Row) -> int:
    return len(row.data) + (len(row.value) if row.kind in LARGE_PARTS else 0)


def _seal_of(store: Store, began: RunBegan, run_id: str) -> Seal | None:
    """What the cookies of a run are sealed with; raises InputError for a key that it was not begun with."""
    if not began.seal:
        return None
    if store.seal is None:
        raise InputError(
            f"the run {run_id!r} was begun with a key, and the store has none; open it with Store(…, key=…)"
        )
    if not store.seal.fits(began.seal):
        raise InputError(
            f"the run {run_id!r} was begun with a different key from the one that the store has now; "
            "open it with that key"
        )
    return store.seal


def check_store(options: RunOptions) -> None:
    """Raise InputError for options that name no store or no run."""
    if not isinstance(options.store, Store):
        kind = type(options.store).__name__
        raise InputError(f"store is of type {kind}; expected a Store, such as Store('runs.db')")
    if options.run_id is not None and not isinstance(options.run_id, str):
        raise InputError(f"run_id is {options.run_id!r}; expected text, or None")
