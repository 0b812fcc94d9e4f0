"""Owns the tests of documents that seem to say something else than they do: each is refused, or there is a warning."""
# ruff: noqa: E501  (each case of a table is one line)

from __future__ import annotations

import codecs
import gc
import time
from pathlib import Path

import pytest

import flowscript_trio as fs
from flowscript_trio.parser import parse, read
from flowscript_trio.parser.trailing import find_second
from flowscript_trio.types.location import Source

BODY = '<set var="x" value="1"/>'
DOCUMENT = f'<workflow name="w">{BODY}</workflow>'
SINK = 'id="f" path="written.txt"'


def codes(text: str, file: str = "w.xml") -> list[tuple[str, str, int]]:
    """Code, severity and line of what is found wrong with a text."""
    return [(p.code, p.severity, p.location.line) for p in parse(text, file=file).problems]


def in_workflow(inside: str, attributes: str = "") -> str:
    return f'<workflow name="w" {attributes}>\n{inside}\n</workflow>'


# ---- prefixes ----

LIES = [
    ("a source that is a sink", f'<source:file xmlns:source="urn:flowscript:sink" {SINK}/>', 2),
    ("a control that is a source", f'<control:http xmlns:control="urn:flowscript:source" {SINK}/>', 2),
    ("one of the names for something foreign", f'<set xmlns:sink="urn:other" var="x" value="1"/><sink:file {SINK}/>', 2),
    ("a lie that nothing uses", '<set xmlns:transform="urn:flowscript:sink" var="x" value="1"/>', 2),
    ("a lie in capitals", f'<Source:file xmlns:Source="urn:flowscript:sink" {SINK}/>', 2),
    ("a lie by reference", f'<source:file xmlns:source="urn:flowscript:&#115;ink" {SINK}/>', 2),
    ("a default namespace", f'<file xmlns="urn:flowscript:sink" {SINK}/>', 2),
    ("a prefix with two meanings", f'<t:map xmlns:t="urn:flowscript:transform" id="m" expression="1"/>\n<t:file xmlns:t="urn:flowscript:sink" {SINK}/>', 3),
    ("a prefix that first means something foreign", f'<set xmlns:t="urn:other" var="x" value="1"/>\n<t:file xmlns:t="urn:flowscript:sink" {SINK}/>', 3),
]  # fmt: skip


@pytest.mark.parametrize(("inside", "line"), [c[1:] for c in LIES], ids=[c[0] for c in LIES])
def test_a_prefix_that_lies_is_an_error_at_its_declaration(inside: str, line: int) -> None:
    found = codes(in_workflow(inside))
    assert ("misleading-prefix", "error", line) in found


def test_a_lie_on_the_root_is_found_too() -> None:
    found = codes(in_workflow(f"<source:file {SINK}/>", 'xmlns:source="urn:flowscript:sink"'))
    assert ("misleading-prefix", "error", 1) in found


def test_a_prefix_of_letters_that_look_like_others_is_a_warning() -> None:
    looks_like_source = "\u0455ource"  # its first letter is Cyrillic
    inside = f'<{looks_like_source}:file xmlns:{looks_like_source}="urn:flowscript:sink" {SINK}/>'
    assert codes(in_workflow(inside)) == [("misleading-prefix", "warning", 2)]


@pytest.mark.parametrize(
    "inside",
    [
        f"<sink:file {SINK}/>",
        f'<sink:file xmlns:sink="urn:flowscript:sink" {SINK}/>',
        f'<out:file xmlns:out="urn:flowscript:sink" {SINK}/>',
        f'<out:file xmlns:out="urn:flowscript:sink" {SINK}/><out:file xmlns:out="urn:flowscript:sink" id="g" path="y"/>',
    ],
)
def test_a_prefix_that_says_what_it_is_may_be_any(inside: str) -> None:
    assert codes(in_workflow(inside)) == []


# ---- encodings ----

WITHOUT_MARK = ["utf-8", "UTF-8", "us-ascii", "ISO-8859-1", "latin1", "iso-8859-15", "windows-1252"]
OTHER_MEANINGS = [
    "utf-7", "hz", "iso-2022-jp", "iso-2022-kr", "cp037", "cp500", "shift_jis", "gb18030", "big5", "utf-32",
    "utf-16", "utf-16-le", "utf-8-sig", "unicode-escape", "rot13", "hex", "idna", "koi8-r", "cp1251", "nothing",
]  # fmt: skip


def written(folder: Path, data: bytes) -> list[tuple[str, int]]:
    """The errors of a file of these bytes."""
    file = folder / "w.xml"
    file.write_bytes(data)
    return [(p.code, p.location.column) for p in read(file).problems if p.severity == "error"]


