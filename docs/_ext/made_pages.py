"""Owns the parts of the reference that are made of the code: settings, functions, commands, and more.

A page has ``<!-- generated: settings -->`` where a part begins and ``<!-- end: settings -->`` where it
ends. What is between the two is kept in the repository, so that the page can be read on a forge.
``python docs/_ext/made_pages.py`` writes it again, and a test holds it to the code.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from fractions import Fraction
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click
from allowed import allowed
from pydantic import BaseModel

import flowscript_trio
from flowscript_trio import Registry
from flowscript_trio import registry as default_registry
from flowscript_trio.cli.commands import commands as command_line
from flowscript_trio.expression.costs import COSTS, Cost
from flowscript_trio.expression.functions import functions as known_functions
from flowscript_trio.expression.library import dates
from flowscript_trio.language.structure import LIFTED, STRUCTURE
from flowscript_trio.parser.frontkeys import KEYS, PARAMETER, RUNTIME
from flowscript_trio.runtimes.control.types import BODY_CONFIGS, PART_CONFIGS
from flowscript_trio.runtimes.wording import default_of, summary_of, words_of
from flowscript_trio.schemas.document import NAMED_LIMIT, SECRET, WORKFLOW
from flowscript_trio.schemas.document import PARAMETER as PARAM
from flowscript_trio.schemas.settings import Settings, of_leaf
from flowscript_trio.validator.fields import plan_of

from rooms import ROOMS, rooms

DOCS = Path(__file__).parents[1]
MARK = re.compile(
    r"^<!-- generated: ([a-z-]+) -->$(?:.*?^<!-- end: \1 -->$)?", re.MULTILINE | re.DOTALL
)
FILE = re.compile(r"^<!-- file: (\S+) -->$(?:.*?^<!-- end: \1 -->$)?", re.MULTILINE | re.DOTALL)
LANGUAGES = {".py": "python", ".xml": "xml", ".yaml": "yaml"}
ROLE = re.compile(r":\w+:`~?(?:[\w.]+\.)?(\w+)`")
CODE_SPAN = re.compile(r"(`+[^`]*`+)")
TAG = re.compile(r"<[\w-]+>")
CODE = r"`\g<0>`"
CODE_OF = r"`\1`"
Row = tuple[str, ...]
ALL: Row = ("setting", "values", "default", "meaning", "example")
WRITTEN = {
    ("param", "name"): '`name="city"`',
    ("param", "type"): '`type="enum[small, large]"`',
    ("param", "required"): '`required="true"`',
    ("param", "default"): '`default="small"`',
    ("secret", "name"): '`name="API_TOKEN"`',
    ("limit", "name"): '`name="github"`',
    ("limit", "max"): '`max="5"`',
    ("limit", "rate"): '`rate="100/s"`',
    ("limit", "burst"): '`burst="20"`',
    ("limit", "breaker"): '`breaker="5 in 1m, 30s"`',
}
"""The examples of what declares something, which are not settings of a node."""

_NAME = "a name"
_IDS = "ids, with commas or spaces between"
_TIME = "a duration such as `500ms` or `2m`"
_FLAG = "`true` or `false`"
PLAIN: dict[tuple[str, str], tuple[str, str]] = {
    ("node", "id"): (_NAME, ""),
    ("node", "input"): (f"{_IDS}; a path such as `a.items`; or an expression in `{{{{…}}}}`", ""),
    ("node", "after"): (_IDS, ""),
    ("node", "if"): ("an expression", ""),
    ("node", "timeout"): (_TIME, ""),
    ("node", "limit"): ("names, with spaces between", ""),
    ("node", "place"): ("`here`, `thread`, `process`, `cluster` or a name", "`here`"),
    ("node", "on_crash"): ("`retry` or `fail`", "`retry`"),
    ("document", "name"): ("text", "required"),
    ("document", "version"): ("`X.Y` or `X.Y.Z`", ""),
    ("document", "description"): ("text", ""),
    ("document", "timeout"): (_TIME, ""),
    ("document", "max_concurrency"): ("a whole number from 1, or `unlimited`", "`10`"),
    ("param", "name"): (_NAME, "required"),
    ("param", "type"): (
        "`string`, `number`, `boolean`, `object`, `array` or `enum[…]`",
        "any value",
    ),
    ("param", "default"): ("a value of that type", ""),
    ("param", "required"): (_FLAG, "`false`"),
    ("secret", "name"): (_NAME, "required"),
    ("limit", "name"): (_NAME, "required"),
    ("limit", "max"): ("a whole number from 1", ""),
    ("limit", "rate"): ("a number for a time", ""),
    ("limit", "burst"): ("a whole number from 1", "`1`"),
    ("limit", "breaker"): ("failures in a time, and how long it is open", ""),
}
"""The values and the defaults of settings that no config model declares, by what they are of and their names."""


def fill(text: str) -> str:
    """The text of a page with its generated parts as the code has them now."""
    return FILE.sub(
        lambda found: shown_file(found[1]), MARK.sub(lambda found: part(found[1]), text)
    )


def shown_file(name: str) -> str:
    """A file of the examples between its two marks, as code that the tests of the pages do not run again."""
    path = DOCS / "examples" / name
    text = path.read_text(encoding="utf-8").rstrip("\n")
    fenced = f"```{{code-block}} {LANGUAGES[path.suffix]}\n{text}\n```"
    return f"<!-- file: {name} -->\n\n{fenced}\n\n<!-- end: {name} -->"


def part(name: str) -> str:
    """A generated part between its two marks."""
    return f"<!-- generated: {name} -->\n\n{PARTS[name]()}\n\n<!-- end: {name} -->"


def pages() -> list[Path]:
    """Every page that has a generated part."""
    found = (page for page in sorted(DOCS.rglob("*.md")) if "_build" not in page.parts)
    return [
        page
        for page in found
        for text in [page.read_text(encoding="utf-8")]
        if MARK.search(text) or FILE.search(text)
    ]


def table(heads: Row, rows: Iterable[Row]) -> str:
    """A table of Markdown."""
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def cell(text: str) -> str:
    """A text in a table: a bar does not end its cell, and a tag is code."""
    outside = CODE_SPAN.split(text.replace("``", "`").replace("|", "\\|"))
    outside[::2] = [re.sub(r"</?[\w-]+[^<>]*>", r"`\g<0>`", one) for one in outside[::2]]
    return "".join(outside)


# ---- elements and their settings ----


def element_of(name: str) -> str:
    """How documents spell the node of a runtime."""
    kind, _, word = name.partition(":")
    return f"`<{word}>`" if kind == "control" else f'`<{kind} type="{word}">`'


def elements(registry: Registry = default_registry) -> str:
    """Every node, with what it does and the names of its settings."""
    rows = []
    for name in ordered(registry):
        runtime = registry.get_runtime(name)
        names = [f"`{spelled(n)}`" for n in fields_of(runtime.config)]
        rows.append((element_of(name), cell(summary_of(runtime)), ", ".join(names)))
    return table(("element", "what it does", "settings"), rows)


def parts() -> str:
    """Every element that is no node: where it belongs, and the names of its settings."""
    rows = [("`<workflow>`", "the root of a document", names_of(s.name for s in WORKFLOW.known))]
    for tag, where in sorted(STRUCTURE.items()):
        if tag == "workflow":
            continue
        plain = {"param": PARAM, "secret": SECRET, "limit": NAMED_LIMIT}.get(tag)
        if plain is not None:
            names = [one.name for one in plain.known]
        else:
            models = [m for (_, part), m in PART_CONFIGS.items() if part == tag]
            models += [BODY_CONFIGS[tag]] if tag in BODY_CONFIGS else []
            names = [name for model in models for name in fields_of(model)]
        rows.append((f"`<{tag}>`", f"in {TAG.sub(CODE, where)}", names_of(names)))
    rows += [
        (f"`<{tag}>`", "in a `<parallel>`", names_of(fields_of(model)))
        for tag, model in BODY_CONFIGS.items()
        if tag not in STRUCTURE  # a branch, which is a node elsewhere
    ]
    for around in ("context", "output"):
        model = PART_CONFIGS[around, "set"]
        rows.append(("`<set>`", f"in a `<{around}>`", names_of(fields_of(model))))
    rows += [(f"`<{tag}>`", "in a node: its keys are settings of the node", "") for tag in LIFTED]
    return table(("element", "where it belongs", "settings"), rows)


def names_of(names: Iterable[str]) -> str:
    return ", ".join(f"`{spelled(name)}`" for name in names)


def ordered(registry: Registry) -> list[str]:
    """The names of the runtimes: sources, transforms and sinks before the control elements."""
    return sorted(registry.names(), key=lambda name: (name.startswith("control:"), name))


def spelled(name: str) -> str:
    return "maxConcurrency" if name == "max_concurrency" else name.replace("_", "-")


def fields_of(model: type[BaseModel] | None) -> dict[str, list[str]]:
    """The settings of a model by name, each with its attribute and its other names."""
    if model is None:
        return {}
    found: dict[str, list[str]] = {}
    for name, field in plan_of(model).fields.items():
        others = found.setdefault(field.name, [field.attribute])
        if name != field.name and not name.endswith("_"):
            others.append(name)
    return found


def example(owner: str, setting: str) -> str:
    """A setting as documents write it: that of the case which shows that the setting is heeded."""
    for case in cases():
        if (case.owner, case.setting) == (owner, setting):
            written = case.document.partition("⟦")[2].partition("⟧")[0]
            return f"`{written}`".replace("SERVER", "https://api.example.com").replace("|", "\\|")
    return ""


@cache
def cases() -> tuple[Any, ...]:
    """The cases of all settings, which are tests."""
    for module in ("control", "leaves"):
        import_module(f"setting_cases.{module}")  # which adds its cases
    from setting_cases.world import CASES

    return tuple(CASES)


def setting_rows(model: type[BaseModel], owner: str) -> Iterator[Row]:
    for name, (attribute, *others) in fields_of(model).items():
        info = model.model_fields[attribute]
        default = "required" if info.is_required() else default_of(info)
        also = "".join(f"; `{spelled(other)}` is another name of it" for other in others)
        shown = default if default in ("", "required") else f"`{default}`"
        said = cell(info.description or "") + also
        yield f"`{spelled(name)}`", allowed(info), shown, said, example(owner, attribute)


def plain_rows(settings: Settings, owner: str) -> Iterator[Row]:
    for one in settings.known:
        found = example(owner, one.name) or example(owner, one.name.replace("_", "-"))
        shown = WRITTEN.get((owner, one.name)) or found
        values, default = PLAIN[owner, one.name]
        yield f"`{spelled(one.name)}`", values, default, cell(one.meaning), shown


def settings(registry: Registry = default_registry) -> str:
    """A section for each element: what it does, and its settings."""
    parts = [
        "## Every node\n\n" + table(ALL, plain_rows(of_leaf(), "node")),
        "## `<workflow>`\n\n" + table(ALL, plain_rows(WORKFLOW, "document")),
        "## `<param>` in `<workflow>`\n\n" + table(ALL, plain_rows(PARAM, "param")),
        "## `<secret>` in `<workflow>`\n\n" + table(ALL, plain_rows(SECRET, "secret")),
        "## `<limit>` in `<workflow>`\n\n" + table(ALL, plain_rows(NAMED_LIMIT, "limit")),
    ]
    for name in ordered(registry):
        runtime = registry.get_runtime(name)
        parts.append(
            section(name, element_of(name), summary_of(runtime), runtime.config, runtime.timeout)
        )
        kind = name.partition(":")[2]
        for (around, part), model in PART_CONFIGS.items():
            if name == f"control:{kind}" and around == kind:
                owner = f"{around} {part}"
                parts.append(section(owner, f"`<{part}>` in `<{around}>`", words_of(model), model))
    for (around, part), model in PART_CONFIGS.items():
        if around == "on-error":
            owner = f"{around} {part}"
            parts.append(section(owner, f"`<{part}>` in `<{around}>`", words_of(model), model))
    by_model: dict[type[BaseModel], list[str]] = {}
    for tag, body in BODY_CONFIGS.items():
        by_model.setdefault(body, []).append(tag)
    for shared, tags in by_model.items():
        heading = ", ".join(f"`<{tag}>`" for tag in tags)
        parts.append(section(tags[0], heading, words_of(shared), shared))
    return "\n\n".join(parts)


def section(
    owner: str,
    heading: str,
    summary: str,
    model: type[BaseModel] | None,
    timeout: float | None = None,
) -> str:
    lines = [f"## {heading}", summary[:1].upper() + summary[1:] if summary else ""]
    if timeout is not None:
        lines.append(f"Its `timeout` is {timeout:g}s unless it says otherwise.")
    if model is None:
        lines.append("Takes any setting.")
    elif model.model_fields:
        lines.append(table(ALL, setting_rows(model, owner)))
    return "\n\n".join(filter(None, lines))


# ---- functions ----


def functions() -> str:
    """Every function, by the module that it is in, with its arguments."""
    by_module: dict[str, list[Row]] = {}
    names: dict[Callable[..., Any], list[str]] = {}
    for name, implementation in known_functions().items():
        names.setdefault(implementation, []).append(name)
    for implementation, all_ in names.items():
        module = implementation.__module__.rpartition(".")[2]
        shown = ", ".join(f"`{name}({arguments(implementation)})`" for name in all_)
        said = " ".join(inspect.cleandoc(implementation.__doc__ or "").split())
        row = (shown, cell(said), operations(COSTS[all_[0]]))
        by_module.setdefault(module, []).append(row)
    heads = ("function", "value", "operations")
    return "\n\n".join(
        f"## {heading(module)}\n\n{table(heads, rows)}"
        for module, rows in sorted(by_module.items())
    )


def function_names() -> str:
    """The names of all functions, by the module that they are in."""
    by_module: dict[str, list[str]] = {}
    for name, implementation in known_functions().items():
        by_module.setdefault(implementation.__module__.rpartition(".")[2], []).append(f"`{name}`")
    rows = [(heading(module), ", ".join(names)) for module, names in sorted(by_module.items())]
    return table(("about", "functions"), rows)


def heading(module: str) -> str:
    """What a module of functions is called on a page."""
    return module.replace("_", " ").capitalize()


LETTERS = datetime(2024, 2, 29, 13, 5, 9, 40000, ZoneInfo("Europe/Berlin"))
"""What the letters of dates are shown with."""


def date_letters() -> str:
    """Every letter of a date, with what it writes of one moment by how often it is there."""
    rows = []
    for letter in dates.FIELDS:
        shown: dict[str, str] = {}
        for word in [letter * width for width in range(1, 7)]:
            taken = dates.token(word)
            said = dates.FIELDS[taken[0]](LETTERS, len(taken))
            if said is not None:
                shown.setdefault(said, word)
        rows.append((f"`{letter}`", ", ".join(f"`{word}` {said}" for said, word in shown.items())))
    return table(("letter", "what it writes"), rows)


def operations(cost: Cost) -> str:
    """What a call is charged, in words: ``4 + 1/4 a character``."""
    parts = [str(cost.call)]
    unit = "item, for each comparison of it" if cost.ordered else "item"
    for amount, of in ((cost.item, unit), (cost.character, "character"), (cost.bit, "bit")):
        if amount:
            parts.append(f"{Fraction(amount)} a{'n' if of[0] == 'i' else ''} {of}")
    return " + ".join(parts)


def arguments(implementation: Callable[..., Any]) -> str:
    """The arguments of a function, without the run's services, which are its first."""
    shown = []
    for one in list(inspect.signature(implementation).parameters.values())[1:]:
        name = one.name.rstrip("_")
        if one.kind is inspect.Parameter.VAR_POSITIONAL:
            shown.append(f"...{name}")
        elif one.default in (None, inspect.Parameter.empty):
            shown.append(name)
        else:
            shown.append(f"{name}={one.default!r}")
    return ", ".join(shown)


