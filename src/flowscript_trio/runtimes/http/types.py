"""Owns the settings of HTTP sources and sinks."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Field

from ...types.http import Redirects
from ..reticent import Reticent
from .auth import Auth
from .extract import Extract

Method = Annotated[str, Field(pattern=r"^[A-Za-z]{1,20}$")]


class RequestConfig(Reticent):
    """What sources and sinks share."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        extra="forbid", frozen=True, defer_build=True, arbitrary_types_allowed=True
    )

    unshown: ClassVar[frozenset[str]] = frozenset(
        {"url", "headers", "params", "body", "form", "multipart"}
    )

    url: str = Field(min_length=1, description="where the request goes")
    headers: dict[str, Any] = Field(default={}, description="headers by name; null leaves one out")
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
    redirects: Redirects = Field(
        default="follow",
        description="which redirects are followed; another origin is sent neither headers of the settings "
        "nor a body",
    )
    form: dict[str, Any] | None = Field(
        default=None, description="sent as a form (urlencoded), in place of the body"
    )
    multipart: dict[str, Any] | None = Field(
        default=None,
        description="sent as multipart/form-data, in place of the body; a file is {content, filename, type}",
    )
    upload: str | None = Field(
        default=None, min_length=1, description="a file whose content is sent, in place of the body"
    )


class HttpSourceConfig(RequestConfig):
    """``<source type="http">``: asks a server; the output is the decoded body of its answer."""

    response: Literal["body", "full"] = Field(
        default="body", description="full: the output is {status, headers, url, body}"
    )
    download: str | None = Field(
        default=None,
        min_length=1,
        description="a file that the body is saved to, however large; an attempt goes on where the one before "
        "broke off; the output is {path, bytes, sha256, status, resumed}",
    )
    sha256: str | None = Field(
        default=None,
        pattern="^[0-9A-Fa-f]{64}$",
        description="the hash that a download must have, in hex",
    )
    method: Method = Field(default="GET", description="the method of the request")
    body: Any = Field(default=None, description="text as it is; a mapping or a list as JSON")


class HttpSinkConfig(RequestConfig):
    """``<sink type="http">``: sends to a server; the output has the status, headers and body of its answer."""

    method: Method = Field(default="POST", description="the method of the request")
    body: Any = Field(
        default=None,
        description="text as it is; a mapping or a list as JSON; default: the input as JSON",
    )
