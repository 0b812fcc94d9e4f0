"""Owns values as bytes, without loss: plain JSON as it is, all else as a table of parts that takes no stack."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from math import inf
from typing import Any

from ..expression import bulk
from ..types.headers import Headers
from ..types.storing import CannotKeep, StoreFailed
from .leaves import CONTAINER, leaf, leaf_of
from .secrets import KeptSecrets

JSON = b"j"
"""Before a value of plain JSON."""
PARTS = b"p"
"""Before a list of parts, each container after those in it, and then the value: a leaf, or ``[n]`` for a part."""

DEEPEST = 60
"""How deeply plain JSON may be nested: Python's reader and writer of JSON take stack for each level."""

PART = 8
"""Bytes that a part of a container is taken to have, beside those of its text."""

FEW = 16
"""Parts of a list that is looked at by itself first."""
MANY = 50_000
"""Parts of a container that are looked at in one call."""

_LEAVES = frozenset({type(None), bool, int, float, str})
_CONTAINERS = frozenset({list, dict})
_PLAIN = _LEAVES | _CONTAINERS
_TEXT = frozenset({str})


class TooLarge(Exception):
    """A value is larger than whoever asked for its bytes had room for."""


def encode_value(value: Any, secrets: KeptSecrets | None = None, room: float = inf) -> bytes:
    """A value as bytes from which :func:`decode_value` makes the same again.

    JSON, bytes, dates, times, Decimal, UUID, tuples, sets and dicts with any such keys; of a subclass it is what
    its base holds. A list that is in it twice is one list afterwards, too. Secrets are kept as their names.

    Raises CannotKeep for anything else, and for what refers to itself, with the place inside the value; TooLarge
    for what takes more than about ``room`` bytes, before it has taken long.
    """
    if is_plain(value, room):
        try:
            data = dumped(value)
        except ValueError:  # an integer of thousands of digits
            pass
        else:
            if secrets is None or not secrets.suspects(data):
                return JSON + data
    return PARTS + dumped(parts_of(value, secrets, room))


def encode_plain(value: Any) -> bytes:
    """The same bytes of what is known to be plain JSON without secrets, and is not looked through."""
    return JSON + dumped(value)


def parts_of(value: Any, secrets: KeptSecrets | None, room: float = inf) -> list[Any]:
    """The table of a value, each container after those in it, and then the value; raises CannotKeep, TooLarge."""
    return _Parts(secrets, room).of(value)


def decode_value(data: bytes, secrets: KeptSecrets | None = None) -> Any:
    """The value that was encoded.

    Raises InputError for a secret that is missing, StoreFailed for what is not an encoded value.
    """
    try:
        made = _read(data)
        if data[:1] == JSON:
            return made
        if data[:1] == PARTS:
            return _restored(made, secrets or KeptSecrets({}))
    except (
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
        ArithmeticError,
        RecursionError,
    ) as exc:
        raise StoreFailed(f"a value in the store is damaged: {exc}") from exc
    raise StoreFailed("a value in the store is damaged: its form is not known")


def _read(data: bytes) -> Any:
    """The JSON behind the form of a value; that of a large one in pieces, for a thread."""
    if len(data) <= bulk.PIECE:
        return _decoder.decode(data[1:].decode("utf-8", "surrogatepass"))
    from ..expression.json_pieces import read_json  # only what is large needs it

    return read_json(bulk.decode_text(data[1:], "utf-8", "surrogatepass"), _decoder)


def dumped(value: Any) -> bytes:
    """The JSON of what JSON has."""
    return "".join(_chunks(value)).encode("utf-8", "surrogatepass")


def _maker_of_chunks() -> Callable[[Any], Iterable[str]]:
    """What gives the JSON of a value in pieces.

    ``json`` makes a new encoder for each value, which takes longer than what it then does: here one is made
    for all. What comes to it was looked through for circles already.
    """
    encoder = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":"))
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:  # another Python has it in another way
        return encoder.iterencode
    text = json.encoder.encode_basestring
    made = make(None, encoder.default, text, None, ":", ",", False, False, True)
    return partial(made, _current_indent_level=0)


_chunks = _maker_of_chunks()

_decoder = json.JSONDecoder(parse_constant=float)
"""Each NaN is an object of its own, as it was: of two keys of a dict, or two items of a set, one would be lost."""


def is_plain(root: Any, room: float = inf) -> bool:
    """Whether JSON says all of a value: no class but its own, no part twice, not too deep.

    Raises TooLarge for what takes more than about ``room`` bytes, however it is said.
    """
    kind = type(root)
    if kind is not list and kind is not dict:
        if kind is str and len(root) > room:
            raise TooLarge
        return kind in _LEAVES
    if kind is list and len(root) < FEW:  # as the facts of most entries
        kinds = set(map(type, root))
        if _LEAVES.issuperset(kinds):
            if str in kinds:
                _without_texts(root, room)
            return True
    level, seen = [root], {id(root)}
    for _ in range(DEEPEST):
        below = []
        for each in level:
            room -= PART * len(each)
            if room < 0:
                raise TooLarge
            if type(each) is dict:
                if not _TEXT.issuperset(map(type, each) if len(each) < FEW else _kinds(each)):
                    return False
                parts = each.values()
            else:
                parts = each
            kinds = set(map(type, parts)) if len(each) < FEW else _kinds(parts)
            if str in kinds and room != inf:
                room = _without_texts(parts, room)
            if _LEAVES.issuperset(kinds):
                continue
            if not _PLAIN.issuperset(kinds):
                return False
            for part in parts:
                if type(part) in _CONTAINERS:
                    if id(part) in seen:
                        return False
                    seen.add(id(part))
                    below.append(part)
        if not below:
            return True
        level = below
    return False


