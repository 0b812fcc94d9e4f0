"""Owns the tests of how pages and README are published: from the lock, strictly, with links that lead on."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import yaml

from harvest import ROOT

URL = "https://forge.example.com/flow/flowscript-trio"


def test_a_package_index_is_given_links_that_lead_to_the_repository(tmp_path: Path) -> None:
    for name in ("README.md", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    command = [sys.executable, str(ROOT / ".ci" / "addressed"), URL, "v1.2.0"]
    subprocess.run(command, cwd=tmp_path, check=True)
    links = re.findall(r"\]\(([^)\s]+)\)", (tmp_path / "README.md").read_text(encoding="utf-8"))
    relative = re.findall(r"\]\(([^)\s]+)\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert f"{URL}/raw/v1.2.0/docs/pictures/report.png" in links
    assert f"{URL}/blob/v1.2.0/docs/explanation/why.md" in links
    assert len(links) == len(relative)
    for link, before in zip(links, relative, strict=True):
        assert link == before or link.endswith(f"/v1.2.0/{before}")
        assert link.startswith("https://")
        assert link == before or (ROOT / before.partition("#")[0]).exists()
    project = tomllib.loads((tmp_path / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["urls"]["Source"] == URL
    assert project["project"]["name"] == "flowscript-trio"


def test_a_release_is_built_with_the_address_of_its_repository() -> None:
    text = (ROOT / ".github" / "workflows" / "release.yml").read_text()
    assert text.index(".ci/addressed") < text.index("-m build")


def test_the_pages_are_built_from_the_lock_and_a_warning_is_an_error() -> None:
    hosted = yaml.safe_load((ROOT / ".readthedocs.yaml").read_text())
    assert hosted["sphinx"] == {"configuration": "docs/conf.py", "fail_on_warning": True}
    assert hosted["python"]["install"][0] == {"requirements": "requirements/dev.lock"}
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "docs.yml").read_text())
    steps = [step.get("run", "") for step in workflow["jobs"]["build"]["steps"]]
    assert any("sphinx-build -q -W" in step and "requirements/dev.lock" in step for step in steps)
