"""Owns what can be read of any exception, past whatever its class does with attributes.

The class of an error may raise at each look: in a property, in ``__getattribute__``, in its metaclass. What an
exception consists of (its class, cause, context, traceback, the exceptions of a group) stands in slots that no
class can hide, and is read from there: the engine has to deal with the error, whatever that is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, TypeGuard, TypeVar

T = TypeVar("T")

_slots: dict[str, Any] = dict(vars(BaseException))
_group_slots: dict[str, Any] = dict(vars(BaseExceptionGroup))

context_of: Callable[[BaseException], BaseException | None] = _slots["__context__"].__get__
cause_of: Callable[[BaseException], BaseException | None] = _slots["__cause__"].__get__
traceback_of: Callable[[BaseException], TracebackType | None] = _slots["__traceback__"].__get__
hides_context: Callable[[BaseException], bool] = _slots["__suppress_context__"].__get__
dictionary_of: Callable[[BaseException], dict[str, Any]] = _slots["__dict__"].__get__
message_of: Callable[[BaseExceptionGroup], str] = _group_slots["message"].__get__
inner_of: Callable[[BaseExceptionGroup], tuple[BaseException, ...]] = _group_slots[
    "exceptions"
].__get__
"""The exceptions that a group groups."""
_name_of: Callable[[type], str] = vars(type)["__name__"].__get__


def is_a(error: object, kind: type[T] | tuple[type[T], ...]) -> TypeGuard[T]:
    """``isinstance``, which would ask the object itself for its class."""
    own = type(error)
    return own is kind or issubclass(
        own, kind
    )  # `trio.Cancelled` is of a kind that takes long to ask


def class_name(error: object) -> str:
    """The name of the class of an error."""
    return _name_of(type(error))


def leaves_of(raised: BaseException) -> Iterator[BaseException]:
    """The exceptions that a group groups at any depth, in their order, or the exception itself."""
    stack = [raised]
    while stack:
        each = stack.pop()
        if is_a(each, BaseExceptionGroup):
            stack += reversed(inner_of(each))
        else:
            yield each


def groups_of(raised: BaseException) -> list[BaseExceptionGroup]:
    """The groups in an exception, itself included, each after those in it."""
    found: list[BaseExceptionGroup] = []
    stack = [raised]
    while stack:
        each = stack.pop()
        if is_a(each, BaseExceptionGroup):
            found.append(each)
            stack += inner_of(each)
    return found[::-1]


def set_context(error: BaseException, context: BaseException | None, shown: bool = False) -> None:
    """Set the context of an error whose class may refuse to have anything set; ``shown``: and do not hide it."""
    _slots["__context__"].__set__(error, context)
    if shown:
        _slots["__suppress_context__"].__set__(error, False)


def set_cause(error: BaseException, cause: BaseException | None) -> None:
    """Set the cause of an error whose class may refuse to have anything set; what it suppresses stays."""
    suppressed = hides_context(error)
    _slots["__cause__"].__set__(error, cause)
    _slots["__suppress_context__"].__set__(error, suppressed)


def forget_catcher(error: BaseException) -> None:
    """Take the outermost frame out of the traceback of an error: that of the function which caught it.

    That frame would show the engine's own variables, and refer to whatever holds the error now.
    """
    traceback = traceback_of(error)
    if traceback is not None:
        _slots["__traceback__"].__set__(error, traceback.tb_next)


def take_over(error: BaseException, other: BaseException) -> None:
    """Give an error the cause, the context and the traceback of another one, for which it stands."""
    for name in ("__cause__", "__context__", "__suppress_context__", "__traceback__"):
        _slots[name].__set__(error, _slots[name].__get__(other))
