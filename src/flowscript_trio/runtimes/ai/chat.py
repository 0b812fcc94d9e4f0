"""Owns one chat completion: the request, the answer, and what is wrong with an answer that cannot be used."""

from __future__ import annotations

from typing import Any

from ...types.masking import Masker
from ..http.answer import decoded
from ..http.auth import Auth
from ..http.client import exchange
from ..http.content import json_content
from ..http.errors import HTTPStatusError, bare_url
from ..http.types import RequestConfig
from ..types import RunServices
from .endpoint import Endpoint
from .errors import AIError

SHOWN = 300
"""Characters of an answer that an error shows."""
LARGEST = 8 * 1024 * 1024
"""Bytes of an answer: far more than a model writes, and few enough to be judged without a hold-up."""


class Chat:
    """A service and what every request to it says; ``ask`` is one completion."""

    def __init__(self, run: RunServices, endpoint: Endpoint, request: dict[str, Any]) -> None:
        self._run = run
        self._request = request
        self._asked = 0
        self._masker = Masker([endpoint.key] if endpoint.key else [])
        auth = Auth(type="bearer", token=endpoint.key) if endpoint.key else None
        self._config = RequestConfig(url=endpoint.url, auth=auth, format="json")

    async def ask(self, messages: list[dict[str, str]]) -> str:
        """The text of the answer to a conversation.

        Raises HTTPStatusError for a status of 400 or more, httpx's own errors for a connection that fails,
        FlowScriptError for a body that is not JSON, and AIError for one that is not a usable completion.
        Cancellation closes the connection at once.
        """
        content = await json_content({**self._request, "messages": messages})
        try:
            asked, self._asked = self._asked, self._asked + 1
            answer = await exchange(self._run, self._config, "POST", content, number=asked)
        except HTTPStatusError as exc:
            if self._config.auth is None and exc.status in (401, 403):
                exc.add_note(
                    "no key was sent: a document that names a base-url names its api-key, too"
                )
            if self._masker.hides(str(exc)):  # a service that repeats the key which it refuses
                shown = self._masker.text(exc.excerpt)
                raise HTTPStatusError(exc.response, shown, exc.retry_after) from None
            raise
        self._place = bare_url(answer.url)
        if len(answer.content) > LARGEST:
            raise AIError(
                f"the answer of {self._place} has {len(answer.content):,} bytes; expected at most {LARGEST:,}",
                "malformed",
            )
        return self._text_of(await decoded(answer, self._config))

    def shown(self, value: object) -> str:
        """The beginning of an answer for a message, without the key."""
        text = self._masker.text(value if isinstance(value, str) else repr(value))
        return text if len(text) <= SHOWN else text[:SHOWN] + "…"

    def _text_of(self, body: Any) -> str:
        """The text of the first choice."""
        if isinstance(body, dict) and body.get("error"):
            raise self._service_error(body["error"])
        choices = body.get("choices") if isinstance(body, dict) else None
        if not isinstance(choices, list):
            found = self.shown(body)
            raise AIError(
                f"the answer of {self._place} is not a chat completion: {found}", "malformed"
            )
        if not choices:
            raise AIError(f"the answer of {self._place} has no choices", "empty")
        choice = choices[0]
        message = choice.get("message") if isinstance(choice, dict) else None
        if isinstance(choice, dict) and choice.get("error"):
            raise self._service_error(choice["error"])
        if not isinstance(message, dict):
            found = self.shown(choice)
            raise AIError(f"the answer of {self._place} has no message: {found}", "malformed")
        return self._content_of(message, choice.get("finish_reason"))

    def _content_of(self, message: dict[str, Any], finish: Any) -> str:
        if message.get("refusal"):
            raise AIError(f"the model refused: {self.shown(message['refusal'])}", "refused")
        text = _join(message.get("content"))
        if finish == "content_filter":
            raise AIError(f"a content filter of {self._place} stopped the answer", "refused")
        if finish in ("length", "max_tokens"):
            begun = f"; it begins {self.shown(text)!r}" if text else ""
            raise AIError(
                f"the answer was cut off at the limit of tokens (see max-tokens){begun}", "cut-off"
            )
        if finish == "error":
            begun = f"; it begins {self.shown(text)!r}" if text else ""
            raise AIError(
                f"{self._place} broke off the answer with an error{begun}",
                "service",
                retryable=True,
            )
        if text is None or not text.strip():
            thought = any(message.get(name) for name in _THOUGHTS)
            why = ", only its reasoning (a larger max-tokens may help)" if thought else ""
            raise AIError(f"the answer of {self._place} has no content ({finish}){why}", "empty")
        return text

    def _service_error(self, error: Any) -> AIError:
        """What a service reports under the status 200; ``code`` may be an HTTP status."""
        told, status = error, None
        if isinstance(error, dict):
            told = error.get("message") or error
            code = error.get("code", error.get("status"))
            if isinstance(code, str) and code.isdigit():
                code = int(code)
            if isinstance(code, int) and not isinstance(code, bool) and 400 <= code <= 599:
                status = code
        number = "" if status is None else f" {status}"
        return AIError(
            f"{self._place} reports the error{number}: {self.shown(told)}", "service", status
        )


_THOUGHTS = ("reasoning", "reasoning_content", "thinking")
"""Where services put what the model thought before it answered."""


def _join(content: Any) -> str | None:
    """The text of a message, which some services give in parts; None where there is none."""
    if isinstance(content, list):
        texts = [part.get("text") for part in content if isinstance(part, dict)]
        found = [text for text in texts if isinstance(text, str)]
        return "".join(found) if found else None
    return content if isinstance(content, str) else None
