"""Owns one exchange: a request made from settings and sent, and its answer read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from ...expression import encode_json, to_text
from ...types.errors import SettingError
from ..types import RunServices
from .answer import refuse_failure
from .pool import HttpPool, pool_of
from .types import RequestConfig

if TYPE_CHECKING:
    import httpx

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_BAD_IN_VALUE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


async def exchange(
    run: RunServices, config: RequestConfig, method: str, content: Content
) -> httpx.Response:
    """Send a request and read the answer whole.

    Raises HTTPStatusError for a status of 400 or more, SettingError for settings that make no request, and
    httpx's own errors for a connection that fails. A token that is refused is asked for anew, once.
    Cancellation closes the connection at once.
    """
    pool = await pool_of(run)
    auth = config.auth
    kind = "none" if auth is None else auth.type
    basic = token = None
    if auth is not None and kind == "basic":
        basic = auth.username, auth.password
    elif auth is not None and kind != "none":
        token = auth.token if kind == "bearer" else await pool.token_of(auth)
    answer = await pool.send(build_request(pool, config, method, content, token), basic)
    if auth is not None and kind == "oauth2" and answer.status_code == 401:
        await answer.aclose()
        token = await pool.token_of(auth, refused=token)
        answer = await pool.send(build_request(pool, config, method, content, token))
    try:
        await refuse_failure(answer)
        await answer.aread()
    finally:
        await answer.aclose()
    return answer


class Content:
    """The body of a request as bytes, with its content type where it has one of its own."""

    __slots__ = ("data", "kind")

    def __init__(self, data: bytes | None, kind: str | None = None) -> None:
        self.data: bytes | None = data
        self.kind: str | None = kind


def content_of(body: Any, config: RequestConfig) -> Content:
    """A body as it is sent: bytes and text as they are, anything else as JSON, null not at all.

    A mapping is sent as a form where the headers say that it is one.
    """
    if body is None or isinstance(body, bytes):
        return Content(body)
    if isinstance(body, str):
        return Content(_encode(body), "text/plain; charset=utf-8")
    if isinstance(body, dict) and _says_form(config):
        fields = {
            to_text(name): [to_text(item) for item in value]
            if isinstance(value, (list, tuple))
            else to_text(value)
            for name, value in body.items()
        }
        return Content(urlencode(fields, doseq=True).encode())
    return json_content(body)


def json_content(value: Any) -> Content:
    """A value sent as JSON, whatever it is."""
    return Content(_encode(encode_json(value)), "application/json")


def _encode(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise SettingError(
            "the body has half of a surrogate pair in it, which UTF-8 cannot write"
        ) from None


def _says_form(config: RequestConfig) -> bool:
    return any(
        name.lower() == "content-type" and to_text(value).startswith(FORM)
        for name, value in config.headers.items()
    )


FORM = "application/x-www-form-urlencoded"


def build_request(
    pool: HttpPool, config: RequestConfig, method: str, content: Content, token: str | None
) -> httpx.Request:
    """The request that the settings say; raises SettingError for a URL or a header that is none."""
    import httpx

    try:
        url = httpx.URL(config.url)
        if config.params:
            url = url.copy_merge_params(_query(config.params))
    except (httpx.InvalidURL, UnicodeError) as exc:
        raise SettingError(f"the url is none: {exc}; expected http://… or https://…") from None
    if url.scheme not in ("http", "https") or not url.host or (url.port or 0) > 65535:
        shown = str(url).partition("?")[0] if not url.userinfo else f"{url.scheme}:…"
        raise SettingError(f"the url is {shown!r}; expected http://… or https://…")
    headers = _headers(config, content, token)
    return pool.client.build_request(method.upper(), url, headers=headers, content=content.data)


def _query(params: dict[str, Any]) -> dict[str, str | list[str]]:
    return {
        name: [to_text(item) for item in value]
        if isinstance(value, (list, tuple))
        else to_text(value)
        for name, value in params.items()
        if value is not None
    }


def _headers(config: RequestConfig, content: Content, token: str | None) -> httpx.Headers:
    """The headers, those of the settings before those that the body or the authorisation bring."""
    import httpx

    headers = httpx.Headers(encoding="utf-8")
    if content.kind is not None:
        headers["Content-Type"] = content.kind
    if token is not None:
        headers["Authorization"] = _checked("Authorization", f"Bearer {token}")
    for name, value in config.headers.items():
        if value is not None:
            headers[name] = _checked(name, to_text(value))
    return headers


def _checked(name: str, value: str) -> str:
    """The value of a header that can be sent. An error never shows it: secrets stand in headers."""
    if not _NAME.fullmatch(name):
        raise SettingError(f"{name!r} is no name of a header")
    if found := _BAD_IN_VALUE.search(value):
        raise SettingError(
            f"the header {name!r} has the character {found[0]!r} in its value; expected one line of text"
        )
    return value.strip()
