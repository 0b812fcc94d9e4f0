"""Owns the proof that what is inferred of a document holds when it runs: of each node, and of the whole."""

from __future__ import annotations

import os
from typing import Any
from xml.sax.saxutils import quoteattr

import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import flowscript_trio as fs
from flowscript_trio.types.events import Event, NodeEnded

COUNT = int(os.environ.get("FLOWSCRIPT_SHAPES", "150"))
VALUES = (
    "1",
    "'x'",
    "null",
    "true",
    "{a: 1, b: 'y'}",
    "{a: null}",
    "[]",
    "[1, 'x']",
    "[{a: 1}, {a: 'z', c: [2]}]",
    "$input",
    "$input.rows",
    "$config.size",
    "$run.id.length",
    "range(3)",
)
SHAPED = (
    "{n}",
    "{n}.a",
    "{n}[0]",
    "{n}['b']",
    "{{v: {n}, at: 1}}",
    "{{...{m}, z: {n}}}",
    "[{n}, ...to_array({m})]",
    "{n} ?? {m}",
    "{n} ? {m} : {n}",
    "{n} + 'x'",
    "{n} == {m}",
    "{n}.length",
    "keys({{k: {n}}})",
    "first({n})",
    "concat({n}, {m})",
    "merge({{a: {n}}}, {{b: {m}}})",
    "map(to_array({n}), x => ({{v: x}}))",
    "filter(to_array({n}), x => x)",
    "values({{a: {n}, b: {m}}})",
    "coalesce({n}, {m})",
    "{n}.status",
    "{n}.output",
    "to_array({n}).map((x, i) => i)",
    "v",
    "$context.v",
    "unknown_yet ?? {n}",
)
MERGES = ("array", "concat", "object", "none", "{n: $branches.length}", "$branches[0]")


