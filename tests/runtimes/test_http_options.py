"""Owns tests of what an application allows and gives the HTTP of a run."""

from __future__ import annotations

import ipaddress
import shutil
import ssl
import subprocess
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.runtimes.http.hosts import HostRefused, Rules, range_of, rules_of
from flowscript_trio.runtimes.http.redirects import RedirectRefused

from loopback import Answer, Loopback, Seen, loopback


async def fetch(url: str, settings: str = "", **options: Any) -> Any:
    flow = fs.loads(
        f'<workflow name="w"><source:http id="x" url="{{{{$config.url}}}}" {settings}/></workflow>'
    )
    return (await fs.run(flow, config={"url": url}, http=fs.HttpOptions(**options))).output


def rules(**lists: list[str]) -> Rules:
    found = rules_of(fs.HttpOptions(**lists))  # type: ignore[arg-type]
    assert found is not None
    return found


def allows(rules: Rules, host: str, address: str) -> bool:
    try:
        rules.check_name(host)
        rules.check_address(host, ipaddress.ip_address(address))
    except HostRefused:
        return False
    return True


@pytest.mark.parametrize(
    ("address", "word"),
    [
        ("127.0.0.1", "loopback"),
        ("127.9.9.9", "loopback"),
        ("0.0.0.0", "loopback"),
        ("::1", "loopback"),
        ("169.254.169.254", "link-local"),
        ("fe80::1", "link-local"),
        ("10.0.0.1", "private"),
        ("192.168.1.1", "private"),
        ("100.64.0.1", "private"),
        ("fd00::1", "private"),
        ("224.0.0.1", "private"),
        ("192.0.0.192", "private"),
        ("fec0::1", "private"),
        ("64:ff9b:1::a00:1", "private"),
        ("8.8.8.8", "public"),
        ("2001:4860:4860::8888", "public"),
    ],
)
def test_every_address_is_in_one_range(address: str, word: str) -> None:
    assert range_of(ipaddress.ip_address(address)) == word


