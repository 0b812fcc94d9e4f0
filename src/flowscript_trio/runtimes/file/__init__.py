"""Owns files: importing it registers the source and the sink. What blocks is done in threads."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import trio

from ..registry import registry
from ..types import ExecutionParams, RunServices
from .formats import decode, encode
from .paths import open_entry, refuse_device
from .tables import read_header
from .types import FileSinkConfig, FileSourceConfig
from .writing import append, replace

THREADS = 40


async def _limiter_of(run: RunServices) -> trio.CapacityLimiter:
    """The threads of a run's file work: they are its own, so that reads that hang hinder no other run."""
    limiter: trio.CapacityLimiter = await run.resource("file", _make_limiter)
    return limiter


def _make_limiter() -> trio.CapacityLimiter:
    return trio.CapacityLimiter(THREADS)


class FileSource:
    """Type ``source:file``: its output is the content.

    Cancellation frees the node at once; a thread that hangs in a read is left to end by itself.
    """

    type = "source:file"
    config = FileSourceConfig
    reads_only = True
    timeout: float | None = None

    async def execute(self, params: ExecutionParams) -> Any:
        return await trio.to_thread.run_sync(
            partial(_read, params.config, params.run.base),
            abandon_on_cancel=True,
            limiter=await _limiter_of(params.run),
        )


class FileSink:
    """Type ``sink:file``: writes its input. Its output is ``{path, bytes}``: the path as the settings have it,
    and how many bytes were written.

    The file is written whole under a temporary name and renamed: cancelled or failed, it leaves the old
    file as it was. Cancellation waits for the thread, which looks whether it is cancelled before it renames.
    """

    type = "sink:file"
    config = FileSinkConfig
    reads_only = True
    timeout: float | None = None

    async def execute(self, params: ExecutionParams) -> Any:
        return await trio.to_thread.run_sync(
            partial(_write, params.config, params.run.base, params.input),
            limiter=await _limiter_of(params.run),
        )


def _read(config: FileSourceConfig, base: Path | None) -> Any:
    with _opened(config.path, base) as file:
        return decode(
            file.read(),
            config.form,
            config.path,
            encoding=config.encoding,
            dialect=config.dialect,
            types=config.types,
        )


@contextmanager
def _opened(path: str, base: Path | None) -> Iterator[BinaryIO]:
    """The file, open to be read. Without a base it may be any, also by the links of the standard streams."""
    if base is None:
        refuse_device(os.stat(path), path)
        with open(path, "rb") as file:
            refuse_device(os.fstat(file.fileno()), path)
            yield file
        return
    with open_entry(path, base) as entry:
        found = entry.stat()
        if found is not None:
            refuse_device(found, path)
        with open(entry.open(os.O_RDONLY), "rb") as file:
            yield file


def _write(config: FileSinkConfig, base: Path | None, value: Any) -> dict[str, Any]:
    path = config.path
    data = _encode(config, value)  # first: what cannot be encoded touches no file
    with open_entry(path, base, create=config.create_dir) as entry:
        if config.append:
            make = partial(_continue, config, data, value)
            size = append(entry, make, path, confined=base is not None)
        else:
            replace(entry, data, path)
            size = len(data)
    return {"path": path, "bytes": size}


def _encode(config: FileSinkConfig, value: Any, columns: list[str] | None = None) -> bytes:
    return encode(
        value,
        config.form,
        pretty=config.pretty,
        columns=columns,
        encoding=config.encoding or "utf-8",
        dialect=config.dialect,
    )


def _continue(config: FileSinkConfig, data: bytes, value: Any, handle: int) -> bytes:
    """What to add to a file as it stands: a record begins a line of its own, and a csv has one header."""
    size = os.lseek(handle, 0, os.SEEK_END)
    if size == 0 or config.form not in ("jsonl", "csv", "tsv", "lines"):
        return data
    if config.form in ("csv", "tsv") and config.header != "none":
        os.lseek(handle, 0, os.SEEK_SET)
        encoding = config.encoding or "utf-8-sig"
        with open(handle, encoding=encoding, newline="", closefd=False) as file:
            columns, delimiter = read_header(file, config.dialect)
        if config.delimiter == "auto":  # the file's own
            config = config.model_copy(update={"delimiter": delimiter})
        data = _encode(config, value, columns)
    os.lseek(handle, size - 1, os.SEEK_SET)
    # A line without an end is what a machine that died in the middle of a write leaves.
    return data if os.read(handle, 1) == b"\n" else b"\n" + data


for _runtime in (FileSource(), FileSink()):
    registry.register(_runtime.type, _runtime)
