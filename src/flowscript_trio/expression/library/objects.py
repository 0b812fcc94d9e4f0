"""Owns the functions of objects. None of them changes what it is given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...types.errors import EvaluationError
from ..encoding import to_text
from ..scope import Services, as_closed_as
from ..table import function
from ..values import CONTAINER, LISTS, deeper, equals, index_of_key, key_text, member, shown
from .arguments import mapping, path_of


@function("keys")
def keys(services: Services, value: Any = None) -> Any:
    """The keys of an object."""
    if isinstance(value, LISTS):
        return [str(at) for at in services.visit(range(len(value)), 2)]
    return [key_text(key) for key in services.visit(list(mapping(services, value)))]


@function("values")
def values(services: Services, value: Any = None) -> Any:
    """The values of an object."""
    if isinstance(value, LISTS):
        services.spend_copy(len(value))
        return list(value)
    return list(mapping(services, value).values())


@function("entries")
def entries(services: Services, value: Any = None) -> Any:
    """A list of [key, value]."""
    if isinstance(value, LISTS):
        return [[str(at), item] for at, item in enumerate(services.visit(value, 4))]
    found = mapping(services, value)
    return [[key_text(key), found[key]] for key in services.visit(list(found), 4)]


@function("from_entries")
def from_entries(services: Services, value: Any = None) -> Any:
    """The object of a list of [key, value]."""
    if value is None:
        return {}
    if not isinstance(value, LISTS):
        raise EvaluationError(f"expected a list of [key, value], not {shown(value)}")
    made = {}
    for at, pair in enumerate(services.visit(value)):
        if not isinstance(pair, LISTS) or len(pair) != 2:
            raise EvaluationError(f"expected a list of [key, value]; item {at} is {shown(pair)}")
        made[key_text(pair[0])] = pair[1]
    return made


@function("get")
def get(services: Services, value: Any = None, path: Any = "", default: Any = None) -> Any:
    """What is at a path (``a.b[0]``), or the default where there is nothing or null."""
    if isinstance(value, Mapping) and isinstance(path, str) and path in value:
        found = value[path]
    else:
        found = value
        for key in services.visit(path_of(services, path)):
            found = member(found, key)
            if found is None:
                break
    return default if found is None else found


@function("has")
def has(services: Services, value: Any = None, path: Any = "") -> bool:
    """Whether there is something at a path, be it null."""
    if isinstance(value, Mapping) and isinstance(path, str) and path in value:
        return True
    keys_ = path_of(services, path)
    found = value
    for key in services.visit(keys_):
        if isinstance(found, Mapping):
            if key not in found and key_text(key) not in found:
                return False
        else:
            at = index_of_key(key)
            if not isinstance(found, LISTS) or at is None or not 0 <= at < len(found):
                return False
        found = member(found, key)
    return bool(keys_) and value is not None


@function("merge")
def merge(services: Services, *objects: Any) -> Any:
    """A later key wins; not deep. Null is empty."""
    made: dict[Any, Any] = {}
    for value in objects:
        found = mapping(services, value)
        services.spend_update(len(found) if made else 0)
        made = as_closed_as(found, made)
        made.update(found)
    return made


def _names(services: Services, names: tuple[Any, ...]) -> set[str]:
    flat = [
        part
        for name in names
        for part in (services.visit(name) if isinstance(name, LISTS) else [name])
    ]
    return {to_text(name, services) for name in services.visit(flat, 2)}


@function("pick")
def pick(services: Services, value: Any = None, *names: Any) -> Any:
    """The object with these keys only."""
    wanted, found = _names(services, names), mapping(services, value)
    made = {k: found[k] for k in services.visit(list(found)) if key_text(k) in wanted}
    return as_closed_as(found, made)


@function("omit")
def omit(services: Services, value: Any = None, *names: Any) -> Any:
    """The object without these keys."""
    unwanted, found = _names(services, names), mapping(services, value)
    made = {k: found[k] for k in services.visit(list(found)) if key_text(k) not in unwanted}
    return as_closed_as(found, made)


@function("set")
def set_(services: Services, value: Any = None, path: Any = "", item: Any = None) -> Any:
    """A copy with the item at a path; objects are made on the way where there is null."""
    return _put(services, value, _keys_of(services, value, path), 0, item)


def _put(services: Services, value: Any, path: list[Any], depth: int, item: Any) -> Any:
    deeper(depth, services)
    key = path[depth]
    last = depth == len(path) - 1
    new = item if last else _put(services, member(value, key), path, depth + 1, item)
    if isinstance(value, LISTS):
        at = index_of_key(key)
        if at is None or not 0 <= at <= len(value):
            raise EvaluationError(
                f"a list of {len(value)} has no place {at if at is not None else shown(key)}"
            )
        services.spend_copy(len(value))
        return [*value[:at], new, *value[at + 1 :]]
    return as_closed_as(value, {**mapping(services, value), key_text(key): new})


@function("delete")
def delete(services: Services, value: Any = None, path: Any = "") -> Any:
    """A copy without what is at a path."""
    return _drop(services, value, _keys_of(services, value, path), 0)


def _drop(services: Services, value: Any, path: list[Any], depth: int) -> Any:
    deeper(depth, services)
    if value is None:
        return None
    key = path[depth]
    name = key_text(key)
    last = depth == len(path) - 1
    if isinstance(value, LISTS):
        at = index_of_key(key)
        if at is None or not 0 <= at < len(value):
            return value
        services.spend_copy(len(value))
        kept = [] if last else [_drop(services, value[at], path, depth + 1)]
        return [*value[:at], *kept, *value[at + 1 :]]
    found = mapping(services, value)
    keys_ = services.visit(list(found))
    if last:
        return as_closed_as(found, {k: found[k] for k in keys_ if key_text(k) != name})
    made = {
        k: _drop(services, found[k], path, depth + 1) if key_text(k) == name else found[k]
        for k in keys_
    }
    return as_closed_as(found, made)


def _keys_of(services: Services, value: Any, path: Any) -> list[Any]:
    """The keys of a path; a key of the object that has dots in it is one key."""
    if isinstance(path, str) and isinstance(value, Mapping) and path in value:
        return [path]
    keys_ = path_of(services, path)
    if not keys_:
        raise EvaluationError("the path is empty")
    return keys_


@function("equals")
def equals_(services: Services, left: Any = None, right: Any = None) -> bool:
    """Whether two values are equal, by their structure."""
    return equals(left, right, services)


@function("clone")
def clone(services: Services, value: Any = None) -> Any:
    """A deep copy; anything but a list or an object is returned as it is."""
    return _copy(services, value, 0)


def _copy(services: Services, value: Any, depth: int) -> Any:
    if not isinstance(value, (Mapping, *LISTS)):
        return value
    deeper(depth, services)
    services.spend(CONTAINER)
    if isinstance(value, Mapping):
        keys_ = services.visit(list(value))
        return as_closed_as(value, {key: _copy(services, value[key], depth + 1) for key in keys_})
    return [_copy(services, item, depth + 1) for item in services.visit(value)]
