"""Owns the table of malformed documents: what is wrong, the text, and each problem as code, line, column.

``^`` marks in the texts would say the same and hide the columns, so the columns are numbers. ``w(…)`` puts
lines into a workflow: its first line is line 2.
"""

from __future__ import annotations

Case = tuple[str, str, list[tuple[str, int, int]]]


def w(*lines: str) -> str:
    return "\n".join(['<workflow name="w">', *lines, "</workflow>"])


def request(*lines: str) -> str:
    return w('<source:http id="a"><request>', *lines, "</request></source:http>")


STEP = '<set var="v" value="1"/>'
BILLION_LAUGHS = (
    '<?xml version="1.0"?>\n<!DOCTYPE lolz [\n<!ENTITY lol "lol">\n'
    + "\n".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    + ']>\n<workflow name="&l9;"/>'
)

NOT_WELL_FORMED: list[Case] = [
    ("nothing", "", [("not-well-formed", 1, 1)]),
    ("white space only", " \n\n", [("not-well-formed", 1, 1)]),
    ("words", "hello", [("not-well-formed", 1, 1)]),
    ("a comment only", "<!-- x -->", [("not-well-formed", 1, 1)]),
    ("words before the root", ' x\n<workflow name="w"/>', [("not-well-formed", 1, 2)]),
    ("words behind the root", w(STEP) + "\n  more", [("not-well-formed", 4, 3)]),
    ("CDATA behind the root", w(STEP) + "<![CDATA[x]]>", [("not-well-formed", 3, 12)]),
    ("two roots", w(STEP) + "\n" + w(), [("not-well-formed", 4, 1)]),
    (
        "three roots",
        '<workflow name="a"/><workflow name="b"/>\n <workflow name="c"/>',
        [("not-well-formed", 1, 21), ("not-well-formed", 2, 2)],
    ),
    (
        "an element and the root are never closed",
        '<workflow name="w">\n <loop id="l" max="1">\n  ' + STEP,
        [("not-well-formed", 1, 1), ("not-well-formed", 2, 2)],
    ),
    ("a wrong end tag", w('<loop id="l">', STEP, "</lop>"), [("not-well-formed", 4, 3)]),
    (
        "end tags in the wrong order",
        w('<parallel id="p"><branch>', STEP, "</parallel></branch>"),
        [("not-well-formed", 4, 3), ("not-well-formed", 4, 14)],
    ),
    ("an end tag too many", w(STEP) + "</workflow>", [("not-well-formed", 3, 14)]),
    ("an end tag with nothing in it", w("</>"), [("not-well-formed", 2, 1)]),
    ("an end tag with an attribute", w("<loop id='l'></loop x='1'>"), [("not-well-formed", 2, 14)]),
    ("a tag without an end", w('<delay duration="1s"', STEP), [("not-well-formed", 2, 1)]),
    ("a tag at the end of the file", "<workflow name='w'", [("not-well-formed", 1, 1)]),
    ("no quotes", w("<delay duration=1s/>"), [("not-well-formed", 2, 17)]),
    ("no value", w("<break loop/>"), [("not-well-formed", 2, 8)]),
    ("no closing quote", w('<delay duration="1s/>', STEP), [("not-well-formed", 2, 17)]),
    ("no closing quote to the end", w("<delay duration='1s/>"), [("not-well-formed", 2, 17)]),
    ("no white space", w('<set var="v"value="1"/>'), [("not-well-formed", 2, 13)]),
    ("an attribute twice", w('<set var="a" var="b"/>'), [("not-well-formed", 2, 14)]),
    ("an odd character in a tag", w('<set var="v", value="1"/>'), [("not-well-formed", 2, 13)]),
    (
        "a raw < in text",
        w("<loop id='l'><break>a <$b</break></loop>"),
        [("not-well-formed", 2, 23)],
    ),
    ("]]> in text", w("<loop id='l'><break>]]></break></loop>"), [("not-well-formed", 2, 21)]),
    ("-- in a comment", w("<!-- a -- b -->"), [("not-well-formed", 2, 8)]),
    ("a comment without an end", w("<!-- a"), [("not-well-formed", 2, 1)]),
    ("CDATA without an end", w("<x><![CDATA[ a"), [("not-well-formed", 2, 4)]),
    ("an instruction without an end", w("<?x a"), [("not-well-formed", 2, 1)]),
    (
        "a declaration that is late",
        '\n<?xml version="1.0"?><workflow/>',
        [("not-well-formed", 2, 1)],
    ),
    ("a declaration inside", w("<!ELEMENT x ANY>"), [("not-well-formed", 2, 1)]),
    ("NUL", w("a\0"), [("forbidden-character", 2, 2)]),
    ("a lone surrogate", w('<delay duration="\ud800"/>'), [("forbidden-character", 2, 18)]),
    ("a reference to NUL", w('<delay duration="&#0;"/>'), [("not-well-formed", 2, 18)]),
    ("a reference to no character", w("<x>&#x110000;</x>"), [("not-well-formed", 2, 4)]),
    ("an entity of HTML", w('<delay duration="&nbsp;"/>'), [("unknown-entity", 2, 18)]),
    (
        "five at once",
        w('<delay duration=1s id="a" id="b"/>', "<x>&foo; <$ </x>", "<loop id='l'>"),
        [
            ("not-well-formed", 2, 17),
            ("not-well-formed", 2, 27),
            ("unknown-entity", 3, 4),
            ("not-well-formed", 3, 10),
            ("not-well-formed", 5, 3),
        ],
    ),
    ("a document type", "<!DOCTYPE workflow>\n" + w(STEP), [("doctype", 1, 1)]),
    ("a billion laughs", BILLION_LAUGHS, [("doctype", 2, 1)]),
    (
        "an external entity",
        '<!DOCTYPE w [<!ENTITY x SYSTEM "file:///etc/passwd">]>\n<workflow name="&x;"/>',
        [("doctype", 1, 1)],
    ),
    (
        "an external DTD",
        '<!-- x -->\n  <!DOCTYPE w SYSTEM "http://localhost/w.dtd"><workflow name="w"/>',
        [("doctype", 2, 3)],
    ),
]

