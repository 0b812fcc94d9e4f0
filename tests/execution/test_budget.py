"""What an application bounds of a run as a whole, whatever the document asks for."""

from __future__ import annotations

from math import inf
from typing import Any

import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.types.events import AttemptStarted

from stubs import Stubs

SET = '<set id="{0}" var="v{0}" value="{{{{ $index }}}}"/>'
A, B = SET.format("a"), SET.format("b")
HOLDERS = {
    "sequence": f"{A}{B}",
    "parallel": f'<parallel id="p" maxConcurrency="unlimited"><branch>{A}</branch><branch>{B}</branch></parallel>',
    "parallel with few tokens": f'<parallel id="p" maxConcurrency="1"><branch>{A}</branch>'
    f"<branch>{B}</branch></parallel>",
    "foreach": f'<foreach id="p" collection="range(2)">{A}{B}</foreach>',
    "concurrent foreach": f'<foreach id="p" collection="range(3)" maxConcurrency="unlimited">{A}</foreach>',
    "if": f'<if id="p" condition="true"><then>{A}{B}</then></if>',
    "else": f'<if id="p" condition="false"><then>{A}</then><else>{B}</else></if>',
    "branch": f'<branch id="p"><case when="true">{A}{B}</case></branch>',
    "loop": f'<loop id="p" max="3">{A}</loop>',
    "while": f'<while id="p" condition="$iteration &lt; 3">{A}</while>',
    "timeout": f'<timeout id="p" duration="1h">{A}{B}</timeout>',
    "phase": f'<phase id="p" name="p">{A}{B}</phase>',
    "graph": '<transform:template id="a" template="a"/><transform:template id="b" after="a" template="b"/>',
    "retry": """<source:stub id="s" fails="no"><on-error><retry max="2" when="true" base="1ms"/>
      <fallback node="h"/></on-error></source:stub><set id="h" var="v" value="1"/>""",
    "on-timeout": """<timeout id="t" duration="1s" on-timeout="h"><source:stub id="s" takes="5s"/></timeout>
      <set id="h" var="v" value="1"/>""",
}


def repeated(count: int) -> str:
    """So many branches, of a second each."""
    return "".join(f'<branch><source:stub id="r{n}" takes="1s"/></branch>' for n in range(count))


def catching(body: str) -> str:
    """A document that does all it can to survive the failure of a body."""
    return f"""<parallel id="shell" tolerate="2" fail-fast="false" timeout="1h" on-timeout="keep">
      <branch><phase id="inner" name="i">{body}
        <on-error><retry max="5" when="true" base="1ms"/><fallback node="rescue"/></on-error></phase></branch>
      <branch><source:stub id="sibling" takes="10h"/></branch>
    </parallel><set id="rescue" var="rescued" value="1"/>"""


async def attempts(body: str) -> int:
    counted: list[AttemptStarted] = []

    def count(event: Any) -> None:
        if isinstance(event, AttemptStarted):
            counted.append(event)

    await Stubs().run(body, observers=[count])
    return len(counted)


async def exceeded(body: str, **bounds: Any) -> fs.BudgetExceeded:
    with pytest.raises(fs.BudgetExceeded) as caught:
        await Stubs().run(body, budget=fs.Budget(**bounds))
    return caught.value


@pytest.mark.parametrize("kind", HOLDERS)
async def test_every_attempt_of_a_node_counts_in_every_kind_of_block(
    kind: str, autojump_clock: Any
) -> None:
    body = HOLDERS[kind]
    needed = await attempts(body)
    assert needed >= 2
    within = await Stubs().run(body, budget=fs.Budget(nodes=needed))
    assert within.status == "completed"
    error = await exceeded(body, nodes=needed - 1)
    assert (error.bound, error.limit) == ("nodes", needed - 1)
    assert error.path
    assert str(error) == (
        f"the run executed more nodes than its budget of {needed - 1}, at {error.path!r}; let the document "
        "do less, or give the run more with Budget(nodes=…)"
    )


