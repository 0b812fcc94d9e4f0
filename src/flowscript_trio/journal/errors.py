"""Owns errors as values: what they are, say and hang on, and their way back without running code of their own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from importlib import import_module
from typing import Any, TypeVar

from ..types.describing import safe_status_of, type_of
from ..types.errors import RecordedError
from ..types.exceptions import (
    cause_of,
    context_of,
    hides_context,
    inner_of,
    is_a,
    message_of,
    set_chain,
)
from ..types.looking import add_note, look_or, notes_of, text_of
from ..types.storing import StoreFailed
from .answers import answer_of, give_answer
from .secrets import KeptSecrets
from .values import encode_value

Class = TypeVar("Class", bound=type[BaseException])

ErrorFacts = dict[str, Any]
"""An error as :func:`encode_error` makes it."""

_OURS = ("flowscript_trio", "httpx", "trio")
_registered: dict[str, type[BaseException]] = {}

_slots: dict[str, Any] = dict(vars(type))
"""What no metaclass can hide of a class."""
_module_of: Callable[[type], str] = _slots["__module__"].__get__
_qualified_name_of: Callable[[type], str] = _slots["__qualname__"].__get__
_order_of: Callable[[type], tuple[type, ...]] = _slots["__mro__"].__get__


def register_error(cls: Class) -> Class:
    """Let errors of a class of yours come back as that class where a durable run is resumed.

    They are made without calling its ``__init__``, from what ``args`` and the instance's attributes were. Errors
    of classes that are not registered come back as :class:`RecordedError`. It can be used as a decorator, and
    gives the class. Raises TypeError for anything but a class of exceptions, and for one that has a ``__new__``
    of its own.

    It registers only, so there is nothing for a cancellation to interrupt.
    """
    if not (isinstance(cls, type) and issubclass(cls, BaseException)):
        raise TypeError(f"{cls!r} is registered as an error; expected a class of exceptions")
    if not _is_plain(cls):
        raise TypeError(
            f"{cls.__name__} has a __new__ of its own, so that it cannot come back as it was"
        )
    _registered[_name(cls)] = cls
    return cls


def encode_error(
    error: BaseException,
    view: Mapping[str, Any] | None = None,
    secrets: KeptSecrets | None = None,
) -> ErrorFacts:
    """An error as a value that can be kept: its class, message, attributes, notes, and all that it was caused by.

    ``view`` is what expressions see of it, kept as it is. What cannot be kept of its attributes is left out.
    """
    errors = _all(error)
    numbers = {id(each): number for number, each in enumerate(errors)}
    seen = view if view is not None else _seen(error)
    kept = {name: part for name, part in seen.items() if _can_keep(error, part, secrets)}
    facts = [_facts(each, numbers, secrets) for each in errors]
    return {"view": kept, "errors": facts}


def decode_error(kept: ErrorFacts) -> tuple[BaseException, dict[str, Any]]:
    """The error, and what expressions saw of it.

    It has its own class where that is built-in, of the standard library, trio's, httpx's, ours or registered;
    else it is a :class:`RecordedError`. The same holds for its cause and context.
    """
    try:
        view: dict[str, Any] = kept["view"]
        facts: list[dict[str, Any]] = kept["errors"]
        return _made(facts, view)[0], view
    except (TypeError, LookupError, ValueError) as exc:
        raise StoreFailed(f"an error in the store is damaged: {exc}") from exc


def _seen(error: BaseException) -> dict[str, Any]:
    return {"type": type_of(error), "message": text_of(error), "status": safe_status_of(error)}


def _all(error: BaseException) -> list[BaseException]:
    """An error and all that hangs on it, each once, itself first."""
    found, seen = [error], {id(error)}
    for each in found:
        for other in _hanging(each):
            if id(other) not in seen:
                seen.add(id(other))
                found.append(other)
    return found


def _hanging(error: BaseException) -> Iterator[BaseException]:
    if is_a(error, BaseExceptionGroup):
        yield from inner_of(error)
    yield from filter(None, (cause_of(error), context_of(error)))


def _facts(
    error: BaseException, numbers: dict[int, int], secrets: KeptSecrets | None
) -> dict[str, Any]:
    args, state = look_or(error, _parts, lambda _: ((), {}))
    can_keep = partial(_can_keep, error, secrets=secrets)
    facts: dict[str, Any] = {
        "class": _name(type(error)),
        "type": type_of(error),
        "message": text_of(error),
        "status": safe_status_of(error),
        "notes": notes_of(error),
        "state": {name: part for name, part in state.items() if can_keep(part)},
        "lost": [name for name, part in state.items() if not can_keep(part)],
        "quiet": hides_context(error),
    }
    if can_keep(args):
        facts["args"] = args
    if is_a(error, BaseExceptionGroup):
        facts["group"] = [message_of(error), [numbers[id(each)] for each in inner_of(error)]]
    for name, other in (("cause", cause_of(error)), ("context", context_of(error))):
        if other is not None:
            facts[name] = numbers[id(other)]
    if (answer := answer_of(error)) is not None:
        facts["answer"] = answer
    return facts


def _parts(error: BaseException) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What an error was made of and its attributes, as its built-in base tells them."""
    base = _built_in(type(error))
    told: Any = base.__reduce__(error)
    args = told[1] if len(told) > 1 and isinstance(told[1], tuple) else ()
    state = dict(told[2]) if len(told) > 2 and isinstance(told[2], dict) else {}
    state.pop("__notes__", None)
    return tuple(args), {name: part for name, part in state.items() if isinstance(name, str)}


