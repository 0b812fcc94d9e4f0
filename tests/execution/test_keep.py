from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.types.errors import WorkflowInvalid

from stubs import Stubs


def branches(*nodes: str) -> str:
    return "".join(f"<branch>{node}</branch>" for node in nodes)


def stub(name: str, takes: str = "1s", more: str = "") -> str:
    return f'<source:stub id="{name}" takes="{takes}" gives="{name}" {more}/>'


def keeping(settings: str, *nodes: str) -> str:
    return (
        f'<parallel id="p" timeout="5s" on-timeout="keep" {settings}>{branches(*nodes)}</parallel>'
    )


async def test_two_hundred_requests_with_a_deadline_keep_what_they_have(
    autojump_clock: Any,
) -> None:
    """Twenty at once; each of the batches of twenty takes a second longer than the one before."""
    own = fs.Registry(base=fs.registry)
    began: list[int] = []

    @own.runtime("source:request")
    async def request(params: fs.ExecutionParams) -> int:
        index = params.input
        began.append(index)
        await trio.sleep(1 + index // 20)  # virtual
        return index * 10

    body = """<foreach id="each" collection="$input" maxConcurrency="20" timeout="7s" on-timeout="keep">
      <source:request id="r" input="item"/></foreach>"""
    flow = fs.loads(f'<workflow name="w">{body}</workflow>', registry=own)
    now = trio.current_time()
    run = await fs.run(flow, input=list(range(200)))
    assert trio.current_time() - now == 7
    # 0–19 end at 1 s, 20–39 at 3 s, 40–59 at 6 s; 60–79 have begun by then.
    assert run.output == [index * 10 for index in range(60)] + [None] * 20
    assert sorted(began) == list(range(80))
    assert run.results["each"].status == "success"
    statuses = [branch.status for branch in run.results["each"].branches]
    assert statuses == ["success"] * 60 + ["cancelled"] * 20


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("", ["a", None, "c"]),
        ('merge="concat"', ["a", "c"]),
        ('merge="none"', 2),
        ('merge="{{ length($branches) }}"', 3),
        ('tolerate="1"', ["a", None, "c"]),
        ('fail-fast="false"', ["a", None, "c"]),
        ('wait="any"', ["a"]),
        ('wait="n(3)"', ["a", "c"]),
    ],
)
async def test_what_has_succeeded_makes_the_output_as_the_block_merges(
    settings: str, expected: Any, autojump_clock: Any
) -> None:
    run = await Stubs().run(keeping(settings, stub("a"), stub("b", "9s"), stub("c", "2s")))
    assert run.output == expected


async def test_a_race_keeps_its_winners_so_far_perhaps_none(autojump_clock: Any) -> None:
    nodes = (stub("a", "9s"), stub("b", "8s"))
    assert (await Stubs().run(keeping('wait="any"', *nodes))).output == []
    assert (await Stubs().run(keeping('wait="n(2)"', stub("c", "3s"), *nodes))).output == ["c"]


async def test_slots_go_up_to_the_last_branch_that_was_started(autojump_clock: Any) -> None:
    nodes = (stub("a"), stub("b", "9s"), stub("c"), stub("d"))
    run = await Stubs().run(keeping('maxConcurrency="1"', *nodes))
    assert run.output == ["a", None]
    results = run.results["p"].branches
    assert [(each.status, each.started) for each in results] == [
        ("success", True),
        ("cancelled", True),
        ("cancelled", False),
        ("cancelled", False),
    ]


async def test_what_ends_at_the_deadline_or_after_it_is_not_kept(autojump_clock: Any) -> None:
    shields = stub("b", "9s", 'cleanup="slow" swallows="true"')
    run = await Stubs().run(keeping("", stub("a", "5s"), shields, stub("c", "4s")))
    assert run.output == [None, None, "c"]


async def test_nodes_of_what_is_not_kept_are_null_after_the_block(autojump_clock: Any) -> None:
    body = keeping("", stub("a"), stub("b", "9s"))
    after = '<set var="seen" value="{{ [a, b] }}" after="p"/>'
    assert (await Stubs().run(body + after)).output == ["a", None]


async def test_tolerate_is_not_asked_at_the_deadline(autojump_clock: Any) -> None:
    fails = [stub(name, "1s", 'fails="x"') for name in ("a", "b")]
    # A share is judged over all, and 2 of 3 are too many; without fail-fast nothing is settled before.
    settings = 'tolerate="1" fail-fast="false"'
    run = await Stubs().run(keeping(settings, *fails, stub("c", "9s"), stub("d")))
    assert run.output == [None, None, None, "d"]


async def test_an_error_before_the_deadline_stands_though_the_rest_unwinds_after_it(
    autojump_clock: Any,
) -> None:
    slow = stub("b", "9s", 'cleanup="slow"')
    with pytest.raises(ValueError, match="broken"):
        await Stubs().run(keeping("", stub("a", "4500ms", 'fails="broken"'), slow))


