"""Owns how what the walk records becomes bytes and comes back: values and errors, with secrets by their names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from math import inf
from secrets import token_bytes
from typing import Any

import trio

from ...journal.errors import ErrorFacts, decode_error, encode_error
from ...journal.pieces import encode_in_pieces
from ...journal.sealing import Seal
from ...journal.secrets import KeptSecrets, changed_secrets, fingerprint
from ...journal.values import decode_value, encode_value
from ...types.describing import RAISED
from ...types.errors import remember_view
from ...types.exceptions import written_notes
from ...types.looking import notes_of
from ...types.storing import StoreFailed

_OURS = "flowscript: "
_SEALED = b"s"
"""Before what is sealed; what is not begins with the form of its value."""


def is_sealed(data: bytes) -> bool:
    """Whether what an entry says is sealed with the key of its store."""
    return data.startswith(_SEALED)


class Coding:
    """Encodes and decodes for one run; the values of the secrets ``changed`` are not those that it began with."""

    def __init__(
        self,
        secrets: Mapping[str, str],
        public: Callable[[], Iterable[str]] = tuple,
        changed: Set[str] = frozenset(),
        seal: Seal | None = None,
    ) -> None:
        self.seal: Seal | None = seal
        """What entries with cookies are sealed with; None where the run was begun without a key."""
        self._secrets = KeptSecrets(secrets, public, changed) if secrets else None

    def encode(self, value: Any, room: float = inf) -> bytes:
        """A value as bytes; raises CannotKeep with the place inside the value.

        TooLarge for one that takes more than about ``room`` bytes.
        """
        return encode_value(value, self._secrets, room)

    def encode_in_pieces(self, value: Any) -> list[bytes]:
        """The same in pieces, for a thread; raises CannotKeep."""
        return encode_in_pieces(value, self._secrets)

    def decode(self, data: bytes) -> Any:
        """The value of these bytes, sealed or not. Raises StoreFailed for what is sealed with another key."""
        if is_sealed(data):
            if self.seal is None:
                raise StoreFailed("something in the store is sealed, and there is no key for it")
            data = self.seal.open(data[len(_SEALED) :])
        return decode_value(data, self._secrets)

    def close(self, data: bytes) -> bytes | None:
        """Encoded bytes, sealed with the key of the store; None where the run was begun without one."""
        return None if self.seal is None else _SEALED + self.seal.close(data)

    def encode_error(
        self, error: BaseException, view: Mapping[str, Any] | None = None
    ) -> ErrorFacts:
        """An error as a value for an entry; ``view`` is what expressions see of it."""
        if view is not None and RAISED in view:
            raised = view[RAISED].items()
            facts = {name: encode_error(each, None, self._secrets) for name, each in raised}
            view = {**view, RAISED: facts}
        return encode_error(error, view, self._secrets)

    def decode_error(self, kept: ErrorFacts) -> BaseException:
        """The error, of which expressions see what they saw. What the walk has noted on it is noted again."""
        return self.decode_noted(kept)[0]

    def decode_noted(self, kept: ErrorFacts) -> tuple[BaseException, list[str]]:
        """The error, and what the walk has noted on it, which is no longer on it."""
        error, view = decode_error(kept)
        notes = notes_of(error)
        ours = [text for text in notes if text.startswith(_OURS)]
        if (written := written_notes(error)) is not None:
            written[:] = [text for text in notes if not text.startswith(_OURS)]
        if RAISED in view:
            raised = {name: decode_error(each)[0] for name, each in view[RAISED].items()}
            view = {**view, RAISED: raised}
        if "retryable" in view:
            remember_view(error, view)
        return error, ours


async def fingerprints(secrets: Mapping[str, str]) -> tuple[bytes, dict[str, bytes]]:
    """A salt, and by the name of each secret what tells whether it has changed. In a thread: it takes time."""
    salt = token_bytes(16)

    def make() -> dict[str, bytes]:
        return {name: fingerprint(text, salt) for name, text in secrets.items()}

    return salt, await trio.to_thread.run_sync(make) if secrets else {}


async def changed_since(
    secrets: Mapping[str, str], prints: Mapping[str, bytes], salt: bytes
) -> set[str]:
    """The names of the secrets that are not what they were. Looked at in a thread: it takes time."""
    if not prints:
        return set()
    return await trio.to_thread.run_sync(changed_secrets, secrets, prints, salt)