PREFIXES: list[Case] = [
    ("an unknown prefix", w('<sorce:http id="a"/>'), [("unknown-prefix", 2, 1)]),
    (
        "a prefix that is declared as something else",
        '<workflow name="w" xmlns:source="urn:other">\n<source:http id="a"/></workflow>',
        [("misleading-prefix", 1, 20), ("unknown-prefix", 2, 1)],
    ),
    (
        "a family that does not exist",
        '<workflow name="w" xmlns:x="urn:flowscript:nothing">\n<x:http id="a"/></workflow>',
        [("unknown-prefix", 2, 1)],
    ),
    (
        "a default namespace",
        '<workflow name="w" xmlns="urn:x"><loop id="l"/></workflow>',
        [("unknown-prefix", 1, 1)],
    ),
    ("a prefix of two parts", w('<source:http:x id="a"/>'), [("not-well-formed", 2, 1)]),
    (
        "an attribute with a prefix",
        w('<set source:var="v"/>'),
        [("missing-setting", 2, 1), ("missing-setting", 2, 1), ("unknown-prefix", 2, 6)],
    ),
    (
        "control: before what is no control element",
        w('<control:source type="file" id="a"/>'),
        [("unknown-element", 2, 1)],
    ),
    ("control: before nothing known", w('<control:paralel id="a"/>'), [("unknown-element", 2, 1)]),
    (
        "a setting with a prefix",
        w('<source:file id="a" path="p">', "<source:format/></source:file>"),
        [("misplaced-element", 3, 1)],
    ),
]