def declaring(encoding: str) -> str:
    return f'<?xml version="1.0" encoding="{encoding}"?>{DOCUMENT}'


@pytest.mark.parametrize("encoding", WITHOUT_MARK)
def test_an_encoding_in_which_ascii_is_ascii_is_read(encoding: str, tmp_path: Path) -> None:
    assert written(tmp_path, declaring(encoding).encode(encoding)) == []


@pytest.mark.parametrize("encoding", OTHER_MEANINGS)
def test_an_encoding_in_which_bytes_mean_something_else_is_refused(
    encoding: str, tmp_path: Path
) -> None:
    assert written(tmp_path, declaring(encoding).encode()) == [("encoding", 31)]
    spaces = " " * 5000
    late = declaring(encoding).replace(" encoding", spaces + " encoding")
    assert written(tmp_path, late.encode()) == [("encoding", 5031)]


def test_an_encoding_with_a_null_character_in_its_name_is_an_error(tmp_path: Path) -> None:
    assert written(tmp_path, declaring("utf-8\0").encode()) == [("encoding", 31)]


@pytest.mark.parametrize(
    ("mark", "codec", "encoding"),
    [
        (codecs.BOM_UTF8, "utf-8", "utf-16"),
        (codecs.BOM_UTF8, "utf-8", "iso-8859-1"),
        (codecs.BOM_UTF16_LE, "utf-16-le", "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le", "utf-16-be"),
        (codecs.BOM_UTF16_BE, "utf-16-be", "iso-8859-1"),
    ],
)
def test_a_byte_order_mark_and_a_declaration_that_differ_are_an_error(
    mark: bytes, codec: str, encoding: str, tmp_path: Path
) -> None:
    assert written(tmp_path, mark + declaring(encoding).encode(codec)) == [("encoding", 31)]


@pytest.mark.parametrize(
    ("mark", "codec", "encoding"),
    [
        (codecs.BOM_UTF8, "utf-8", "UTF-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le", "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16-be", "UTF-16"),
        (codecs.BOM_UTF16_BE, "utf-16-be", "utf-16be"),
    ],
)
def test_a_byte_order_mark_and_a_declaration_that_agree_are_read(
    mark: bytes, codec: str, encoding: str, tmp_path: Path
) -> None:
    assert written(tmp_path, mark + declaring(encoding).encode(codec)) == []
    assert written(tmp_path, mark + DOCUMENT.encode(codec)) == []


@pytest.mark.parametrize(
    ("encoding", "wrong"),
    [
        ("utf-8", []),
        ("UTF-8", []),
        ("iso-8859-1", [("encoding", 31)]),
        ("utf-7", [("encoding", 31)]),
    ],
)
def test_a_declaration_behind_front_matter_says_what_the_file_is_in(
    encoding: str, wrong: list[tuple[str, int]], tmp_path: Path
) -> None:
    text = FRONT + declaring(encoding)
    assert written(tmp_path, text.encode()) == wrong
    example = f"{FRONT}{DOCUMENT}\n```\n---\n<?xml version='1.0' encoding='x'?>\n```\n"
    assert written(tmp_path, example.encode()) == []
    in_16 = written(tmp_path, codecs.BOM_UTF16_LE + text.encode("utf-16-le"))
    assert in_16 == [("encoding", 31)]


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
def test_a_wide_encoding_without_its_mark_is_an_error_of_the_encoding(
    codec: str, tmp_path: Path
) -> None:
    assert written(tmp_path, DOCUMENT.encode(codec)) == [("encoding", 1)]


# ---- a second workflow ----

