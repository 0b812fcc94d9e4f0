"""Owns the tests of dataclasses whose methods are compiled late: nobody can tell them from the usual ones."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from collections.abc import Hashable
from dataclasses import field
from functools import partial
from typing import Any

import pytest

from flowscript_trio.types.deferred import dataclass

Decorator = Any


def made_by(decorator: Decorator, **options: Any) -> type:
    @decorator(**options)
    class Point:
        """A point."""

        x: int
        y: int = 2
        tags: list[str] = field(default_factory=list, compare=False)
        hidden: int = field(default=0, repr=False)
        apart: int = field(default=3, kw_only=True)
        count: int = field(default=4, init=False)
        made: list[int] = field(default_factory=lambda: [5], init=False)

        def __post_init__(self) -> None:
            assert (self.count, self.made) == (4, [5])

    return Point


FEW = 33
"""More calls than an ``__init__`` is compiled after."""
WRONG: list[tuple[tuple[int, ...], dict[str, int]]] = [
    ((), {}),
    ((1,), {"z": 1}),
    ((1,), {"x": 1}),
    ((1, 2, 3, 4, 5), {}),
    ((1,), {"count": 1}),
    ((), {"y": 1}),
]
OPTIONS: list[dict[str, bool]] = [
    {"frozen": True, "slots": True},
    {"frozen": True, "slots": True, "eq": False},
    {"frozen": True, "slots": True, "order": True},
    {"frozen": True, "slots": True, "kw_only": True},
    {"frozen": True, "slots": True, "eq": False, "weakref_slot": True},
    {"frozen": True},
    {"slots": True},
    {"slots": True, "repr": False},
    {"eq": False},
]


def seen(cls: Any) -> dict[str, Any]:
    """What can be seen of a class and its instances; an error counts as its type and text."""

    def tried(call: Any) -> Any:
        try:
            return call()
        except Exception as exc:
            return type(exc), str(exc).replace("method __init__", "__init__")

    one, same, other = cls(x=1), cls(x=1), cls(x=1, y=9, apart=6)
    return {
        "doc": cls.__doc__,
        "equal": (one == same, one == other, one == 1),
        "hash": (isinstance(one, Hashable), tried(lambda: hash(one) == hash(same))),
        "order": [tried(lambda: one < other), tried(lambda: one <= same), tried(lambda: one > 1)],
        "repr": repr(one).partition(" object at ")[0],
        "set": tried(lambda: setattr(one, "x", 5)),
        "delete": tried(lambda: delattr(one, "y")),
        "fields": [getattr(other, each.name) for each in dataclasses.fields(cls)],
        "in order": tried(lambda: cls(1, 9, ["a"], apart=6).tags),
        "wrong": [tried(partial(cls, *given, **named)) for given, named in WRONG],
        "replaced": dataclasses.replace(other, x=7).x,
        "copied": copy.copy(other).y,
        "dict": dataclasses.asdict(other),
        "slots": getattr(cls, "__slots__", None),
        "match": cls.__match_args__,
        "qualname": cls.__init__.__qualname__,
        "signature": str(inspect.signature(cls)),
        "hints": inspect.get_annotations(cls.__init__),
    }


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: " ".join(options))
@pytest.mark.parametrize("earlier", [0, FEW])
def test_a_class_is_as_the_standard_library_makes_it(
    options: dict[str, bool], earlier: int
) -> None:
    cls = made_by(dataclass, **options)
    for _ in range(earlier):
        cls(x=0)
    assert is_deferred(cls, "__init__") == (earlier == 0)
    assert seen(cls) == seen(made_by(dataclasses.dataclass, **options))


def is_deferred(cls: type, name: str) -> bool:
    return not inspect.isfunction(vars(cls)[name])


def test_a_method_is_compiled_when_it_is_first_looked_up_and_not_again() -> None:
    cls = made_by(dataclass, frozen=True, slots=True)
    assert [is_deferred(cls, name) for name in ("__init__", "__eq__", "__repr__")] == [True] * 3
    repr(cls(1))
    first = vars(cls)["__repr__"]
    repr(cls(2))
    assert vars(cls)["__repr__"] is first
    assert [is_deferred(cls, name) for name in ("__init__", "__eq__", "__repr__")] == [
        *(True, True, False)
    ]


def test_the_init_is_compiled_after_a_few_calls_and_not_again() -> None:
    cls = made_by(dataclass, frozen=True, slots=True)
    for _ in range(FEW - 1):
        cls(1)
    assert is_deferred(cls, "__init__")
    cls(1)
    first = vars(cls)["__init__"]
    cls(2)
    assert inspect.isfunction(first)
    assert vars(cls)["__init__"] is first


def test_the_init_of_a_base_may_be_called_by_that_of_a_class_over_it() -> None:
    class Over(Base):
        def __init__(self) -> None:
            super().__init__(7)

    assert [Over().a for _ in range(2 * FEW)] == [7] * 2 * FEW


@dataclass(frozen=True, slots=True)
class Base:
    a: int


@dataclass(frozen=True, slots=True)
class Derived(Base):
    b: int = 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Derived) and other.b == self.b


@dataclass(slots=True)
class Checked:
    a: int

    def __post_init__(self) -> None:
        self.a += 1


def test_the_fields_of_a_base_come_first_and_methods_of_ones_own_stay() -> None:
    made = Derived(1, 2)
    assert (made.a, made.b, repr(made)) == (1, 2, "Derived(a=1, b=2)")
    assert made == Derived(5, 2)
    assert hash(made) != hash(Derived(5, 2))
    assert pickle.loads(pickle.dumps(made)) == made


def test_what_is_to_happen_after_the_fields_are_set_happens() -> None:
    assert Checked(1).a == 2
