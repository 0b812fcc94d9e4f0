"""Owns AI: importing it registers the transform. What makes requests is imported at the first one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ...expression import to_text
from ...types.errors import SettingError
from ...types.shapes import TEXT, UNKNOWN, Shape, shape_of_schema
from ..http.preparing import prepare, ready
from ..http.trimming import warn_of, without_breaks
from ..registry import registry
from ..types import ExecutionParams
from .endpoint import find_endpoint
from .schema import OutputSchema
from .types import AIConfig

TIMEOUT = 120.0  # seconds, for an answer with all its repairs


class AITransform:
    """Type ``transform:ai``: asks a service of chat completions (those of OpenAI, or compatible).

    Its output is the text of the answer, or with ``output-schema`` the value, which fits the schema.
    Cancellation closes the connection at once; what the service has done by then may be billed.
    """

    type = "transform:ai"
    config = AIConfig
    reads_only = True
    timeout: float | None = TIMEOUT

    def gives(self, known: Mapping[str, Any]) -> Shape:
        if "output_schema" not in known:
            return UNKNOWN
        schema = known["output_schema"]
        if schema is None:
            return TEXT
        return shape_of_schema(schema.json) if isinstance(schema, OutputSchema) else UNKNOWN

    @staticmethod
    def prepare() -> None:
        """Import what asks, when a document that does is loaded."""
        prepare()
        from . import answering, chat  # noqa: F401

    async def execute(self, params: ExecutionParams) -> Any:
        await ready()
        from .answering import ask_for, response_format
        from .chat import Chat

        config: AIConfig = params.config
        secrets: dict[str, str] = params.scope.value("$secrets").held
        endpoint = find_endpoint(config.base_url, config.api_key, secrets)
        key = without_breaks(endpoint.key)
        if key is not endpoint.key:
            warn_of("the key for the AI service", params)
            endpoint = replace(endpoint, key=key)
        request: dict[str, Any] = {"model": config.model}
        if config.temperature is not None:
            request["temperature"] = config.temperature
        if config.max_tokens is not None:
            request[endpoint.tokens_name] = config.max_tokens
        schema = config.output_schema
        if schema is not None:
            name = re.sub(r"[^A-Za-z0-9_-]", "_", params.node.label)[:64]
            request["response_format"] = response_format(schema, name)
        chat = Chat(params.run, endpoint, request)
        messages = _messages(params)
        if schema is None:
            return await chat.ask(messages)
        return await ask_for(chat, messages, schema, config.repairs)


def _messages(params: ExecutionParams) -> list[dict[str, str]]:
    config: AIConfig = params.config
    given = "prompt" in config.model_fields_set
    said = config.prompt if given else params.input
    if said is None:
        what = "the setting user is null" if given else "there is no user message, and no input"
        raise SettingError(f"{params.node.label}: {what}; expected text, or any value as JSON")
    messages = [{"role": "system", "content": config.system}] if config.system else []
    return [*messages, {"role": "user", "content": to_text(said, params.run.services)}]


registry.register(AITransform.type, AITransform())
