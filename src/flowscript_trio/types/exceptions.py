"""Owns what can be read of any exception, past whatever its class does with attributes.

The class of an error may raise at each look: in a property, in ``__getattribute__``, in its metaclass. What an
exception consists of (its class, cause, context, traceback, the exceptions of a group) is in slots that no
class can hide, and is read from there: the engine has to deal with the error, whatever that is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import GetSetDescriptorType, MemberDescriptorType, TracebackType
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
args_of: Callable[[BaseException], tuple[Any, ...]] = _slots["args"].__get__
_name_of: Callable[[type], str] = vars(type)["__name__"].__get__
_module_of: Callable[[type], object] = vars(type)["__module__"].__get__
_qualified_name_of: Callable[[type], str] = vars(type)["__qualname__"].__get__
_order_of: Callable[[type], tuple[type, ...]] = vars(type)["__mro__"].__get__
_dictionary_of_class: Callable[[type], Mapping[str, object]] = vars(type)["__dict__"].__get__
_OF_EVERY_ERROR = (BaseExceptionGroup, BaseException, object)


def is_a(error: object, kind: type[T] | tuple[type[T], ...]) -> TypeGuard[T]:
    """``isinstance``, which would ask the object itself for its class."""
    own = type(error)
    return own is kind or issubclass(
        own, kind
    )  # `trio.Cancelled` is of a kind that takes long to ask


def class_name(error: object) -> str:
    """The name of the class of an error."""
    return _name_of(type(error))


def module_of(error: object) -> str:
    """The name of the module that the class of an error says it is of."""
    return str(_module_of(type(error)))


def qualified_name(error: object) -> str:
    """The name of the class of an error with those of the classes and functions that it is written in."""
    return _qualified_name_of(type(error))


def class_names(error: object) -> list[str]:
    """The names of the class of an error and of those that it is made from."""
    return [_name_of(each) for each in _order_of(type(error))]


def slots_of(error: BaseException) -> list[str]:
    """The names of what an error has outside of its dictionary, but for what every error has."""
    return [
        name
        for kind in _order_of(type(error))
        if kind not in _OF_EVERY_ERROR
        for name, held in _dictionary_of_class(kind).items()
        if isinstance(held, (MemberDescriptorType, GetSetDescriptorType))
        and name not in ("__dict__", "__weakref__")
    ]


def written_notes(error: BaseException) -> list[str] | None:
    """The list that holds the notes of an error, to be changed in place; None where it has none."""
    notes = dictionary_of(error).get("__notes__")
    return notes if type(notes) is list else None


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


def all_of(error: BaseException) -> list[BaseException]:
    """An error and all that hangs on it, each once; what a group groups comes before the group.

    It takes no stack: a chain of causes may be as long as it likes.
    """
    order: list[BaseException] = []
    seen: set[int] = set()
    stack = [(error, False)]
    while stack:
        each, opened = stack.pop()
        if opened:
            order.append(each)
            continue
        if id(each) in seen:
            continue
        seen.add(id(each))
        stack.append((each, True))
        around = [cause_of(each), context_of(each)]
        if is_a(each, BaseExceptionGroup):
            around += inner_of(each)
        stack += [(other, False) for other in around if other is not None]
    return order


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
    """Give an error the cause, the context and the traceback of another one, which it represents."""
    for name in ("__cause__", "__context__", "__suppress_context__", "__traceback__"):
        _slots[name].__set__(error, _slots[name].__get__(other))


def set_chain(
    error: BaseException, cause: BaseException | None, context: BaseException | None, quiet: bool
) -> None:
    """Set what is behind an error, and whether its context is hidden, whatever its class refuses."""
    set_context(error, context)
    _slots["__cause__"].__set__(error, cause)
    _slots["__suppress_context__"].__set__(error, quiet)


def set_args(error: BaseException, args: tuple[Any, ...]) -> None:
    """Set what an error was made of."""
    _slots["args"].__set__(error, args)


# ---- interrupts ----

_CTRL_C = KeyboardInterrupt.__name__
_called = _CTRL_C


def call_ctrl_c(name: str) -> None:
    """From now on a ``KeyboardInterrupt`` is called so: a signal of that name acts as Ctrl-C does.

    A program that installs such a handler calls this in it. Trio makes the exception itself, out of nothing
    that could say where it came from.
    """
    global _called
    _called = name


def name_of_interrupt(error: BaseException) -> str:
    """What to call an exception: its class, or of a ``KeyboardInterrupt`` the signal that it stands for."""
    return _called if is_a(error, KeyboardInterrupt) else class_name(error)


def naming_the_signal(said: str) -> str:
    """What trio says of a cancellation, with the signal where it says ``KeyboardInterrupt``."""
    if _called == _CTRL_C:
        return said
    return said.replace(f"{_CTRL_C}()", _called).replace(_CTRL_C, _called)
