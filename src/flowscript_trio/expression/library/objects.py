"""Owns the functions of objects. None of them changes what it is given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...types.errors import EvaluationError, LimitExceeded
from ..encoding import to_key, to_text
from ..scope import Services
from ..table import function
from ..values import LISTS, MAX_DEPTH, equals, kind_of, member


def mapping(services: Services, value: Any) -> Mapping[Any, Any]:
    if value is None:
        return {}
    if isinstance(value, Mapping):
        services.spend(len(value))
        return value
    raise EvaluationError(f"expected an object, not a {kind_of(value)}")


def path_of(path: Any) -> list[Any]:
    """``a.b[0].c`` or a list of keys."""
    if isinstance(path, LISTS):
        return list(path)
    return [part for part in to_text(path).replace("[", ".").replace("]", "").split(".") if part]


@function("keys")
def keys(services: Services, value: Any = None) -> Any:
    if isinstance(value, LISTS):
        return [str(at) for at in range(len(value))]
    return [to_key(key) for key in mapping(services, value)]


@function("values")
def values(services: Services, value: Any = None) -> Any:
    return list(value) if isinstance(value, LISTS) else list(mapping(services, value).values())


@function("entries")
def entries(services: Services, value: Any = None) -> Any:
    if isinstance(value, LISTS):
        return [[str(at), item] for at, item in enumerate(value)]
    return [[to_key(key), item] for key, item in mapping(services, value).items()]


@function("from_entries")
def from_entries(services: Services, value: Any = None) -> Any:
    made = {}
    for pair in value or []:
        if not isinstance(pair, LISTS) or len(pair) != 2:
            raise EvaluationError("expected a list of [key, value]")
        made[to_text(pair[0])] = pair[1]
    return made


@function("get")
def get(_: Services, value: Any = None, path: Any = "", default: Any = None) -> Any:
    if isinstance(value, Mapping) and isinstance(path, str) and path in value:
        found = value[path]
    else:
        found = value
        for key in path_of(path):
            found = member(found, key)
    return default if found is None else found


@function("has")
def has(_: Services, value: Any = None, path: Any = "") -> bool:
    if isinstance(value, Mapping) and isinstance(path, str) and path in value:
        return True
    found = value
    for key in path_of(path):
        if isinstance(found, Mapping):
            if key not in found:
                return False
        elif not isinstance(found, LISTS) or not str(key).isdigit() or int(key) >= len(found):
            return False
        found = member(found, key)
    return value is not None


@function("merge")
def merge(services: Services, *objects: Any) -> Any:
    """A later key wins; not deep."""
    made: dict[Any, Any] = {}
    for value in objects:
        made.update(mapping(services, value))
    return made


def _names(names: tuple[Any, ...]) -> set[str]:
    flat = [part for name in names for part in (name if isinstance(name, LISTS) else [name])]
    return {to_text(name) for name in flat}


@function("pick")
def pick(services: Services, value: Any = None, *names: Any) -> Any:
    wanted = _names(names)
    return {key: item for key, item in mapping(services, value).items() if to_key(key) in wanted}


@function("omit")
def omit(services: Services, value: Any = None, *names: Any) -> Any:
    unwanted = _names(names)
    return {k: item for k, item in mapping(services, value).items() if to_key(k) not in unwanted}


@function("size")
def size(_: Services, value: Any = None) -> int:
    return len(value) if isinstance(value, (str, Mapping, *LISTS)) else 0


@function("set")
def set_(services: Services, value: Any = None, path: Any = "", item: Any = None) -> Any:
    """A copy with the item at a path."""
    found = path_of(path)
    if not found:
        raise EvaluationError("the path is empty")
    return _set(services, value, found, item)


def _set(services: Services, value: Any, path: list[Any], item: Any) -> Any:
    if len(path) > MAX_DEPTH:
        raise LimitExceeded("the path is too deep")
    key = path[0]
    new = item if len(path) == 1 else _set(services, member(value, key), path[1:], item)
    if isinstance(value, LISTS):
        at = int(key) if str(key).isdigit() else -1
        if not 0 <= at <= len(value):
            raise EvaluationError(f"a list has no place {to_text(key)!r}")
        return [*value[:at], new, *value[at + 1 :]]
    return {**mapping(services, value), to_text(key): new}


@function("delete")
def delete(services: Services, value: Any = None, name: Any = "") -> Any:
    return omit(services, value, name)


@function("equals")
def equals_(_: Services, left: Any = None, right: Any = None) -> bool:
    return equals(left, right)


@function("clone")
def clone(services: Services, value: Any = None, depth: int = 0) -> Any:
    if depth > MAX_DEPTH:
        raise LimitExceeded(f"the value nests deeper than {MAX_DEPTH} levels")
    if isinstance(value, Mapping):
        services.spend(len(value))
        return {key: clone(services, item, depth + 1) for key, item in value.items()}
    if isinstance(value, LISTS):
        services.spend(len(value))
        return [clone(services, item, depth + 1) for item in value]
    return value
