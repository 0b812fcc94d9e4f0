"""Owns errors that cross from a worker to the run: as their own class where that can be made again."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import Any

from ..types.describing import declares_retryable, safe_status_of
from ..types.errors import RemoteError
from ..types.exceptions import (
    args_of,
    class_name,
    dictionary_of,
    inner_of,
    is_a,
    message_of,
    set_args,
)
from ..types.looking import add_note, look_or, notes_of, text_of
from ..types.tracebacks import printed
from .packing import dumps

_MARKS = "__flowscript__"
"""What a run writes on its errors; that of a worker means nothing elsewhere."""


@dataclass(frozen=True, slots=True, eq=False)
class PackedError:
    """An error, ready to cross: its class and its state, and what is said about it where these cannot be sent."""

    made: bytes | None
    type: str
    text: str
    notes: tuple[str, ...]
    status: int | None
    retryable: bool | None
    traceback: str


def pack_error(error: BaseException) -> PackedError:
    """An error as it crosses, with its traceback as text. It says something whatever the error refuses."""
    return PackedError(
        look_or(error, _made, lambda _: None),
        class_name(error),
        text_of(error),
        tuple(notes_of(error)),
        safe_status_of(error),
        look_or(error, declares_retryable, lambda _: None),
        printed(error, with_notes=False),
    )


def unpack_error(packed: PackedError, worker: str) -> BaseException:
    """The error made again, with the worker's traceback as a note; a RemoteError where its class cannot be."""
    made, notes = packed.made, packed.notes
    error: BaseException = RemoteError(packed.type, packed.text, packed.status, packed.retryable)
    if made is not None:
        # Its class is not there, or refuses; what it does meanwhile is the error's own doing already.
        again = look_or(_Unmade(), lambda _: _again(*pickle.loads(made)), lambda _: None)
        if again is not None:
            error = again
            notes = tuple(note for note in notes if note not in notes_of(error))
    for note in (*notes, f"on {worker}:\n{packed.traceback.rstrip()}"):
        if not add_note(error, note):
            break
    return error


class _Unmade(Exception):
    """Stands for an error while it is made."""


def _made(error: BaseException) -> bytes | None:
    """What an error is made of, or None where that cannot cross."""
    if is_a(error, BaseExceptionGroup):
        inner = [_made(each) for each in inner_of(error)]
        if None in inner:
            return None
        return _dump((type(error), (message_of(error), inner), {}, True))
    state = {key: value for key, value in dictionary_of(error).items() if key != _MARKS}
    args = _arguments(error)
    made = _dump((type(error), args, state, False))
    if made is None:  # perhaps what hangs on it cannot cross, and the error itself can
        plain = {key: value for key, value in state.items() if _dump(value) is not None}
        made = _dump((type(error), args, plain, False))
    return made


def _arguments(error: BaseException) -> tuple[Any, ...]:
    """What an error is made of: its ``args``, or more where its class knows better (the file of an OSError)."""
    try:
        reduced = error.__reduce__()
    except Exception:
        return args_of(error)
    if isinstance(reduced, tuple) and reduced[0] is type(error):
        args: tuple[Any, ...] = reduced[1]
        return args
    return args_of(error)


def _dump(value: Any) -> bytes | None:
    try:
        data: bytes = dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
        pickle.loads(data)
    except Exception:
        return None
    return data


def _again(
    kind: type[BaseException], args: tuple[Any, ...], state: dict[str, Any], is_group: bool
) -> BaseException:
    if is_group:
        message, inner = args
        return kind(message, [_again(*pickle.loads(each)) for each in inner])
    error: BaseException | None
    try:
        error = kind(*args)
        wanted = _arguments(error) == args
    except Exception:
        error, wanted = None, False
    if error is None or type(error) is not kind or not wanted:
        error = kind.__new__(kind, *args)  # without __init__, which wants other arguments
        set_args(error, args)
    for name, value in state.items():
        object.__setattr__(error, name, value)
    return error
