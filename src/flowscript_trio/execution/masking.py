"""Owns errors without secrets: their texts are changed in place, so that the error stays the very object."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from ..program.loading import Flow
from ..types.errors import FlowScriptError, notes_of
from ..types.masked_values import texts_in
from ..types.masking import Masker
from .describing import describe_safely
from .locals import forget_locals
from .marks import set_cause, set_context
from .options import RunOptions

_TEXTS = ("strerror", "filename", "filename2", "msg", "text", "name", "path", "reason", "object")
"""Attributes of built-in exceptions that are not among their ``vars``."""


class MaskedError(FlowScriptError):
    """Stands for an error whose text shows a secret and cannot be changed.

    ``type`` is the name of its class; ``status`` and ``retryable`` are the error's own.

    It stands for errors only: a cancellation has no text to mask.
    """

    def __init__(self, error: BaseException, text: str) -> None:
        view = describe_safely(error, None)
        self.type: str = view["type"]
        self.status: int | None = view["status"]
        self.retryable: bool = view["retryable"]
        super().__init__(f"{self.type}: {text}")


def mask_error(error: BaseException, masker: Masker) -> BaseException:
    """The error, and all that hangs on it, without secrets in what they say.

    It is the same object wherever its class lets its text be changed; else a stand-in with its traceback.
    """
    return _mask(error, masker, {})


def _mask(error: BaseException, masker: Masker, seen: dict[int, BaseException]) -> BaseException:
    if id(error) in seen:
        return seen[id(error)]
    seen[id(error)] = error
    forget_locals(error.__traceback__)
    _mask_chain(error, masker, seen)
    inner: tuple[BaseException, ...] = ()
    if isinstance(error, BaseExceptionGroup):
        inner = tuple(_mask(each, masker, seen) for each in error.exceptions)
    _rewrite(error, masker)
    if inner and isinstance(error, BaseExceptionGroup):
        same = all(a is b for a, b in zip(inner, error.exceptions, strict=True))
        if not same or masker.hides(error.message):
            seen[id(error)] = _stand_in_for(
                error, BaseExceptionGroup(masker.text(error.message), inner)
            )
    elif _shows(error, masker):
        text = masker.text(_said(str, error))
        seen[id(error)] = _stand_in_for(error, MaskedError(error, text))
    return seen[id(error)]


def _mask_chain(error: BaseException, masker: Masker, seen: dict[int, BaseException]) -> None:
    """Mask the causes of an error, and leave the chain as it was otherwise."""
    cause, context = error.__cause__, error.__context__
    if cause is not None and (masked := _mask(cause, masker, seen)) is not cause:
        set_cause(error, masked)
    if context is not None and (masked := _mask(context, masker, seen)) is not context:
        set_context(error, masked)


def _rewrite(error: BaseException, masker: Masker) -> None:
    """Change the texts that an error consists of, as far as its class allows."""
    for name in ("args", *_own_names(error), *_TEXTS):
        try:
            value: Any = getattr(error, name, None)
            masked = _request(value, masker) or masker.value(value)
            if masked is not value:
                setattr(error, name, masked)
        except Exception:
            continue  # it may not be looked at or changed; whether it shows is seen in the end


def _request(value: Any, masker: Masker) -> Any:
    """A request of httpx without secrets in its URL and headers, which its repr shows; None for anything else."""
    httpx = sys.modules.get("httpx")
    if httpx is None or not isinstance(value, httpx.Request):
        return None
    headers = [(masker.data(name), masker.data(text)) for name, text in value.headers.raw]
    url = str(value.url)
    shown = masker.text(url)
    if shown is url and headers == value.headers.raw:
        return value
    return httpx.Request(value.method, shown, headers=headers)


def _own_names(error: BaseException) -> tuple[str, ...]:
    try:
        return tuple(vars(error))
    except Exception:
        return ()


def _shows(error: BaseException, masker: Masker) -> bool:
    return masker.hides(_said(str, error)) or masker.hides(_said(repr, error))


def _said(how: Any, error: BaseException) -> str:
    """What an error says; its class may fail at that."""
    try:
        return str(how(error))
    except Exception as exc:
        return f"(a text that cannot be made: {type(exc).__name__})"


def _stand_in_for(error: BaseException, stand_in: BaseException) -> BaseException:
    """The stand-in, with all that hangs on the error."""
    stand_in.__cause__, stand_in.__context__ = error.__cause__, error.__context__
    stand_in.__suppress_context__ = error.__suppress_context__
    for note in notes_of(error):
        stand_in.add_note(note)
    return stand_in.with_traceback(error.__traceback__)


def public_texts(flow: Flow, options: RunOptions) -> Iterator[str]:
    """The texts of a run that are no secret: its documents, and what the application gave it beside secrets."""
    for document in (flow.document, *flow.library.documents):
        yield document.source.text
    yield from texts_in([options.config and dict(options.config), options.input])
    yield from texts_in(options.env and dict(options.env))
