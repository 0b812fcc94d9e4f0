"""Owns the headers of an HTTP answer as data: names in lower case, found in whatever case they are asked for."""

from __future__ import annotations

from typing import Any


class Headers(dict[str, str]):
    """A dict whose keys are in lower case; reading one (``[…]``, ``get``, ``in``) is case-insensitive."""

    __slots__ = ()

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(_lower(name))

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(_lower(name), default)

    def __contains__(self, name: object) -> bool:
        return super().__contains__(_lower(name))


def _lower(name: Any) -> Any:
    return name.lower() if isinstance(name, str) else name
