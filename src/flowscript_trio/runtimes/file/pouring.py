"""Owns files that a stream is written to: part by part as it comes, whole or not at all."""

from __future__ import annotations

import os
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import trio

from ...expression.tabular.tables import columns_of, read_header
from ...types.errors import FlowScriptError
from ..streams import BATCH, Stream
from ..threads import run_in_thread
from .again import Earlier
from .formats import Encoder, encode_text
from .paths import naming, open_entry
from .types import STREAM_FORMS, FileSinkConfig
from .writing import Addition, Replacement


@dataclass(frozen=True, slots=True)
class Begun:
    """What a file has that is added to.

    ``columns`` are those of a csv file, whose delimiter is in ``config``; ``before`` is what must come before the
    next record.
    """

    config: FileSinkConfig
    columns: list[str] | None = None
    before: bytes = b""


def look(config: FileSinkConfig, handle: int, size: int) -> Begun:
    """What is in the first ``size`` bytes of the file of a handle, for what is added to them. Blocks."""
    if size == 0 or config.form not in STREAM_FORMS:
        return Begun(config)
    columns = None
    if config.form in ("csv", "tsv") and config.header != "none":
        os.lseek(handle, 0, os.SEEK_SET)
        encoding = config.encoding or "utf-8-sig"
        with open(handle, encoding=encoding, newline="", closefd=False) as file:
            columns, delimiter = read_header(file, config.dialect)
        if config.delimiter == "auto":  # the file's own
            config = config.model_copy(update={"delimiter": delimiter})
    os.lseek(handle, size - 1, os.SEEK_SET)
    # A line without an end is what a machine that died in the middle of a write leaves.
    return Begun(config, columns, b"" if os.read(handle, 1) == b"\n" else b"\n")


class Pouring:
    """A file and the parts of a stream that go into it. Its methods are for threads that trio started."""

    def __init__(
        self, config: FileSinkConfig, base: Path | None, earlier: Earlier | None = None
    ) -> None:
        self._config = config
        self._base = base
        self._earlier = earlier
        self._encoder = Encoder(config.encoding or "utf-8")
        self._columns: list[str] | None = None
        self._open = ExitStack()
        self._file: Replacement | Addition | None = None
        self._before = b""
        self._count = 0
        self.size: int = 0

    def begin(self) -> None:
        """Open what is written to; raises what :func:`open_entry` does."""
        config = self._config
        entry = self._open.enter_context(
            open_entry(config.path, self._base, create=config.create_dir)
        )
        with naming(config.path):
            if not config.append:
                self._file = Replacement(entry, config.path)
                return
            confined = self._base is not None
            self._file = file = Addition(entry, config.path, confined, self._earlier)
            begun = look(config, file.handle, file.since)
        self._config, self._columns, self._before = begun.config, begun.columns, begun.before

    def write(self, items: list[Any]) -> None:
        """Encode the next items and write them."""
        config, dialect, columns = self._config, self._config.dialect, self._columns
        if self._count == 0 and columns is None and config.form in ("csv", "tsv"):
            self._columns = columns_of(items, dialect)  # and the first part has the header
        try:
            text = encode_text(items, config.form, config.pretty, columns, dialect, self._count)
        except FlowScriptError as exc:
            if self._count and config.form in ("csv", "tsv") and not config.append:
                exc.add_note(
                    f"the columns of a stream are those of its first {self._count} rows; expected all of them "
                    "there, or the setting header with their names"
                )
            raise
        data = self._encoder.encode(text)
        assert self._file is not None
        if self._before and data:
            data, self._before = self._before + data, b""
        with naming(config.path):
            self._file.write(data)
        self._count += len(items)
        self.size += len(data)

    def finish(self) -> None:
        """Let the file take its place."""
        assert self._file is not None
        with naming(self._config.path):
            self._file.finish()
            self._file.settle()
        self._open.close()

    def discard(self) -> None:
        """Leave the old file as it was. What goes wrong in that takes no error's place."""
        with self._open, suppress(OSError):
            if self._file is not None:
                self._file.discard()


async def write_stream(
    config: FileSinkConfig,
    base: Path | None,
    stream: Stream,
    limiter: trio.CapacityLimiter,
    earlier: Earlier | None = None,
) -> dict[str, Any]:
    """Write the items of a stream as they come; the file takes its place once all of them are there.

    Returns ``{path, bytes}``. Cancelled or failed, it leaves the old file as it was, and closes the stream;
    cancellation waits for the thread of a part.
    """
    if config.form not in STREAM_FORMS:
        *others, last = STREAM_FORMS
        raise FlowScriptError(
            f"a {config.form} file is written whole, and the input is a stream; expected the format "
            f"{', '.join(others)} or {last}"
        )
    stream.claim()
    pouring = Pouring(config, base, earlier)
    # Threads of their own: whoever waits for the lock of a file must not keep its holder from going on.
    threads = limiter if not config.append else trio.CapacityLimiter(1)
    in_thread = partial(run_in_thread, limiter=threads)
    try:
        items = await stream.take(BATCH)
        await in_thread(pouring.begin)
        await in_thread(pouring.write, items)
        while items := await stream.take(BATCH):
            await in_thread(pouring.write, items)
        await in_thread(pouring.finish)
    except BaseException:
        with trio.CancelScope(shield=True):
            await in_thread(pouring.discard)
        raise
    finally:
        await stream.aclose()
    return {"path": config.path, "bytes": pouring.size}
