"""Owns what people write who know another language: names that mean the same, and elements written otherwise."""

from __future__ import annotations

from collections.abc import Collection

from ..types.errors import nearest

_SAME = (
    "url uri endpoint href link address connection dsn",
    "path file filename src dest destination target location url uri",
    "workflow src file path href document",
    "condition test when predicate if check expression",
    "when value condition test if matches equals",
    "after depends_on depends dependencies needs requires wait_for",
    "max times count iterations max_iterations attempts max_attempts retries",
    "max_concurrency max parallel parallelism workers max_workers concurrent threads",
    "duration time seconds ms milliseconds delay for after timeout",
    "collection in items list each over array of input",
    "item as var each",
    "var name key variable",
    "key name var",
    "field name key var",
    "name key var",
    "value val to expression",
    "template text content value body",
    "expression expr fn function mapper",
    "initial init initial_value accumulator start seed",
    "prompt message question text title description",
    "message reason text error",
    "body data json payload content",
    "query sql statement",
    "params parameters args arguments query query_params",
    "node ref id to target",
    "method verb",
    "operation mode action",
    "output_schema schema response_format",
    "break until exit_when",
    "base delay wait interval backoff_base",
    "cap max_delay max_wait",
    "merge strategy",
    "input from inputs data content body collection",
    "if condition when run_if only_if",
    "id name",
    "label text title",
    "conflict_columns conflict on_conflict keys",
    "string str text",
    "number int integer float double decimal",
    "boolean bool",
    "array list tuple",
    "object dict map mapping json record",
)
_GROUPS: dict[str, tuple[tuple[str, ...], ...]] = {}
for _line in _SAME:
    _words = tuple(_line.split())
    for _word in _words:
        _GROUPS[_word] = (*_GROUPS.get(_word, ()), _words)


def nearest_name(word: str, known: Collection[str]) -> str | None:
    """The known name that was meant: one with the same letters, one that means the same, else the most like it.

    All names are in snake case.
    """
    return word if word in known else _meaning(word, known) or nearest(word, known)


def _meaning(word: str, known: Collection[str]) -> str | None:
    for group in _GROUPS.get(word, ()):
        for other in group:
            if other != word and other in known:
                return other
    return None


_LEAF = '<source type="…">, <transform type="…"> or <sink type="…">'
_CASES = '<branch id="…"><case when="…">…</case><default>…</default></branch>'
_ELEMENTS = {
    **dict.fromkeys(("switch", "match", "choose", "select"), _CASES),
    **dict.fromkeys(
        ("for", "for-each", "each", "map-each"), '<foreach id="…" collection="…">…</foreach>'
    ),
    **dict.fromkeys(("repeat", "until", "do-while"), '<loop id="…" max="10" break="…">…</loop>'),
    **dict.fromkeys(("sleep", "wait", "pause"), '<delay duration="1s"/>'),
    **dict.fromkeys(("variable", "var", "let", "assign"), '<set var="…" value="…"/>'),
    **dict.fromkeys(("throw", "raise", "error", "abort"), '<fail message="…"/>'),
    **dict.fromkeys(("exit", "stop", "end", "finish"), '<return value="…"/>'),
    **dict.fromkeys(
        ("try", "catch", "retry", "fallback", "dlq"),
        '<on-error><retry max="3"/><fallback node="…"/></on-error> in the node that may fail',
    ),
    **dict.fromkeys(("import", "subworkflow", "template-ref"), '<include id="…" workflow="…"/>'),
    **dict.fromkeys(("invoke", "execute", "subflow"), '<call id="…" workflow="…"/>'),
    **dict.fromkeys(("step", "task", "node", "activity", "job"), _LEAF),
    **dict.fromkeys(("group", "stage", "section"), '<phase name="…">…</phase>'),
    **dict.fromkeys(
        ("script", "code", "python", "shell", "run", "exec", "command"),
        'a runtime of the application\'s own: <transform type="…"/>',
    ),
    **dict.fromkeys(
        ("approval", "approve", "confirm", "ask"),
        '<checkpoint id="…" prompt="…"><action id="…"/></checkpoint>',
    ),
    "goto": "goto on an <action> of a <checkpoint>, <if>, or <loop>",
    "continue": "<if> around the rest of the iteration",
    "throttle": 'throttle="100ms" on a <foreach>, or <limit name="…" rate="10/s"/> at the head of the document',
    "debounce": 'debounce="100ms" on a <foreach>',
    "batch": 'batch="10" on a <foreach>',
    "circuit-breaker": '<limit name="…" breaker="5 in 1m, 30s"/> at the head of the document',
    **dict.fromkeys(
        ("alert", "notify", "notification"),
        "<on-workflow-error> with a sink in it, or an observer of the run",
    ),
    **dict.fromkeys(
        ("snapshot", "persist", "save"),
        "a store that the application gives the run: it keeps every node's output",
    ),
    "schedule": "trigger in the front matter; the application starts the runs",
    "race": '<parallel id="…" wait="any">',
    "all": '<parallel id="…">',
    "http": "<source:http> or <sink:http>",
    "file": "<source:file> or <sink:file>",
    "database": "<source:database> or <sink:database>",
    "request": "<request> in a <source> or <sink>",
    "template": "<transform:template>",
    "map": "<transform:map>",
    "filter": "<transform:filter>",
    "reduce": "<transform:reduce>",
    "merge": 'merge="object" on a <parallel>, or merge() in an expression',
    "log": 'an observer of the run, or <sink:file append="true"/>',
    "print": "<output>, or an observer of the run",
    "note": "a comment: <!-- … -->",
    "agent": "<ai>",
    "llm": "<ai>",
}
"""How something is written here that other languages have an element for."""

