"""Owns which hosts may be connected to: valid ones, and the rules of an application about a name or an address."""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING
from unicodedata import normalize

from ...types.errors import FlowScriptError, InputError, SettingError, nearest
from ...types.http import HttpOptions
from .spelling import EXPECTED, HOST, check_url

if TYPE_CHECKING:
    import httpx

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

WORDS = ("loopback", "link-local", "private")
_EMBEDDING = tuple(map(ipaddress.IPv6Network, ("64:ff9b::/96", "::ffff:0:0:0/96", "::/96")))
"""Networks whose addresses end in an IPv4 address: NAT64, its translation, and the compatible ones of old."""
_ALSO_PRIVATE: tuple[Network, ...] = tuple(
    map(ipaddress.ip_network, ("192.0.0.0/24", "64:ff9b:1::/48", "fec0::/10"))
)
"""What some versions of Python take for public: protocol assignments, local NAT64, site-local addresses."""
_HERE, _HERE_TOO = ipaddress.IPv4Address("127.0.0.1"), ipaddress.IPv6Address("::1")
_NUMBER = r"(?:0[xX][0-9a-fA-F]+|[0-9]+)"
_OLD_SPELLING = re.compile(rf"{_NUMBER}(?:\.{_NUMBER}){{0,3}}")
"""An IPv4 address as the system reads it: in fewer parts, in hexadecimal or octal digits."""


def leads_somewhere(url: httpx.URL) -> bool:
    """Whether a URL has a host that can be looked up or connected to, and a port that there is."""
    try:
        host = url.host and url.raw_host.decode("ascii")
    except UnicodeError:  # of a name in Punycode (xn--…) that stands for no name
        return False
    is_host = ":" in host or (len(host) <= 253 and HOST.fullmatch(host) is not None)
    return is_host and (url.port is None or 0 < url.port <= 65535)


def valid_url(text: str, name: str) -> httpx.URL:
    """The URL that a setting is; raises SettingError where no server can be asked by it."""
    import httpx

    check_url(text, name)
    try:
        url = httpx.URL(text)
    except (httpx.InvalidURL, UnicodeError) as exc:
        raise SettingError(
            f"the {name} is not a valid URL: {exc}; expected http://… or https://…"
        ) from None
    if url.scheme not in ("http", "https") or not leads_somewhere(url):
        shown = text.partition("?")[0] if not url.userinfo else f"{url.scheme}:…"
        raise SettingError(f"the {name} is {shown!r}; {EXPECTED}")
    return url


class HostRefused(FlowScriptError):
    """The application does not allow the run to connect to that host.

    It is raised before anything is sent, and is never retried. No cancellation is behind it.
    """

    retryable = False


@dataclass(frozen=True, slots=True)
class Hosts:
    """A list of hosts: names, names below others, networks, and words for ranges of addresses."""

    names: frozenset[str]
    below: tuple[str, ...]
    networks: tuple[Network, ...]
    words: frozenset[str]

    @property
    def by_address(self) -> bool:
        return bool(self.networks or self.words)

    def has_name(self, name: str) -> bool:
        name = _folded(name)
        return name in self.names or name.endswith(self.below)

    def has_address(self, address: Address) -> bool:
        return range_of(address) in self.words or self.has_in_network(address)

    def has_in_network(self, address: Address) -> bool:
        return any(address in net for net in self.networks)


@dataclass(frozen=True, slots=True)
class Rules:
    """What is allowed (None: everything), and what is denied whatever is allowed."""

    allow: Hosts | None
    deny: Hosts

    @property
    def by_address(self) -> bool:
        """Whether the address that is connected to has to be looked at."""
        return self.deny.by_address or self.allow is not None

    def check_name(self, host: str, resolved_elsewhere: bool = False) -> None:
        """Raise HostRefused where the host of a URL is enough to say so.

        ``resolved_elsewhere``: a proxy looks the name up, so that no address can be checked later.
        """
        if (address := parse_address(host)) is not None:
            self.check_address(host, address)
        elif self.deny.has_name(host):
            raise _refuse(host, "it is denied")
        elif (
            self.allow is not None
            and not self.allow.has_name(host)
            and (resolved_elsewhere or not self.allow.by_address)
        ):
            raise _refuse(host, "it is not among those allowed")

    def check_address(self, host: str, address: Address) -> None:
        """Raise HostRefused unless that address may be connected to for that host."""
        given, address = address, unwrapped(address)
        shown = host if parse_address(host) is not None else f"{host} ({address})"
        deny = self.deny
        if (
            deny.has_address(address)
            or deny.has_name(str(address))
            or deny.has_in_network(given)  # a denied network of addresses that stand for others
        ):
            raise _refuse(shown, f"{range_of(address)} addresses, or this one, are denied")
        allow = self.allow
        if allow is None or allow.has_name(host) or allow.has_name(str(address)):
            return
        if not allow.has_address(address):
            raise _refuse(shown, "it is not among those allowed")


