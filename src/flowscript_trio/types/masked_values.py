"""Owns the masking of values: every text in them, at any depth and of any class, however it behaves."""

from __future__ import annotations

from collections import UserString
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any, Protocol

from .built_in import bytes_of, is_built_in, items_of, repr_of
from .exceptions import class_name, is_a
from .written import PLAIN, written

_CIRCLE = "… (refers to itself)"
_DEEPEST = 100
"""Levels of containers of the user's own classes: one that makes its parts when it is asked may have no end."""
_ROOM = 1_000_000
"""Characters that are looked through at once."""


class Texts(Protocol):
    """What hides secrets in texts and bytes; the same object where there are none."""

    @property
    def written_alike(self) -> frozenset[type]:
        """The classes of numbers, dates and UUIDs that could be written as a secret is."""

    def text(self, text: str) -> str: ...
    def data(self, data: bytes) -> bytes: ...
    def hides_any(self, texts: set[str]) -> bool: ...


def masked(value: Any, texts: Texts) -> Any:
    """The value without secrets; it, and each part of it, is the same object where there are none in it.

    What its own class keeps from being looked at is shown as ``<its class>``. It takes no stack: a value may be
    nested as deeply as it likes.
    """
    try:
        if type(value) in PLAIN:
            return _plain(value, texts)
        if type(value) is str:
            return texts.text(value)
        if type(value) in _CONTAINERS and _is_free(value, texts):
            return value
        return _Walk(texts).value(value)
    except BaseException:  # the class of something in it cannot even be asked for its hash
        return f"<{class_name(value)}>"


def _plain(value: Any, texts: Texts) -> Any:
    """A number, a date or a UUID; the masked text where it is written as a secret is."""
    if type(value) not in texts.written_alike:
        return value
    text = written(value)
    shown = texts.text(text)
    return value if shown is text else shown


def _is_free(root: Any, texts: Texts) -> bool:
    """Whether a value of plain data has no secret in it. Most have none: many texts are looked at at once.

    A text that is in it often, as the keys of rows do, is looked at once.
    """
    stack, seen, found, size = [root], set(), set(), 0
    written_alike = texts.written_alike
    while stack:
        container = stack.pop()
        if id(container) in seen:
            continue
        seen.add(id(container))
        parts: Any = container
        if type(container) is dict:
            parts = [*container, *container.values()]
        for value in parts:
            kind = type(value)
            if kind is not str:
                if kind in _CONTAINERS:
                    stack.append(value)
                    continue
                if kind not in written_alike:
                    if kind in PLAIN:
                        continue
                    return False
                value = written(value)
            if value not in found:
                found.add(value)
                size += len(value)
                if size > _ROOM:
                    if texts.hides_any(found):
                        return False
                    found, size = set(), 0
    return not texts.hides_any(found)


_CONTAINERS = {dict, list, tuple}


def texts_in(root: Any) -> Iterator[str]:
    """The texts and keys of plain data, each container once."""
    stack, seen = [root], set()
    while stack:
        value = stack.pop()
        if type(value) is str:
            yield value
        elif type(value) in _CONTAINERS and id(value) not in seen:
            seen.add(id(value))
            stack.extend(value)
            if type(value) is dict:
                stack.extend(value.values())


class _Walk:
    """One walk over a value; parts that are in it twice are looked at once."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self._done: dict[int, Any] = {}
        self._opened: dict[int, tuple[Any, list[Any] | None]] = {}
        """Containers by their ids, with their parts, which keeps the ids from being used again."""

    def value(self, root: Any) -> Any:
        stack = [(root, 0)]
        while stack:
            value, depth = stack[-1]
            key = id(value)
            if key in self._opened:
                stack.pop()
                if key not in self._done:
                    self._done[key] = self._made_safely(value, self._opened[key][1])
                continue
            depth += type(value) not in _CONTAINERS
            try:
                parts = _parts(value) if depth <= _DEEPEST else None
            except BaseException:
                parts = None
                self._done[key] = f"<{class_name(value)}>"
            self._opened[key] = (value, parts)
            for part in parts or ():
                is_text = type(part) in PLAIN or type(part) is str
                if not is_text and id(part) not in self._opened:
                    stack.append((part, depth))
        return self._done[id(root)]

    def _made_safely(self, value: Any, parts: list[Any] | None) -> Any:
        try:
            return self._made(value, parts)
        except BaseException:  # an object of the user's, or one without an end
            return f"<{class_name(value)}>"

    def _made(self, value: Any, parts: list[Any] | None) -> Any:
        if parts is None:
            return self._leaf(value)
        shown = [self._part(part) for part in parts]
        if all(a is b for a, b in zip(parts, shown, strict=True)):
            return value if is_built_in(value) else self._leaf(value)  # by what it says of itself
        if is_a(value, Mapping):
            return _mapping(shown)
        if is_a(value, Set):
            return set(shown)
        return tuple(shown) if is_a(value, tuple) else shown

    def _part(self, part: Any) -> Any:
        kind = type(part)
        if kind is str:
            return self._texts.text(part)
        if kind in PLAIN:
            return _plain(part, self._texts)
        return self._done.get(id(part), _CIRCLE)

    def _leaf(self, value: Any) -> Any:
        if is_a(value, str):
            text = str.__str__(value)
            shown = self._texts.text(text)
            return value if shown is text else shown
        if is_a(value, (bytes, bytearray)):
            data = bytes_of(value)
            hidden = self._texts.data(data)
            return value if hidden is data else hidden
        for text in _told_by(value):
            if (shown := self._texts.text(text)) is not text:
                return shown
        return value


def _told_by(value: Any) -> Iterator[str]:
    """The texts by which a value may be shown: it may be a key as well."""
    yield repr_of(value)
    if not is_built_in(value):
        yield str(value)


def _parts(value: Any) -> list[Any] | None:
    """The keys and values of a mapping, the items of a list or a set; None for anything else.

    What is of a built-in type is read as that, whatever its own class says of it.
    """
    if is_a(value, (str, bytes, bytearray, UserString)):
        return None
    if is_a(value, dict):
        return [part for pair in dict.items(value) for part in pair]
    if is_a(value, Mapping):
        return [part for key in value for part in (key, value[key])]
    if is_a(value, (Sequence, Set)):
        return list(items_of(value)[1])
    return None


def _mapping(shown: list[Any]) -> dict[Any, Any]:
    """A mapping of keys and values in turn; keys that are one when masked are numbered."""
    made: dict[Any, Any] = {}
    for key, value in zip(shown[::2], shown[1::2], strict=True):
        name, number = key, 1
        while name in made:
            number += 1
            name = f"{key} ({number})"
        made[name] = value
    return made
