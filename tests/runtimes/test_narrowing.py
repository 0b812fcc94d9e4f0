"""Owns the tests of registries that have some runtimes of another one and no others."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

import flowscript_trio as fs


async def nothing(params: fs.ExecutionParams) -> Any:
    return None


def test_only_the_runtimes_that_are_named_are_there() -> None:
    some = fs.registry.only("transform:map", "source:file")
    assert some.names() == ["source:file", "transform:map"]
    assert some.get_runtime("transform:map") is fs.registry.get_runtime("transform:map")
    assert not some.has_runtime("sink:file")
    with pytest.raises(fs.RuntimeNotFound, match="did you mean 'source:file'"):
        some.get_runtime("sink:file")


def test_a_family_is_what_it_has_now() -> None:
    base = fs.Registry(base=fs.registry)
    some = base.only("transform:*")
    assert {name.partition(":")[0] for name in some.names()} == {"transform"}
    base.runtime("transform:late")(nothing)
    assert not some.has_runtime("transform:late")
    assert base.only("transform:*").has_runtime("transform:late")


@pytest.mark.parametrize(
    ("name", "near"),
    [("transform:mpa", "transform:map"), ("sorce:*", "source:"), ("*", "no runtime named")],
)
def test_a_name_that_is_not_registered_is_an_error_with_the_nearest(name: str, near: str) -> None:
    with pytest.raises(fs.RuntimeNotFound, match=near):
        fs.registry.only(name)


def test_more_can_be_registered_in_it_and_it_can_be_narrowed_and_wrapped_again() -> None:
    some = fs.registry.only("transform:*")
    some.runtime("source:own")(nothing)
    assert some.has_runtime("source:own")
    assert not fs.registry.has_runtime("source:own")
    assert some.only("source:*").names() == ["source:own"]

    async def around(runtime: fs.NodeRuntime, params: fs.ExecutionParams) -> Any:
        return await runtime.execute(params)

    assert some.wrapped(around).names() == some.names()
    assert not some.wrapped(around).has_runtime("sink:file")


def test_a_document_that_uses_another_one_is_not_valid() -> None:
    text = '<workflow name="w"><sink:file id="f" path="x"/></workflow>'
    with pytest.raises(fs.WorkflowInvalid) as caught:
        fs.loads(text, registry=fs.registry.only("control:*", "transform:map"))
    assert [problem.code for problem in caught.value.problems] == ["unknown-runtime"]


def test_naming_a_built_in_runtime_of_a_family_does_not_import_it() -> None:
    asked = (
        "import sys, flowscript_trio as fs\n"
        "fs.registry.only('source:*', 'control:*')\n"
        "assert 'flowscript_trio.runtimes.database' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", asked], check=True)
