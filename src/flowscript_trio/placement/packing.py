"""Owns what crosses to a worker and back: values as bytes, and the name of what cannot cross."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from io import BytesIO
from types import BuiltinFunctionType, FunctionType, NoneType
from typing import Any, NamedTuple, NoReturn

try:  # it sends functions and classes that no module has by their code; where it is missing, these cannot cross
    from cloudpickle import Pickler
    from cloudpickle import dumps as dumps
except ImportError:
    from pickle import Pickler
    from pickle import dumps as dumps

from ..types.errors import CannotTravel
from ..types.exceptions import class_name
from ..types.looking import text_of


def pack(value: Any, what: str) -> bytes:
    """The bytes of a value; raises CannotTravel, which names the part of ``what`` that cannot cross.

    A named tuple crosses as a plain one, in a fraction of the time.
    """
    plain = tuple(value) if isinstance(value, tuple) else value
    try:
        return _pack_plain(plain)
    except Exception:
        pass  # it is not plain, or cannot cross: the other way says so
    try:
        packed: bytes = dumps(plain, protocol=pickle.HIGHEST_PROTOCOL)
    except Exception as exc:
        where, kind = culprit(value)
        raise CannotTravel(
            f"{what}{where} cannot travel to another process: {kind or summary(exc)}"
        ) from exc
    return packed


PLAIN = frozenset({NoneType, bool, int, float, str, bytes})
"""The types of what crosses as it is; of any other value it is first seen whether it can."""


class _NotPlain(Exception):
    """A value has something in it that is of a class of its own."""


class _Plain(pickle.Pickler):
    """Writes what Python itself writes, without a question of how functions and classes cross: there are none."""

    def reducer_override(self, value: Any) -> NoReturn:
        raise _NotPlain


def _pack_plain(value: Any) -> bytes:
    """The bytes of texts, numbers, lists, mappings and their like, in a third of the time; raises for others."""
    buffer = BytesIO()
    _Plain(buffer, protocol=pickle.HIGHEST_PROTOCOL).dump(value)
    return buffer.getvalue()


_OURS = frozenset(
    {
        "builtins",
        "collections",
        "datetime",
        "decimal",
        "flowscript_trio",
        "fractions",
        "pathlib",
        "uuid",
    }
)
"""The packages whose values can be made again wherever they can be sent."""


_NAMED = (type, FunctionType, BuiltinFunctionType)
"""What crosses by the name of its module."""


class _Looking(Pickler):  # type: ignore[misc]
    """Writes what can be sent, and sees whether there is anything of a class of somebody else's."""

    def __init__(self, buffer: BytesIO) -> None:
        super().__init__(buffer, protocol=pickle.HIGHEST_PROTOCOL)
        self.has_anyones = False

    def reducer_override(self, value: Any) -> Any:
        named = value if isinstance(value, _NAMED) else type(value)
        self.has_anyones |= (named.__module__ or "").partition(".")[0] not in _OURS
        inner = getattr(super(), "reducer_override", None)
        return NotImplemented if inner is None else inner(value)


class Written(NamedTuple):
    """The bytes of a value; ``is_ours``: they can be read wherever they are sent."""

    data: bytes
    is_ours: bool


def comes_back(value: Any) -> Written | None:
    """The bytes of a value that can be sent, and made again of them; None for others.

    What is of somebody else's class is made again once to see that: not all that can be written can be read.
    """
    buffer = BytesIO()
    pickler = _Looking(buffer)
    try:
        pickler.dump(value)
        data = buffer.getvalue()
        if pickler.has_anyones:
            unpack(data)
    except Exception:
        return None
    return Written(data, not pickler.has_anyones)


def unpack(data: bytes) -> Any:
    """The value of some bytes."""
    return pickle.loads(data)


def unpack_reply(data: bytes, what: str) -> Any:
    """The value of some bytes from a worker; raises CannotTravel where it cannot be made again here.

    What crosses is of anyone's class, which may be missing here or refuse; ``what`` says what it is.
    """
    try:
        return unpack(data)
    except Exception as exc:
        raise CannotTravel(f"{what} cannot be read where the run is ({summary(exc)})") from exc


_MOST_LOOKED_AT = 100
"""Values that are looked at for what keeps a value from crossing: what is deeper has no name worth reading."""
_MOST_OF_A_KEY = 40


def culprit(value: Any) -> tuple[str, str]:
    """Where in a value a part is that cannot cross though all its own parts can, and what it is.

    Both are empty where it is not found: where values hold each other, or nest deeper than anybody reads.
    """
    ways: list[list[tuple[str, Any]]] = [[("", value)]]  # of each level what was not looked at
    seen: set[int] = set()
    while ways and len(seen) < _MOST_LOOKED_AT:
        level = _from_first_refused(ways.pop())
        if not level:
            continue
        (path, part), *rest = level
        ways.append(rest)
        if id(part) in seen:
            continue
        seen.add(id(part))
        inner = [(path + step, each) for step, each in _parts(part)]
        if _all_cross(inner):
            return path, f"a {type(part).__name__}"
        ways.append(inner)
    return "", ""


def _from_first_refused(parts: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """The parts without those in front that can cross: halved, so that each is packed a few times only."""
    if _all_cross(parts):
        return []
    first, end = 0, len(parts)
    while end - first > 1:
        middle = (first + end) // 2
        if _all_cross(parts[first:middle]):
            first = middle
        else:
            end = middle
    return parts[first:]


def _all_cross(parts: list[tuple[str, Any]]) -> bool:
    return crosses([part for _, part in parts])


def summary(exc: BaseException) -> str:
    """Why a value cannot be pickled, as pickle says it."""
    return f"{class_name(exc)}: {text_of(exc)}"


def crosses(value: Any) -> bool:
    """Whether a value can be sent to another process."""
    try:
        dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
    except Exception:
        return False
    return True


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield f"[{_written(key)}]", part
    elif isinstance(value, tuple) and hasattr(value, "_fields"):
        for name, part in zip(value._fields, value, strict=True):
            yield f".{name}", part
    elif isinstance(value, (list, tuple)):
        for index, part in enumerate(value):
            yield f"[{index}]", part
    elif is_dataclass(value):
        for field in fields(value):
            yield f".{field.name}", getattr(value, field.name, None)
    elif hasattr(value, "__closure__"):
        names = value.__code__.co_freevars
        for name, cell in zip(names, value.__closure__ or (), strict=True):
            yield f" (its variable {name!r})", cell.cell_contents
    elif hasattr(value, "__dict__") and not isinstance(value, type):
        for name, part in vars(value).items():
            yield f".{name}", part


def _written(key: Any) -> str:
    """A key as a message names it."""
    if isinstance(key, str):
        return repr(key if len(key) <= _MOST_OF_A_KEY else key[:_MOST_OF_A_KEY] + "…")
    return repr(key) if type(key) in (int, bool, type(None)) else f"a {type(key).__name__}"