@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_a_collection_that_fails_before_the_deadline_is_the_error_of_the_block(
    kind: str, autojump_clock: Any
) -> None:
    def items() -> Iterator[int]:
        yield 1
        raise KeyError("no more")

    async def slow_items() -> AsyncIterator[int]:
        yield 1
        await trio.sleep(4.5)  # virtual
        raise KeyError("no more")

    collection: Any = items() if kind == "sync" else slow_items()
    body = """<foreach id="each" collection="$input" maxConcurrency="2" timeout="{}" on-timeout="keep">
      <source:stub id="s" takes="20s" cleanup="slow"/></foreach>"""
    limit = "500ms" if kind == "sync" else "5s"
    with pytest.raises(KeyError, match="no more"):
        await Stubs().run(body.format(limit), input=collection)


async def test_an_error_at_the_deadline_or_after_it_is_on_the_record_only(
    autojump_clock: Any,
) -> None:
    nodes = (stub("a"), stub("b", "9s", 'cleanup="fail"'), stub("c", "5s", 'fails="tie"'))
    run = await Stubs().run(keeping("", *nodes))
    assert run.output == ["a", None, None]
    assert run.status == "completed"
    assert [str(result.error) for result in run.record.failures] == ["clean-up of b"]


async def test_an_interrupt_is_not_kept_from_anybody(autojump_clock: Any) -> None:
    stubs = Stubs()

    @stubs.registry.runtime("source:interrupts")
    async def interrupts(params: fs.ExecutionParams) -> None:
        try:
            await trio.sleep_forever()
        finally:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await stubs.run(keeping("", stub("a"), '<source:interrupts id="k"/>'))


async def test_a_block_that_is_done_in_time_is_as_any_other(autojump_clock: Any) -> None:
    now = trio.current_time()
    assert (await Stubs().run(keeping("", stub("a"), stub("b", "2s")))).output == ["a", "b"]
    assert trio.current_time() - now == 2
    assert (await Stubs().run(keeping('wait="any"', stub("a"), stub("b", "2s")))).output == ["a"]


@pytest.mark.parametrize("seconds", [3, 5])
async def test_a_deadline_around_a_block_that_keeps_goes_before_its_own(
    seconds: int, autojump_clock: Any
) -> None:
    shields = stub("b", "9s", 'cleanup="slow"')
    around = f'<timeout id="t" duration="{seconds}s">{{}}</timeout>'
    with pytest.raises(trio.TooSlowError, match="'t' took"):
        await Stubs().run(around.format(keeping("", stub("a"), shields)))
    with trio.move_on_after(seconds) as scope:
        await Stubs().run(keeping("", stub("a"), shields))
    assert scope.cancelled_caught


async def test_fail_is_the_default_and_can_be_said(autojump_clock: Any) -> None:
    for word in ("", 'on-timeout="fail"'):
        body = f'<parallel id="p" timeout="5s" {word}>{branches(stub("a", "9s"))}</parallel>'
        with pytest.raises(trio.TooSlowError, match="'p' took longer than 5 s"):
            await Stubs().run(body)


async def test_a_handler_stands_in_for_a_block_that_is_too_slow(autojump_clock: Any) -> None:
    for block in (
        f'<parallel id="p" timeout="5s" on-timeout="h">{branches(stub("a", "9s"))}</parallel>',
        f'<foreach id="p" collection="[1]" timeout="5s" on-timeout="h">{stub("a", "9s")}</foreach>',
    ):
        stubs = Stubs()
        run = await stubs.run(f'{block}<transform:stub id="h" gives="{{{{$error.type}}}}"/>')
        assert run.output == "TooSlowError"
        assert run.results["p"].status == "success"


async def test_a_handler_is_for_the_deadline_of_the_block_alone(autojump_clock: Any) -> None:
    node = '<source:stub id="a" takes="9s" timeout="1s"/>'
    block = f'<parallel id="p" timeout="5s" on-timeout="h">{branches(node)}</parallel>'
    with pytest.raises(trio.TooSlowError, match="'a' took longer than 1 s"):
        await Stubs().run(block + stub("h"))


@pytest.mark.parametrize(
    ("code", "body"),
    [
        (
            "misplaced-handler",
            stub("keep") + f'<timeout id="t" duration="1s" on-timeout="keep">{stub("a")}</timeout>',
        ),
        (
            "misplaced-handler",
            stub("fail") + f'<timeout id="t" duration="1s" on-timeout="fail">{stub("a")}</timeout>',
        ),
        (
            "misplaced-handler",
            stub("keep")
            + '<source:stub id="a"><on-error><fallback node="keep"/></on-error></source:stub>',
        ),
        (
            "pointless-setting",
            f'<parallel id="p" on-timeout="keep">{branches(stub("a"))}</parallel>',
        ),
        (
            "unknown-handler",
            f'<parallel id="p" timeout="1s" on-timeout="kept">{branches(stub("a"))}</parallel>',
        ),
    ],
)
def test_what_cannot_follow_a_deadline_is_a_problem(code: str, body: str) -> None:
    with pytest.raises(WorkflowInvalid) as caught:
        Stubs().load(body)
    assert code in [problem.code for problem in caught.value.problems]
