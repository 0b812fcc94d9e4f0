"""Owns files: importing it registers the source and the sink. What blocks is done in threads."""

from __future__ import annotations

from typing import Any

import trio

from ..registry import registry
from ..types import ExecutionParams
from .formats import decode, encode
from .paths import resolve
from .types import FileSinkConfig, FileSourceConfig, format_of
from .writing import write


class FileSource:
    """Type ``source:file``: its output is the content.

    Cancellation frees the node at once; a thread that hangs in a read is left to end by itself.
    """

    type = "source:file"
    config = FileSourceConfig
    reads_only = True
    timeout: float | None = None

    async def execute(self, params: ExecutionParams) -> Any:
        config: FileSourceConfig = params.config
        base = params.run.base

        def read() -> Any:
            data = resolve(config.path, base).read_bytes()
            return decode(data, format_of(config.path, config.format), config.path)

        return await trio.to_thread.run_sync(read, abandon_on_cancel=True)


class FileSink:
    """Type ``sink:file``: writes its input. Its output is ``{path, bytes}``.

    The file is written whole under a temporary name and renamed: cancelled or failed, it leaves the old
    file as it was. Cancellation waits for the thread, which looks whether it is cancelled before it renames.
    """

    type = "sink:file"
    config = FileSinkConfig
    reads_only = True
    timeout: float | None = None

    async def execute(self, params: ExecutionParams) -> Any:
        config: FileSinkConfig = params.config
        base, value = params.run.base, params.input

        def work() -> dict[str, Any]:
            path = resolve(config.path, base)
            form = format_of(config.path, config.format)
            header = not (config.append and path.exists() and path.stat().st_size)
            data = encode(value, form, pretty=config.pretty, header=header)
            write(path, data, append=config.append, create_dir=config.create_dir)
            return {"path": config.path, "bytes": len(data)}

        return await trio.to_thread.run_sync(work)


for _runtime in (FileSource(), FileSink()):
    registry.register(_runtime.type, _runtime)