_ARGUMENT = '<arg name="…" value="…"/> in the <call>'
_BIND = '<bind key="…" value="…"/> in the <include>'
_FIELD = '<set field="…" value="…"/> in the <output>'

_RENAMED = {
    ("if", "otherwise"): "else",
    ("if", "default"): "else",
    ("branch", "otherwise"): "default",
    ("branch", "else"): "default",
    ("branch", "when"): "case",
    ("branch", "if"): "case",
    ("on-error", "catch"): "fallback",
}
"""What elements in an element are called here, by its kind and their names elsewhere."""

_INSIDE = {
    **dict.fromkeys((("if", "elseif"), ("if", "elif"), ("if", "else-if")), _CASES),
    **dict.fromkeys(
        (("foreach", "do"), ("foreach", "body")), "the nodes themselves, directly in the <foreach>"
    ),
    ("fallback", ""): 'node="…", the id of a node beside this one',
    ("checkpoint", "actions"): (
        '<action id="…" label="…"/> directly in the <checkpoint>, one for each answer'
    ),
    **dict.fromkeys(
        (
            ("on-error", word)
            for word in (
                "source",
                "transform",
                "sink",
                "ai",
                "set",
                "fail",
                "return",
                "call",
                "include",
            )
        ),
        '<fallback node="…"/>, and the node itself beside this one',
    ),
    ("checkpoint", "goto"): 'goto="…" on an <action>',
    **dict.fromkeys(
        (("call", "param"), ("call", "bind"), ("call", "input"), ("call", "with")), _ARGUMENT
    ),
    **dict.fromkeys((("include", "param"), ("include", "arg"), ("include", "with")), _BIND),
    **dict.fromkeys((("output", "field"), ("output", "value"), ("output", "result")), _FIELD),
}
"""How an element in an element is written here; it is not a setting of it."""

_SETTINGS = {
    ("parallel", "wait"): 'wait="all", wait="any" or wait="n(2)" on the <parallel>',
    ("parallel", "merge"): 'merge="array", merge="concat" or merge="object" on the <parallel>',
    ("foreach", "parallel"): 'maxConcurrency="…" on the <foreach>',
}
"""How a setting is written here that is an element with attributes elsewhere."""


