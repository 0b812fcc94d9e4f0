"""Owns the tests of patterns that are compiled when they are first used."""

from __future__ import annotations

import re

import pytest

from flowscript_trio.types.patterns import pattern


def test_a_pattern_is_as_the_standard_library_compiles_it() -> None:
    late, usual = pattern(r"(?P<a>x+)y", re.IGNORECASE), re.compile(r"(?P<a>x+)y", re.IGNORECASE)
    for _ in range(2):
        assert late.sub("-", "aXxyb") == usual.sub("-", "aXxyb") == "a-b"
        found = late.fullmatch("xXy")
        assert found is not None
        assert found["a"] == "xX"
    assert (late.pattern, late.flags, late.groupindex) == (
        *(usual.pattern, usual.flags, usual.groupindex),
    )


def test_a_pattern_is_compiled_once_when_it_is_first_used(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str] = []
    monkeypatch.setattr(
        "flowscript_trio.types.patterns.re.compile", lambda *of: compiled.append(of[0]) or _ANY
    )
    late = pattern("b*")
    assert compiled == []
    assert late.match("b") is not None
    assert late.search("b") is not None
    assert late.match("b") is not None
    assert compiled == ["b*"]


_ANY = re.compile(".*")
