from __future__ import annotations

from typing import Any

import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.execution import compensating

from stubs import Stubs


def undoable(name: str, takes: str = "1s", more: str = "", undo: str = "") -> str:
    return (
        f'<source:stub id="{name}" takes="{takes}" gives="{name}" {more}><compensate>'
        f'<source:stub id="undo-{name}" {undo}/></compensate></source:stub>'
    )


def broken(name: str = "x", takes: str = "3s") -> str:
    return f'<source:stub id="{name}" takes="{takes}" fails="broken"/>'


def hangs(name: str = "h") -> str:
    return f'<source:stub id="{name}" hangs="true" cleanup="slow"/>'


def began(stubs: Stubs) -> list[str]:
    return [event.removeprefix("start ") for event in stubs.events if event.startswith("start ")]


RETRY = '<on-error><retry max="1" when="true" base="1s"/></on-error>'
FALLBACK = '<on-error><fallback node="f"/></on-error>'
F = '<source:stub id="f" gives="f"/>'
TWO = undoable("a", "2s") + undoable("b", "1s")
AFTER = undoable("b", "2s", 'after="a"')
BLOCKS = {
    "if": f'<if id="k" condition="true"><then>{TWO}{broken()}</then>{{}}</if>',
    "loop": f'<loop id="k" max="1">{TWO}{broken()}{{}}</loop>',
    "while": f'<while id="k" condition="$iteration &lt; 1">{TWO}{broken()}{{}}</while>',
    "foreach": f'<foreach id="k" collection="[1]">{TWO}{broken()}{{}}</foreach>',
    "phase": f'<phase name="k">{undoable("a")}{AFTER}'
    f'<source:stub id="x" after="b" fails="broken"/>{{}}</phase>',
    "timeout": f'<timeout id="k" duration="50s">{TWO}{broken()}{{}}</timeout>',
    "parallel": f'<parallel id="k"><branch>{TWO}{broken()}</branch><branch>{hangs()}</branch>{{}}'
    "</parallel>",
}


def undone(stubs: Stubs) -> list[str]:
    return [each for each in began(stubs) if each.startswith("undo")]


@pytest.mark.parametrize("kind", BLOCKS)
async def test_a_block_that_is_tried_again_is_undone_before_the_next_attempt(
    kind: str, autojump_clock: Any
) -> None:
    stubs = Stubs()
    with pytest.raises(ValueError, match="broken"):
        await stubs.run(BLOCKS[kind].format(RETRY))
    first_end = stubs.events.index("fail x")
    between = stubs.events[first_end : stubs.events.index("start a", first_end)]
    started = [each for each in between if each.startswith("start") and each != "start h"]
    assert started == ["start undo-b", "start undo-a"]
    assert undone(stubs) == ["undo-b", "undo-a"] * 2  # the last attempt is the run's
    if kind == "parallel":
        assert stubs.events.index("cleaned h") < stubs.events.index("start undo-b")


@pytest.mark.parametrize("kind", BLOCKS)
async def test_a_block_is_undone_before_its_fallback(kind: str, autojump_clock: Any) -> None:
    stubs = Stubs()
    run = await stubs.run(BLOCKS[kind].format(FALLBACK) + F)
    assert run.output == "f"
    assert [each for each in began(stubs) if each in ("undo-a", "undo-b", "f")] == [
        "undo-b",
        "undo-a",
        "f",
    ]


@pytest.mark.parametrize(
    "block",
    [
        '<timeout id="t" duration="5s" on-timeout="f">{}</timeout>',
        '<parallel id="t" timeout="5s" on-timeout="f"><branch>{}</branch></parallel>',
        '<foreach id="t" collection="[1]" timeout="5s" on-timeout="f">{}</foreach>',
    ],
)
async def test_what_is_too_slow_is_undone_before_its_handler(
    block: str, autojump_clock: Any
) -> None:
    stubs = Stubs()
    run = await stubs.run(block.format(TWO + hangs()) + F)
    assert run.output == "f"
    assert began(stubs) == ["a", "b", "h", "undo-b", "undo-a", "f"]
    assert stubs.events.index("cleaned h") < stubs.events.index("start undo-b")


