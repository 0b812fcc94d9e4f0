"""Owns the masking of secrets in texts and values, however they are encoded there."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterable
from functools import cached_property
from typing import Any

MASK = "***"
SHORTEST = 4
"""A secret of fewer characters is masked only where it is the whole text."""

_LETTERS = {"\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f"}
_SCHEME = re.compile(r"[a-z][a-z0-9+]*:/*")
"""How URLs begin, which tells nothing of a secret that is one."""

_ELLIPSIS = re.compile(r"…|\.\.\.")


class Masker:
    """Finds the secrets of a run in texts and values, and puts ``***`` in their place.

    A secret is found as it is, escaped (as in JSON, in Python's ``repr`` and in XML), URL-encoded in whole or
    in part, in base64 (also as a part of what was encoded), and cut off before an ellipsis.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        known = [secret for secret in set(secrets) if secret]
        self._short = frozenset(secret for secret in known if len(secret) < SHORTEST)
        self._long = sorted((s for s in known if len(s) >= SHORTEST), key=len, reverse=True)
        self._plain = _either(_pattern(secret, in_url=False) for secret in self._long)
        forms = {
            form
            for secret in self._long
            for form in _base64_forms(secret.encode("utf-8", "surrogatepass"))
        }
        self._base64 = _either(re.escape(form) for form in sorted(forms, key=len, reverse=True))
        self._bytes = _either_bytes(
            secret.encode("utf-8", "surrogatepass") for secret in self._long
        )

    def text(self, text: str) -> str:
        """The text without secrets; the same object where there are none in it."""
        if text in self._short:
            return MASK
        masked = text
        if self._plain is not None:
            masked = self._plain.sub(MASK, masked)
        if self._base64 is not None:
            masked = self._base64.sub(MASK, masked)
        if self._long and ("%" in masked or "+" in masked):
            masked = self._urls.sub(MASK, masked)
        if "…" in masked or "..." in masked:
            masked = self._without_beginnings(masked)
        return text if masked == text else masked

    def value(self, value: Any) -> Any:
        """A value without secrets in its texts and keys; parts in which there are none are the same objects."""
        return self._value(value, {})

    def hides(self, text: str) -> bool:
        """Whether there is a secret in a text."""
        return self.text(text) is not text

    @cached_property
    def _urls(self) -> re.Pattern[str]:
        """Made when first needed: it is long, and few texts are URLs."""
        return re.compile("|".join(_pattern(secret, in_url=True) for secret in self._long))

    def _without_beginnings(self, text: str) -> str:
        """Text without the beginnings of secrets that were cut off before an ellipsis."""
        pieces, start = [], 0
        for found in _ELLIPSIS.finditer(text):
            piece = text[start : found.start()]
            for secret in self._long:
                length = min(len(secret), len(piece))
                while length >= SHORTEST and not piece.endswith(secret[:length]):
                    length -= 1
                if length >= SHORTEST and not _SCHEME.fullmatch(secret[:length]):
                    piece = piece[:-length] + MASK
                    break
            pieces += [piece, found[0]]
            start = found.end()
        return "".join([*pieces, text[start:]])

    def _value(self, value: Any, seen: dict[int, Any]) -> Any:
        kind = type(value)
        if kind is str:
            return self.text(value)
        if kind is bytes:
            return value if self._bytes is None else self._mask_bytes(value)
        if kind not in (dict, list, tuple):
            return value
        if id(value) in seen:
            return seen[id(value)]
        seen[id(value)] = value  # what refers to itself is masked where it is first met
        made: Any
        if kind is dict:
            made = {self._value(k, seen): self._value(v, seen) for k, v in value.items()}
            same = all(
                a is c and b is d
                for (a, b), (c, d) in zip(value.items(), made.items(), strict=False)
            )
        else:
            made = kind(self._value(item, seen) for item in value)
            same = all(a is b for a, b in zip(value, made, strict=True))
        if not (same and len(made) == len(value)):
            seen[id(value)] = made
        return seen[id(value)]

    def _mask_bytes(self, value: bytes) -> bytes:
        assert self._bytes is not None
        masked = self._bytes.sub(MASK.encode(), value)
        return value if masked == value else masked


def _base64_forms(secret: bytes) -> set[str]:
    """The digits of base64 that tell of a secret and of nothing else, wherever it begins in what is encoded."""
    forms = set()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        whole = encode(secret).decode()
        forms |= {whole, whole.rstrip("=")}
        for shift in range(3):
            digits = encode(bytes(shift) + secret + bytes(3)).decode()
            first = -(-8 * shift // 6)
            forms.add(digits[first : 8 * (shift + len(secret)) // 6])
    return forms


def _pattern(secret: str, in_url: bool) -> str:
    """A pattern of a secret however its characters are escaped; ``in_url``: any of them may be URL-encoded."""
    pieces = []
    for char in secret:
        either = [char] if char.isascii() and char.isalnum() else _escaped(char)
        if in_url:
            either.append(
                "(?i:"
                + "".join(f"%{byte:02x}" for byte in char.encode("utf-8", "surrogatepass"))
                + ")"
            )
            either += [r"\+"] if char == " " else []
        pieces.append(either[0] if len(either) == 1 else f"(?:{'|'.join(either)})")
    return "".join(pieces)


def _escaped(char: str) -> list[str]:
    """Patterns of one character as JSON, Python and XML escape it, several times over too."""
    # Possessive: a long row of backslashes is not tried again from each of them. None is enough, since those
    # may belong to a backslash before.
    slash = r"\\*+"
    code = ord(char)
    units = char.encode("utf-16-be", "surrogatepass")
    pairs = [units[at : at + 2].hex() for at in range(0, len(units), 2)]
    either = [r"\\++" if char == "\\" else slash + re.escape(char)]
    either += ["".join(f"(?i:{slash}u{pair})" for pair in pairs), f"(?i:{slash}U{code:08x})"]
    either.append(
        "".join(f"(?i:{slash}x{byte:02x})" for byte in char.encode("utf-8", "surrogatepass"))
    )
    either += [f"(?i:{slash}x{code:02x})"] if 127 < code < 256 else []
    either += [slash + _LETTERS[char]] if char in _LETTERS else []
    named = html.escape(char)
    either += [re.escape(named)] if named != char else []
    return [*either, f"(?i:&#x0*{code:x};)", f"&#0*{code};"]


def _either(patterns: Iterable[str]) -> re.Pattern[str] | None:
    pattern = "|".join(patterns)
    return re.compile(pattern) if pattern else None


def _either_bytes(texts: Iterable[bytes]) -> re.Pattern[bytes] | None:
    pattern = b"|".join(re.escape(text) for text in texts)
    return re.compile(pattern) if pattern else None
