"""Owns tests of settings whose entries stand as child elements."""

from __future__ import annotations

from pathlib import Path

import pytest

import flowscript_trio as fs

from loopback import loopback
from validating import complaint, errors_of, schema_of, workflow


def source(inside: str) -> str:
    return workflow(f'<source:http id="a" url="{{{{$config.base}}}}/x">{inside}</source:http>')


async def test_child_elements_of_a_mapping_are_its_entries_by_their_very_names() -> None:
    flow = fs.loads(
        source(
            "<headers><X-Version>1.0</X-Version><!-- one --><if>{{1 + 1}}</if><set> a &amp; b </set>"
            "<Empty/></headers><auth><type>bearer</type><token>{{$config.key}}</token></auth>"
        )
    )
    async with loopback() as server:
        server.page("/x", 1)
        await fs.run(flow, config={"base": server.base, "key": "k"})
        sent = dict(server.seen[0].headers)
    found = {name: sent[name] for name in ("x-version", "if", "set", "empty", "authorization")}
    assert found == {
        "x-version": "1.0",
        "if": "2",
        "set": "a & b",
        "empty": "",
        "authorization": "Bearer k",
    }


async def test_entries_nest() -> None:
    flow = fs.loads(
        source(
            "<multipart><a>1</a><file><content>{{$config.text}}</content><filename>f.txt</filename>"
            "</file></multipart>"
        ).replace("source:http", "sink:http")
    )
    async with loopback() as server:
        server.page("/x", 1)
        await fs.run(flow, config={"base": server.base, "text": "hello"})
        body = server.seen[0].body
    assert b'name="a"\r\n\r\n1\r\n' in body
    assert b'filename="f.txt"' in body
    assert b"\r\n\r\nhello\r\n" in body


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ("<headers><A>1</A><A>2</A></headers>", [("setting-twice", "<A> is given twice")]),
        ("<headers><A>1</A>loose</headers>", [("stray-text", "in <headers>")]),
        ('<headers><A b="1"/></headers>', [("unknown-attribute", "<A> has no attributes")]),
        ("<headers><b:c/></headers>", [("unknown-prefix", "<b:c>")]),
        ("<headers><source:x/></headers>", [("misplaced-element", "<source:x> is not allowed")]),
        ("<headers><A>{{nope}}</A></headers>", [("unknown-name", "'nope'")]),
        ("<headers><A>{{1 +}}</A></headers>", [("syntax", "")]),
        ("<auth><type>bearr</type></auth>", [("invalid-setting", "auth: type")]),
        ("<body><x>1</x></body>", [("nested-setting", "<x> is in the setting <body>")]),
        ("<timeout><x/></timeout>", [("nested-setting", "<x> is in the setting <timeout>")]),
        ("<if><x/></if>", [("nested-setting", "<x> is in the setting <if>")]),
        ("<input><x>1</x></input>", [("invalid-setting", "input")]),
    ],
)
def test_what_is_wrong_with_entries_is_said_at_its_place(
    inside: str, expected: list[tuple[str, str]]
) -> None:
    found = errors_of(source(inside).replace("{{$config.base}}", "http://localhost"))
    assert [problem.code for problem in found] == [code for code, _ in expected]
    for problem, (_, message) in zip(found, expected, strict=True):
        assert message in problem.message
        assert problem.location.line == 2


def test_the_schema_for_editors_allows_entries_only_where_a_setting_has_them(
    tmp_path: Path,
) -> None:
    schema = schema_of(tmp_path)
    right = source("<headers><A>1</A></headers>")
    assert complaint(schema, right) is None
    assert complaint(schema, source("<method><A>1</A></method>")) is not None
