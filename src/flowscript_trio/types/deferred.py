"""Owns ``dataclass``: that of the standard library, whose methods are compiled when they are needed.

A command imports some 170 dataclasses, makes instances of a third of them, and only a few of most of these. The
standard library writes the source of up to six methods of each and compiles it: half of what passed before a run
began. Here a method is compiled when it is first looked up, and ``__init__`` when it has been called a few times:
until then the fields are set one by one, which takes a hundredth of the time that compiling it would.
"""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import dataclass as dataclass
else:

    def dataclass(**options: Any) -> Callable[[type], type]:
        """As :func:`dataclasses.dataclass`, which has the options; fields may not be ``InitVar``."""
        return lambda cls: _deferred(cls, **options)


_ORDER = ("__lt__", "__le__", "__gt__", "__ge__")
_NOTHING = {"init": False, "repr": False, "eq": False}
_OPTIONS = {
    "__init__": {"init": True},
    "__repr__": {"repr": True},
    "__eq__": {"eq": True},
    "__hash__": {"eq": True, "unsafe_hash": True},
    **{name: {"eq": True, "order": True} for name in _ORDER},
}
"""What the standard library is asked for to have a method."""
_FEW = 32
"""Instances of a class before its ``__init__`` is compiled, which takes as long as making a hundred of them."""


class _Deferred:
    """Stands for a method of a class until somebody looks it up, by a call or otherwise."""

    def __init__(self, owner: type, name: str, frozen: bool, slots: bool) -> None:
        self.owner = owner
        self.name = name
        self.frozen = frozen
        self.slots = slots
        self.few = _FEW if name == "__init__" else 0

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if self.few and instance is not None:
            self.few -= 1
            return partial(self._initialize, instance)
        return self._compiled(instance, owner)

    def _compiled(self, instance: Any, owner: Any) -> Any:
        made = self._made()
        setattr(self.owner, self.name, made)
        return made if instance is None else made.__get__(instance, owner)

    def _initialize(self, instance: Any, /, *given: Any, **named: Any) -> None:
        """As the compiled ``__init__``, which is asked where the arguments do not fit: it says what is wrong."""
        fields = dataclasses.fields(self.owner)
        taken = [each for each in fields if each.init]
        names = [each.name for each in taken if not each.kw_only]
        values = dict(zip(names, given, strict=False)) | named
        needed = {each.name for each in taken if not _has_default(each)}
        fits = needed <= values.keys() <= {each.name for each in taken}
        if not fits or len(values) < len(given) + len(named):
            self._compiled(instance, type(instance))(*given, **named)
            return
        put = object.__setattr__ if self.frozen else setattr
        for each in fields:
            if each.name in values:
                put(instance, each.name, values[each.name])
            elif each.default_factory is not dataclasses.MISSING:
                put(instance, each.name, each.default_factory())
            elif each.default is not dataclasses.MISSING:
                put(instance, each.name, each.default)
        if hasattr(instance, "__post_init__"):
            instance.__post_init__()

    def _made(self) -> Any:
        """The method, which a class with the same fields and nothing else gets from the standard library."""
        fields = dataclasses.fields(self.owner)
        namespace: dict[str, Any] = {each.name: each for each in fields}
        namespace["__annotations__"] = {each.name: each.type for each in fields}
        namespace["__module__"] = self.owner.__module__
        namespace["__doc__"] = self.name  # or the standard library would ask for the signature
        if hasattr(self.owner, "__post_init__"):
            namespace["__post_init__"] = None
        options: dict[str, Any] = _NOTHING | _OPTIONS[self.name]
        if self.name == "__init__":  # the others are the same ones whatever the class is
            options |= {"frozen": self.frozen, "slots": self.slots}
        twin: type = dataclasses.dataclass(**options)(type(self.owner.__name__, (), namespace))
        made = vars(twin)[self.name]
        made.__qualname__ = f"{self.owner.__qualname__}.{self.name}"
        return made


def _has_default(field: dataclasses.Field[Any]) -> bool:
    missing = dataclasses.MISSING
    return field.default is not missing or field.default_factory is not missing


def _deferred(
    cls: type,
    *,
    init: bool = True,
    repr: bool = True,
    eq: bool = True,
    order: bool = False,
    frozen: bool = False,
    **layout: Any,
) -> type:
    # Python itself puts a `__hash__` of None where a class has an `__eq__`.
    own = {name for name, value in vars(cls).items() if value is not None}
    cls.__doc__ = cls.__doc__ or cls.__name__
    made: type = dataclasses.dataclass(**_NOTHING, **layout)(cls)
    wanted = {"__init__": init, "__repr__": repr, "__eq__": eq, "__hash__": eq and frozen}
    for name in [name for name, is_wanted in wanted.items() if is_wanted] + list(_ORDER) * order:
        if name not in own:
            setattr(made, name, _Deferred(made, name, frozen, bool(layout.get("slots"))))
    if eq and not frozen and "__hash__" not in own:
        made.__hash__ = None  # type: ignore[assignment]
    if frozen:
        made.__setattr__ = _refuse_to_set  # type: ignore[assignment]
        made.__delattr__ = _refuse_to_delete  # type: ignore[assignment]
        if layout.get("slots"):
            made.__getstate__ = _state_of  # type: ignore[assignment]
            made.__setstate__ = _set_state  # type: ignore[attr-defined]
    return made


def _refuse_to_set(self: Any, name: str, value: Any) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(self: Any, name: str) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def _state_of(self: Any) -> list[Any]:
    return [getattr(self, field.name) for field in dataclasses.fields(self)]


def _set_state(self: Any, state: list[Any]) -> None:
    for field, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, field.name, value)