# ---- the command line ----


def commands() -> str:
    """A section for each command: what it does, and its options."""
    ctx = click.Context(command_line)
    parts = []
    for name in command_line.list_commands(ctx):
        command = command_line.get_command(ctx, name)
        assert command is not None
        given = [one.make_metavar(ctx) for one in command.params if isinstance(one, click.Argument)]
        heading = " ".join(["flowscript", name, *given])
        said = inspect.cleandoc(command.help or "")
        rows = [option_row(one, ctx) for one in command.params if isinstance(one, click.Option)]
        options = [table(("option", "meaning"), rows)] if rows else []
        parts.append("\n\n".join([f"## `{heading}`", help_text(said), *options]))
    return "\n\n".join(parts)


def option_row(option: click.Option, ctx: click.Context) -> Row:
    takes = "" if option.is_flag else f" {option.make_metavar(ctx)}"
    words = ", ".join(f"`{word}{takes}`" for word in option.opts)
    default = f" Default: {option.default}." if option.show_default else ""
    return words.replace("|", "\\|"), help_text(option.help or "") + default


def help_text(text: str) -> str:
    """What a command says of itself, its options as code."""
    return re.sub(r"(?<![\w`])--[\w-]+", r"`\g<0>`", cell(text))


# ---- front matter ----