LOST = {
    "tolerated": f'<parallel id="p" tolerate="1"><branch>{TWO}{broken()}</branch>'
    f"<branch>{undoable('c')}</branch></parallel>",
    "tolerated iteration": f"""<foreach id="p" collection="[0, 1]" tolerate="1">
      <if id="i" condition="index == 0"><then>{TWO}{broken()}</then><else>{undoable("c")}</else></if>
    </foreach>""",
    "kept": f'<parallel id="p" timeout="9s" on-timeout="keep"><branch>{TWO}{hangs()}</branch>'
    f"<branch>{undoable('c')}</branch></parallel>",
    "kept failure": f'<parallel id="p" timeout="9s" on-timeout="keep" fail-fast="false">'
    f"<branch>{TWO}{broken()}</branch><branch>{undoable('c')}</branch>"
    f"<branch>{hangs()}</branch></parallel>",
    "too late": f'<parallel id="p" timeout="9s" on-timeout="keep"><branch>{TWO}'
    f'<source:stub id="h" hangs="true" cleanup="slow" swallows="true"/></branch>'
    f"<branch>{undoable('c')}</branch></parallel>",
    "lost race": f'<parallel id="p" wait="any"><branch>{TWO}{hangs()}</branch>'
    f"<branch>{undoable('c', '5s')}</branch></parallel>",
    "failed in a race": f'<parallel id="p" wait="any"><branch>{TWO}{broken()}</branch>'
    f"<branch>{undoable('c', '9s')}</branch></parallel>",
    "second in a race": f'<parallel id="p" wait="any"><branch>{undoable("c", "3s")}</branch>'
    f"<branch>{TWO}</branch></parallel>",
    "broken out of": f"""<foreach id="p" collection="[0, 1]" maxConcurrency="2">
      <if id="i" condition="index == 1"><then>{TWO}{hangs()}</then><else>{undoable("c", "5s")}
      <break loop="p"/></else></if></foreach>""",
}


@pytest.mark.parametrize("kind", LOST)
async def test_a_branch_that_a_block_goes_on_without_is_undone_before_the_block_ends(
    kind: str, autojump_clock: Any
) -> None:
    stubs = Stubs()
    run = await stubs.run(LOST[kind] + '<source:stub id="next" after="p"/>')
    assert run.status == "completed"
    assert undone(stubs) == ["undo-b", "undo-a"]
    assert began(stubs)[-3:] == ["undo-b", "undo-a", "next"]
    if "cleaned h" in stubs.events and kind != "kept failure":
        assert stubs.events.index("cleaned h") < stubs.events.index("start undo-b")


@pytest.mark.parametrize("kind", LOST)
async def test_what_was_undone_is_never_undone_twice_and_the_rest_is_the_run_s(
    kind: str, autojump_clock: Any
) -> None:
    stubs = Stubs()
    with pytest.raises(ValueError, match="broken"):
        await stubs.run(LOST[kind] + '<source:stub id="next" after="p" fails="broken"/>')
    assert undone(stubs) == ["undo-b", "undo-a", "undo-c"]


async def test_a_failed_branch_stays_the_run_s_where_its_block_fails_as_well(
    autojump_clock: Any,
) -> None:
    body = f"""<parallel id="p"><branch>{TWO}{broken()}</branch><branch>{undoable("c", "2500ms")}
      </branch></parallel><on-workflow-error><source:stub id="told"/></on-workflow-error>"""
    stubs = Stubs()
    with pytest.raises(ValueError, match="broken"):
        await stubs.run(body)
    assert began(stubs)[-4:] == ["undo-b", "undo-c", "undo-a", "told"]


async def test_of_nested_blocks_the_one_that_goes_on_undoes(autojump_clock: Any) -> None:
    inner = f"""<parallel id="in1"><branch>{TWO}{broken()}</branch>
      <branch>{undoable("d", "1s")}</branch></parallel>"""
    body = f"""<parallel id="p" tolerate="1"><branch>{undoable("c", "500ms")}{inner}</branch>
      <branch>{undoable("e", "9s")}</branch></parallel>"""
    stubs = Stubs()
    await stubs.run(body)
    assert undone(stubs) == ["undo-b", "undo-a", "undo-d", "undo-c"] or undone(stubs) == [
        "undo-b",
        "undo-d",
        "undo-a",
        "undo-c",
    ]
    assert "undo-e" not in undone(stubs)


