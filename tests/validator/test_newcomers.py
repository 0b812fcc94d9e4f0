"""Owns the table of mistakes that newcomers make: each message exactly as they read it.

A message says what is wrong, where, and what to write instead. ``N`` is a node that is right.
"""

from __future__ import annotations

import pytest

import flowscript_trio as fs

N = '<transform id="n" template="1"/>'

MISTAKES: list[tuple[str, str, list[str]]] = [
    (
        "a misspelled node",
        '<transform id="t" template="{{usr.name}}"/><source id="user" url="http://x/"/>',
        [
            "2:31: error: there is no name 'usr' here; did you mean 'user'?",
        ],
    ),
    (
        "a setting by another name",
        '<source id="a" uri="http://x/"/>',
        [
            "2:1: error: 'a' needs the setting 'url'; expected url, as an attribute or a child "
            "element",
            "2:16: error: 'a' has no setting 'uri'; expected one of auth, body, cursor, "
            "delimiter, download, duplicates, encoding, extract, form, format, header, headers, idempotent, "
            "method, multipart, next, next-param, params, quote, ragged, redirects, response, sha256, skip, "
            "stream, types, upload, url; did you mean 'url'?",
        ],
    ),
    (
        "a list as the input",
        '<transform:map id="m" input="[1, 2]" expression="item"/>',
        [
            "2:30: error: input names nodes, and this is a value; expected the id of a node, or an "
            "expression in braces: {{[1, 2]}}",
        ],
    ),
    (
        "a timeout in milliseconds",
        '<source id="a" url="http://x/" timeout="5000"/>',
        [
            "2:41: error: '5000' has no unit; expected a duration such as 250ms, 5s, 1.5m, 2h, "
            "1d, 1h30m or PT5S",
        ],
    ),
    (
        "a duration in words",
        '<timeout id="t" duration="5 minutes">N!</timeout>',
        [
            "2:27: error: '5 minutes' is not a duration; expected a duration such as 250ms, "
            "5s, 1.5m, 2h, 1d, 1h30m or PT5S",
        ],
    ),
    (
        "a condition called test",
        '<if id="i" test="true"><then>N!</then></if>',
        [
            "2:1: error: 'i' needs the setting 'condition'; expected condition, as an "
            "attribute or a child element",
            "2:12: error: 'i' has no setting 'test'; expected one of condition; did you mean "
            "'condition'?",
        ],
    ),
    (
        "a text without quotes",
        '<if id="i" condition="$env.MODE == fast"><then>N!</then></if>',
        [
            "2:36: error: there is no name 'fast' here; expected the id of a node, a variable, "
            "or 'fast' where it is text",
        ],
    ),
    (
        "one equals sign",
        '<if id="i" condition="$env.MODE = 1"><then>N!</then></if>',
        [
            "2:33: error: '=' has no meaning here; did you mean '=='?",
        ],
    ),
    (
        "an if without then",
        '<if id="i" condition="true">N!</if>',
        [
            "2:1: error: <if> needs a <then>; expected <then>…</then>",
            "2:29: error: <transform> is not allowed in <if>; expected <then> or <else> around it",
        ],
    ),
    (
        "otherwise in an if",
        '<if id="i" condition="true"><then/><otherwise>N!</otherwise></if>',
        [
            "2:36: error: <otherwise> is not allowed in <if>; expected <then>, <else>; did you "
            "mean 'else'?",
        ],
    ),
    (
        "a switch",
        '<switch on="x"><case value="1"/></switch>',
        [
            '2:1: error: there is no element <switch>; expected <branch id="…"><case '
            'when="…">…</case><default>…</default></branch>',
        ],
    ),
    (
        "a parallel without branches",
        '<parallel id="p">N!</parallel>',
        [
            "2:1: warning: 'p' has no branches: its output is an empty list",
            "2:18: error: <transform> is not allowed in <parallel>; expected <branch> around it",
        ],
    ),
    (
        "nodes with a prefix in a parallel",
        '<parallel id="p"><source:http id="a" url="http://a.b"/><sink:file id="f" path="x"/></parallel>',
        [
            "2:1: warning: 'p' has no branches: its output is an empty list",
            "2:18: error: <source:http> is not allowed in <parallel>; expected <branch> around it",
            "2:56: error: <sink:file> is not allowed in <parallel>; expected <branch> around it",
        ],
    ),
    (
        "a limit in words",
        '<parallel id="p" concurrency="two"><branch>N!</branch></parallel>',
        [
            "2:31: error: 'two' is not a limit; expected a whole number of at least 1, or "
            "unlimited",
        ],
    ),
    (
        "wait as a number",
        '<parallel id="p" wait="2"><branch>N!</branch></parallel>',
        [
            "2:24: error: 2 is not what a block can wait for; expected all, any, or n(K) with "
            "K a whole number of at least 1",
        ],
    ),
    (
        "wait as an element",
        '<parallel id="p"><wait for="all"/><branch>N!</branch></parallel>',
        [
            '2:18: error: there is no element <wait>; expected wait="all", wait="any" or '
            'wait="n(2)" on the <parallel>',
        ],
    ),
    (
        "a for loop",
        '<for each="x" in="xs"/>',
        [
            '2:1: error: there is no element <for>; expected <foreach id="…" '
            'collection="…">…</foreach>',
        ],
    ),
    (
        "a foreach over items",
        '<foreach id="f" items="[1, 2]">N!</foreach>',
        [
            "2:1: error: 'f' needs the setting 'collection'; expected collection, as an "
            "attribute or a child element",
            "2:17: error: 'f' has no setting 'items'; expected one of accept, batch, "
            "collection, debounce, fail-fast, index, item, max-concurrency, merge, on-timeout, stagger, "
            "throttle, tolerate, wait; did you mean 'collection'?",
        ],
    ),
    (
        "a loop that is counted",
        '<loop id="l" times="3">N!</loop>',
        [
            "2:14: error: 'l' has no setting 'times'; expected one of break, max; did you mean "
            "'max'?",
        ],
    ),
    (
        "a variable by its name",
        '<set name="x" value="1"/>',
        [
            "2:1: error: <set> needs the setting 'var'; expected var, as an attribute or a "
            "child element",
            "2:6: error: <set> has no setting 'name'; expected one of type, value, var; did "
            "you mean 'var'?",
        ],
    ),
    (
        "a node without an id",
        '<transform template="1"/>',
        [
            '2:1: error: <transform> needs an id; expected id="…"',
        ],
    ),
    (
        "an id with a space",
        '<transform id="my node" template="1"/>',
        [
            "2:16: error: 'my node' is not a valid id; expected a letter or _, then letters, "
            "digits, _ and -",
        ],
    ),
    (
        "an id twice",
        "N!N!",
        [
            "2:48: error: the id 'n' is given twice, first at <text>:2:16; "
            "expected an id that no other node has",
        ],
    ),
    (
        "an interpolation with one brace",
        '<transform id="t" template="{{ n.output }"/>N!',
        [
            "2:29: error: the interpolation has no end; expected }} (or \\{{ for a literal {{)",
        ],
    ),
    (
        "a pipe",
        '<transform id="t" template="{{ n | upper }}"/>N!',
        [
            "2:34: error: '|' has no meaning here; expected a call: upper(…)",
        ],
    ),
    (
        "a function of another language",
        '<transform id="t" template="{{ toUpper(n) }}"/>N!',
        [
            "2:32: error: there is no function 'toUpper'; did you mean 'upper'?",
        ],
    ),
    (
        "a block of Handlebars",
        '<transform id="t" template="{{#if n}}x{{/if}}"/>N!',
        [
            "2:31: error: '#' has no meaning here; expected an expression: when ? a : b for a "
            "condition, join(map(xs, x => x.name), ', ') for a list",
        ],
    ),
    (
        "a secret without the dollar",
        '<secret name="TOKEN"/><transform id="t" template="{{secrets.TOKEN}}"/>',
        [
            "2:53: error: there is no name 'secrets' here; did you mean '$secrets'?",
        ],
    ),
    (
        "a secret without braces",
        '<secret name="TOKEN"/><transform id="t" template="Bearer $secrets.TOKEN"/>',
        [
            "2:58: warning: $secrets.TOKEN is text here, and is not replaced; expected "
            "{{$secrets.TOKEN}}",
        ],
    ),
    (
        "a secret that is not declared",
        '<secret name="TOKEN"/><transform id="t" template="{{$secrets.TOKN}}"/>',
        [
            "2:62: error: 'w' declares no secret 'TOKN'; expected TOKEN or <secret "
            "name=\"TOKN\"/>; did you mean 'TOKEN'?",
        ],
    ),
    (
        "a type of another language",
        '<param name="n" type="int"/>N!',
        [
            "2:23: error: there is no type 'int'; expected string, number, boolean, object, "
            "array, enum[a, b]; did you mean 'number'?",
        ],
    ),
    (
        "a parameter behind the nodes",
        'N!<param name="user"/>',
        [
            "2:33: error: <param> is not allowed in <workflow>; expected <param> in the "
            "workflow, before its nodes",
        ],
    ),
    (
        "a default that does not fit",
        '<param name="k" type="number" default="many"/>N!',
        [
            "2:40: error: the default 'many' does not fit its type; expected a number as JSON",
        ],
    ),
    (
        "a retry outside of on-error",
        '<source id="s" url="http://x/"><retry max="3"/></source>',
        [
            "2:32: error: <retry> is not allowed in <source>; expected <retry> in an <on-error>",
        ],
    ),
    (
        "a retry by attempts",
        '<source id="s" url="http://x/"><on-error><retry attempts="3"/></on-error></source>',
        [
            "2:49: error: <retry> has no setting 'attempts'; expected one of backoff, base, "
            "cap, jitter, max, retry-after, when; did you mean 'max'?",
        ],
    ),
    (
        "a fallback that is not there",
        '<source id="s" url="http://x/"><on-error><fallback node="m"/></on-error></source>',
        [
            "2:58: error: there is no node 'm'; expected the id of a node",
        ],
    ),
    (
        "what a sink is to write",
        '<sink type="file" id="s" path="a.json" data="{{n}}"/>N!',
        [
            "2:40: error: 's' has no setting 'data'; expected one of append, create-dir, "
            "delimiter, encoding, format, header, path, pretty, quote, sheet; did you mean "
            "'input'?",
        ],
    ),
    (
        "a function in full",
        '<transform type="map" id="m" input="n" expression="function(x) { return x }"/>N!',
        [
            "2:64: error: '{' is not expected here; expected an arrow function: x => x.name",
        ],
    ),
    (
        "a date without quotes",
        '<transform type="reduce" id="m" input="n" initial="2024-01-01" expression="acc"/>N!',
        [
            "2:52: error: 2024-01-01 is a subtraction here, not a date; expected '2024-01-01'",
        ],
    ),
    (
        "a template as an expression",
        '<transform type="reduce" id="m" input="n" initial="total: {{n}}" expression="acc"/>N!',
        [
            "2:57: error: ':' is not expected here; expected 'total: ' + n: text in an "
            "expression needs quotes",
        ],
    ),
    (
        "an output that is not last",
        '<output><set field="n" value="{{n}}"/></output>N!',
        [
            "2:1: error: <output> is not the last node; expected <output> at the end of the "
            "<workflow>",
        ],
    ),
    (
        "a field of the output by name",
        'N!<output><set name="n" value="{{n}}"/></output>',
        [
            "2:41: error: <set> needs the setting 'field'; expected field, as an attribute or "
            "a child element",
            "2:46: error: <set> has no setting 'name'; expected one of field, type, value; did "
            "you mean 'field'?",
        ],
    ),
    (
        "a break outside of a loop",
        "<break/>",
        [
            "2:1: error: <break> is not inside a loop; expected <loop>, <while> or <foreach> "
            "around it",
        ],
    ),
    (
        "an end tag without the prefix",
        '<source:http id="s" url="http://x/"></source>',
        [
            "2:39: error: </source> comes where <source:http> of line 2 is still open; "
            "expected </source:http>",
        ],
    ),
    (
        "an attribute without quotes",
        '<source id="s" url=http://x/ />',
        [
            "2:20: error: the value of 'url' must be in quotes; expected url=\"…\"",
        ],
    ),
    (
        "actions in an element",
        '<checkpoint id="c" prompt="ok?"><actions><approve/></actions></checkpoint>',
        [
            '2:33: error: <actions> is not allowed in <checkpoint>; expected <action id="…" '
            'label="…"/> directly in the <checkpoint>, one for each answer',
        ],
    ),
    (
        "a runtime that is not there",
        '<source:clock id="c"/>',
        [
            "2:1: error: no runtime named 'source:clock' is registered; expected one of "
            "source:database, source:file, source:http; or one of your own, from registry= in "
            "Python, or from the module that --runtimes names on the command line",
        ],
    ),
    (
        "a node of a sibling branch",
        '<parallel id="p"><branch>N!</branch><branch><transform id="m" '
        'template="{{n}}"/></branch></parallel>',
        [
            "2:105: error: 'n' is in another branch, which is not seen here; expected a "
            "node of this branch, or one before the block; after the block all are seen",
        ],
    ),
    (
        "a variable that nothing sets",
        '<set var="count" value="1"/><transform id="t" template="{{$context.cuont}}"/>',
        [
            "2:68: error: nothing sets the variable 'cuont'; expected count or <set "
            'var="cuont" value="…"/>; did you mean \'count\'?',
        ],
    ),
    (
        "a node that comes later",
        '<loop id="l" max="1"/><if id="i" condition="true"><then><transform id="t" '
        'template="{{n}}"/>N!</then></if>',
        [
            "2:87: error: 'n' comes later, and has no output yet; expected a node that comes "
            "before this one",
        ],
    ),
    (
        "a text in a transform",
        '<transform id="t">hello {{input}}</transform>',
        [
            "2:1: error: 't' needs the setting 'template'; expected template, as an attribute or a"
            " child element",
            "2:19: error: text is not allowed in <transform>; expected <template>…</template> "
            "around it",
        ],
    ),
    (
        "a text in a map",
        '<transform:map id="t">item.x</transform:map>',
        [
            "2:1: error: 't' needs the setting 'expression'; expected expression, as an attribute "
            "or a child element",
            "2:23: error: text is not allowed in <transform:map>; expected "
            "<expression>…</expression> around it",
        ],
    ),
    (
        "a value as the text of a set",
        '<set var="x">1</set>',
        [
            "2:1: error: <set> needs the setting 'value'; expected value, as an attribute or a "
            "child element",
            '2:14: error: text is not allowed in <set>; expected value="…"',
        ],
    ),
    (
        "a fallback as text",
        '<transform id="t" template="x"><on-error><fallback>n</fallback></on-error></transform>N!',
        [
            "2:42: error: <fallback> needs the setting 'node'; expected node, as an attribute or a"
            " child element",
            '2:52: error: text is not allowed in <fallback>; expected node="…"',
        ],
    ),
    (
        "a value of an output",
        '<output value="{{1}}"/>',
        [
            '2:9: error: <output> has no setting \'value\'; expected <set field="…" value="…"/> in '
            "the <output>",
        ],
    ),
    (
        "a field in an output",
        '<output><field name="x" value="1"/></output>',
        [
            '2:9: error: <field> is not allowed in <output>; expected <set field="…" value="…"/> '
            "in the <output>",
        ],
    ),
    (
        "a param in a call",
        '<call id="c" workflow="x.xml"><param name="a" value="1"/></call>',
        [
            "2:24: error: text has no folder in which another document could be; expected a "
            "document loaded from a file, or a base folder given when it is loaded",
            '2:31: error: <param> is not allowed in <call>; expected <arg name="…" value="…"/> in '
            "the <call>",
        ],
    ),
    (
        "an arg in an include",
        '<include id="c" workflow="x.xml"><arg name="a" value="1"/></include>',
        [
            "2:27: error: text has no folder in which another document could be; expected a "
            "document loaded from a file, or a base folder given when it is loaded",
            '2:34: error: <arg> is not allowed in <include>; expected <bind key="…" value="…"/> in'
            " the <include>",
        ],
    ),
    (
        "a retry as a setting",
        '<source id="a" url="http://x/" retries="3"/>',
        [
            "2:32: error: 'a' has no setting 'retries'; expected <on-error><retry "
            'max="3"/></on-error> in it',
        ],
    ),
    (
        "a catch in a node",
        '<source id="a" url="http://x/"><catch/></source>',
        [
            "2:32: error: 'a' has no setting 'catch'; expected <on-error><fallback "
            'node="…"/></on-error> in it',
        ],
    ),
    (
        "a name for the output",
        '<source id="a" url="http://x/" output="page"/>',
        [
            "2:32: error: 'a' has no setting 'output'; expected its id: what it gives has that "
            "name in expressions",
        ],
    ),
    (
        "a branch with an id",
        '<parallel id="p"><branch id="b">N!</branch></parallel>',
        [
            "2:26: error: <branch> has no setting 'id'; expected the id on a node in it",
        ],
    ),
    (
        "a node with a dollar",
        'N!<transform id="t" template="{{$n.x}}"/>',
        [
            "2:63: error: there is no name '$n' here; did you mean 'n'?",
        ],
    ),
    (
        "steps of another language",
        'N!<transform id="t" template="{{$steps.n.output}}"/>',
        [
            "2:63: error: there is no name '$steps' here; expected the id of the node by itself: "
            "fetch.items, not steps.fetch.items",
        ],
    ),
    (
        "variables of another language",
        '<transform id="t" template="{{$vars.x}}"/>',
        [
            "2:31: error: there is no name '$vars' here; did you mean '$context'?",
        ],
    ),
    (
        "Python's None",
        '<transform id="t" template="{{input == None}}"/>',
        [
            "2:40: error: there is no name 'None' here; did you mean 'null'?",
        ],
    ),
    (
        "JavaScript's interpolation",
        'N!<transform id="t" template="Bearer ${n.token} ${input.x} ${HOME} \\${n}"/>',
        [
            "2:68: warning: ${n.token} is text here, and is not replaced; expected {{n.token}}",
            "2:79: warning: ${input.x} is text here, and is not replaced; expected {{input.x}}",
        ],
    ),
    (
        "another arrow",
        '<transform:map id="t" expression="item -&gt; item.x"/>',
        [
            "2:41: error: '>' is not expected here; expected =>, as in item => item.name",
        ],
    ),
    (
        "a power",
        '<transform id="t" template="{{input.x ** 2}}"/>',
        [
            "2:40: error: '*' is not expected here; expected pow(x, 2)",
        ],
    ),
    (
        "SQL's unequal",
        '<if id="i" condition="input.x &lt;&gt; 2"><then>N!</then></if>',
        [
            "2:35: error: '>' is not expected here; expected !=",
        ],
    ),
    (
        "Python's condition",
        '<transform id="t" template="{{1 if input else 2}}"/>',
        [
            "2:33: error: 'if' is not expected here; expected a condition: when ? then : otherwise",
        ],
    ),
    (
        "a range of Ruby",
        '<foreach id="f" collection="1..3">N!</foreach>',
        [
            "2:31: error: '.3' is not expected here; expected range(1, 4)",
        ],
    ),
    (
        "a method that is a function",
        '<transform id="t" template="{{input.x.toFixed(2)}} {{input.y.toString()}}"/>',
        [
            "2:39: error: values have no method 'toFixed'; expected the function round(x, digits)",
        ],
    ),
    (
        "a library of JavaScript",
        '<transform id="t" template="{{Math.max(1, 2)}}"/>',
        [
            "2:36: error: values have no method 'max'; expected the function max(…)",
        ],
    ),
    (
        "a size",
        '<transform id="t" template="{{input.xs.size()}}"/>',
        [
            "2:40: error: values have no method 'size'; expected .length, without parentheses",
        ],
    ),
    (
        "a merge that is not known",
        '<parallel id="p" merge="join"><branch>N!</branch></parallel>',
        [
            "2:25: error: there is no name 'join' here; expected one of array, concat, object, "
            "none, or an expression",
        ],
    ),
    (
        "a format that is not known",
        '<sink id="s" type="file" path="a.txt" format="xml"/>',
        [
            "2:47: error: the value of format is not right; expected 'auto', 'json', 'jsonl', "
            "'yaml', 'csv', 'tsv', 'xlsx', 'parquet', 'text', 'lines' or 'bytes'",
        ],
    ),
    (
        "a word of the language as an id",
        '<transform id="item" template="x"/>',
        [
            "2:16: error: 'item' is a word of the language; expected another id, such as item_1",
        ],
    ),
    (
        "more branches than there are",
        '<parallel id="p" wait="n(2)"><branch>N!</branch></parallel>',
        [
            "2:24: error: 2 branches must succeed, and there is 1; expected a number up to 1",
        ],
    ),
    (
        "a variable of the same context",
        '<context><set key="a" value="1"/><set key="b" value="{{$context.a}}"/></context>',
        [
            "2:56: warning: '$context.a' is only set later: it is null here; expected a node "
            "before this one that sets it",
        ],
    ),
    (
        "an else of a branch",
        '<branch id="b"><case when="1">N!</case><else/></branch>',
        [
            "2:70: error: <else> is not allowed in <branch>; expected <case>, <default>; did you mean "
            "'default'?",
        ],
    ),
    (
        "a handler inside its fallback",
        '<fail message="m"><on-error><fallback><set var="x" value="1"/></fallback></on-error></fail>',
        [
            "2:29: error: <fallback> needs the setting 'node'; expected node, as an attribute or a child "
            "element",
            '2:39: error: <set> is not allowed in <fallback>; expected node="…", the id of a node '
            "beside this one",
        ],
    ),
    (
        "a text as the output",
        "N!<output>{{n}}</output>",
        [
            '2:41: error: text is not allowed in <output>; expected <set field="…" value="…"/> in the <output>',
        ],
    ),
    (
        "functions of other languages",
        '<set var="v" value="{{parseInt($env.N)}}{{md5(1)}}"/>',
        [
            "2:23: error: there is no function 'parseInt'; expected to_number(x)",
            "2:43: error: there is no function 'md5'; expected hash(x, 'md5')",
        ],
    ),
    (
        "a list made as in Python",
        '<set var="v" value="{{[x.name for x in $env.N]}}"/>',
        [
            "2:31: error: 'for' is not expected here; expected map(xs, x => x.name), or filter(xs, x => "
            "x.age > 3)",
        ],
    ),
    (
        "an item called as its index is",
        '<foreach id="f" collection="[1]" item="index">N!</foreach>',
        [
            "2:40: error: item and index are both called 'index', so that one could never be read; expected "
            "another name",
        ],
    ),
    (
        "a name that begins with a digit",
        '<foreach id="f" collection="[1]" item="2x">N!</foreach>',
        [
            "2:40: error: the value of item is not right; expected a name: a letter or _, then "
            "letters, digits, _ and -",
        ],
    ),
    (
        "dotted id in after",
        'N!<transform id="m" after="n.output" template="2"/>',
        [
            "2:58: error: there is no node 'n.output'; expected n",
        ],
    ),
    (
        "after with expression",
        'N!<transform id="m" after="{{n}}" template="2"/>',
        [
            "2:58: error: there is no node '{{n}}'; expected n",
        ],
    ),
    (
        "SQL's is not null",
        '<if id="i" condition="$env.A is not null"><then>N!</then></if>',
        [
            "2:30: error: 'is' is not expected here; expected ==, or is_null(x)",
        ],
    ),
    (
        "an operator in words",
        '<if id="i" condition="$env.A equals 1"><then>N!</then></if>',
        [
            "2:30: error: 'equals' is not expected here; expected ==",
        ],
    ),
    (
        "a statement of Jinja",
        '<transform id="t"><template>{% if n %}x{% endif %}</template></transform>N!',
        [
            "2:29: warning: {% if n %} is text here: there are no statements; expected an "
            "expression: {{when ? a : b}}, {{join(map(xs, x => x.name), ', ')}}",
        ],
    ),
    (
        "the shell's environment",
        '<source id="s" url="${env.BASE}/x"/>',
        [
            "2:21: warning: ${env.BASE} is text here, and is not replaced; expected {{$env.BASE}}",
        ],
    ),
    (
        "JavaScript's environment",
        '<source id="s" url="{{process.env.BASE}}/x"/>',
        [
            "2:23: error: there is no name 'process' here; expected $env.NAME, a variable "
            "that the application gives",
        ],
    ),
    (
        "a parameter by another name",
        '<param name="base"/><source id="s" url="{{$param.base}}/x"/>',
        [
            "2:43: error: there is no name '$param' here; did you mean '$config'?",
        ],
    ),
    (
        "a secret of one letter less",
        '<secret name="K"/><source id="s" url="{{$secret.K}}/x"/>',
        [
            "2:41: error: there is no name '$secret' here; did you mean '$secrets'?",
        ],
    ),
    (
        "headers list",
        '<source id="s" url="http://x/"><headers><header name="Accept" '
        'value="x"/></headers></source>',
        [
            "2:49: error: <header> has no attributes; expected <Accept>x</Accept>",
            "2:63: error: <header> has no attributes; expected <Accept>x</Accept>",
        ],
    ),
    (
        "auth token child",
        '<source id="s" url="http://x/"><auth type="bearer" token="x"/></source>',
        [
            "2:38: error: <auth> has no attributes; expected an element in it: <type>…</type>",
            "2:52: error: <auth> has no attributes; expected an element in it: <token>…</token>",
        ],
    ),
    (
        "file absolute url",
        '<source:file id="s" url="a.csv"/>',
        [
            "2:1: error: 's' needs the setting 'path'; expected path, as an attribute or a "
            "child element",
            "2:21: error: 's' has no setting 'url'; expected one of delimiter, duplicates, "
            "encoding, format, header, path, quote, ragged, sheet, skip, stream, types; did "
            "you mean 'path'?",
        ],
    ),
    (
        "filter expression",
        '<transform:filter id="s" expression="item.a"/>',
        [
            "2:1: error: 's' needs the setting 'condition'; expected condition, as an "
            "attribute or a child element",
            "2:26: error: 's' has no setting 'expression'; expected one of condition; did "
            "you mean 'condition'?",
        ],
    ),
    (
        "foreach collection text",
        '<foreach id="f" collection="a, b, c">N!</foreach>',
        [
            "2:30: error: ',' is not expected here; expected an operator or the end",
        ],
    ),
    (
        "loop var",
        '<loop id="l" max="3" as="i">N!</loop>',
        [
            "2:22: error: 'l' has no setting 'as'; expected $iteration in expressions: the "
            "number of the round",
        ],
    ),
    (
        "while until",
        '<while id="w" until="n == 1">N!</while>',
        [
            "2:1: error: 'w' needs the setting 'condition'; expected condition, as an "
            "attribute or a child element",
            "2:15: error: 'w' has no setting 'until'; expected condition=\"not (…)\"",
        ],
    ),
    (
        "case value",
        '<branch id="b"><case value="1">N!</case></branch>',
        [
            "2:16: error: <case> needs the setting 'when'; expected when, as an attribute or "
            "a child element",
            "2:22: error: <case> has no setting 'value'; expected one of when; did you mean "
            "'when'?",
        ],
    ),
    (
        "branch on",
        '<branch id="b" on="n"><case when="1"><transform id="q" template="1"/></case></branch>N!',
        [
            "2:16: error: 'b' has no setting 'on'; expected when=\"…\" on each <case>",
        ],
    ),
    (
        "an elif",
        '<if id="i" condition="1"><then>N!</then><elif condition="2"/></if>',
        [
            '2:71: error: <elif> is not allowed in <if>; expected <branch id="…"><case '
            'when="…">…</case><default>…</default></branch>',
        ],
    ),
    (
        "else without if",
        "<else>N!</else>",
        [
            "2:1: error: <else> is not allowed in <workflow>; expected <else> in an <if>",
        ],
    ),
    (
        "retry count text",
        '<source id="s" url="http://x/"><on-error><retry>3</retry></on-error></source>',
        [
            '2:49: error: text is not allowed in <retry>; expected max="…"',
        ],
    ),
    (
        "retry delay",
        '<source id="s" url="http://x/"><on-error><retry max="3" delay="1s"/></on-error></source>',
        [
            "2:57: error: <retry> has no setting 'delay'; expected one of backoff, base, "
            "cap, jitter, max, retry-after, when; did you mean 'base'?",
        ],
    ),
    (
        "on-error with node",
        '<source id="s" url="http://x/"><on-error>N!</on-error></source>',
        [
            "2:42: error: <transform> is not allowed in <on-error>; expected <fallback "
            'node="…"/>, and the node itself beside this one',
        ],
    ),
    (
        "a node as its own fallback",
        '<source id="s" url="http://x/"><on-error><fallback node="s"/></on-error></source>',
        [
            "2:58: error: 's' cannot handle its own failure; expected another node of the "
            "same body, or of one around it",
        ],
    ),
    (
        "delay seconds attr",
        '<delay seconds="5"/>N!',
        [
            "2:1: error: <delay> needs the setting 'duration'; expected duration, as an "
            "attribute or a child element",
            "2:1: warning: nothing waits for this delay; expected a node that names it in "
            "input or after",
            "2:8: error: <delay> has no setting 'seconds'; expected one of duration; did you "
            "mean 'duration'?",
        ],
    ),
    (
        "checkpoint default yes",
        '<checkpoint id="c" prompt="p" default="yes"/>',
        [
            "2:40: error: the value of default is not right; expected 'approve' or 'reject'",
        ],
    ),
    (
        "checkpoint actions attr",
        '<checkpoint id="c" prompt="p" actions="yes,no"/>',
        [
            "2:31: error: 'c' has no setting 'actions'; expected <action id=\"…\" label=\"…\"/> "
            "in the <checkpoint>",
        ],
    ),
    (
        "call path",
        '<call id="c" path="a.xml"/>',
        [
            "2:1: error: 'c' needs the setting 'workflow'; expected workflow, as an "
            "attribute or a child element",
        ],
    ),
    (
        "set two vars",
        '<set var="a, b" value="1"/>',
        [
            "2:11: warning: the variable 'a, b' cannot be read by its name alone; expected a "
            "name: a letter or _, then letters, digits, _ and -",
        ],
    ),
    (
        "set var dotted",
        '<set var="a.b" value="1"/>',
        [
            "2:11: warning: the variable 'a.b' cannot be read by its name alone; expected a "
            "name: a letter or _, then letters, digits, _ and -",
        ],
    ),
    (
        "context attr",
        '<context a="1"/>',
        [
            '2:10: error: <context> has no setting \'a\'; expected <set key="…" value="…"/> in '
            "the <context>",
        ],
    ),
    (
        "output attr",
        'N!<output field="a" value="{{n}}"/>',
        [
            "2:41: error: <output> has no setting 'field'; expected <set field=\"…\" "
            'value="…"/> in the <output>',
            "2:51: error: <output> has no setting 'value'; expected <set field=\"…\" "
            'value="…"/> in the <output>',
        ],
    ),
    (
        "two outputs",
        'N!<output><set field="a" value="1"/></output><output><set field="b" value="1"/></output>',
        [
            "2:33: error: <output> is not the last node; expected <output> at the end of the "
            "<workflow>",
        ],
    ),
    (
        "finally in if",
        '<if id="i" condition="1"><then>N!</then><finally/></if>',
        [
            "2:71: error: <finally> is not allowed in <if>; expected <finally> in a "
            "workflow, a phase, a branch of <parallel> or a timeout",
        ],
    ),
    (
        "wrong close case",
        '<Transform id="n" template="1"/>',
        [
            "2:1: error: there is no element <Transform>; expected a node; did you mean "
            "'transform'?",
        ],
    ),
    (
        "smart quotes",
        '<transform id=“n” template="1"/>',
        [
            '2:15: error: “ is not a quotation mark of XML; expected id="…"',
        ],
    ),
    (
        "nbsp",
        '<transform\xa0id="n" template="1"/>',
        [
            "2:11: error: U+00A0 looks like a space but is not one in XML; expected a space",
        ],
    ),
    (
        "html entity",
        '<transform id="n" template="a&nbsp;b"/>',
        [
            "2:30: error: there is no entity &nbsp;; expected &lt; &gt; &amp; &quot; &apos; "
            "or a number such as &#10;",
        ],
    ),
    (
        "date add days",
        '<set var="v" value="{{add_days(now(), 1)}}"/>',
        [
            "2:23: error: there is no function 'add_days'; expected add_time(t, 1, 'day')",
        ],
    ),
    (
        "arrow block",
        '<set var="v" value="{{map([1], x => { return x })}}"/>',
        [
            "2:37: error: the body of an arrow function is an expression; expected an object "
            "in parentheses: ({…})",
        ],
    ),
    (
        "increment",
        '<set var="v" value="{{n++}}"/>N!',
        [
            '2:26: error: the expression ends too early; expected <set var="n" value="{{n + '
            '1}}"/>: an expression changes no variable',
        ],
    ),
    (
        "an assignment with an operator",
        '<set var="v" value="{{n += 1}}"/>N!',
        [
            '2:26: error: \'=\' has no meaning here; expected <set var="n" value="{{n + '
            '1}}"/>: an expression changes no variable',
        ],
    ),
    (
        "regex literal",
        '<set var="v" value="{{n.match(/a/)}}"/>N!',
        [
            "2:31: error: '/' is not expected here; expected a pattern as text: "
            "regex_match(x, 'a+')",
        ],
    ),
    (
        "slice python",
        '<set var="v" value="{{n[1:2]}}"/>N!',
        [
            "2:26: error: ':' is not expected here; expected slice(xs, start, end)",
        ],
    ),
    (
        "object keys",
        '<set var="v" value="{{Object.keys(n)}}"/>N!',
        [
            "2:30: error: values have no method 'keys'; expected the function keys(…)",
        ],
    ),
    (
        "braces nested",
        '<if id="i" condition="{{n}} == 1"><then><set var="q" value="1"/></then></if>N!',
        [
            "2:24: error: '{' is not expected here; expected n == 1: the whole is an "
            "expression already",
        ],
    ),
    (
        "tolerate one",
        '<parallel id="p" tolerate="one"><branch>N!</branch></parallel>',
        [
            "2:28: error: 'one' is not a number of branches; expected a whole number such as "
            "2, or a share such as 10%",
        ],
    ),
]


def said(problem: fs.Problem) -> str:
    place = f"{problem.location.line}:{problem.location.column}"
    text = f"{place}: {problem.severity}: {problem.message}"
    if problem.expected:
        text += f"; expected {problem.expected}"
    return f"{text}; did you mean {problem.suggestion!r}?" if problem.suggestion else text


@pytest.mark.parametrize(
    ("document", "messages"), [case[1:] for case in MISTAKES], ids=[case[0] for case in MISTAKES]
)
def test_a_newcomer_reads_what_is_wrong_where_and_what_to_write(
    document: str, messages: list[str]
) -> None:
    text = f'<workflow name="w">\n{document.replace("N!", N)}\n</workflow>'
    try:
        problems = list(fs.loads(text).warnings)
    except fs.WorkflowInvalid as invalid:
        problems = list(invalid.problems)
    assert [said(problem) for problem in problems] == messages


def test_every_mistake_is_told_with_what_to_write_instead() -> None:
    assert len(MISTAKES) >= 30
    for name, _, messages in MISTAKES:
        assert any("; expected " in one or "; did you mean " in one for one in messages), name
