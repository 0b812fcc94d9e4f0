"""Owns which services of chat completions are known: the names of their secrets, and where they are."""

from __future__ import annotations

OPENAI = "https://api.openai.com/v1"

SERVICES = (
    ("OPENAI_API_KEY", "OPENAI_BASE_URL", OPENAI),
    ("OPENROUTER_API_KEY", "OPENROUTER_BASE_URL", "https://openrouter.ai/api/v1"),
)
"""For each the names of the secrets of its key and its URL, and its URL where no secret says another."""

SECRETS = tuple(name for key, url, _ in SERVICES for name in (key, url))
"""The secrets that are looked at. An expression sees one of them only where its document declares it."""