async def test_undoing_is_outside_of_the_time_limit_of_its_block(autojump_clock: Any) -> None:
    slow = undoable("a", "1s", undo='takes="4s"')
    body = f"""<parallel id="p" timeout="5s" on-timeout="f"><branch>{slow}{hangs()}</branch>
      </parallel>{F}"""
    stubs = Stubs()
    now = trio.current_time()
    run = await stubs.run(body)
    assert run.output == "f"
    assert trio.current_time() - now == 10  # 5 s, a second to unwind, and 4 s to undo
    tolerant = f"""<parallel id="p" timeout="5s" tolerate="1"><branch>{slow}{broken("x", "2s")}</branch>
      <branch><source:stub id="c" gives="c"/></branch></parallel>"""
    now = trio.current_time()
    assert (await Stubs().run(tolerant)).output == [None, "c"]
    assert trio.current_time() - now == 7


async def test_undoing_is_shielded_and_then_the_cancellation_passes_on(autojump_clock: Any) -> None:
    slow = undoable("a", "1s", undo='takes="4s"')
    body = f"""<parallel id="p" tolerate="1"><branch>{slow}{broken("x", "1s")}</branch>
      <branch><source:stub id="c"/></branch></parallel><source:stub id="next" after="p"/>"""
    stubs = Stubs()
    with trio.move_on_after(3) as scope:
        await stubs.run(body)
    assert scope.cancelled_caught
    assert "end undo-a" in stubs.events
    assert "next" not in began(stubs)


async def test_an_error_of_undoing_keeps_no_other_from_it_and_surfaces_if_nothing_else_does(
    autojump_clock: Any,
) -> None:
    two = undoable("a") + undoable("b", undo='fails="cannot undo"')
    for body in (
        f"""<parallel id="p" tolerate="1"><branch>{two}{broken()}</branch>
          <branch><source:stub id="c"/></branch></parallel>""",
        f"""<parallel id="p"><branch>{two}{broken()}</branch>{FALLBACK}</parallel>{F}""",
        f"""<timeout id="t" duration="5s" on-timeout="f">{two}{hangs()}</timeout>{F}""",
    ):
        stubs = Stubs()
        with pytest.raises(ValueError, match="cannot undo") as caught:
            await stubs.run(body)
        assert undone(stubs) == ["undo-b", "undo-a"]
        failure = fs.failure_of(caught.value)
        assert failure is not None
        assert failure.node == "undo-b"
    stubs = Stubs()
    with pytest.raises(ValueError, match="the other"):
        await stubs.run(
            f"""<parallel id="p"><branch>{two}{broken()}</branch>{FALLBACK}</parallel>
            <source:stub id="f" fails="the other"/>"""
        )
    assert undone(stubs) == ["undo-b", "undo-a"]


async def test_what_undoes_sees_the_error_and_the_scope_of_its_node(autojump_clock: Any) -> None:
    body = f"""<foreach id="p" collection="[7]" item="n"><source:stub id="a"><compensate>
      <transform:stub id="undo" gives="{{{{ concat(to_string(n), ' ', $error.message) }}}}"/></compensate>
      </source:stub>{broken()}{FALLBACK}</foreach>{F}"""
    run = await Stubs().run(body)
    assert run.record.latest["undo"].output == "7 broken"


async def test_a_handler_that_succeeded_is_undone_with_what_it_stood_in(
    autojump_clock: Any,
) -> None:
    handler = undoable("f")
    node = f'<source:stub id="n" fails="no">{FALLBACK}</source:stub>'
    body = f"""<parallel id="p" tolerate="1"><branch>{node}{broken()}</branch>
      <branch><source:stub id="c"/></branch></parallel>{handler}"""
    stubs = Stubs()
    await stubs.run(body)
    assert undone(stubs) == ["undo-f"]


