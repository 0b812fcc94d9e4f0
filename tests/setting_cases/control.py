"""Owns the cases of the settings of control elements, their parts and their bodies."""

from __future__ import annotations

from .world import covers

# ---- control:parallel ----
THREE = "".join(
    f'<branch><source:stub id="s{n}" takes="{4 - n}s" gives="{n}"/></branch>' for n in (1, 2, 3)
)
FAILING = '<branch><source:stub id="bad" takes="1s" fails="bad"/></branch>'
covers(
    "control:parallel",
    "max_concurrency",
    f'<parallel id="p" ⟦maxConcurrency="1"⟧>{THREE}</parallel>',
    lambda s: s.seconds == 6,
)
covers(
    "control:parallel",
    "wait",
    f'<parallel id="p" ⟦wait="any"⟧>{THREE}</parallel>',
    lambda s: s.output == ["3"] or s.output == [3],
)
covers(
    "control:parallel",
    "merge",
    f'<parallel id="p" ⟦merge="object"⟧>{THREE}</parallel>',
    lambda s: list(s.output) == ["s1", "s2", "s3"],
)
covers(
    "control:parallel",
    "fail_fast",
    f'<parallel id="p" ⟦fail-fast="false"⟧>{THREE}{FAILING}</parallel>',
    lambda s: "bad" in s.error and s.seconds == 3,
)
covers(
    "control:parallel",
    "tolerate",
    f'<parallel id="p" ⟦tolerate="1"⟧>{THREE}{FAILING}</parallel>',
    lambda s: s.output[3] is None and len(s.output) == 4,
)
covers(
    "control:parallel",
    "on_timeout",
    f'<parallel id="p" timeout="2s" ⟦on-timeout="keep"⟧>{THREE}</parallel>',
    lambda s: s.output[:2] == [None, None] and s.output[2] in (3, "3"),
)

covers(
    "control:parallel",
    "accept",
    f'<parallel id="p" wait="any" ⟦accept="result == 1"⟧>{THREE}</parallel>'.replace(
        'gives="1"', 'gives="{{1}}"'
    ),
    lambda s: s.output == [1],
)
covers(
    "control:parallel",
    "stagger",
    f'<parallel id="p" ⟦stagger="5s"⟧>{THREE}</parallel>',
    lambda s: s.seconds == 11,
)

# ---- control:fail ----
covers("control:fail", "message", '<fail ⟦message="on fire"⟧/>', lambda s: "on fire" in s.error)
HANDLED = (
    '<fail id="f" message="m" {}><on-error><fallback node="h"/></on-error></fail>'
    '<transform:template id="h" template="{{{{$error.{}}}}}"/>'
)
covers("control:fail", "type", HANDLED.format('⟦type="Odd"⟧', "type"), lambda s: s.output == "Odd")
covers(
    "control:fail", "status", HANDLED.format('⟦status="409"⟧', "status"), lambda s: s.output == 409
)
covers(
    "control:fail",
    "retryable",
    HANDLED.format('⟦retryable="true"⟧', "retryable"),
    lambda s: s.output is True,
)

# ---- control:return ----
covers("control:return", "value", '<return ⟦value="7"⟧/>', lambda s: s.output == 7)
covers(
    "control:return",
    "type",
    '<return value="7" ⟦type="string"⟧/>',
    lambda s: s.output == "7",
)

