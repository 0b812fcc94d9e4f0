"""Owns where the next page is: links in the header ``Link``, and parameters in the query of a URL. Pure."""

from __future__ import annotations

import re
from urllib.parse import unquote_plus

_TARGET = re.compile(r"[\s,]*<([^>]*)>")
_PARAMETER = re.compile(
    r'\s*;\s*([!#$%&\'*+.^_`|~0-9A-Za-z-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*)))?'
)
"""A name, and its value in quotes or bare."""
_SEPARATORS = re.compile(r"[\s;]*")


def next_link(header: str) -> str | None:
    """The target of the first link among whose relations is ``next``, in whatever letters (RFC 8288).

    A link with an anchor is one of something else.
    """
    at = 0
    while found := _TARGET.match(header, at):
        at = found.end()
        parameters: dict[str, str] = {}
        while each := _PARAMETER.match(header, at):
            at = each.end()
            quoted, bare = each[2], each[3]
            value = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else bare or ""
            parameters.setdefault(each[1].lower(), value)
        if "next" in parameters.get("rel", "").lower().split() and "anchor" not in parameters:
            return found[1].strip()
        rest = _SEPARATORS.match(header, at)
        at = at if rest is None else rest.end()
    return None


def parameter_of(url: str, name: str) -> str | None:
    """The last value of a parameter in the query of a URL; None where it is not there."""
    values = [pair.partition("=")[2] for pair in _pairs(url) if _is(pair, name)]
    return unquote_plus(values[-1]) if values else None


def without_parameter(url: str, name: str) -> str:
    """A URL without a parameter of its query, of which all else stays as it is."""
    pairs = _pairs(url)
    kept = [pair for pair in pairs if not _is(pair, name)]
    if kept == pairs:
        return url
    before, hash_, fragment = url.partition("#")
    path = before.partition("?")[0]
    return f"{path}{'?' if kept else ''}{'&'.join(kept)}{hash_}{fragment}"


def _pairs(url: str) -> list[str]:
    query = url.partition("#")[0].partition("?")[2]
    return query.split("&") if query else []


def _is(pair: str, name: str) -> bool:
    return unquote_plus(pair.partition("=")[0]) == name
