"""Owns the tests of members that no document declares: of ``$secrets``, ``$config``, ``$context``, ``$run`` and ``$env``."""
# ruff: noqa: E501  (each case of a table is one line)

from __future__ import annotations

import pytest

import flowscript_trio as fs
from flowscript_trio.validator import Inherited

from checking import check_marked, check_text

DECLARED = '<workflow name="w"><param name="user"/><param name="page-size"/><secret name="API_KEY"/><set var="page" value="1"/>{}</workflow>'


def document(use: str) -> str:
    return DECLARED.format(use)


def node(settings: str, inside: str = "", id: str = "a") -> str:
    return f'<source:stub id="{id}" {settings}>{inside}</source:stub>'


WRONG = [
    ("$secrets.⟦API_KY", "API_KEY"),
    ("$secrets.⟦api_key", "API_KEY"),
    ("$secrets?.⟦API_KY", "API_KEY"),
    ("$secrets['⟦API_KY']", "API_KEY"),
    ("$secrets?.['⟦API_KY']", "API_KEY"),
    ("$secrets . ⟦API_KY", "API_KEY"),
    ("$secrets.⟦API_KY.trim()", "API_KEY"),
    ("$secrets.⟦API_KY ?? 'none'", "API_KEY"),
    ("$secrets.⟦COMPLETELY_OTHER", None),
    ("$secrets.⟦x", None),
    ("$config.⟦usr", "user"),
    ("$config['⟦page_size']", "page-size"),
    ("$config?.⟦usr?.name", "user"),
    ("[1].map(x => x + $config.⟦usr)", "user"),
    ("{...$config.⟦usr}", "user"),
    ("get($config, '⟦usr')", "user"),
    ("get($secrets, '⟦API_KY')", "API_KEY"),
    ("get($config, '⟦usr.name[0]')", "user"),
    ("$context.⟦pgae", "page"),
    ("$context['⟦pgae']", "page"),
    ("$context.⟦usr", "user"),
    ("$run.⟦ID", "id"),
    ("$run.⟦startd", "started"),
    ("$run.⟦x", None),
]


@pytest.mark.parametrize(("use", "suggestion"), WRONG, ids=[case[0] for case in WRONG])
@pytest.mark.parametrize(
    "form",
    [
        'url="{{{{ {} }}}}"',
        'url="x {{{{ {} }}}} y"',
        'when="{}"',
        'template="{{{{ {} }}}}"',
        'headers="{{A: Bearer {{{{ {} }}}}}}"',
        'body="{{{{ {} }}}}" mode="fast"',
        'if="{}"',
        'pause="{{{{ {} }}}}"',
        'input="{{{{ {} }}}}"',
    ],
)
def test_a_member_that_is_not_declared_is_an_error_at_its_place_in_every_form(
    form: str, use: str, suggestion: str | None
) -> None:
    problems, places = check_marked(document(node(form.format(use))))
    [problem] = problems
    assert (problem.code, problem.severity) == ("unknown-member", "error")
    assert [(problem.location.line, problem.location.column)] == places
    assert problem.suggestion == suggestion


WHERE = [
    '<source:stub id="a"><url>{{$secrets.⟦KY}}</url></source:stub>',
    '<source:stub id="a"><request>\nheaders:\n  A: Bearer {{$secrets.⟦KY}}\n</request></source:stub>',
    '<source:stub id="a"><request>\nbody: {list: [1, "{{$secrets.⟦KY}}"]}\n</request></source:stub>',
    node("", '<on-error><retry when="$secrets.⟦KY"/></on-error>'),
    node("", '<on-error><fallback node="h"/></on-error>') + node('url="{{$secrets.⟦KY}}"', id="h"),
    node("", "<compensate>" + node('url="{{$secrets.⟦KY}}"', id="c") + "</compensate>"),
    "<finally>" + node('url="{{$secrets.⟦KY}}"') + "</finally>",
    "<on-workflow-error>" + node('url="{{$secrets.⟦KY}}"') + "</on-workflow-error>",
    "<parallel id='p'><branch>" + node('url="{{$secrets.⟦KY}}"') + "</branch></parallel>",
    '<parallel id="p" merge="$secrets.⟦KY"><branch>' + node("") + "</branch></parallel>",
    '<foreach id="f" collection="$secrets.⟦KY">' + node("") + "</foreach>",
    '<if id="i" condition="$secrets.⟦KY == 1"><then>' + node("") + "</then></if>",
    '<branch id="b"><case when="$secrets.⟦KY">' + node("") + "</case></branch>",
    '<loop id="l" break="$secrets.⟦KY">' + node("") + "</loop>",
    '<loop id="l" max="{{$secrets.⟦KY}}">' + node("") + "</loop>",
    '<while id="l" condition="$secrets.⟦KY">' + node("") + "</while>",
    '<timeout id="t" duration="{{$secrets.⟦KY}}">' + node("") + "</timeout>",
    '<set var="x" value="{{$secrets.⟦KY}}"/>',
    '<context><set key="x" value="{{$secrets.⟦KY}}"/></context>',
    '<output><set field="x" value="{{$secrets.⟦KY}}"/></output>',
    '<checkpoint id="c" prompt="{{$secrets.⟦KY}}"/>',
    '<phase name="p">' + node('url="{{$secrets.⟦KY}}"') + "</phase>",
    node('input="$secrets.⟦KY"'),
    node("", id="x") + node('input="x, $secrets.⟦KY"', id="y"),
    node('timeout="{{$secrets.⟦KY}}"'),
]  # fmt: skip


