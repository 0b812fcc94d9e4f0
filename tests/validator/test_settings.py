"""Owns the tests of bound settings: what is constant, what is computed, and how both are validated."""

from __future__ import annotations

from typing import Any

import pytest

import flowscript_trio as fs
from flowscript_trio.types.errors import EvaluationError, SettingError
from flowscript_trio.validator import BoundSettings, CheckedNode

from checking import FakeScope, WholeConfig, check_text


def bind(text: str, at: int = 0) -> CheckedNode:
    checked = check_text(text)
    assert checked.problems == ()
    return checked.nodes[checked.document.body.nodes[at].key]


def config_of(text: str, **values: Any) -> Any:
    return bind(text).settings.config(FakeScope(values))


def test_constants_are_validated_once_and_shared() -> None:
    settings = bind('<source:stub id="a" count="2" flag="true" mode="slow" pause="1.5m"/>').settings
    config = settings.config(FakeScope())
    assert settings.is_constant
    assert config is settings.config(FakeScope())
    assert (config.count, config.flag, config.mode, config.pause) == (2, True, "slow", 90.0)


def test_computed_settings_are_validated_in_each_scope_and_constants_kept() -> None:
    settings = bind('<source:stub id="a" count="{{input}}" pause="1s" mode="slow"/>').settings
    assert not settings.is_constant
    for value in (1, 2):
        config = settings.config(FakeScope({"input": value}))
        assert (config.count, config.pause, config.mode, config.ratio) == (value, 1.0, "slow", 0.5)


def test_the_constants_of_a_computed_config_are_not_validated_again() -> None:
    settings = bind(
        '<source:stub id="a" url="{{input}}"><tags>[a, b]</tags></source:stub>'
    ).settings
    first, second = (settings.config(FakeScope({"input": "x"})) for _ in range(2))
    assert first is not second
    assert first.tags is second.tags


@pytest.mark.parametrize(
    ("setting", "value", "expected"),
    [
        ('count="{{input}}"', "many", "a whole number"),
        ('count="{{input}}"', 0, "at least 1"),
        ('mode="{{input}}"', "quick", "'fast' or 'slow'"),
        ('pause="{{input}}"', "soon", "a duration"),
        ('url="{{input}}"', {"a": 1}, "text"),
        ('headers="{{input}}"', 3, "a mapping"),
        ('flag="{{input}}"', None, "true or false"),
    ],
)
def test_a_computed_value_that_is_not_accepted_names_setting_place_value_and_expectation(
    setting: str, value: object, expected: str
) -> None:
    node = bind(f'<source:stub id="a" {setting}/>')
    with pytest.raises(SettingError) as caught:
        node.settings.config(FakeScope({"input": value}))
    message = str(caught.value)
    name = setting.partition("=")[0]
    assert f"the setting {name!r} of 'a'" in message
    assert f"expected {expected}" in message
    column = len(f'<workflow name="w"><source:stub id="a" {name}="') + 1
    assert message.startswith(f"w.xml:1:{column}: ")


def test_a_long_computed_value_is_described_and_not_cut() -> None:
    node = bind('<source:stub id="a" count="{{input}}"/>')
    with pytest.raises(SettingError, match="is text of 100 characters; expected"):
        node.settings.config(FakeScope({"input": "s" * 100}))


def test_an_expression_that_fails_says_where() -> None:
    node = bind('<source:stub id="a" url="{{input + 1 - null}}"/>')
    with pytest.raises(EvaluationError) as caught:
        node.settings.config(FakeScope({"input": 1}))
    assert caught.value.location is not None


def test_numbers_and_booleans_become_text_where_text_is_wanted() -> None:
    assert config_of('<source:stub id="a" url="{{input}}"/>', input=5).url == "5"
    assert config_of('<source:stub id="a" url="{{input}}"/>', input=True).url == "true"
    assert config_of('<source:stub id="a" url="{{input}}"/>', input=None).url is None


def test_a_single_interpolation_keeps_its_type_and_others_join_as_text() -> None:
    marker = object()
    assert config_of('<source:stub id="a" body="{{input}}"/>', input=marker).body is marker
    assert config_of('<source:stub id="a" body="x{{input}}"/>', input=1).body == "x1"
    assert config_of(r'<source:stub id="a" body="\{{input}}"/>').body == "{{input}}"


