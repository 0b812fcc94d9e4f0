"""Owns the cases of the settings of sources, transforms and sinks."""

from __future__ import annotations

import flowscript_trio as fs

from .world import covers

# ---- HTTP ----
for owner, tag in (("source:http", "source:http"), ("sink:http", "sink:http")):
    GET = f'<{tag} id="x" url="SERVER/list" {{}}/>'
    is_sink = tag == "sink:http"
    covers(
        owner, "url", f'<{tag} id="x" ⟦url="SERVER/list"⟧/>', lambda s: s.request.path == "/list"
    )
    covers(owner, "method", GET.format('⟦method="PATCH"⟧'), lambda s: s.request.method == "PATCH")
    covers(
        owner,
        "headers",
        GET.format('⟦headers="{X-A: {{1 + 1}}}"⟧'),
        lambda s: s.request.headers.get("x-a") == "2",
    )
    covers(
        owner,
        "params",
        GET.format('⟦params="{a: [1, 2], b: c d}"⟧'),
        lambda s: (
            s.request.target == "/list?a=1&a=2&b=c+d" or s.request.target == "/list?a=1&a=2&b=c%20d"
        ),
    )
    covers(
        owner,
        "auth",
        GET.format('⟦auth="{type: bearer, token: t}"⟧'),
        lambda s: s.request.headers.get("authorization") == "Bearer t",
    )
    covers(
        owner,
        "body",
        GET.format('⟦body="{{ {a: [1]} }}"⟧ method="POST"'),
        lambda s: s.sent == {"a": [1]},
    )
    got = (lambda s: s.output["body"]) if is_sink else (lambda s: s.output)
    covers(owner, "extract", GET.format('⟦extract="items[1]"⟧'), lambda s, got=got: got(s) == 2)  # type: ignore[misc]
    covers(
        owner,
        "format",
        f'<{tag} id="x" url="SERVER/text" ⟦format="json"⟧/>',
        lambda s, got=got: got(s) == {"looks": "like JSON"},  # type: ignore[misc]
    )
    covers(
        owner,
        "redirects",
        f'<{tag} id="x" url="SERVER/moved" ⟦redirects="none"⟧/>',
        lambda s: s.request.path == "/moved",
    )
    covers(
        owner,
        "idempotent",
        GET.format('⟦idempotent="false"⟧ method="POST"'),
        lambda s: "idempotency-key" not in s.request.headers,
        options={"store": fs.Store.memory()},
    )
    covers(
        owner,
        "form",
        GET.format('⟦form="{a: 1}"⟧ method="POST"'),
        lambda s: s.request.body == b"a=1",
    )
    covers(
        owner,
        "multipart",
        GET.format('⟦multipart="{a: 1}"⟧ method="POST"'),
        lambda s: s.request.headers.get("content-type", "").startswith("multipart/form-data"),
    )
    covers(
        owner,
        "upload",
        GET.format('⟦upload="rows.csv"⟧ method="POST"'),
        lambda s: s.request.body == b"a,b\n1,2\n",
    )
    covers(
        owner,
        "encoding",
        f'<{tag} id="x" url="SERVER/wide" ⟦encoding="utf-16-le"⟧/>',
        lambda s, got=got: got(s) == "é",  # type: ignore[misc]
    )
covers(
    "source:http",
    "response",
    '<source:http id="x" url="SERVER/list" ⟦response="full"⟧/>',
    lambda s: s.output["status"] == 200,
)
covers(
    "source:http",
    "stream",
    '<source:http id="x" url="SERVER/list" extract="items" ⟦stream="true"⟧/>'
    '<foreach id="e" collection="x"><transform:template id="t" template="{{item}}"/></foreach>',
    lambda s: s.output == [1, 2] and "<stream of 'x'>" in repr(s.results["x"].output),
)
for setting, text, asked in (
    ("next", '⟦next="offset"⟧', "/list?offset=2"),
    ("next_param", 'next="offset" ⟦next-param="skip"⟧', "/list?skip=2"),
    ("cursor", 'next="cursor" ⟦cursor="items[0]"⟧', "/list?cursor=1"),
):
    covers(
        "source:http",
        setting,
        f'<source:http id="x" url="SERVER/list" extract="items" {text}/>',
        lambda s, asked=asked: s.request.target == asked,  # type: ignore[misc]
    )
