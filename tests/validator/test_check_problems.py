"""Owns the table of wrong documents: each problem with its code, at its place, which ``⟦`` marks."""
# ruff: noqa: E501  (each case of a table is one line)

from __future__ import annotations

import pytest

from checking import check_marked

S = '<source:stub id="{}"/>'
A, B = S.format("a"), S.format("b")
ACTIONS = '<checkpoint id="c" prompt="?"><action id="x" goto="{}"/></checkpoint>'

ERRORS = [
    # settings
    ("unknown-setting", '<source:stub id="a" ⟦urll="x"/>'),
    ("unknown-setting", '<parallel id="p" ⟦max-concurency="2"><branch>' + A + "</branch></parallel>"),
    ("unknown-setting", '<source:stub id="a">⟦<colour>red</colour></source:stub>'),
    ("unknown-setting", '<if id="i" condition="true"><then ⟦when="1">' + A + "</then></if>"),
    ("missing-setting", '⟦<sink:strict id="a" path="x"/>'),
    ("missing-setting missing-setting", '⟦⟦<sink:strict id="a"/>'),
    ("missing-setting", '⟦<if id="i"><then>' + A + "</then></if>"),
    ("missing-setting", '⟦<set value="1"/>'),
    ("missing-setting", '<branch id="b">⟦<case>' + A + "</case></branch>"),
    ("missing-setting", '<output>⟦<set field="x"/></output>'),
    ("invalid-setting", '<source:stub id="a" count="⟦many"/>'),
    ("invalid-setting", '<source:stub id="a" count="⟦0"/>'),
    ("invalid-setting", '<source:stub id="a" count="⟦1.5"/>'),
    ("invalid-setting", '<source:stub id="a" ratio="⟦half"/>'),
    ("invalid-setting", '<source:stub id="a" flag="⟦perhaps"/>'),
    ("invalid-setting", '<source:stub id="a" mode="⟦quick"/>'),
    ("invalid-setting", '<source:stub id="a" pause="⟦5 parsecs"/>'),
    ("invalid-setting", '<source:stub id="a" pause="⟦-1s"/>'),
    ("invalid-setting", '<source:stub id="a" headers="⟦[1, 2]"/>'),
    ("invalid-setting", '<source:stub id="a" url="{{input}}" count="⟦many"/>'),
    ("invalid-setting", '<source:stub id="a"><auth>{type: ⟦digest}</auth></source:stub>'),
    ("invalid-setting", '<source:stub id="a" timeout="⟦soon"/>'),
    ("invalid-setting", '<source:stub id="a" timeout="⟦30"/>'),
    ("invalid-setting", '⟦<source:whole id="a" low="20"/>'),
    ("invalid-setting", '<source:open id="a" count="⟦x" colour="red"/>'),
    ("invalid-setting", '<delay duration="⟦soon"/>' + "<delay duration='1s' after='a'/>" + A),
    ("invalid-setting", '<timeout id="t" duration="⟦inf">' + A + "</timeout>"),
    ("invalid-setting", '<loop id="l" max="⟦-1">' + A + "</loop>"),
    ("invalid-setting", '<set var="x" value="1" type="⟦number"/>'),
    ("invalid-setting", '<source:stub id="a"><on-error><retry max="⟦-1"/></on-error></source:stub>'),
    ("invalid-setting", '<foreach id="f" collection="[]" item="⟦1x">' + A + "</foreach>"),
    ("yaml", '<source:stub id="a" headers="{a: ⟦"/>'),
    ("not-constant", '<set var="⟦{{input}}" value="1"/>'),
    ("unknown-runtime", '⟦<source:stubb id="a"/>'),
    ("unknown-runtime", '⟦<sink type="nowhere" id="a"/>'),
    # the limits of blocks
    *[
        ("invalid-setting", f'<parallel id="p" {setting}><branch>{A}</branch></parallel>')
        for setting in (
            'maxConcurrency="⟦0"',
            'maxConcurrency="⟦-1"',
            'maxConcurrency="⟦1.5"',
            'maxConcurrency="⟦many"',
            'wait="⟦some"',
            'wait="⟦n(0)"',
            'wait="⟦n(x)"',
            'tolerate="⟦-1"',
            'tolerate="⟦101%"',
            'tolerate="⟦few"',
            'fail-fast="⟦maybe"',
            'wait="any" tolerate="⟦1"',
            'wait="n(1)" tolerate="⟦10%"',
        )
    ],
    ("invalid-setting", '<foreach id="f" collection="[]" merge="⟦object">' + A + "</foreach>"),
    ("too-few-branches", f'<parallel id="p" wait="⟦n(2)"><branch>{A}</branch></parallel>'),
    ("empty-block", '⟦<parallel id="p" wait="any"/>'),
    ("empty-branch", f'<parallel id="p" wait="any"><branch>{A}</branch>⟦<branch/></parallel>'),
    ("invalid-setting", f'<workflow name="w" maxConcurrency="⟦0">{A}</workflow>'),
    ("invalid-setting", f'<workflow name="w" timeout="⟦later">{A}</workflow>'),
    # expressions
    ("syntax", '<source:stub id="a" if="input &amp;&amp; ⟦&amp; 1"/>'),
    ("syntax", '<source:stub id="a" url="x{{input ⟦)}}"/>'),
    ("unknown-name", '<source:stub id="a" url="{{⟦inpt}}"/>'),
    ("unknown-name", '<source:stub id="a" if="input &lt; ⟦lmit"/>'),
    ("unknown-name", '<source:stub id="a"><headers>{A: "{{⟦nope}}"}</headers></source:stub>'),
    ("unknown-name", '<source:stub id="a" url="{{⟦item}}"/>'),
    ("unknown-name", '<source:stub id="a" url="{{⟦$nothing}}"/>'),
    ("unknown-name", '<source:stub id="a" when="⟦nope"/>'),
    ("unknown-name", '<source:stub id="a" template="{{⟦nope}}"/>'),
    ("unknown-name", f'<parallel id="p" merge="⟦arrray"><branch>{A}</branch></parallel>'),
    ("unknown-name", f'<foreach id="f" collection="[]" item="x">{A}</foreach><source:stub id="b" url="{{{{⟦x}}}}"/>'),
    ("unknown-name", f'<workflow name="w" timeout="{{{{⟦zz}}}}s">{A}</workflow>'),
    ("later-node", f'<workflow name="w" timeout="{{{{⟦a}}}}s">{A}</workflow>'),
    ("unknown-function", '<source:stub id="a" url="{{⟦uper(input)}}"/>'),
    ("unknown-name unknown-function", '<source:stub id="a" url="{{⟦nope + ⟦nix(1)}}"/>'),
    # references
    ("unknown-node", '<source:stub id="a" input="⟦b"/>'),
    ("unknown-node", A + '<source:stub id="b" input="a, ⟦c a"/>'),
    ("unknown-node", '<source:stub id="a" input="⟦if"/>'),
    ("unknown-node", '<source:stub id="a" after="⟦b"/>'),
    ("invalid-setting", A + '<source:stub id="b" input="⟦a+1"/>'),
    ("invalid-setting", A + '<source:stub id="b" ⟦input=""/>'),
    ("sibling-branch", f'<parallel id="p"><branch>{A}</branch><branch><source:stub id="b" url="{{{{⟦a.x}}}}"/></branch></parallel>'),
    ("sibling-branch", f'<parallel id="p"><branch>{A}</branch><branch><source:stub id="b" input="⟦a"/></branch></parallel>'),
    ("sibling-branch", f'<parallel id="p"><branch><source:stub id="b" after="⟦a"/></branch><branch>{A}</branch></parallel>'),
    ("sibling-branch", f'<loop id="l"><parallel id="p"><branch>{A}</branch><branch><source:stub id="b" input="⟦a"/></branch></parallel></loop>'),
    ("later-node", f'<parallel id="p"><branch><source:stub id="b" input="⟦a"/>{A}</branch></parallel>'),
    ("later-node", f'<if id="i" condition="true"><then><source:stub id="b" url="{{{{⟦a}}}}"/>{A}</then></if>'),
    ("later-node", f'<foreach id="f" collection="[1]"><source:stub id="b" after="⟦a"/>{A}</foreach>'),
    ("own-node", '<if id="i" condition="true"><then><source:stub id="a" input="⟦a"/></then></if>'),
    ("own-node", f'<foreach id="f" collection="⟦a.items">{A}</foreach>'),
    ("own-node", '<foreach id="f" collection="[1]"><source:stub id="a" input="⟦f"/></foreach>'),
    ("own-node", f'<parallel id="p" max-concurrency="{{{{⟦a}}}}"><branch>{A}</branch></parallel>'),
    ("later-node", f'<workflow name="w"><source:stub id="b" url="{{{{⟦a}}}}"/><finally>{A}</finally></workflow>'),
    ("later-node", f'<if id="i" condition="1"><then><source:stub id="b"><compensate><source:stub id="c" input="⟦a"/></compensate></source:stub>{A}</then></if>'),
    ("own-node", '<source:stub id="b" url="{{⟦c}}"><compensate><source:stub id="c"/></compensate></source:stub>'),
    # cycles
    ("cycle", '⟦<source:stub id="a" input="a"/>'),
    ("cycle", '⟦<source:stub id="a" input="b"/><source:stub id="b" after="a"/>'),
    ("cycle", '⟦<source:stub id="a" url="{{c}}"/><source:stub id="b" input="a"/><source:stub id="c" after="b"/>'),
    ("cycle cycle", '⟦<source:stub id="a" input="b"/><source:stub id="b" input="a"/>\n⟦<source:stub id="c" input="d"/><source:stub id="d" input="c"/>'),
    ("cycle", f'⟦<source:stub id="b" input="a"/><phase name="f">{A}</phase>'),
    ("cycle", '⟦<parallel id="p"><branch><source:stub id="a" input="b"/></branch></parallel><source:stub id="b" input="a"/>'),
    ("cycle", '⟦<set id="s" var="x" value="{{b}}"/><source:stub id="b" url="{{x}}"/>'),
    ("cycle", '<phase name="f">⟦<source:stub id="b" input="a"/><source:stub id="a" input="b"/></phase>'),
    # handlers
    ("unknown-handler", '<source:stub id="a"><on-error><fallback node="⟦bb"/></on-error></source:stub>' + B),
    ("misplaced-handler", '<source:stub id="a"><on-error><fallback node="⟦a"/></on-error></source:stub>'),
    ("misplaced-handler", f'<source:stub id="a"><on-error><fallback node="⟦b"/></on-error></source:stub><if id="i" condition="1"><then>{B}</then></if>'),
    ("misplaced-handler", f'<timeout id="t" duration="1s" on-timeout="⟦b">{B}</timeout>'),
    ("unknown-handler", f'<timeout id="t" duration="1s" on-timeout="⟦c">{B}</timeout>'),
    ("handler-cycle", '⟦<source:stub id="a"><on-error><fallback node="b"/></on-error></source:stub><source:stub id="b"><on-error><fallback node="a"/></on-error></source:stub>'),
    ("handler-cycle", '⟦<source:stub id="a"><on-error><fallback node="b"/></on-error></source:stub><source:stub id="b"><on-error><fallback node="a"/></on-error></source:stub><source:stub id="c" after="a b"/>'),
    ("handler-cycle", '⟦<timeout id="a" duration="1s" on-timeout="b"><delay duration="2s"/></timeout><timeout id="b" duration="1s" on-timeout="a"><delay duration="2s"/></timeout><source:stub id="c" after="a b"/>'),
    ("handler-cycle", '⟦<if id="a" condition="true"><then><source:stub id="x"><on-error><fallback node="b"/></on-error></source:stub></then></if><if id="b" condition="true"><then><source:stub id="y"><on-error><fallback node="a"/></on-error></source:stub></then></if><source:stub id="c" after="a b"/>'),
    ("too-deep", "".join(("⟦" if i == 101 else "") + f'<source:stub id="n{i}"><on-error><fallback node="n{i + 1}"/></on-error></source:stub>' for i in range(2_000)) + '<source:stub id="n2000"/>'),
    ("too-deep", "".join(("⟦" if i == 51 else "") + f'<timeout id="n{i}" duration="1s"><source:stub id="m{i}"><on-error><fallback node="n{i + 1}"/></on-error></source:stub></timeout>' for i in range(99)) + '<source:stub id="n99"/>'),
    ("sibling-branch", f'<parallel id="p"><branch>{A}</branch><branch><source:stub id="b"><on-error><fallback node="h"/></on-error></source:stub><source:stub id="h" input="⟦a"/></branch></parallel>'),
    # breaks
    ("misplaced-break", "⟦<break/>"),
    ("break-leaves-parallel", '<loop id="l"><parallel id="p"><branch>⟦<break/></branch></parallel></loop>'),
    ("unknown-loop", '<loop id="l"><break loop="⟦m"/></loop>'),
    ("break-leaves-parallel", '<loop id="l"><parallel id="p"><branch><foreach id="f" collection="[1]">⟦<break loop="l"/></foreach></branch></parallel></loop>'),
    # the rest
    ("misplaced-output", '⟦<output><set field="x" value="1"/></output>' + A),
    ("duplicate-id", '<checkpoint id="c"><action id="x"/><action id="⟦x"/></checkpoint>'),
    ("unknown-target", ACTIONS.format("⟦nowhere") + A),
    ("unknown-target", ACTIONS.format("⟦a") + f'<phase name="f">{A}</phase>'),
    ("name-taken", A + f'<foreach id="f" collection="[1]" item="⟦a">{B}</foreach>'),
    ("reserved-name", '<set var="⟦input" value="1"/>'),
]  # fmt: skip

