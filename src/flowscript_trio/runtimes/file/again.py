"""Owns adding to a file again, after the process that was at it has died: what it had written is cut off first.

A durable run keeps the length that a file had. What is behind that is ours where it is how our bytes begin,
since a file is locked while it is added to. It is somebody else's otherwise, and is never cut off.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import trio

from ...types.ast import BaseNode
from ..types import RunServices

Found = Literal["nothing", "part", "whole", "others"]
"""What is behind the length that a file had: nothing, our bytes in part, all of them, or those of others."""

CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Earlier:
    """What a durable run knows of the attempt of a node that adds to a file. For threads that trio started."""

    run: RunServices
    node: BaseNode

    def length(self, size: int) -> int:
        """The length that the file had when the attempt first found it; on disk when this returns.

        Raises Cancelled where the task that waits for the thread is cancelled.
        """
        first: int = trio.from_thread.run(self.run.keep_first, size)
        return first

    def warn_of_others(self, path: str) -> None:
        """Say that the file is added to, although it is not known how much had been added before."""
        said = (
            f"{self.node.label!r} adds to {path!r} once more after a crash, since others have written to that "
            "file: what it had added before, if anything, is still there"
        )
        trio.from_thread.run_sync(self.run.warn, self.node, said)


def earlier_of(run: RunServices, node: BaseNode) -> Earlier | None:
    """What is known about earlier processes; None where the run has no store."""
    return None if run.idempotency_key is None else Earlier(run, node)


def what_follows(handle: int, since: int, parts: Iterable[bytes]) -> Found:
    """What is in a file behind its first ``since`` bytes; ``parts`` are the bytes that are to be added."""
    size = os.fstat(handle).st_size
    if size <= since:
        return "nothing" if size == since else "others"  # somebody has cut it
    at = since
    for part in parts:
        there = _read(handle, at, min(len(part), size - at))
        if not part.startswith(there):
            return "others"
        at += len(there)
        if at == size:
            return "part"
    return "whole"


def parts_of(data: bytes) -> Iterable[bytes]:
    """Bytes in parts."""
    return (data[start : start + CHUNK] for start in range(0, len(data), CHUNK))


def _read(handle: int, start: int, count: int) -> bytes:
    """This many bytes of a file, or as many as there are."""
    found = bytearray()
    while len(found) < count:
        os.lseek(handle, start + len(found), os.SEEK_SET)
        more = os.read(handle, count - len(found))
        if not more:
            break
        found += more
    return bytes(found)