covers(
    "source:http",
    "download",
    '<source:http id="x" url="SERVER/list" ⟦download="got.json"⟧/>',
    lambda s: "got.json" in s.files,
)
covers(
    "source:http",
    "sha256",
    f'<source:http id="x" url="SERVER/list" download="got.json" ⟦sha256="{"0" * 64}"⟧/>',
    lambda s: s.error.startswith("HashMismatch"),
)

# ---- files ----
covers(
    "source:file",
    "path",
    '<source:file id="x" ⟦path="rows.csv"⟧/>',
    lambda s: s.output == [{"a": "1", "b": "2"}],
)
covers(
    "source:file",
    "format",
    '<source:file id="x" path="rows.csv" ⟦format="lines"⟧/>',
    lambda s: s.output == ["a,b", "1,2"],
)
for setting, text, output in (
    ("delimiter", '⟦delimiter=";"⟧', [{"a,b": "1,2"}]),
    ("header", '⟦header="none"⟧', [["a", "b"], ["1", "2"]]),
    ("skip", '⟦skip="1"⟧', []),
    ("types", '⟦types="a: number"⟧', [{"a": 1, "b": "2"}]),
    ("ragged", 'header="a" ⟦ragged="skip"⟧', []),
    ("duplicates", 'header="first" ⟦duplicates="number"⟧', [{"a": "1", "a_2": "2"}]),
    ("quote", '⟦quote="none"⟧', [{'"a"': "1"}]),
):
    name = {"duplicates": "twice.csv", "quote": "quoted.csv"}.get(setting, "rows.csv")
    for element in (f'file id="x" path="{name}"', f'http id="x" url="SERVER/{name}" format="csv"'):
        covers(
            f"source:{element.partition(' ')[0]}",
            setting,
            f"<source:{element} {text}/>",
            lambda s, output=output: s.output == output,  # type: ignore[misc]
        )
covers(
    "source:file",
    "encoding",
    '<source:file id="x" path="wide.csv" ⟦encoding="utf-16-le"⟧/>',
    lambda s: s.output == [{"a": "1"}],
)
covers(
    "source:file",
    "stream",
    '<source:file id="x" path="rows.csv" ⟦stream="true"⟧/>'
    '<foreach id="e" collection="x"><transform:template id="t" template="{{item.b}}"/></foreach>',
    lambda s: s.output == ["2"] and "<stream of 'x'>" in repr(s.results["x"].output),
)
ROWS_OF = '<transform:template id="d" template="{{ [{a: \'x;é\', b: 2}] }}"/>'
for setting, text, content in (
    ("delimiter", '⟦delimiter=";"⟧', 'a;b\n"x;é";2\n'),
    ("header", '⟦header="b,a"⟧', "b,a\n2,x;é\n"),
    ("quote", "delimiter=';' ⟦quote=\"'\"⟧", "a;b\n'x;é';2\n"),
    ("encoding", '⟦encoding="utf-8-sig"⟧', "\ufeffa,b\nx;é,2\n"),
):
    covers(
        "sink:file",
        setting,
        f'<sink:file id="x" path="out.csv" {text} input="d"/>{ROWS_OF}',
        lambda s, content=content: s.files["out.csv"] == content,  # type: ignore[misc]
    )
