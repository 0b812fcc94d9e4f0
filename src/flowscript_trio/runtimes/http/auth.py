"""Owns the ways in which a request can be authorised, as one setting."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from ...parser.names import canonical
from ..reticent import Reticent

_NEEDS = {
    "none": (),
    "bearer": ("token",),
    "basic": ("username", "password"),
    "digest": ("username", "password"),
    "oauth2": ("token_url", "client_id", "client_secret"),
}
"""The keys that each type must have."""

_TAKES = {**_NEEDS, "oauth2": (*_NEEDS["oauth2"], "scope", "credentials")}
"""The keys that each type may have."""


class Auth(Reticent):
    """How a request is authorised. All spellings of a key are one (``client-id``, ``clientId``).

    ``oauth2`` is the client credentials grant (RFC 6749, 4.4).
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    unshown: ClassVar[frozenset[str]] = frozenset(
        {"token", "username", "password", "client_id", "client_secret"}
    )

    type: Literal["bearer", "basic", "digest", "oauth2", "none"]
    token: str = Field(default="", description="of bearer")
    username: str = Field(default="", description="of basic and digest")
    password: str = Field(default="", description="of basic and digest")
    token_url: str = Field(default="", description="of oauth2: where a token is asked for")
    client_id: str = Field(default="", description="of oauth2")
    client_secret: str = Field(default="", description="of oauth2")
    scope: str = Field(default="", description="of oauth2, where the server wants one")

    credentials: Literal["header", "form"] = Field(
        default="header", description="of oauth2: where its server wants the id and the secret"
    )

    @model_validator(mode="before")
    @classmethod
    def _spell(cls, value: Any) -> Any:
        return {canonical(k): v for k, v in value.items()} if isinstance(value, dict) else value

    @model_validator(mode="after")
    def _check_keys(self) -> Self:
        given = self.model_fields_set - {"type"}
        for name in _NEEDS[self.type]:
            if name not in given:
                raise _refuse("auth of type {type} needs {key}", self.type, name)
        for name in sorted(given - set(_TAKES[self.type])):
            raise _refuse("auth of type {type} takes no {key}", self.type, name)
        return self


def _refuse(message: str, kind: str, name: str) -> PydanticCustomError:
    return PydanticCustomError("auth_key", message, {"type": kind, "key": name, "setting": "auth"})