@pytest.mark.parametrize(
    ("lists", "host", "address", "allowed"),
    [
        ({"deny": ["private"]}, "intern", "10.0.0.1", False),
        ({"deny": ["private"]}, "site", "8.8.8.8", True),
        ({"deny": ["loopback"]}, "site", "127.0.0.1", False),
        ({"deny": ["loopback"]}, "site", "::ffff:127.0.0.1", False),
        ({"deny": ["loopback"]}, "site", "64:ff9b::7f00:1", False),
        ({"deny": ["link-local"]}, "site", "2002:a9fe:a9fe::1", False),
        ({"deny": ["loopback"]}, "site", "::127.0.0.1", False),
        ({"deny": ["loopback"]}, "site", "::ffff:0:127.0.0.1", False),
        ({"deny": ["127.0.0.0/8"]}, "site", "0.0.0.0", False),
        ({"deny": ["127.0.0.1"]}, "0", "0.0.0.0", False),
        ({"deny": ["127.0.0.1"]}, "site", "::ffff:0.0.0.0", False),
        ({"deny": ["0.0.0.0"]}, "site", "0.0.0.0", False),
        ({"deny": ["::1"]}, "[::]", "::", False),
        ({"allow": ["127.0.0.1"]}, "site", "0.0.0.0", True),
        ({"deny": ["private"]}, "site", "::8.8.8.8", True),
        ({"deny": ["2002::/16"]}, "site", "2002:808:808::1", False),
        ({"deny": ["64:ff9b::/96"]}, "site", "64:ff9b::808:808", False),
        ({"allow": ["::/0"]}, "site", "::ffff:127.0.0.1", False),
        ({"deny": ["xn--bcher-kva.example"]}, "bücher.example", "8.8.8.8", False),
        ({"deny": ["bücher.example"]}, "xn--bcher-kva.example", "8.8.8.8", False),
        ({"deny": ["bu\u0308cher.example"]}, "bücher.example", "8.8.8.8", False),
        ({"deny": ["*.bücher.example"]}, "a.xn--bcher-kva.example", "8.8.8.8", False),
        ({"allow": ["Bücher.example"]}, "xn--bcher-kva.example", "8.8.8.8", True),
        ({"deny": ["evil.example"]}, "EVIL.example.", "8.8.8.8", False),
        ({"deny": ["*.evil.example"]}, "a.evil.example", "8.8.8.8", False),
        ({"deny": ["*.evil.example"]}, "notevil.example", "8.8.8.8", True),
        ({"deny": ["8.8.8.0/24"]}, "site", "8.8.8.8", False),
        ({"deny": ["8.8.8.8"]}, "site", "8.8.8.8", False),
        ({"allow": ["api.example"]}, "api.example", "10.0.0.1", True),
        ({"allow": ["api.example"]}, "other.example", "8.8.8.8", False),
        ({"allow": ["api.example"], "deny": ["private"]}, "api.example", "10.0.0.1", False),
        ({"allow": ["10.0.0.0/8"]}, "intern", "10.1.2.3", True),
        ({"allow": ["10.0.0.0/8"]}, "site", "8.8.8.8", False),
        ({"allow": ["10.0.0.0/8"]}, "10.1.2.3", "10.1.2.3", True),
        ({"allow": ["::1"]}, "[::1]", "::1", True),
        ({"allow": []}, "site", "8.8.8.8", False),
    ],
)
def test_what_the_lists_allow(
    lists: dict[str, list[str]], host: str, address: str, allowed: bool
) -> None:
    assert allows(rules(**lists), host, address) is allowed


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"deny": ["https://x"]}, "expected a host without a scheme"),
        ({"deny": ["privat"]}, "did you mean 'private'"),
        ({"allow": ["10.0.0.0/99"]}, "10.0.0.0/99"),
        ({"allow": [1]}, "expected a host as text"),
        ({"deny": ["bü cher.example"]}, "bü cher.example"),
        ({"allow": "example.com"}, "expected a list of hosts"),
        ({"redirects": "all"}, "expected 'follow', 'same-origin' or 'none'"),
        ({"max_bytes": -1}, "expected a whole number of at least 0"),
        ({"ca": "missing.pem"}, "cannot be read"),
        ({"client_certificate": "missing.pem"}, "client certificate cannot be read"),
    ],
)
async def test_what_is_wrong_with_options_is_said(options: dict[str, Any], message: str) -> None:
    with pytest.raises(fs.InputError, match=message):
        await fetch("http://127.0.0.1:1/", **options)


async def test_what_is_no_http_options_is_refused() -> None:
    flow = fs.loads('<workflow name="w"><delay duration="1s"/></workflow>')
    with pytest.raises(fs.InputError, match="http is of type dict; expected HttpOptions"):
        await fs.run(flow, http={})  # type: ignore[arg-type]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433"])
async def test_a_denied_address_is_refused_whatever_it_is_called(host: str) -> None:
    async with loopback() as server:
        server.page("/", 1)
        url = server.base.replace("127.0.0.1", host)
        with pytest.raises(HostRefused, match="does not let this run connect to") as caught:
            await fetch(url, deny=["loopback"])
        assert not caught.value.retryable
        assert server.connections == 0


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1", "127.0.0.1."])
def test_an_address_in_another_spelling_is_known_where_a_proxy_would_read_it(host: str) -> None:
    with pytest.raises(HostRefused, match="loopback addresses"):
        rules(deny=["loopback"]).check_name(host, resolved_elsewhere=True)


async def test_a_denied_name_is_refused_in_each_of_its_spellings() -> None:
    for denied in ("bücher.invalid", "xn--bcher-kva.invalid"):
        for host in ("bücher.invalid", "xn--bcher-kva.invalid"):
            with pytest.raises(HostRefused, match="it is denied"):
                await fetch(f"http://{host}/", deny=[denied])


async def test_a_redirect_cannot_lead_to_a_denied_host() -> None:
    async with loopback() as server:
        server.page("/", None, status=302, Location=server.base.replace("127.0.0.1", "localhost"))
        with pytest.raises(HostRefused, match="localhost"):
            await fetch(server.base, allow=["127.0.0.1"], deny=["localhost"])
        assert len(server.seen) == 1


