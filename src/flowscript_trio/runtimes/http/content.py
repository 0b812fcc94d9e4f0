"""Owns the body of a request: text, JSON, a form, parts of several kinds, or a file."""

from __future__ import annotations

import re
from mimetypes import guess_type
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from ...expression import encode_json, to_text, written_text
from ...expression.bulk import encode_text, is_large, write_json
from ...types.errors import SettingError
from ..charsets import charset_named
from ..threads import run_in_thread
from .types import BODIES, RequestConfig

if TYPE_CHECKING:
    from .transfer import FileBody

FORM = "application/x-www-form-urlencoded"
_CHARSET = re.compile(r""";\s*charset\s*=\s*["']?([^\s;"']+)""", re.IGNORECASE)


class Content:
    """The body of a request, with its content type and length where it has them of its own."""

    __slots__ = ("data", "file", "kind", "length")

    def __init__(
        self,
        data: bytes | None,
        kind: str | None = None,
        file: FileBody | None = None,
        length: int | None = None,
    ) -> None:
        self.data: bytes | None = data
        self.kind: str | None = kind
        self.file: FileBody | None = file
        self.length: int | None = length

    def close(self) -> None:
        """Close the file that was sent, if it is one."""
        if self.file is not None:
            self.file.close()


def is_given(config: RequestConfig) -> bool:
    """Whether the settings say what is sent."""
    return bool(config.model_fields_set & BODIES)


async def content_of(config: Any, base: Path | None) -> Content:
    """What the settings say is sent: a file, parts, a form or the body."""
    if config.upload is not None:
        from .transfer import FileBody

        file = FileBody(config.upload, base)
        return Content(None, _kind_of(config.upload), file, await file.size())
    if config.multipart is not None:
        return _parts(config.multipart)
    if config.form is not None:
        return _form(config.form, FORM)
    return await _body(config.body, config)


async def _body(body: Any, config: RequestConfig) -> Content:
    """A body as it is sent: bytes and text as they are, anything else as JSON, null not at all.

    A mapping is sent as a form where the headers say that it is one.
    """
    if body is None or isinstance(body, bytes):
        return Content(body)
    if isinstance(body, str):
        return Content(_encode(body, _charset_said(config)), "text/plain; charset=utf-8")
    if isinstance(body, dict) and _says_form(config):
        return _form(body, None)
    return await json_content(body)


async def json_content(value: Any) -> Content:
    """A value sent as JSON, whatever it is. A large one is written in a thread, which cancellation leaves."""
    if not is_large(value):
        return Content(_encode(encode_json(value)), "application/json")
    return Content(
        await run_in_thread(_encode_large, value, abandon_on_cancel=True),
        "application/json",
    )


def _encode_large(value: Any) -> bytes:
    return _encode(write_json(value, encode_json))


def _form(fields: dict[str, Any], kind: str | None) -> Content:
    from urllib.parse import urlencode

    pairs = {
        to_text(name): [written_text(item) for item in value]
        if isinstance(value, (list, tuple))
        else written_text(value)
        for name, value in fields.items()
        if value is not None
    }
    return Content(urlencode(pairs, doseq=True).encode(), kind)


def _parts(parts: dict[str, Any]) -> Content:
    """multipart/form-data: a text is a field; a mapping with ``content`` is a file."""
    import httpx

    boundary = token_hex(16)
    kind = f"multipart/form-data; boundary={boundary}"
    files: list[tuple[str, Any]] = []
    for name, value in parts.items():
        for each in value if isinstance(value, (list, tuple)) else [value]:
            if each is not None:
                files.append((to_text(name), _part(name, each)))
    if not files:  # as browsers send a form without fields
        return Content(f"--{boundary}--\r\n".encode(), kind)
    request = httpx.Request(
        "POST", "http://localhost/", files=files, headers={"Content-Type": kind}
    )
    return Content(request.read(), kind)


def _part(name: str, value: Any) -> tuple[Any, ...]:
    if not isinstance(value, dict):
        return (None, _bytes(value))
    unknown = sorted(set(value) - {"content", "filename", "type"})
    if unknown or "content" not in value:
        told = f"has {unknown[0]!r}" if unknown else "has no content"
        raise SettingError(
            f"the part {name!r} of multipart {told}; expected content, filename and type"
        )
    filename = to_text(value.get("filename") or name)
    part = (filename, _bytes(value["content"]))
    if not value.get("type"):
        return part
    kind = to_text(value["type"])
    if not kind.isprintable():
        raise SettingError(
            f"the part {name!r} of multipart has a type that is not one line of text"
        )
    return (*part, kind)


def _kind_of(path: str) -> str:
    """The content type of a file, by the end of its name."""
    return guess_type(path)[0] or "application/octet-stream"


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else _encode(written_text(value))


def _encode(text: str, charset: str = "utf-8") -> bytes:
    try:
        return encode_text(text, charset)
    except UnicodeEncodeError as exc:
        odd = exc.object[exc.start]
        what = "half of a surrogate pair" if "\ud800" <= odd <= "\udfff" else "a character"
        raise SettingError(
            f"the body has {what} in it, which {charset.upper()} cannot write"
        ) from None


def _charset_said(config: RequestConfig) -> str:
    """What the header of the settings says that a text is sent in, else UTF-8; raises SettingError."""
    for name, value in config.headers.items():
        if name.lower() == "content-type" and (found := _CHARSET.search(to_text(value))):
            charset = charset_named(found[1])
            if charset is None:
                raise SettingError(
                    f"the header {name} says the charset {found[1]!r}, which is not known; expected utf-8"
                )
            return charset
    return "utf-8"


def _says_form(config: RequestConfig) -> bool:
    return any(
        name.lower() == "content-type" and to_text(value).startswith(FORM)
        for name, value in config.headers.items()
    )