# ---- control:foreach ----
EACH = '<foreach id="f" {} {}><source:stub id="x" takes="1s" gives="{{{{item}}}}"/></foreach>'
LIST = 'collection="[1, 2, 3]"'
covers(
    "control:foreach",
    "collection",
    EACH.format('⟦collection="[7]"⟧', ""),
    lambda s: s.output == [7],
)
covers(
    "control:foreach",
    "batch",
    EACH.format(LIST, '⟦batch="2"⟧'),
    lambda s: s.output == [[1, 2], [3]],
)
covers(
    "control:foreach",
    "throttle",
    EACH.format(LIST, '⟦throttle="5s"⟧'),
    lambda s: s.seconds == 11,
)
covers(
    "control:foreach",
    "debounce",
    EACH.format(LIST, '⟦debounce="5s"⟧'),
    lambda s: s.output == [3],
)
covers(
    "control:foreach",
    "max_concurrency",
    EACH.format(LIST, '⟦maxConcurrency="3"⟧'),
    lambda s: s.seconds == 1,
)
covers(
    "control:foreach",
    "wait",
    EACH.format(LIST, 'maxConcurrency="1" ⟦wait="n(2)"⟧'),
    lambda s: s.output == [1, 2],
)
covers("control:foreach", "merge", EACH.format(LIST, '⟦merge="none"⟧'), lambda s: s.output == 3)
covers(
    "control:foreach",
    "fail_fast",
    f'<foreach id="f" {LIST} maxConcurrency="3" ⟦fail-fast="false"⟧><source:stub id="x" takes="{{{{item}}}}s" fails="{{{{if_else(item == 1, \'bad\', null)}}}}"/></foreach>',
    lambda s: "bad" in s.error and s.seconds == 3,
)
covers(
    "control:foreach",
    "tolerate",
    f'<foreach id="f" {LIST} ⟦tolerate="40%"⟧><source:stub id="x" gives="1" fails="{{{{if_else(item == 1, \'bad\', null)}}}}"/></foreach>',
    lambda s: s.output and s.output[0] is None,
)
covers(
    "control:foreach",
    "on_timeout",
    EACH.format(LIST, 'timeout="2500ms" ⟦on-timeout="keep"⟧'),
    lambda s: s.output == [1, 2, None],
)
covers(
    "control:foreach",
    "item",
    f'<foreach id="f" {LIST} ⟦item="thing"⟧><transform:template id="t" template="{{{{thing}}}}"/></foreach>',
    lambda s: s.output == [1, 2, 3],
)
covers(
    "control:foreach",
    "index",
    f'<foreach id="f" {LIST} ⟦index="at"⟧><transform:template id="t" template="{{{{at}}}}"/></foreach>',
    lambda s: s.output == [0, 1, 2],
)
covers(
    "control:foreach",
    "accept",
    EACH.format(LIST, 'tolerate="1" ⟦accept="result != 2"⟧'),
    lambda s: s.output == [1, None, 3],
)
covers(
    "control:foreach",
    "stagger",
    EACH.format(LIST, 'maxConcurrency="3" ⟦stagger="5s"⟧'),
    lambda s: s.seconds == 11,
)

# ---- choices and loops ----
covers(
    "control:if",
    "condition",
    '<if id="i" ⟦condition="1 > 0"⟧><then><source:stub id="a" gives="yes"/></then></if>',
    lambda s: s.output == "yes",
)
covers(
    "case",
    "when",
    '<branch id="b"><case ⟦when="2 > 1"⟧><source:stub id="a" gives="case"/></case><default><source:stub id="d" gives="default"/></default></branch>',
    lambda s: s.output == "case",
)
LOOP = '<loop id="l" {} {}><transform:template id="t" template="{{{{$iteration}}}}"/></loop>'
covers("control:loop", "max", LOOP.format('⟦max="3"⟧', ""), lambda s: s.output == 2)
covers("control:loop", "break_", LOOP.format("", '⟦break="t == 4"⟧'), lambda s: s.output == 4)
WHILE = '<while id="l" {} {}><transform:template id="t" template="{{{{$iteration}}}}"/></while>'
covers(
    "control:while",
    "condition",
    WHILE.format('⟦condition="$iteration &lt; 5"⟧', ""),
    lambda s: s.output == 4,
)
covers(
    "control:while",
    "max",
    WHILE.format('condition="true"', '⟦max="7"⟧'),
    lambda s: "after 7 rounds" in s.error,
)
covers(
    "control:break",
    "when",
    '<loop id="l" max="5"><transform:template id="t" template="{{$iteration}}"/><break ⟦when="t == 2"⟧/></loop>',
    lambda s: s.output == 2,
)
covers(
    "control:break",
    "loop",
    '<loop id="outer" max="2"><loop id="inner" max="2"><break ⟦loop="outer"⟧/></loop><source:stub id="after"/></loop>',
    lambda s: s.events == [] and not s.error,
)

