"""Owns the tests of members that nothing declares, taken of a copy of a ``$`` name or by a computed name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio

import flowscript_trio as fs

DECLARED = (
    '<workflow name="w"><param name="user"/><secret name="API_KEY"/><set var="page" value="1"/>'
    '<transform:template id="t"><template><![CDATA[{{{{ {} }}}}]]></template></transform:template></workflow>'
)

COPIES = [
    "({...X}).M",
    "({...X, a: 1}).M",
    "({a: 1, ...X}).M",
    "merge(X, {}).M",
    "merge({a: 1}, X, null).M",
    "clone(X).M",
    "[X][0].M",
    "[X].map(x => x.M)",
    "map([X], x => ({...x}).M)",
    "({a: X}).a?.M",
    "(input ? X : {}).M",
    "(X ?? {}).M",
    "default(X, {}).M",
    "coalesce(null, X).M",
    "if_else(input, X, {}).M",
    "first([X]).M",
    "find([X], x => true).M",
    "[X].filter(x => x.M)",
    "set(X, 'a', 1).M",
    "omit(X, 'M')",
    "pick(X, 'M')",
    "pick(X, ['M'])",
    "delete(X, 'M')",
    "get({...X}, 'M')",
    "get({...X}, 'M.a[0]')",
    "X['' + 'M']",
    "X[concat('', 'M')]",
    "X[input ? 'M' : 'M_']",
]
NAMES = {
    "$secrets": ("API_KY", "API_KEY"),
    "$config": ("usr", "user"),
    "$context": ("pge", "page"),
    "$run": ("startd", "started"),
}


def problems_of(text: str) -> list[fs.Problem]:
    try:
        fs.loads(text)
    except fs.WorkflowInvalid as exc:
        return [problem for problem in exc.problems if problem.severity == "error"]
    return []


@pytest.mark.parametrize("copy", COPIES)
@pytest.mark.parametrize("name", NAMES)
def test_a_member_of_a_copy_that_is_not_declared_is_an_error_and_a_declared_one_is_not(
    name: str, copy: str
) -> None:
    wrong, right = NAMES[name]
    [problem] = problems_of(DECLARED.format(copy.replace("X", name).replace("M", wrong)))
    assert (problem.code, problem.suggestion) == ("unknown-member", right)
    assert problem.message == f"{name!r} has no member {wrong!r}"
    made = copy.replace("X", name).replace("M_", "M").replace("M", right)
    assert problems_of(DECLARED.format(made)) == []


def test_a_variable_that_is_all_secrets_has_no_others() -> None:
    text = '<workflow name="w"><secret name="KEY"/><set var="all" value="{{$secrets}}"/>'
    use = '<transform:template id="t" template="{{({...all}).KY}}{{all.KY}}"/></workflow>'
    [problem] = problems_of(text + use)
    assert problem.suggestion == "KEY"


def test_what_includes_a_document_declares_for_copies_in_it_too(tmp_path: Path) -> None:
    use = "{{({...$secrets}).KEY + ({...$config}).a}}"
    inner = f'<workflow name="i"><output><set field="x" value="{use}"/></output></workflow>'
    (tmp_path / "i.xml").write_text(inner)
    outer = '<workflow name="w">{}<include id="i" workflow="i.xml"/></workflow>'
    declared = '<param name="a" default="b"/><secret name="KEY"/>'
    (tmp_path / "w.xml").write_text(outer.format(declared))
    flow = fs.load(tmp_path / "w.xml")
    assert trio.run(lambda: fs.run(flow, secrets={"KEY": "k"})).output == {"x": "kb"}
    (tmp_path / "w.xml").write_text(outer.format(""))
    with pytest.raises(fs.WorkflowInvalid, match="has no member 'KEY'"):
        fs.load(tmp_path / "w.xml")


ENVIRONMENT = [
    "({...$env}).HOEM",
    "merge($env, {}).HOEM",
    "$env['HO' + 'EM']",
    "[$env].map(e => e.HOEM)",
    "pick($env, 'HOEM')",
    "({...$env}).HOEM.length",
]


@pytest.mark.parametrize("use", ENVIRONMENT)
def test_a_member_of_a_copy_of_the_environment_is_wanted_when_the_run_begins(use: str) -> None:
    flow = fs.loads(DECLARED.format(use))
    with pytest.raises(fs.InputError, match=r"\$env.HOEM .* did you mean 'HOME'"):
        trio.run(lambda: fs.run(flow, env={"HOME": "/"}))
    trio.run(lambda: fs.run(flow, env={"HOEM": "/"}))


@pytest.mark.parametrize(
    "use",
    ["({...$env}).HOEM ?? 1", "default(({...$env}).HOEM, 1)", "get({...$env}, 'HOEM', 1)"],
)
def test_a_default_beside_a_member_of_a_copy_of_the_environment_stands_for_it(use: str) -> None:
    flow = fs.loads(DECLARED.format(use))
    assert trio.run(lambda: fs.run(flow, env={})).output == 1


RIGHT = [
    "({...$config})[input]",
    "$config[input]",
    "has($secrets, 'M')",
    "'M' in $config",
    "({...input, ...$config}).anything",
    "({...$config, [input]: 1}).anything",
    "merge($config, input).anything",
    "get({...$config}, 'usr', 1)",
    "from_entries(entries($config)).usr",
    "length($secrets) + keys($config).length",
]


@pytest.mark.parametrize("use", RIGHT)
def test_what_may_have_other_members_too_is_right(use: str) -> None:
    assert problems_of(DECLARED.format(use)) == []


def test_where_nothing_is_declared_a_copy_of_the_configuration_may_have_anything() -> None:
    use = (
        '<workflow name="w"><transform:template id="t" template="{{({...$config}).a}}"/></workflow>'
    )
    assert problems_of(use) == []


@pytest.mark.parametrize(
    ("use", "output"),
    [
        ("$config[input]", None),
        ("$config[input] ?? 10", 10),
        ("get($config, input)", None),
        ("input in $config", False),
        ("$env[input]", None),
        ("$context[input]", None),
        ("$run[input]", None),
    ],
)
def test_a_member_whose_name_comes_from_data_is_null_where_it_is_absent(
    use: str, output: Any
) -> None:
    text = (
        '<workflow name="w"><param name="size" default="1"/><set id="s" var="size" value="1"/>'
        f'<return id="r" after="s" value="{{{{{use}}}}}"/></workflow>'
    )
    flow = fs.loads(text)
    assert flow.warnings == ()

    async def main() -> Any:
        return (await fs.run(flow, input="siz", env={"SIZE": "1"})).output

    assert trio.run(main) == output
