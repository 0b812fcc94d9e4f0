"""Owns answers as streams: the records of a body, which are received as somebody wants them. Importing this
imports httpx.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import trio

from ...expression.scope import Scope
from ...expression.tabular.tables import LONGEST
from ...types.errors import SettingError
from ..file.records import Parts, make_parts
from ..streams import Supply
from ..tabular import TABLES
from ..types import RunServices
from .answer import encoding_of, place_of, refuse_failure
from .charset import kind_of, texts_of
from .client import send
from .coding import Body
from .content import Content
from .errors import bare_url
from .events import Events
from .failing import explained
from .paging import PageSupply
from .pool import pool_of
from .types import RECORDS, HttpSourceConfig

_BY_TYPE = {
    "text/csv": "csv",
    "text/tab-separated-values": "tsv",
    "text/event-stream": "events",
    "application/jsonl": "jsonl",
    "application/x-jsonl": "jsonl",
    "application/jsonlines": "jsonl",
    "application/x-jsonlines": "jsonl",
    "application/ndjson": "jsonl",
    "application/x-ndjson": "jsonl",
    "application/json": "json",
    "text/json": "json",
}


async def open_supply(
    run: RunServices, config: HttpSourceConfig, content: Content, scope: Scope
) -> tuple[Supply, Head]:
    """The items that a server answers with, and the rest of its answer.

    Raises as :func:`send` does, HTTPStatusError, and SettingError for a content type that is not of records.
    Cancellation closes the connection at once.
    """
    if config.next is not None:
        pages = PageSupply(run, config, content, scope)
        await pages.open()
        assert pages.first is not None
        first = pages.first
        return pages, Head(first.status, dict(first.headers), bare_url(first.url))
    pool = await pool_of(run)
    answer = await send(run, pool, config, config.method, content, scope)
    head = Head(answer.status_code, dict(answer.headers), bare_url(answer.url))
    try:
        await refuse_failure(answer, run.services.now)
        form = config.format if config.format != "auto" else form_of(answer)
        if form not in TABLES and (given := config.table_settings):
            raise SettingError(
                f"{bare_url(answer.url)} answered with the content type of {form}, and {given[0]} is only for csv "
                "and tsv; expected the setting format: csv, or none of these settings"
            )
        if (
            form == "json"
        ):  # one value, whose items are there once it is: a page that has none after it
            pages = PageSupply(run, config, content, scope)
            await pages.take_in(answer)
            return pages, head
        return BodySupply(answer, form, config, pool.options.max_bytes), head
    except BaseException:
        with trio.CancelScope(shield=True):  # it does not block: the connection is dropped
            await answer.aclose()
        raise


def form_of(answer: httpx.Response) -> str:
    """The format by the content type: other text is lines. Raises SettingError for what is not of records."""
    kind = kind_of(answer.headers.get("content-type", ""))
    if kind in _BY_TYPE:
        return _BY_TYPE[kind]
    if kind.endswith("+json"):
        return "json"
    if kind.startswith("text/"):
        return "lines"
    raise SettingError(
        f"{bare_url(answer.url)} answered with the content type {kind or 'nothing'!r}; expected the setting "
        f"format: {', '.join(RECORDS)} or json"
    )


@dataclass(frozen=True, slots=True)
class Head:
    """What an answer has besides its body: that of the first page, of pages."""

    status: int
    headers: dict[str, str]
    url: str


class BodySupply:
    """The records of a body, decoded piece by piece; nothing is received before somebody wants it.

    Cancellation closes the connection at once.
    """

    def __init__(
        self, answer: httpx.Response, form: str, config: HttpSourceConfig, most: int
    ) -> None:
        name = bare_url(answer.url)
        longest = min(LONGEST, most)
        self._answer = answer
        self._raw = answer.aiter_raw()
        place = place_of(answer)
        self._body = Body(encoding_of(answer), None if config.stream else most, place)
        self._pieces: Iterator[bytes] = iter(())
        self._texts = texts_of(place, answer.charset_encoding, config.encoding, form=form)
        if form == "events":
            self._parts: Parts = Events(name, longest)
        else:
            self._parts = make_parts(form, name, config.dialect_of(form), config.types, longest)
        self._extract = config.extract
        self._ended = False

    async def fetch(self) -> Sequence[Any]:
        while not self._ended:
            piece = next(self._pieces, None)  # one at a time: a few bytes may stand for many
            if piece is None:
                piece = await self._receive()
            else:
                await trio.lowlevel.checkpoint()
            if items := self._parts.feed(self._texts.feed(piece, self._ended), self._ended):
                return items if self._extract is None else [self._extract(item) for item in items]
        return ()

    async def _receive(self) -> bytes:
        """The first piece of what comes next; at the end, none."""
        try:
            part = await anext(self._raw)
        except StopAsyncIteration:
            self._body.end()
            self._ended = True
            return b""
        except httpx.RequestError as exc:
            raise explained(exc, self._answer.request) from exc
        self._pieces = self._body.feed(part)
        return next(self._pieces, b"")

    async def aclose(self) -> None:
        await self._answer.aclose()
        # To the end that the closed connection makes: httpx's own generators, left in the middle, would be
        # finished by the garbage collector, of which trio warns.
        try:
            async for _ in self._raw:
                pass
        except (httpx.StreamError, httpx.RequestError):
            pass