# ---- time ----
covers(
    "control:timeout",
    "duration",
    '<timeout id="t" ⟦duration="2s"⟧><source:stub id="x" takes="5s"/></timeout>',
    lambda s: "TooSlowError" in s.error and s.seconds == 2,
)
covers(
    "control:timeout",
    "on_timeout",
    '<timeout id="t" duration="2s" ⟦on-timeout="h"⟧><source:stub id="x" takes="99s"/></timeout><source:stub id="h" gives="late"/>',
    lambda s: s.output == "late",
)
covers(
    "control:delay",
    "duration",
    '<loop id="l" max="1"><delay id="d" ⟦duration="3s"⟧/></loop>',
    lambda s: s.seconds == 3,
)

# ---- names ----
READ = '<transform:template id="t" template="{{typeof(v)}} {{v}}"/>'
covers(
    "control:set",
    "var",
    f'<set id="s" ⟦var="v"⟧ value="1"/>{READ}',
    lambda s: s.output == "number 1",
)
covers(
    "control:set", "value", f'<set var="v" ⟦value="5"⟧/>{READ}', lambda s: s.output == "number 5"
)
covers(
    "control:set",
    "type",
    f'<set var="v" value="1" ⟦type="string"⟧/>{READ}',
    lambda s: s.output == "string 1",
)
covers(
    "context set",
    "key",
    f'<context id="c"><set ⟦key="v"⟧ value="1"/></context>{READ}',
    lambda s: s.output == "number 1",
)
covers(
    "context set",
    "value",
    f'<context><set key="v" ⟦value="true"⟧/></context>{READ}',
    lambda s: s.output == "boolean true",
)
covers(
    "context set",
    "type",
    f'<context><set key="v" value="true" ⟦type="string"⟧/></context>{READ}',
    lambda s: s.output == "string true",
)
covers(
    "output set",
    "field",
    '<output><set ⟦field="a"⟧ value="1"/></output>',
    lambda s: s.output == {"a": 1},
)
covers(
    "output set",
    "value",
    '<output><set field="a" ⟦value="null"⟧/></output>',
    lambda s: s.output == {"a": None},
)
covers(
    "output set",
    "type",
    '<output><set field="a" value="1" ⟦type="string"⟧/></output>',
    lambda s: s.output == {"a": "1"},
)
covers(
    "control:phase",
    "name",
    '<phase ⟦name="first"⟧><source:stub id="a" gives="A"/></phase><transform:template id="t" input="first" template="{{input}}"/>',
    lambda s: s.output == "A",
)

# ---- checkpoints ----
ASK = '<checkpoint id="c" {}><action id="skip" label="Skip" goto="z"/></checkpoint><source:stub id="y"/><source:stub id="z"/>'
covers(
    "control:checkpoint", "prompt", ASK.format('⟦prompt="Go?"⟧'), lambda s: s.asked[0][0] == "Go?"
)
covers(
    "control:checkpoint",
    "default",
    ASK.format('⟦default="approve"⟧ timeout="500ms"'),
    lambda s: not s.error and s.results["c"].output["timed_out"],
)
covers(
    "control:checkpoint",
    "condition",
    ASK.format('⟦condition="false"⟧'),
    lambda s: s.asked == [] and not s.error,
)
covers(
    "checkpoint action",
    "id",
    '<checkpoint id="c"><action ⟦id="skip"⟧ label="Skip"/></checkpoint>',
    lambda s: s.output["action"] == "skip",
    answer="skip",
)
covers(
    "checkpoint action",
    "label",
    '<checkpoint id="c"><action id="skip" ⟦label="Skip it"⟧/></checkpoint>',
    lambda s: s.asked[0][1] == [("skip", "Skip it")],
)
covers(
    "checkpoint action",
    "goto",
    '<checkpoint id="c"><action id="skip" ⟦goto="z"⟧/></checkpoint><source:stub id="y"/><source:stub id="z"/>',
    lambda s: s.status("y") == "skipped",
    answer="skip",
)

