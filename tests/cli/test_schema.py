"""Owns the tests of ``flowscript schema``, and of ``flowscript --runtimes``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner

import flowscript_trio as fs
from flowscript_trio.cli.commands import commands

RUNTIMES = """
import flowscript_trio as fs

@fs.runtime("source:clock")
async def clock(params):
    \"\"\"The time of day.\"\"\"
    return 12
"""


def test_the_schemas_are_written_into_a_new_folder(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "schema"
    done = CliRunner().invoke(commands, ["schema", str(folder)])
    assert done.exit_code == 0
    assert done.stdout == ""
    files = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}
    assert files == fs.schema_files()
    assert all(name in done.stderr for name in files)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = CliRunner().invoke(commands, ["schema", str(tmp_path / "file" / "schema")])
    assert done.exit_code == 2
    assert "file" in done.stderr


def flowscript(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "flowscript_trio", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_runtimes_of_a_module_in_the_current_folder_are_there_for_every_command(
    tmp_path: Path,
) -> None:
    (tmp_path / "clocks.py").write_text(RUNTIMES)
    (tmp_path / "w.xml").write_text('<workflow name="w"><source:clock id="c"/></workflow>')
    done = flowscript(tmp_path, "--runtimes", "clocks", "schema", "schema")
    assert done.returncode == 0
    assert "The time of day." in (tmp_path / "schema" / "flowscript.xsd").read_text()
    done = flowscript(tmp_path, "--runtimes", "clocks", "run", "w.xml", "--quiet")
    assert (done.returncode, done.stdout) == (0, "12\n")
    assert flowscript(tmp_path, "validate", "w.xml").returncode == 2


def test_a_module_that_is_not_there_is_named(tmp_path: Path) -> None:
    for name in ("no_such_module", "json.no_such_module", "a-b", ""):
        done = CliRunner().invoke(commands, ["--runtimes", name, "schema", str(tmp_path)])
        assert done.exit_code == 2
        assert f"module {name!r}" in done.stderr or f"{name!r} is not the name" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_import_that_fails_in_the_module_is_the_modules_own_error(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("import no_such_module")
    done = flowscript(tmp_path, "--runtimes", "broken", "schema", "schema")
    assert done.returncode != 0
    assert "No module named 'no_such_module'" in done.stderr
    assert "broken.py" in done.stderr
