"""What a node draws follows from the run's seed, its path, its attempt and how often it drew before."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import trio
from trio.testing import MockClock

import flowscript_trio as fs
from flowscript_trio.types.events import AttemptFailed, BranchEnded, Event, NodeEnded

REGISTRY = fs.Registry(base=fs.registry)
FAILED: Counter[str] = Counter()


@REGISTRY.runtime("source:draw")
async def draw(params: fs.ExecutionParams) -> Any:
    """Takes its time, fails so many ``times``, and gives what was drawn in its settings and by itself."""
    label = params.node.label
    await trio.sleep(float(params.config.get("takes", 0)))
    FAILED[label] += 1
    if FAILED[label] <= int(params.config.get("times", 0)):
        raise ConnectionError(label)
    return params.config.get("x"), params.run.services.random.random()


def outcome(
    body: str, seed: int = 1, tail: str = "", **config: Any
) -> tuple[dict[str, Any], list[float]]:
    """What each execution gave, by its path, and how long each wait before a further attempt was."""
    FAILED.clear()
    delays: list[float] = []

    def note(event: Event) -> None:
        if isinstance(event, AttemptFailed):
            delays.append(event.delay)

    async def main() -> fs.Run:
        flow = fs.loads(f'<workflow name="w">{body}</workflow>', registry=REGISTRY)
        return await fs.run(flow, seed=seed, config=config, observers=[note])

    run = trio.run(main, clock=MockClock(autojump_threshold=0))
    return {
        result.path: result.output for result in run.record if result.output is not None
    }, delays


def drawn(path: str, body: str, **options: Any) -> Any:
    return outcome(body, **options)[0][path]


# Formatted twice: here, and with the times that the nodes take.
NODE = '<source:draw id="{0}" takes="{1}" x="' + "{{" * 4 + "random()" + "}}" * 4 + '"/>'

A, B = NODE.format("a", "{0}"), NODE.format("b", "{1}")
SHAPES = {
    "graph": A + B,
    "parallel": f'<parallel id="p"><branch>{A}</branch><branch>{B}</branch></parallel>',
    "foreach": '<parallel id="p"><branch><foreach id="g" collection="[1, 2]" maxConcurrency="2">'
    f"{A}</foreach></branch>"
    f'<branch><loop id="l" max="2">{B}</loop></branch></parallel>',
    "while": f'<while id="w1" condition="$iteration &lt; 2" max="5">{A}</while>{B}',
    "if": f'<if id="i" condition="random() &lt; 2"><then>{A}</then></if>{B}',
    "timeout": f'<timeout id="t" duration="99s">{A}</timeout>{B}',
    "phase": f'<phase name="one">{A}{B}</phase>',
}


@pytest.mark.parametrize("shape", SHAPES)
def test_the_order_in_which_nodes_end_changes_nothing_that_they_draw(shape: str) -> None:
    one = outcome(SHAPES[shape].format(1, 2))[0]
    other = outcome(SHAPES[shape].format(2, 1))[0]
    assert one == other
    leaves = [str(value) for path, value in one.items() if path[-1] in "ab"]
    assert len(leaves) == len(set(leaves)) > 1  # and no two executions draw the same


@pytest.mark.parametrize("shape", SHAPES)
def test_another_seed_gives_other_draws(shape: str) -> None:
    body = SHAPES[shape].format(1, 1)
    one, other = outcome(body, seed=1)[0], outcome(body, seed=2)[0]
    assert one.keys() == other.keys()
    assert all(one[path] != other[path] for path in one if path[-1] in "ab")


@pytest.mark.parametrize(
    "before",
    [
        '<transform type="template" id="z" template="{{random()}}"/>',
        '<transform type="template" id="z" template="{{uuid()}}{{uuid()}}"/>',
        '<transform type="map" id="z" input="$input" expression="random()"/>',
        '<if id="z" condition="random() &lt; 2"><then><set var="v" value="{{random()}}"/></then></if>',
        '<foreach id="z" collection="[1, 2, 3]"><set var="v" value="{{random()}}"/></foreach>',
        '<context><set key="k" value="{{random()}}"/></context>',
        '<source:draw id="z" if="random() &lt; 2"/>',
        '<source:draw id="z" times="1"><on-error><retry max="{{random_int(1, 1)}}" when="random() &lt; 2" '
        'jitter="full"/></on-error></source:draw>',
    ],
)
def test_what_ran_before_a_node_changes_nothing_that_it_draws(before: str) -> None:
    node = '<source:draw id="a" x="{{random()}}"/>'
    before = before.replace(' input="$input"', "")
    assert drawn("a", f'{before}<source:draw id="a" after="z" x="{{{{random()}}}}"/>'
                 if 'id="z"' in before else before + node) == drawn("a", node)  # fmt: skip


def test_a_node_that_is_skipped_changes_nothing_that_others_draw() -> None:
    body = (
        '<source:draw id="z" if="$config.go" x="{{random()}}"/>'
        '<source:draw id="a" after="z" x="{{random()}}"/>'
    )
    assert drawn("a", body, go=True) == drawn("a", body, go=False)


def test_a_wait_before_a_further_attempt_is_its_nodes_own() -> None:
    node = (
        '<source:draw id="{0}" takes="{1}" times="2"><on-error>'
        '<retry max="2" when="true" base="8s" jitter="full"/></on-error></source:draw>'
    )
    alone = outcome(node.format("a", 1))[1]
    both = outcome(node.format("a", 1) + node.format("b", 5))[1]
    assert len(both) == 4
    assert len(set(both)) == 4  # each wait is drawn anew
    assert [delay for delay in both if delay in alone] == alone


def test_each_attempt_draws_anew_and_so_does_each_attempt_of_the_block_around() -> None:
    retry = '<on-error><retry max="1" when="true"/></on-error>'
    inner = '<source:draw id="{0}" x="{{{{random()}}}}" times="{1}">{2}</source:draw>'
    once, twice = (drawn("a", inner.format("a", times, retry)) for times in (0, 1))
    assert once != twice
    nodes = inner.format("a", 0, "") + inner.format("z", 1, "")
    block = f'<if id="i" condition="true"><then>{nodes}</then>{retry}</if>'
    found = outcome(block)[0]
    assert found["i/a"] != found["i~2/a"]


@pytest.mark.parametrize(
    "block",
    [
        '<parallel id="p" merge="{{[random(), uuid()]}}"><branch><delay duration="{0}s"/></branch>'
        '<branch><delay duration="{1}s"/></branch></parallel>',
        '<foreach id="p" collection="[random(), random()]" maxConcurrency="2"><delay duration="{0}s"/></foreach>',
        '<loop id="p" max="9" break="random() &lt; 2"><set var="v" value="{{random()}}"/></loop>',
    ],
)
def test_what_a_block_evaluates_draws_as_the_block(block: str) -> None:
    beside = '<source:draw id="z" takes="{0}" x="{{random()}}"/>'
    one = block.replace("{0}", "1").replace("{1}", "2")
    other = block.replace("{0}", "2").replace("{1}", "1") + beside.replace("{0}", "0")
    assert drawn("p", one) == drawn("p", other)


def test_documents_that_a_node_runs_draw_for_themselves(tmp_path: Any) -> None:
    (tmp_path / "lib.xml").write_text(
        '<workflow name="lib" timeout="{{random_int(50, 99)}}s"><transform type="template" id="in" '
        'template="{{random()}}"/></workflow>'.replace('id="in"', 'id="inner"')
    )
    include = '<include id="{0}" workflow="lib.xml"/>'

    def of(body: str) -> dict[str, Any]:
        (tmp_path / "w.xml").write_text(f'<workflow name="w">{body}</workflow>')
        run = trio.run(lambda: fs.run(fs.load(tmp_path / "w.xml", registry=REGISTRY), seed=1))
        return {result.path: result.output for result in run.record}

    alone, both = of(include.format("a")), of(include.format("z") + include.format("a"))
    assert alone["a/inner"] == both["a/inner"] != both["z/inner"]


def test_nothing_is_seeded_for_nodes_that_draw_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from flowscript_trio.execution.context import RunContext

    def refuse(self: RunContext, path: str, turn: int | str) -> Any:
        raise AssertionError(path)

    monkeypatch.setattr(RunContext, "chance", refuse)
    loop = '<foreach id="g" collection="[1]"><delay id="d" duration="1s"/></foreach>'
    body = f'<set id="a" var="v" value="1"/>{loop}'
    assert outcome(body)[0]["g"] is not None


def said(body: str) -> list[str]:
    """What each node that failed said, and how long it waited for a further attempt, in order."""
    FAILED.clear()
    told: list[str] = []

    def note(event: Event) -> None:
        if isinstance(event, AttemptFailed):
            told.append(f"{event.path} waits {event.delay}")
        if isinstance(event, NodeEnded) and event.result.error is not None:
            told.append(f"{event.path}: {event.result.error}")

    async def main() -> None:
        flow = fs.loads(f'<workflow name="w">{body}</workflow>', registry=REGISTRY)
        with pytest.raises(trio.TooSlowError):
            await fs.run(flow, seed=1, observers=[note])

    trio.run(main, clock=MockClock(autojump_threshold=0))
    return told


RETRIED = (
    '<source:draw id="{0}" takes="{1}" times="1"><on-error>'
    '<retry max="1" when="true" base="{{random_int(1, 1000000)}}ms" cap="1d"/></on-error></source:draw>'
)
TIDIED = (
    '<branch><delay duration="{1}s"/>'
    '<finally timeout="{{random_int(1, 1000000)}}ms"><delay duration="9d"/></finally></branch>'
)
LATE = '<timeout id="late" duration="90d"><delay duration="99d"/></timeout>'


def test_the_settings_of_a_retry_are_drawn_by_its_node() -> None:
    def of(first: int, second: int) -> set[str]:
        body = RETRIED.replace("{0}", "a").replace("{1}", str(first))
        body += RETRIED.replace("{0}", "b").replace("{1}", str(second))
        return {line for line in said(body + LATE) if "waits" in line}

    assert of(1, 2) == of(2, 1)
    assert len(of(1, 2)) == 2


def clean_ups(body: str) -> set[str]:
    """What was said of each branch whose clean-up took too long."""
    said_of: set[str] = set()

    def note(event: Event) -> None:
        if isinstance(event, BranchEnded):
            said_of.add(f"{event.path}: {event.error}")

    async def main() -> None:
        flow = fs.loads(f'<workflow name="w">{body}</workflow>', registry=REGISTRY)
        await fs.run(flow, seed=1, observers=[note])

    trio.run(main, clock=MockClock(autojump_threshold=0))
    return said_of


def test_the_settings_of_clean_up_are_drawn_by_that_clean_up() -> None:
    def of(first: int, second: int) -> set[str]:
        branches = TIDIED.replace("{1}", str(first)) + TIDIED.replace("{1}", str(second))
        tolerant = f'<parallel id="p" tolerate="2">{branches}</parallel>'
        return clean_ups(tolerant)

    assert of(1, 2) == of(2, 1)
    assert len(of(1, 2)) == 2


def test_the_time_limit_of_a_document_is_drawn_by_the_node_that_runs_it(tmp_path: Any) -> None:
    (tmp_path / "lib.xml").write_text(
        '<workflow name="lib" timeout="{{random_int(1, 1000000)}}ms"><delay duration="9d"/></workflow>'
    )

    def of(first: str, second: str) -> set[str]:
        branch = '<branch><delay duration="{1}"/><include id="{0}" workflow="lib.xml"/></branch>'
        branches = branch.replace("{0}", "a").replace("{1}", first)
        branches += branch.replace("{0}", "b").replace("{1}", second)
        (tmp_path / "w.xml").write_text(
            f'<workflow name="w"><parallel id="p" tolerate="2">{branches}</parallel></workflow>'
        )

        async def main() -> set[str]:
            run = await fs.run(fs.load(tmp_path / "w.xml"), seed=1)
            return {f"{result.path}: {result.error}" for result in run.record.failures}

        return trio.run(main, clock=MockClock(autojump_threshold=0))

    assert of("1s", "2s") == of("2s", "1s")
    assert len(of("1s", "2s")) == 2


@pytest.mark.parametrize("kind", ["parallel", "foreach"])
def test_whether_a_branch_is_accepted_is_drawn_by_that_branch(kind: str) -> None:
    def accepted(seed: int, *takes: int) -> list[bool]:
        if kind == "foreach":
            body = (
                f'<foreach id="p" collection="{list(takes)}" maxConcurrency="9" accept="random() &lt; 0.5" '
                'tolerate="9"><source:draw id="a" takes="{{item}}"/></foreach>'
            )
        else:
            branches = "".join(
                f'<branch><source:draw id="a{at}" takes="{each}"/></branch>'
                for at, each in enumerate(takes)
            )
            body = f'<parallel id="p" accept="random() &lt; 0.5" tolerate="9">{branches}</parallel>'
        return [output is not None for output in drawn("p", body, seed=seed)]

    expected = [accepted(seed, 1, 2, 3, 4) for seed in range(8)]
    assert [accepted(seed, 4, 1, 3, 2) for seed in range(8)] == expected
    assert {False, True} == {each for one in expected for each in one}
