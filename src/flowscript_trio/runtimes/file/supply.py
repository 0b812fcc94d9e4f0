"""Owns files as streams: a piece of the file is read in a thread when somebody wants what is in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import trio

from ..streams import Supply
from ..threads import run_in_thread
from .books import BookForm, read_parts
from .formats import CHUNK
from .opening import open_patiently, open_to_read
from .paths import naming
from .records import Records
from .types import FileSourceConfig


class FileSupply:
    """The records of an open file. Between two pieces no thread is at work for it.

    Cancellation waits for a piece of a file, and not for one of a pipe.
    """

    def __init__(
        self, file: BinaryIO, path: str, records: Records, limiter: trio.CapacityLimiter
    ) -> None:
        self._file = file
        self._path = path
        self._records = records
        self._limiter = limiter
        self._ended = False

    async def fetch(self) -> Sequence[Any]:
        if self._ended:
            return ()
        return await run_in_thread(self._read, limiter=self._limiter)

    def _read(self) -> Sequence[Any]:
        while not self._ended:
            with naming(self._path):
                data = self._file.read1(CHUNK)  # type: ignore[attr-defined]
            self._ended = not data
            if items := self._records.feed(data, last=not data):
                return items
            trio.from_thread.check_cancelled()
        return ()

    async def aclose(self) -> None:
        self._file.close()  # it was only read: closing it waits for nothing


class BookSupply:
    """The rows of an xlsx or parquet file, of which a part is read in a thread when somebody wants it.

    Cancellation waits for a part.
    """

    def __init__(
        self,
        file: BinaryIO,
        form: BookForm,
        config: FileSourceConfig,
        limiter: trio.CapacityLimiter,
    ) -> None:
        self._file = file
        self._path = config.path
        self._parts = read_parts(file, form, config.path, config.sheet)
        self._limiter = limiter

    async def fetch(self) -> Sequence[Any]:
        with naming(self._path):
            return await run_in_thread(next, self._parts, (), limiter=self._limiter)

    async def aclose(self) -> None:
        self._parts.close()
        self._file.close()


async def open_supply(
    config: FileSourceConfig, base: Path | None, limiter: trio.CapacityLimiter
) -> Supply:
    """The records of a file, which is opened; raises what opening it raises. Cancellation waits for that."""
    form = config.form
    if form == "xlsx" or form == "parquet":
        book = await run_in_thread(open_to_read, config.path, base, limiter=limiter)
        return BookSupply(book, form, config, limiter)
    assert form in ("csv", "tsv", "jsonl", "lines")
    records = Records(
        form, config.path, encoding=config.encoding, dialect=config.dialect, types=config.types
    )
    file = await run_in_thread(open_patiently, config.path, base, limiter=limiter)
    return FileSupply(file, config.path, records, limiter)
