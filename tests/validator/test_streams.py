"""Owns tests that the misuse of a stream is found when its document is read, and nothing else is taken for it."""

from __future__ import annotations

from pathlib import Path

import pytest

import flowscript_trio as fs

S = '<source:file id="s" path="a.jsonl" stream="true"/>'
EACH = '<foreach id="{0}" collection="s"><set var="x" value="1"/></foreach>'
SINK = '<sink:file id="{0}" input="s" path="{0}.jsonl"/>'


def found(body: str) -> list[tuple[str, str]]:
    """The codes of the problems, and what stands at their places."""
    text = f'<workflow name="w">{body}</workflow>'
    try:
        problems = fs.loads(text).warnings
    except fs.WorkflowInvalid as exc:
        problems = exc.problems
    return [(problem.code, text[problem.location.column - 1 :]) for problem in problems]


def codes(body: str) -> list[str]:
    return [code for code, _ in found(body)]


A, B, K = EACH.format("a"), EACH.format("b"), SINK.format("k")


@pytest.mark.parametrize(
    "body",
    [
        f"{S}{A}{B}",
        f"{S}{A}{K}",
        f"{S}{K}{SINK.format('l')}",
        f'{S}<parallel id="p"><branch>{A}</branch><branch>{K}</branch></parallel>',
        f'{S}<phase name="one">{A}</phase><phase name="two">{B}</phase>',
        f'{S}{A}<timeout id="t" duration="5s">{B}</timeout>',
        f'{S}<if id="i" condition="$input.x"><then>{A}{B}</then></if>',
        f'{S}{A}<foreach id="b" collection="{{{{ s.output }}}}"><set var="x" value="1"/></foreach>',
        f'{S}<sink:database id="a" input="s.output" connection="sqlite://" table="t"/>{K}',
        f'{S}<loop id="l" max="3">{A}</loop>',
        f'{S}<while id="l" condition="$iteration &lt; 3">{K}</while>',
        f'{S}<foreach id="f" collection="[1, 2]"><phase name="p">{A}</phase></foreach>',
    ],
)
def test_a_second_reader_of_a_stream_is_a_problem(body: str) -> None:
    assert codes(body) == ["stream-twice"]


@pytest.mark.parametrize(
    "body",
    [
        f"{S}{A}",
        f"{S}{K}",
        f'{S}<foreach id="f" collection="s" batch="10" merge="none">'
        '<sink:file id="k" input="item" path="b.jsonl" append="true"/></foreach>',
        f'<loop id="l" max="3">{S}{A}</loop>',
        f'<foreach id="f" collection="[1, 2]">{S}{K}</foreach>',
        f'<parallel id="p"><branch>{S}{A}</branch></parallel>',
        f'{S}<if id="i" condition="$input.x"><then>{A}</then><else>{B}</else></if>',
        f'{S}<if id="i" condition="$input.x"><then>{A}</then></if>{B}',
        f'{S}<branch id="i"><case when="$input.x">{A}</case><default>{B}</default></branch>',
        S + A.replace(" collection", ' if="$input.x" collection') + K,
        f'{S}<source:http id="h" url="http://127.0.0.1:1/"><on-error><fallback node="a"/></on-error>'
        f"</source:http>{A}{B}",
        f"{S}{A}<finally>{B}</finally>",
        '<source:file id="s" path="a.jsonl"/>' + A + B,
        '<source:file id="s" path="a.jsonl" stream="{{$input.x}}"/>' + A + B,
        f'<foreach id="f" collection="[[1]]" item="s">{A}{B}</foreach>',
        '<foreach id="f" collection="[[1]]" item="t">'
        '<foreach id="g" collection="t"><set var="x" value="1"/></foreach>'
        '<foreach id="h" collection="t"><set var="x" value="1"/></foreach></foreach>',
        f"{S}<set var='t' value='{{{{s}}}}'/>"
        '<foreach id="g" collection="t"><set var="x" value="1"/></foreach>',
    ],
)
def test_a_stream_that_is_read_once_is_none(body: str) -> None:
    assert codes(body) == []


@pytest.mark.parametrize(
    "value",
    [
        "{{length(s)}}",
        "{{s.length}}",
        "{{s[0]}}",
        "{{s[$input]}}",
        "{{s.output.name}}",
        "{{get(s, 'name')}}",
        "{{s.map(x => x)}}",
        "{{s + 1}}",
        "{{-s}}",
        "{{(s ?? 1) + 1}}",
        "{{[...s]}}",
        "{{1 < s ? 'a' : 'b'}}",
        "{{($input.x ? s : []).length}}",
        "{{join(s, ', ')}}",
        "it is {{s}}",
        "{{ s.output }}, that is it",
    ],
)
def test_a_stream_of_which_something_is_made_is_a_problem(value: str) -> None:
    end = '<set var="end" value="1"/>'
    escaped = value.replace("<", "&lt;")
    [(code, at)] = found(f'{S}{K}<set var="x" value="{escaped}"/>{end}')
    assert code == "stream-as-value"
    assert at.startswith("s")