def check_hosts(options: HttpOptions) -> None:
    """Raise InputError for a host of the options that cannot be read."""
    rules_of(options)


def rules_of(options: HttpOptions) -> Rules | None:
    """The rules of an application; None where it has none."""
    if options.allow is None and not options.deny:
        return None
    allow = None if options.allow is None else _hosts(tuple(options.allow), "allow")
    return Rules(allow, _hosts(tuple(options.deny), "deny"))


@lru_cache(64)
def _hosts(entries: tuple[str, ...], setting: str) -> Hosts:
    names, below, networks, words = set(), [], [], set()
    for entry in entries:
        if not isinstance(entry, str) or not entry.strip():
            raise InputError(f"http: {setting} has {entry!r}; expected a host as text")
        try:
            text = _folded(entry.strip())
        except ValueError as exc:
            raise InputError(f"http: {setting} has {entry!r}: {exc}") from None
        if text in WORDS:
            words.add(text)
        elif text.startswith("*."):
            below.append(text[1:])
        elif "://" not in text and ("/" in text or parse_address(text) is not None):
            try:
                networks.append(ipaddress.ip_network(text, strict=False))
            except ValueError as exc:
                raise InputError(f"http: {setting} has {entry!r}: {exc}") from None
        elif ":" in text or "*" in text:
            raise InputError(
                f"http: {setting} has {entry!r}; expected a host without a scheme and a port, such as "
                "'api.example.com', '*.example.com', '10.0.0.0/8' or 'private'"
            )
        elif "." not in text and (near := nearest(text, WORDS)) is not None:
            raise InputError(f"http: {setting} has {entry!r}; did you mean {near!r}?")
        else:
            names.add(text)
    return Hosts(frozenset(names), tuple(below), tuple(networks), frozenset(words))


def parse_address(host: str) -> Address | None:
    """The address that a host is written as, in any way that the system reads one, or None for a name."""
    host = host.strip("[]").partition("%")[0].rstrip(".")
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        if _OLD_SPELLING.fullmatch(host) is None:
            return None
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except OSError:
        return None


def unwrapped(address: Address) -> Address:
    """The address that is reached by another one, else the address itself.

    An IPv6 address may stand for an IPv4 one (mapped, 6to4, NAT64), and the unspecified one leads to this host.
    """
    if isinstance(address, ipaddress.IPv4Address):
        return _HERE if address.is_unspecified else address
    inner = address.ipv4_mapped or address.sixtofour
    # Asked first: to later Pythons a mapped address is what the one inside is.
    if inner is not None:
        return unwrapped(inner)
    if address.is_unspecified:
        return _HERE_TOO
    if not address.is_loopback and any(address in network for network in _EMBEDDING):
        return unwrapped(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return address


def range_of(address: Address) -> str:
    """The word for the range of an address: ``loopback``, ``link-local``, ``private`` (no other is global either),
    or ``public``.
    """
    if address.is_loopback or address.is_unspecified:
        return "loopback"
    if address.is_link_local:
        return "link-local"
    is_public = address.is_global and not address.is_multicast
    return "public" if is_public and not any(address in net for net in _ALSO_PRIVATE) else "private"


def _folded(host: str) -> str:
    """A host as it is looked up: a name of other letters has one spelling in ASCII, whoever wrote it.

    Raises ValueError for one that has none.
    """
    name = normalize("NFC", host).rstrip(".").lower()
    if name.isascii():
        return name
    import httpx

    star = "*." if name.startswith("*.") else ""
    try:
        return star + httpx.URL(scheme="http", host=name.removeprefix(star)).raw_host.decode()
    except httpx.InvalidURL as exc:
        raise ValueError(str(exc)) from None


def _refuse(host: str, why: str) -> HostRefused:
    return HostRefused(
        f"the application does not let this run connect to {host}: {why} (HttpOptions)"
    )
