"""Owns the connections of a run, what goes over them, and the tokens that were given to it."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable, Collection
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import trio

from ...expression.encoding import decode_json
from ...expression.scope import Scope, base_of
from ...types.cookies import NO_COOKIES
from ...types.errors import EvaluationError, FlowScriptError, InputError
from ...types.http import REDIRECTS, HttpOptions, Redirects
from ...types.propagation import headers_along
from ..types import RunServices
from .auth import Auth
from .coding import accepted
from .cookies import changes, fill
from .hosts import Rules, rules_of, valid_url

if TYPE_CHECKING:
    import httpx

IDLE = 100
"""Connections beyond this number are closed when they become idle. It limits no request: the pool looks at
every connection for each idle one, and a block of 500 would spend seconds on that."""
MARGIN = 30.0  # seconds: a token is asked for again this long before it expires

_ours: ContextVar[bool] = ContextVar("flowscript_http", default=False)


@dataclass(frozen=True, slots=True)
class Sending:
    """How one request is sent: how it is authorised, whose cookies it bears, and where it may be redirected to."""

    auth: Any = None
    scope: Scope | None = None
    redirects: Redirects = "follow"
    mine: Any = None
    """The headers that the settings gave, or None."""
    secrets: Collection[str] = ()
    """What goes along to no other origin, in whatever header it is."""
    count: Callable[[], None] | None = None
    """Called before each request that is sent: the budget of the run."""


class HttpPool:
    """The pool sets no limit and no timeout of its own: blocks and nodes do."""

    def __init__(self, options: HttpOptions | None = None) -> None:
        _hide_queries_in_logs()
        self.options: HttpOptions = options or HttpOptions()
        self.rules: Rules | None = rules_of(self.options)
        self.transport: httpx.AsyncBaseTransport = self._connect()
        self.downloads: dict[str, Any] = {}
        """What came of downloads that broke off, by their paths, for the next attempt."""
        self._tokens: dict[Auth, tuple[str, float]] = {}
        self._asking: dict[Auth, trio.Lock] = {}

    def _connect(self) -> httpx.AsyncBaseTransport:
        import httpx

        from .network import CheckedNetwork, Network, Transport

        options = self.options
        # A proxy looks names up itself.
        rules = self.rules if options.proxy is None else None
        transport = Transport(
            Network() if rules is None else CheckedNetwork(rules),
            verify=trust(options),
            proxy=options.proxy,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=IDLE),
            trust_env=False,  # the library reads no environment variable
        )
        if options.cache is not None:
            from .caching import CachingTransport

            return CachingTransport(transport, options.cache, rules)
        return transport

    def client(self) -> httpx.AsyncClient:
        """A client for one exchange, with a jar of its own, over the connections of the run."""
        import httpx

        return httpx.AsyncClient(
            transport=self.transport,
            timeout=None,
            trust_env=False,
            headers={"Accept-Encoding": accepted()},
        )

    async def send(
        self, client: httpx.AsyncClient, request: httpx.Request, sending: Sending
    ) -> httpx.Response:
        """The answer, its body not yet read; redirects are followed as far as they may be.

        Raises HostRefused, RedirectRefused, and for what fails below HTTP errors of httpx's own classes that
        name the request and the cause. Cancellation closes the connection at once.
        """
        home = None if sending.scope is None else base_of(sending.scope)
        before = NO_COOKIES if home is None else home.cookies
        fill(client.cookies.jar, before)
        if before is not NO_COOKIES and "cookie" not in request.headers:
            client.cookies.set_cookie_header(request)
        mark = _ours.set(True)
        try:
            return await self._follow(client, request, sending)
        finally:
            _ours.reset(mark)
            if home is not None and (changed := changes(client.cookies.jar, before)):
                home.cookies = home.cookies.changed(changed)

    async def _follow(
        self, client: httpx.AsyncClient, request: httpx.Request, sending: Sending
    ) -> httpx.Response:
        import httpx

        from .errors import QuietRequest, bare_url
        from .failing import explained
        from .redirects import RedirectRefused, is_same_origin, next_request

        mode = min(sending.redirects, self.options.redirects, key=REDIRECTS.index)
        mine = httpx.Headers() if sending.mine is None else sending.mine
        auth, has_body, first = sending.auth, _has_body(request), request
        for _ in range(self.options.max_redirects + 1):
            if sending.count is not None:
                sending.count()
            if self.rules is not None:
                host = request.url.raw_host.decode("ascii")
                self.rules.check_name(host, self.options.proxy is not None)
            for name, value in headers_along().items():
                request.headers.setdefault(name, value)
            request.__class__ = QuietRequest
            try:
                answer = await client.send(request, stream=True, auth=auth)
            except httpx.RequestError as exc:
                raise explained(exc, request, self.options.proxy) from exc
            except (
                httpx.InvalidURL,
                UnicodeError,
            ) as exc:  # not of the request, which has been sent
                raise RedirectRefused(
                    f"{request.method} {bare_url(request.url)} redirects to what cannot be read as a URL: {exc}"
                ) from None
            try:
                following = next_request(answer, mode, mine, has_body, sending.secrets)
            except BaseException:
                await _drop(answer)
                raise
            if following is None:
                return answer
            await _drop(answer)
            if not is_same_origin(request.url, following.url):
                auth = None
            has_body = has_body and following.method == request.method
            request = following
        raise httpx.TooManyRedirects(
            f"{first.method} {bare_url(first.url)}: more than {self.options.max_redirects} redirects, the "
            f"last to {bare_url(request.url)}; write the URL that they should have led to",
            request=first,
        )

    async def token_of(
        self, auth: Auth, run: RunServices | None = None, refused: str | None = None
    ) -> str:
        """A token by the client credentials grant (RFC 6749, 4.4): asked for once, and again when it is about
        to expire or was ``refused``.

        Those who need the same token wait for one request. If that one is cancelled, the next asks.
        """
        async with self._asking.setdefault(auth, trio.Lock()):
            token, until = self._tokens.get(auth, (refused, 0.0))
            if token is None or token == refused or trio.current_time() >= until:
                token, lasts = await self._ask(auth, run)
                until = trio.current_time() + lasts - min(MARGIN, lasts / 2)
                self._tokens[auth] = token, until
            return token

    async def _ask(self, auth: Auth, run: RunServices | None) -> tuple[str, float]:
        """A new token, and for how many seconds it is good."""
        import httpx

        from .answer import read_answer
        from .errors import bare_url

        data = {"grant_type": "client_credentials"}
        if auth.scope:
            data["scope"] = auth.scope
        basic: tuple[str, str] | None = (auth.client_id, auth.client_secret)
        if auth.credentials == "form":
            data |= {"client_id": auth.client_id, "client_secret": auth.client_secret}
            basic = None
        client = self.client()
        url = valid_url(auth.token_url, "token-url of auth")
        request = client.build_request(
            "POST", url, data=data, headers={"Accept": "application/json"}
        )
        count = None if run is None else run.count_request
        sending = Sending(auth=basic and httpx.BasicAuth(*basic), count=count)
        sent = await self.send(client, request, sending)
        answer = await read_answer(sent, self.options.max_bytes, run)
        try:
            found = decode_json(answer.content.decode())
        except (EvaluationError, UnicodeDecodeError):
            found = None
        token = found.get("access_token") if isinstance(found, dict) else None
        if not isinstance(token, str) or not token:
            told = found.get("error") if isinstance(found, dict) else None
            why = f": it reports {told!r}" if isinstance(told, str) and len(told) <= 80 else ""
            raise FlowScriptError(
                f"the token endpoint {bare_url(request.url)} gave no access_token{why}; expected it in JSON"
            )
        try:
            return token, max(float(found["expires_in"]), 0.0)
        except (KeyError, TypeError, ValueError):
            return token, float("inf")  # it does not say: good until it is refused

    async def aclose(self) -> None:
        for download in self.downloads.values():
            await download.discard()
        await self.transport.aclose()


async def pool_of(run: RunServices) -> HttpPool:
    """The run's pool; it is closed with the run."""
    options = run.http

    async def make() -> HttpPool:
        if options is not None and options.cache is not None:
            await trio.to_thread.run_sync(_import_cache)  # it takes a while
        return HttpPool(options)

    pool: HttpPool = await run.resource("http", make)
    return pool