FRONT = "---\nname: w\n---\n"
SECOND = '<workflow name="looks real"><set var="x" value="2"/></workflow>'
SEEN = [
    f"\n{SECOND}",
    f"\nText.\n\n  {SECOND}",
    f" {SECOND}",
    f"\n> {SECOND}",
    f"\n```\ncode\n```\n{SECOND}",
    f"\n````\n```\n````\n{SECOND}",
    f"\n<!-- comment -->{SECOND}",
    f"\n<!-- ``` -->\n{SECOND}\n```",
    f"\na ` sign\n\n{SECOND} `",
    f"\n`code` {SECOND}",
    f"\n`code` ``` {SECOND} ``",
    f"\na `\n# Heading\n{SECOND}\n`",
    f"\n<!-- a --><!-- ` -->{SECOND}`",
    f"\n<!-- a\n--> ```\n{SECOND}",
    "\n<workflow>",
    "\n<control:workflow name='x'/>",
    "\n<workflow\nname='x'/>",
    f"\n``` a ` b\n\n{SECOND}\n```",
    f"\n> ```\n> code\n\n{SECOND}\n",
    f"\n> > ```\n> {SECOND}\n",
    f"\n- ```\n\n{SECOND}\n",
    f"\n1. text\n\n   ```\n{SECOND}\n",
    f"\n    ```\n{SECOND}\n",
    f"\n```\n      ```\n```\n{SECOND}\n",
    f"\n```\n> ```\n```\n{SECOND}\n",
    f"\n```\n\t```\n```\n{SECOND}\n",
    f"\n- a\n\n  ```\n     ```\n\n{SECOND}\n  ```",
    f"\n~~~ a ` b\n~~~\n{SECOND}\n~~~",
    f"\n<!--> {SECOND} -->",
    f"\n<!---> {SECOND} -->",
    f"\n<!-- --!> {SECOND} -->",
    f"\na `\nb `{SECOND}`",
    f"\n\\`{SECOND}\\`",
    "\n" + "\\" * 101 + f"`{SECOND}`",
]
UNSEEN = [
    "",
    "\nAny <Markdown>, 1 < 2 & so on; a workflow, <workflows>, </workflow>",
    f"\n```xml\n{SECOND}\n```\n",
    f"\n~~~\n```\n{SECOND}\n~~~\n",
    f"\n````\n```\n{SECOND}\n```\n````",
    f"\n- ```\n  {SECOND}\n  ```",
    f"\n<!-- {SECOND}\n{SECOND} -->\n",
    "\nThe element `<workflow>` and ``<workflow name=`w`>``.",
    f"\n```\n{SECOND}",
    f"\n> ```\n> {SECOND}\n> ```\n",
    f"\n1. text\n\n   ```xml\n   {SECOND}\n   ```\n",
    f"\n* a\n\n    ```xml\n    {SECOND}\n    ```\n\nText.\n",
    f"\n~~~ a ` b\n{SECOND}\n~~~",
    f"\n```\r\n{SECOND}\r\n```\r\n",
    f"\nA `sign` and `{SECOND}`.\nThen `more`, `{SECOND}`.",
    f"\na ` alone\n\n`{SECOND}`",
    f"\n\\\\`{SECOND}`",
]


@pytest.mark.parametrize("rest", SEEN)
def test_a_second_workflow_in_the_text_is_an_error(rest: str) -> None:
    text = FRONT + DOCUMENT + rest
    found = parse(text, file="w.flow.md").problems
    assert [problem.code for problem in found] == ["second-workflow"]
    place = found[0].location
    at = text.split("\n")[place.line - 1][place.column - 1 :]
    assert at.startswith(("<workflow", "<control:workflow"))


@pytest.mark.parametrize("rest", UNSEEN)
def test_what_stands_in_code_and_comments_is_an_example(rest: str) -> None:
    assert codes(FRONT + DOCUMENT + rest, "w.flow.md") == []


def test_in_xml_a_second_workflow_is_a_second_root() -> None:
    assert ("not-well-formed", "error", 2) in codes(f"{DOCUMENT}\n{SECOND}")
    assert codes(f"{DOCUMENT}\n<!-- {SECOND} -->") == []


