"""Owns the signing of requests with a shared key (HMAC), as webhooks and many services want it."""

from __future__ import annotations

import base64
import hmac
from collections.abc import AsyncGenerator, Callable
from datetime import datetime

import httpx

from .auth import Auth


class HmacAuth(httpx.Auth):
    """Signs each request as it is sent, a redirected one too: ``auth`` says what is covered, and how.

    ``now`` is the run's clock. A body that is covered is read once more, a file from its beginning.
    """

    def __init__(self, auth: Auth, now: Callable[[], datetime]) -> None:
        self._auth = auth
        self._now = now

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        auth = self._auth
        stamp = str(int(self._now().timestamp()))
        if auth.timestamp_header:
            request.headers[auth.timestamp_header] = stamp
        made = hmac.new(auth.key.encode(), digestmod=auth.algorithm)
        for number, part in enumerate(auth.covers):
            made.update(auth.separator.encode() if number else b"")
            if part == "body":
                assert isinstance(request.stream, httpx.AsyncByteStream)
                async for piece in request.stream:
                    made.update(piece)
            elif part == "timestamp":
                made.update(stamp.encode())
            else:
                made.update(request.method.encode() if part == "method" else request.url.raw_path)
        digest = made.digest()
        written = digest.hex() if auth.encoding == "hex" else base64.b64encode(digest).decode()
        request.headers[auth.header] = auth.prefix + written
        yield request
