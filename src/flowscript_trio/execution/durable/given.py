"""Owns what a store keeps of what a run is given, as bytes, and what of that is refused.

What is large is made into bytes, and read back, in a thread and in pieces.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from ...expression.bulk import PIECE, is_large
from ...journal.blobs import LARGE
from ...journal.pieces import encode_in_pieces
from ...journal.store import Store
from ...journal.values import decode_value, encode_value
from ...program.loading import Flow, Kept, keep
from ...runtimes.collector import LARGE as MANY
from ...types.budget import COUNTS, SECONDS, Budget
from ...types.errors import InputError
from ...types.storing import CannotKeep
from ..masking import public_texts
from ..options import RunOptions
from .beside import beside
from .coding import Coding
from .given_items import without_items

SEMANTICS = 5
"""The version of what the walk of a document means, and the entries of its journal.

A run that began with another one is not resumed.
"""


async def document_of(
    flow: Flow, options: RunOptions, secrets: Mapping[str, str], names: Iterable[str] = ()
) -> bytes:
    """What a store keeps of what a run is given, with the names of its secrets, and ``names`` beside them.

    Raises InputError for what cannot be kept, or be durable yet.
    """
    store = check_store(options)
    coding = Coding(secrets, partial(public_texts, flow, options))
    held = sorted({*secrets, *names})
    large = is_large([options.input, options.config, options.env])

    def make() -> bytes:
        return write_given(coding, held, _given(flow, options), large)

    try:
        return await beside(make, large, store.is_inline, large)
    except CannotKeep as exc:
        raise InputError(f"what the run is given cannot be kept: {exc}") from exc


def write_given(
    coding: Coding, names: list[str], given: dict[str, Any], large: bool, count: int | None = None
) -> bytes:
    """What a store keeps of what a run is given: what is large is made in pieces, for a thread.

    ``count`` is how many rows the journal of a fork begins with. Raises CannotKeep.
    """
    rest = [] if count is None else [count]
    if not large:
        return encode_value([SEMANTICS, names, coding.encode(given), *rest])
    try:
        data = b"".join(coding.encode_in_pieces(given))
    except RuntimeError as exc:
        raise CannotKeep("", f"it was changed while it was kept ({exc})") from exc
    pieces = [data[at : at + PIECE] for at in range(0, len(data), PIECE)]
    return b"".join(encode_in_pieces([SEMANTICS, names, pieces, *rest], None))


@dataclass(frozen=True, slots=True)
class Document:
    """What a store has of what a run was given: ``given`` is encoded, with references to secrets of these names.

    ``rows`` are how many rows the journal of a fork begins with, if it is one.
    """

    semantics: Any
    names: list[str]
    given: bytes
    rows: list[int]


async def read_document(document: bytes, is_inline: bool) -> Document:
    """The parts of what a store has. Raises StoreFailed. A cancellation waits for it."""

    def read() -> Document:
        semantics, names, given, *rows = decode_value(document)
        return Document(semantics, names, b"".join(given) if type(given) is list else given, rows)

    return await beside(read, len(document) > LARGE, is_inline, len(document) > MANY)


async def read_given(document: Document, coding: Coding, is_inline: bool) -> Any:
    """What a run was given. Raises StoreFailed. A cancellation waits for it."""
    decode = partial(coding.decode, document.given)
    size = len(document.given)
    return await beside(decode, size > LARGE, is_inline, size > MANY)


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


def budget_in(given: Mapping[str, Any]) -> Budget | None:
    """The budget that a run began with."""
    return Budget(**given["budget"]) if "budget" in given else None


def given_of(kept: Kept) -> list[Any]:
    """A workflow as it is kept: in lists, since plain JSON is written many times faster, and read so."""
    return [kept.texts, kept.names, kept.path, list(kept.roots), kept.base]


def check_store(options: RunOptions) -> Store:
    """The store of options; raises InputError where they name none, or no run."""
    if not isinstance(options.store, Store):
        kind = type(options.store).__name__
        raise InputError(f"store is of type {kind}; expected a Store, such as Store('runs.db')")
    if options.run_id is not None and not isinstance(options.run_id, str):
        raise InputError(f"run_id is {options.run_id!r}; expected text, or None")
    return options.store