WARNINGS = [
    ("empty-block", '⟦<parallel id="p"/>'),
    ("empty-branch", f'<parallel id="p"><branch>{A}</branch>⟦<branch/></parallel>'),
    ("empty-branch", '⟦<foreach id="f" collection="[1]"/>'),
    ("no-value", '<source:stub id="a" url="{{⟦$iteration}}"/>'),
    ("no-value", '<source:stub id="a" url="{{⟦$branch}}"/>'),
    ("no-value", '<source:stub id="a" url="{{⟦$error.message}}"/>'),
    ("no-value", '<source:stub id="a" url="{{⟦x}}"/><set var="x" value="1"/>'),
    ("no-value", f'<if id="i" condition="1"><then>{A}</then><else><source:stub id="b" input="⟦a"/></else></if>'),
    ("unused-delay", A + '⟦<delay duration="1s" after="a"/>'),
    ("backward-goto", A + ACTIONS.format("⟦a")),
]  # fmt: skip


@pytest.mark.parametrize(("codes", "text"), ERRORS)
def test_a_wrong_document_gives_each_error_at_its_place(codes: str, text: str) -> None:
    problems, places = check_marked(text)
    errors = [problem for problem in problems if problem.severity == "error"]
    assert [problem.code for problem in errors] == codes.split()
    assert [(p.location.line, p.location.column) for p in errors] == places


@pytest.mark.parametrize(("code", "text"), WARNINGS)
def test_a_doubtful_document_gives_a_warning_at_its_place(code: str, text: str) -> None:
    problems, places = check_marked(text)
    assert [(problem.code, problem.severity) for problem in problems] == [(code, "warning")]
    assert [(p.location.line, p.location.column) for p in problems] == places