def test_a_mapping_or_list_is_read_as_yaml_with_interpolations_anywhere() -> None:
    text = (
        '<source:stub id="a" tags="[x, {{input}}]"><headers>A: "{{input}}"\n{{input}}: 010</headers>'
        "</source:stub>"
    )
    config = config_of(text, input="v")
    assert config.tags == ["x", "v"]
    assert config.headers == {"A": "v", "v": "010"}
    assert config_of('<source:stub id="a" headers="{{input}}"/>', input={"a": "b"}).headers == {
        "a": "b"
    }


def test_text_is_never_yaml_because_of_its_look() -> None:
    assert config_of('<source:stub id="a" body="{a: 1}"/>').body == "{a: 1}"
    assert config_of('<source:stub id="a"><body>[1, 2]</body></source:stub>').body == "[1, 2]"


def test_the_keys_of_a_request_are_settings() -> None:
    text = (
        '<source:stub id="a"><request>\nurl: "{{input}}/x"\ncount: 3\nbody: {k: ["{{input}}", 1]}\n'
        "headers: {A: b}\nauth: {type: bearer, token: t}\n</request></source:stub>"
    )
    config = config_of(text, input="u")
    assert (config.url, config.count, config.headers) == ("u/x", 3, {"A": "b"})
    assert config.body == {"k": ["u", 1]}
    assert config.auth is not None
    assert config.auth.token == "t"


def test_expressions_and_templates_are_handed_over_compiled() -> None:
    config = config_of('<source:stub id="a" when="input &gt; 1" template="x{{input}}"/>')
    assert config.when(FakeScope({"input": 2})) is True
    assert config.template(FakeScope({"input": 2})) == "x2"
    assert config_of('<source:stub id="a" when="{{input}}"/>').when(FakeScope({"input": 7})) == 7


def test_a_setting_may_be_spelled_in_any_of_three_ways() -> None:
    for name in ("outputSchema", "output-schema", "output_schema"):
        assert config_of(f'<source:stub id="a" {name}="{{a: b}}"/>').outputSchema == {"a": "b"}


def test_a_runtime_without_a_model_gets_a_dict_with_snake_case_keys() -> None:
    assert config_of('<source:free id="a" someThing="1" x="{{input}}"/>', input=[1]) == {
        "some_thing": "1",
        "x": [1],
    }
    assert config_of('<source:free id="a"/>') == {}


def test_a_model_that_allows_more_gets_more() -> None:
    config = config_of('<source:open id="a" count="2" colour="{{input}}"/>', input="red")
    assert (config.count, config.colour) == (2, "red")


def test_a_model_with_validators_of_its_own_is_validated_as_a_whole() -> None:
    text = '<source:whole id="a" low="3" high="{{input}}"/>'
    assert config_of(text, input=5) == WholeConfig(low=3, high=5)
    with pytest.raises(SettingError, match="low 3 is above high 2"):
        config_of(text, input=2)
    with pytest.raises(SettingError, match="'high' of 'a' is 'x'; expected a whole number"):
        config_of(text, input="x")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1", 1), ("-2.5", -2.5), ("1e3", 1000.0), ("true", True), ("false", False), ("null", None),
        ("010", "010"), ("+1", "+1"), ("True", "True"), ("", ""), ("a", "a"), ("1 2", "1 2"),
        ("[1]", "[1]"), ("1e999", "1e999"), ("NaN", "NaN"), ("'1'", "'1'"),
    ],
)  # fmt: skip
def test_a_constant_that_is_a_json_scalar_is_that_value(value: str, expected: object) -> None:
    result = config_of(f'<set var="x" value="{value}"/>').value
    assert result == expected
    assert type(result) is type(expected)
    assert config_of(f'<set var="x" value="{value}" type="string"/>').value == value


def test_a_computed_value_keeps_its_type_unless_text_is_asked_for() -> None:
    assert config_of('<set var="x" value="{{input}}"/>', input=5).value == 5
    assert config_of('<set var="x" value="{{input}}" type="string"/>', input=5).value == "5"