def front_matter() -> str:
    """The keys of front matter, and those of its mappings."""
    rows = [(f"`{key}`", cell(said["description"])) for key, said in KEYS.items()]
    rows += [
        (f"`config: {{NAME: {{{key}: …}}}}`", cell(s["description"]))
        for key, s in PARAMETER.items()
    ]
    rows += [(f"`runtime: {{{key}: …}}`", cell(s["description"])) for key, s in RUNTIME.items()]
    return table(("key", "meaning"), rows)


# ---- the library ----


VALUES = {
    "Decider": "The type of what answers checkpoints: an async function of the prompt and the actions.",
    "DEFAULT_MAX_CONCURRENCY": "How many branches of a block run at once where nothing else is said: 10.",
    "Duration": "The type of a setting that is a length of time; its value is in seconds.",
    "registry": "The default registry, which has the built-in runtimes.",
}
"""What public names are that are neither classes nor functions."""


def names() -> str:
    """Every public name, with the first sentence of what it says of itself."""
    rows = []
    for name in sorted(flowscript_trio.__all__, key=str.lower):
        thing = getattr(flowscript_trio, name)
        own = inspect.isclass(thing) or inspect.isroutine(thing)
        said = inspect.cleandoc(thing.__doc__ or "").split("\n\n")[0] if own else VALUES[name]
        rows.append((f"`{name}`", cell(" ".join(ROLE.sub(CODE_OF, said).split()))))
    return table(("name", "what it is"), rows)


PARTS: dict[str, Callable[[], str]] = {
    "elements": elements,
    "parts": parts,
    "function-names": function_names,
    "date-letters": date_letters,
    "settings": settings,
    "names": names,
    "functions": functions,
    "commands": commands,
    "front-matter": front_matter,
}


def main() -> None:
    """Write every generated part again, and the picture of the rooms."""
    ROOMS.write_text(rooms(), encoding="utf-8")
    for page in pages():
        page.write_text(fill(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    sys.path.insert(0, str(DOCS.parent / "tests"))
    main()
