"""Owns reading members: of values, and of nodes, whose status and error are beside their output."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..types.describing import safe_status_of, type_of
from ..types.looking import text_of
from .calls import Run
from .scope import Scope
from .syntax import Constant, Item, Member, Method
from .values import member

Step = Callable[[Scope, Any], Any]

NODE_MEMBERS = frozenset({"output", "status", "error", "failures"})


def read_node(name: str) -> Run:
    """The closure of a node's name: its output, null before it has one."""

    def read(scope: Scope) -> Any:
        result = scope.node(name)
        return None if result is None else result.output

    return read


def read_member(run: Run, name: str) -> Run:
    """The closure of ``value.name``, one member of a node's output above all."""

    def read(scope: Scope) -> Any:
        value = run(scope)
        return value.get(name) if value.__class__ is dict else member(value, name)

    return read


def read_member_of_name(base: str, name: str) -> Run:
    """The closure of ``base.name`` where the base is a name that no node has."""

    def read(scope: Scope) -> Any:
        value = scope.value(base)
        return value.get(name) if value.__class__ is dict else member(value, name)

    return read


def read_item_of_name(base: str, index: int) -> Run:
    """The closure of ``base[1]`` where the base is a name that no node has."""

    def read(scope: Scope) -> Any:
        value = scope.value(base)
        if value.__class__ is list:
            return value[index] if index < len(value) else None
        return member(value, index)

    return read


def make_member(name: str) -> Step:
    """The step ``.name`` of a longer chain."""

    def step(scope: Scope, value: Any) -> Any:
        return value.get(name) if value.__class__ is dict else member(value, name)

    return step


def make_item(key: Run) -> Step:
    """The step ``[key]`` of a chain."""
    return lambda scope, value: member(value, key(scope))


def make_constant_item(key: Any) -> Step:
    """The step ``[1]`` or ``["name"]`` of a chain."""
    if key.__class__ is str:
        return make_member(key)
    if not _is_index(key):
        return lambda scope, value: member(value, key)

    def step(scope: Scope, value: Any) -> Any:
        if value.__class__ is list:
            return value[key] if key < len(value) else None
        return member(value, key)

    return step


def static_index(step: Member | Item | Method) -> int | None:
    """The index of an item that is written out: ``[1]``."""
    if isinstance(step, Item) and isinstance(step.key, Constant) and _is_index(step.key.value):
        return step.key.value  # type: ignore[no-any-return]
    return None


def _is_index(key: Any) -> bool:
    return key.__class__ is int and key >= 0


def static_name(step: Member | Item | Method) -> str | None:
    """The name of a member that is written out: ``.name`` or ``["name"]``."""
    if isinstance(step, Member):
        return step.name
    if isinstance(step, Item) and isinstance(step.key, Constant):
        return step.key.value if isinstance(step.key.value, str) else None
    return None


def read_node_member(node: str, name: str) -> Run:
    """``.output`` is the output; the other members are the node's where the output has none of that name."""

    def read(scope: Scope) -> Any:
        result = scope.node(node)
        if result is None:
            return None
        output = result.output
        if name == "output":
            return output
        if isinstance(output, Mapping) and name in output:
            return output[name]
        if name == "status":
            return result.status
        if name == "error":
            return None if result.error is None else _describe(result.error)
        return [
            {"index": branch.index, "item": branch.item, **_describe(branch.error, None)}
            for branch in getattr(result, "branches", ())
            if branch.status == "failed"
        ]

    return read


def _describe(error: BaseException, *absent: None) -> dict[str, Any]:
    """What an error says; its status only where it has one, or where ``absent`` stands for none."""
    status = safe_status_of(error)
    seen: dict[str, Any] = {"message": text_of(error), "type": type_of(error)}
    return seen if status is None and not absent else {**seen, "status": status}