# ---- other documents ----
covers(
    "control:include",
    "workflow",
    '<include id="i" ⟦workflow="part.xml"⟧/>',
    lambda s: s.output == "string none",
)
covers(
    "control:call",
    "workflow",
    '<call id="i" ⟦workflow="part.xml"⟧/>',
    lambda s: s.output == "string none",
)
for owner, tag, inner, key in (
    ("include bind", "include", "bind", "key"),
    ("call arg", "call", "arg", "name"),
):
    DOC = f'<{tag} id="i" workflow="part.xml"><{inner} {{}}/></{tag}>'
    covers(owner, key, DOC.format(f'⟦{key}="p"⟧ value="1"'), lambda s: s.output == "number 1")
    covers(owner, "value", DOC.format(f'{key}="p" ⟦value="2"⟧'), lambda s: s.output == "number 2")
    covers(
        owner,
        "type",
        DOC.format(f'{key}="p" value="2" ⟦type="string"⟧'),
        lambda s: s.output == "string 2",
    )

# ---- failure ----
RETRY = '<source:stub id="x" fails="bad"><on-error><retry {}/></on-error></source:stub>'
covers(
    "on-error retry",
    "max",
    RETRY.format('when="true" backoff="fixed" ⟦max="5"⟧'),
    lambda s: s.seconds == 5,
)
covers(
    "on-error retry",
    "when",
    RETRY.format('max="2" backoff="fixed" ⟦when="message == \'bad\'"⟧'),
    lambda s: s.seconds == 2,
)
covers(
    "on-error retry",
    "backoff",
    RETRY.format('max="3" when="true" ⟦backoff="linear"⟧'),
    lambda s: s.seconds == 6,
)
covers(
    "on-error retry",
    "base",
    RETRY.format('max="1" when="true" ⟦base="9s"⟧'),
    lambda s: s.seconds == 9,
)
covers(
    "on-error retry",
    "cap",
    RETRY.format('max="3" when="true" ⟦cap="2s"⟧'),
    lambda s: s.seconds == 5,
)
covers(
    "on-error retry",
    "retry_after",
    '<timeout id="t" duration="1m"><source:http id="x" url="SERVER/busy"><on-error>'
    '<retry max="1" base="0s" ⟦retry-after="ignore"⟧/></on-error></source:http></timeout>',
    lambda s: len(s.requests) == 2,
)
covers(
    "on-error retry",
    "jitter",
    RETRY.format('max="1" when="true" ⟦jitter="full"⟧'),
    lambda s: 0 < s.seconds < 1,
    options={"seed": 1},
)
covers(
    "on-error fallback",
    "node",
    '<source:stub id="x" fails="bad"><on-error><fallback ⟦node="h"⟧/></on-error></source:stub><source:stub id="h" gives="instead"/>',
    lambda s: s.output == "instead" and s.status("x") == "success",
)
SLOW = '<source:stub id="slow" takes="20s"/>'
covers(
    "finally",
    "timeout",
    f'<source:stub id="x"/><finally ⟦timeout="30s"⟧>{SLOW}</finally>',
    lambda s: "end slow" in s.events,
)
covers(
    "compensate",
    "also",
    '<timeout id="t" duration="1s"><source:stub id="x" takes="9s"><compensate ⟦also="begun"⟧><source:stub id="undo"/></compensate></source:stub></timeout>',
    lambda s: "end undo" in s.events,
)
covers(
    "compensate",
    "timeout",
    f'<source:stub id="x"><compensate ⟦timeout="30s"⟧>{SLOW}</compensate></source:stub><source:stub id="y" after="x" fails="bad"/>',
    lambda s: "end slow" in s.events,
)
covers(
    "on-workflow-error",
    "timeout",
    f'<source:stub id="x" fails="bad"/><on-workflow-error ⟦timeout="30s"⟧>{SLOW}</on-workflow-error>',
    lambda s: "end slow" in s.events,
)

