"""Owns the workloads of checkpoints: the most processor time between two of a run that computes, to 10 ms.

It is the time that trio's thread had a processor within one step of a task: others on the machine do not count.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from time import thread_time
from typing import Any
from xml.sax.saxutils import quoteattr

import trio
from trio.abc import Instrument

from . import flows
from .measuring import Workload

ALLOWED = 0.01
"""Seconds."""


class LongestStep(Instrument):
    """The most processor time that a task took from one checkpoint to the next."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._began = thread_time()

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        self._began = thread_time()

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        self.seconds = max(self.seconds, thread_time() - self._began)


def longest_step(name: str, body: str, value: Any) -> Workload:
    flow = flows.load(body)

    def cost() -> float:
        gc.unfreeze()
        gc.collect()

        async def work() -> float:
            await flows.fs.run(
                flow, input=[0]
            )  # what is imported and made for the first run is no part of it
            longest = LongestStep()
            trio.lowlevel.add_instrument(longest)
            kept = await flows.fs.run(flow, input=value)
            trio.lowlevel.remove_instrument(longest)
            del kept
            return longest.seconds

        return trio.run(work)

    return Workload(f"between checkpoints: {name}", "run", 1, cost, lambda: ALLOWED, 1.0, 0.6)


def transform(kind: str, **settings: str) -> str:
    written = " ".join(f"{name}={quoteattr(text)}" for name, text in settings.items())
    return f'<transform type="{kind}" id="t" {written}/>'


THRIFTY = {
    "map": transform("map", expression="item + 1"),
    "map to objects": transform("map", expression="{a: item, b: [item], c: 'x' + item}"),
    "filter": transform("filter", condition="item >= 7"),
    "reduce": transform("reduce", expression="acc + item", initial="0"),
}
SPENDING = {
    "map with a spread": transform("map", expression="[...$items.slice(0, 500), item].length"),
    "map with some": transform("map", expression="some(range(500), x => x == item)"),
    "map with every": transform("map", expression="every(range(500), x => x >= 0)"),
    "map with find": transform("map", expression="find(range(500), x => x == 499)"),
    "map with sort": transform("map", expression="sort(range(200), (a, b) => b - a).length"),
    "map with map and reduce": transform(
        "map", expression="reduce(map(range(300), x => x * 2), (a, x) => a + x, 0)"
    ),
    "map of long texts": transform("map", expression="upper(repeat('ab', 10000)).length"),
    "filter with some": transform("filter", condition="some(range(500), x => x == item)"),
    "reduce with find": transform(
        "reduce", expression="acc + find(range(500), x => x == 400)", initial="0"
    ),
}
EACH = (
    '<foreach id="f" collection="{{$input}}" maxConcurrency="%s">'
    + transform("template", template="{{item}}: {{item}}")
    + "</foreach>"
)


def templates() -> Iterator[tuple[str, str, Any]]:
    parts = "".join(f"{{{{some(range(3000), x => x == {at})}}}} " for at in range(200))
    yield "200 parts that compute", transform("template", template=parts), [0]
    text, long = "{{$input[0]}}", ["x" * 10_000]
    yield "500 parts that are long texts", transform("template", template=text * 500), long
    members = transform("template", format="json", template="[" + f"{text}," * 500 + "1]")
    yield "500 parts in JSON", members, long
    inside = transform("template", format="json", template='["' + f"{text} " * 500 + '"]')
    yield "500 parts in a text of JSON", inside, long


def workloads(scale: float) -> Iterator[Workload]:
    numbers = list(range(max(int(100_000 * scale), 100)))
    few = numbers[: max(len(numbers) // 20, 50)]
    for name, body in THRIFTY.items():
        yield longest_step(f"{name}, {len(numbers)} items", body, numbers)
    for name, body in SPENDING.items():
        yield longest_step(f"{name}, {len(few)} items", body, few)
    for at_once in ("1", "100"):
        name = f"foreach of a template, {at_once} at once, {len(few)} items"
        yield longest_step(name, EACH % at_once, few)
    for name, body, value in templates():
        yield longest_step(f"a template of {name}", body, value)
    rows = [{"a": at, "b": "x"} for at in numbers]
    one = transform("template", template="rows: {{$input}}")
    yield longest_step(f"a template of one part, {len(rows)} rows", one, rows)
