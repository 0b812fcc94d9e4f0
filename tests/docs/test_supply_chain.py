"""Owns the tests of where the package comes from: its bounds, the lock files, the audit, the release."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from harvest import ROOT

SAFE = {"name": "trio", "version": "1", "vulns": []}
BAD = {
    "name": "h11",
    "version": "0.14",
    "vulns": [{"id": "GHSA-x", "fix_versions": ["0.16"]}, {"id": "GHSA-y", "fix_versions": []}],
}
UNKNOWN = {"name": "trio", "skip_reason": "not found"}


@pytest.mark.parametrize(
    ("report", "code", "said"),
    [
        ([SAFE, SAFE], 0, "run.lock: nothing is known against 2 of 2 packages"),
        ([SAFE, UNKNOWN], 0, "run.lock: nothing is known against 1 of 2 packages"),
        ([SAFE, BAD], 1, "run.lock: h11 0.14: GHSA-x, mended in 0.16"),
        ([BAD], 1, "run.lock: h11 0.14: GHSA-y, mended in no version yet"),
        ([UNKNOWN, UNKNOWN], 0, "skipped: the database of vulnerabilities could not be reached"),
        ([], 0, "skipped: the database of vulnerabilities could not be reached"),
        (None, 0, "skipped: the database of vulnerabilities could not be reached"),
    ],
)
def test_the_audit_fails_for_what_it_finds_and_says_where_it_could_not_look(
    report: list[Any] | None, code: int, said: str, tmp_path: Path
) -> None:
    file = tmp_path / "report.json"
    file.write_text("" if report is None else json.dumps({"dependencies": report}))
    log = tmp_path / "log"
    log.write_text("" if report else "pip_audit._service.interface.ConnectionError")
    command = [sys.executable, ROOT / ".ci" / "audited", "run.lock", file, log]
    done = subprocess.run(command, capture_output=True, text=True)  # type: ignore[arg-type]
    assert (done.returncode, done.stderr) == (code, "")
    assert said in done.stdout


PYTHON = """#!{python}
import os, stat, sys
from pathlib import Path
if sys.argv[1:3] == ["-m", "venv"]:
    bin = Path(sys.argv[3]) / "bin"
    bin.mkdir(parents=True)
    for name in ("pip", "pip-audit"):
        (bin / name).write_text("#!/bin/sh\\n" + os.environ["STUB_" + name.replace("-", "_")])
        (bin / name).chmod(0o700)
else:
    os.execv({python!r}, [{python!r}, *sys.argv[1:]])
"""
"""Stands for python3: the tools that it installs say what the test wants."""
REACHED = """cat <<'END'
{"dependencies": [{"name": "trio", "version": "1", "vulns": []}]}
END
"""
VULNERABLE = REACHED.replace("[]", '[{"id": "GHSA-x", "fix_versions": ["2"]}]') + "exit 1"
OUT_OF_REACH = "echo 'requests.exceptions.ConnectionError: Max retries exceeded' >&2; exit 1"


@pytest.mark.parametrize(
    ("audit", "code", "said"),
    [
        (REACHED, 0, "run.lock: nothing is known against 1 of 1 packages"),
        (VULNERABLE, 1, "run.lock: trio 1: GHSA-x, mended in 2"),
        (OUT_OF_REACH, 0, "skipped: the database of vulnerabilities could not be reached"),
        ("exit 124", 0, "skipped: the database of vulnerabilities could not be reached"),
        ("echo 'cannot read the lock file' >&2; exit 1", 1, "cannot read the lock file"),
    ],
    ids=["nothing found", "something found", "out of reach", "too slow", "a tool that fails"],
)
def test_the_audit_asks_the_tool_and_skips_only_where_the_database_is_out_of_reach(
    audit: str, code: int, said: str, tmp_path: Path
) -> None:
    python = tmp_path / "python3"
    python.write_text(PYTHON.format(python=sys.executable))
    python.chmod(0o700)
    environment = os.environ | {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "STUB_pip": "exit 0",
        "STUB_pip_audit": audit,
    }
    command = ["bash", str(ROOT / ".ci" / "audit")]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == code, done.stderr
    assert said in done.stdout


def test_the_checks_look_for_known_vulnerabilities() -> None:
    assert re.search(r"^\.ci/audit$", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)


def test_what_is_needed_is_bounded_from_below_and_begins_at_safe_versions() -> None:
    with open(ROOT / "pyproject.toml", "rb") as file:
        needed = tomllib.load(file)["project"]["dependencies"]
    assert {"h11>=0.16", "PyYAML>=6.0.4"} <= set(needed)
    assert all(re.fullmatch(r"[\w.\[\]-]+>=[\d.]+", one) for one in needed)


@pytest.mark.parametrize("name", ["run", "test", "dev"])
def test_every_locked_package_has_a_version_and_hashes(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.lock").read_text().replace("\\\n", "")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    assert len(lines) > 10
    for line in lines:
        assert re.match(r"[\w.\[\]-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", line), line


def test_a_release_is_checked_and_what_is_published_was_attested_with_its_bill_of_materials() -> (
    None
):
    workflow = yaml.load(
        (ROOT / ".github" / "workflows" / "release.yml").read_text(), yaml.BaseLoader
    )
    assert workflow["permissions"] == {}
    build, publish = workflow["jobs"]["build"], workflow["jobs"]["publish"]
    assert build["permissions"] == {"contents": "read"}
    commands = [step.get("run", "") for step in build["steps"]]
    checked = commands.index("bash .ci/run")
    assert any(".ci/sbom sbom/flowscript-trio.cdx.json" in one for one in commands[checked:])
    assert publish["needs"] == "build"
    assert publish["permissions"] == {"id-token": "write", "attestations": "write"}
    used = [(step["uses"].partition("@")[0], step.get("with", {})) for step in publish["steps"]]
    names = [name for name, _ in used]
    assert names.index("actions/attest-build-provenance") < len(names) - 1
    assert used[names.index("actions/attest-sbom")][1] == {
        "subject-path": "dist/*",
        "sbom-path": "sbom/flowscript-trio.cdx.json",
    }
    assert used[-1][1] == {"packages-dir": "dist", "attestations": "true"}
