"""Owns what is known not to fit before a run: constants in braces, arguments and outputs by their shapes."""

from __future__ import annotations

from pathlib import Path

import pytest

import flowscript_trio as fs

N = '<transform id="n" template="1"/>'


def said(problem: fs.Problem) -> str:
    place = f"{problem.location.line}:{problem.location.column}"
    text = f"{place}: {problem.severity}: {problem.message}"
    text += f"; expected {problem.expected}" if problem.expected else ""
    return f"{text}; did you mean {problem.suggestion!r}?" if problem.suggestion else text


def problems_of(text: str, base: Path | None = None) -> list[str]:
    try:
        flow = fs.loads(text, base=base)
    except fs.WorkflowInvalid as invalid:
        return [said(problem) for problem in invalid.problems]
    return [said(problem) for problem in flow.warnings]


@pytest.mark.parametrize(
    ("node", "message"),
    [
        (
            f"""<parallel id="p" maxConcurrency="{{{{'x'}}}}"><branch>{N}</branch></parallel>""",
            "'x' is not a limit; expected a whole number of at least 1, or unlimited",
        ),
        (
            f"""<parallel id="p" maxConcurrency="{{{{2 - 2}}}}"><branch>{N}</branch></parallel>""",
            "0 is not a limit; expected a whole number of at least 1, or unlimited",
        ),
        (
            """<transform id="t" template="1" timeout="{{'5 minutes'}}"/>""",
            "'5 minutes' is not a duration; expected a duration such as",
        ),
        (
            """<source id="s" url="http://x/" method="{{[1]}}"/>""",
            "the value of method is not right; expected",
        ),
        (
            """<loop id="l" max="{{null}}"><delay duration="1s"/></loop>""",
            "the value of max is not right; expected",
        ),
    ],
)
def test_a_constant_in_braces_that_cannot_fit_is_an_error_when_read(
    node: str, message: str
) -> None:
    (found,) = problems_of(f'<workflow name="w">{node}</workflow>')
    assert ": error: " in found
    assert message in found


@pytest.mark.parametrize(
    "node",
    [
        """<parallel id="p" maxConcurrency="{{'2'}}"><branch>N!</branch></parallel>""",
        """<parallel id="p" maxConcurrency="{{1 / 0}}"><branch>N!</branch></parallel>""",
        """<parallel id="p" maxConcurrency="{{input}}"><branch>N!</branch></parallel>""",
        """<parallel id="p" maxConcurrency="{{random_int(1, 3)}}"><branch>N!</branch></parallel>""",
        """<source id="s" url="{{input}}" format="{{input}}"/>""",
        """<loop id="l" max="{{60 * 2}}">N!</loop>""",
        """<set var="x" value="{{'4'}}"/>""",
        """<set var="x" type="string" value="{{4}}"/>""",
    ],
)
def test_what_fits_or_is_not_known_is_left_to_the_run(node: str) -> None:
    assert problems_of(f'<workflow name="w">{node.replace("N!", N)}</workflow>') == []


CALLED = """---
name: called
config: {size: {type: number}, kind: {type: "enum[a, b]"}, word: {type: string}}
input: {n: number, "note?": string, "order?": {id: number}}
---
<workflow><return value="{{[$input.n, $input.note, word]}}"/></workflow>
"""


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"n": "x"}, "'n' is 'x', which 'called' does not take; expected a number"),
        ({"n": "{{'4'}}"}, "'n' is '4', which 'called' does not take; expected a number"),
        ({"n": "{{t}}"}, "'n' is a string, which 'called' does not take; expected a number"),
        ({"n": "{{null}}"}, "'n' is null, which 'called' does not take; expected a number"),
        ({"size": "{{'4'}}"}, "'size' is '4', which 'called' does not take; expected a number"),
        ({"kind": "{{'c'}}"}, "'kind' is 'c', which 'called' does not take; expected one of a, b"),
        (
            {"word": "{{[1]}}"},
            "'word' is of type number[], which 'called' does not take; expected a string",
        ),
        (
            {"order": "{{ {id: 'x'} }}"},
            "'order' is of type {id: enum[\"x\"]}, which 'called' does not take; expected of type {id: number}",
        ),
        ({"n": None}, "'called' needs the argument 'n'; expected a number (declared at "),
        ({"nte": "2"}, "'called' declares no 'nte'; did you mean 'note'?"),
        ({"note": "{{null}}", "size": "{{null}}", "kind": "{{input}}"}, None),
        ({"n": "{{input.n}}", "size": "{{length(t)}}"}, None),
        ({"n": "{{$config.n ?? 4}}", "note": "1.10", "word": "7"}, None),
    ],
)
@pytest.mark.parametrize("kind", ["call", "include"])
def test_an_argument_that_cannot_fit_is_an_error_when_read(
    given: dict[str, str | None], message: str | None, kind: str, tmp_path: Path
) -> None:
    (tmp_path / "called.flow.md").write_text(CALLED, encoding="utf-8")
    name = '<arg name="{}" value="{}"/>' if kind == "call" else '<bind key="{}" value="{}"/>'
    parts = [name.format(*each) for each in {"n": "1", **given}.items() if each[1] is not None]
    found = problems_of(
        '<workflow name="w"><transform id="t" template="a{{input}}"/>'
        f'<{kind} id="c" workflow="called.flow.md">{"".join(parts)}</{kind}></workflow>',
        tmp_path,
    )
    assert len(found) == (message is not None)
    assert message is None or message in found[0]


def test_a_document_that_takes_its_caller_s_input_needs_no_arguments(tmp_path: Path) -> None:
    (tmp_path / "called.flow.md").write_text(CALLED, encoding="utf-8")
    nodes = (
        '<set id="o" var="o" value="{{ {n: 1} }}"/>'
        '<call id="c" input="o" workflow="called.flow.md"/>'
    )
    text = f'<workflow name="w">{nodes}</workflow>'
    assert problems_of(text, tmp_path) == []


@pytest.mark.parametrize(
    ("body", "messages"),
    [
        (
            '<output><set field="total" value="many"/></output>',
            [
                "3:10: error: the member 'total' of the output is 'many', and is declared here as a number"
            ],
        ),
        (
            '<output><set field="total" value="{{upper(input)}}"/></output>',
            [
                "3:10: error: the member 'total' of the output is of type string?, and is declared here "
                "as a number"
            ],
        ),
        ('<output><set field="total" value="{{input}}"/></output>', []),
        ('<output><set field="total" value="{{length(input)}}"/></output>', []),
        ('<return value="{{ {total: 1, note: null} }}"/>', []),
        (
            '<return value="{{ {total: 1, note: 2} }}"/>',
            [
                "3:25: error: the member 'note' of the output is a number, and is declared here as a string"
            ],
        ),
    ],
)
def test_an_output_that_can_never_be_as_declared_is_an_error_when_read(
    body: str, messages: list[str]
) -> None:
    front = '---\nname: w\noutput: {total: number, "note?": string}\n---\n'
    assert problems_of(f"{front}<workflow>{body}</workflow>") == messages