class Writer:
    """Writes a random document; every expression is about nodes that stand before."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw
        self.ids: list[str] = []
        self.count = 0

    def name(self) -> str:
        self.count += 1
        return f"n{self.count}"

    def pick(self, choices: Any) -> Any:
        return self.draw(st.sampled_from(list(choices)))

    def expression(self, *more: str) -> str:
        names = [*self.ids, *more]
        if not names or self.pick(range(4)) == 0:
            return self.pick(VALUES)
        form = self.pick(SHAPED).replace("unknown_yet", "v")
        return form.format(n=self.pick(names), m=self.pick(names))

    def braces(self, *more: str) -> str:
        return quoteattr(f"{{{{ {self.expression(*more)} }}}}")

    def condition(self) -> str:
        return f" if={quoteattr(self.expression())}" if self.pick(range(4)) == 0 else ""

    def nodes(self, depth: int, *more: str) -> str:
        known = len(self.ids)
        written = "".join(self.node(depth, *more) for _ in range(self.pick((1, 2, 3))))
        if depth:  # what stands inside is named from outside now and then
            inner = self.ids[known:]
            del self.ids[known + self.pick(range(len(inner) + 1)) :]
        return written

    def node(self, depth: int, *more: str) -> str:
        leaves = (self.set, self.template, self.json, self.map, self.filter, self.reduce)
        leaves += (self.context, self.plain)  # type: ignore[assignment]
        blocks = (self.choice, self.parallel, self.foreach, self.loop, self.cases, self.phase)
        write = self.pick(leaves if depth > 2 else (*leaves, *blocks))
        id = self.name()
        text = write(id, depth, *more)
        self.ids.append(id)
        return text

    def set(self, id: str, depth: int, *more: str) -> str:
        kind = self.pick(("", "", ' type="string"'))
        return f'<set id="{id}" var="v" value={self.braces(*more)}{kind}{self.condition()}/>'

    def plain(self, id: str, depth: int, *more: str) -> str:
        return f'<set id="{id}" var="w" value="{self.pick(("7", "x", "null", "true"))}"/>'

    def template(self, id: str, depth: int, *more: str) -> str:
        form = self.pick(("auto", "text"))
        before = self.pick(("", "", "x "))
        text = quoteattr(f"{before}{{{{ {self.expression(*more)} }}}}")
        node = f'<transform:template id="{id}" format="{form}" template={text}'
        return node + self.condition() + "/>"

    def json(self, id: str, depth: int, *more: str) -> str:
        text = (
            f'{{"a": {{{{ {self.expression(*more)} }}}}, "b": ["x{{{{ {self.expression()} }}}}"]}}'
        )
        return f'<transform:template id="{id}" template={quoteattr(text)}/>'

    def map(self, id: str, depth: int, *more: str) -> str:
        inner = quoteattr(self.expression("item", "index"))
        return f'<transform:map id="{id}" {self.input()} expression={inner}/>'

    def filter(self, id: str, depth: int, *more: str) -> str:
        return f'<transform:filter id="{id}" {self.input()} condition="item => item"/>'

    def reduce(self, id: str, depth: int, *more: str) -> str:
        inner = quoteattr(self.expression("item", "acc"))
        start = self.pick(("", ' initial="0"', ' initial="{a: 1}"'))
        return f'<transform:reduce id="{id}" {self.input()}{start} expression={inner}/>'

    def input(self) -> str:
        return f"input={quoteattr('{{ ' + self.expression() + ' }}')}"

    def context(self, id: str, depth: int, *more: str) -> str:
        sets = f"<set key='v' value={self.braces()}/><set key='k' value={self.braces()}/>"
        return f'<context id="{id}">{sets}</context>'

    def choice(self, id: str, depth: int, *more: str) -> str:
        condition = quoteattr(self.expression())
        known = list(self.ids)
        then = f"<then>{self.nodes(depth + 1)}</then>"
        inner, self.ids = self.ids, known  # one side does not see the other
        end = self.pick((f"<else>{self.nodes(depth + 1)}</else>", ""))
        self.ids = inner
        return f'<if id="{id}" condition={condition}>{then}{end}</if>'

    def cases(self, id: str, depth: int, *more: str) -> str:
        when = quoteattr(self.expression())
        return f'<branch id="{id}"><case when={when}>{self.nodes(depth + 1)}</case></branch>'

    def parallel(self, id: str, depth: int, *more: str) -> str:
        rule = self.pick(("", "", ' wait="any"', ' tolerate="1"'))
        known = list(self.ids)
        bodies = []
        for _ in range(2):
            bodies.append(f"<branch>{self.nodes(depth + 1)}</branch>")
            self.ids = list(known)  # no branch sees another
        merge = quoteattr(self.pick(MERGES))
        return f'<parallel id="{id}" merge={merge}{rule}>{"".join(bodies)}</parallel>'

    def foreach(self, id: str, depth: int, *more: str) -> str:
        items = quoteattr(f"to_array({self.expression()})")
        word = f"i{id}"
        merge = quoteattr(self.pick([each for each in MERGES if each != "object"]))
        batch = self.pick(("", ' batch="2"'))
        body = self.nodes(depth + 1, word, "index")
        return f'<foreach id="{id}" collection={items} item="{word}" merge={merge}{batch}>{body}</foreach>'

    def loop(self, id: str, depth: int, *more: str) -> str:
        leave = self.pick(("", f"<break when={quoteattr(self.expression())}/>"))
        return f'<loop id="{id}" max="2">{self.nodes(depth + 1)}{leave}</loop>'

    def phase(self, id: str, depth: int, *more: str) -> str:
        return f'<phase id="{id}" name="p{id}">{self.nodes(depth + 1)}</phase>'


@st.composite
def documents(draw: st.DrawFn) -> str:
    writer = Writer(draw)
    body = writer.nodes(0)
    end = writer.pick(
        ("", f"<output><set field='f' value={writer.braces()}/></output>", "<return value='7'/>")
    )
    declared = '<param name="size" type="enum[s, m]" default="s"/>'
    first = '<set var="v" value="{{ {a: 1} }}"/>'
    return f'<workflow name="w">{declared}{first}{body}{end}</workflow>'


def load(text: str) -> fs.Flow | None:
    """The flow of a document, or None for one that is refused for what is inferred of it, and nothing else."""
    try:
        return fs.loads(text)
    except fs.WorkflowInvalid as exc:
        codes = {problem.code for problem in exc.problems if problem.severity == "error"}
        if codes <= {"unknown-member", "impossible-call"}:
            return None
        raise


def judge(text: str, found: list[int]) -> None:
    """Load and run a document, and compare what was inferred with what each node gives."""
    flow = load(text)
    if flow is None:
        return
    types = {
        place.node.key: flow.shapes.of_node(place.node.key)
        for place in flow.checked.scene.index.positions.values()
        if place.node is not None
    }
    wrong: list[str] = []

    def look(event: Event) -> None:
        if isinstance(event, NodeEnded) and event.result.status == "success":
            shape = types[event.node.key]
            found[0] += shape.is_known
            if not shape.holds(event.result.output):
                wrong.append(f"{event.path} is {event.result.output!r}")

    async def main() -> Any:
        given = {"rows": [{"a": 1}, {"a": "q"}], "a": [0]}
        try:
            run = await fs.run(flow, input=given, observers=[look])
        except Exception:
            return
        assert flow.types.output.holds(run.output), f"{run.output!r} is no {flow.types.output}"

    trio.run(main)
    assert wrong == [], f"{wrong}\n{text}\n{dict(flow.types.nodes)}"


def test_what_is_inferred_of_generated_documents_holds_for_their_outputs() -> None:
    known = [0]

    @settings(
        max_examples=COUNT, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    @given(documents())
    def agree(text: str) -> None:
        judge(text, known)

    agree()
    assert known[0] > COUNT, "hardly anything was known of any node"
