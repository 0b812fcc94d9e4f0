"""The names of limits that nodes take."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

import flowscript_trio as fs


def problems_of(limit: str, declared: str = '<limit name="github" max="1"/>') -> list[fs.Problem]:
    text = f'<workflow name="w">{declared}<source:file id="d" path="x" limit="{limit}"/></workflow>'
    try:
        return list(fs.loads(text).warnings)
    except fs.WorkflowInvalid as exc:
        return list(exc.problems)


@pytest.mark.parametrize("limit", ["github", " github ", "github other", "github,other", "o.k-_1"])
def test_names_stand_with_spaces_or_commas_between(limit: str) -> None:
    assert problems_of(limit) == []


@pytest.mark.parametrize(
    ("limit", "code", "message"),
    [
        ("", "invalid-setting", "limit names no limit"),
        (" , ", "invalid-setting", "limit names no limit"),
        ("5", "invalid-setting", "'5' cannot be the name of a limit"),
        ("github github", "invalid-setting", "the limit 'github' is named twice"),
        ("{{$config.x}}", "not-constant", "limit is computed"),
        ("gihub", "unknown-limit", "no limit 'gihub' is declared"),
        ("GitHub", "unknown-limit", "no limit 'GitHub' is declared"),
    ],
)
def test_what_is_wrong_with_a_name_is_reported(limit: str, code: str, message: str) -> None:
    [problem] = problems_of(limit)
    assert problem.code == code
    assert message in problem.message


def test_the_nearest_declared_name_is_suggested_and_how_to_declare_another() -> None:
    [problem] = problems_of("gihub")
    assert problem.severity == "warning", "the application may give it"
    assert problem.suggestion == "github"
    assert problem.expected is not None
    assert '<limit name="gihub"/> for one that the application gives' in problem.expected
    assert problems_of("gihub", '<limit name="github" max="1"/><limit name="gihub"/>') == []


def test_a_runtime_with_a_setting_of_that_name_keeps_it() -> None:
    class Page(BaseModel):
        limit: int

    registry = fs.Registry(base=fs.registry)

    @registry.runtime("source:page", config=Page)
    async def page(params: fs.ExecutionParams) -> int:
        return params.config.limit

    text = '<workflow name="w"><source:page id="p" limit="{}"/></workflow>'
    flow = fs.loads(text.format(5), registry=registry)
    assert flow.program.limits is None
    with pytest.raises(fs.WorkflowInvalid, match="limit"):
        fs.loads(text.format("many"), registry=registry)