# ---- every node ----
covers("node", "id", '<source:stub ⟦id="a"⟧ gives="1"/>', lambda s: "a" in s.results)
covers(
    "node",
    "input",
    '<source:stub id="a" gives="{{[1]}}"/><source:stub id="b" gives="{{[2]}}"/><transform:map id="m" ⟦input="a, b"⟧ expression="item[0]"/>',
    lambda s: s.output == [1, 2],
)
covers(
    "node",
    "after",
    '<source:stub id="a" takes="2s"/><source:stub id="b" takes="1s" ⟦after="a"⟧/>',
    lambda s: s.seconds == 3,
)
covers("node", "if", '<source:stub id="a" ⟦if="1 > 2"⟧/>', lambda s: s.status("a") == "skipped")
covers(
    "node",
    "on-crash",
    '<source:stub id="a" ⟦on-crash="fail"⟧/>',
    lambda s: s.flow is not None and s.flow.program.main.steps[0].on_crash == "fail",
)
covers(
    "node",
    "timeout",
    '<source:stub id="a" takes="99s" ⟦timeout="1s"⟧/>',
    lambda s: "TooSlowError" in s.error and s.seconds == 1,
)
covers(
    "node",
    "limit",
    '<workflow name="w"><limit name="a" max="1"/><foreach id="f" collection="[1, 2]" maxConcurrency="2"><source:stub id="a" takes="1s" ⟦limit="a"⟧/></foreach></workflow>',
    lambda s: s.seconds == 2,
)
covers(
    "node",
    "on-error",
    '<source:stub id="x" fails="bad">⟦<on-error><retry max="2" when="true"/></on-error>⟧</source:stub>',
    lambda s: s.events.count("start x") == 3,
)
covers(
    "node",
    "compensate",
    '<source:stub id="x">⟦<compensate><source:stub id="undo"/></compensate>⟧</source:stub><source:stub id="y" after="x" fails="bad"/>',
    lambda s: "end undo" in s.events,
)

covers(
    "node",
    "place",
    '<transform:template id="a" template="x" ⟦place="thread"⟧/>',
    lambda s: s.results["a"].worker == "thread",
)
covers(
    "branch",
    "place",
    '<parallel id="p"><branch ⟦place="thread"⟧><transform:template id="a" template="x"/></branch></parallel>',
    lambda s: s.results["a"].worker == "thread",
)

