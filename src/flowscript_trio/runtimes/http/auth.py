"""Owns the ways in which a request can be authorised, as one setting."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from ...parser.names import canonical
from ...types.errors import nearest
from ..reticent import Reticent
from ..spelled import checked_by
from .spelling import NAME, check_url

_NEEDS = {
    "none": (),
    "bearer": ("token",),
    "basic": ("username", "password"),
    "digest": ("username", "password"),
    "oauth2": ("token_url", "client_id", "client_secret"),
    "hmac": ("key", "header"),
}
"""The keys that each type must have."""

_TAKES = {
    **_NEEDS,
    "oauth2": (*_NEEDS["oauth2"], "scope", "credentials"),
    "hmac": (
        *_NEEDS["hmac"], "algorithm", "covers", "encoding", "prefix", "separator", "timestamp_header",
    ),
}  # fmt: skip
"""The keys that each type may have."""

_EXAMPLES = {
    "bearer": "{type: bearer, token: {{$secrets.TOKEN}}}",
    "basic": "{type: basic, username: {{$secrets.USER}}, password: {{$secrets.PASSWORD}}}",
    "digest": "{type: digest, username: {{$secrets.USER}}, password: {{$secrets.PASSWORD}}}",
    "oauth2": "{type: oauth2, token-url: https://…, client-id: …, client-secret: {{$secrets.SECRET}}}",
    "hmac": "{type: hmac, key: {{$secrets.KEY}}, header: X-Signature}",
}
"""What each type looks like in a document."""

TokenUrl = Annotated[str, checked_by(partial(check_url, name="token-url of auth"))]


def _split(value: Any) -> Any:
    """Words with commas or spaces between are a list of words."""
    return value.replace(",", " ").split() if isinstance(value, str) else value


Covered = Literal["method", "path", "timestamp", "body"]


class Auth(Reticent):
    """How a request is authorised. All spellings of a key are one (``client-id``, ``clientId``).

    ``oauth2`` is the client credentials grant (RFC 6749, 4.4); ``hmac`` signs the request with a shared key.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    unshown: ClassVar[frozenset[str]] = frozenset(
        {"token", "username", "password", "client_id", "client_secret", "key"}
    )

    type: Literal["bearer", "basic", "digest", "oauth2", "hmac", "none"]
    token: str = Field(default="", description="of bearer")
    username: str = Field(default="", description="of basic and digest")
    password: str = Field(default="", description="of basic and digest")
    token_url: TokenUrl = Field(default="", description="of oauth2: where to ask for a token")
    client_id: str = Field(default="", description="of oauth2")
    client_secret: str = Field(default="", description="of oauth2")
    scope: str = Field(default="", description="of oauth2, where the server wants one")

    credentials: Literal["header", "form"] = Field(
        default="header", description="of oauth2: where its server wants the id and the secret"
    )

    key: str = Field(default="", min_length=1, description="of hmac: the shared key")
    header: str = Field(default="", description="of hmac: the header that the signature is sent in")
    algorithm: Literal["sha256", "sha384", "sha512", "sha1"] = Field(
        default="sha256", description="of hmac: the hash"
    )
    covers: Annotated[tuple[Covered, ...], BeforeValidator(_split)] = Field(
        default=("body",),
        min_length=1,
        description="of hmac: what is signed, in this order: method, path (with the query), timestamp, body",
    )
    separator: str = Field(default="", description="of hmac: what goes between the parts")
    encoding: Literal["hex", "base64"] = Field(
        default="hex", description="of hmac: how the signature is written"
    )
    prefix: str = Field(default="", description="of hmac: what goes before it, such as sha256=")
    timestamp_header: str = Field(
        default="", description="of hmac: the header for the time, in seconds since 1970"
    )

    @model_validator(mode="before")
    @classmethod
    def _spell(cls, value: Any) -> Any:
        if isinstance(value, dict):
            return {canonical(k): v for k, v in value.items()}
        if value == "none":
            return {"type": value}
        if isinstance(value, str):
            raise _not_a_mapping(value.strip().lower())
        return value

    @model_validator(mode="after")
    def _check_keys(self) -> Self:
        given = self.model_fields_set - {"type"}
        for name in _NEEDS[self.type]:
            if name not in given:
                needs = "auth of type {type} needs {key}; expected one such as "
                raise _refuse(needs + _EXAMPLES[self.type], self.type, name)
        for name in sorted(given - set(_TAKES[self.type])):
            raise _refuse("auth of type {type} takes no {key}", self.type, name)
        if self.type == "hmac":
            self._check_signature()
        return self

    def _check_signature(self) -> None:
        for name in ("header", "timestamp_header"):
            value = getattr(self, name)
            if value and not NAME.fullmatch(value):
                raise _refuse("{type}: {key} is not a valid name of a header", "hmac", name)
        if "timestamp" in self.covers and not self.timestamp_header:
            raise _refuse(
                "auth of type {type} covers the timestamp, so it needs {key}",
                "hmac",
                "timestamp_header",
            )


def _not_a_mapping(word: str) -> PydanticCustomError:
    """The error of a text in place of a mapping, which shows the mapping that was meant."""
    kind = nearest(word, _EXAMPLES)
    which = f" of type {kind} is" if kind else " is one of several types, each"
    example = _EXAMPLES[kind or "bearer"]
    message = f"auth{which} a mapping, not text; expected one such as {example}"
    return PydanticCustomError("auth_text", "{message}", {"message": message, "setting": "auth"})


def _refuse(message: str, kind: str, name: str) -> PydanticCustomError:
    return PydanticCustomError("auth_key", message, {"type": kind, "key": name, "setting": "auth"})
