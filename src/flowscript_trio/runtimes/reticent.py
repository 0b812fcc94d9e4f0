"""Owns configurations that do not show secrets: their repr says of some settings only that they are there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from pydantic import BaseModel

from ..types.masking import MASK


class Reticent(BaseModel):
    """A configuration whose repr shows ``***`` for each setting that is ``unshown`` and not its default.

    Error trackers and debuggers show the repr of whatever they find.
    """

    unshown: ClassVar[frozenset[str]] = frozenset()

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        for name, value in super().__repr_args__():
            yield name, _Mask() if name in self.unshown and value else value


class _Mask:
    def __repr__(self) -> str:
        return MASK
