"""Owns the beginning of a durable run: what is kept of what it was given, and which runs are refused."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from random import Random
from typing import Any

from ...expression.scope import Services
from ...journal.rows import Journal
from ...journal.store import Store
from ...journal.values import decode_value, encode_value
from ...program.compiled import Program, Step
from ...program.loading import Flow, Kept, keep, restore
from ...types.errors import InputError
from ...types.storing import CannotKeep, StoreFailed
from ..inputs import check_secrets
from ..masking import public_texts
from ..options import RunOptions
from .coding import Coding, changed_since, fingerprints
from .cutting import check_whole
from .entries import RunBegan, entry_of
from .given_items import check_items, without_items
from .past import Past

FindSecrets = Callable[[Sequence[str]], Mapping[str, str]]
"""Finds secrets by their names."""

SEMANTICS = 1
"""The version of what the walk of a document means. A run that began with another one is not resumed."""


@dataclass(frozen=True, slots=True)
class Owned:
    """A run that this process owns: its journal, what it was given, and what is on record."""

    journal: Journal
    coding: Coding
    past: Past
    began: RunBegan
    changed: frozenset[str]
    """The names of the secrets that have another value than the run began with."""


@asynccontextmanager
async def begun(store: Store, flow: Flow, options: RunOptions) -> AsyncIterator[Owned]:
    """Own the run with the id of the options, or a new one, while the block runs.

    Raises InputError for what cannot be kept, or be durable yet, and where the run was begun with something else;
    RunBusy where another owns it; StoreFailed. A cancellation waits until the run is given back.
    """
    refuse(flow.program, options)
    secrets = check_secrets(options.secrets or {})
    coding = Coding(secrets, partial(public_texts, flow, options))
    try:
        given = coding.encode(_given(flow, options))
        document = encode_value([SEMANTICS, sorted(secrets), given])
    except CannotKeep as exc:
        raise InputError(f"what the run is given cannot be kept: {exc}") from exc
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
        semantics, names, document, *rows = decode_value(journal.document)
        check_whole(journal, rows)
        if semantics != SEMANTICS:
            raise InputError(
                f"the run {run_id!r} was begun by a release whose workflows mean something else "
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
            store=store,
            run_id=run_id,
        )
        refuse(flow.program, options)
        yield flow, options, await _owned(journal, flow, options, secrets)
    finally:
        await journal.aclose()


def _given(flow: Flow, options: RunOptions) -> dict[str, Any]:
    """What another process needs to go on with the run, but for secrets and what is no value."""
    input, items = without_items(options.input)
    return {
        "flow": given_of(keep(flow)),
        "input": input,
        "items": items,
        "config": None if options.config is None else dict(options.config),
        "env": None if options.env is None else dict(options.env),
        "max_concurrency": options.max_concurrency,
    }


def given_of(kept: Kept) -> tuple[Any, ...]:
    """A workflow as it is kept."""
    return kept.texts, kept.names, kept.path, kept.roots, kept.base


async def _owned(
    journal: Journal, flow: Flow, options: RunOptions, secrets: Mapping[str, str]
) -> Owned:
    """The run of a journal: what is on record, or else the entry that it is to begin with."""
    first = next(iter(journal.read()), None)
    public = partial(public_texts, flow, options)
    if first is None:
        now = (options.now or Services().now)()
        seed = Random().getrandbits(64) if options.seed is None else options.seed
        began = RunBegan("", seed, now, *await fingerprints(secrets))
        return Owned(journal, Coding(secrets, public), Past(), began, frozenset())
    known = entry_of(first, Coding(secrets).decode)
    if not isinstance(known, RunBegan):
        raise StoreFailed(
            f"the journal of the run {journal.run_id!r} does not begin with its beginning"
        )
    changed = frozenset(await changed_since(secrets, known.prints, known.salt))
    coding = Coding(secrets, public, changed)
    past = Past()
    for number, row in journal.numbered():
        past.take_in(entry_of(row, coding.decode), number, len(row.data), row.value)
    return Owned(journal, coding, past, known, changed)


def refuse(program: Program, options: RunOptions) -> None:
    """Raise InputError for what a durable run cannot have yet, rather than lose it in silence."""
    if not isinstance(options.store, Store):
        kind = type(options.store).__name__
        raise InputError(f"store is of type {kind}; expected a Store, such as Store('runs.db')")
    if options.run_id is not None and not isinstance(options.run_id, str):
        raise InputError(f"run_id is {options.run_id!r}; expected a text, or None")
    if options.budget is not None:
        raise InputError("a run with a store cannot have a budget yet; give it one of the two")
    for each in _programs(program):
        for placed in each.placed.values():
            raise InputError(
                f"{placed.label!r} runs at the place {placed.place!r}, and a run with a store cannot have places "
                "yet; leave the place out, or run without a store"
            )
        for step in _steps(each):
            said = _refusal(step, options)
            if said is not None:
                raise InputError(f"{step.label!r} at {step.location} cannot be durable yet: {said}")


def _refusal(step: Step, options: RunOptions) -> str | None:
    settings: Mapping[str, Any] = step.node.settings
    for pace in ("stagger", "throttle", "debounce"):
        if pace in settings:
            return f"a block with {pace}; leave it out, or run without a store"
    if step.limits:
        return (
            "limits with names are not kept over processes; leave them out, or run without a store"
        )
    if "stream" in settings:
        return "a stream has no position that could be kept; read the whole, or run without a store"
    if step.node.kind == "checkpoint" and options.decider is None:
        return "nobody could answer it; give the run a decider"
    return None


def _programs(program: Program) -> Iterator[Program]:
    """A program and those of the documents that it runs, each once."""
    pending, seen = [program], {id(program)}
    while pending:
        found = pending.pop()
        yield found
        for inner in found.linked.values():
            if id(inner) not in seen:
                seen.add(id(inner))
                pending.append(inner)


def _steps(program: Program) -> Iterator[Step]:
    """Every step of one program, handlers included."""
    for body in (*program.bodies.values(), program.main):
        for step in body.steps:
            for each in (step, step.fallback, step.on_timeout):
                if each is not None:
                    yield each
