"""Owns the proof that the JSON Schema of front matter and the engine are of one mind."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import jsonschema
import pytest
import yaml

import flowscript_trio as fs

from harvest import LOADED, load_all
from validating import workflow


def plain_front(text: str) -> Any:
    return yaml.safe_load(text.split("---")[1])


@pytest.fixture(scope="module")
def front() -> Callable[[Any], bool]:
    schema = json.loads(fs.schema_files()["front-matter.json"])
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema).is_valid


@pytest.mark.filterwarnings("ignore")
def test_the_front_matter_of_every_valid_document_is_right_by_its_schema(
    front: Callable[[Any], bool],
) -> None:
    load_all()
    with_front = [text for text in LOADED if text.startswith("---\n")]
    assert len(with_front) >= 5
    assert [text for text in with_front if not front(plain_front(text))] == []


@pytest.mark.parametrize(
    "wrong",
    [
        "name: [a]", "name: w\nversion: one", "name: w\nconfig: [a]", "name: w\nconfig: {a: {type: int}}",
        "name: w\nconfig: {a: {required: maybe}}", "name: w\nsecrets: A", "name: w\nsecrets: [[A]]",
        "name: w\nruntime: 5", "name: w\nruntime: {concurrency: 0}", "name: w\nruntime: {retry: -1}",
    ],
)  # fmt: skip
def test_wrong_front_matter_is_wrong_by_its_schema(
    wrong: str, front: Callable[[Any], bool]
) -> None:
    text = f"---\n{wrong}\n---\n" + workflow("<set var='a' value='1'/>")
    with suppress(fs.WorkflowInvalid):
        assert fs.loads(text, name="w.flow.md").warnings != ()
    assert not front(plain_front(text))
