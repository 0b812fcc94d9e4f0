"""Owns the settings of HTTP sources and sinks."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, NoReturn, Self

from pydantic import ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from ...types.http import Redirects
from ..file.spelling import Path
from ..reticent import Reticent
from ..spelled import checked_by
from ..tabular import ReadTable, checked_encoding
from .auth import Auth
from .extract import Extract
from .spelling import check_headers, check_url

BODIES = frozenset({"body", "form", "multipart", "upload"})
"""The settings that say what is sent."""
RECORDS = ("jsonl", "csv", "tsv", "lines", "events")
"""Formats of one record after another."""


Url = Annotated[str, Field(min_length=1), checked_by(check_url)]
Headers = Annotated[dict[str, Any], checked_by(check_headers)]
Method = Annotated[str, Field(pattern=r"^[A-Za-z]{1,20}$")]


class RequestConfig(Reticent):
    """What sources and sinks share."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        extra="forbid", frozen=True, defer_build=True, arbitrary_types_allowed=True
    )

    unshown: ClassVar[frozenset[str]] = frozenset(
        {"url", "headers", "params", "body", "form", "multipart"}
    )

    url: Url = Field(description="where the request goes")
    headers: Headers = Field(default={}, description="headers by name; null leaves one out")
    params: dict[str, Any] = Field(
        default={},
        description="added to the query; a list repeats its name, null leaves one out",
    )
    auth: Auth | None = Field(default=None, description="how the request is authorised")
    extract: Extract | None = Field(
        default=None, description="a JMESPath expression that is applied to the body, which is JSON"
    )
    format: Literal["auto", "json", "text", "bytes"] = Field(
        default="auto", description="how the body is decoded; auto: by its content type"
    )
    encoding: str | None = Field(
        default=None,
        description="how the text of the answer is coded, such as windows-1252; default: by its byte order mark, "
        "its content type, or UTF-8",
    )
    redirects: Redirects = Field(
        default="follow",
        description="which redirects are followed; another origin is sent no body, and of the headers of "
        "the settings at most `Accept`, `Accept-Language` and `User-Agent`",
    )
    idempotent: bool = Field(
        default=True,
        description="whether a durable run says by the header Idempotency-Key which requests are the same one, "
        "where the method does not",
    )
    form: dict[str, Any] | None = Field(
        default=None, description="sent as a form (urlencoded), in place of the body"
    )
    multipart: dict[str, Any] | None = Field(
        default=None,
        description="sent as multipart/form-data, in place of the body; a file is {content, filename, type}",
    )
    upload: Path | None = Field(
        default=None, description="a file whose content is sent, in place of the body"
    )

    @field_validator("encoding", mode="after")
    @classmethod
    def _check_encoding(cls, value: str | None) -> str | None:
        return checked_encoding(value)

    @model_validator(mode="after")
    def _check_request(self) -> Self:
        given = sorted(self.model_fields_set & BODIES)
        if len(given) > 1:
            _refuse(f"both {given[0]} and {given[1]} are given; expected one of them", given[1])
        if self.multipart is not None and any(
            name.lower() == "content-type" for name in self.headers
        ):
            _refuse(
                "the header Content-Type follows from multipart, whose boundary is in it; leave it out",
                "headers",
            )
        if self.extract is not None and self.format in ("text", "bytes"):
            _refuse(f"extract is for JSON, and the format is {self.format}", "extract")
        return self

    @model_validator(mode="after")
    def _check_text(self) -> Self:
        if self.encoding is not None and self.format == "bytes":
            _refuse("encoding is for text, and the format is bytes", "encoding")
        return self


