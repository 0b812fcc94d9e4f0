"""Owns the door through which every look at an error goes, and what is looked at most: its text and its notes.

An error may be of anyone's class, so that what is asked of it is a node's own code: it may raise whatever it
likes, and it may never end. Nothing else of the package asks an error for anything that its class can answer;
what no class can hide is read in :mod:`~flowscript_trio.types.exceptions`.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Generator, Set
from contextvars import ContextVar
from functools import partial
from types import CodeType
from typing import Any, TypeVar

from trio.lowlevel import disable_ki_protection, enable_ki_protection

from .errors import FlowScriptError
from .exceptions import class_name, dictionary_of, is_a, name_of_interrupt, traceback_of
from .passing import passing

T = TypeVar("T")
Ask = Callable[[BaseException], T]
Bound = Callable[[BaseException, Callable[[], Any]], Any]
"""Calls a look at an error, and raises :class:`LookAbandoned` where it takes too long."""

_ABANDONED = "__flowscript_abandoned__"
_bound: ContextVar[Bound | None] = ContextVar("the bound of looks at errors", default=None)


class LookAbandoned(FlowScriptError):
    """A look at an error did not end by itself; no further one at that error is tried.

    ``why`` says what ended it. The run goes on. Where Ctrl-C ended the look, it cancels the run at the next
    checkpoint.
    """

    def __init__(self, error: BaseException, why: str) -> None:
        super().__init__(f"{class_name(error)} could not be looked at: {why}")
        self.why = why


# ---- the door ----


@enable_ki_protection
def look(error: BaseException, ask: Ask[T]) -> T:
    """What ``ask`` finds of an error.

    It is called as the code of a node is: a Ctrl-C interrupts it. That is not the error's own then: it is handed
    to trio again, which delivers it at the next checkpoint as if it had come just after the look.

    Raises:
        LookAbandoned: it was interrupted, now or before.
        BaseException: whatever ``ask`` raises, and what a signal handler of the application raises meanwhile.
    """
    own, bound = dictionary_of(error), _bound.get()
    if (why := abandoned(error)) is not None:
        raise LookAbandoned(error, why)
    try:
        return _ask(error, ask) if bound is None else bound(error, partial(_ask, error, ask))
    except LookAbandoned as exc:
        own[_ABANDONED] = exc.why
        raise
    except BaseException as exc:
        if not _came_by_ctrl_c(exc):
            raise
    own[_ABANDONED] = "it was interrupted"
    signal.raise_signal(signal.SIGINT)
    raise LookAbandoned(error, own[_ABANDONED])


@disable_ki_protection
def _ask(error: BaseException, ask: Ask[T]) -> T:
    return ask(error)


LOOKING: CodeType = _ask.__code__
"""The code of the frame in which an error is looked at; its local ``error`` is that one."""


def look_or(error: BaseException, ask: Ask[T], instead: Callable[[BaseException], T]) -> T:
    """As :func:`look`, for what must go on: ``instead`` makes the answer of what the look raised.

    What a signal handler of the application raises passes through.
    """
    try:
        return look(error, ask)
    except BaseException as exc:
        if came_by_signal(exc):
            raise
        return instead(exc)


def abandoned(error: BaseException) -> str | None:
    """Why an error is not looked at any more; None where it is."""
    why: str | None = dictionary_of(error).get(_ABANDONED)
    return why


@passing
def bounding(bound: Bound) -> Generator[None, None, None]:
    """Put a bound on each look in this context, and in those that are copied from it, while the block lasts."""
    token = _bound.set(bound)
    try:
        yield
    finally:
        _bound.reset(token)


def came_by_signal(raised: BaseException) -> bool:
    """Whether a signal handler raised it, not the code that was running: Ctrl-C, above all."""
    if threading.get_ident() != threading.main_thread().ident:
        return False
    handlers = [signal.getsignal(number) for number in range(1, signal.NSIG)]
    if (
        is_a(raised, KeyboardInterrupt)
        and handlers[signal.SIGINT - 1] is signal.default_int_handler
    ):
        return True  # it leaves no frame, and no run of trio takes it
    return _came_through(raised, {_code_of(handler) for handler in handlers})


def _came_by_ctrl_c(raised: BaseException) -> bool:
    """Whether trio raised it for a Ctrl-C: it does so at once in the code of nodes."""
    if threading.get_ident() != threading.main_thread().ident:
        return False
    handler = signal.getsignal(signal.SIGINT)
    of_trio = str(getattr(handler, "__module__", "")).partition(".")[0] == "trio"
    return of_trio and _came_through(raised, {_code_of(handler)})


def _came_through(raised: BaseException, codes: Set[CodeType | None]) -> bool:
    traceback = traceback_of(raised)
    while traceback is not None:
        if traceback.tb_frame.f_code in codes:
            return True
        traceback = traceback.tb_next
    return False


def _code_of(handler: Any) -> CodeType | None:
    while isinstance(handler, partial):
        handler = handler.func
    code = getattr(handler, "__code__", None) or getattr(type(handler).__call__, "__code__", None)
    return code if isinstance(code, CodeType) else None


# ---- what an error says ----


def text_of(error: BaseException) -> str:
    """What an error says; of one whose class fails at that, what it failed with."""
    return look_or(error, _text, partial(_failed, "a text that cannot be made"))


def repr_of(error: BaseException) -> str:
    """As :func:`text_of`, of its ``repr``."""
    return look_or(error, repr, partial(_failed, "a text that cannot be made"))


def _text(value: object) -> str:
    return str.__str__(str(value))  # of a class of its own it may be as well


def _text_in(value: object, _: BaseException) -> str:
    return _text(value)


def _failed(what: str, raised: BaseException) -> str:
    return f"({what}: {raised.why if is_a(raised, LookAbandoned) else class_name(raised)})"


def notes_of(error: BaseException) -> list[str]:
    """The notes of an error; one that cannot be read is reported as that."""
    return look_or(error, _notes, lambda _: [])


def _notes(error: BaseException) -> list[str]:
    written = getattr(error, "__notes__", None)
    unreadable = partial(_failed, "a note that cannot be read")
    if not isinstance(written, list | tuple):
        return []
    return [look_or(error, partial(_text_in, note), unreadable) for note in written]


def add_note(error: BaseException, text: str) -> bool:
    """Write a note on an error; whether it took it."""

    def add(error: BaseException) -> bool:
        error.add_note(text)
        return True

    return look_or(error, add, lambda _: False)


def summary_of(error: BaseException | None) -> str:
    """An error in one line: its type, and what it says if it says anything."""
    if error is None:
        return "no error"
    text = text_of(error)
    name = name_of_interrupt(error)
    return f"{name}: {text}" if text else name
