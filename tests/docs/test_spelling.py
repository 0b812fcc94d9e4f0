"""Owns the check of the spelling of what people read: pages, docstrings, and what commands say."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from spellchecker import SpellChecker

from flowscript_trio.cli.commands import commands

ROOT = Path(__file__).parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CHANGELOG.md")),
    *(page for page in sorted((ROOT / "docs").rglob("*.md")) if "_build" not in page.parts),
]
MODULES = sorted((ROOT / "src").rglob("*.py"))
OURS = frozenset((Path(__file__).parent / "words.txt").read_text(encoding="utf-8").split())
_NO_PROSE = re.compile(
    r"^(?P<fence>```+).*?^(?P=fence)|`+[^`]*`+|\]\([^)]*\)|https?://\S+|<!--.*?-->|:\w+:|"
    r"\{\{.*?\}\}|[$%][\w.]+|--[\w-]+|\S*[_\d/\\@=<>{}\[\]]\S*|\b[a-z]+[A-Z]\w*|\w+\.\w+",
    re.DOTALL | re.MULTILINE,
)
_WORD = re.compile(r"(?<![\w’'])[A-Za-z][a-z]+(?:['’][a-z]+)?(?![\w])")
_CHECKER = SpellChecker()


def misspelled(text: str) -> list[str]:
    """The words of prose that no dictionary has: neither English's nor ours."""
    words = {word.replace("’", "'") for word in _WORD.findall(_NO_PROSE.sub(" ", text))}
    stems = {word: word.removesuffix("'s").lower() for word in words}
    unknown = _CHECKER.unknown(stem for stem in stems.values() if stem not in OURS)
    return sorted(word for word, stem in stems.items() if stem in unknown)


def docstrings(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(tree):
        if isinstance(node, kinds):
            yield ast.get_docstring(node) or ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_is_spelled_right(page: Path) -> None:
    assert misspelled(page.read_text(encoding="utf-8")) == []


def test_docstrings_are_spelled_right() -> None:
    found = {path.name: misspelled("\n".join(docstrings(path))) for path in MODULES}
    assert {name: words for name, words in found.items() if words} == {}


def test_what_commands_say_of_themselves_is_spelled_right() -> None:
    ctx = click.Context(commands)
    for name in commands.list_commands(ctx):
        command = commands.get_command(ctx, name)
        assert command is not None
        helps = [getattr(one, "help", "") or "" for one in command.params]
        assert misspelled("\n".join([command.help or "", *helps])) == [], name


def test_a_misspelled_word_is_found() -> None:
    text = "The worklfow's brnaches recieve `wrods`, and [links](wrods.md).\n```sh\nwrods\n```\nA nursery."
    assert misspelled(text) == ["brnaches", "recieve", "worklfow's"]


def test_every_word_of_ours_is_used_and_unknown_to_others() -> None:
    everything = "uuid " + "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    everything += "\n".join(text for path in MODULES for text in docstrings(path))
    used = {word.removesuffix("'s") for word in re.findall(r"[a-z]+(?:'s)?", everything.lower())}
    assert [word for word in OURS if word not in used] == []
    assert set(_CHECKER.known(OURS)) == set()
