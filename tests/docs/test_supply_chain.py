"""Owns the tests of where the package comes from: its bounds, the lock files, the audit, the release."""

from __future__ import annotations

import json
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
    command = [sys.executable, ROOT / ".ci" / "audited", "run.lock", file]
    done = subprocess.run(command, capture_output=True, text=True)  # type: ignore[arg-type]
    assert (done.returncode, done.stderr) == (code, "")
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
