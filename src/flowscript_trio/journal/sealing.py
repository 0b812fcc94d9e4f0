"""Owns the seal of a store: what nobody may read who has the store alone is encrypted with a key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from ..types.errors import InputError
from ..types.storing import StoreFailed

Key: TypeAlias = str | bytes
_KNOWN = b"flowscript"


class Seal:
    """Encrypts with the first of some keys, and opens with any of them; a key is one of Fernet, of that package.

    Raises InputError for what is not a key, or where the package cryptography is missing.
    """

    def __init__(self, keys: Key | Sequence[Key]) -> None:
        try:
            from cryptography.fernet import Fernet, InvalidToken, MultiFernet
        except ImportError:
            raise InputError(
                "a store with a key needs the package cryptography; install flowscript-trio[sealed]"
            ) from None
        try:
            given = [keys] if isinstance(keys, (str, bytes)) else list(keys)
            self._fernet = MultiFernet([Fernet(key) for key in given])
        except (TypeError, ValueError):  # their messages may show the key
            raise InputError(
                "the key of the store is not valid; expected one that cryptography's Fernet.generate_key() gave, "
                "32 bytes in url-safe base64, or a list of such keys"
            ) from None
        self._invalid = InvalidToken

    def close(self, data: bytes) -> bytes:
        """The data so that only who has a key can read it, or change it unnoticed."""
        return self._fernet.encrypt(data)

    def open(self, sealed: bytes) -> bytes:
        """What was sealed; raises StoreFailed where it was with another key, or is damaged."""
        try:
            return self._fernet.decrypt(sealed)
        except self._invalid:
            raise StoreFailed(
                "something in the store was sealed with another key, or is damaged"
            ) from None

    def proof(self) -> bytes:
        """What a run keeps to tell later whether it is given the same key."""
        return self.close(_KNOWN)

    def fits(self, proof: bytes) -> bool:
        """Whether one of the keys is that with which the run was begun."""
        try:
            return self.open(proof) == _KNOWN
        except StoreFailed:
            return False
