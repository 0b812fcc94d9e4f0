"""Owns bodies that go straight to and from files: downloads with their hash, which go on where they broke off, and
uploads. Importing this imports httpx.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from secrets import token_hex
from typing import Any, TypeVar

import httpx
import trio

from ...types.errors import FlowScriptError
from ..file.paths import FolderEntry, naming, open_entry, refuse_special
from ..threads import run_in_thread
from ..types import RunServices
from .answer import place_of, read_body, refuse_failure
from .coding import ContentError
from .errors import HTTPStatusError

T = TypeVar("T")
CHUNK = 1024 * 1024  # bytes that are written or read at once
_EMPTY = (204, 205)
"""Statuses of answers that have nothing to save; an empty body with another status is an empty file."""
_LENGTH = re.compile(r"[0-9]{1,19}")
_RANGE = re.compile(r"bytes ([0-9]{1,19})-[0-9]{1,19}/([0-9]{1,19}|\*)")


class HashMismatch(FlowScriptError):
    """What was downloaded is not what the setting ``sha256`` says; the file was left as it was.

    ``retryable`` is False. No cancellation is behind it.
    """

    retryable = False


class Download:
    """A file that comes in under a temporary name, over several attempts if need be.

    What blocks is done in threads, which cancellation waits for.
    """

    def __init__(self, path: str, base: Path | None) -> None:
        """Open the place and the temporary file. Blocks."""
        self.path = path
        self.size: int = 0
        self.validator: str | None = None
        """What the server calls this version of the file: a part of another one is of no use."""
        self.total: int | None = None
        """The size of this version, as far as the server says it."""
        self._hash = hashlib.sha256()
        self._room = bytearray()
        with ExitStack() as stack:
            self._entry: FolderEntry = stack.enter_context(open_entry(path, base, create=True))
            old = self._entry.stat()
            if old is not None:
                refuse_special(old, path)
            self._temporary = self._entry.sibling(f".{token_hex(8)}.tmp")
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
            self._handle = self._temporary.open(flags, 0o666 if old is None else 0o600)
            self._mode = None if old is None else stat.S_IMODE(old.st_mode)
            stack.callback(os.close, self._handle)
            self._open = stack.pop_all()

    @property
    def headers(self) -> dict[str, str]:
        """What a request says, so that only what is missing comes."""
        if not self.size or self.validator is None:
            return {"Accept-Encoding": "identity"}
        return {
            "Accept-Encoding": "identity",
            "Range": f"bytes={self.size}-",
            "If-Range": self.validator,
        }

    def is_of_another(self, answer: httpx.Response) -> bool:
        """Whether a part is one of another version, which a server may send in spite of ``If-Range``."""
        if answer.status_code != 206:
            return False
        named, total = _validator_of(answer), _range_of(answer)[1]
        return (named is not None and named != self.validator) or (
            None not in (total, self.total) and total != self.total
        )

    async def begin(self, answer: httpx.Response) -> bool:
        """Go on, or start again, by what the answer says that it has; gives whether it goes on."""
        start, total = _range_of(answer)
        goes_on = answer.status_code == 206 and start == self.size
        if answer.status_code == 206 and not goes_on:
            raise FlowScriptError(
                f"{self.path!r}: the server sent a different part from the one it was asked for"
            )
        self._room.clear()
        if not goes_on:
            await _in_thread(partial(os.ftruncate, self._handle, 0), self.path)
            os.lseek(self._handle, 0, os.SEEK_SET)
            self.size, self._hash = 0, hashlib.sha256()
            length = answer.headers.get("content-length", "")
            is_plain = "content-encoding" not in answer.headers
            self.total = int(length) if is_plain and _LENGTH.fullmatch(length) else None
        self.total = total if total is not None else self.total
        self.validator = _validator_of(answer) or (self.validator if goes_on else None)
        return goes_on

    def check_whole(self, place: str) -> None:
        """Raise ContentError where there is less or more than the server said: a part may end early."""
        size = self.size + len(self._room)
        if self.total is not None and size != self.total:
            raise ContentError(
                f"{place}: {size:,} bytes have come, and the file has {self.total:,}",
                size < self.total,
            )

    def take(self, piece: bytes) -> None:
        self._room += piece

    async def flush(self, least: int = CHUNK) -> None:
        """Write what has come, if it is worth a thread."""
        if len(self._room) >= least:
            data, self._room = bytes(self._room), bytearray()
            await _in_thread(partial(self._write, data), self.path)

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._handle, view) :]
        self._hash.update(data)
        self.size += len(data)

    async def finish(self, expected: str | None) -> str:
        """Put the file in its place; gives its hash. Raises HashMismatch for one that is not as expected."""
        await self.flush(1)
        found = self._hash.hexdigest()
        if expected is not None and expected.strip().lower() != found:
            raise HashMismatch(
                f"{self.path!r}: what was downloaded has the SHA-256 {found}, and not the one of the "
                "setting sha256"
            )
        await _in_thread(self._settle, self.path)
        return found

    def _settle(self) -> None:
        if self._mode is not None:
            os.fchmod(self._handle, self._mode)
        os.fsync(self._handle)
        now = self._temporary.stat()
        if now is None or not os.path.samestat(now, os.fstat(self._handle)):
            raise FlowScriptError(f"{self.path!r}: another file was put in its place meanwhile")
        self._temporary.rename_to(self._entry)
        self._open.close()

    async def discard(self) -> None:
        """Leave nothing behind."""
        with trio.CancelScope(shield=True):
            await _in_thread(self._discard, self.path)

    def _discard(self) -> None:
        with suppress(OSError):
            self._temporary.unlink()
        self._open.close()


def _validator_of(answer: httpx.Response) -> str | None:
    """What a server calls the version that it sends: a strong tag, else the time of its last change."""
    tag: str = answer.headers.get("etag", "")
    named: str | None = answer.headers.get("last-modified")
    return tag if tag and not tag.startswith("W/") else named


def _range_of(answer: httpx.Response) -> tuple[int | None, int | None]:
    """Where a part begins, and the size of the whole; None for what the answer does not say."""
    found = _RANGE.fullmatch(answer.headers.get("content-range", "").strip())
    if found is None or answer.status_code != 206:
        return None, None
    return int(found[1]), None if found[2] == "*" else int(found[2])


async def save(
    run: RunServices,
    pool: Any,
    path: str,
    expected: str | None,
    send: Callable[[dict[str, str]], Any],
) -> tuple[dict[str, Any], httpx.Response]:
    """Save the body of an answer to a file: whole or not at all.

    Args:
        run: the run, whose ``base`` the path is under.
        pool: keeps what has come for the next attempt of the run.
        path: where the file is to be.
        expected: its SHA-256 in hex, or None.
        send: sends the request with further headers and gives the answer.

    Returns:
        ``{path, bytes, sha256, status, resumed}``: the size in bytes, and how many of them an earlier attempt
        had brought. And the answer, which is closed.

    Raises HTTPStatusError for a status of 400 or more, and for one that says that there is nothing to save.
    Cancellation closes the connection at once and leaves the old file as it was.
    """
    download: Download = pool.downloads.pop(path, None) or await _in_thread(
        partial(Download, path, run.base), path
    )
    try:
        answer = await send(download.headers)
        # The file has become shorter, or another one.
        if download.size and (answer.status_code == 416 or download.is_of_another(answer)):
            with trio.CancelScope(shield=True):
                await answer.aclose()
            download.validator = None
            answer = await send(download.headers)
        try:
            await refuse_failure(answer, run.services.now)
            if answer.status_code in _EMPTY:
                raise HTTPStatusError(answer, f"there is nothing to save in {path!r}")
            resumed = download.size if await download.begin(answer) else 0
            await read_body(answer, None, download.take, download.flush)
        finally:
            with trio.CancelScope(shield=True):
                await answer.aclose()
        download.check_whole(place_of(answer))
        digest = await download.finish(expected)
    except Exception as exc:
        if getattr(exc, "retryable", False) and download.validator is not None:
            await download.flush(1)
            if path not in pool.downloads:
                pool.downloads[path] = download
                raise
        await download.discard()
        raise
    except BaseException:
        await download.discard()
        raise
    saved = {
        "path": path,
        "bytes": download.size,
        "sha256": digest,
        "status": answer.status_code,
        "resumed": resumed,
    }
    return saved, answer


class FileBody(httpx.AsyncByteStream):
    """The content of a file as the body of a request; it may be sent again. Whoever sends it closes it.

    It is not a generator: one that is left in the middle would be finished by the garbage collector.
    """

    def __init__(self, path: str, base: Path | None) -> None:
        self._path, self._base = path, base
        self._handle: int | None = None

    async def size(self) -> int:
        """Its size in bytes; raises OSError where there is no such file. Cancellation waits for the thread."""
        self._handle = await _in_thread(self._open, self._path)
        return os.fstat(self._handle).st_size

    def __aiter__(self) -> AsyncIterator[bytes]:
        assert self._handle is not None, "its size is asked for first"
        os.lseek(self._handle, 0, os.SEEK_SET)
        return self

    async def __anext__(self) -> bytes:
        assert self._handle is not None
        data = await _in_thread(partial(os.read, self._handle, CHUNK), self._path)
        if not data:
            raise StopAsyncIteration
        return data

    def close(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def _open(self) -> int:
        with open_entry(self._path, self._base) as entry:
            handle = entry.open(os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise FlowScriptError(f"{self._path!r} is not a regular file, so it cannot be uploaded")
        return handle


async def _in_thread(work: Callable[[], T], path: str) -> T:
    """What a thread gives; errors of the system name the path."""
    with naming(path):
        return await run_in_thread(work)