def _import_cache() -> None:
    try:
        from . import caching  # noqa: F401
    except ModuleNotFoundError as exc:
        raise InputError(
            "the cache of HttpOptions needs the package hishel: pip install 'flowscript-trio[cache]'"
        ) from exc


@lru_cache(16)
def trust(options: HttpOptions) -> ssl.SSLContext:
    """The certificates that are trusted: read once, since reading them takes many milliseconds."""
    import httpx

    ca, own = options.ca, options.client_certificate
    try:
        if isinstance(ca, ssl.SSLContext):
            context = ca
        else:
            context = (
                httpx.create_ssl_context(trust_env=False)
                if ca is None
                else ssl.create_default_context(cafile=ca)
            )
            # Python takes SSLKEYLOGFILE from the environment, a file that would hold the keys of connections.
            context.keylog_filename = None  # type: ignore[assignment, unused-ignore]
    except (OSError, ssl.SSLError) as exc:
        raise InputError(
            f"http: the certificates in {str(ca)!r} cannot be read: {exc}; expected a file in the form PEM"
        ) from exc
    try:
        if isinstance(own, tuple):
            context.load_cert_chain(*own)
        elif own is not None:
            context.load_cert_chain(own)
    except (OSError, ssl.SSLError) as exc:
        raise InputError(
            f"http: the client certificate cannot be read: {exc}; expected files in the form PEM"
        ) from exc
    return context


def _has_body(request: httpx.Request) -> bool:
    return "transfer-encoding" in request.headers or request.headers.get(
        "content-length", "0"
    ) not in ("0", "")


async def _drop(answer: httpx.Response) -> None:
    with trio.CancelScope(shield=True):  # it does not block: the connection is dropped
        await answer.aclose()


@lru_cache(1)
def _hide_queries_in_logs() -> None:
    """httpx logs every URL with its query, which may hold secrets; those of runs are logged without it."""
    logging.getLogger("httpx").addFilter(_hide_query)


def _hide_query(record: logging.LogRecord) -> bool:
    import httpx

    from .errors import bare_url

    if _ours.get() and isinstance(record.args, tuple):
        record.args = tuple(
            bare_url(part) if isinstance(part, httpx.URL) else part for part in record.args
        )
    return True