STRUCTURE: list[Case] = [
    ("another root", '<flow name="w"/>', [("no-workflow", 1, 1)]),
    ("no name", "<workflow/>", [("missing-name", 1, 1)]),
    (
        "an unknown attribute of the workflow",
        '<workflow name="w" max="1"/>',
        [("unknown-attribute", 1, 20)],
    ),
    ("a workflow in a workflow", w('<workflow name="x"/>'), [("misplaced-element", 2, 1)]),
    (
        "text in the workflow",
        w("  words", STEP, "more"),
        [("stray-text", 2, 3), ("stray-text", 4, 1)],
    ),
    (
        "text in a leaf",
        w('<delay duration="1s">words</delay>'),
        [("unused-delay", 2, 1), ("stray-text", 2, 22)],
    ),
    ("a misspelt element", w('<paralel id="p"><branch/></paralel>'), [("unknown-element", 2, 1)]),
    (
        "a misspelt element in a block",
        w('<phase name="p">', ' <forech id="f"/></phase>'),
        [("unknown-element", 3, 2)],
    ),
    ("a then outside of an if", w("<then/>"), [("misplaced-element", 2, 1)]),
    ("a case outside of a branch", w('<case when="true"/>'), [("misplaced-element", 2, 1)]),
    (
        "a case in a branch of a parallel",
        w('<parallel id="p"><branch>', STEP, '<case when="true"/></branch></parallel>'),
        [("misplaced-element", 4, 1)],
    ),
    (
        "a finally in an else",
        w(f'<if id="i" condition="true"><then>{STEP}</then><else>{STEP}', "<finally/></else></if>"),
        [("misplaced-element", 3, 1)],
    ),
    ("on-error of the workflow", w("<on-error/>", STEP), [("misplaced-element", 2, 1)]),
    (
        "a retry without on-error",
        w('<source:file id="a" path="p">', "<retry/></source:file>"),
        [("misplaced-element", 3, 1)],
    ),
    (
        "a node in an if",
        w(f'<if id="i" condition="true"><then>{STEP}</then>', STEP + "</if>"),
        [("unexpected-element", 3, 1)],
    ),
    (
        "an if without then",
        w(f'<if id="i" condition="true"><else>{STEP}</else></if>'),
        [("missing-then", 2, 1)],
    ),
    (
        "two else",
        w('<if id="i" condition="true"><then/><else/>', "<else/></if>"),
        [("element-twice", 3, 1)],
    ),
    (
        "two then",
        w(f'<if id="i" condition="true"><then>{STEP}</then>', "<then/></if>"),
        [("element-twice", 3, 1)],
    ),
    (
        "a branch without cases",
        w(f'<branch id="b"><default>{STEP}</default></branch>'),
        [("missing-case", 2, 1)],
    ),
    (
        "a node in a branch of cases",
        w(f'<branch id="b"><case when="true">{STEP}</case>', STEP + "</branch>"),
        [("unexpected-element", 3, 1)],
    ),
    (
        "a branch in an if",
        w(f'<if id="i" condition="true"><then>{STEP}</then>', "<branch/></if>"),
        [("unexpected-element", 3, 1)],
    ),
    ("two finally", w(STEP, "<finally/>", "<finally/>"), [("element-twice", 4, 1)]),
    (
        "two on-workflow-error",
        w(STEP, "<on-workflow-error/>", "<on-workflow-error/>"),
        [("element-twice", 4, 1)],
    ),
    (
        "two on-error",
        w('<source:file id="a" path="p"><on-error/>', "<on-error/></source:file>"),
        [("element-twice", 3, 1)],
    ),
    (
        "two compensate",
        w('<source:file id="a" path="p"><compensate/>', "<compensate/></source:file>"),
        [("element-twice", 3, 1)],
    ),
    (
        "two fallbacks",
        w(
            '<set var="b" value="1" id="b"/><source:file id="a" path="p"><on-error><fallback node="b"/>',
            '<fallback node="b"/></on-error></source:file>',
        ),
        [("element-twice", 3, 1)],
    ),
    (
        "something else in on-error",
        w('<source:file id="a" path="p"><on-error>', "<retri/></on-error></source:file>"),
        [("unexpected-element", 3, 1)],
    ),
    (
        "text and attributes in on-error",
        w('<source:file id="a" path="p"><on-error max="1">', "x</on-error></source:file>"),
        [("unknown-attribute", 2, 40), ("stray-text", 3, 1)],
    ),
    (
        "elements in a setting",
        w('<source:file id="a"><path>', "<b>p</b></path></source:file>"),
        [("nested-setting", 3, 1)],
    ),
    (
        "attributes of a setting",
        w('<source:file id="a"><path x="1">p</path></source:file>'),
        [("unknown-attribute", 2, 27)],
    ),
    (
        "an element with attributes in a block",
        w(f'<loop id="l">{STEP}', '<fetch url="u"/></loop>'),
        [("unknown-element", 3, 1)],
    ),
]