@pytest.mark.parametrize(
    "value",
    [
        "{{s}}",
        "{{s.status}}",
        "{{s.error.message}}",
        "{{s == null}}",
        "{{s.status + '!'}}",
        "it is {{s.status}}",
        "{{typeof(s)}}",
        "{{s ? 1 : 2}}",
        "{{s ?? []}}",
        "{{ {rows: s} }}",
        "{{[1].map(s => s + 1)}}",
    ],
)
def test_a_stream_that_is_handed_on_or_compared_is_none(value: str) -> None:
    assert codes(f'{S}{K}<set var="x" value="{value}"/><set var="end" value="1"/>') == []


@pytest.mark.parametrize(
    "node",
    [
        '<transform:map id="m" input="s" expression="item"/>',
        '<transform:filter id="m" input="{{s}}" condition="true"/>',
        '<transform:reduce id="m" input="s.output" initial="0" expression="acc"/>',
        '<sink:http id="m" input="s" url="http://127.0.0.1:1/"/>',
    ],
)
def test_a_stream_is_no_input_of_what_takes_a_value(node: str) -> None:
    [(code, at)] = found(S + node)
    assert code == "stream-as-value"
    assert at.startswith(("s", "{{s"))


def test_a_sink_of_http_that_sends_something_else_may_have_a_stream_as_input() -> None:
    assert codes(S + '<sink:http id="m" input="s" url="http://127.0.0.1:1/" body="b"/>') == []


@pytest.mark.parametrize(
    "body",
    [
        S,
        f'<phase name="p">{S}</phase>',
        f'<if id="i" condition="$input.x"><then>{S}</then></if>',
        f'{S}<output><set field="rows" value="{{{{s}}}}"/></output>',
        f'{S}<return value="{{{{ s }}}}"/>',
        f'{S}<transform id="t" template="{{{{s}}}}"/>',
        f'{S}<set var="v" value="{{{{s.output}}}}"/>',
        f'{S}<context><set key="v" value="{{{{s}}}}"/></context>',
        f'{S}<set var="v" value="{{{{s}}}}"/><return value="{{{{v}}}}"/>',
        f'{S}<transform id="t" input="s" template="{{{{s}}}}"/><delay id="d" input="t" duration="1s"/>'
        '<output><set field="a" value="{{d}}"/></output>',
        f'<transform id="t" template="{{{{s}}}}"/>{S}<if id="i" condition="$input"><then>'
        '<set var="v" value="{{t}}"/></then></if>',
    ],
)
def test_a_stream_as_the_output_of_a_run_is_a_warning(body: str) -> None:
    [problem] = fs.loads(f'<workflow name="w">{body}</workflow>').warnings
    assert (problem.code, problem.severity) == ("stream-kept", "warning")


@pytest.mark.parametrize(
    "end",
    [
        '<transform id="t" format="text" template="{{s}}"/>',
        '<transform id="t" template="{{s.status}}"/>',
        '<set var="v" value="1"/>',
    ],
)
def test_what_gives_something_else_keeps_no_stream(end: str) -> None:
    assert "stream-kept" not in codes(f"{S}{end}")


@pytest.mark.parametrize("kind", ["call", "include"])
def test_the_stream_of_another_document_is_one_as_the_output_of_a_run(
    kind: str, tmp_path: Path
) -> None:
    inner = f'<workflow name="rows">{S}<transform id="t" template="{{{{s}}}}"/></workflow>'
    (tmp_path / "rows.xml").write_text(inner)
    (tmp_path / "between.xml").write_text(
        '<workflow name="b"><include id="i" workflow="rows.xml"/></workflow>'
    )
    (tmp_path / "main.xml").write_text(
        f'<workflow name="w"><{kind} id="c" workflow="between.xml"/></workflow>'
    )
    [problem] = fs.load(tmp_path / "main.xml").warnings
    assert problem.code == "stream-kept"
    assert "the stream of 'c'" in problem.message


def test_a_document_that_another_runs_may_give_a_stream(tmp_path: Path) -> None:
    (tmp_path / "rows.xml").write_text(f'<workflow name="rows">{S}</workflow>')
    main = tmp_path / "main.xml"
    main.write_text(
        '<workflow name="w"><call id="s" workflow="rows.xml"/>'
        '<foreach id="e" collection="s"><set var="x" value="1"/></foreach></workflow>'
    )
    assert fs.load(main).warnings == ()


def test_the_second_reader_is_shown_with_the_line_of_the_first() -> None:
    with pytest.raises(fs.WorkflowInvalid) as caught:
        fs.loads(f'<workflow name="w">\n{S}\n{A}\n{K}</workflow>')
    [problem] = caught.value.problems
    assert (problem.location.line, problem.location.column) == (4, 26)
    assert problem.message == ("'s' is a stream, which can be read once, and 'a' (line 3) reads it")
    assert str(problem.expected).startswith("a second source")