@pytest.mark.parametrize(
    ("body", "rounds", "path"),
    [
        (HOLDERS["loop"], 3, "p[2]"),
        (HOLDERS["while"], 3, "p[2]"),
        (HOLDERS["foreach"], 2, "p[1]"),
        (HOLDERS["concurrent foreach"], 3, "p[2]"),
        (f'<loop id="o" max="2"><loop id="p" max="3">{A}</loop></loop>', 8, "o[1]/p[2]"),
    ],
)
async def test_rounds_and_iterations_count_together(body: str, rounds: int, path: str) -> None:
    assert (await Stubs().run(body, budget=fs.Budget(rounds=rounds))).status == "completed"
    error = await exceeded(body, rounds=rounds - 1)
    assert (error.bound, error.path) == ("rounds", path)


async def test_the_items_of_generators_count_as_rounds() -> None:
    async def slowly() -> Any:
        for number in range(5):
            await trio.lowlevel.checkpoint()
            yield number

    body = f'<foreach id="p" collection="$input">{A}</foreach>'
    for given in (lambda: iter(range(5)), lambda: (n for n in range(5)), slowly):
        run = await Stubs().run(body, input=given(), budget=fs.Budget(rounds=5))
        assert run.output == [0, 1, 2, 3, 4]
        with pytest.raises(
            fs.BudgetExceeded, match=r"more rounds than its budget of 4, at 'p\[4\]'"
        ):
            await Stubs().run(body, input=given(), budget=fs.Budget(rounds=4))


@pytest.mark.parametrize("kind", HOLDERS)
async def test_nothing_in_a_document_catches_an_exceeded_budget(
    kind: str, autojump_clock: Any
) -> None:
    stubs = Stubs()
    flow = stubs.load(catching(HOLDERS[kind]))
    with pytest.raises(fs.BudgetExceeded) as caught:
        await fs.run(flow, budget=fs.Budget(nodes=4))
    failure = fs.failure_of(caught.value)
    assert failure is not None
    assert failure.path == caught.value.path
    assert not [result for result in failure.record if result.label == "rescue"]
    [sibling] = failure.record["shell/1/sibling"]
    assert sibling.status == "cancelled"
    assert sibling.cancelled_by is not None
    assert trio.current_time() < 3600


@pytest.mark.parametrize(
    "settings",
    [
        'tolerate="2"',
        'wait="any"',
        'wait="n(2)"',
        'fail-fast="false"',
        'timeout="1h" on-timeout="keep"',
    ],
)
async def test_no_policy_of_a_block_lets_an_exceeded_budget_pass(
    settings: str, autojump_clock: Any
) -> None:
    branches = repeated(2) + f"<branch>{A}{B}</branch>"
    for body in (
        f'<parallel id="p" {settings}>{branches}</parallel>',
        f'<foreach id="p" collection="range(3)" maxConcurrency="3" {settings}>{A}{B}</foreach>',
    ):
        assert (await exceeded(body, nodes=4)).bound == "nodes"


async def test_the_run_takes_its_time_and_no_longer(autojump_clock: Any) -> None:
    body = '<source:stub id="s" takes="10s"/>'
    run = await Stubs().run(body, budget=fs.Budget(seconds=10.5))
    assert run.status == "completed"
    began = trio.current_time()
    error = await exceeded(body, seconds=10)  # what ends at its deadline is too late
    assert trio.current_time() - began == 10
    assert (error.bound, error.limit, error.path) == ("seconds", 10, "")
    failure = fs.failure_of(error)
    assert failure is not None
    [result] = failure.record["s"]
    assert result.status == "cancelled"
    assert result.cancelled_by is not None
    assert result.cancelled_by.reason == "the run timed out"


