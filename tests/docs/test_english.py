"""Owns the check of pages for phrases that are not idiomatic English."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    *(page for page in sorted((ROOT / "docs").rglob("*.md")) if "_build" not in page.parts),
]
_CODE = re.compile(r"^(```+).*?^\1|`[^`\n]*`", re.DOTALL | re.MULTILINE)
_GENERATED = re.compile(
    r"^<!-- generated: ([a-z-]+) -->$.*?^<!-- end: \1 -->$", re.DOTALL | re.MULTILINE
)
"""What the code says of itself is written there."""
_THERE = r"(?<![Tt]here )"
_QUOTED = re.compile(r"what comes too late is no success")
"""A promise by its name, as `flowscript prove` writes it."""
PHRASES = {
    "“is no …”: write “is not a …”": re.compile(
        _THERE
        + r"\b(?:is|are|was|were) no (?!longer|more|less|one|larger|deeper|earlier|later|sooner)"
    ),
    "“is none”: write “there is none” or “is not one”": re.compile(
        _THERE + r"\b(?:is|are|was|were) none\b"
    ),
    "“in its stead”: write “instead”": re.compile(r"\bin (?:its|their|his) stead\b"),
    "“who calls”: write “the caller” or “whoever calls”": re.compile(r"(?<![\w’'])who calls\b"),
    "“of which the”: write “whose”": re.compile(r"\bof which the\b"),
    "“is told elsewhere”: write “is described elsewhere”": re.compile(r"\bis told \[?elsewhere"),
}


def unidiomatic(text: str) -> list[str]:
    """Every such phrase with its line, and what to write instead."""
    plain = _GENERATED.sub(_blank, text)
    plain = _QUOTED.sub(_blank, _CODE.sub(_blank, plain))
    return [
        f"line {plain.count(chr(10), 0, found.start()) + 1}: {said} "
        f"({' '.join(plain[max(0, found.start() - 40) : found.end() + 30].split())})"
        for said, phrase in PHRASES.items()
        for found in phrase.finditer(plain)
    ]


def _blank(found: re.Match[str]) -> str:
    """As many lines of code, which has no prose."""
    return "X" + "\n" * found[0].count("\n")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_has_no_such_phrase(page: Path) -> None:
    assert unidiomatic(page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "text",
    [
        "A sentence.\nIt is no URL.",
        "Those are none of ours.",
        "It stands in its stead.",
        "It is for one who calls it.",
    ],
)
def test_such_a_phrase_is_found(text: str) -> None:
    assert unidiomatic(text)


def test_what_is_good_english_is_no_finding() -> None:
    text = "There is no limit, it is no longer there, and there are none. `is no URL`\n```\nis no URL\n```"
    assert unidiomatic(text) == []
