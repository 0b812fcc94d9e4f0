"""Owns errors that cross from a worker to the run: as their own class where that can be made again."""

from __future__ import annotations

import pickle
import traceback
from dataclasses import dataclass
from typing import Any

from ..types.errors import RemoteError, notes_of, status_of, text_of
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
    retryable = getattr(error, "retryable", None)
    return PackedError(
        _made(error),
        type(error).__name__,
        text_of(error),
        tuple(notes_of(error)),
        status_of(error),
        retryable if isinstance(retryable, bool) else None,
        _traceback_of(error),
    )


def _traceback_of(error: BaseException) -> str:
    """The traceback of an error without its notes, which cross by themselves."""
    told = traceback.TracebackException.from_exception(error)
    told.__notes__ = None
    return "".join(told.format())


def unpack_error(packed: PackedError, worker: str) -> BaseException:
    """The error made again, with the worker's traceback as a note; a RemoteError where its class cannot be."""
    error: BaseException | None = None
    if packed.made is not None:
        try:
            error = _again(*pickle.loads(packed.made))
        except Exception:  # its class is not there, or refuses
            error = None
    if error is None:
        error = RemoteError(packed.type, packed.text, packed.status, packed.retryable)
        notes = packed.notes
    else:
        notes = tuple(note for note in packed.notes if note not in notes_of(error))
    for note in (*notes, f"on {worker}:\n{packed.traceback.rstrip()}"):
        try:
            error.add_note(note)
        except Exception:
            break  # it refuses notes
    return error


def _made(error: BaseException) -> bytes | None:
    """What an error is made of, or None where that cannot cross."""
    if isinstance(error, BaseExceptionGroup):
        inner = [_made(each) for each in error.exceptions]
        if None in inner:
            return None
        return _dump((type(error), (error.message, inner), {}, True))
    state = {key: value for key, value in vars(error).items() if key != _MARKS}
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
        return error.args
    if isinstance(reduced, tuple) and reduced[0] is type(error):
        args: tuple[Any, ...] = reduced[1]
        return args
    return error.args


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
        error.args = args
    for name, value in state.items():
        object.__setattr__(error, name, value)
    return error
