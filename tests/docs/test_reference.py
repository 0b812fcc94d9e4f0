"""Owns the proof that the reference is complete: elements, settings, commands, public names, errors."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any, Literal

import allowed
import click
import pytest
from pydantic import BaseModel, Field, create_model

import flowscript_trio as fs
from flowscript_trio import testing
from flowscript_trio.cli.commands import commands
from flowscript_trio.expression import function_names
from flowscript_trio.expression.functions import functions
from flowscript_trio.expression.library import dates
from flowscript_trio.language.elements import COMMON, ELEMENTS
from flowscript_trio.language.structure import FAMILIES, LIFTED, STRUCTURE
from flowscript_trio.observe.chronicle import NAMES
from flowscript_trio.parser.frontkeys import KEYS, PARAMETER, RUNTIME
from flowscript_trio.runtimes.control.types import BODY_CONFIGS, PART_CONFIGS
from flowscript_trio.runtimes.wording import default_of, summary_of
from flowscript_trio.testing.expecting import ERROR
from flowscript_trio.testing.reading import CASE, REPLY
from flowscript_trio.types import events
from flowscript_trio.types.durations import Duration

import made_pages
import rooms

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
REPORTING = {
    "Problem", "_at", "_at_value", "_report", "add", "at_element", "at_name", "at_value", "error",
    "in_text", "problem_at", "repair",
}  # fmt: skip
"""The functions of the parser and the validator that are given the code of a problem."""


def page(name: str) -> str:
    """A page of the reference as it stands in the repository."""
    return (REFERENCE / f"{name}.md").read_text(encoding="utf-8")


def sections(text: str) -> dict[str, str]:
    """The sections of a page by their headings."""
    parts = (part.partition("\n") for part in text.split("\n## ")[1:])
    return {heading: body for heading, _, body in parts}


def models() -> dict[str, type[BaseModel]]:
    """Every config model, by the heading that it has on the page of settings."""
    found = {}
    for name in fs.registry.names():
        kind, _, word = name.partition(":")
        config = fs.registry.get_runtime(name).config
        if config is not None:
            found[f"`<{word}>`" if kind == "control" else f'`<{kind} type="{word}">`'] = config
    for (around, tag), config in PART_CONFIGS.items():
        if around == "on-error" or fs.registry.has_runtime(f"control:{around}"):
            found[f"`<{tag}>` in `<{around}>`"] = config
    for config in BODY_CONFIGS.values():
        shared = [f"`<{other}>`" for other, model in BODY_CONFIGS.items() if model is config]
        found[", ".join(shared)] = config
    return {element: config for element, config in found.items() if config.model_fields}


def simple(name: str) -> str:
    return name.replace("-", "").replace("_", "").lower()


@pytest.mark.parametrize("element", models())
def test_every_setting_of_an_element_has_its_line_in_the_reference(element: str) -> None:
    fields = models()[element].model_fields
    lines = re.findall(r"^\| `([\w-]+)` \|", sections(page("settings"))[element], re.MULTILINE)
    expected = sorted(simple(field.alias or name) for name, field in fields.items())
    assert sorted(map(simple, lines)) == expected
    assert all(field.description for field in fields.values())


@pytest.mark.parametrize("element", models())
def test_every_setting_has_its_values_and_an_example(element: str) -> None:
    rows = re.findall(r"^\| `[\w-]+` \|.*$", sections(page("settings"))[element], re.MULTILINE)
    for row in rows:
        _, _, values, _, meaning, example, _ = re.split(r" ?(?<!\\)\| ?", row)
        assert values, row
        assert meaning, row
        assert re.fullmatch(r"`.+`", example), row


@pytest.mark.parametrize(
    "heading",
    [
        "Every node",
        "`<workflow>`",
        *(f"`<{tag}>` in `<workflow>`" for tag in ("param", "secret", "limit")),
    ],
)
def test_what_no_model_declares_has_its_values_and_an_example_as_well(heading: str) -> None:
    rows = re.findall(r"^\| `[\w-]+` \|.*$", sections(page("settings"))[heading], re.MULTILINE)
    assert rows
    for row in rows:
        _, _, values, _, meaning, example, _ = re.split(r" ?(?<!\\)\| ?", row)
        assert values, row
        assert meaning, row
        assert re.fullmatch(r"`.+`", example), row


@pytest.mark.parametrize("element", models())
def test_a_default_is_what_a_document_would_write(element: str) -> None:
    for info in models()[element].model_fields.values():
        said = default_of(info)
        assert "Pydantic" not in said
        assert not said.startswith(("<", "{", "["))


@pytest.mark.parametrize("path", made_pages.pages(), ids=lambda path: path.stem)
def test_what_is_generated_of_a_page_is_current(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert made_pages.fill(text) == text, "run `python docs/_ext/made_pages.py`"


def test_a_generated_part_that_is_not_current_is_written_anew() -> None:
    part = made_pages.part("function-names")
    old = "before\n\n<!-- generated: function-names -->\n\nold\n\n<!-- end: function-names -->\n\nafter"
    assert made_pages.fill(old) == f"before\n\n{part}\n\nafter"
    assert made_pages.fill("<!-- generated: function-names -->") == part


def test_a_file_of_the_examples_is_shown_as_it_is() -> None:
    mark = "<!-- file: etl/etl.xml -->"
    text = (ROOT / "docs" / "examples" / "etl" / "etl.xml").read_text(encoding="utf-8")
    once = made_pages.fill(f"before\n\n{mark}\n\nafter")
    assert f"```{{code-block}} xml\n{text}```" in once
    assert made_pages.fill(once.replace("<source", "<sauce")) == once


def test_no_page_leaves_it_to_sphinx_to_show_a_file() -> None:
    for path in (ROOT / "docs").rglob("*.md"):
        assert "```{literalinclude}" not in path.read_text(encoding="utf-8"), path


def test_every_public_name_is_listed_with_what_it_is() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.+) \|$", page("api"), re.MULTILINE)
    assert sorted(name for name, said in rows if said.strip()) == sorted(fs.__all__)


def test_tags_in_a_table_are_code_and_bars_do_not_end_a_cell() -> None:
    assert made_pages.cell("in <a> or ``<b c>``: x|y") == "in `<a>` or `<b c>`: x\\|y"


@pytest.mark.parametrize(
    ("annotation", "field", "said"),
    [
        (Literal["a", "b"], Field(), "`a` or `b`"),
        (int | None, Field(ge=1, le=9), "a whole number from 1 to 9"),
        (int, Field(gt=0), "a whole number from 1"),
        (str | list[str], Field(), "text or a list"),
        (str, Field(max_length=1), "one character"),
        (Duration, Field(), "a duration such as `500ms` or `2m`"),
    ],
)
def test_the_values_of_a_setting_are_those_of_its_type(
    annotation: Any, field: Any, said: str
) -> None:
    model = create_model("Model", one=(annotation, field))
    assert allowed.allowed(model.model_fields["one"]) == said


def test_every_registered_element_is_in_the_list_of_elements() -> None:
    text = page("language")
    for name in fs.registry.names():
        kind, _, word = name.partition(":")
        assert f"| `<{word}>` |" in text or f'| `<{kind} type="{word}">` |' in text, name


def test_the_page_of_the_language_names_every_element_setting_and_function() -> None:
    text = page("language")
    for tag in {*ELEMENTS, *STRUCTURE, *LIFTED} - set(FAMILIES):
        assert f"| `<{tag}>` |" in text or tag == "ai", tag
    for family in FAMILIES:
        assert f'| `<{family} type="' in text
    for element, config in models().items():
        tag, _, around = element.partition(" in ")
        rows = [row for row in text.split("\n") if row.startswith(f"| {tag.split(', ')[0]} |")]
        shown = [row for row in rows if around in row] or rows
        names = {simple(name) for row in shown for name in re.findall(r"`([\w-]+)`", row)}
        wanted = {simple(field.alias or name) for name, field in config.model_fields.items()}
        assert wanted <= names, (element, wanted - names)
    for name in COMMON:
        assert f"`{name}`" in text
    about = text.partition("| about | functions |")[2].partition("\n\n")[0]
    assert set(re.findall(r"`(\w+)`", about)) == function_names()


def test_every_letter_of_dates_is_shown_with_what_it_writes() -> None:
    text = page("functions").partition("## Letters of dates")[2]
    assert set(re.findall(r"^\| `(\w)` \|", text, re.MULTILINE)) == set(dates.FIELDS)
    assert "| `D` | `D` 60, `DD` 29, `DDD` 060" in text


def test_every_element_says_what_it_does() -> None:
    for name in fs.registry.names():
        assert len(summary_of(fs.registry.get_runtime(name))) > 10, name


class PaintConfig(BaseModel):
    """``<sink type="paint">``: paints a wall."""

    wall: str = Field(description="which one | of many")
    coats: int = Field(default=2, description="how many")


def test_a_setting_that_is_deleted_from_its_model_is_gone_from_the_reference() -> None:
    def reference(*names: str) -> str:
        fields: Any = {
            n: (i.annotation, i) for n, i in PaintConfig.model_fields.items() if n in names
        }
        model = create_model("Paint", __doc__=PaintConfig.__doc__, **fields)
        registry = fs.Registry()

        @registry.runtime("sink:paint", config=model)
        async def paint(params: fs.ExecutionParams) -> None: ...

        return str(made_pages.settings(registry) + made_pages.elements(registry))

    both = reference("wall", "coats")
    assert "Paints a wall." in both
    assert "| `wall` | text | required | which one \\| of many |" in both
    assert "| `coats` | a whole number | `2` | how many |" in both
    assert "`wall`, `coats` |" in both
    assert "coats" not in reference("wall")


def test_every_function_is_in_the_reference_and_says_what_it_does() -> None:
    text = page("functions")
    for name in function_names():
        assert f"`{name}(" in text, name
    assert all(implementation.__doc__ for implementation in functions().values())


def test_the_arguments_of_a_function_are_shown_as_it_takes_them() -> None:
    text = page("functions")
    for shown in ("`truncate(value, length, suffix='...')`", "`concat(...values)`", "`uuid()`"):
        assert shown in text


def test_every_key_of_front_matter_is_in_the_reference() -> None:
    text = page("settings").partition("## Front matter")[2]
    keys = [*KEYS, *(f"config: {{NAME: {{{k}: …}}}}" for k in PARAMETER)]
    keys += [f"runtime: {{{k}: …}}" for k in RUNTIME]
    assert re.findall(r"^\| `(.+?)` \|", text, re.MULTILINE) == keys


def test_every_mark_on_a_page_is_filled_and_every_part_is_used() -> None:
    used = [
        name for path in made_pages.pages() for name in made_pages.MARK.findall(path.read_text())
    ]
    assert sorted(used) == sorted(made_pages.PARTS)


def test_the_picture_of_the_rooms_is_that_of_the_contract() -> None:
    drawn = rooms.ROOMS.read_text(encoding="utf-8")
    assert drawn == rooms.rooms(), "run `python docs/_ext/made_pages.py`"
    folders = {
        path.parent.name for path in (ROOT / "src" / "flowscript_trio").glob("*/__init__.py")
    }
    assert set(re.findall(r'class="room">(\w+)<', drawn)) == folders
    assert drawn.index(">cli<") < drawn.index(">execution<") < drawn.index(">types<")
    assert "syntax trees" in drawn


def test_the_page_on_the_design_has_every_room_in_its_order_and_names_files_that_are_there() -> (
    None
):
    text = (ROOT / "docs" / "explanation" / "design.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)
    level = {room: -at for at, names in enumerate(rooms.layers()) for room in names}
    assert sorted(rows) == sorted(level)
    assert [level[room] for room in rows] == sorted(level.values())
    source = ROOT / "src" / "flowscript_trio"
    for named in re.findall(r"`([\w/]+(?:\.py|/))`", text):
        assert any(source.glob(f"**/{named}")), named


def command_names() -> list[str]:
    return commands.list_commands(click.Context(commands))


@pytest.mark.parametrize("name", command_names())
def test_every_command_and_option_is_in_the_reference(name: str) -> None:
    text = page("command-line")
    command = commands.get_command(click.Context(commands), name)
    assert command is not None
    body = next(
        body
        for heading, body in sections(text).items()
        if heading.startswith(f"`flowscript {name}")
    )
    assert command.help
    assert command.help.split("\n")[0].strip() in body.replace("&lt;", "<")
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert f"`{parameter.opts[0]}" in body, parameter.opts[0]
            assert parameter.help, parameter.opts[0]


def test_every_public_name_is_in_the_reference_of_the_library() -> None:
    page: Any = (REFERENCE / "api.md").read_text()
    missing = [name for name in fs.__all__ if f"flowscript_trio.{name}\n" not in page]
    assert missing == []


def test_every_name_and_every_key_of_test_cases_is_in_their_reference() -> None:
    page = (REFERENCE / "test-cases.md").read_text()
    both = page + (REFERENCE / "pytest.md").read_text()
    assert [n for n in testing.__all__ if f"flowscript_trio.testing.{n}\n" not in both] == []
    case, stubs, errors = page.split("\n## ")[:3]
    for text, keys in ((case, CASE), (stubs, REPLY), (errors, ERROR)):
        cells = re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
        listed = {key for cell in cells for key in re.findall(r"`([a-z-]+)`", cell)}
        assert listed == {key.replace("_", "-") for key in keys}


def words_in(node: ast.expr) -> list[str]:
    if isinstance(node, ast.IfExp):
        return words_in(node.body) + words_in(node.orelse)
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []


def sources() -> list[ast.AST]:
    """The modules of the rooms that find problems, and every node of their syntax trees."""
    src = ROOT / "src" / "flowscript_trio"
    paths = [
        *src.glob("parser/*.py"),
        *src.glob("validator/**/*.py"),
        src / "types" / "findings.py",
        src / "program" / "linking.py",
        src / "program" / "durability.py",
        src / "program" / "holding.py",
    ]
    modules = [ast.parse(path.read_text()) for path in paths]
    return [node for module in modules for node in ast.walk(module)]


def problem_codes() -> set[str]:
    """Every code of a problem, from the calls that report one: a hyphenated word among the arguments."""
    found = set()
    for call in sources():
        if not isinstance(call, ast.Call):
            continue
        name = getattr(call.func, "attr", None) or getattr(call.func, "id", None)
        if name in REPORTING:
            codes = [word.value for word in call.keywords if word.arg == "code"]
            words = [word for given in [*call.args, *codes] for word in words_in(given)]
            found.update(word for word in words if re.fullmatch(r"[a-z]+(-[a-z]+)+", word))
    return found


def test_every_code_of_a_problem_is_in_the_reference_of_errors() -> None:
    problems = (REFERENCE / "errors.md").read_text().partition("## Problems")[2]
    cells = re.findall(r"^\| (`.*?) \|", problems, re.MULTILINE)
    listed = {code for cell in cells for code in re.findall(r"`([a-z-]+)`", cell)}
    codes = problem_codes()
    assert len(codes) > 40
    assert codes - listed == set()
    known = {node.value for node in sources() if isinstance(node, ast.Constant)}
    assert listed - known == {"unknown-name"}  # put together of two parts


def test_every_public_error_is_in_the_reference_of_errors() -> None:
    page = (REFERENCE / "errors.md").read_text()
    errors = [
        name for name in fs.__all__ if name.endswith(("Error", "Warning", "Invalid", "NotFound"))
    ]
    assert len(errors) >= 8
    assert [name for name in errors if f"`{name}`" not in page] == []


def test_every_kind_of_event_is_on_its_page() -> None:
    page = (REFERENCE / "events.md").read_text()
    kinds = [kind for kind in vars(events).values() if isinstance(kind, type)]
    names = {kind.__name__ for kind in kinds if issubclass(kind, events.Event)}
    assert set(re.findall(r"types\.events\.(\w+)$", page, re.MULTILINE)) == names


def test_every_entry_of_a_chronicle_is_on_its_page() -> None:
    page = (ROOT / "docs" / "howto" / "record-runs.md").read_text()
    table = page.partition("## What the lines say")[2]
    first = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
    assert {name for cell in first for name in re.findall(r"`([\w-]+)`", cell)} == set(
        NAMES.values()
    )