_FUNCTIONS = {
    **dict.fromkeys(("parseInt", "parseFloat", "Number", "int", "float", "number"), "to_number(x)"),
    **dict.fromkeys(("str", "toString", "string"), "to_string(x)"),
    **dict.fromkeys(("bool", "Boolean"), "to_boolean(x)"),
    **dict.fromkeys(("list", "array", "Array"), "to_array(x)"),
    **dict.fromkeys(("encodeURIComponent", "encodeURI", "urlencode", "quote"), "url_encode(x)"),
    **dict.fromkeys(("decodeURIComponent", "decodeURI", "urldecode", "unquote"), "url_decode(x)"),
    **dict.fromkeys(("btoa", "b64encode", "base64"), "base64_encode(x)"),
    **dict.fromkeys(("atob", "b64decode"), "base64_decode(x)"),
    **{name: f"hash(x, '{name}')" for name in ("md5", "sha1", "sha256", "sha512")},
    **dict.fromkeys(
        ("tojson", "to_json", "toJson", "toJSON", "stringify", "dumps"), "json_encode(x)"
    ),
    **dict.fromkeys(
        ("fromjson", "from_json", "fromJson", "fromJSON", "parse_json", "loads"), "json_decode(x)"
    ),
    **dict.fromkeys(("strftime", "dateFormat", "date_format"), "format_date(x, 'yyyy-MM-dd')"),
    **dict.fromkeys(("strptime", "to_date", "toDate"), "parse_date(x, 'yyyy-MM-dd')"),
    **dict.fromkeys(("today", "current_date"), "date()"),
    **dict.fromkeys(
        ("add_days", "addDays", "date_add", "dateAdd", "add_hours", "add_minutes", "plus_days"),
        "add_time(t, 1, 'day')",
    ),
    **dict.fromkeys(
        ("date_diff", "dateDiff", "datediff", "days_between", "daysBetween"), "diff(a, b, 'day')"
    ),
    **dict.fromkeys(("titlecase", "title", "capitalize"), "upper(x) or lower(x)"),
    **dict.fromkeys(("any",), "some(xs, x => …)"),
    **dict.fromkeys(("all",), "every(xs, x => …)"),
    **dict.fromkeys(("forEach", "foreach", "each"), "map(xs, x => …)"),
    **dict.fromkeys(("fold", "accumulate"), "reduce(xs, (acc, x) => …, 0)"),
    **dict.fromkeys(("sort_by", "sortBy", "order_by", "orderBy"), "sort(xs, 'key')"),
    **dict.fromkeys(("push", "append"), "a list with one more item: [...xs, x]"),
    **dict.fromkeys(("uniq", "distinct"), "unique(xs)"),
    **dict.fromkeys(("strlen", "sizeof"), "length(x)"),
    **dict.fromkeys(("substr", "mid"), "substring(x, start, end)"),
    **dict.fromkeys(("nvl", "ifnull", "isnull", "isset", "defined"), "x ?? other, or is_null(x)"),
    **dict.fromkeys(("iif", "iff", "ifelse"), "when ? then : otherwise"),
    **dict.fromkeys(("format", "sprintf", "printf"), "a template, or concat(a, b)"),
}
"""How a call is written here of a function that other languages have."""

_ATTRIBUTES = {
    **dict.fromkeys((("output", "name"), ("output", "value"), ("output", "field")), _FIELD),
    ("call", "input"): _ARGUMENT,
    ("context", ""): '<set key="…" value="…"/> in the <context>',
    ("checkpoint", "actions"): '<action id="…" label="…"/> in the <checkpoint>',
    ("while", "until"): 'condition="not (…)"',
    **dict.fromkeys(
        (("branch", "on"), ("branch", "value"), ("branch", "expression")), 'when="…" on each <case>'
    ),
    **dict.fromkeys(
        (("loop", "as"), ("loop", "var"), ("loop", "index"), ("while", "as"), ("while", "index")),
        "$iteration in expressions: the number of the round",
    ),
    **dict.fromkeys((("branch", "id"), ("branch", "name")), "the id on a node in it"),
}
"""How an attribute of one kind of element is written here."""

_OF_NODES = {
    **dict.fromkeys(
        ("retry", "retries", "max_retries", "max_attempts", "attempts", "retry_count"),
        '<on-error><retry max="3"/></on-error> in it',
    ),
    **dict.fromkeys(
        ("on_error", "onerror", "catch", "on_failure", "fallback", "continue_on_error"),
        '<on-error><fallback node="…"/></on-error> in it',
    ),
    **dict.fromkeys(("next", "on_success", "then"), 'after="…" on the node that comes next'),
    **dict.fromkeys(
        ("output", "result", "store", "save_as", "assign", "register", "output_var"),
        "its id: what it gives has that name in expressions",
    ),
    **dict.fromkeys(("loop", "with_items", "for_each", "foreach"), "a <foreach> around it"),
}
"""How a setting that no node has is written here."""