async def test_a_document_can_only_ask_for_less_time(autojump_clock: Any) -> None:
    body = '<source:stub id="s" takes="10h"/>'
    stubs = Stubs()
    with pytest.raises(trio.TooSlowError):
        await fs.run(
            fs.loads(
                f'---\nname: w\nruntime:\n  timeout: 5s\n---\n<workflow name="w">{body}</workflow>',
                registry=stubs.registry,
            ),
            budget=fs.Budget(seconds=10),
        )
    assert trio.current_time() == 5
    with pytest.raises(fs.BudgetExceeded):
        await fs.run(
            fs.loads(
                f'---\nname: w\nruntime:\n  timeout: 50s\n---\n<workflow name="w">{body}</workflow>',
                registry=stubs.registry,
            ),
            budget=fs.Budget(seconds=10),
        )
    assert trio.current_time() == 15


@pytest.mark.parametrize("kind", HOLDERS)
async def test_the_time_passes_in_every_kind_of_block(kind: str, autojump_clock: Any) -> None:
    body = (
        HOLDERS[kind]
        .replace(A, A + '<source:stub id="u2" takes="1h"/>')
        .replace('id="b" after', 'id="slow" after')
    )
    if "1h" not in body.replace('duration="1h"', ""):
        body += '<source:stub id="u3" takes="1h"/>'
    error = await exceeded(catching(body), seconds=60)
    assert error.bound == "seconds"
    assert trio.current_time() == 60


async def test_an_evaluation_that_goes_past_the_deadline_ends_where_no_cancellation_reaches_it() -> (
    None
):
    """Twenty of a second each hold the thread; the first one that sees that the time has passed is the last."""
    spins = "count(range(3000), i =&gt; count(range(3000)) &lt; 0)"
    body = f"""<foreach id="p" collection="range(20)" maxConcurrency="20">
      <transform:template id="t" template="{{{{ {spins} }}}}"/></foreach>"""
    looked = 0
    began = trio.current_time()
    error = await exceeded(body, seconds=0.05)
    looked = error.bound == "seconds"
    assert looked
    assert trio.current_time() - began < 1.5


async def test_an_evaluation_of_clean_up_ends_when_the_seconds_of_clean_up_are_over() -> None:
    spins = "count(range(3000), i =&gt; count(range(3000), j =&gt; j &lt; 0) &lt; 0)"
    body = f"""<delay id="d" duration="1h"/><transform:template id="t" after="d" template="t"/>
      <finally timeout="1h"><transform:template id="f" template="{{{{ {spins} }}}}"/></finally>"""
    error = await exceeded(body, seconds=0.01, cleanup=0.05)
    assert error.bound == "seconds"
    failed = [each.error for each in fs.failure_of(error).record.failures if each.id == "f"]
    assert [str(each).removeprefix("count(): ") for each in failed] == [
        "the clean-up of the run took longer than its budget of 0.05 s"
    ]


@pytest.mark.parametrize("asked", ["unlimited", "50", None])
@pytest.mark.parametrize("kind", ["parallel", "foreach", "graph", "call"])
async def test_no_block_runs_more_at_once_than_the_tasks(
    kind: str, asked: str | None, autojump_clock: Any, tmp_path: Any
) -> None:
    own = fs.Registry(base=fs.registry)
    now = most = 0

    @own.runtime("source:counts")
    async def counts(params: fs.ExecutionParams) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await trio.sleep(1)  # virtual
        now -= 1

    limit = "" if asked is None else f'maxConcurrency="{asked}"'
    if kind == "parallel":
        branch = '<branch><source:counts id="n{}"/></branch>'
        branches = "".join(branch.format(number) for number in range(20))
        body = f'<parallel id="p" {limit}>{branches}</parallel>'
    elif kind == "foreach":
        body = f'<foreach id="p" collection="range(20)" {limit}><source:counts id="n"/></foreach>'
    else:
        body = "".join(f'<source:counts id="n{number}"/>' for number in range(20))
        body = body.replace('id="n1"', 'id="n1" after="n0"')
    text = f'<workflow name="w" max-concurrency="50">{body}</workflow>'
    if kind == "call":
        (tmp_path / "lib.xml").write_text(text)
        text = '<workflow name="w"><call id="c" workflow="lib.xml"/></workflow>'
    (tmp_path / "w.xml").write_text(text)
    flow = fs.load(tmp_path / "w.xml", registry=own)
    await fs.run(flow, budget=fs.Budget(tasks=3), max_concurrency=None if kind == "call" else 50)
    assert most == (1 if kind == "foreach" and asked is None else 3)
    assert now == 0


