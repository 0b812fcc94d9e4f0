"""Owns the tests that all examples have: their documents are valid and neat, and pass their own cases."""

from __future__ import annotations

from pathlib import Path

import pytest

import flowscript_trio as fs
from flowscript_trio.parser.formatting import format_document
from flowscript_trio.testing import prove_case, read_cases, run_cases

from exampling import EXAMPLES, program

DOCUMENTS = sorted(EXAMPLES.glob("*/*.xml"))
TESTED = [path for path in DOCUMENTS if path.with_suffix(".test.yaml").exists()]
OWN_RUNTIMES = {"database": "main.py", "places": "main.py", "progress": "main.py", "web": "app.py"}


def flow_of(path: Path) -> fs.Flow:
    file = OWN_RUNTIMES.get(path.parent.name)
    registry = None if file is None else program(path.parent.name, file).registry
    return fs.load(path, registry=registry)


def named(path: Path) -> str:
    return path.parent.name


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_its_document_is_valid_and_neat(path: Path) -> None:
    assert flow_of(path).warnings == ()
    text = path.read_text(encoding="utf-8")
    assert format_document(text, file=path.name) == text


@pytest.mark.parametrize("path", TESTED, ids=named)
def test_its_cases_pass(path: Path) -> None:
    flow = flow_of(path)
    results = run_cases(flow, read_cases(path.with_suffix(".test.yaml"), flow))
    assert len(results) >= 2
    assert [(result.name, result.problems) for result in results if not result.passed] == []


@pytest.mark.slow
@pytest.mark.parametrize("path", TESTED, ids=named)
def test_its_first_case_is_proved(path: Path) -> None:
    flow = flow_of(path)
    case = read_cases(path.with_suffix(".test.yaml"), flow)[0]
    report = prove_case(flow, case, most=300, pairs=50)
    assert report.points > 20
    assert report.holds, report.render()


def test_every_example_has_a_page_that_shows_all_its_files() -> None:
    contents = (EXAMPLES / "index.md").read_text(encoding="utf-8")
    for folder in {path.parent for path in DOCUMENTS}:
        page = EXAMPLES / f"{folder.name.replace('_', '-')}.md"
        assert f"\n{page.stem}\n" in contents
        text = page.read_text(encoding="utf-8")
        for file in folder.glob("*.*"):
            assert f"<!-- file: {folder.name}/{file.name} -->\n" in text, file