covers(
    "source:file",
    "sheet",
    '<sink:file id="k" path="b.xlsx" sheet="One" input="d"/><source:file id="x" path="b.xlsx" after="k" '
    '⟦sheet="Two"⟧><on-error><fallback node="f"/></on-error></source:file>'
    f'<transform:template id="f" template="none"/>{ROWS_OF}',
    lambda s: s.results["x"].output == "none",
)
covers(
    "sink:file",
    "sheet",
    '<sink:file id="k" path="b.xlsx" ⟦sheet="Two"⟧ input="d"/><source:file id="x" path="b.xlsx" after="k" '
    f'sheet="Two"/>{ROWS_OF}',
    lambda s: s.output == [{"a": "x;é", "b": 2}],
)
FILE = '<set var="v" value="1"/><sink:file id="x" path="{}" {} input="d"/><transform:template id="d" template="{{{{ {{a: [1]}} }}}}"/>'
covers(
    "sink:file",
    "path",
    '<sink:file id="x" ⟦path="out.txt"⟧ input="d"/><transform:template id="d" template="text"/>',
    lambda s: "out.txt" in s.files,
)
covers(
    "sink:file",
    "format",
    FILE.format("out.txt", '⟦format="yaml"⟧'),
    lambda s: s.files["out.txt"] == "a:\n- 1\n",
)
covers(
    "sink:file",
    "pretty",
    FILE.format("out.json", '⟦pretty="false"⟧'),
    lambda s: s.files["out.json"].strip() in ('{"a":[1]}', '{"a": [1]}'),
)
covers(
    "sink:file",
    "create_dir",
    FILE.format("new/out.json", '⟦create-dir="false"⟧'),
    lambda s: "FileNotFoundError" in s.error,
)
covers(
    "sink:file",
    "append",
    FILE.format("rows.csv", '⟦append="true"⟧ format="text"'),
    lambda s: s.files["rows.csv"].startswith("a,b\n1,2\n{"),
)

# ---- databases ----
URL = 'connection="sqlite:///db.sqlite"'
covers(
    "source:database",
    "connection",
    '<source:database id="x" ⟦connection="sqlite:///db.sqlite"⟧ query="select name from items"/>',
    lambda s: s.output == [{"name": "one"}, {"name": "two"}],
)
covers(
    "source:database",
    "query",
    f'<source:database id="x" {URL} ⟦query="select 1 as a"⟧/>',
    lambda s: s.output == [{"a": 1}],
)
covers(
    "source:database",
    "params",
    f'<source:database id="x" {URL} query="select name from items where id = :id" ⟦params="{{id: 2}}"⟧/>',
    lambda s: s.output == [{"name": "two"}],
)
covers(
    "source:database",
    "stream",
    f'<source:database id="x" {URL} query="select 1 as a" ⟦stream="true"⟧/>'
    '<foreach id="e" collection="x"><transform:template id="t" template="{{item.a}}"/></foreach>',
    lambda s: s.output == [1] and "<stream of 'x'>" in repr(s.results["x"].output),
)
ROWS = "<transform:template id=\"d\" template=\"{{ [{id: 2, name: 'new'}, {id: 3, name: 'three'}] }}\"/>"
SINK = f'<sink:database id="x" {URL} input="d" {{}}/>{ROWS.replace("{", "{{").replace("}", "}}")}'
UPSERT = 'table="items" operation="upsert"'
covers(
    "sink:database",
    "connection",
    f'<sink:database id="x" ⟦{URL}⟧ input="d" {UPSERT} conflict-columns="id"/>{ROWS}',
    lambda s: len(s.rows) == 3,
)
covers(
    "sink:database",
    "table",
    SINK.format('⟦table="items"⟧ operation="upsert" conflict-columns="id"'),
    lambda s: len(s.rows) == 3,
)
covers(
    "sink:database",
    "operation",
    SINK.format('table="items" ⟦operation="upsert"⟧ conflict-columns="id"'),
    lambda s: s.rows[1] == (2, "new", 20),
)
covers(
    "sink:database",
    "conflict_columns",
    SINK.format(f'{UPSERT} ⟦conflict-columns="id"⟧'),
    lambda s: len(s.rows) == 3,
)
covers(
    "sink:database",
    "where",
    SINK.format('table="items" operation="update" ⟦where="id"⟧'),
    lambda s: s.rows[1] == (2, "new", 20) and len(s.rows) == 2,
)
covers(
    "sink:database",
    "batch",
    SINK.format(f'{UPSERT} conflict-columns="id" ⟦batch="1"⟧'),
    lambda s: s.results["x"].output == {"rows": 2, "batches": 2},
)

