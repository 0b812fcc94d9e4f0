"""Owns the encodings of content (gzip, deflate, br, zstd): undone piece by piece, whole and within a bound."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from typing import Any, Protocol

from ...types.errors import FlowScriptError

_PIECE = 256 * 1024
"""Bytes that are decoded at once: a few bytes may stand for many."""
_BITE = 16 * 1024
"""Bytes that a decoder is given at once: it copies what is left of them at each end of a stream in them."""
_MOST_ENCODINGS = 5
"""One around the other. Each may make a thousand times as much of what is in it, even where nothing comes out."""
_GZIP = b"\x1f\x8b"
"""How a member of gzip begins."""
_MORE = "more bytes follow its end"
_WINDOW = 23
"""The largest window of zstd, as a power of 2: 8 MiB (RFC 9659)."""

_MODULES = {"br": "brotli", "zstd": "backports.zstd"}
"""What is needed besides the standard library, each by the extra of the same name."""


class ContentError(FlowScriptError):
    """The body of an answer cannot be decoded: its encoding is not known, not what it says, or cut off.

    ``retryable`` is True for one that was cut off. No cancellation is behind it.
    """

    def __init__(self, message: str, retryable: bool = False) -> None:
        super().__init__(message)
        self.retryable: bool = retryable


class Decoder(Protocol):
    """Undoes one encoding. What it raises for bytes that are not of it is its library's own."""

    def feed(self, data: bytes) -> Iterator[bytes]: ...
    def is_whole(self) -> bool: ...


def accepted() -> str:
    """What a request says it can decode."""
    return ", ".join(["gzip", "deflate", *(name for name in _MODULES if _is_there(name))])


def decoders_for(header: str) -> list[tuple[str, Decoder]]:
    """The decoders of an answer's ``Content-Encoding``, in the order in which they are applied.

    Raises ContentError for an encoding that is not known, or whose extra is not installed, and for too many.
    """
    named = [name.strip().lower() for name in header.split(",")]
    names = [name for name in named if name and name != "identity"]
    if len(names) > _MOST_ENCODINGS:
        raise ContentError(
            f"the body is encoded {len(names):,} times over; at most {_MOST_ENCODINGS} are undone"
        )
    return [(name, _decoder(name)) for name in reversed(names)]


def _decoder(name: str) -> Decoder:
    if name in ("gzip", "x-gzip"):
        return _Zlib(16 + zlib.MAX_WBITS)
    if name == "deflate":
        return _Zlib(None)
    if name not in _MODULES:
        raise ContentError(
            f"the body is in the encoding {name!r}, which is not known; ask for another with the header "
            "Accept-Encoding"
        )
    if not _is_there(name):
        raise ContentError(
            f"the body is in the encoding {name!r}; install flowscript-trio[{name}] to decode it, or ask "
            "for another with the header Accept-Encoding"
        )
    return _Brotli() if name == "br" else _Zstd()


@cache
def _is_there(name: str) -> bool:
    try:
        return find_spec(_MODULES[name]) is not None
    except ModuleNotFoundError:
        return False


class _Zlib:
    """gzip (several members too) and deflate, which some servers send without its two bytes of header."""

    def __init__(self, bits: int | None) -> None:
        self._bits: int = bits or zlib.MAX_WBITS
        self._zlib: Any = None if bits is None else zlib.decompressobj(bits)
        self._fed = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data:
            self._fed = True
            if self._zlib is None:
                raw = data[0] & 0x0F != 8
                self._bits = -zlib.MAX_WBITS if raw else zlib.MAX_WBITS
                self._zlib = zlib.decompressobj(self._bits)
            if self._zlib.eof:
                if self._bits < 16:
                    raise zlib.error(_MORE)
                data = data.lstrip(b"\0")  # the padding of what was written to a tape or in blocks
                if not data:
                    break
                if not _GZIP.startswith(data[: len(_GZIP)]):
                    raise zlib.error(_MORE)
                self._zlib = zlib.decompressobj(self._bits)
            yield self._zlib.decompress(data, _PIECE)
            data = self._zlib.unconsumed_tail or self._zlib.unused_data
            # What is left of a full piece comes out without further bytes.
            while not data and not self._zlib.eof and (piece := self._zlib.decompress(b"", _PIECE)):
                yield piece

    def is_whole(self) -> bool:
        return not self._fed or bool(self._zlib.eof)


class _Brotli:
    def __init__(self) -> None:
        import brotli

        self._brotli = brotli.Decompressor()
        self._fed = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        self._fed = self._fed or bool(data)
        yield self._brotli.process(data, output_buffer_limit=_PIECE)
        while piece := self._more():
            yield piece

    def _more(self) -> bytes:
        """What comes out without further bytes; it may be held back though more bytes are accepted."""
        if self._brotli.is_finished():
            return b""
        piece: bytes = self._brotli.process(b"", output_buffer_limit=_PIECE)
        return piece

    def is_whole(self) -> bool:
        return not self._fed or bool(self._brotli.is_finished())


class _Zstd:
    """One frame after another."""

    def __init__(self) -> None:
        self._zstd: Any = None
        self._fed = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        from backports import zstd

        while data or (
            self._zstd is not None and not self._zstd.eof and not self._zstd.needs_input
        ):
            self._fed = True
            if self._zstd is None or self._zstd.eof:
                options = {int(zstd.DecompressionParameter.window_log_max): _WINDOW}
                self._zstd = zstd.ZstdDecompressor(options=options)
            yield self._zstd.decompress(data, _PIECE)
            data = self._zstd.unused_data if self._zstd.eof else b""

    def is_whole(self) -> bool:
        return not self._fed or bool(self._zstd.eof)


class Body:
    """Takes the pieces of an answer's body as they come, decodes them, and holds both to a bound."""

    def __init__(self, encoding: str, limit: int | None, place: str) -> None:
        self._place = place
        self._limit = limit
        try:
            self._decoders = decoders_for(encoding)
        except ContentError as exc:
            raise ContentError(f"{place}: {exc}") from None
        self._sizes = [0] * (len(self._decoders) + 1)
        """Bytes as they were sent, and as each decoder gave them."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The decoded pieces of what came, empty ones too: after each the others may have a turn.

        Raises ContentError.
        """
        return self._through(data, 0)

    def end(self) -> None:
        """Raise ContentError where an encoding was cut off."""
        for name, decoder in self._decoders:
            if not decoder.is_whole():
                raise ContentError(
                    f"{self._place}: the body is cut off in the middle of its encoding {name!r}",
                    True,
                )

    def _through(self, data: bytes, first: int) -> Iterator[bytes]:
        self._count(first, len(data))
        if first == len(self._decoders):
            yield data
            return
        name, decoder = self._decoders[first]
        for start in range(0, len(data), _BITE):
            pieces = decoder.feed(data[start : start + _BITE])
            while (piece := self._next(pieces, name)) is not None:
                yield from self._through(piece, first + 1)

    def _next(self, pieces: Iterator[bytes], name: str) -> bytes | None:
        try:
            return next(pieces, None)
        except Exception as exc:  # each library has an error of its own
            raise ContentError(
                f"{self._place}: the answer says that its body is in the encoding {name!r}, and it is "
                f"not ({exc})"
            ) from exc

    def _count(self, level: int, size: int) -> None:
        self._sizes[level] += size
        if self._limit is not None and self._sizes[level] > self._limit:
            raise ContentError(
                f"{self._place}: the body is larger than {self._limit:,} bytes; the bound is max_bytes "
                "of HttpOptions, and a download has none"
            )