async def test_a_document_may_ask_for_fewer_tasks(autojump_clock: Any) -> None:
    body = f'<parallel id="p" maxConcurrency="2">{repeated(4)}</parallel>'
    await Stubs().run(body, budget=fs.Budget(tasks=3))
    assert trio.current_time() == 2


# ---- clean-up ----


@pytest.mark.parametrize(
    ("body", "took"),
    [
        ('<finally timeout="1d"><source:stub id="u5" takes="8h"/></finally>', 3),
        (
            '<on-workflow-error timeout="1d"><source:stub id="u6" takes="8h"/></on-workflow-error>',
            3,
        ),
        (
            '<on-workflow-error timeout="1d"><source:stub id="u7" takes="2s"/></on-workflow-error>'
            '<finally timeout="1d"><source:stub id="u8" takes="8h"/></finally>',
            3,
        ),
        ('<finally><source:stub id="u9" takes="2s"/></finally>', 2),
    ],
)
async def test_clean_up_has_so_many_seconds_in_all(
    body: str, took: float, autojump_clock: Any
) -> None:
    error = await exceeded(f'<source:stub id="s" takes="8h"/>{body}', seconds=10, cleanup=3)
    assert error.bound == "seconds"
    assert trio.current_time() == 10 + took


async def test_compensations_share_the_seconds_of_clean_up(autojump_clock: Any) -> None:
    undo = '<compensate timeout="9s"><source:stub id="undo{0}" takes="2s"/></compensate>'
    done = "".join(f'<source:stub id="s{n}">{undo.format(n)}</source:stub>' for n in range(4))
    stubs = Stubs()
    with pytest.raises(fs.BudgetExceeded):
        await fs.run(
            stubs.load(f'{done}<source:stub id="slow" takes="8h"/>'),
            budget=fs.Budget(seconds=10, cleanup=5),
        )
    assert trio.current_time() == 15
    assert sum(event.startswith("end undo") for event in stubs.events) == 2


async def test_clean_up_that_has_too_little_left_says_so(autojump_clock: Any) -> None:
    body = '<source:stub id="s"/><finally timeout="9s"><source:stub id="u11" takes="8s"/></finally>'
    with pytest.raises(trio.TooSlowError) as caught:
        await Stubs().run(body, budget=fs.Budget(cleanup=3))
    assert str(caught.value) == (
        "clean-up at '@finally' took longer than the 3 s that were left of the budget's 3 s of clean-up; "
        "shorten it, or give the run more with Budget(cleanup=…)"
    )
    assert trio.current_time() == 3


async def test_clean_up_at_the_same_time_counts_once(autojump_clock: Any) -> None:
    phase = """<phase name="x{0}"><source:stub id="s{0}"/>
      <finally><source:stub id="f{0}" takes="2s"/></finally></phase>"""
    branches = "".join(f"<branch>{phase.format(n)}</branch>" for n in range(5))
    run = await Stubs().run(
        f'<parallel id="p">{branches}</parallel>', budget=fs.Budget(cleanup=2.5)
    )
    assert run.status == "completed"
    assert trio.current_time() == 2