# ---- transforms ----
covers(
    "transform:template",
    "template",
    '<transform:template id="t" ⟦template="a {{1 + 1}}"⟧/>',
    lambda s: s.output == "a 2",
)
covers(
    "transform:template",
    "format",
    '<transform:template id="t" template="[1]" ⟦format="text"⟧/>',
    lambda s: s.output == "[1]",
)
GIVEN = {"options": {"input": [1, 2, 3]}}
covers(
    "transform:map",
    "expression",
    '<transform:map id="t" ⟦expression="item * 2"⟧/>',
    lambda s: s.output == [2, 4, 6],
    **GIVEN,
)
covers(
    "transform:filter",
    "condition",
    '<transform:filter id="t" ⟦condition="item > 1"⟧/>',
    lambda s: s.output == [2, 3],
    **GIVEN,
)
covers(
    "transform:reduce",
    "reducer",
    '<transform:reduce id="t" initial="0" ⟦reducer="acc + item"⟧/>',
    lambda s: s.output == 6,
    **GIVEN,
)
covers(
    "transform:reduce",
    "initial",
    '<transform:reduce id="t" ⟦initial="10"⟧ expression="acc + item"/>',
    lambda s: s.output == 16,
    **GIVEN,
)
covers(
    "transform:reduce",
    "finalize",
    '<transform:reduce id="t" expression="acc + item" ⟦finalize="acc * 100"⟧/>',
    lambda s: s.output == 600,
    **GIVEN,
)

# ---- AI ----
AI = '<ai id="x" {} {} {} {}/>'
BASE, MODEL, USER, KEY = 'base-url="SERVER/v1"', 'model="m"', 'user="u"', 'api-key="k"'
covers(
    "transform:ai",
    "model",
    AI.format(BASE, '⟦model="small"⟧', USER, KEY),
    lambda s: s.sent["model"] == "small",
)
covers(
    "transform:ai",
    "system",
    AI.format(BASE, MODEL, USER, '⟦system="be brief"⟧'),
    lambda s: s.sent["messages"][0] == {"role": "system", "content": "be brief"},
)
covers(
    "transform:ai",
    "prompt",
    AI.format(BASE, MODEL, '⟦user="how?"⟧', ""),
    lambda s: s.sent["messages"][-1]["content"] == "how?",
)
covers(
    "transform:ai",
    "output_schema",
    AI.format(BASE, MODEL, USER, '⟦output-schema="{score: number}"⟧'),
    lambda s: s.output == {"score": 1},
)
covers(
    "transform:ai",
    "temperature",
    AI.format(BASE, MODEL, USER, '⟦temperature="0.5"⟧'),
    lambda s: s.sent["temperature"] == 0.5,
)
covers(
    "transform:ai",
    "max_tokens",
    AI.format(BASE, MODEL, USER, '⟦max-tokens="7"⟧'),
    lambda s: s.sent["max_tokens"] == 7,
)
covers(
    "transform:ai",
    "repairs",
    AI.format(BASE, MODEL, USER, 'output-schema="{score: number}" ⟦repairs="0"⟧'),
    lambda s: s.error and len(s.requests) == 1,
)
covers(
    "transform:ai",
    "base_url",
    AI.format('⟦base-url="SERVER/v1"⟧', MODEL, USER, ""),
    lambda s: s.request.path == "/v1/chat/completions",
)
covers(
    "transform:ai",
    "api_key",
    AI.format(BASE, MODEL, USER, '⟦api-key="k"⟧'),
    lambda s: s.request.headers["authorization"] == "Bearer k",
)
