"""Owns the masking of secrets in texts, however they are encoded or cut off there."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property, lru_cache
from itertools import chain
from sys import byteorder
from typing import Any

from .masked_values import masked
from .patterns import pattern
from .spellings import spellings_of
from .unescaping import Span, layers, outward
from .written import kinds_written_as

MASK = "***"
SHORTEST = 4
"""A secret of fewer characters is masked only where it is the whole text."""
RUN = 8
"""This many characters of a secret in a row are masked wherever they appear; a shorter secret only as a whole."""

_SCHEME = pattern(
    r"(?:https?|wss?|s?ftps?|file|data|ssh|rediss?|amqps?|mongodb|postgres(?:ql)?|sqlite|mysql)"
    r"(?:\+[a-z]+)?:/*",
    re.IGNORECASE,
)
_ALPHANUMERIC = pattern(rb"[0-9A-Za-z\x80-\xff]")
_ELLIPSIS = pattern(r"…|\.\.\.")


class Masker:
    """Finds the secrets of a run in texts and bytes, and puts ``***`` in their place.

    A secret is found as it is and in every spelling of :func:`~.spellings.spellings_of`, escaped as in URLs,
    JSON, Python and XML, and even where only a part of it is left. A part of at least eight characters that
    is in ``public``, the texts that are not secret, is left alone.

    Args:
        secrets: the texts to hide.
        public: gives the texts that are known anyhow; asked when a part of a secret was found.
    """

    def __init__(self, secrets: Iterable[str], public: Callable[[], Iterable[str]] = tuple) -> None:
        given = set(secrets)
        known = {each for secret in given for each in (secret, secret.strip()) if each}
        self._exact = frozenset(secret for secret in known if len(secret) < SHORTEST)
        self._secrets = sorted((s for s in known if len(s) >= SHORTEST), key=len, reverse=True)
        self._long = frozenset(secret for secret in given if len(secret) >= RUN)
        self._shortest = min((RUN, *map(len, self._secrets)))
        self._public = public
        self._telling: dict[bytes, bool] = {}

    def text(self, text: str) -> str:
        """The text without secrets; the same object where there are none in it."""
        if len(text) < self._shortest:
            return MASK if text in self._exact else text
        if not self._secrets:
            return text
        data = text.encode("utf-8", "surrogatepass")
        masked = text
        if spans := self._found(data):
            masked = _without(data, spans).decode("utf-8", "surrogatepass")
        if "…" in masked or "..." in masked:
            masked = self._without_beginnings(masked)
        return masked

    def data(self, data: bytes) -> bytes:
        """The bytes without secrets; the same object where there are none in them."""
        spans = self.spans(data)
        return _without(data, spans) if spans else data

    def spans(self, data: bytes) -> list[Span]:
        """Where secrets are in the data, in order and apart from each other."""
        if len(data) < self._shortest or not self._secrets:
            return []
        return self._found(data)

    def hides(self, text: str) -> bool:
        """Whether there is a secret in a text."""
        return self.text(text) is not text

    def hides_any(self, texts: set[str]) -> bool:
        """Whether there is a secret in one of many texts; it is quicker than to ask for each."""
        if not self._exact.isdisjoint(texts):
            return True
        return bool(self._secrets) and self.hides("\n".join(texts))

    def value(self, value: Any) -> Any:
        """A value without secrets in its texts and keys; parts in which there are none are the same objects."""
        return masked(value, self)

    @cached_property
    def written_alike(self) -> frozenset[type]:
        """The classes of numbers, dates and UUIDs that could be written as a secret is, or as a run of one."""
        return kinds_written_as([*self._exact, *self._secrets], RUN)

    @cached_property
    def _words(self) -> frozenset[int]:
        """All that may be at a multiple of four bytes where there is a run of a secret."""
        return _words_of(self._long)

    @cached_property
    def _runs(self) -> frozenset[int]:
        return _runs_of(self._long)

    @cached_property
    def _whole(self) -> re.Pattern[bytes] | None:
        """Finds the secrets that are shorter than a run."""
        short = (spellings_of(secret) for secret in self._secrets if len(secret) < RUN)
        forms = sorted((f for f in chain.from_iterable(short) if len(f) >= SHORTEST), key=_order)
        return re.compile(b"|".join(map(re.escape, forms))) if forms else None

    @cached_property
    def _shown(self) -> list[bytes]:
        """The texts that are public, and the parts of secrets that tell nothing of them."""
        shown = [*chain.from_iterable(map(_telling_nothing, self._secrets))]
        for text in self._public():
            if len(text) >= RUN:
                for secret in self._secrets:
                    text = text.replace(secret, "\0")
                shown.append(text)
        layered = (layers(text.encode("utf-8", "surrogatepass")) for text in shown)
        return list(chain.from_iterable(layered))

    def _found(self, data: bytes) -> list[Span]:
        """Where the secrets are in the data, in order and apart from each other."""
        spans: list[Span] = []
        outer: list[bytes] = []
        for layer in layers(data):
            found = self._in_layer(layer)
            for around in reversed(outer):
                if not found:
                    break
                found = outward(around, found)
            spans += found
            outer.append(layer)
        return _apart(spans) if len(spans) > 1 else spans

    def _in_layer(self, data: bytes) -> list[Span]:
        spans: list[Span] = []
        if self._whole is not None:
            spans += [found.span() for found in self._whole.finditer(data)]
        if self._words.isdisjoint(_in_words(data)):
            return spans
        words, runs = self._words, self._runs
        begin = end = -1  # of the run that grows
        for index, word in enumerate(_in_words(data)):
            if word not in words:
                continue
            at = 4 * index
            for start in range(max(at - 3, 0), at + 1):  # this is the first whole word from there
                if int.from_bytes(data[start : start + RUN], byteorder) in runs:
                    if start > end:
                        if begin >= 0 and self._tells(data[begin:end]):
                            spans.append((begin, end))
                        begin = start
                    end = start + RUN
        if begin >= 0 and self._tells(data[begin:end]):
            spans.append((begin, end))
        return spans

    def _tells(self, run: bytes) -> bool:
        """Whether a part of a secret tells something: it is long enough, and not known anyhow."""
        if run not in self._telling:
            self._telling[run] = self._is_telling(run)
        return self._telling[run]

    def _is_telling(self, run: bytes) -> bool:
        *_, bare = layers(run)
        if _length(bare) < RUN and (not run.isascii() or not _ALPHANUMERIC.search(bare)):
            return False  # a few characters of many bytes each, or mere signs that are escaped
        return not any(run in text for text in self._shown)

    def _without_beginnings(self, text: str) -> str:
        """Text without the beginnings of secrets that were cut off before an ellipsis."""
        pieces, start = [], 0
        for found in _ELLIPSIS.finditer(text):
            piece = text[start : found.start()]
            for secret in self._secrets:
                length = min(len(secret), len(piece))
                while length >= SHORTEST and not piece.endswith(secret[:length]):
                    length -= 1
                if length >= SHORTEST and not _SCHEME.fullmatch(secret[:length]):
                    piece = piece[:-length] + MASK
                    break
            pieces += [piece, found[0]]
            start = found.end()
        masked = "".join([*pieces, text[start:]])
        return text if masked == text else masked


@lru_cache(maxsize=8)
def _spelled(secrets: frozenset[str]) -> bytes:
    """The spellings of secrets, between them what is in no text."""
    return b"\xff\xfe".join(set(chain.from_iterable(map(spellings_of, secrets))))


@lru_cache(maxsize=8)
def _words_of(secrets: frozenset[str]) -> frozenset[int]:
    """Made once for an application that gives many runs the same secrets, as :func:`_runs_of`."""
    spelled = _spelled(secrets)
    return frozenset(chain.from_iterable(_in_words(spelled[offset:]) for offset in range(4)))


@lru_cache(maxsize=8)
def _runs_of(secrets: frozenset[str]) -> frozenset[int]:
    spelled = _spelled(secrets)
    return frozenset(chain.from_iterable(_in_runs(spelled[offset:]) for offset in range(RUN)))


def _length(data: bytes) -> int:
    """Its characters, where it is text; a character of UTF-16 counts as two."""
    try:
        return len(data.decode("utf-8", "surrogatepass"))
    except UnicodeDecodeError:
        return len(data)


def _in_words(data: bytes) -> memoryview:
    return memoryview(data)[: len(data) & ~3].cast("I")


def _in_runs(data: bytes) -> memoryview:
    return memoryview(data)[: len(data) & ~7].cast("Q")


def _order(form: bytes) -> tuple[int, bytes]:
    return -len(form), form


def _apart(spans: list[Span]) -> list[Span]:
    """Spans in order, those that touch made one."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _without(data: bytes, spans: list[Span]) -> bytes:
    """The data with a mask in place of spans, which grow to whole characters."""
    pieces, at = [], 0
    for start, end in spans:
        while start > at and data[start] & 0xC0 == 0x80:
            start -= 1
        while end < len(data) and data[end] & 0xC0 == 0x80:
            end += 1
        if end <= at:
            continue
        pieces += [data[at:start], MASK.encode()]
        at = end
    return b"".join([*pieces, data[at:]])


def _telling_nothing(secret: str) -> Iterator[str]:
    """How URLs begin, and the names of members of JSON."""
    if found := _SCHEME.match(secret):
        yield found[0]
    try:
        yield from _names_in(json.loads(secret)) if secret[:1] in "{[" else ()
    except (ValueError, RecursionError):
        return


def _names_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _names_in(each)
