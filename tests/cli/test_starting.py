"""Owns the tests of what a command imports, and of when it looks for garbage."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from invoking import unmeasured

MOST_MODULES = 274
"""Of ours that a run of one node imports; a module more at every start should have a reason."""
UNUSED = (
    *("yaml", "httpx", "h11", "jmespath", "re2", "sqlite3", "sqlalchemy", "jsonschema", "html"),
    *("openpyxl", "pyarrow", "opentelemetry", "distributed", "trio_parallel", "cloudpickle"),
    *("flowscript_trio.journal", "flowscript_trio.execution.durable", "flowscript_trio.placement"),
    *("flowscript_trio.observe.report", "flowscript_trio.picture", "flowscript_trio.schemas"),
    *("flowscript_trio.testing", "flowscript_trio.watchdog", "flowscript_trio.expression.tabular"),
    *(f"flowscript_trio.runtimes.{room}" for room in ("ai", "database", "file", "http")),
)
"""What such a run does not use."""
SCRIPT = """
import gc, json, sys
from flowscript_trio.cli import main
try:
    main()
except SystemExit as exc:
    status = exc.code
print(json.dumps([status, gc.isenabled(), gc.get_freeze_count(), sorted(sys.modules)]), file=sys.stderr)
"""
ONE_NODE = (
    '<workflow name="one"><transform type="template" id="hello" template="hello"/></workflow>'
)


@pytest.fixture
def started(tmp_path: Path) -> tuple[int, bool, int, list[str]]:
    """A process that has run one node: its status, whether it collects, how much is frozen, its modules."""
    file = tmp_path / "one.xml"
    file.write_text(ONE_NODE, encoding="utf-8")
    command = [sys.executable, "-c", SCRIPT, "run", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=unmeasured())
    assert json.loads(done.stdout) == "hello"
    left: Any = json.loads(done.stderr.splitlines()[-1])
    return left[0], left[1], left[2], left[3]


def test_a_run_of_one_node_imports_nothing_that_it_does_not_use(
    started: tuple[int, bool, int, list[str]],
) -> None:
    modules = started[3]
    unused = [name for name in modules if name.startswith(tuple(f"{word}." for word in UNUSED))]
    assert [*unused, *(word for word in UNUSED if word in modules)] == []
    ours = [name for name in modules if name.partition(".")[0] == "flowscript_trio"]
    assert len(ours) <= MOST_MODULES


COMPILED = """
import builtins, dataclasses, json, sys
from flowscript_trio.types.deferred import _Deferred
compiled = []
standard = dataclasses.dataclass
def noted(cls=None, **options):
    if sys._getframe(1).f_globals["__name__"].startswith("flowscript_trio"):
        compiled.append(options)
    return standard(cls, **options)
dataclasses.dataclass = noted
from flowscript_trio.cli import main
try:
    main()
except SystemExit:
    pass
ours = [module for name, module in sys.modules.items() if name.startswith("flowscript_trio")]
classes = {each for module in ours for each in vars(module).values() if isinstance(each, type)}
classes = [each for each in classes if "__dataclass_fields__" in vars(each) and "flowscript" in each.__module__]
late = [each for each in classes if any(isinstance(value, _Deferred) for value in vars(each).values())]
whole = sum(any(options.get(word, True) for word in ("init", "repr", "eq")) for options in compiled)
print(json.dumps([len(classes), len(late), whole]), file=sys.stderr)
"""


def test_the_methods_of_dataclasses_are_not_compiled_for_a_run_of_one_node(
    tmp_path: Path,
) -> None:
    file = tmp_path / "one.xml"
    file.write_text(ONE_NODE, encoding="utf-8")
    command = [sys.executable, "-c", COMPILED, "run", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    classes, late, compiled = json.loads(done.stderr.splitlines()[-1])
    assert classes > 150
    # Something of nearly each is not compiled, and of few is anything compiled at all.
    assert late > 0.9 * classes
    assert compiled < 15


def test_what_a_start_imported_is_never_searched_for_garbage_and_the_rest_is(
    started: tuple[int, bool, int, list[str]],
) -> None:
    status, collects, frozen, _ = started
    assert status == 0
    assert collects
    assert frozen > 10_000


def test_a_command_that_was_not_started_by_main_leaves_collections_as_they_are() -> None:
    script = (
        "import gc; frozen = gc.get_freeze_count(); from flowscript_trio.cli.commands import commands;"
        "commands.get_command(None, 'run'); assert gc.isenabled() and gc.get_freeze_count() == frozen"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


PATTERNS = """
import json, re._compiler, sys
compiled, standard = [], re._compiler.compile
def noted(pattern, flags=0):
    frame = sys._getframe(1)
    while frame.f_globals["__name__"].partition(".")[0] == "re":
        frame = frame.f_back
    if frame.f_globals["__name__"].startswith("flowscript_trio"):
        compiled.append(str(pattern))
    return standard(pattern, flags)
re._compiler.compile = noted
from flowscript_trio.cli import main
try:
    main()
except SystemExit:
    pass
print(json.dumps(compiled), file=sys.stderr)
"""


def test_a_run_of_one_node_compiles_few_patterns(tmp_path: Path) -> None:
    file = tmp_path / "one.xml"
    file.write_text(ONE_NODE, encoding="utf-8")
    command = [sys.executable, "-c", PATTERNS, "run", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    compiled = json.loads(done.stderr.splitlines()[-1])
    assert 0 < len(compiled) < 40