_TEXTS = {
    "transform:template": "<template>…</template> around it",
    "transform:map": "<expression>…</expression> around it",
    "transform:reduce": "<expression>…</expression> around it",
    "transform:filter": "<condition>…</condition> around it",
    "transform:ai": "<user>…</user> around it",
    "ai": "<user>…</user> around it",
    **dict.fromkeys(("set", "return", "bind"), 'value="…"'),
    "fail": 'message="…"',
    "delay": 'duration="…"',
    "checkpoint": 'prompt="…"',
    "action": 'label="…"',
    "output": _FIELD,
    "fallback": 'node="…"',
    "retry": 'max="…"',
    "case": 'when="…"',
    "arg": 'value="…"',
    "timeout": 'duration="…"',
    "break": 'when="…"',
    **dict.fromkeys(("include", "call"), 'workflow="…"'),
}
"""How what is as text in an element is written here, by its kind and, of a leaf, its type."""

_NODES = "the id of the node by itself: fetch.items, not steps.fetch.items"
_SPECIAL = {
    **dict.fromkeys(("vars", "var", "variables", "state", "store", "ctx", "globals"), "$context"),
    **dict.fromkeys(("param", "params", "parameter", "parameters"), "$config"),
    **dict.fromkeys(("args", "arguments", "payload", "json", "inputs"), "$input"),
    **dict.fromkeys(("workflow", "execution", "meta"), "$run"),
    **dict.fromkeys(("this", "it", "each", "current", "value"), "$item"),
    **dict.fromkeys(("i", "idx", "key", "position"), "$index"),
    **dict.fromkeys(("loop", "round"), "$iteration"),
    **dict.fromkeys(("err", "exception", "failure"), "$error"),
    **dict.fromkeys(("accumulator", "total", "memo"), "$acc"),
    **dict.fromkeys(("attempts", "retry", "try"), "$attempt"),
    **dict.fromkeys(("settings", "options", "cfg"), "$config"),
}
"""Names that are known everywhere, by what they are called elsewhere."""
_CONSTANTS = {
    **dict.fromkeys(("None", "nil", "NULL", "Null", "NaN"), "null"),
    **dict.fromkeys(("True", "TRUE"), "true"),
    **dict.fromkeys(("False", "FALSE"), "false"),
}
_HOLDERS = frozenset(
    {
        "steps",
        "nodes",
        "tasks",
        "jobs",
        "outputs",
        "results",
        "node",
        "output",
        "result",
        "prev",
        "previous",
    }
)
"""Names of what holds the outputs of nodes elsewhere."""
_ENVIRONMENTS = frozenset({"process", "os", "environ", "ENV"})


def special_instead(name: str) -> str | None:
    """The name that is known everywhere, or the constant, that is called ``name`` elsewhere."""
    return _SPECIAL.get(name[1:]) if name.startswith("$") else _CONSTANTS.get(name)


def output_instead(name: str) -> str | None:
    """What to write in place of a name that holds the outputs of nodes elsewhere, or the environment."""
    if name in _ENVIRONMENTS:
        return "$env.NAME, a variable that the application gives"
    return _NODES if name.removeprefix("$") in _HOLDERS else None


def function_instead(name: str) -> str | None:
    """How a call of a function of other languages is written here."""
    return _FUNCTIONS.get(name)


def setting_instead(name: str, where: str, known: Collection[str] | None) -> str | None:
    """How a setting in snake case is written here that the element ``where`` does not have.

    ``known`` are the settings of a node, one of which may mean the same; None where it is not a node.
    """
    here = _ATTRIBUTES.get((where, name))
    if known is not None and _meaning(name, known) is None:
        return here or _OF_NODES.get(name) or _ATTRIBUTES.get((where, ""))
    return here


def text_instead(kind: str) -> str | None:
    """How what is as text in an element of a kind (``set``, ``transform:map``) is written here."""
    return _TEXTS.get(kind)


def is_foreign(where: str, word: str) -> bool:
    """Whether an element that is in one of the kind ``where`` is one of other languages, and no setting."""
    return (where, word) in _INSIDE or (where, word) in _RENAMED


def element_instead(word: str, where: str = "") -> str | None:
    """How an element of other languages is written here; ``where`` is the kind of the element around it."""
    place = (where, word)
    return (
        _INSIDE.get(place)
        or _SETTINGS.get(place)
        or _INSIDE.get((where, ""))
        or _ELEMENTS.get(word)
    )


def renamed(word: str, where: str) -> str | None:
    """What an element of other languages is called in one of the kind ``where``."""
    return _RENAMED.get((where, word))