async def test_an_allowed_name_is_connected_to() -> None:
    async with loopback() as server:
        server.page("/", 1)
        url = server.base.replace("127.0.0.1", "localhost")
        assert await fetch(url, allow=["localhost"]) == 1
        assert await fetch(url, allow=["loopback"], deny=["private", "link-local"]) == 1


async def test_a_token_endpoint_and_an_ai_service_are_held_to_the_hosts_too() -> None:
    async with loopback() as server:
        auth = f"auth=\"{{type: oauth2, token-url: '{server.base}/t', client-id: c, client-secret: s}}\""
        with pytest.raises(HostRefused):
            await fetch(server.base, auth, deny=["loopback"])
        flow = fs.loads(
            f'<workflow name="w"><ai id="a" model="m" user="u" base-url="{server.base}"/></workflow>'
        )
        with pytest.raises(HostRefused):
            await fs.run(flow, http=fs.HttpOptions(deny=["loopback"]))
        assert server.connections == 0


# ---- redirects ----


async def hop(
    server: Loopback, to: str, settings: str = "", status: int = 302, **options: Any
) -> Any:
    server.page("/a", "stayed", status=status, Location=to)
    return await fetch(server.base + "/a", settings, **options)


async def test_redirects_are_followed_as_far_as_the_document_and_the_application_say() -> None:
    async with loopback() as server, loopback() as other:
        server.page("/b", "near")
        other.page("/b", "far")
        near, far = "/b", other.base + "/b"
        assert await hop(server, near) == "near"
        assert await hop(server, far) == "far"
        assert await hop(server, near, 'redirects="same-origin"') == "near"
        with pytest.raises(RedirectRefused, match="redirects to another origin, http://127"):
            await hop(server, far, 'redirects="same-origin"')
        assert await hop(server, near, 'redirects="none"') == "stayed"
        with pytest.raises(RedirectRefused):
            await hop(server, far, redirects="same-origin")
        assert await hop(server, near, redirects="none") == "stayed"
        assert await hop(server, near, 'redirects="none"', redirects="follow") == "stayed"


async def test_a_body_is_not_sent_to_another_origin_and_is_within_one() -> None:
    async with loopback() as server, loopback() as other:
        server.page("/b", "near")
        settings = 'method="POST" body="secret"'
        with pytest.raises(RedirectRefused, match="a body is not sent to where it was not meant"):
            await hop(server, other.base + "/b", settings, 307)
        assert other.seen == []
        assert await hop(server, "/b", settings, 307) == "near"
        assert server.seen[-1].body == b"secret"


async def test_more_redirects_than_the_application_allows_are_an_error_that_names_the_last() -> (
    None
):
    async with loopback() as server:
        with pytest.raises(
            httpx.TooManyRedirects, match=r"more than 3 redirects, the last to .*/a\?…;"
        ):
            await hop(server, "/a?secret", max_redirects=3)
        assert len(server.seen) == 4


# ---- proxies and certificates ----


async def test_every_request_goes_through_the_proxy_with_its_credentials() -> None:
    async with loopback() as proxy:

        async def relay(seen: Seen) -> Answer:
            return Answer(body=seen.target)

        proxy.pages["http://api.example/x"] = relay
        url = proxy.base.replace("//", "//me:passw0rd@")
        assert await fetch("http://api.example/x", proxy=url) == "http://api.example/x"
        assert proxy.seen[0].headers["proxy-authorization"] == "Basic bWU6cGFzc3cwcmQ="
        assert "passw0rd" not in repr(fs.HttpOptions(proxy=url))
        with pytest.raises(HostRefused):
            await fetch("http://api.example/x", proxy=url, allow=["10.0.0.0/8"])
        with pytest.raises(HostRefused):
            await fetch("http://127.0.0.1/x", proxy=url, deny=["loopback"])


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate of localhost and its key, signed by itself."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed: no certificate can be made")
    folder = tmp_path_factory.mktemp("certificate")
    cert, key = folder / "cert.pem", folder / "key.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
    ]
    command += ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(cert)]
    subprocess.run(command, check=True, capture_output=True)
    return cert, key


