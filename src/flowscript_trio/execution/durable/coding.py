"""Owns how what the walk records becomes bytes and comes back: values and errors, with secrets by their names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from secrets import token_bytes
from typing import Any

import trio

from ...journal.errors import decode_error, encode_error
from ...journal.sealing import Seal
from ...journal.secrets import KeptSecrets, changed_secrets, fingerprint
from ...journal.values import decode_value, encode_value
from ...types.errors import remember_view
from ...types.exceptions import written_notes
from ...types.looking import notes_of

_OURS = "flowscript: "


class Coding:
    """Encodes and decodes for one run; ``changed`` are the secrets that have another value than it began with."""

    def __init__(
        self,
        secrets: Mapping[str, str],
        public: Callable[[], Iterable[str]] = tuple,
        changed: Set[str] = frozenset(),
        seal: Seal | None = None,
    ) -> None:
        self.seal: Seal | None = seal
        """What cookies are sealed with; None where the run was begun without a key."""
        self._secrets = KeptSecrets(secrets, public, changed) if secrets else None

    def encode(self, value: Any) -> bytes:
        """A value as bytes; raises CannotKeep with the place inside the value."""
        return encode_value(value, self._secrets)

    def decode(self, data: bytes) -> Any:
        return decode_value(data, self._secrets)

    def close(self, value: Any, sealed: bool) -> Any:
        """A value for an entry, as it is; or ``sealed`` with the key of the store, as bytes. Raises CannotKeep."""
        if not sealed:
            return value
        assert self.seal is not None, "without a key nothing is sealed"
        return self.seal.close(self.encode(value))

    def open(self, kept: Any, sealed: bool) -> Any:
        """What was closed."""
        if not sealed:
            return kept
        assert self.seal is not None, "a run that was begun with a key is not opened without it"
        return self.decode(self.seal.open(kept))

    def encode_error(
        self,
        error: BaseException,
        view: Mapping[str, Any] | None = None,
        has_cookies: bool = True,
    ) -> bytes:
        """An error as bytes; ``view`` is what expressions see of it.

        Without ``has_cookies`` those that an answer has set are left out of its headers.
        """
        return encode_error(error, view, self._secrets, has_cookies)

    def decode_error(self, data: bytes) -> BaseException:
        """The error, of which expressions see what they saw. What the walk has noted on it is noted again."""
        error, view = decode_error(data, self._secrets)
        kept = [text for text in notes_of(error) if not text.startswith(_OURS)]
        if (written := written_notes(error)) is not None:
            written[:] = kept
        if "retryable" in view:
            remember_view(error, view)
        return error


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
