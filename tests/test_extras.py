"""Owns the proof that what an extra brings is imported when it is used, and that its lack is told clearly."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BLOCKED = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ModuleNotFoundError("No module named " + repr(name), name=name)

sys.meta_path.insert(0, Blocker())
"""
BEGINNING = """
import trio
import flowscript_trio as fs

def run(node, **given):
    flow = fs.loads(f'<workflow name="w">{node}</workflow>')
    return trio.run(lambda: fs.run(flow, **given)).output
"""
EXTRAS = {
    "ai": ["jsonschema", "referencing", "rpds"],
    "otel": ["opentelemetry"],
    "xlsx": ["openpyxl"],
    "arrow": ["pyarrow"],
    "database": ["sqlalchemy", "greenlet"],
    "postgresql": ["psycopg", "psycopg_binary"],
    "cache": ["hishel", "msgpack", "anysqlite"],
}
WITHOUT_EXTRAS = """
import flowscript_trio.testing
assert run('<transform:template id="a" template="{{1 + 1}}"/>') == 2
for name in fs.registry.names():
    assert fs.registry.has_runtime(name)
    assert fs.registry.get_runtime(name).type == name
for name in fs.__all__:
    getattr(fs, name)
fs.loads('<workflow name="w"><ai id="a" model="m" user="u" output-schema="{a: string}"/></workflow>')
"""
USES = {
    "ai": """run('<ai id="a" model="m" user="u"><output-schema>{"type": "object", "properties": """
    """{"a": {"type": "string"}}}</output-schema></ai>')""",
    "otel": "from flowscript_trio.observe.spans import Spans; Spans()",
    "xlsx": """run('<sink:file id="a" path="a.xlsx"/>', base=".", input=[{"a": 1}])""",
    "arrow": """run('<sink:file id="a" path="a.parquet"/>', base=".", input=[{"a": 1}])""",
    "database": """run('<source:database id="a" connection="sqlite:///x.db" query="SELECT 1"/>')""",
    "postgresql": """run('<source:database id="a" connection="postgresql://u@h/x" query="SELECT 1"/>')""",
    "cache": """run('<source:http id="a" url="http://127.0.0.1:1/"/>', http=fs.HttpOptions(cache="c.db"))""",
}
"""For each extra a program that needs it."""


def python(program: str, blocked: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    code = BLOCKED.format(blocked=set(blocked)) + BEGINNING + program
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_nothing_of_an_extra_is_needed_or_imported_before_it_is_used(tmp_path: Path) -> None:
    everything = [name for names in EXTRAS.values() for name in names]
    done = python(WITHOUT_EXTRAS, everything, tmp_path)
    assert done.returncode == 0, done.stderr
    seen = f"\nprint([name for name in {everything} if name in sys.modules])"
    done = python(WITHOUT_EXTRAS + seen, [], tmp_path)
    assert (done.stdout, done.stderr) == ("[]\n", "")


@pytest.mark.parametrize("extra", EXTRAS)
def test_a_missing_extra_is_named_with_how_to_install_it(extra: str, tmp_path: Path) -> None:
    done = python(USES[extra], EXTRAS[extra], tmp_path)
    assert done.returncode == 1
    assert f"pip install 'flowscript-trio[{extra}]'" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("extra", ["ai", "otel", "xlsx", "arrow", "database"])
def test_with_the_extra_that_error_does_not_come(extra: str, tmp_path: Path) -> None:
    assert "pip install" not in python(USES[extra], [], tmp_path).stderr


@pytest.mark.parametrize("extra", ["xlsx", "arrow", "database", "postgresql"])
def test_a_missing_extra_of_a_node_is_a_problem_of_its_document(extra: str, tmp_path: Path) -> None:
    node = USES[extra].partition("'")[2].partition("'")[0]
    program = f"""
try:
    fs.loads('<workflow name="w">{node}</workflow>')
except fs.WorkflowInvalid as exc:
    print([problem.code for problem in exc.problems])
"""
    done = python(program, EXTRAS[extra], tmp_path)
    assert (done.stdout, done.stderr) == ("['missing-package']\n", "")
    assert python(program, [], tmp_path).stdout == ""