HARD = {
    "signs of all lengths": lambda n: " ".join("`" * length for length in range(1, int((2 * n) ** 0.5))),
    "comments in one line": lambda n: "<!-- ` -->" * (n // 10),
    "comments that are open": lambda n: "<!- " * (n // 4),
    "fences": lambda n: "```\n" * (n // 4),
    "signs for lists": lambda n: "1" * n,
    "spaces": lambda n: (" " * 1000 + "\n") * (n // 1000),
    "signs of quotation": lambda n: ">" * n,
    "quoted fences": lambda n: "> ```\n" * (n // 6),
    "a long quoted fence": lambda n: "> ```\n" + "> a\n" * (n // 4),
    "slashes": lambda n: "\\" * n + "`" + "\\" * n,
    "slashes and signs": lambda n: "\\`" * (n // 2),
    "a fence that never ends": lambda n: "```\n" + (" " * 1000 + "``\n") * (n // 1000),
}  # fmt: skip


@pytest.mark.parametrize("kind", HARD)
def test_a_text_takes_time_that_is_linear_in_its_length(kind: str) -> None:
    def seconds(length: int) -> float:
        source = Source("w.flow.md", f"{HARD[kind](length)}\n<workflow>\n")
        gc.disable()  # how long that takes depends on what else is in memory
        began = time.thread_time()
        find_second(source, 0)
        took = time.thread_time() - began
        gc.enable()
        return took

    once = min(seconds(50_000) for _ in range(5))
    assert min(seconds(400_000) for _ in range(3)) < 24 * once, (
        "a quadratic one takes 64 times as long"
    )


# ---- characters ----


@pytest.mark.parametrize(
    "sign",
    ["\u202a", "\u202b", "\u202d", "\u202e", "\u2066", "\u2069", "\u200e", "\u200f", "\u061c"],
)
@pytest.mark.parametrize(
    "text",
    [
        "<!-- {} -->",
        '<set var="x" value="{}"/>',
        '<set var="x" value="{{{{ \'a{}\' }}}}"/>',
        "<source:file id='f'><path>{}</path></source:file>",
        "<source:file id='f'><path><![CDATA[{}]]></path></source:file>",
    ],
)
def test_a_character_that_turns_the_text_is_a_warning_at_its_line(text: str, sign: str) -> None:
    assert codes(in_workflow(text.format(sign))) == [("bidirectional-control", "warning", 2)]


@pytest.mark.parametrize(
    "written",
    [
        "&#x202E;",
        "&#8238;",
        "&#x000202e;",
        "&#8294;",
        "{{ '\\u202e' }}",
        "&#x200F;",
        "&#8206;",
        "&#1564;",
        "&#x61c;",
        "{{ '\\u061C' }}",
    ],
)
def test_it_is_one_also_where_it_is_written_by_its_number(written: str) -> None:
    text = in_workflow(f'<set var="x" value="{written}"/>')
    assert codes(text) == [("bidirectional-control", "warning", 2)]


def test_it_is_one_in_front_matter_and_in_the_text_around() -> None:
    front = '---\nname: w\ndescription: "a\\u202Eb"\n---\n'
    text = f"{front}{DOCUMENT}\nText \u202e and more.\n"
    assert codes(text, "w.flow.md") == [
        ("bidirectional-control", "warning", 3),
        ("bidirectional-control", "warning", 6),
    ]


def test_a_document_of_such_characters_brings_a_bounded_number_of_warnings() -> None:
    assert len(codes(in_workflow("<!-- \u202e -->\n" * 5000))) == 100


def test_letters_that_are_written_from_right_to_left_are_text_like_any_other() -> None:
    assert codes(in_workflow('<set var="x" value="שלום"/>')) == []
    assert codes(in_workflow('<set var="x" value="\u200d\u200b&#8205;&#x200b;"/>')) == []


CONTROLS = ["&#155;31m", "\x7f", "\x85", "&#x2028;", "&#10;", "&#9;"]
NAMED = [
    '<workflow name="a{}b">' + BODY + "</workflow>",
    '<workflow name="w"><param name="a{}b"/>' + BODY + "</workflow>",
    '<workflow name="w"><secret name="a{}b"/>' + BODY + "</workflow>",
    '<workflow name="w"><phase name="a{}b">' + BODY + "</phase></workflow>",
    '<workflow name="w"><set var="a{}b" value="1"/></workflow>',
    '<workflow name="w"><context><set key="a{}b" value="1"/></context></workflow>',
    '<workflow name="w"><output><set field="a{}b" value="1"/></output></workflow>',
    '<workflow name="w"><checkpoint id="c" prompt="p"><action id="a" label="a{}b"/></checkpoint></workflow>',
]  # fmt: skip


@pytest.mark.parametrize("control", CONTROLS)
@pytest.mark.parametrize("text", NAMED)
def test_a_control_character_in_a_name_is_an_error(text: str, control: str) -> None:
    with pytest.raises(fs.WorkflowInvalid) as caught:
        fs.loads(text.format(control))
    assert {problem.code for problem in caught.value.problems} == {"control-character"}


@pytest.mark.parametrize("control", ["\\e[2J", "\\x9b", "\\a", "\\L", "\\n"])
@pytest.mark.parametrize(
    ("front", "line"), [('name: "a{}b"', 2), ('name: w\nconfig: {{"a{}b": 1}}', 3), ('name: w\nsecrets: ["a{}b"]', 3)]
)  # fmt: skip
def test_it_is_one_in_a_name_of_front_matter(front: str, line: int, control: str) -> None:
    with pytest.raises(fs.WorkflowInvalid) as caught:
        fs.loads(
            f"---\n{front.format(control)}\n---\n{DOCUMENT.replace(' name=' + chr(34) + 'w' + chr(34), '')}"
        )
    assert [(p.code, p.location.line) for p in caught.value.problems] == [
        ("control-character", line)
    ]


def test_control_characters_in_texts_that_are_no_names_are_data() -> None:
    text = '<workflow name="w" description="a&#9;b"><set var="x" value="&#155;&#9;"/></workflow>'
    assert fs.loads(text).warnings == ()
