"""Owns the tests of reading safely: no entities, no aliases, bounded size and depth, linear time."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from flowscript_trio.parser import ReadLimits, YamlProblem, parse, read
from flowscript_trio.parser.yaml import read_yaml
from flowscript_trio.types.location import Source, Text

LAUGHS = '<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
HIDDEN = [
    ("at the start", f'{LAUGHS}<workflow name="&b;"/>', 1),
    ("after the XML declaration", f'<?xml version="1.0"?>{LAUGHS}<workflow name="&b;"/>', 22),
    ("after a comment", f'<!-- <!DOCTYPE a> -->{LAUGHS}<workflow name="&b;"/>', 22),
    ("in lower case", '<!doctype l><workflow name="w"/>', 1),
    ("an external one", '<!DOCTYPE l SYSTEM "file:///etc/passwd"><workflow name="w"/>', 1),
    (
        "a parameter entity",
        '<!DOCTYPE l [<!ENTITY % x SYSTEM "http://localhost/x"> %x;]><workflow name="w"/>',
        1,
    ),
    ("inside the workflow", f'<workflow name="w">{LAUGHS}</workflow>', 20),
]


@pytest.mark.parametrize(
    ("text", "column"), [case[1:] for case in HIDDEN], ids=[case[0] for case in HIDDEN]
)
def test_a_document_type_is_refused_at_its_place(text: str, column: int) -> None:
    parsed = parse(text, file="f.xml")
    assert parsed.document is None
    [problem] = [p for p in parsed.problems if p.severity == "error"]
    assert (problem.code, problem.location.line, problem.location.column) == ("doctype", 1, column)


def test_a_document_type_in_a_comment_or_in_cdata_is_text() -> None:
    value = "<value><![CDATA[<!DOCTYPE b>]]></value>"
    text = f'<workflow name="w"><!-- <!DOCTYPE a> --><set var="v">{value}</set></workflow>'
    parsed = parse(text, file="f.xml")
    assert parsed.problems == ()
    assert parsed.document is not None
    assert str(parsed.document.body.nodes[0].settings["value"].value) == "<!DOCTYPE b>"


def test_a_document_larger_than_the_limit_is_refused_before_it_is_read() -> None:
    limits = ReadLimits(size=30)
    text = '<workflow name="w"/>'
    assert parse(text + " " * 10, file="f.xml", limits=limits).problems == ()
    [problem] = parse(text + " " * 11, file="f.xml", limits=limits).problems
    assert problem.code == "too-large"


def test_a_file_larger_than_the_limit_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "f.xml"
    file.write_text('<workflow name="w"/>' + " " * 1000)
    [problem] = read(file, limits=ReadLimits(size=100)).problems
    assert problem.code == "too-large"


def nest(levels: int) -> str:
    opened = "".join(f'<loop id="l{n}" max="1">' for n in range(levels))
    return f'<workflow name="w">{opened}<break/>{"</loop>" * levels}</workflow>'


def test_elements_may_nest_as_deep_as_the_limit_and_no_deeper() -> None:
    limit = ReadLimits().depth
    assert parse(nest(limit - 2), file="f.xml").problems == ()
    [problem] = parse(nest(limit - 1), file="f.xml").problems
    assert problem.code == "too-deep"
    assert nest(limit - 1)[problem.location.column - 1 :].startswith("<break/>")


def test_a_hundred_thousand_levels_are_one_problem() -> None:
    for text in (nest(100_000), "<workflow>" + "<loop>" * 100_000):
        assert "too-deep" in [problem.code for problem in parse(text, file="f.xml").problems]


def read_text(text: str) -> object:
    return read_yaml(Text(text, Source("f", text), ((0, 0),)))


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "- " * 100_000, "{a: " * 10_000, "[" * 60 + "]" * 60]
)
def test_yaml_that_nests_deep_is_a_problem(text: str) -> None:
    with pytest.raises(YamlProblem, match="nests"):
        read_text(text)


def test_yaml_aliases_are_refused_so_that_a_small_text_stays_small() -> None:
    laughs = "a: &a [x, x]\n" + "".join(f"b{n}: &b{n} [*a, *a]\n" for n in range(50))
    for text in (laughs, "a: &a [*a]", "b: *nothing"):
        with pytest.raises(YamlProblem):
            read_text(text)


def test_front_matter_refuses_aliases_too() -> None:
    text = "---\nname: w\ntrigger: &a [*a]\n---\n<workflow/>"
    problems = parse(text, file="f.flow.md").problems
    assert ("yaml", 3) in [(problem.code, problem.location.line) for problem in problems]


SCALARS = [
    ("5", 5), ("-5", -5), ("0", 0), ("1.5", 1.5), ("-2e3", -2000.0), ("true", True), ("false", False),
    ("null", None), ("", None), ("010", "010"), ("yes", "yes"), ("no", "no"), ("on", "on"), ("12:30", "12:30"),
    ("2024-01-01", "2024-01-01"), ("0x10", "0x10"), ("1_000", "1_000"), ("+5", "+5"), ("True", "True"),
    ("~", "~"), (".inf", ".inf"), ("1e999", "1e999"), ("٣", "٣"), ("'5'", "5"), ('"true"', "true"),
    ("9" * 5000, "9" * 5000),
]  # fmt: skip


@pytest.mark.parametrize(("written", "value"), SCALARS, ids=[case[0][:12] for case in SCALARS])
def test_scalars_other_than_numbers_booleans_and_null_stay_text(
    written: str, value: object
) -> None:
    structure = read_text(f"key: {written}")
    [(_, found)] = structure.value  # type: ignore[attr-defined]
    assert (found.value if isinstance(found, Text) else found) == value
    assert isinstance(value, str) == isinstance(found, Text)


def setting(text: str) -> str:
    return f'<set var="v"><value>{text}</value></set>'


def request(yaml: str) -> str:
    return f'<source:http id="a"><request>\n{yaml}</request></source:http>'


def test_a_deep_document_is_read_from_a_deep_stack() -> None:
    def dig(levels: int) -> object:
        return (
            dig(levels - 1)
            if levels
            else parse(nest(ReadLimits().depth - 2), file="f.xml").problems
        )

    depth = 0
    frame = sys._getframe()
    while frame.f_back is not None:
        frame, depth = frame.f_back, depth + 1
    assert dig(max(0, 300 - depth)) == ()