async def test_nothing_is_looked_through_where_no_branch_is_lost(
    autojump_clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand iterations, each with a block that could go on without a branch, and does not have to."""
    monkeypatch.setattr(compensating, "is_below", None)  # it would be called
    body = """<foreach id="each" collection="$input" maxConcurrency="10">
      <parallel id="p" tolerate="1"><branch><source:stub id="a"><compensate><source:stub id="undo"/>
      </compensate></source:stub></branch></parallel></foreach><source:stub id="x" after="each" fails="end"/>"""
    stubs = Stubs()
    with pytest.raises(ValueError, match="end"):
        await stubs.run(body, input=list(range(1000)))
    assert undone(stubs) == ["undo"] * 1000


@pytest.mark.parametrize(
    "going_on",
    [
        f'<parallel id="p" tolerate="1"><branch>{broken()}</branch><branch>{F}</branch></parallel>',
        f'<parallel id="p"><branch>{broken()}</branch>{FALLBACK}</parallel>{F}',
        f'<parallel id="p"><branch>{broken()}</branch><on-error><retry max="1" when="true"/>'
        f'<fallback node="f"/></on-error></parallel>{F}',
        f'<timeout id="p" duration="1s" on-timeout="f">{hangs()}</timeout>{F}',
    ],
)
async def test_a_block_without_anything_to_undo_looks_for_nothing(
    going_on: str, autojump_clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compensating, "is_below", None)  # it would be called
    run = await Stubs().run(undoable("a", "0s") + going_on)
    assert run.status == "completed"


BOOK = (
    '<source:book id="seat"><compensate>'
    '<source:note id="undo" says="{{seat}} {{seat.output}} {{$iteration}} {{$context.x}}"/>'
    "</compensate></source:book>"
)
SET = '<set id="s" var="x" value="{{$iteration}}"/>'
ROUNDS = {
    "loop": f'<loop id="k" max="3">{BOOK}{SET}</loop>',
    "while": f'<while id="k" condition="$iteration &lt; 3">{BOOK}{SET}</while>',
    "a block in a loop": f'<loop id="k" max="3"><if id="i" condition="true"><then>{BOOK}</then></if>{SET}</loop>',
    "a branch in a loop": f'<loop id="k" max="3"><parallel id="p"><branch>{BOOK}</branch></parallel>{SET}</loop>',
    "a phase in a loop": f'<loop id="k" max="3"><phase name="p">{BOOK}</phase>{SET}</loop>',
}


def _booking() -> tuple[fs.Registry, list[str]]:
    registry, said = fs.Registry(base=fs.registry), []

    @registry.runtime("source:book")
    async def book(params: fs.ExecutionParams) -> int:
        said.append("book")
        return said.count("book")

    @registry.runtime("source:note")
    async def note(params: fs.ExecutionParams) -> None:
        said.append(str(params.config["says"]))

    return registry, said


@pytest.mark.parametrize("kind", ROUNDS)
async def test_what_undoes_a_round_sees_that_round(kind: str, autojump_clock: Any) -> None:
    registry, said = _booking()
    text = (
        f'<set id="o" var="x" value="none"/>{ROUNDS[kind]}<fail id="z" after="k" message="broken"/>'
    )
    with pytest.raises(fs.WorkflowFailed, match="broken"):
        await fs.run(fs.loads(f'<workflow name="w">{text}</workflow>', registry=registry))
    assert said == ["book"] * 3 + ["3 3 2 1", "2 2 1 0", "1 1 0 none"]


async def test_what_undoes_a_round_of_a_loop_in_a_loop_sees_both(autojump_clock: Any) -> None:
    registry, said = _booking()
    text = (
        f'<loop id="k" max="2"><set id="o" var="x" value="{{{{$iteration}}}}"/>'
        f'<loop id="j" max="2">{BOOK}</loop></loop><fail id="z" after="k" message="broken"/>'
    )
    with pytest.raises(fs.WorkflowFailed, match="broken"):
        await fs.run(fs.loads(f'<workflow name="w">{text}</workflow>', registry=registry))
    assert said == ["book"] * 4 + ["4 4 1 1", "3 3 0 1", "2 2 1 0", "1 1 0 0"]


async def test_what_undoes_a_handler_sees_the_use_that_it_undoes(autojump_clock: Any) -> None:
    registry, said = _booking()
    fails = '<fail id="{}" message="x"><on-error><fallback node="seat"/></on-error></fail>'
    book = BOOK.replace(" {{$iteration}} {{$context.x}}", "")
    text = (
        f'<phase name="p">{fails.format("a")}</phase><phase name="q">{fails.format("b")}</phase>'
        f'{book}<fail id="z" after="q" message="broken"/>'
    )
    with pytest.raises(fs.WorkflowFailed, match="broken"):
        await fs.run(fs.loads(f'<workflow name="w">{text}</workflow>', registry=registry))
    assert said == ["book", "book", "2 2", "1 1"]