def _built_in(cls: type[BaseException]) -> type[BaseException]:
    return next(each for each in _order_of(cls) if _module_of(each) == "builtins")


def _can_keep(error: BaseException, part: Any, secrets: KeptSecrets | None) -> bool:
    """Whether a part of an error can be kept: it may be an object of the user's, which is looked at."""

    def keep(_: BaseException) -> bool:
        encode_value(part, secrets)
        return True

    return look_or(error, keep, lambda _: False)


def _name(cls: type[BaseException]) -> str:
    return f"{_module_of(cls)}:{_qualified_name_of(cls)}"


def _class_of(name: str) -> type[BaseException] | None:
    """The class of that name, where it may be made."""
    if name in _registered:
        return _registered[name]
    module, _, path = name.partition(":")
    top = module.partition(".")[0]
    if top not in _OURS and top not in sys.stdlib_module_names:
        return None
    try:
        found: Any = sys.modules.get(module) or import_module(module)
        for part in path.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError):
        return None
    known = isinstance(found, type) and issubclass(found, BaseException)
    return found if known and _is_plain(found) else None


def _is_plain(cls: type[BaseException]) -> bool:
    """Whether an error of the class can be made without code of its own."""
    return all("__new__" not in vars(each) for each in cls.__mro__ if each.__module__ != "builtins")


def _made(facts: list[dict[str, Any]], view: dict[str, Any]) -> list[BaseException]:
    made: dict[int, BaseException] = {}
    groups = [number for number, each in enumerate(facts) if "group" in each]
    for number, each in enumerate(facts):
        if "group" not in each:
            made[number] = _one(each, view if number == 0 else {})
    while groups:  # those within others first
        ready = [n for n in groups if all(inner in made for inner in facts[n]["group"][1])]
        if not ready:
            raise ValueError("groups of errors that are in each other")
        for number in ready:
            message, inner = facts[number]["group"]
            made[number] = BaseExceptionGroup(message, [made[each] for each in inner])
        groups = [number for number in groups if number not in made]
    errors = [made[number] for number in range(len(facts))]
    for each, error in zip(facts, errors, strict=True):
        for note in each["notes"]:
            add_note(error, note)
        cause = errors[each["cause"]] if "cause" in each else None
        context = errors[each["context"]] if "context" in each else None
        set_chain(error, cause, context, each["quiet"])
    return errors


def _one(facts: dict[str, Any], view: dict[str, Any]) -> BaseException:
    cls = _class_of(facts["class"])
    if cls is not None and "args" in facts:
        error = _of_class(cls, facts)
        if error is not None and text_of(error) == facts["message"]:
            return error
    return RecordedError(
        facts["message"],
        type=facts["type"],
        status=facts["status"],
        retryable=bool(view.get("retryable")),
        headers=view.get("headers"),
        body=view.get("body"),
    )


def _of_class(cls: type[BaseException], facts: dict[str, Any]) -> BaseException | None:
    """An error made by its built-in base alone; None where that does not take what it was made of."""
    base = _built_in(cls)

    def fill(error: BaseException) -> BaseException:
        base.__init__(error, *facts["args"])
        base.__setstate__(error, dict.fromkeys(facts["lost"]) | facts["state"])
        give_answer(error, facts.get("answer"))
        return error

    try:
        error = cls.__new__(cls, *facts["args"])
    except Exception:
        return None
    return look_or(error, fill, lambda _: None)
