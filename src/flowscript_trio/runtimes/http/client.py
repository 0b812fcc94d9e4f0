"""Owns one exchange: a request made from settings and sent, and its answer read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode
from uuid import UUID, uuid5

from ...expression import written_text
from ...expression.scope import Scope
from ..types import RunServices
from .answer import Answer, read_answer
from .content import Content
from .hosts import valid_url
from .pool import HttpPool, Sending, pool_of
from .spelling import checked_header
from .types import RequestConfig

if TYPE_CHECKING:
    import httpx


async def exchange(
    run: RunServices,
    config: RequestConfig,
    method: str,
    content: Content,
    scope: Scope | None = None,
    number: int = 0,
) -> Answer:
    """Send a request with the cookies of a scope, and read the answer whole; ``number`` is as for :func:`send`.

    Raises as :func:`send` and :func:`read_answer`. Cancellation closes the connection at once.
    """
    pool = await pool_of(run)
    answer = await send(run, pool, config, method, content, scope, number)
    return await read_answer(answer, pool.options.max_bytes, run)


async def send(
    run: RunServices,
    pool: HttpPool,
    config: RequestConfig,
    method: str,
    content: Content,
    scope: Scope | None,
    number: int = 0,
) -> httpx.Response:
    """The answer to a request, not yet read.

    ``number`` counts the requests of a node that ask for something else each, such as pages.

    Raises SettingError for settings that make no request, HostRefused and RedirectRefused, and for what fails
    below HTTP errors of httpx's own classes that name the request and the cause. A token that is refused is
    asked for again, once. Cancellation closes the connection at once.
    """
    import httpx

    auth = config.auth
    kind = "none" if auth is None else auth.type
    scheme: httpx.Auth | None = None
    token = None
    if auth is not None and kind == "basic":
        scheme = httpx.BasicAuth(auth.username, auth.password)
    elif auth is not None and kind == "digest":
        from .digest import Digest

        scheme = Digest(auth.username, auth.password)
    elif auth is not None and kind == "hmac":
        from .signing import HmacAuth

        scheme = HmacAuth(auth, run.services.now)
    elif auth is not None and kind != "none":
        token = auth.token if kind == "bearer" else await pool.token_of(auth, run)

    async def once(token: str | None) -> httpx.Response:
        client = pool.client()
        request = build_request(client, config, method, content, token)
        if (key := run.idempotency_key) is not None and config.idempotent:
            say_key(request, key, number)
        mine = _own_headers(config)
        secrets = run.secrets.values()
        sending = Sending(scheme, scope, config.redirects, mine, secrets, run.count_request)
        return await pool.send(client, request, sending)

    answer = await once(token)
    if auth is not None and kind == "oauth2" and answer.status_code == 401:
        await answer.aclose()
        answer = await once(await pool.token_of(auth, run, refused=token))
    return answer


def say_key(request: httpx.Request, key: str, number: int) -> None:
    """Say which requests are one and the same, unless the method or the settings do.

    Each request of a node has a key of its own: of two with one key a server answers the second as the first.
    """
    from .failing import IDEMPOTENT

    if request.method not in IDEMPOTENT:
        own = key if number == 0 else str(uuid5(UUID(key), str(number)))
        request.headers.setdefault("Idempotency-Key", own)


def build_request(
    client: httpx.AsyncClient,
    config: RequestConfig,
    method: str,
    content: Content,
    token: str | None,
) -> httpx.Request:
    """The request that the settings say; raises SettingError for a URL or a header that is not valid."""

    from .errors import QuietRequest

    url = valid_url(with_params(config.url, config.params), "url")
    headers = _headers(config, content, token)
    request = client.build_request(method.upper(), url, headers=headers, content=content.data)
    request.__class__ = QuietRequest
    if content.file is not None:
        request.stream = content.file
    return request


def with_params(url: str, params: dict[str, Any]) -> str:
    """A URL with parameters added at the end of its query, which stays as it is."""
    added = urlencode(_query(params), doseq=True, quote_via=quote, safe="")
    if not added:
        return url
    before, hash_, fragment = url.partition("#")
    _, mark, query = before.partition("?")
    between = "?" if not mark else "" if not query or query.endswith("&") else "&"
    return f"{before}{between}{added}{hash_}{fragment}"


def _query(params: dict[str, Any]) -> dict[str, str | list[str]]:
    return {
        name: [written_text(item) for item in value]
        if isinstance(value, (list, tuple))
        else written_text(value)
        for name, value in params.items()
        if value is not None
    }


def _headers(config: RequestConfig, content: Content, token: str | None) -> httpx.Headers:
    """The headers, those of the settings before those that the body or the authorisation bring."""
    import httpx

    headers = httpx.Headers(encoding="utf-8")
    if content.kind is not None:
        headers["Content-Type"] = content.kind
    if content.length is not None:
        headers["Content-Length"] = str(content.length)
    if token is not None:
        headers["Authorization"] = checked_header("Authorization", f"Bearer {token}")
    headers.update(_own_headers(config))
    return headers


def _own_headers(config: RequestConfig) -> httpx.Headers:
    import httpx

    headers = httpx.Headers(encoding="utf-8")
    for name, value in config.headers.items():
        if value is not None:
            headers[name] = checked_header(name, written_text(value))
    return headers
