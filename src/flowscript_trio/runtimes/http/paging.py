"""Owns pages: answers that say, or of which it is known, where the next one is. Importing this imports httpx."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from ...expression import to_text
from ...expression.scope import Scope
from ...types.errors import FlowScriptError
from ..types import RunServices
from .answer import Answer, decoded, read_answer
from .client import send
from .content import Content
from .errors import bare_url
from .links import next_link, parameter_of, without_parameter
from .pool import pool_of
from .redirects import is_same_origin
from .types import HttpSourceConfig


@dataclass(frozen=True, slots=True)
class Page:
    """Where a page is asked for: ``params`` are added to the URL."""

    url: str
    params: dict[str, Any]


class PageSupply:
    """The items of pages, each of which is asked for when those of the one before are consumed.

    Cancellation closes the connection at once.
    """

    def __init__(
        self, run: RunServices, config: HttpSourceConfig, content: Content, scope: Scope
    ) -> None:
        self._run = run
        self._config = config
        self._content = content
        self._scope = scope
        first = Page(config.url, config.params)
        self._next: Page | None = first
        self._ready: Sequence[Any] = ()
        self._before: Sequence[Any] = ()
        self._count = 0
        self._number = 0
        self._seen: set[int] = set()
        self._is_new(first)
        self.first: Answer | None = None
        """The answer with the first page."""

    async def open(self) -> None:
        """Ask for the first page."""
        await self._ask()

    async def take_in(self, answer: httpx.Response) -> None:
        """Read an answer as the only page."""
        self._next = None
        limit = (await pool_of(self._run)).options.max_bytes
        whole = await read_answer(answer, limit, self._run)
        self._ready = self._items(whole, await self._body(whole))

    async def fetch(self) -> Sequence[Any]:
        while not self._ready and self._next is not None:
            await self._ask()
        items, self._ready = self._ready, ()
        return items

    async def aclose(self) -> None:
        self._next, self._ready = None, ()

    async def _ask(self) -> None:
        page, config = self._next, self._config
        assert page is not None
        pool = await pool_of(self._run)
        asking = config.model_copy(update={"url": page.url, "params": page.params})
        response = await send(
            self._run, pool, asking, config.method, self._content, self._scope, self._number
        )
        answer = await read_answer(response, pool.options.max_bytes, self._run)
        body = await self._body(answer)
        items = self._items(answer, body)
        if items and items == self._before:
            raise FlowScriptError(
                f"{bare_url(answer.url)} answered with the same page twice; does it know the parameter "
                f"{self._name!r}?"
            )
        self._number += 1
        self._count += len(items)
        self._ready = items
        self._before = items if config.next in ("offset", "page") else ()
        self._next = self._after(answer, body, items)

    async def _body(self, answer: Answer) -> Any:
        self.first = self.first or answer
        plain = self._config.model_copy(update={"format": "json", "extract": None})
        return await decoded(answer, plain)

    def _items(self, answer: Answer, body: Any) -> list[Any]:
        extract = self._config.extract
        items = body if extract is None else extract(body)
        if items is None:
            return []
        if not isinstance(items, list):
            kind = "an object" if isinstance(items, dict) else "a single value"
            raise FlowScriptError(
                f"the page of {bare_url(answer.url)} is {kind}; expected a list, or the setting extract with "
                "the path of the list in it"
            )
        return items

    def _after(self, answer: Answer, body: Any, items: Sequence[Any]) -> Page | None:
        """Where the next page is; None where this was the last one."""
        config = self._config
        if config.next in ("offset", "page"):
            return self._counted() if items else None
        if config.next == "link":
            found = next_link(answer.headers.get("link", ""))
            after = None if not found else self._linked(answer, found)
        else:
            assert config.cursor is not None
            found = config.cursor(body)
            if found is None or found is False or found == "":
                return None
            if isinstance(found, (bool, list, dict)):
                kind = {bool: "true", list: "a list", dict: "an object"}[type(found)]
                raise FlowScriptError(
                    f"{bare_url(answer.url)} has {kind} where its cursor is looked for; expected text or a "
                    "number, and null after the last page"
                )
            if isinstance(found, str) and found.startswith(("http://", "https://", "/")):
                after = self._linked(answer, found)
            else:
                after = self._asked_by(found)
        if after is not None and not self._is_new(after):
            raise FlowScriptError(
                f"{bare_url(answer.url)} names as its next page one that was asked for already"
            )
        return after

    def _is_new(self, page: Page) -> bool:
        """Whether a page was not asked for yet; the fragment of its URL is not sent."""
        key = hash((page.url.partition("#")[0], to_text(page.params)))
        if key in self._seen:
            return False
        self._seen.add(key)
        return True

    @property
    def _name(self) -> str:
        return self._config.next_param or str(self._config.next)

    def _counted(self) -> Page:
        config = self._config
        begin = config.params.get(self._name)
        if begin is None:
            begin = parameter_of(config.url, self._name)
        try:
            first = (0 if config.next == "offset" else 1) if begin is None else int(begin)
        except (TypeError, ValueError):
            raise FlowScriptError(
                f"the parameter {self._name!r} is not a whole number, by which pages are counted"
            ) from None
        done = self._count if config.next == "offset" else self._number
        return self._asked_by(first + done)

    def _asked_by(self, value: Any) -> Page:
        """The page that the parameter asks for by a value, which takes the place of one in the URL."""
        config = self._config
        url = without_parameter(config.url, self._name)
        return Page(url, {**config.params, self._name: value})

    def _linked(self, answer: Answer, found: str) -> Page:
        """The page of a URL that an answer names: of the same origin, since the settings are sent to it."""
        try:
            url = answer.url.join(found)
        except httpx.InvalidURL:
            raise FlowScriptError(
                f"{bare_url(answer.url)} names a next page that is not a valid URL"
            ) from None
        if not is_same_origin(httpx.URL(self._config.url), url):
            raise FlowScriptError(
                f"{bare_url(answer.url)} names a next page of another origin, {bare_url(url)}, which is not sent "
                "what the settings say"
            )
        return Page(str(url), {})
