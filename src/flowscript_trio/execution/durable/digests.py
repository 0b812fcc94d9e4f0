"""Owns what stands for the settings of nodes in the journal: a digest tells whether they have changed."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any

from ...program.compiled import Step


class Digests:
    """Digests of what ``encode`` makes bytes of."""

    def __init__(self, encode: Callable[[Any], bytes]) -> None:
        self.of_steps: dict[Step, str] = {}
        """What stands for the settings of nodes that have the same ones each time."""
        self._encode = encode

    def of(self, settings: Any) -> str:
        """What stands for the settings of a node; what cannot be kept of them counts by its type."""
        try:
            data = self._encode(settings)
        except Exception:
            parts = settings.items() if isinstance(settings, dict) else ()
            data = b"\0".join(f"{name}={self._of_one(value)}".encode() for name, value in parts)
        return sha256(data).hexdigest()[:32]

    def _of_one(self, value: Any) -> str:
        try:
            return sha256(self._encode(value)).hexdigest()
        except Exception:
            return type(value).__name__