@pytest.mark.parametrize(
    ("bounds", "spends"),
    [
        ({"nodes": 3}, '<loop id="l" max="9"><source:stub id="u13"/></loop>'),
        ({"rounds": 1}, '<loop id="l" max="9"><source:stub id="u14"/></loop>'),
        ({"seconds": 5}, '<source:stub id="u15" takes="9s"/>'),
        ({"output_bytes": 5_000}, '<set var="v" value="{{ repeat(\'x\', 9000) }}"/>'),
        ({"record_bytes": 1_800}, '<loop id="l" max="9"><source:stub id="u16"/></loop>'),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
async def test_clean_up_runs_where_the_nodes_have_spent_all(
    bounds: dict[str, Any], spends: str, autojump_clock: Any
) -> None:
    stubs = Stubs()
    body = f"""{spends}<on-workflow-error><source:stub id="told"/></on-workflow-error>
      <finally><source:stub id="first"/><source:stub id="last" takes="1s"/></finally>"""
    with pytest.raises(fs.BudgetExceeded) as caught:
        await fs.run(stubs.load(body), budget=fs.Budget(**bounds))
    assert caught.value.bound == next(iter(bounds))
    assert [e for e in stubs.events if e.startswith("end ") and "end u" not in e] == [
        "end told",
        "end first",
        "end last",
    ]


async def test_clean_up_has_the_same_bounds_for_itself(autojump_clock: Any) -> None:
    endless = '<while id="{0}" condition="true" max="1000000000"><source:stub id="in-{0}" takes="1ms"/></while>'
    body = f"""{endless.format("w")}
      <finally timeout="1d">{endless.format("f")}</finally>
      <on-workflow-error timeout="1d">{endless.format("e")}</on-workflow-error>"""
    stubs = Stubs()
    with pytest.raises(fs.BudgetExceeded) as caught:
        await fs.run(stubs.load(body), budget=fs.Budget(nodes=100))
    assert caught.value.path == f"w[99]/{caught.value.path.partition('/')[2]}"
    assert sum(event.startswith("end") for event in stubs.events) == 99 + 99
    record = fs.failure_of(caught.value).record
    other = [result.error for result in record.failures if result.error is not caught.value]
    assert {str(error).partition(",")[0] for error in other} == {
        "the run executed more nodes than its budget of 100"
    }
    assert all("which clean-up has for itself" in str(error) for error in other)


async def test_what_clean_up_exceeds_fails_a_run_that_had_succeeded(autojump_clock: Any) -> None:
    body = '<set var="x" value="1"/><finally><loop id="l" max="9"><source:stub id="u18"/></loop></finally>'
    for bounds in ({"nodes": 5}, {"rounds": 5}, {"record_bytes": 3000}):
        error = await exceeded(body, **bounds)
        assert error.path.startswith("@finally/")
        assert "which clean-up has for itself" in str(error)


async def test_what_runtimes_have_opened_is_closed_also_where_clean_up_has_taken_all(
    autojump_clock: Any,
) -> None:
    own = fs.Registry(base=fs.registry)
    closed = []

    class Slow:
        def __init__(self, name: str, takes: float) -> None:
            self.name, self.takes = name, takes

        async def aclose(self) -> None:
            await trio.sleep(self.takes)  # virtual
            closed.append(self.name)

    @own.runtime("source:opens")
    async def opens(params: fs.ExecutionParams) -> None:
        await params.run.resource("hangs", lambda: Slow("hangs", 60))
        await params.run.resource("quick", lambda: Slow("quick", 0.5))

    text = """<workflow name="w"><source:opens id="u19"/><finally><delay duration="9s"/></finally></workflow>"""
    with pytest.raises(trio.TooSlowError):
        await fs.run(fs.loads(text, registry=own), budget=fs.Budget(cleanup=2))
    assert closed == ["quick"]
    assert trio.current_time() == 3


# ---- what is kept ----

BIG = "repeat('x', 100000) + {0}"
KEPT = {
    "outputs of a sequence": "".join(
        f'<transform:template id="t{n}" template="{{{{ {BIG.format(n)} }}}}"/>' for n in range(20)
    ),
    "outputs of a foreach": '<foreach id="p" collection="range(20)"><transform:template id="t" template="{{ '
    + BIG.format("$index")
    + ' }}"/></foreach>',
    "outputs of a concurrent foreach": '<foreach id="p" collection="range(20)" maxConcurrency="20">'
    '<transform:template id="t" template="{{ ' + BIG.format("$index") + ' }}"/></foreach>',
    "variables": "".join(f'<set var="v{n}" value="{{{{ {BIG.format(n)} }}}}"/>' for n in range(20)),
    "a variable that grows": """<set var="x" value="{{ [] }}"/><loop id="l" max="20">
      <set var="x" value="{{ [...$context.x, """
    + BIG.format("$iteration")
    + """] }}"/></loop>""",
    "a context": "<context>"
    + "".join(f'<set key="v{n}" value="{{{{ {BIG.format(n)} }}}}"/>' for n in range(20))
    + "</context>",
    "inputs of nodes that run": f"""<foreach id="p" collection="range(20)" maxConcurrency="20">
      <source:stub id="u20" takes="1s" input="{{{{ {BIG.format("$index")} }}}}"/></foreach>""",
    "settings of nodes that run": '<foreach id="p" collection="range(20)" maxConcurrency="20">'
    '<source:stub id="u21" takes="1s" gives="{{ ' + BIG.format("$index") + ' }}"/></foreach>',
    "the collection of a foreach": f"""<foreach id="p" collection="map(range(20), i =&gt; {BIG.format("i")})">
      <source:stub id="u22"/></foreach>""",
}


@pytest.mark.parametrize("kind", KEPT)
async def test_what_is_kept_at_once_is_bounded(kind: str, autojump_clock: Any) -> None:
    """Two million bytes are made in each; nothing of them is counted twice."""
    body = KEPT[kind]
    run = await Stubs().run(body, budget=fs.Budget(output_bytes=2_200_000))
    assert run.status == "completed"
    error = await exceeded(body, output_bytes=1_500_000)
    assert error.bound == "output_bytes"


async def test_what_is_dropped_counts_no_more(autojump_clock: Any) -> None:
    body = (
        '<loop id="l" max="200"><set id="s" var="x" value="{{ '
        + BIG.format("$iteration")
        + ' }}"/></loop>'
    )
    run = await Stubs().run(body, keep=2, budget=fs.Budget(output_bytes=1_000_000))
    assert run.status == "completed"  # 20 million bytes were made, of which few were kept
    with pytest.raises(fs.BudgetExceeded):
        await Stubs().run(body, keep=50, budget=fs.Budget(output_bytes=1_000_000))


async def test_a_variable_is_kept_where_its_node_is_not(autojump_clock: Any) -> None:
    body = (
        '<set var="x" value="{{ [] }}"/><loop id="l" max="200"><set var="x" value="{{ [...$context.x, '
        + BIG.format("$iteration")
        + '] }}"/></loop>'
    )
    with pytest.raises(fs.BudgetExceeded):
        await Stubs().run(body, keep=0, budget=fs.Budget(output_bytes=1_000_000))


@pytest.mark.parametrize(
    "element",
    [
        """<transform:map id="m" input="$input" expression="repeat('x', 10000) + item"/>""",
        """<transform:reduce id="m" input="$input" initial="[]"
          reducer="[...acc, repeat('x', 10000) + item]"/>""",
    ],
)
async def test_a_list_is_counted_while_it_is_made(element: str) -> None:
    """200 million bytes would be made; it ends long before."""
    with pytest.raises(fs.BudgetExceeded) as caught:
        await Stubs().run(element, input=range(20_000), budget=fs.Budget(output_bytes=2_000_000))
    error = caught.value
    assert (error.bound, error.path) == ("output_bytes", "m")


async def test_the_record_is_bounded(autojump_clock: Any) -> None:
    body = '<loop id="l" max="100"><set var="x" value="1"/></loop>'
    run = await Stubs().run(body, budget=fs.Budget(record_bytes=100_000))
    assert len(run.record) == 101
    error = await exceeded(body, record_bytes=20_000)
    assert (error.bound, error.path.startswith("l[")) == ("record_bytes", True)


async def test_failures_that_are_tolerated_weigh_on_the_record(autojump_clock: Any) -> None:
    body = """<foreach id="p" collection="range(100)" tolerate="100%">
      <source:stub id="u23" fails="no"/></foreach>"""
    run = await Stubs().run(body, budget=fs.Budget(record_bytes=1_000_000))
    assert run.status == "completed"
    assert (await exceeded(body, record_bytes=100_000)).bound == "record_bytes"


# ---- concurrency, handles, interrupts ----


async def test_branches_that_go_too_far_together_fail_the_run_once(autojump_clock: Any) -> None:
    body = """<foreach id="p" collection="range(50)" maxConcurrency="50"><foreach id="q"
      collection="range(5)" maxConcurrency="5"><source:stub id="u24" takes="1s"/></foreach></foreach>"""
    stubs = Stubs()
    with pytest.raises(fs.BudgetExceeded) as caught:
        await fs.run(stubs.load(body), budget=fs.Budget(nodes=100))
    failure = fs.failure_of(caught.value)
    assert failure is not None
    assert failure.path == caught.value.path
    assert sum(event.startswith("start") for event in stubs.events) <= 100
    assert not [event for event in stubs.events if event.startswith("end")]
    assert trio.current_time() == 0


async def test_an_error_of_a_sibling_that_unwinds_does_not_take_its_place(
    autojump_clock: Any,
) -> None:
    body = f"""<parallel id="p">
      <branch><phase name="d"><phase name="e"><source:stub id="u25" takes="1s"/>{A}{B}</phase></phase></branch>
      <branch><source:stub id="s" hangs="true" cleanup="fail"/></branch></parallel>"""
    error = await exceeded(body, nodes=6)
    record = fs.failure_of(error).record
    assert "p/1/s" in [result.path for result in record.failures if result.error is not error]


async def test_a_run_in_the_hand_of_its_caller_has_a_budget_too(autojump_clock: Any) -> None:
    flow = Stubs().load('<source:stub id="u26" takes="1h"/>')
    async with fs.open_run(flow, budget=fs.Budget(seconds=5)) as run:
        with pytest.raises(fs.BudgetExceeded):
            await run.wait()
    assert run.status == "failed"
    assert trio.current_time() == 5


async def test_a_cancellation_from_outside_passes_on(autojump_clock: Any) -> None:
    flow = Stubs().load('<source:stub id="u27" takes="1h"/>')
    with trio.move_on_after(3) as scope:
        await fs.run(flow, budget=fs.Budget(seconds=5, nodes=5, cleanup=1, output_bytes=5_000))
    assert scope.cancelled_caught


async def test_one_budget_serves_many_runs_each_for_itself(autojump_clock: Any) -> None:
    budget = fs.Budget(nodes=2, rounds=0, output_bytes=10_000)
    flow = Stubs().load(A + B)
    async with trio.open_nursery() as nursery:
        for _ in range(5):
            nursery.start_soon(lambda: fs.run(flow, budget=budget))


async def test_documents_that_are_called_or_included_spend_the_same_budget(
    autojump_clock: Any, tmp_path: Any
) -> None:
    (tmp_path / "lib.xml").write_text(f'<workflow name="lib">{A}{B}</workflow>')
    for how in ("call", "include"):
        (tmp_path / "w.xml").write_text(
            f'<workflow name="w"><{how} id="c" workflow="lib.xml"/><{how} id="d" workflow="lib.xml"/></workflow>'
        )
        flow = fs.load(tmp_path / "w.xml")
        assert (await fs.run(flow, budget=fs.Budget(nodes=6))).status == "completed"
        with pytest.raises(fs.BudgetExceeded) as caught:
            await fs.run(flow, budget=fs.Budget(nodes=5))
        assert caught.value.path in ("c/a", "c/b", "d/a", "d/b")  # all run side by side


@pytest.mark.parametrize("wrong", [{"nodes": 1}, 10, "seconds=1"])
async def test_what_is_no_budget_is_refused_before_anything_runs(wrong: Any) -> None:
    with pytest.raises(fs.InputError, match=r"budget is of type .*; expected Budget"):
        await Stubs().run(A, budget=wrong)


async def test_infinite_limits_are_capped(autojump_clock: Any) -> None:
    await Stubs().run(
        f'<parallel id="p">{repeated(4)}</parallel>', max_concurrency=inf, budget=fs.Budget(tasks=2)
    )
    assert trio.current_time() == 2
