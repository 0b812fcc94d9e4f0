"""Owns one request: the run's pooled client, authorisation, and the decoding of the answer."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import trio

from ...expression import encode_json, to_text
from ...types.errors import FlowScriptError
from ..types import RunServices
from .types import Auth, RequestConfig, compile_path

if TYPE_CHECKING:
    import ssl

    import httpx

EXCERPT_BYTES = 2000
REDIRECTS = 20


@lru_cache(1)
def _trust() -> ssl.SSLContext:
    """The certificates that are trusted: read once, since reading them takes many milliseconds."""
    import httpx

    return httpx.create_ssl_context(trust_env=False)


class HttpPool:
    """The one HTTP client of a run, with the tokens that were given to it.

    The pool sets no limit and no timeout of its own: blocks and nodes do.
    """

    def __init__(self) -> None:
        import httpx

        self.client = httpx.AsyncClient(
            verify=_trust(),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=None),
            timeout=None,
            follow_redirects=True,
            max_redirects=REDIRECTS,
            trust_env=False,  # the library reads no environment variable
        )
        self._tokens: dict[tuple[str, str, str], tuple[str, float]] = {}
        self._asking = trio.Lock()

    async def token_of(self, auth: Auth, refused: str | None = None) -> str:
        """A token by the client credentials grant (RFC 6749, 4.4): asked for once, and again when it is
        about to expire or was ``refused``.
        """
        assert auth.token_url is not None
        assert auth.client_id is not None
        key = (auth.token_url, auth.client_id, auth.scope or "")
        async with self._asking:
            known, until = self._tokens.get(key, ("", 0.0))
            if known and known != refused and trio.current_time() < until:
                return known
            data = {"grant_type": "client_credentials"}
            if auth.scope:
                data["scope"] = auth.scope
            answer = await self.client.post(
                auth.token_url, data=data, auth=(auth.client_id, auth.client_secret or "")
            )
            await refuse_failure(answer)
            found = answer.json()
            token = found.get("access_token") if isinstance(found, dict) else None
            if not isinstance(token, str):
                raise FlowScriptError("the token endpoint gave no access_token")
            lasts = found.get("expires_in", 3600)
            seconds = float(lasts) if isinstance(lasts, (int, float)) else 3600.0
            self._tokens[key] = token, trio.current_time() + max(seconds - 30, 1)
            return token

    async def aclose(self) -> None:
        await self.client.aclose()


def pool_of(run: RunServices) -> HttpPool:
    """The run's pool; it is closed with the run."""
    return run.resource("http", HttpPool)


@asynccontextmanager
async def send(
    run: RunServices, config: RequestConfig, method: str, body: Any
) -> AsyncIterator[httpx.Response]:
    """Send a request and give the answer, its body not yet read.

    Raises HTTPStatusError for a status of 400 or more. Cancellation closes the connection at once.
    """
    pool = pool_of(run)
    refused: str | None = None
    while True:
        headers, auth, token = await _authorise(pool, config, refused)
        content = _encode(body, headers)
        request = pool.client.build_request(
            method.upper(),
            config.url,
            headers=headers,
            params=_query(config.params),
            content=content,
        )
        answer = await pool.client.send(request, stream=True, auth=auth)
        try:
            if answer.status_code == 401 and token is not None and refused is None:
                refused = token
                continue
            await refuse_failure(answer)
            yield answer
            return
        finally:
            with trio.CancelScope(shield=True):
                await answer.aclose()


async def _authorise(
    pool: HttpPool, config: RequestConfig, refused: str | None
) -> tuple[dict[str, str], tuple[str, str] | None, str | None]:
    """The headers, the basic credentials, and the token that is sent where it can be asked for anew."""
    headers = {name: to_text(value) for name, value in config.headers.items() if value is not None}
    auth = config.auth
    if auth.type == "basic":
        return headers, (auth.username or "", auth.password or ""), None
    if auth.type == "bearer":
        headers["Authorization"] = f"Bearer {auth.token}"
    elif auth.type == "oauth2":
        token = await pool.token_of(auth, refused)
        headers["Authorization"] = f"Bearer {token}"
        return headers, None, token
    return headers, None, None


def _query(params: Mapping[str, Any]) -> dict[str, Any] | None:
    if not params:
        return None
    return {
        name: [to_text(item) for item in value]
        if isinstance(value, (list, tuple))
        else to_text(value)
        for name, value in params.items()
        if value is not None
    }


def _encode(body: Any, headers: dict[str, str]) -> bytes | None:
    """The body as bytes: text and bytes as they are, anything else as JSON."""
    if body is None:
        return None
    if isinstance(body, bytes):
        return body
    named = any(name.lower() == "content-type" for name in headers)
    if isinstance(body, str):
        if not named:
            headers["Content-Type"] = "text/plain; charset=utf-8"
        return body.encode()
    if not named:
        headers["Content-Type"] = "application/json"
    return encode_json(body).encode()


async def refuse_failure(answer: httpx.Response) -> None:
    """Raise HTTPStatusError for a status of 400 or more, with the beginning of the body."""
    if answer.status_code < 400:
        return
    from .errors import HTTPStatusError

    if answer.is_stream_consumed:
        begin = answer.content[:EXCERPT_BYTES]
    else:
        begin = b""
        async for part in answer.aiter_bytes():
            begin += part
            if len(begin) >= EXCERPT_BYTES:
                break
    text = begin[:EXCERPT_BYTES].decode(answer.charset_encoding or "utf-8", "replace").strip()
    raise HTTPStatusError(answer, text)


async def decode(answer: httpx.Response, config: RequestConfig) -> Any:
    """The body in the format that the settings or its content type say, with ``extract`` applied."""
    data = await answer.aread()
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    form = config.format
    if form == "auto":
        form = _form_of(kind)
    value: Any
    if form == "bytes":
        value = data
    elif form == "text":
        value = answer.text
    else:
        value = _decode_json(answer, data)
    return value if config.extract is None else compile_path(config.extract).search(value)


def _form_of(kind: str) -> Any:
    if kind == "application/json" or kind.endswith("+json"):
        return "json"
    is_text = kind.startswith("text/") or kind.endswith(
        ("+xml", "/xml", "javascript", "urlencoded")
    )
    return "text" if is_text or not kind else "bytes"


def _decode_json(answer: httpx.Response, data: bytes) -> Any:
    if not data:
        return None
    try:
        return json.loads(data)
    except ValueError as exc:
        from .errors import bare_url

        begin = data[:80].decode("utf-8", "replace")
        raise FlowScriptError(
            f"the answer of {bare_url(answer.request.url)} is no JSON ({exc}); it begins {begin!r}"
        ) from None
