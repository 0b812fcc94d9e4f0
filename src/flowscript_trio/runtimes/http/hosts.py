"""Owns which hosts may be connected to: the rules of an application, and what they say of a name or an address."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from ...types.errors import FlowScriptError, InputError, nearest
from ...types.http import HttpOptions

if TYPE_CHECKING:
    import httpx

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

WORDS = ("loopback", "link-local", "private")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_HOST = re.compile(r"[\w-]{1,63}(?:\.[\w-]{1,63})*\.?", re.ASCII)


def leads_somewhere(url: httpx.URL) -> bool:
    """Whether a URL has a host that can be looked up or connected to, and a port that there is."""
    host = url.raw_host.decode("ascii")
    is_host = ":" in host or (len(host) <= 253 and _HOST.fullmatch(host) is not None)
    return is_host and (url.port is None or 0 < url.port <= 65535)


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
        return range_of(address) in self.words or any(address in net for net in self.networks)


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
        address = unwrapped(address)
        shown = host if parse_address(host) is not None else f"{host} ({address})"
        if self.deny.has_address(address) or self.deny.has_name(str(address)):
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
        text = _folded(entry.strip())
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
    """The address that a host is written as, or None for a name."""
    try:
        return ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return None


def unwrapped(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for (mapped, 6to4, NAT64), else the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    inner = address.ipv4_mapped or address.sixtofour
    if inner is None and address in _NAT64:
        inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return inner or address


def range_of(address: Address) -> str:
    """The word for the range of an address: ``loopback``, ``link-local``, ``private`` (no other is global either),
    or ``public``.
    """
    if address.is_loopback or address.is_unspecified:
        return "loopback"
    if address.is_link_local:
        return "link-local"
    return "public" if address.is_global and not address.is_multicast else "private"


def _folded(host: str) -> str:
    return host.rstrip(".").lower()


def _refuse(host: str, why: str) -> HostRefused:
    return HostRefused(
        f"the application does not let this run connect to {host}: {why} (HttpOptions)"
    )