class HttpSourceConfig(ReadTable, RequestConfig):
    """``<source type="http">``: asks a server; the output is the decoded body of its answer."""

    format: Literal["auto", "json", "text", "bytes", "jsonl", "csv", "tsv", "lines", "events"] = (
        Field(  # type: ignore[assignment]
            default="auto",
            description="how the body is decoded; auto: by its content type; events: server-sent events, each "
            "{event, data, id}",
        )
    )
    stream: bool = Field(
        default=False,
        description="the output is a stream of the records (jsonl, csv, tsv, lines, events, or the items of JSON "
        "lists), which a foreach or a sink consumes once, and they are received meanwhile",
    )
    next: Literal["link", "cursor", "offset", "page"] | None = Field(
        default=None,
        description="where the next of several pages is: in the header Link, under cursor in the body, or by a "
        "parameter that counts items (offset) or pages; the output is the items of all of them",
    )
    next_param: str | None = Field(
        default=None,
        min_length=1,
        description="the parameter that asks for the next page; default: cursor, offset or page",
    )
    cursor: Extract | None = Field(
        default=None,
        description="a JMESPath expression that finds, in the body of a page, the cursor or the URL of the next "
        "one; null: it was the last",
    )
    response: Literal["body", "full"] = Field(
        default="body", description="full: the output is {status, headers, url, body}"
    )
    download: Path | None = Field(
        default=None,
        description="a file that the body is saved to, however large; an attempt goes on where the one before "
        "broke off; the output is {path, bytes, sha256, status, resumed}, or with response: full that is its body",
    )
    sha256: str | None = Field(
        default=None,
        pattern="^[0-9A-Fa-f]{64}$",
        description="the hash that a download must have, in hex",
    )
    method: Method = Field(default="GET", description="the method of the request")
    body: Any = Field(default=None, description="text as it is; a mapping or a list as JSON")

    @model_validator(mode="after")
    def _check_records(self) -> Self:
        if self.next is not None:
            if self.format not in ("auto", "json"):
                _refuse(f"pages are JSON, and the format is {self.format}", "next")
            if (self.cursor is None) == (self.next == "cursor"):
                _refuse("cursor is needed for next: cursor, and for nothing else", "cursor")
            if self.next == "link" and self.next_param is not None:
                _refuse(
                    "the header Link has whole URLs: nothing is asked by next-param", "next_param"
                )
            if self.upload is not None:
                _refuse("a file is sent once, and pages are asked for again and again", "upload")
        elif self.cursor is not None or self.next_param is not None:
            name = "cursor" if self.cursor is not None else "next_param"
            _refuse(f"{name.replace('_', '-')} is for pages, and next is missing", name)
        if self.is_of_records and self.download is not None:
            _refuse("a download is saved as it is: it has no records", "download")
        for name in ("extract", "download", "stream", "next"):
            if getattr(self, name) and self.method.upper() == "HEAD":
                _refuse(f"{name} is for a body, and an answer to HEAD has none", name)
        self._check_download()
        if self.stream and self.format in ("text", "bytes"):
            _refuse(
                f"stream is for records ({', '.join(RECORDS)} or json), and the format is {self.format}",
                "stream",
            )
        if self.format in RECORDS and self.format != "jsonl" and self.extract is not None:
            _refuse(f"extract is for JSON, and the format is {self.format}", "extract")
        if not (self.format == "auto" and self.stream and self.next is None):
            form = "json" if self.next is not None else self.format
            self.check_tables(form, "; expected format: csv" if form == "auto" else "")
        return self

    def _check_download(self) -> None:
        if self.download is None:
            if self.sha256 is not None:
                _refuse("sha256 is for downloads, and download is missing", "sha256")
            return
        for name in ("encoding", "extract", "format"):
            if getattr(self, name) not in (None, "auto"):
                _refuse("a download is saved as it is: nothing of it is decoded", name)

    @property
    def is_of_records(self) -> bool:
        """Whether the answer is read as records."""
        return self.stream or self.next is not None or self.format in RECORDS


class HttpSinkConfig(RequestConfig):
    """``<sink type="http">``: sends to a server; the output has the status, headers and body of its answer."""

    method: Method = Field(default="POST", description="the method of the request")
    body: Any = Field(
        default=None,
        description="text as it is; a mapping or a list as JSON; default: the input as JSON",
    )


def _refuse(message: str, setting: str) -> NoReturn:
    raise PydanticCustomError("records", "{message}", {"message": message, "setting": setting})
