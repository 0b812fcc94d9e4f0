"""Owns the check of pages, and of the prose in the code, for phrases that are not idiomatic English."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STARTERS = ROOT / "src" / "flowscript_trio" / "cli" / "starters"
PAGES = [
    *(ROOT / name for name in ("README.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted(STARTERS.iterdir()),
    *(page for page in sorted((ROOT / "docs").rglob("*.md")) if "_build" not in page.parts),
]
CODE = ROOT / "src" / "flowscript_trio"
SOURCES = sorted(CODE.rglob("*.py"))
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
    "“who calls”: write “the caller” or “whoever calls”": re.compile(
        r"(?<![\w’'])who calls\b|(?:^|[.;:] )Who (?!is )\w+s\b"
    ),
    "“may not stand in”: write “is not allowed in”": re.compile(r"\bmay not stand\b"),
    "“nests too deep”: write “nests too deeply”": re.compile(r"\bnests? too deep\b"),
    "“that is to say”: leave it out": re.compile(r"\bthat is to say\b", re.IGNORECASE),
    "“Only then is …”: write “… only then”": re.compile(
        r"\bOnly (?:then|now|here|there|so) (?:is|are|do|does|can|has|have)\b"
    ),
    "“of which the”: write “whose”": re.compile(r"\bof which the\b"),
    "“anew”: write “again”": re.compile(r"\banew\b", re.IGNORECASE),
    "“is to be had”: write “can be reached”, or what it is": re.compile(r"\bto be had\b"),
    "“what is said of …”: write “what is said about …”": re.compile(r"\bis said of\b"),
    "“a timeout falls”: write “fires”": re.compile(r"\btimeouts? falls?\b"),
    "“is told elsewhere”: write “is described elsewhere”": re.compile(r"\bis told \[?elsewhere"),
    "“stands in”: write “is in”, “comes before”, “goes between”": re.compile(
        r"\b(?:stands?|stood|standing) (?:"
        r"in(?! for\b)|at|by|before|behind|below|above|between|inside|beside|under|after|as|where|there|around"
        r"|alone|outside|so|anywhere|once|twice|directly)\b"
    ),
    "“where it stands”: write “where it is”": re.compile(
        r"\b[Ww]here(?:ver)?\b[^.,;:|]{0,40}(?<!answer) stands?\b(?! (?:for|still|in for|from)\b)(?!-)"
    ),
    "“how a run stands”: write “the state of a run”": re.compile(
        r"\b[Hh]ow (?:\w+ ){1,3}stands?\b(?! (?:for|still|in for)\b)"
    ),
    "“in which they stand”: write “in which they are written”": re.compile(
        r"\bin which \w+ stand\b"
    ),
    "“so many seconds”: write “this many seconds”": re.compile(
        r"(?<!not )(?<!ever )\b[Ss]o (?:many|much|long)\b(?! (?:that|as|for)\b)"
    ),
    "“inside of”: write “inside”": re.compile(r"\binside of\b", re.IGNORECASE),
    "“known of”: write “known about”": re.compile(r"\b(?:is|are|was) known of\b"),
    "“of which nothing is known”: write “about which nothing …”": re.compile(
        r"\bof which nothing (?:else )?is known\b"
    ),
    "“another … than”: write “a different …”": re.compile(
        r"(?<!\bone )\banother (?!than\b)(?!deeper\b)\w+ than\b"
    ),
    "“Nor is …”, “So is …”: begin with what it is about": re.compile(
        r"(?:^|[.:] |- )(?:Nor|So) (?:is|are|was|were|can|has|have|in)\b"
    ),
    "“also where”: write “even where”": re.compile(r"\balso where\b"),
    "“in its middle”: write “in the middle”": re.compile(r"\bin its middle\b"),
    "“the clock on the wall”: write “the wall clock”": re.compile(r"\bclock on the wall\b"),
    "“cut off at its work”: write “cut off while at work”": re.compile(r"\bat its work\b"),
    "“is told as”: write “is reported as”": re.compile(r"\b(?:is|are) told (?:as|before)\b"),
    "“so named”: write “of that name”": re.compile(r"\b(?:so named|named so)\b"),
    "“tells how”: write “explains how”": re.compile(r"\) tells (?:how|what)\b"),
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


def prose_of(source: str) -> Iterator[tuple[int, str]]:
    """The texts and the comments of a module, each on one line, with the line where it begins."""
    tree = ast.parse(source)
    parts = {
        id(part)
        for text in ast.walk(tree)
        if isinstance(text, ast.JoinedStr)
        for part in text.values
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            said = (part.value if isinstance(part, ast.Constant) else "X" for part in node.values)
            yield node.lineno, " ".join("".join(map(str, said)).split())
        elif (
            isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts
        ):
            yield node.lineno, " ".join(node.value.split())
    comment: list[str] = []
    first = last = 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            if comment and token.start[0] != last + 1:
                yield first, " ".join(comment)
                comment = []
            first, last = first if comment else token.start[0], token.start[0]
            comment.append(token.string.lstrip("# "))
    yield first, " ".join(comment)


def unidiomatic_prose(source: str) -> list[str]:
    """Every such phrase in the texts and comments of a module."""
    return [
        f"line {line}: {found.partition(': ')[2]}"
        for line, text in prose_of(source)
        for found in unidiomatic(text)
    ]


def _blank(found: re.Match[str]) -> str:
    """As many lines of code, which has no prose."""
    return "X" + "\n" * found[0].count("\n")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_has_no_such_phrase(page: Path) -> None:
    assert unidiomatic(page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: str(source.relative_to(CODE)))
def test_a_module_has_no_such_phrase_in_its_texts_and_comments(source: Path) -> None:
    assert unidiomatic_prose(source.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "text",
    [
        "A sentence.\nIt is no URL.",
        "Those are none of ours.",
        "It stands in its stead.",
        "It is for one who calls it.",
        "It is closed. Who asks next tries again.",
        "It may not stand here.",
        "The value nests too deep.",
        "It is one, that is to say, a single one.",
        "Only then is it closed.",
        "It is opened anew.",
        "It is not to be had.",
        "What is said of it is short.",
        "No timeout falls.",
        "What stands in it is checked.",
        "They stand before the nodes.",
        "The line where the node stands.",
        "It says how the run stands.",
        "In the order in which they stand.",
        "It waits so many seconds.",
        "A place inside of the block.",
        "What is known of it is little.",
        "A document of which nothing is known.",
        "Masked also where it is escaped.",
        "It has another value than before.",
        "It ends. Nor is it begun again.",
        "It was killed in its middle.",
        "By the clock on the wall.",
        "It was cut off at its work.",
        "A timeout is told as one.",
        "The workflow so named.",
        "[Limits](limits.md) tells how.",
    ],
)
def test_such_a_phrase_is_found(text: str) -> None:
    assert unidiomatic(text)


def test_what_is_good_english_is_no_finding() -> None:
    text = "There is no limit, it is no longer there, and there are none. `is no URL`\n```\nis no URL\n```"
    text += (
        "\nThe first answer stands, time stands still, and a stub stands in for the server, where it "
        "stands for it; not so much for speed as for calm, and so many that all are known about."
    )
    assert unidiomatic(text) == []


@pytest.mark.parametrize(
    "source",
    [
        'def f():\n    """It is no\n    failure."""',
        'raise ValueError(f"{word!r} is no URL")',
        'raise ValueError("these are " "none of ours")',
        "x = 1  # that is\n# no reason to fail",
    ],
)
def test_such_a_phrase_is_found_in_code_across_lines(source: str) -> None:
    assert unidiomatic_prose(source)


def test_code_itself_is_no_prose() -> None:
    assert unidiomatic_prose("who_calls = a is no_more\nif who.calls: in_its_stead = none") == []
