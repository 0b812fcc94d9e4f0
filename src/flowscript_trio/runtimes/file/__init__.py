"""Owns files: importing it registers the source and the sink. What blocks is done in threads."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import trio

from ...types.shapes import Shape
from ..collector import LARGE, FullCollections
from ..registry import registry
from ..streams import Stream, stream_in, streams_of
from ..threads import run_in_thread
from ..types import ExecutionParams, RunServices
from .again import Earlier, earlier_of
from .formats import encode, read
from .opening import open_to_read
from .paths import naming, open_entry
from .pouring import look, write_stream
from .shapes import WRITTEN, missing_package, shape_of_content
from .supply import open_supply
from .types import FileSinkConfig, FileSourceConfig
from .writing import append, replace

THREADS = 40
_DENSE: Mapping[str, int] = {"yaml": 32, "xlsx": 8, "parquet": 8}
"""How many times as many objects come of a byte of these formats: nodes first, or it is compressed."""


async def _limiter_of(run: RunServices) -> trio.CapacityLimiter:
    """The threads of a run's file work: they are its own, so that reads that hang hinder no other run."""
    limiter: trio.CapacityLimiter = await run.resource("file", _make_limiter)
    return limiter


def _make_limiter() -> trio.CapacityLimiter:
    return trio.CapacityLimiter(THREADS)


class FileSource:
    """Type ``source:file``: its output is the content, or with ``stream`` a stream of its records.

    Cancellation frees the node at once; a thread that hangs in a read is left to end by itself.
    """

    type = "source:file"
    config = FileSourceConfig
    reads_only = True
    timeout: float | None = None

    def gives(self, known: Mapping[str, Any]) -> Shape:
        return shape_of_content(known)

    def needs(self, known: Mapping[str, Any]) -> str | None:
        return missing_package(known)

    @staticmethod
    def is_repeatable(config: Any) -> bool:
        """Whether nobody notices that it is done again: it only reads."""
        return True

    async def execute(self, params: ExecutionParams) -> Any:
        config: FileSourceConfig = params.config
        if config.stream:
            limiter = await _limiter_of(params.run)
            streams = await streams_of(params.run, "file")
            supply = await open_supply(config, params.run.base, limiter)
            return streams.add(Stream(params.node.label, supply))
        limiter = await _limiter_of(params.run)
        with FullCollections() as full:
            return await run_in_thread(
                _read,
                config,
                params.run.base,
                full,
                abandon_on_cancel=True,
                limiter=limiter,
            )


class FileSink:
    """Type ``sink:file``: writes its input, that of a stream as it comes.

    Its output is ``{path, bytes}``: the path as the settings have it, and how many bytes were written.

    The file is written whole under a temporary name and renamed: cancelled or failed, it leaves the old
    file as it was. Cancellation waits for the thread, which looks whether it is cancelled before it renames.
    """

    type = "sink:file"
    config = FileSinkConfig
    reads_only = True
    timeout: float | None = None

    def gives(self, known: Mapping[str, Any]) -> Shape:
        return WRITTEN

    def needs(self, known: Mapping[str, Any]) -> str | None:
        return missing_package(known)

    async def execute(self, params: ExecutionParams) -> Any:
        config: FileSinkConfig = params.config
        limiter = await _limiter_of(params.run)
        earlier = earlier_of(params.run, params.node) if config.append else None
        stream = stream_in(params.input)
        if stream is not None:
            return await write_stream(config, params.run.base, stream, limiter, earlier)
        return await run_in_thread(
            _write, config, params.run.base, params.input, earlier, limiter=limiter
        )


def _read(config: FileSourceConfig, base: Path | None, full: FullCollections) -> Any:
    with naming(config.path), open_to_read(config.path, base) as file:
        if os.fstat(file.fileno()).st_size * _DENSE.get(config.form, 1) >= LARGE:
            full.hold_off()
        return read(
            file,
            config.form,
            config.path,
            encoding=config.encoding,
            dialect=config.dialect,
            types=config.types,
            sheet=config.sheet,
        )


def _write(
    config: FileSinkConfig, base: Path | None, value: Any, earlier: Earlier | None
) -> dict[str, Any]:
    path = config.path
    data = _encode(config, value)  # first: what cannot be encoded touches no file
    with open_entry(path, base, create=config.create_dir) as entry:
        if config.append:
            make = partial(_continue, config, data, value)
            size = append(entry, make, path, confined=base is not None, earlier=earlier)
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
        sheet=config.sheet,
    )


def _continue(config: FileSinkConfig, data: bytes, value: Any, handle: int, size: int) -> bytes:
    """What to add after this many bytes of a file: a record begins a line of its own, and a csv has one header."""
    begun = look(config, handle, size)
    if begun.columns is not None:
        data = _encode(begun.config, value, begun.columns)
    return begun.before + data


for _runtime in (FileSource(), FileSink()):
    registry.register(_runtime.type, _runtime)