IDS: list[Case] = [
    ("no id", w('<source:file path="p"/>'), [("missing-id", 2, 1)]),
    ("a malformed id", w('<source:file id="1a" path="p"/>'), [("malformed-id", 2, 18)]),
    ("an empty id", w('<source:file id="" path="p"/>'), [("malformed-id", 2, 18)]),
    ("an id with a space", w("<source:file id='a b' path='p'/>"), [("malformed-id", 2, 18)]),
    ("a reserved id", w('<source:file id="error" path="p"/>'), [("reserved-id", 2, 18)]),
    (
        "a word of expressions as id",
        w('<source:file id="typeof" path="p"/>'),
        [("reserved-id", 2, 18)],
    ),
    (
        "an id three times",
        w(*['<source:file id="a" path="p"/>'] * 3),
        [("duplicate-id", 3, 18), ("duplicate-id", 4, 18)],
    ),
    (
        "an id of a block and in it",
        w('<loop id="a">', ' <source:file id="a" path="p"/></loop>'),
        [("duplicate-id", 3, 19)],
    ),
    (
        "an id that is a phase's name",
        w('<source:file id="a" path="p"/>', f'<phase name="a">{STEP}</phase>'),
        [("duplicate-id", 3, 14)],
    ),
    ("a phase without a name", w(f"<phase>{STEP}</phase>"), [("missing-name", 2, 1)]),
    (
        "an id that is a number",
        request(" id: 5", " url: http://localhost"),
        [("setting-twice", 3, 2)],
    ),
    ("no type", w('<source id="a" type="" path="p"/>'), [("missing-type", 2, 1)]),
]

