"""Owns values that are neither JSON's nor text: what each is written as, by rule. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Set as AnySet
from contextlib import suppress
from typing import Any

from .standing import STANDING, stands_for


def has_members(value: Any) -> bool:
    """Whether a value is an object that is written with its members: of a pydantic model or a dataclass."""
    kind = type(value)
    return hasattr(kind, "model_dump") or hasattr(kind, "__dataclass_fields__")


def members_of(value: Any) -> Any:
    """The members of such an object by their names."""
    dump = getattr(type(value), "model_dump", None)
    if dump is not None:
        return dump(value)
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}


def plainer(value: Any) -> Any:
    """A value as something plainer: what it stands for, of an object its members, of a set its items in order, of
    a range its numbers. Any other value as it is.
    """
    if isinstance(value, STANDING):
        return stands_for(value)
    if isinstance(value, AnySet):
        return in_order(value)
    if isinstance(value, range):
        return list(value)
    if has_members(value):
        return members_of(value)
    return value


def in_order(items: AnySet[Any]) -> list[Any]:
    """The items of a set in an order that is the same in every process: their own, else that of their reprs."""
    if not any(isinstance(item, AnySet) for item in items):  # these are only partly in order
        with suppress(TypeError):
            return sorted(items)
    return sorted(items, key=_repr)


def _repr(item: Any) -> tuple[str, str]:
    return type(item).__name__, repr(in_order(item) if isinstance(item, AnySet) else item)
