"""Owns the one HTTP client of a run, and the tokens that were given to it."""

from __future__ import annotations

import logging
from contextvars import ContextVar
from functools import lru_cache
from typing import TYPE_CHECKING

import trio

from ...expression.encoding import decode_json
from ...types.errors import EvaluationError, FlowScriptError
from ...types.propagation import headers_along
from ..types import RunServices
from .answer import refuse_failure
from .auth import Auth

if TYPE_CHECKING:
    import ssl

    import httpx

REDIRECTS = 20
IDLE = 100
"""Connections beyond this number are closed when they become idle. It limits no request: the pool looks at
every connection for each idle one, and a block of 500 would spend seconds on that."""
MARGIN = 30.0  # seconds: a token is asked for anew so long before it expires

_ours: ContextVar[bool] = ContextVar("flowscript_http", default=False)


class HttpPool:
    """The pool sets no limit and no timeout of its own: blocks and nodes do."""

    def __init__(self) -> None:
        import httpx

        _hide_queries_in_logs()
        self.client: httpx.AsyncClient = httpx.AsyncClient(
            verify=_trust(),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=IDLE),
            timeout=None,
            follow_redirects=True,
            max_redirects=REDIRECTS,
            trust_env=False,  # the library reads no environment variable
        )
        self._tokens: dict[Auth, tuple[str, float]] = {}
        self._asking: dict[Auth, trio.Lock] = {}

    async def send(
        self, request: httpx.Request, basic: tuple[str, str] | None = None
    ) -> httpx.Response:
        """The answer, its body not yet read; redirects are followed.

        Errors of the connection are httpx's own. Cancellation closes the connection at once.
        """
        for name, value in headers_along().items():
            request.headers.setdefault(name, value)
        mark = _ours.set(True)
        try:
            return await self.client.send(request, stream=True, auth=basic)
        finally:
            _ours.reset(mark)

    async def token_of(self, auth: Auth, refused: str | None = None) -> str:
        """A token by the client credentials grant (RFC 6749, 4.4): asked for once, and again when it is about
        to expire or was ``refused``.

        Those who need the same token wait for one request. If that one is cancelled, the next asks.
        """
        async with self._asking.setdefault(auth, trio.Lock()):
            token, until = self._tokens.get(auth, (refused, 0.0))
            if token is None or token == refused or trio.current_time() >= until:
                token, lasts = await self._ask(auth)
                until = trio.current_time() + lasts - min(MARGIN, lasts / 2)
                self._tokens[auth] = token, until
            return token

    async def _ask(self, auth: Auth) -> tuple[str, float]:
        """A new token, and for how many seconds it is good."""
        data = {"grant_type": "client_credentials"}
        if auth.scope:
            data["scope"] = auth.scope
        request = self.client.build_request(
            "POST", auth.token_url, data=data, headers={"Accept": "application/json"}
        )
        answer = await self.send(request, (auth.client_id, auth.client_secret))
        try:
            await refuse_failure(answer)
            found = decode_json((await answer.aread()).decode("utf-8", "replace"))
        except EvaluationError:
            found = None
        finally:
            await answer.aclose()
        token = found.get("access_token") if isinstance(found, dict) else None
        if not isinstance(token, str) or not token:
            raise FlowScriptError("the token endpoint gave no access_token; expected it in JSON")
        try:
            return token, max(float(found["expires_in"]), 0.0)
        except (KeyError, TypeError, ValueError):
            return token, float("inf")  # it does not say: good until it is refused

    async def aclose(self) -> None:
        await self.client.aclose()


async def pool_of(run: RunServices) -> HttpPool:
    """The run's pool; it is closed with the run."""
    pool: HttpPool = await run.resource("http", HttpPool)
    return pool


@lru_cache(1)
def _trust() -> ssl.SSLContext:
    """The certificates that are trusted: read once, since reading them takes many milliseconds."""
    import httpx

    return httpx.create_ssl_context(trust_env=False)


@lru_cache(1)
def _hide_queries_in_logs() -> None:
    """httpx logs every URL with its query, where secrets stand; those of runs are logged without it."""
    logging.getLogger("httpx").addFilter(_hide_query)


def _hide_query(record: logging.LogRecord) -> bool:
    import httpx

    from .errors import bare_url

    if _ours.get() and isinstance(record.args, tuple):
        record.args = tuple(
            bare_url(part) if isinstance(part, httpx.URL) else part for part in record.args
        )
    return True