def test_parts_are_bound_in_document_order() -> None:
    node = bind('<context><set key="a" value="1"/><set key="b" value="{{input}}"/></context>')
    scope = FakeScope({"input": "x"})
    assert [(p.config(scope).key, p.config(scope).value) for p in node.parts] == [
        ("a", 1),
        ("b", "x"),
    ]
    node = bind('<call id="c" workflow="x.xml" extra="2"><arg name="n" value="true"/></call>')
    found = {p.config(scope).name: p.config(scope).value for p in node.parts}
    assert found == {"n": True, "extra": 2}


def test_an_input_is_one_value_or_a_list() -> None:
    class View:
        status = "success"
        error = None

        def __init__(self, output: object) -> None:
            self.output = output

    scope = FakeScope({}, {"a-1": View({"items": [7]}), "b": View("x"), "p": View("phase")})
    others = '<source:stub id="a-1"/><source:stub id="b"/><phase name="p"/>'
    for written, is_list, values in (
        ("a-1.output.items", False, [[7]]),
        ("a-1.items[0]", False, [7]),
        ("b", False, ["x"]),
        ("b, a-1.items p", True, ["x", [7], "phase"]),
    ):
        node = bind(f'{others}<source:stub id="n" input="{written}"/>', -1)
        assert node.input is not None
        assert node.input_is_list is is_list
        assert [expression(scope) for expression in node.input] == values
    assert bind('<source:stub id="n"/>').input is None


def test_timeouts_are_seconds_and_may_be_computed() -> None:
    timeout = bind('<source:stub id="a" timeout="1m"/>').timeout
    assert timeout is not None
    assert timeout(FakeScope()) == 60.0
    timeout = bind('<source:stub id="a" timeout="{{input}}s"/>').timeout
    assert timeout is not None
    assert timeout(FakeScope({"input": 3})) == 3.0
    with pytest.raises(SettingError, match="the setting 'timeout' of 'a'"):
        timeout(FakeScope({"input": -3}))
    timeout = bind('<checkpoint id="c" timeout="30"/>').timeout
    assert timeout is not None
    assert timeout(FakeScope()) == 30.0


def test_the_documents_own_settings_are_bound() -> None:
    checked = check_text(
        '<workflow name="w" timeout="5m" maxConcurrency="3"><source:stub id="a"/></workflow>'
    )
    assert checked.timeout is not None
    assert checked.timeout(FakeScope()) == 300.0
    assert checked.max_concurrency is not None
    assert checked.max_concurrency(FakeScope()) == 3
    assert checked.retry is None


def test_retry_is_bound_with_its_defaults() -> None:
    node = bind(
        '<source:stub id="a"><on-error><retry max="2" when="status == 503"/></on-error></source:stub>'
    )
    assert isinstance(node.retry, BoundSettings)
    retry = node.retry.config(FakeScope())
    assert (retry.max, retry.base, retry.cap, retry.jitter) == (2, 1.0, 30.0, "none")
    assert retry.when(FakeScope({"status": 503})) is True


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ('delimiter="ab"', "'auto' or 'tab' or text of at most 1 character"),
        ('delimiter=""', "'auto' or 'tab' or text of at least 1 character"),
        ('quote="ab"', "'none' or text of at most 1 character"),
    ],
)
def test_a_setting_of_several_kinds_that_is_of_none_is_one_problem(
    setting: str, expected: str
) -> None:
    with pytest.raises(fs.WorkflowInvalid) as caught:
        fs.loads(f'<workflow name="w"><source:file id="f" path="a.csv" {setting}/></workflow>')
    [problem] = caught.value.problems
    name = setting.partition("=")[0]
    assert (problem.message, problem.expected) == (f"the value of {name} is not right", expected)


async def test_a_computed_setting_of_several_kinds_that_is_of_none_says_all_of_them() -> None:
    flow = fs.loads(
        '<workflow name="w"><source:file id="f" path="a.csv" delimiter="{{$input}}"/></workflow>'
    )
    with pytest.raises(fs.SettingError, match="expected 'auto' or 'tab' or text of at most 1 c"):
        await fs.run(flow, input="ab")