@pytest.mark.parametrize("text", WHERE)
def test_a_member_that_is_not_declared_is_found_wherever_it_stands(text: str) -> None:
    problems, places = check_marked(f'<workflow name="w">{text}</workflow>')
    assert [(p.code, p.location.line, p.location.column) for p in problems] == [
        ("unknown-member", *places[0])
    ]


RIGHT = [
    "$secrets.API_KEY",
    "$secrets['API_KEY']",
    "$secrets?.API_KEY.trim()",
    "$secrets",
    "$secrets[input.name]",
    "keys($secrets)",
    "length($secrets) + $secrets.length",
    "$config.user.name.first",
    "$config['page-size']",
    "$config[input]",
    "get($config, 'user.name')",
    "get($config, 'usr', 'nobody')",
    "get($config, input)",
    "map([{a: 1}], $c => get($c, 'usr'))",
    "{...$config}",
    "$context.page + $context.user",
    "$context",
    "$run.id + $run.started",
    "map([{API: 1}], x => x.API)",
    "$env.ANYTHING",
    "input.anything + $input.anything",
]


@pytest.mark.parametrize("use", RIGHT)
def test_a_member_that_is_declared_or_cannot_be_known_is_right(use: str) -> None:
    assert check_text(document(node(f'url="{{{{ {use} }}}}"'))).problems == ()


def test_a_document_that_declares_no_configuration_may_be_given_any() -> None:
    assert check_text(node('url="{{$config.anything}}"')).problems == ()


def test_a_secret_must_be_declared_also_where_no_other_is() -> None:
    [problem] = check_text(node('url="{{$secrets.KEY}}"')).problems
    assert problem.message == "'w' declares no secret 'KEY'"
    assert problem.expected == '<secret name="KEY"/>'


def test_what_is_expected_is_a_declaration_as_the_document_has_them() -> None:
    front = "---\nname: w\nsecrets: [OTHER]\nconfig: {other: 1}\n---\n"
    uses = '<source:file id="a" path="{{$secrets.KEY}}{{$config.key}}"/>'
    with pytest.raises(fs.WorkflowInvalid) as caught:
        fs.loads(f"{front}<workflow>{uses}</workflow>")
    assert [problem.expected for problem in caught.value.problems] == [
        "OTHER or secrets: [KEY] in the front matter",
        "other or config: {key: {…}} in the front matter",
    ]


def test_the_message_lists_what_is_declared() -> None:
    [problem] = check_text(document(node('url="{{$config.nov}}"'))).problems
    assert problem.message == "'w' declares no 'nov' among its configuration"
    assert problem.expected is not None
    assert problem.expected.startswith("one of page-size, user or <param name=")


def test_a_variable_of_another_branch_is_none_that_can_be_seen() -> None:
    own = '<branch><set var="mine" value="1"/></branch>'
    other = "<branch>" + node('url="{{$context.mine}}"') + "</branch>"
    text = f'<parallel id="p">{own}{other}</parallel>'
    [problem] = check_text(text).problems
    assert (problem.code, problem.message) == (
        "unknown-member",
        "nothing sets the variable 'mine'",
    )