# ---- documents ----
HEAD = "---\nname: w\n{}\n---\n<workflow>{}</workflow>\n"
covers(
    "document",
    "name",
    '<workflow ⟦name="named"⟧><source:stub id="x"/></workflow>',
    lambda s: s.flow.name == "named" and not s.error,
)
covers(
    "document",
    "version",
    '<workflow name="w" ⟦version="1.2"⟧><source:stub id="x"/></workflow>',
    lambda s: s.flow.document.version == "1.2",
)
covers(
    "document",
    "description",
    '<workflow name="w" ⟦description="d"⟧><source:stub id="x"/></workflow>',
    lambda s: s.flow.document.description == "d",
)
covers(
    "document",
    "timeout",
    '<workflow name="w" ⟦timeout="2s"⟧><source:stub id="x" takes="3s"/></workflow>',
    lambda s: s.seconds == 2,
)
covers(
    "document",
    "max_concurrency",
    '<workflow name="w" ⟦maxConcurrency="1"⟧><source:stub id="x" takes="1s"/><source:stub id="y" takes="1s"/></workflow>',
    lambda s: s.seconds == 2,
)
covers(
    "document",
    "param",
    '<workflow name="w">⟦<param name="p" type="number" default="3"/>⟧<transform:template id="t" template="{{p}}"/></workflow>',
    lambda s: s.output == 3,
)
covers(
    "document",
    "secret",
    '<workflow name="w">⟦<secret name="S"/>⟧<transform:template id="t" template="{{$secrets.S}}"/></workflow>',
    lambda s: "the secret 'S' was not given" in s.error,
)
covers(
    "document",
    "finally",
    '<source:stub id="x"/>⟦<finally><source:stub id="f"/></finally>⟧',
    lambda s: "end f" in s.events,
)
covers(
    "document",
    "on-workflow-error",
    '<source:stub id="x" fails="bad"/>⟦<on-workflow-error><source:stub id="f"/></on-workflow-error>⟧',
    lambda s: "end f" in s.events,
)
NODE = '<transform:template id="t" template="{{$config}}"/>'
covers(
    "front matter",
    "name",
    "---\n⟦name: named⟧\n---\n<workflow><source:stub id='x'/></workflow>\n",
    lambda s: s.flow.name == "named",
)
covers(
    "front matter",
    "version",
    HEAD.format("⟦version: 1.10⟧", NODE),
    lambda s: s.flow.document.version == "1.10",
)
covers(
    "front matter",
    "description",
    HEAD.format("⟦description: what it does⟧", NODE),
    lambda s: s.flow.document.description == "what it does",
)
covers(
    "front matter",
    "config",
    HEAD.format("⟦config: {a: {type: number, default: 4}}⟧", NODE),
    lambda s: s.output == {"a": 4},
)
covers(
    "front matter",
    "secrets",
    HEAD.format("⟦secrets: [S]⟧", NODE),
    lambda s: s.warnings == ["the secret 'S' was not given"],
)
SLEEPS = '<source:stub id="x" takes="3s"/><source:stub id="y" takes="3s"/>'
covers(
    "front matter",
    "runtime.timeout",
    HEAD.format("⟦runtime: {timeout: 2s}⟧", SLEEPS),
    lambda s: s.seconds == 2,
)
covers(
    "front matter",
    "runtime.concurrency",
    HEAD.format("⟦runtime: {concurrency: 1}⟧", SLEEPS),
    lambda s: s.seconds == 6,
)
covers(
    "front matter",
    "runtime.retry",
    HEAD.format("⟦runtime: {retry: 2}⟧", '<source:stub id="x" takes="99s" timeout="1s"/>'),
    lambda s: s.events.count("start x") == 3,
)
covers(
    "front matter",
    "trigger",
    HEAD.format("⟦trigger: {type: schedule, cron: '* * * * *'}⟧", NODE),
    lambda s: s.flow.document.trigger == {"type": "schedule", "cron": "* * * * *"},
)
covers(
    "front matter",
    "schemas",
    HEAD.format("⟦schemas: {a: 1}⟧", NODE),
    lambda s: s.flow.document.schemas == {"a": 1},
)
covers(
    "front matter",
    "input",
    HEAD.format("⟦input: {a: {type: number, default: 4}}⟧", '<set var="v" value="{{$input}}"/>'),
    lambda s: s.output == {"a": 4},
)
covers(
    "front matter",
    "output",
    HEAD.format("⟦output: {a: number}⟧", '<return value="{{ {a: $input} }}"/>'),
    lambda s: s.error.startswith("OutputError"),
)
covers(
    "front matter",
    "evolution",
    HEAD.format("⟦evolution: {a: 1}⟧", NODE),
    lambda s: s.flow.document.evolution == {"a": 1},
)