SETTINGS: list[Case] = [
    (
        "two spellings",
        w(
            '<foreach id="f" collection="[1]" max-concurrency="1"',
            f' concurrency="2">{STEP}</foreach>',
        ),
        [("setting-twice", 3, 2)],
    ),
    (
        "an attribute and a child",
        w('<source:file id="a" path="p">', " <path>q</path></source:file>"),
        [("setting-twice", 3, 2)],
    ),
    (
        "a child and a key of request",
        w(
            '<source:http id="a"><url>http://localhost</url><request>',
            "url: x",
            "</request></source:http>",
        ),
        [("setting-twice", 3, 1)],
    ),
    ("YAML that is none", request("  url: [a"), [("missing-setting", 2, 1), ("yaml", 3, 9)]),
    ("YAML that is not a mapping", request("  - url"), [("missing-setting", 2, 1), ("yaml", 3, 3)]),
    (
        "a key twice in YAML",
        request("url: http://localhost", "url: b"),
        [("missing-setting", 2, 1), ("yaml", 4, 1)],
    ),
    (
        "an anchor and an alias",
        request("url: http://localhost", "headers: &amp;a {}", "params: *a"),
        [("missing-setting", 2, 1), ("yaml", 4, 10)],
    ),
    (
        "a tag",
        request("url: !!python/object:os.system x"),
        [("missing-setting", 2, 1), ("yaml", 3, 6)],
    ),
    ("a computed key", request("url: http://localhost", "{{x}}: 1"), [("yaml", 4, 1)]),
    (
        "elements in a request",
        w('<source:http id="a" url="http://localhost"><request>', "<b/></request></source:http>"),
        [("nested-setting", 3, 1)],
    ),
    (
        "a mistake behind a repair",
        w('<transform:template id="t" template="a && b {{uper(1)}}"/>'),
        [("raw-ampersand", 2, 40), ("raw-ampersand", 2, 41), ("unknown-function", 2, 47)],
    ),
    (
        "a mistake behind an entity",
        w("<transform:template id='t'><template>&lt;b&gt;{{nope}}</template></transform:template>"),
        [("unknown-name", 2, 49)],
    ),
    (
        "a mistake in CDATA",
        w(
            "<transform:template id='t'><template>",
            "  <![CDATA[<b>{{nope}}]]></template></transform:template>",
        ),
        [("unknown-name", 3, 17)],
    ),
    (
        "a mistake in a dedented line",
        w(
            "<transform:template id='t'><template>",
            "    a",
            "      b {{nope}}",
            "</template></transform:template>",
        ),
        [("unknown-name", 4, 11)],
    ),
]

DECLARATIONS: list[Case] = [
    ("a param without a name", w("<param/>", STEP), [("missing-name", 2, 1)]),
    ("an unknown type", w('<param name="a" type="int"/>', STEP), [("unknown-type", 2, 23)]),
    (
        "an enum without words",
        w('<param name="a" type="enum[]"/>', STEP),
        [("unknown-type", 2, 23)],
    ),
    (
        "a default of another type",
        w('<param name="a" type="number" default="x"/>', STEP),
        [("invalid-default", 2, 40)],
    ),
    (
        "a default that is no word of the enum",
        w('<param name="a" type="enum[b, c]" default="a"/>', STEP),
        [("invalid-default", 2, 44)],
    ),
    (
        "a default that is NaN",
        w('<param name="a" type="number" default="NaN"/>', STEP),
        [("invalid-default", 2, 40)],
    ),
    (
        "a default that nests too deep",
        w(f'<param name="a" type="array" default="{"[" * 99999}"/>', STEP),
        [("invalid-default", 2, 39)],
    ),
    (
        "required that is neither",
        w('<param name="a" required="yes"/>', STEP),
        [("invalid-required", 2, 27)],
    ),
    (
        "an unknown attribute of a param",
        w('<param name="a" typ="x"/>', STEP),
        [("unknown-attribute", 2, 17)],
    ),
    (
        "elements in a param",
        w('<param name="a">', "<b/></param>", STEP),
        [("nested-setting", 3, 1)],
    ),
    ("a param behind a node", w(STEP, '<param name="a"/>'), [("misplaced-element", 3, 1)]),
    (
        "a param twice",
        w('<param name="a"/>', '<param name="a"/>', STEP),
        [("declared-twice", 3, 1)],
    ),
    (
        "a secret twice",
        w('<secret name="A"/>', '<secret name="A"/>', STEP),
        [("declared-twice", 3, 1)],
    ),
    ("a secret without a name", w("<secret/>", STEP), [("missing-name", 2, 1)]),
    (
        "a secret with a value",
        w('<secret name="A" value="1"/>', STEP),
        [("unknown-attribute", 2, 18)],
    ),
]


def front(*lines: str) -> str:
    return "\n".join(["---", *lines, "---", f"<workflow>{STEP}</workflow>"])


