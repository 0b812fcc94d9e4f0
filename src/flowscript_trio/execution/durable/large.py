"""Owns large parts of entries: encoded, searched, hashed and compressed in a thread before they are written.

What gave one has not ended until then, so that nobody else has it yet. What is small takes none of this.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import trio

from ...journal.blobs import LARGE
from ...journal.cookies import may_set_cookies_in, sets_cookies
from ...journal.pieces import packed
from ...journal.rows import Journal, Large
from ...types.storing import CannotKeep
from .beside import beside
from .coding import Coding


@dataclass(frozen=True, slots=True)
class Packed:
    """A large part as it is written, with the bytes that it takes unpacked.

    ``part`` is None where it must be sealed and there is no key.
    """

    part: Large | None
    size: int
    sealed: bool


async def pack_large(journal: Journal, coding: Coding, part: Any, sealed: bool) -> Packed | None:
    """A large part of an entry as it is written; None where it is not large, which is written as any other.

    Raises CannotKeep. It cannot be cancelled: what gave the part has done its work.
    """
    pack = partial(_pack, coding, part, sealed)
    with trio.CancelScope(shield=True):
        return await beside(pack, True, journal.is_inline)
    raise AssertionError("a scope that nobody cancels lets nothing go")


def _pack(coding: Coding, part: Any, sealed: bool) -> Packed | None:
    try:
        pieces = coding.encode_in_pieces(part)
        if not sealed and may_set_cookies_in(pieces):
            sealed = sets_cookies(part)
    except RuntimeError as exc:
        raise CannotKeep("", f"it was changed while it was kept ({exc})") from exc
    if sealed:
        closed = coding.close(b"".join(pieces))
        if closed is None:
            return Packed(None, 0, False)
        pieces = [closed]
    size = sum(map(len, pieces))
    return None if size <= LARGE else Packed(packed(pieces), size, sealed)
