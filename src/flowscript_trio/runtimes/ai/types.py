"""Owns the settings of ``<transform type="ai">``."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import ConfigDict, Field

from ...types.errors import SettingError
from ..http.spelling import check_url
from ..markers import Resolved
from ..reticent import Reticent
from ..spelled import checked_by
from .schema import OutputSchema, with_names

_ADDED = "/chat/completions"


def _check_base(url: str) -> None:
    if not url:
        return  # as where there is none
    check_url(url, "base-url")
    if url.strip().partition("?")[0].rstrip("/").endswith(_ADDED):
        raise SettingError(
            f"the base-url ends in {_ADDED}, which is added to it; expected it without that"
        )


BaseUrl = Annotated[str, checked_by(_check_base)]


class AIConfig(Reticent):
    """``<transform type="ai">``, ``<ai>``: asks a language model; the output is text, or what a schema describes.

    ``prompt`` is another name of ``user``.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(
        extra="forbid",
        frozen=True,
        defer_build=True,
        populate_by_name=True,
        arbitrary_types_allowed=True,
    )

    unshown: ClassVar[frozenset[str]] = frozenset({"system", "prompt", "base_url", "api_key"})

    model: str = Field(min_length=1, description="the model, as the service calls it")
    system: str | None = Field(default=None, description="the system message")
    prompt: Any = Field(
        default=None,
        alias="user",
        description="the user message: text as it is, else JSON; default: the input (`prompt` is the same)",
    )
    output_schema: Annotated[OutputSchema | None, Resolved(with_names)] = Field(
        default=None,
        description="what the answer has to be, as {name: type}, as JSON Schema, or by the name of one of the "
        "document's schemas; without it, it is text",
    )
    temperature: float | None = Field(
        default=None, ge=0, le=2, description="how much chance there is in the answer"
    )
    max_tokens: int | None = Field(default=None, ge=1, description="the longest answer, in tokens")
    repairs: int = Field(
        default=2,
        ge=0,
        le=10,
        description="how often to ask again for an answer that does not fit",
    )
    base_url: BaseUrl | None = Field(
        default=None, description="the service, up to /chat/completions; default: by the secrets"
    )
    api_key: str | None = Field(default=None, description="its key; default: by the secrets")
