"""Owns the workloads of expressions: to Python of the same meaning, and to other engines where they are installed.

All work on one thread and wait for nothing: what is measured is the processor time of that thread.
The other engines (the extra ``peers``) get the same rows: Jinja2 in its sandbox, JMESPath, simpleeval an item, and
QuickJS, which gets them as JSON and gives the result back as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import reduce
from importlib.util import find_spec
from time import thread_time
from typing import Any

import flowscript_trio as fs
from flowscript_trio.expression import parse_template

from .measuring import Cost, Workload, timed
from expressing import PlainScope, read, text_of

PEERS = ("jinja2", "jmespath", "quickjs", "simpleeval")
Row = dict[str, Any]
NAMES = ("open", "closed", "new")


def missing() -> list[str]:
    """The peers that are not installed."""
    return [name for name in PEERS if find_spec(name) is None]


def rows_of(count: int) -> list[Row]:
    return [
        {"name": f"item {at}", "price": at % 100 + 0.25, "qty": at % 7, "state": NAMES[at % 3]}
        for at in range(count)
    ]


def spent(work: Callable[[], object]) -> Cost:
    """The seconds of processor time of a function."""

    def cost() -> float:
        began = thread_time()
        work()
        return thread_time() - began

    return cost


def evaluated(text: str, rows: list[Row]) -> Cost:
    """The seconds of one evaluation over the rows."""
    compiled = read(text).compile(lambda _: False)
    scope = PlainScope({"rows": rows}, seconds=60.0)
    return spent(lambda: compiled(scope))


def node(settings: str, rows: list[Row]) -> Cost:
    """The seconds of a run of one transform over the rows."""
    flow = fs.loads(f'<workflow name="benchmark"><transform id="t" {settings}/></workflow>')
    return timed(lambda: fs.run(flow, input=rows), thread_time)


MAP = "item.price * item.qty + 1"
FILTER = "item.qty > 2 && item.state in ['open', 'new']"
REDUCE = "acc + item.price * item.qty"
SPREAD = "{...item, total: item.price * item.qty}"
WORDS = "upper(item.name) + ' ' + round(item.price, 1)"


def map_by_hand(rows: list[Row]) -> list[Any]:
    return [item["price"] * item["qty"] + 1 for item in rows]


def filter_by_hand(rows: list[Row]) -> list[Row]:
    return [item for item in rows if item["qty"] > 2 and item["state"] in ("open", "new")]


def reduce_by_hand(rows: list[Row]) -> Any:
    return reduce(lambda acc, item: acc + item["price"] * item["qty"], rows, 0)


def spread_by_hand(rows: list[Row]) -> list[Row]:
    return [{**item, "total": item["price"] * item["qty"]} for item in rows]


def words_by_hand(rows: list[Row]) -> list[str]:
    return [item["name"].upper() + " " + str(round(item["price"], 1)) for item in rows]


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace(">", "&gt;")


def beside_python(rows: list[Row]) -> Iterator[Workload]:
    """Each as one expression and, where there is one, as a transform."""
    count = len(rows)
    lists: list[tuple[str, str, Callable[[list[Row]], Any], str | None, float, float]] = [
        ("map of arithmetic", f"map(rows, item => {MAP})", map_by_hand,
         f'type="map" expression="{MAP}"', 6.0, 3.0),
        ("filter with && and in", f"filter(rows, item => {FILTER})", filter_by_hand,
         f'type="filter" condition="{escaped(FILTER)}"', 8.0, 4.0),
        ("reduce", f"reduce(rows, (acc, item) => {REDUCE}, 0)", reduce_by_hand,
         f'type="reduce" expression="{REDUCE}" initial="0"', 8.0, 4.0),
        ("a spread with a new member", f"map(rows, item => ({SPREAD}))", spread_by_hand,
         f'type="map" expression="{SPREAD}"', 2.0, 1.3),
        ("functions of text and numbers", f"map(rows, item => {WORDS})", words_by_hand,
         f'type="map" expression="{WORDS}"', 6.0, 3.0),
    ]  # fmt: skip
    for name, text, by_hand, settings, reach, aim in lists:

        def hand(by_hand: Callable[[list[Row]], Any] = by_hand) -> object:
            return by_hand(rows)

        cost = spent(hand)
        yield Workload(
            f"{name}, {count} rows", "item", count, evaluated(text, rows), cost, reach, aim
        )
        if settings is not None:
            title = f"{name}, {count} rows, as a transform"
            yield Workload(title, "item", count, node(settings, rows), cost, reach, aim)


def template(count: int) -> Workload:
    """A template of three interpolations, to an f-string of the same."""
    values = {"a": "one", "b": 2, "c": {"d": "three"}}
    written = parse_template(text_of("{{a}}, {{b}} and {{c.d}}.")).compile(lambda _: False)
    scope = PlainScope(values)

    def engine() -> None:
        for _ in range(count):
            written.text(scope)

    def hand() -> None:
        for _ in range(count):
            f"{values['a']}, {values['b']} and {values['c']['d']}."  # type: ignore[index]

    name = "a template of three interpolations"
    return Workload(name, "rendering", count, spent(engine), spent(hand), 2.5, 1.5)


def template_in_foreach(rows: list[Row]) -> Workload:
    """One template node an item, one after another; to 25 µs an item."""
    flow = fs.loads(
        '<workflow name="benchmark"><foreach id="f" collection="{{$input}}" maxConcurrency="1">'
        '<transform type="template" id="t" template="{{item.name}}: {{item.price}}"/></foreach></workflow>'
    )
    engine = timed(lambda: fs.run(flow, input=rows), thread_time)
    name = f"a template an item in a foreach, {len(rows)} items, to 25 µs"
    return Workload(name, "item", len(rows), engine, lambda: len(rows) * 25e-6, 1.0, 0.6)


def beside_peers(rows: list[Row]) -> Iterator[Workload]:
    """The same rows with other engines; the engine's time as a share of theirs."""
    there = [name for name in PEERS if name not in missing()]
    mapped = evaluated(f"map(rows, item => {MAP})", rows)
    kept = evaluated(f"filter(rows, item => {FILTER})", rows)

    def beside(peer: str, what: str, engine: Cost, work: Callable[[], object]) -> Workload:
        name = f"{what}, {len(rows)} rows, to {peer}"
        return Workload(name, "item", len(rows), engine, spent(work), 1.0, None)

    if "jinja2" in there:
        from jinja2.sandbox import SandboxedEnvironment

        loop = "{% for item in rows %}{{ item.price * item.qty + 1 }}\n{% endfor %}"
        compiled = SandboxedEnvironment().from_string(loop)
        yield beside("Jinja2's sandbox", "map", mapped, lambda: compiled.render(rows=rows))
    if "jmespath" in there:
        import jmespath

        query = jmespath.compile("[?qty > `2` && (state == 'open' || state == 'new')]")
        yield beside("JMESPath", "filter", kept, lambda: query.search(rows))
    if "quickjs" in there:
        import quickjs

        context = quickjs.Context()
        context.eval(f"var apply = text => JSON.stringify(JSON.parse(text).map(item => {MAP}))")
        apply = context.get("apply")
        yield beside("QuickJS", "map", mapped, lambda: json.loads(apply(json.dumps(rows))))
    if "simpleeval" in there:
        from simpleeval import SimpleEval

        evaluator = SimpleEval()
        tree = evaluator.parse("item['price'] * item['qty'] + 1")

        def each() -> list[Any]:
            made = []
            for item in rows:
                evaluator.names = {"item": item}
                made.append(evaluator.eval("", tree))
            return made

        yield beside("simpleeval", "map", mapped, each)


def workloads(scale: float) -> Iterator[Workload]:
    rows = rows_of(int(100_000 * scale))
    yield from beside_python(rows)
    yield template(int(100_000 * scale))
    yield template_in_foreach(rows_of(int(10_000 * scale)))
    yield from beside_peers(rows)
