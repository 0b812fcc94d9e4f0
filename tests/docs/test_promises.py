"""Owns the proof that every promise and every claim of security is one line that names tests that are there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from flowscript_trio.testing.proof.checks import CHECKS, name_of
from flowscript_trio.testing.proof.proving import SAME_EVENTS

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "explanation" / "promises.md"
SECURITY = ROOT / "docs" / "explanation" / "security.md"
NOT_PROMISED = ("What is not promised", "What is not protected")
THREATS = "The threats"
TEST = re.compile(r"`(tests/[\w/]+\.py)::((?:\w+::)*\w+)`")


def sections(page: str) -> dict[str, list[str]]:
    """The items of the lists of a page, each with its further lines, by the heading above them."""
    found: dict[str, list[str]] = {}
    for section in page.split("\n## ")[1:]:
        heading, _, body = section.partition("\n")
        items = re.split(r"^- ", body, flags=re.MULTILINE)[1:]
        found[heading] = [re.split(r"\n(?! )", item)[0] for item in items]
    return found


def promises(page: str) -> list[str]:
    return [
        item
        for heading, items in sections(page).items()
        for item in items
        if heading not in NOT_PROMISED
    ]


def faults(promise: str) -> list[str]:
    """What is wrong with a promise: not one line, no test, or a test that does not exist."""
    line, *rest = promise.splitlines()
    wrong = []
    if "`tests/" in line:
        wrong.append("the first line is the promise; its tests stand below it")
    if not rest:
        wrong.append("no test is named")
    for number, written in enumerate(rest, 2):
        named = TEST.fullmatch(written.strip())
        if named is None:
            wrong.append(f"line {number} names no test: {written.strip()}")
        elif not is_test(ROOT / named[1], named[2].split("::")):
            wrong.append(f"there is no test {named[0]}")
    return wrong


def is_test(path: Path, names: list[str]) -> bool:
    """Whether a file has a test of that name, within the classes before it."""
    if not path.is_file() or not names[-1].startswith("test_"):
        return False
    nodes: list[ast.stmt] = ast.parse(path.read_text(encoding="utf-8")).body
    for name in names[:-1]:
        nodes = [
            inner
            for node in nodes
            if isinstance(node, ast.ClassDef) and node.name == name
            for inner in node.body
        ]
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return any(isinstance(node, kinds) and node.name == names[-1] for node in nodes)


@pytest.mark.parametrize(
    "promise",
    [
        pytest.param(item, id=item.partition("\n")[0])
        for page in (PAGE, SECURITY)
        for item in promises(page.read_text(encoding="utf-8"))
    ],
)
def test_every_promise_is_one_line_and_names_tests_that_exist(promise: str) -> None:
    assert faults(promise) == []


@pytest.mark.parametrize(
    ("path", "least", "rest"), [(PAGE, 50, NOT_PROMISED[0]), (SECURITY, 20, NOT_PROMISED[1])]
)
def test_a_page_has_its_promises_and_says_what_is_not_promised(
    path: Path, least: int, rest: str
) -> None:
    page = path.read_text(encoding="utf-8")
    found = sections(page)
    if path is PAGE:
        assert all(found.values())
    assert len(promises(page)) > least
    assert len(found[rest]) > 5
    # No test is named outside of an item, where nobody would look whether it exists.
    listed = sum(len(TEST.findall(item)) for items in found.values() for item in items)
    listed += sum(len(TEST.findall(row)) for row in threats(page))
    assert listed == len(re.findall(r"`tests/[^`]*`", page))


def threats(page: str) -> list[str]:
    """The rows of the table of threats."""
    _, _, rest = page.partition(f"## {THREATS}\n")
    return re.findall(r"^\| .*$", rest.partition("\n## ")[0], re.MULTILINE)[1:]


@pytest.mark.parametrize("row", threats(SECURITY.read_text(encoding="utf-8")))
def test_every_threat_says_what_stops_it_and_names_tests_that_exist(row: str) -> None:
    _, tried, stops, named = [cell.strip() for cell in row.strip("|").split(" | ")]
    assert tried
    assert stops
    assert named.strip("| ") == " ".join(f"`{path}::{name}`" for path, name in TEST.findall(named))
    assert TEST.search(named)
    for path, name in TEST.findall(named):
        assert is_test(ROOT / path, name.split("::")), f"there is no test {path}::{name}"


def test_the_table_has_threats_of_each_party() -> None:
    rows = threats(SECURITY.read_text(encoding="utf-8"))
    assert len(rows) > 30
    assert [row.split("|")[1].strip() for row in rows if row.split("|")[1].strip()] == [
        "a document", "data", "a server", "a model", "another user", "a package", "a release",
        "whoever reads along",
    ]  # fmt: skip


HERE = "tests/docs/test_promises.py"


class TestNamesOfTests:
    @pytest.mark.parametrize("written", ["x"])
    def test_one_in_a_class(self, written: str) -> None:
        assert faults(f"It is found.\n  `{HERE}::TestNamesOfTests::test_one_in_a_class`") == []


@pytest.mark.parametrize(
    ("promise", "fault"),
    [
        ("It has none.", "no test is named"),
        (f"It has two\n  lines. `{HERE}::test_x`", "line 2 names no test"),
        (f"It stands beside. `{HERE}::test_x`", "the first line is the promise"),
        (f"It is gone.\n  `{HERE}::test_that_is_not_there`", "there is no test"),
        (f"It is in a class.\n  `{HERE}::test_one_in_a_class`", "there is no test"),
        (f"It is no test.\n  `{HERE}::faults`", "there is no test"),
        ("Its file is gone.\n  `tests/docs/test_gone.py::test_x`", "there is no test"),
    ],
)
def test_a_promise_without_its_test_is_found(promise: str, fault: str) -> None:
    assert any(fault in found for found in faults(promise))


def test_every_promise_that_a_proof_checks_is_on_the_page() -> None:
    written = re.findall(r"^- \*\*([a-z ]+)\*\*:", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert written == [*map(name_of, CHECKS), SAME_EVENTS]
