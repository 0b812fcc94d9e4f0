"""Owns cookies in values: where the headers of an answer set some, and what such a value is without them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ..types.headers import Headers
from .blobs import any_in

_NAME = "set-cookie"
_IN_BYTES = _NAME.encode()
_CONTAINERS = (dict, list, tuple, set, frozenset)


def may_set_cookies(data: bytes) -> bool:
    """Whether the name of that header is in an encoded value: quick, and true of a text that says it, too."""
    return _IN_BYTES in data.lower()


def may_set_cookies_in(pieces: Iterable[bytes]) -> bool:
    """The same of an encoded value in pieces. For a thread."""
    return any_in(pieces, len(_IN_BYTES), may_set_cookies)


def sets_cookies(value: Any) -> bool:
    """Whether a value has headers that set cookies: in a mapping, or as pairs of a name and a text."""
    return any(_is_pair(each) or _has_key(each) for each in _inside(value))


def without_cookies(value: Any) -> Any:
    """The value but for such headers; what has none of them in it stays the same object."""
    made: dict[int, Any] = {}
    for each in _inside(value):
        parts = list(_parts(each))
        kept = [part for part in parts if not _is_pair(part)]
        if _has_key(each) or len(kept) < len(parts) or any(id(part) in made for part in parts):
            made[id(each)] = _rebuilt(each, lambda part: made.get(id(part), part))
    return [] if _is_pair(value) else made.get(id(value), value)


def _rebuilt(value: Any, now: Callable[[Any], Any]) -> Any:
    if isinstance(value, dict):
        kind = Headers if isinstance(value, Headers) else dict
        pairs = ((name, now(part)) for name, part in value.items() if not _is_name(name))
        return kind(pair for pair in pairs if not _is_pair(pair[1]))
    base = next(each for each in _CONTAINERS if isinstance(value, each))
    return base(now(part) for part in value if not _is_pair(part))


def _inside(value: Any) -> Iterator[Any]:
    """The containers of a value, itself among them, each once and after those inside it."""
    if not isinstance(value, _CONTAINERS):
        return
    seen = {id(value)}
    around = [(value, _parts(value))]
    while around:
        current, rest = around[-1]
        for part in rest:
            if isinstance(part, _CONTAINERS) and id(part) not in seen:
                seen.add(id(part))
                around.append((part, _parts(part)))
                break
        else:
            around.pop()
            yield current


def _parts(value: Any) -> Iterator[Any]:
    return iter(value.values() if isinstance(value, dict) else value)


def _has_key(value: Any) -> bool:
    return isinstance(value, dict) and any(map(_is_name, value))


def _is_pair(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and len(value) == 2 and _is_name(value[0])


def _is_name(name: Any) -> bool:
    return isinstance(name, str) and name.lower() == _NAME
