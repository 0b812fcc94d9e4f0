"""Owns secrets in what is kept: references to their names in the place of each spelling, and their way back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from functools import cached_property
from hashlib import scrypt
from hmac import compare_digest
from typing import Any

from ..expression.bulk import PIECE
from ..types.errors import InputError
from ..types.masking import MASK, SHORTEST, Masker
from ..types.spellings import named_spellings
from ..types.storing import CannotKeep
from .blobs import any_in

Piece = str | list[Any]
"""Bytes as latin-1, or the spelling of a secret (``[name, spelling]``), or a part of it (with start and end)."""

OVERLAP = 4 * 1024
"""Bytes of a part of a secret that is looked for, however often it is escaped: eight signs tell of one."""

_ALIGNED = ("base64+", "stripped", "undone")
"""In the names of spellings that another secret might not fit in, or not have."""


class KeptSecrets:
    """The secrets of a run by their names, for what is written to a store and read back.

    Args:
        secrets: the texts that must not be in the store. One that is not known may be ``***``: whatever refers to
            it is read as that.
        public: gives the texts that are known anyhow, as for :class:`~flowscript_trio.types.masking.Masker`.
        changed: names of those whose value differs from the one that the run had when it was written.
    """

    def __init__(
        self,
        secrets: Mapping[str, str],
        public: Callable[[], Iterable[str]] = tuple,
        changed: Set[str] = frozenset(),
    ) -> None:
        self._secrets = {name: text for name, text in secrets.items() if text}
        self._changed = changed
        self._masker = Masker(self._secrets.values(), public)
        self._exact = {text: name for name, text in self._secrets.items() if len(text) < SHORTEST}
        self._quoted = [b'"%b"' % text.encode("utf-8", "surrogatepass") for text in self._exact]
        self._spelled: dict[str, dict[str, bytes]] = {}

    def suspects(self, data: bytes) -> bool:
        """Whether there may be a secret in JSON."""
        return any(text in data for text in self._quoted) or bool(self._masker.spans(data))

    def suspects_in(self, pieces: Iterable[bytes]) -> bool:
        """The same of JSON in pieces. For a thread."""
        return any_in(pieces, OVERLAP, self.suspects)

    def split_text(self, text: str) -> list[Piece] | None:
        """A text as pieces with references; None where there is no secret in it."""
        if text in self._exact:
            return [[self._exact[text], "plain"]]
        return self.split(text.encode("utf-8", "surrogatepass"))

    def split(self, data: bytes) -> list[Piece] | None:
        """Bytes as pieces with references; None where there is no secret in them.

        Raises CannotKeep for a secret that is spelled in a way of its own.
        """
        if len(data) > PIECE and not any_in(_slices(data), OVERLAP, self._has_spans):
            return None
        spans = self._masker.spans(data)
        if not spans:
            return None
        pieces: list[Piece] = []
        at = 0
        for start, end in spans:
            pieces.append(data[at:start].decode("latin-1"))
            pieces += self._explained(data[start:end])
            at = end
        pieces.append(data[at:].decode("latin-1"))
        return [piece for piece in pieces if piece]

    def _has_spans(self, data: bytes) -> bool:
        return bool(self._masker.spans(data))

    def _explained(self, data: bytes) -> list[Piece]:
        """What the masker found, as parts of spellings; signs that no spelling has stay as they are."""
        pieces: list[Piece] = []
        at, loose = 0, 0
        while at < len(data):
            length, piece = self._longest(data, at)
            if length:
                pieces.append(piece)
                loose = 0
            else:
                length = 1
                pieces.append(data[at : at + 1].decode("latin-1"))
                loose += 1
                if loose >= SHORTEST:
                    raise CannotKeep(
                        "",
                        "a secret is spelled here in a way that a store cannot keep as a reference",
                    )
            at += length
        return pieces

    def _longest(self, data: bytes, at: int) -> tuple[int, list[Any]]:
        """The longest spelling with which the data goes on, else part of one, and the reference to it."""
        if whole := self._whole.match(data, at):
            return len(whole[0]), [*self._places[whole[0]]]
        best: tuple[int, list[Any]] = (0, [])
        for (name, spelling), form in self._forms.items():
            length = best[0]
            while at + length < len(data) and data[at : at + length + 1] in form:
                length += 1
            if length > best[0]:
                start = form.index(data[at : at + length])
                best = length, [name, spelling, start, start + length]
        return best

    @cached_property
    def _whole(self) -> re.Pattern[bytes]:
        forms = sorted(self._places, key=len, reverse=True)
        return re.compile(b"|".join(map(re.escape, forms)))

    @cached_property
    def _forms(self) -> dict[tuple[str, str], bytes]:
        return {place: form for form, place in self._places.items()}

    @cached_property
    def _places(self) -> dict[bytes, tuple[str, str]]:
        """Every spelling of every secret, the plain one first, and each sequence of bytes once."""
        forms: dict[bytes, tuple[str, str]] = {}
        for name, text in self._secrets.items():
            if len(text) < SHORTEST:
                continue
            for spelling, form in self._spellings_of(name).items():
                forms.setdefault(form, (name, spelling))
        return forms

    def _spellings_of(self, name: str) -> dict[str, bytes]:
        """Every spelling of a secret, made once: a value may refer to it many thousand times."""
        if name not in self._spelled:
            self._spelled[name] = _spelled(self._secrets[name])
        return self._spelled[name]

    def joined(self, pieces: list[Piece]) -> bytes:
        """The bytes that were split.

        Raises InputError for a secret that is missing, or whose change leaves no way to restore them.
        """
        return b"".join(
            piece.encode("latin-1") if isinstance(piece, str) else self._restored(*piece)
            for piece in pieces
        )

    def _restored(self, name: str, spelling: str, start: int = 0, end: int | None = None) -> bytes:
        text = self._secrets.get(name)
        if text == MASK:  # it is only to be shown that there is one
            return MASK.encode()
        if text is None:
            raise InputError(
                f"the run was begun with the secret {name!r}, and what it kept refers to it; "
                "expected it among the secrets"
            )
        form = self._spellings_of(name).get(spelling, b"")
        partly = end is not None or any(word in spelling for word in _ALIGNED)
        if not form or (name in self._changed and partly):
            raise InputError(
                f"the secret {name!r} has a different value from when the run was begun, and what the run "
                "kept has a part of it; expected the same secret"
            )
        return form[start:end]


def _slices(data: bytes) -> Iterator[bytes]:
    return (data[at : at + PIECE] for at in range(0, len(data), PIECE))


def _spelled(text: str) -> dict[str, bytes]:
    forms = named_spellings(text)
    bare = text.strip()
    if bare != text and bare:
        forms |= {f"stripped {name}": form for name, form in named_spellings(bare).items()}
    return forms


def fingerprint(secret: str, salt: bytes) -> bytes:
    """What tells whether a secret has changed, and is slow to guess the secret from (scrypt, 16 MiB)."""
    return scrypt(secret.encode("utf-8", "surrogatepass"), salt=salt, n=1 << 14, r=8, p=1, dklen=16)


def changed_secrets(
    secrets: Mapping[str, str], prints: Mapping[str, bytes], salt: bytes
) -> set[str]:
    """The names of secrets that are no longer what they were when their fingerprints were taken."""
    return {
        name
        for name, text in secrets.items()
        if name in prints and not compare_digest(fingerprint(text, salt), prints[name])
    }
