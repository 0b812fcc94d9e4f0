"""Owns errors without secrets: their texts are changed in place, so that the error stays the very object."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from ..program.loading import Flow
from ..types.describing import describe_safely
from ..types.errors import FlowScriptError
from ..types.exceptions import (
    all_of,
    cause_of,
    context_of,
    dictionary_of,
    inner_of,
    is_a,
    message_of,
    set_cause,
    set_context,
    slots_of,
    take_over,
    traceback_of,
)
from ..types.looking import add_note, look_or, notes_of, repr_of, text_of
from ..types.masked_values import texts_in
from ..types.masking import Masker
from .locals import forget_locals
from .options import RunOptions


class MaskedError(FlowScriptError):
    """Stands for an error whose text shows a secret and cannot be changed.

    ``type`` is the name of its class; ``status`` and ``retryable`` are the error's own.

    It stands for errors only: a cancellation has no text to mask.
    """

    def __init__(self, error: BaseException, masker: Masker) -> None:
        view = describe_safely(error, None)
        self.type: str = masker.text(view["type"])
        self.status: int | None = view["status"]
        self.retryable: bool = view["retryable"]
        super().__init__(f"{self.type}: {masker.text(text_of(error))}")


def mask_error(error: BaseException, masker: Masker) -> BaseException:
    """The error, and all that hangs on it, without secrets in what they say.

    It is the same object wherever its class lets its text be changed; else a stand-in with its traceback.
    """
    order = all_of(error)
    done = {id(each): each for each in order}
    for each in order:
        done[id(each)] = _masked(each, masker, done)
    for each in order:
        _mask_chain(each, done)
        _mask_chain(done[id(each)], done)
    return done[id(error)]


def _masked(
    error: BaseException, masker: Masker, done: Mapping[int, BaseException]
) -> BaseException:
    """One error without secrets in what it says, or what stands for it; ``done``: the same of others, by id."""
    forget_locals(traceback_of(error))
    _rewrite(error, masker)
    if is_a(error, BaseExceptionGroup):
        message, inner = message_of(error), [done[id(each)] for each in inner_of(error)]
        same = all(a is b for a, b in zip(inner, inner_of(error), strict=True))
        if same and not masker.hides(message) and not masker.hides(text_of(error)):
            return error
        return _stand_in_for(error, BaseExceptionGroup(masker.text(message), inner))
    if not _shows(error, masker):
        return error
    return _stand_in_for(error, MaskedError(error, masker))


def _mask_chain(error: BaseException, done: Mapping[int, BaseException]) -> None:
    """Let the causes of an error be those without secrets, and leave the chain as it was otherwise."""
    cause, context = cause_of(error), context_of(error)
    if cause is not None and (masked := done.get(id(cause), cause)) is not cause:
        set_cause(error, masked)
    if context is not None and (masked := done.get(id(context), context)) is not context:
        set_context(error, masked)


def _rewrite(error: BaseException, masker: Masker) -> None:
    """Change the texts that an error consists of, as far as its class allows."""
    own = dictionary_of(error)
    for name in ("args", *own, *slots_of(error)):
        # It may not be looked at or changed; whether it shows is seen in the end.
        look_or(error, partial(_rewrite_one, name, masker), lambda _: None)
    if "__notes__" in own:  # which every traceback shows, whatever the class allows
        own["__notes__"] = masker.value(own["__notes__"])


def _rewrite_one(name: str, masker: Masker, error: BaseException) -> None:
    value: Any = getattr(error, name, None)
    masked = _request(value, masker) or masker.value(value)
    if masked is not value:
        setattr(error, name, masked)


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


def _shows(error: BaseException, masker: Masker) -> bool:
    return masker.hides(text_of(error)) or masker.hides(repr_of(error))


def _stand_in_for(error: BaseException, stand_in: BaseException) -> BaseException:
    """The stand-in, with all that hangs on the error."""
    take_over(stand_in, error)
    for note in notes_of(error):
        add_note(stand_in, note)
    return stand_in


def public_texts(flow: Flow, options: RunOptions) -> Iterator[str]:
    """The texts of a run that are not secret: its documents, and what the application gave it besides secrets."""
    for document in (flow.document, *flow.library.documents):
        yield document.source.text
    yield from texts_in([options.config and dict(options.config), options.input])
    yield from texts_in(options.env and dict(options.env))
