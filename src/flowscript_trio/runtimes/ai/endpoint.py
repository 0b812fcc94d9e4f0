"""Owns where a request goes, and with which key: the settings, else the run's secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from ...types.errors import FlowScriptError, SettingError
from ...types.services import OPENAI, SERVICES
from ..http.spelling import check_url


@dataclass(frozen=True, slots=True, repr=False)
class Endpoint:
    """The URL that completions are asked of, and the key, or None: then none is sent."""

    base: str
    key: str | None

    @property
    def url(self) -> str:
        """The URL of chat completions; a query of the base stays at its end. Raises SettingError."""
        check_url(self.base, "base-url")
        try:
            parts = urlsplit(self.base.strip())
        except ValueError as exc:
            raise SettingError(
                f"the base-url is not a valid URL: {exc}; expected https://…"
            ) from None
        path = parts.path.rstrip("/") + "/chat/completions"
        return urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))

    @property
    def tokens_name(self) -> str:
        """What the limit of tokens is called: newer models of OpenAI refuse the name that all others know."""
        return "max_completion_tokens" if _same(self.base, OPENAI) else "max_tokens"


def find_endpoint(base: str | None, key: str | None, secrets: Mapping[str, str]) -> Endpoint:
    """The endpoint by the settings ``base-url`` and ``api-key``, and by the secrets for what they leave out.

    A key of the secrets goes to the URL that belongs to it and nowhere else: a document that names another
    URL has to name the key, too. Raises FlowScriptError where there is neither a URL nor a key.
    """
    known = [
        (secrets[key_name], secrets.get(url_name, url))
        for key_name, url_name, url in SERVICES
        if key_name in secrets
    ]
    if base:
        own = next((found for found, url in known if _same(url, base)), None)
        return Endpoint(base, key or own)
    if key:
        fallback = secrets.get("OPENAI_BASE_URL", OPENAI)
        return Endpoint(next((url for found, url in known if found == key), fallback), key)
    if known:
        return Endpoint(known[0][1], known[0][0])
    raise FlowScriptError(
        "there is no key for an AI service; expected the settings base-url and api-key, or the secret "
        "OPENAI_API_KEY or OPENROUTER_API_KEY (a document that is called has to declare it)"
    )


def _same(one: str, other: str) -> bool:
    return one.strip().rstrip("/").lower() == other.strip().rstrip("/").lower()