def test_a_variable_that_is_set_later_has_no_value_yet() -> None:
    text = '<if id="i" condition="1"><then>{}<set var="late" value="1"/></then></if>'
    [problem] = check_text(text.format(node('url="{{$context.late}}"'))).problems
    assert (problem.code, problem.severity) == ("no-value", "warning")


def test_a_handler_sees_the_variables_of_its_user() -> None:
    uses = '<set var="mine" value="1"/>' + node("", '<on-error><fallback node="h"/></on-error>')
    text = f'<foreach id="f" collection="[1]">{uses}</foreach>'
    assert check_text(text + node('url="{{$context.mine}}"', id="h")).problems == ()


def test_what_a_document_is_run_with_is_among_its_variables() -> None:
    text = node('url="{{$context.who}}"')
    assert check_text(text, given=["who"]).problems == ()
    assert [problem.code for problem in check_text(text).problems] == ["unknown-member"]


def test_what_is_inherited_is_declared() -> None:
    inherited = Inherited(frozenset({"base"}), frozenset({"TOKEN"}))
    right = node('url="{{$config.base}}{{$secrets.TOKEN}}"')
    assert check_text(right, inherited=inherited).problems == ()
    wrong = node('url="{{$config.bse}}{{$secrets.TOKN}}"')
    found = check_text(wrong, inherited=inherited).problems
    assert [problem.suggestion for problem in found] == ["base", "TOKEN"]


def test_a_member_of_the_environment_is_wanted_unless_a_default_stands_beside_it() -> None:
    text = (
        "{{$env.A}}{{$env['B']}}{{$env.C ?? $env.D ?? 1}}{{default($env.E, 1)}}{{$env.F + 1 ?? 1}}"
    )
    checked = check_text(node(f'url="{text}"'))
    assert checked.problems == ()
    assert [wanted.name for wanted in checked.wanted] == ["A", "B", "F"]
    assert checked.wanted[0].location.column == 47


def test_a_document_that_is_called_has_no_environment() -> None:
    text = node('url="{{$env.HOME}}"')
    [problem] = check_text(text, inherited=Inherited(environment=False)).problems
    assert (problem.code, problem.severity) == ("no-value", "warning")


def test_unknown_members_of_a_large_document_take_no_time_for_suggestions() -> None:
    secrets = "".join(f'<secret name="SECRET_{number}"/>' for number in range(1000))
    uses = "".join(node(f'url="{{{{$secrets.SECRT_{n}}}}}"', id=f"n{n}") for n in range(1000))
    found = check_text(f'<workflow name="w">{secrets}{uses}</workflow>').problems
    assert len(found) == 1000
    assert found[0].suggestion is not None
    assert found[-1].suggestion is None


BARE = [
    ('url="http://x/⟦$config.user"', "{{$config.user}}"),
    ('url="{{input}} ⟦$secrets.API_KEY {{input}}"', "{{$secrets.API_KEY}}"),
    ('headers="{A: Bearer ⟦$secrets.API_KEY}"', "{{$secrets.API_KEY}}"),
    ('body="⟦$config.page-size"', "{{$config.page-size}}"),
    ('template="a {{input}}, ⟦$config.user"', "{{$config.user}}"),
    ('template="a {{input}}, ⟦${secrets.API_KEY}"', "{{$secrets.API_KEY}}"),
    ('url="http://x/⟦${ config.user }/y"', "{{$config.user}}"),
    ('body="⟦${input.x + 1}"', "{{input.x + 1}}"),
]


@pytest.mark.parametrize(("settings", "expected"), BARE)
def test_a_declared_name_that_stands_in_a_text_without_braces_is_a_warning(
    settings: str, expected: str
) -> None:
    [problem], places = check_marked(document(node(settings)))
    assert (problem.code, problem.severity, problem.expected) == ("bare-name", "warning", expected)
    assert [(problem.location.line, problem.location.column)] == places


@pytest.mark.parametrize(
    "settings",
    [
        'url="{{ [$config.user, $secrets.API_KEY] }}"',
        'url="{{ $config.user }}{{$config.user}}"',
        'url="a$config.user $config.usr $secrets. $$config.user $configs.user"',
        'when="$config.user"',
        'body="{a: {{$config.user}}}"',
        'template="${HOME} ${secrets.NONE} ${config} ${} ${inputs.x} \\${input.x}"',
    ],
)
def test_what_stands_in_braces_or_is_no_declared_name_is_no_bare_name(settings: str) -> None:
    assert check_text(document(node(settings))).problems == ()