FRONT_MATTER: list[Case] = [
    ("no end of the front matter", "---\nname: w\n<workflow/>", [("front-matter", 1, 1)]),
    ("no name in it", front("version: 1.0"), [("missing-name", 2, 1)]),
    ("an unknown key", front("name: w", "  ", "nme: x"), [("unknown-key", 4, 1)]),
    ("a version that is none", front("name: w", "version: one"), [("version", 3, 10)]),
    ("YAML that is none in it", front("name: w", "config: {a"), [("yaml", 4, 1)]),
    ("a list for a name", front("name: [w]"), [("front-matter", 2, 7)]),
    ("a key twice in it", front("name: w", "name: x"), [("yaml", 3, 1)]),
    ("an alias", front("name: w", "trigger: &a [*a]"), [("yaml", 3, 10)]),
    ("no mapping", front("- name"), [("front-matter", 2, 1)]),
    ("a config that is a list", front("name: w", "config: [a]"), [("front-matter", 3, 9)]),
    (
        "a type that is none",
        front("name: w", "config:", "  a: {type: int}"),
        [("unknown-type", 4, 13)],
    ),
    (
        "an unknown key of config",
        front("name: w", "config:", "  a:", "    typ: string"),
        [("unknown-key", 5, 5)],
    ),
    (
        "a default that does not fit",
        front("name: w", "config:", "  a: {type: number, default: x}"),
        [("invalid-default", 4, 30)],
    ),
    (
        "a default that is no choice",
        front("name: w", "config:", "  a:", "    type: enum[b, c]", "    default: d"),
        [("invalid-default", 6, 14)],
    ),
    (
        "required that is yes",
        front("name: w", "config:", "  a: {required: yes}"),
        [("invalid-required", 4, 17)],
    ),
    ("secrets that are no list", front("name: w", "secrets: A"), [("front-matter", 3, 10)]),
    ("a secret that is no name", front("name: w", "secrets: [A, [B]]"), [("front-matter", 3, 14)]),
    (
        "an unknown key of runtime",
        front("name: w", "runtime: {retries: 1}"),
        [("unknown-key", 3, 11)],
    ),
    (
        "a runtime that is a list",
        front("name: w", "runtime: {timeout: [1]}"),
        [("front-matter", 3, 20)],
    ),
    (
        "a param that is in config",
        front("name: w", "config: {a: 1}").replace("<workflow>", '<workflow>\n<param name="a"/>'),
        [("declared-twice", 6, 1)],
    ),
    (
        "a mistake in the workflow behind it",
        front("name: w").replace(STEP, "\n <dlay/>"),
        [("unknown-element", 5, 2)],
    ),
    (
        "XML that is broken behind it",
        front("name: w").replace("</workflow>", "<!-- "),
        [("not-well-formed", 4, 35)],
    ),
]

SEVERAL: list[Case] = [
    (
        "problems of the parser and of the validator",
        w(
            '<param name="p" type="nmber"/>',
            '<source:http id="a" ulr="u"/>',
            '<dealy id="b"/>',
            '<if id="c" condition="x >"><then/><else/><else/></if>',
            '<foreach id="a" collection="[1]" maxConcurrency="0"><then/></foreach>',
            "words",
            '<transform:template id="t" template="a & b {{nmae}}"/>',
        ),
        [
            ("unknown-type", 2, 23),
            ("missing-setting", 3, 1),
            ("unknown-setting", 3, 21),
            ("unknown-element", 4, 1),
            ("syntax", 5, 25),
            ("element-twice", 5, 42),
            ("empty-branch", 6, 1),
            ("duplicate-id", 6, 14),
            ("invalid-setting", 6, 50),
            ("misplaced-element", 6, 53),
            ("stray-text", 7, 1),
            ("raw-ampersand", 8, 40),
            ("unknown-name", 8, 46),
        ],
    ),
]

MALFORMED = [
    *NOT_WELL_FORMED, *PREFIXES, *STRUCTURE, *IDS, *SETTINGS, *DECLARATIONS, *FRONT_MATTER, *SEVERAL,
]  # fmt: skip
