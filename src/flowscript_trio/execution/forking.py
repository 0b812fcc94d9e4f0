"""Owns forks: a run that begins with the journal of another one, up to an execution of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from ..journal.blobs import LARGE
from ..journal.rows import ENDED, Row
from ..journal.sealing import Seal
from ..journal.store import Store
from ..journal.values import decode_value
from ..program.loading import Flow, Kept, keep, restore
from ..runtimes.registry import Registry
from ..types.errors import InputError, nearest
from ..types.paths import undone_in
from ..types.storing import CannotKeep
from .durable.beside import beside
from .durable.coding import Coding
from .durable.comparing import check_same, labels_of, places_in
from .durable.cutting import (
    completed,
    cut,
    first_of,
    places_of,
    undone,
    without_begun,
    without_undone,
)
from .durable.entry_rows import entry_of, row_of
from .durable.given import SEMANTICS, given_of, read_document, read_given, write_given
from .durable.opening import FindSecrets
from .durable.run_entries import Forked, RunBegan
from .inputs import check_secrets


async def fork(
    store: Store,
    run_id: str,
    *,
    at: str,
    document: Flow | None = None,
    skip: Mapping[str, Any] | None = None,
    new_id: str | None = None,
    secrets: Mapping[str, str] | None = None,
    registry: Registry | None = None,
) -> str:
    """Begin a new run with what another one had done before an execution of it; :func:`resume` goes on with it.

    The run that it is forked from stays as it is, whoever runs it. What it had undone since counts as not ended,
    and is done again. What it had done before, the fork undoes only if that run has ended: else it does so itself.

    Args:
        store: the store of the run.
        run_id: the run to fork.
        at: the key of an execution (``pay``, ``each[3]/step``): the new run has all entries before its first one.
            Of one that only computes there is none: the new run has those that led there, which is found by
            following the run once more, by its journal and without doing anything.
        document: a changed workflow; None: that of the run. What had begun before ``at`` must be in it, in its
            place and of its type; the rest is free.
        skip: outputs of nodes by their keys, which stand for running them.
        new_id: the id of the new run; None: a new one.
        secrets: values of ``$secrets`` by name, as of :func:`resume`.
        registry: other runtimes than the default ones, as of :func:`resume`.

    Returns:
        The id of the new run.

    Raises:
        InputError: there is no such run, it never reached that execution, what was before it is compacted, the
            document does not have what had begun, or an output cannot be kept. Nothing was kept.
        StoreFailed: the store cannot be read or written.
        WorkflowInvalid: the registry does not have what the document needs.

    A cancellation waits for the store; the new run is there whole or is refused when it is resumed.
    """
    return await fork_with(
        store, run_id, at, document, skip or {}, new_id, registry, lambda _: secrets or {}
    )


async def fork_with(
    store: Store,
    run_id: str,
    at: str,
    document: Flow | None,
    skip: Mapping[str, Any],
    new_id: str | None,
    registry: Registry | None,
    find_secrets: FindSecrets,
) -> str:
    """:func:`fork`; ``find_secrets`` gives the secrets by the names that the run began with."""
    began, state, rows = await store.copy(run_id)
    document_then = await read_document(began, store.is_inline)
    semantics, names = document_then.semantics, document_then.names
    if semantics != SEMANTICS:
        raise InputError(
            f"the run {run_id!r} was begun by a release whose workflows or journals mean something else; "
            "fork it with that one"
        )
    held = check_secrets(find_secrets(names))
    missing = [name for name in names if name not in held]
    if missing:
        raise InputError(f"the run was given secrets that are missing now: {', '.join(missing)}")
    coding = Coding(held)
    given = await read_given(document_then, coding, store.is_inline)
    old = restore(Kept(*given["flow"]), registry)
    first = first_of(rows, at) if at else None
    if first is None:
        from .following import find_reached  # only what is not on record by itself is looked for

        first = await find_reached(store, run_id, began, rows, at, held, registry)
    before = cut(run_id, rows, at, first)
    since = before[-1][0] + 1 if before else 0
    # The fork does that compensation itself: its node stays as ended.
    gone = [node for node in undone(rows, since) if node != undone_in(at)]
    before = without_begun(without_undone(before, gone))
    flow = old
    if document is not None:
        flow = document
        check_same(
            old.program, flow.program, [place for _, row in before for place in places_of(row)]
        )
        given["flow"] = given_of(keep(flow))
    outputs = dict(skip)
    _check_skipped(flow, outputs, {row.key for _, row in before if row.kind == "ended"})
    settled = frozenset(undone(before, 0))
    disowned = [] if state in ENDED else [key for key in completed(before) if key not in settled]
    try:
        sealing = Coding(held, seal=_seal_of(store, before))
        last, _ = row_of(Forked("", run_id, at, disowned, outputs), sealing)
    except CannotKeep as exc:
        raise InputError(f"an output to skip a node with cannot be kept: {exc}") from exc
    count = len(before) + 1
    large = len(document_then.given) > LARGE
    write = partial(write_given, coding, names, given, large, count)
    made = await beside(write, large, store.is_inline)
    journal = await store.begin(new_id, made, workflow=flow.name)
    try:
        if journal.found:
            raise InputError(
                f"the run {journal.run_id!r} is in the store already; expected another id"
            )
        for _, row in before:
            journal.write(row)
        journal.write(last)
        return journal.run_id
    finally:
        await journal.aclose()


def _seal_of(store: Store, before: Sequence[tuple[int, Row]]) -> Seal | None:
    """What the entries of a run are sealed with, where the store has the key that it was begun with."""
    began = entry_of(before[0][1], decode_value) if before else None
    fits = isinstance(began, RunBegan) and store.seal is not None and store.seal.fits(began.seal)
    return store.seal if fits else None


def _check_skipped(flow: Flow, outputs: Mapping[str, Any], ended: set[str]) -> None:
    places = places_in(flow.program)
    for key in outputs:
        if key in ended:
            raise InputError(
                f"{key!r} cannot be skipped: it had ended before the fork, and its output stands; "
                "expected a fork at that node, or before it"
            )
        pairs = labels_of(key)
        unknown = next(
            (label for _, label in pairs if all(label != name for _, name in places)), None
        )
        if unknown is not None or not pairs:
            near = nearest(unknown or key, (name for _, name in places))
            hint = f"; did you mean {near!r}?" if near else ""
            raise InputError(
                f"{key!r} cannot be skipped: the document has no node {unknown or key!r}{hint}"
            )