async def serve_tls(nursery: trio.Nursery, context: ssl.SSLContext) -> str:
    async def serve(stream: trio.SSLStream[trio.SocketStream]) -> None:
        try:
            while b"\r\n\r\n" not in await stream.receive_some():
                pass
            shown = b"yes" if stream.getpeercert() else b"no"
            head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n"
            await stream.send_all(head + shown)
            await stream.transport_stream.aclose()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass

    start = partial(trio.serve_ssl_over_tcp, host="127.0.0.1")
    listeners = await nursery.start(start, serve, 0, context)
    port = listeners[0].transport_listener.socket.getsockname()[1]
    return f"https://localhost:{port}/x?key=hidden"


async def test_certificates_of_the_application_are_trusted_and_others_explained(
    certificate: tuple[Path, Path],
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    async with trio.open_nursery() as nursery:
        url = await serve_tls(nursery, context)
        with pytest.raises(httpx.ConnectError, match="is not trusted") as caught:
            await fetch(url)
        said = str(caught.value)
        assert said.startswith("GET https://localhost:")
        assert "self-signed certificate" in said.replace("self signed", "self-signed")
        assert "HttpOptions(ca=…)" in said
        assert "hidden" not in said
        assert caught.value.retryable is False  # type: ignore[attr-defined]
        assert await fetch(url, ca=certificate[0]) == "no"
        named = url.replace("localhost", "127.0.0.1")
        with pytest.raises(httpx.ConnectError, match=r"IP address mismatch"):
            await fetch(named, ca=certificate[0])
        assert await fetch(url, ca=certificate[0], deny=["private"]) == "no"
        nursery.cancel_scope.cancel()


async def test_a_client_certificate_is_shown_to_the_server_that_asks(
    certificate: tuple[Path, Path],
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(certificate[0])
    async with trio.open_nursery() as nursery:
        url = await serve_tls(nursery, context)
        assert await fetch(url, ca=certificate[0], client_certificate=certificate) == "yes"
        with pytest.raises(httpx.RequestError, match=r"GET https://localhost:\d+/x\?…: "):
            await fetch(url, ca=certificate[0])
        nursery.cancel_scope.cancel()


# ---- what is said of a connection that is not made ----


@pytest.mark.parametrize(
    ("url", "message", "retryable"),
    [
        ("http://127.0.0.1:1/x?key=hidden", "the connection to 127.0.0.1 port 1 was refused", True),
        ("http://me:hidden@127.0.0.1:1/", "check the port, and that the service is up", True),
        ("http://nowhere.invalid/", "the host name 'nowhere.invalid' could not be looked up", True),
    ],
)
@pytest.mark.parametrize("options", [{}, {"deny": ["link-local"]}])
async def test_a_connection_that_is_not_made_is_explained(
    url: str, message: str, retryable: bool, options: dict[str, Any]
) -> None:
    with pytest.raises(httpx.ConnectError, match=message) as caught:
        await fetch(url, **options)
    assert str(caught.value).startswith("GET http://")
    assert "hidden" not in str(caught.value)
    assert caught.value.__cause__ is not None
    assert caught.value.retryable is retryable  # type: ignore[attr-defined]


async def test_https_that_meets_http_is_explained() -> None:
    async with loopback() as server:
        with pytest.raises(httpx.ConnectError, match="no TLS connection to ") as caught:
            await fetch(server.base.replace("http:", "https:"))
        assert caught.value.retryable is False  # type: ignore[attr-defined]


async def test_an_answer_larger_than_the_bound_is_an_error_and_the_rest_is_not_read() -> None:
    async with loopback() as server:
        server.page("/", b"a" * 5_000_000)
        with pytest.raises(fs.FlowScriptError, match="larger than 1,000 bytes"):
            await fetch(server.base, max_bytes=1000)
        assert await fetch(server.base, 'format="bytes"', max_bytes=5_000_000) == b"a" * 5_000_000


@pytest.mark.parametrize(
    "location", ["javascript:1", "http://[::1", "https://a:b:c/", "mailto:x", "http://xn--a/"]
)
async def test_a_redirect_to_what_cannot_be_read_as_a_url_says_so(location: str) -> None:
    async with loopback() as server:
        with pytest.raises((RedirectRefused, httpx.RemoteProtocolError), match=r"^GET http://127"):
            await hop(server, location)
