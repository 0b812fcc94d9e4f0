"""Owns the proof that every setting of the language is read and takes effect, and that none is forgotten."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel

import flowscript_trio as fs
from flowscript_trio.runtimes.control.types import BODY_CONFIGS, PART_CONFIGS

from setting_cases import control, leaves
from setting_cases.world import CASES, Case, show

DOCUMENT = {"name", "version", "description", "timeout", "max_concurrency", "param", "secret"}
FRONT_MATTER = {
    "name",
    "version",
    "description",
    "config",
    "secrets",
    "trigger",
    "schemas",
    "input",
    "output",
    "evolution",
}
NODE = {"id", "input", "after", "if", "timeout", "place", "on-crash", "on-error", "compensate"}


@pytest.mark.parametrize("case", CASES, ids=[f"{case.owner} {case.setting}" for case in CASES])
def test_a_setting_takes_effect(case: Case, tmp_path: Path) -> None:
    (tmp_path / "with").mkdir()
    (tmp_path / "without").mkdir()
    shown = show(case, tmp_path / "with", given=True)
    assert case.shows(shown), shown
    without = show(case, tmp_path / "without", given=False)
    try:
        still = case.shows(without)
    except (KeyError, IndexError, TypeError, AttributeError, ValueError):
        return  # it shows so little that the question makes no sense
    assert not still, without


def settings_of(owner: str, model: type[BaseModel] | None) -> set[tuple[str, str]]:
    return set() if model is None else {(owner, name) for name in model.model_fields}


def test_every_setting_of_every_element_has_its_case() -> None:
    assert control
    assert leaves
    wanted: set[tuple[str, str]] = set()
    for name in fs.registry.names():
        wanted |= settings_of(name, fs.registry.get_runtime(name).config)
    for (element, part), model in PART_CONFIGS.items():
        wanted |= settings_of(f"{element} {part}", model)
    for element, body in BODY_CONFIGS.items():
        wanted |= settings_of(element, body)
    wanted |= {("node", name) for name in NODE}
    wanted |= {("document", name) for name in DOCUMENT}
    wanted |= {("front matter", name) for name in FRONT_MATTER}
    covered = {(case.owner, case.setting) for case in CASES}
    assert wanted - covered == set()