def _without_texts(parts: Iterable[Any], room: float) -> float:
    """What is left of the room for the texts among some parts; raises TooLarge where there is none."""
    for part in parts:
        if type(part) is str:
            room -= len(part)
    if room < 0:
        raise TooLarge
    return room


def _kinds(parts: Collection[Any]) -> set[type]:
    """The classes of parts; of very many in turns, between which other threads have theirs."""
    if len(parts) <= MANY:
        return set(map(type, parts))
    kinds: set[type] = set()
    rest = iter(parts)
    while some := tuple(islice(rest, MANY)):
        kinds.update(map(type, some))
    return kinds


_LONG = (str, bytes, bytearray)


@dataclass(slots=True)
class _Open:
    """A container whose parts are being written."""

    value: Any
    step: str
    tag: str
    rest: Iterator[tuple[str, Any]]
    made: list[Any] = field(default_factory=list)


class _Parts:
    """The table of one value. Containers are numbered by their ids; the value keeps them alive meanwhile."""

    def __init__(self, secrets: KeptSecrets | None, room: float) -> None:
        self._secrets = secrets
        self._room = room
        self._parts: list[Any] = []
        self._numbers: dict[int, int] = {}
        self._open: list[_Open] = []
        self._opened: set[int] = set()

    def of(self, root: Any) -> list[Any]:
        top = _Open(root, "", "", iter([("", root)]))
        self._open.append(top)
        while self._open:
            if not self._go_on(self._open[-1]):
                continue
            done = self._open.pop()
            if done is not top:
                self._opened.remove(id(done.value))
                self._numbers[id(done.value)] = len(self._parts)
                self._open[-1].made.append([len(self._parts)])
                self._parts.append([done.tag, *done.made])
        return [*self._parts, *top.made]

    def _go_on(self, current: _Open) -> bool:
        """Write parts up to the next container that is not written yet; whether there is none."""
        for step, part in current.rest:
            self._room -= PART + (len(part) if isinstance(part, _LONG) else 0)
            if self._room < 0:
                raise TooLarge
            made = self._leaf(step, part)
            if made is not CONTAINER:
                current.made.append(made)
            elif id(part) in self._numbers:
                current.made.append([self._numbers[id(part)]])
            elif id(part) in self._opened:
                raise CannotKeep(self._path(step), "it refers to itself, which cannot be kept")
            else:
                self._opened.add(id(part))
                self._open.append(_Open(part, step, *_steps(part)))
                return False
        return True

    def _leaf(self, step: str, part: Any) -> Any:
        try:
            return leaf(part, self._secrets)
        except CannotKeep as exc:
            raise CannotKeep(self._path(step), exc.what) from None

    def _path(self, step: str) -> str:
        return "".join([*(each.step for each in self._open[1:]), step]).removeprefix(".")


def _steps(value: Any) -> tuple[str, Iterator[tuple[str, Any]]]:
    """What kind of container it is, and its parts with the steps to them; read as its base has them."""
    if isinstance(value, dict):
        return "h" if type(value) is Headers else "o", _pairs(value)
    if isinstance(value, list):
        return "l", _items(list.__iter__(value))
    if isinstance(value, tuple):
        return "t", _items(tuple.__iter__(value))
    if isinstance(value, frozenset):
        return "f", (("{…}", each) for each in frozenset.__iter__(value))
    return "s", (("{…}", each) for each in set.__iter__(value))


def _pairs(value: dict[Any, Any]) -> Iterator[tuple[str, Any]]:
    for key, part in dict.items(value):
        step = f".{key}" if isinstance(key, str) and key.isidentifier() else f"[{key!r}]"
        yield f"{step} (the key)", key
        yield step, part


def _items(parts: Iterator[Any]) -> Iterator[tuple[str, Any]]:
    for index, part in enumerate(parts):
        yield f"[{index}]", part


def _restored(table: list[Any], secrets: KeptSecrets) -> Any:
    parts: list[Any] = []

    def value_of(token: Any) -> Any:
        if type(token) is not list:
            return token
        return parts[token[0]] if type(token[0]) is int else leaf_of(token, secrets)

    *rest, last = table
    for tag, *tokens in rest:
        values = list(map(value_of, tokens))
        parts.append(values if tag == "l" else _MADE[tag](values))
    return value_of(last)


_MADE: dict[str, Any] = {
    "o": lambda values: dict(zip(values[::2], values[1::2], strict=True)),
    "h": lambda values: Headers(zip(values[::2], values[1::2], strict=True)),
    "t": tuple,
    "s": set,
    "f": frozenset,
}
