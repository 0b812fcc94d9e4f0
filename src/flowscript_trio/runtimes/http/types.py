"""Owns the settings of HTTP sources and sinks."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any, Literal

import jmespath
from jmespath.exceptions import JMESPathError
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

_MODEL = ConfigDict(extra="forbid", frozen=True, defer_build=True)


@lru_cache(1024)
def compile_path(path: str) -> Any:
    """The compiled JMESPath expression; raises ValueError where it is none."""
    try:
        return jmespath.compile(path)
    except JMESPathError as exc:
        raise ValueError(
            f"{path!r} is no JMESPath expression: {str(exc).splitlines()[0]}"
        ) from None


def _check_path(path: str) -> str:
    compile_path(path)
    return path


class Auth(BaseModel):
    """How a request is authorised; ``oauth2`` is the client credentials grant."""

    model_config = _MODEL

    type: Literal["bearer", "basic", "oauth2", "none"] = "none"
    token: str | None = Field(None, description="of bearer")
    username: str | None = Field(None, description="of basic")
    password: str | None = Field(None, description="of basic")
    token_url: str | None = Field(None, description="of oauth2: where a token is asked for")
    client_id: str | None = Field(None, description="of oauth2")
    client_secret: str | None = Field(None, description="of oauth2")
    scope: str | None = Field(None, description="of oauth2")

    @model_validator(mode="after")
    def _check_parts(self) -> Auth:
        needed = {
            "bearer": ("token",),
            "basic": ("username", "password"),
            "oauth2": ("token_url", "client_id", "client_secret"),
            "none": (),
        }[self.type]
        for name in needed:
            if getattr(self, name) is None:
                raise PydanticCustomError(
                    "auth_part", f"auth of type {self.type} needs {name}", {"setting": "auth"}
                )
        return self


class RequestConfig(BaseModel):
    """What sources and sinks share."""

    model_config = _MODEL

    url: str = Field(description="where the request goes")
    headers: dict[str, Any] = Field(default={}, description="headers by name; null leaves one out")
    params: dict[str, Any] = Field(default={}, description="the query; lists repeat a name")
    auth: Auth = Field(default=Auth.model_construct(), description="how the request is authorised")
    extract: Annotated[str, AfterValidator(_check_path)] | None = Field(
        None, description="a JMESPath expression that is applied to the decoded body"
    )
    format: Literal["auto", "json", "text", "bytes"] = Field(
        "auto", description="how the body is decoded; auto: by its content type"
    )


Method = Annotated[str, Field(pattern=r"^[A-Za-z]{1,20}$")]


class HttpSourceConfig(RequestConfig):
    """``<source type="http">``"""

    method: Method = Field("GET", description="the method of the request")
    body: Any = Field(None, description="text as it is; a mapping or a list as JSON")


class HttpSinkConfig(RequestConfig):
    """``<sink type="http">``"""

    method: Method = Field("POST", description="the method of the request")
    body: Any = Field(None, description="default: the input, as JSON")
