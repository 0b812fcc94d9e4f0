"""Owns the beginning of a durable run: what is kept of what it was given, and which runs are refused."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from random import Random

from ...expression.scope import Services
from ...journal.rows import Answered, Journal, Row
from ...journal.sealing import Seal
from ...journal.store import Store
from ...program.loading import Flow, Kept, restore
from ...types.errors import InputError
from ...types.storing import StoreFailed
from ..inputs import check_secrets
from ..masking import public_texts
from ..options import RunOptions
from .beside import beside
from .coding import Coding, changed_since, fingerprints
from .compacting import parts_of
from .cutting import check_whole
from .entry_rows import LARGE_PARTS, entry_of
from .given import SEMANTICS, budget_in, check_store, document_of, read_document, read_given
from .given_items import check_items
from .past import Past
from .run_entries import RunBegan

FindSecrets = Callable[[Sequence[str]], Mapping[str, str]]
"""Finds secrets by their names."""

MANY = 10_000
"""Rows of a journal from which on full collections of garbage wait while they are read."""


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
    document = await document_of(flow, options, secrets)
    journal = await store.begin(options.run_id, document, workflow=flow.name)
    try:
        yield await _owned(journal, flow, options, secrets)
    finally:
        await journal.aclose()


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
        document = await read_document(journal.document, journal.is_inline)
        semantics, names = document.semantics, document.names
        check_whole(journal, document.rows)
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
        given = await read_given(document, Coding(secrets), journal.is_inline)
        check_items(run_id, given["items"])
        flow = restore(Kept(*given["flow"]), options.registry)
        options = replace(
            options,
            config=given["config"],
            input=given["input"],
            env=given["env"],
            max_concurrency=given["max_concurrency"],
            seed=given["seed"],
            budget=options.budget or budget_in(given),
            store=store,
            run_id=run_id,
        )
        check_store(options)
        yield flow, options, await _owned(journal, flow, options, secrets)
    finally:
        await journal.aclose()


async def _owned(
    journal: Journal, flow: Flow, options: RunOptions, secrets: Mapping[str, str]
) -> Owned:
    """The run of a journal: what is on record, or else the entry that it is to begin with."""
    store = options.store
    assert isinstance(store, Store)
    public = partial(public_texts, flow, options)
    answers = await journal.answers()
    if not journal.found:
        now = (options.now or Services().now)() + timedelta(seconds=journal.ahead)
        seed = Random().getrandbits(64) if options.seed is None else options.seed
        proof = b"" if store.seal is None else store.seal.proof()
        began = RunBegan("", seed, now, *await fingerprints(secrets), proof)
        coding = Coding(secrets, public, seal=store.seal)
        return Owned(journal, coding, Past(), began, answers, frozenset())
    inline = journal.is_inline
    known = await beside(partial(_first_of, journal, Coding(secrets)), True, inline)
    seal = _seal_of(store, known, journal.run_id)
    changed = frozenset(await changed_since(secrets, known.prints, known.salt))
    coding = Coding(secrets, public, changed, seal)
    read = partial(_past_of, journal, coding)
    past = await beside(read, True, inline, journal.found > MANY)
    return Owned(journal, coding, past, known, answers, changed)


def _first_of(journal: Journal, coding: Coding) -> RunBegan:
    """The entry that a run begins with. Raises StoreFailed where there is none."""
    row = next(iter(journal.read()), None)
    known = None if row is None else entry_of(row, coding.decode)
    if not isinstance(known, RunBegan):
        raise StoreFailed(f"the journal of the run {journal.run_id!r} lacks its beginning")
    return known


def _past_of(journal: Journal, coding: Coding) -> Past:
    """All that is on record. Raises StoreFailed."""
    past = Past()
    for number, row in journal.numbered():
        past.take_in(entry_of(row, coding.decode), number, _size_of(row), row.value)
    past.parts = parts_of(past.rows)
    return past


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
