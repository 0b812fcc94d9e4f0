"""Owns tests of what HTTP trusts: other origins, the environment, certificates."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import certifi
import pytest

import flowscript_trio as fs
from flowscript_trio.runtimes.http.pool import HttpPool, trust

from loopback import loopback

AUTHORISED = {
    "bearer": 'auth="{type: bearer, token: t0ken}"',
    "basic": 'auth="{type: basic, username: me, password: passw0rd}"',
    "a header": 'headers="{Authorization: Bearer t0ken}"',
}


async def fetch(settings: str, base: str) -> Any:
    source = f'<source:http id="x" url="{{{{$config.base}}}}/a" {settings}/>'
    flow = fs.loads(f'<workflow name="w">{source}</workflow>')
    return (await fs.run(flow, config={"base": base})).output


@pytest.mark.parametrize("settings", AUTHORISED.values(), ids=AUTHORISED)
async def test_a_redirect_to_another_origin_does_not_take_the_authorisation_along(
    settings: str,
) -> None:
    async with loopback() as server, loopback() as other:
        server.page("/a", None, status=302, Location="/b")
        server.page("/b", None, status=302, Location=f"{other.base}/c")
        other.page("/c", "here")
        assert await fetch(settings, server.base) == "here"
        assert ["authorization" in seen.headers for seen in server.seen] == [True, True]
        assert ["authorization" in seen.headers for seen in other.seen] == [False]


async def test_no_header_of_the_settings_goes_along_to_another_origin() -> None:
    async with loopback() as server, loopback() as other:
        server.page("/a", None, status=302, Location=f"{other.base}/c")
        other.page("/c", "here")
        assert await fetch('headers="{X-Key: t0ken}"', server.base) == "here"
        assert ["x-key" in seen.headers for seen in other.seen] == [False]


@pytest.mark.parametrize("name", ["Accept", "Accept-Language", "User-Agent", "Cookie"])
async def test_no_header_with_a_secret_goes_along_to_another_origin_whatever_its_name(
    name: str,
) -> None:
    async with loopback() as server, loopback() as other:
        server.page("/a", None, status=302, Location=f"{other.base}/c")
        other.page("/c", "here")
        node = f'<source:http id="s" url="{server.base}/a" headers="{{{name}: \'x {{{{$secrets.K}}}}\'}}"/>'
        flow = fs.loads(f'<workflow name="w"><secret name="K"/>{node}</workflow>')
        assert await fs.run(flow, secrets={"K": "t0ken-of-mine"}) is not None
        assert ["t0ken-of-mine" in str(seen.headers) for seen in server.seen] == [True]
        assert ["t0ken-of-mine" in str(seen.headers) for seen in other.seen] == [False]


async def test_what_is_asked_for_goes_along_to_another_origin() -> None:
    async with loopback() as server, loopback() as other:
        server.page("/a", None, status=302, Location=f"{other.base}/c")
        other.page("/c", "here")
        assert await fetch('headers="{Accept: text/csv}"', server.base) == "here"
        assert [seen.headers["accept"] for seen in other.seen] == ["text/csv"]


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
async def test_no_proxy_is_taken_from_the_environment(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    async with loopback() as server:
        server.page("/a", "here")
        assert await fetch("", server.base) == "here"


async def test_a_server_must_show_a_certificate_of_its_name_that_is_trusted() -> None:
    pool = HttpPool()
    transport: Any = pool.transport
    context = transport._pool._ssl_context
    await pool.aclose()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


@pytest.mark.parametrize("given", [{}, {"ca": certifi.where()}], ids=["well-known", "own"])
def test_the_keys_of_connections_go_to_no_file_that_the_environment_names(
    given: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    trust.cache_clear()
    try:
        assert trust(fs.HttpOptions(**given)).keylog_filename is None  # type: ignore[arg-type]
    finally:
        trust.cache_clear()
