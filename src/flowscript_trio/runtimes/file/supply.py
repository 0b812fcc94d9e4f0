"""Owns files as streams: a piece of the file is read in a thread when somebody wants what is in it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import trio

from .formats import CHUNK
from .opening import open_patiently
from .records import Records
from .types import FileSourceConfig


class FileSupply:
    """The records of an open file. Between two pieces no thread is at work for it.

    Cancellation waits for a piece of a file, and not for one of a pipe.
    """

    def __init__(self, file: BinaryIO, records: Records, limiter: trio.CapacityLimiter) -> None:
        self._file = file
        self._records = records
        self._limiter = limiter
        self._ended = False

    async def fetch(self) -> Sequence[Any]:
        if self._ended:
            return ()
        return await trio.to_thread.run_sync(self._read, limiter=self._limiter)

    def _read(self) -> Sequence[Any]:
        while not self._ended:
            data = self._file.read1(CHUNK)  # type: ignore[attr-defined]
            self._ended = not data
            if items := self._records.feed(data, last=not data):
                return items
            trio.from_thread.check_cancelled()
        return ()

    async def aclose(self) -> None:
        self._file.close()  # it was only read: closing it waits for nothing


async def open_supply(
    config: FileSourceConfig, base: Path | None, limiter: trio.CapacityLimiter
) -> FileSupply:
    """The records of a file, which is opened; raises what opening it raises. Cancellation waits for that."""
    form = config.form
    assert form in ("csv", "tsv", "jsonl", "lines")
    records = Records(
        form, config.path, encoding=config.encoding, dialect=config.dialect, types=config.types
    )
    file = await trio.to_thread.run_sync(
        partial(open_patiently, config.path, base), limiter=limiter
    )
    return FileSupply(file, records, limiter)
