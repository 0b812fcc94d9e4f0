"""Owns the tests of forks: a run that begins with what another had done, and goes on in its own way."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from itertools import count
from typing import Any

import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.execution.durable import compacting
from flowscript_trio.types.storing import StoreFailed

THREE = (
    '<workflow name="w"><source:a id="one"/><source:a id="two" input="one"/>'
    '<source:a id="three" input="two"/></workflow>'
)


class World:
    """Nodes that note that they were run, and fail where they are told to."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.keys: dict[str, set[str | None]] = {}
        self.fail: set[str] = set()
        self.store = fs.Store.memory()
        self.registry = fs.Registry(base=fs.registry)
        self.registry.runtime("source:a")(self.a)
        self.registry.runtime("source:b")(self.a)

    async def a(self, params: fs.ExecutionParams) -> Any:
        await trio.sleep(float(params.config.get("takes", 1)))  # virtual
        self.keys.setdefault(params.node.label, set()).add(params.idempotency_key)
        if params.node.label in self.fail:
            raise ValueError(f"{params.node.label} failed")
        self.done.append(params.node.label)
        return params.config.get("gives", f"{params.input or ''}{params.node.label} ")

    def read(self, text: str) -> fs.Flow:
        return fs.loads(text, name="w.xml", registry=self.registry)

    async def run(self, text: str, **options: Any) -> fs.Run:
        return await fs.run(self.read(text), store=self.store, run_id="r", **options)

    async def fork(self, at: str, **options: Any) -> fs.Run:
        """Fork the run and go on with the fork; ``done`` has what that did."""
        name = await fs.fork(self.store, "r", at=at, registry=self.registry, **options)
        self.done.clear()
        secrets = options.get("secrets")
        return await fs.resume(self.store, name, registry=self.registry, secrets=secrets)


async def test_a_fork_does_again_what_comes_from_that_node_on(autojump_clock: Any) -> None:
    world = World()
    first = await world.run(THREE)
    run = await world.fork("two")
    assert run.output == first.output == "one two three "
    assert world.done == ["two", "three"]
    assert run.id != first.id
    assert {state.run_id: state.state for state in await world.store.runs()} == {
        "r": "completed",
        run.id: "completed",
    }
    assert len(world.keys["two"]) == 2  # another run has other idempotency keys


async def test_a_run_that_failed_goes_on_once_its_document_is_mended(autojump_clock: Any) -> None:
    world = World()
    world.fail = {"two"}
    with pytest.raises(ValueError, match="two failed"):
        await world.run(THREE)
    mended = world.read(
        THREE.replace(
            '<source:a id="two" input="one"/>', '<source:b id="two" input="one" gives="new "/>'
        )
    )
    world.fail = set()
    run = await world.fork("two", document=mended)
    assert run.output == "new three "
    assert world.done == ["two", "three"]


async def test_a_node_can_be_skipped_with_an_output(autojump_clock: Any) -> None:
    world = World()
    world.fail = {"two"}
    with pytest.raises(ValueError, match="two failed"):
        await world.run(THREE)
    run = await world.fork("two", skip={"two": "by hand "})
    assert run.output == "by hand three "
    assert world.done == ["three"]
    assert run.results["two"].output == "by hand "


async def test_a_block_can_be_skipped_and_a_node_in_an_iteration(autojump_clock: Any) -> None:
    world = World()
    text = (
        '<workflow name="w"><source:a id="s"/><foreach id="e" after="s" collection="[1,2,3]"><source:a id="x" gives="{{item}}"/>'
        '</foreach><if id="i" condition="true" after="e"><then><source:a id="y"/></then></if></workflow>'
    )
    await world.run(text)
    run = await world.fork("e", skip={"e[1]/x": "skipped", "i": "nothing"})
    assert world.done == ["x", "x"]
    assert run.results["e"].output == [1, "skipped", 3]
    assert run.output == "nothing"


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("tow", "never reached 'tow'; did you mean 'two'"),
        ("", "never reached ''"),
        ("last", "never reached 'last'; did you mean 'lasts'"),
    ],
)
async def test_an_execution_that_is_not_there_is_said_with_the_nearest(
    at: str, said: str, autojump_clock: Any
) -> None:
    world = World()
    await world.run(
        THREE.replace("</workflow>", '<transform:template id="lasts" template="x"/></workflow>')
    )
    with pytest.raises(fs.InputError, match=said):
        await world.fork(at)
    assert len(await world.store.runs()) == 1


COMPUTING = {
    "a sequence": ('<phase name="p">{a}{t}{b}</phase>', "p/t"),
    "a graph": ('{a}<transform:template id="t" template="{new}{{{{a}}}}"/>{b}', "t"),
    "a branch": ('<parallel id="p"><branch>{a}{t}{b}</branch><branch><source:a id="o"/></branch></parallel>', "p/0/t"),
    "an iteration": ('<foreach id="e" collection="[1,2,3]">{a}{t}{b}</foreach>', "e[1]/t"),
    "a round": ('<loop id="l" max="3">{a}{t}{b}</loop>', "l[1]/t"),
    "a choice": ('{a}<if id="i" condition="true" after="a"><then>{t}{b}</then></if>', "i/t"),
    "a time limit": ('<timeout id="w" duration="9s">{a}{t}{b}</timeout>', "w/t"),
    "clean-up": ('<source:a id="z"/><finally>{a}{t}{b}</finally>', "@finally/t"),
}  # fmt: skip
BEFORE = {
    "a branch": (["a"], ["b", "o"]),
    "an iteration": (["a", "b", "a"], ["b", "a", "b"]),
    "a round": (["a", "b", "a"], ["b", "a", "b"]),
    "clean-up": (["z", "a"], ["b"]),
}


def _computing(shape: str, node: str, new: str) -> str:
    text = COMPUTING[shape][0]
    made = text.format(
        a='<source:a id="a"/>', b='<source:a id="b" input="t" after="t"/>' if "graph" in shape else '<source:a id="b" input="t"/>', t=node.format(new=new), new=new
    )  # fmt: skip
    return f'<workflow name="w">{made}</workflow>'


@pytest.mark.parametrize(
    "node",
    [
        '<transform:template id="t" template="{new}{{{{a}}}}"/>',
        '<set id="t" var="v" value="{new}{{{{a}}}}"/>',
        '<if id="t" condition="true"><then><transform:template id="u" template="{new}{{{{a}}}}"/></then></if>',
        '<transform:map id="t" input="{{{{[a]}}}}" expression="\'{new}\' + $item"/>',
    ],
    ids=["template", "set", "if", "map"],
)
@pytest.mark.parametrize("shape", COMPUTING)
async def test_a_run_can_be_forked_at_a_node_that_only_computes(
    shape: str, node: str, autojump_clock: Any
) -> None:
    world = World()
    first = await world.run(_computing(shape, node, "old "))
    assert world.done.count("b") >= 1
    ran = list(world.done)
    mended = world.read(_computing(shape, node, "new "))
    name = await fs.fork(
        world.store, "r", at=COMPUTING[shape][1], registry=world.registry, document=mended
    )
    assert world.done == ran  # nothing was done to find out where it begins
    kept = [row.key for row in world.store.rows_of(name) if row.kind == "ended"]
    before, after = BEFORE.get(shape, (["a"], ["b"]))
    labels = [key.rpartition("/")[2] for key in kept]
    assert sorted(set(labels) - {"o"}) == sorted(set(before))
    assert [label for label in labels if label != "o"] == before
    world.done.clear()
    again = await fs.resume(world.store, name, registry=world.registry)
    assert [label for label in world.done if label != "o"] == [
        label for label in after if label != "o"
    ]
    if shape != "clean-up":
        assert "new a" in str(again.output)
        assert "new a" not in str(first.output)


UNREACHED = {
    "the other side of a choice": (
        '<source:a id="a"/><if id="i" condition="false" after="a"><then><set id="t" var="v" value="1"/></then></if>',
        "i/t",
    ),
    "its condition": ('<source:a id="a"/><set id="t" if="false" var="v" value="1" after="a"/>', "t"),
    "what was jumped over": (
        '<phase name="p"><source:a id="a"/><return value="1"/><set id="t" var="v" value="1"/></phase>',
        "t",
    ),
    "a failure before it": ('<source:a id="bad"/><set id="t" var="v" value="{{bad}}"/>', "t"),
    "a later round": ('<loop id="l" max="2"><source:a id="a"/><set id="t" var="v" value="1"/></loop>', "l[2]/t"),
}  # fmt: skip


@pytest.mark.parametrize("shape", UNREACHED)
async def test_a_run_is_not_forked_at_a_node_that_it_never_reached(
    shape: str, autojump_clock: Any
) -> None:
    world = World()
    world.fail = {"bad"}
    text, at = UNREACHED[shape]
    with suppress(ValueError):
        await world.run(f'<workflow name="w">{text}</workflow>')
    with pytest.raises(fs.InputError, match="never reached"):
        await world.fork(at)
    assert len(await world.store.runs()) == 1


async def test_a_node_behind_one_that_is_at_work_was_not_reached_and_that_is_not_done(
    autojump_clock: Any,
) -> None:
    world = World()
    text = """<workflow name="w"><parallel id="p">
      <branch><source:a id="a"/><set id="t" var="v" value="{{a}}"/><source:a id="slow" takes="50"/>
        <set id="u" var="v" value="2"/></branch>
      <branch><delay id="d" duration="90s"/><set id="x" var="v" value="3"/></branch>
      <branch><checkpoint id="ask" prompt="now?"/><set id="y" var="v" value="3"/></branch></parallel></workflow>"""
    async with fs.open_run(world.read(text), store=world.store, run_id="r") as run:
        await trio.sleep(10)
        run.leave()
    for at in ("p/0/u", "p/1/x", "p/2/y"):
        with pytest.raises(fs.InputError, match="never reached"):
            await fs.fork(world.store, "r", at=at, registry=world.registry)
    name = await fs.fork(world.store, "r", at="p/0/t", registry=world.registry)
    assert world.done == ["a"]
    kept = [row.key for row in world.store.rows_of(name) if row.kind == "ended"]
    assert kept == ["p/0/a"]


async def test_a_node_that_only_computes_can_be_skipped_at_the_fork(autojump_clock: Any) -> None:
    world = World()
    await world.run(
        _computing("a sequence", '<set id="t" var="v" value="{new}{{{{a}}}}"/>', "old ")
    )
    run = await world.fork("p/t", skip={"p/t": "by hand "})
    assert run.output == "by hand b "
    assert world.done == ["b"]


async def test_a_run_of_a_release_with_other_journals_is_neither_resumed_nor_forked(
    autojump_clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World()
    with monkeypatch.context() as earlier:
        earlier.setattr("flowscript_trio.execution.durable.given.SEMANTICS", 1)
        await world.run(THREE)
    said = "a release whose workflows or journals mean something else"
    with pytest.raises(fs.InputError, match=said):
        await fs.resume(world.store, "r", registry=world.registry)
    with pytest.raises(fs.InputError, match=said):
        await world.fork("two")


async def test_a_run_that_is_not_there_is_said(autojump_clock: Any) -> None:
    world = World()
    with pytest.raises(fs.InputError, match="there is no run 'r'"):
        await world.fork("one")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            '<source:a id="won"/><source:a id="two"/>',
            "no node 'one' at the top.*did you rename it to",
        ),
        (
            '<source:b id="one"/><source:a id="two"/>',
            "'one' of the changed document is of type source:b",
        ),
        (
            '<if id="i" condition="true"><then><source:a id="one"/></then></if><source:a id="two"/>',
            "the node 'one' inside 'i', and it had begun at the top",
        ),
    ],
)
async def test_a_document_without_what_had_begun_is_refused_by_name(
    changed: str, said: str, autojump_clock: Any
) -> None:
    world = World()
    await world.run(THREE)
    with pytest.raises(fs.InputError, match=said):
        await world.fork("two", document=world.read(f'<workflow name="w">{changed}</workflow>'))
    assert len(await world.store.runs()) == 1


async def test_what_had_not_begun_may_change_in_any_way(autojump_clock: Any) -> None:
    world = World()
    await world.run(THREE)
    changed = '<workflow name="w"><source:a id="one" gives="other"/><foreach id="e" collection="[1,2]"><source:a id="n"/></foreach></workflow>'
    run = await world.fork("two", document=world.read(changed))
    assert world.done == ["n", "n"]
    assert run.results["one"].output == "one "


@pytest.mark.parametrize(
    ("skip", "said"),
    [
        ({"one": 1}, "'one' cannot be skipped: it had ended before the fork"),
        ({"thre": 1}, "no node 'thre'; did you mean 'three'"),
        ({"": 1}, "cannot be skipped"),
        ({"two": object()}, "an output to skip a node with cannot be kept"),
    ],
)
async def test_what_cannot_be_skipped_is_said(
    skip: dict[str, Any], said: str, autojump_clock: Any
) -> None:
    world = World()
    await world.run(THREE)
    with pytest.raises(fs.InputError, match=said):
        await world.fork("two", skip=skip)
    assert len(await world.store.runs()) == 1


UNDO = """<workflow name="w"><source:a id="book"><compensate><source:a id="unbook"/></compensate></source:a>
<source:a id="pay" input="book"/><source:a id="tell" input="pay"/></workflow>"""


async def test_what_was_undone_counts_as_not_ended(autojump_clock: Any) -> None:
    world = World()
    world.fail = {"tell"}
    with pytest.raises(ValueError, match="tell failed"):
        await world.run(UNDO)
    assert world.done == ["book", "pay", "unbook"]
    world.fail = set()
    run = await world.fork("tell")
    assert run.status == "completed"
    assert world.done == ["book", "tell"]


async def test_a_fork_undoes_what_a_run_that_completed_no_longer_can(autojump_clock: Any) -> None:
    world = World()
    await world.run(UNDO)
    world.fail = {"tell"}
    with pytest.raises(ValueError, match="tell failed"):
        await world.fork("tell")
    assert world.done == ["unbook"]


async def test_a_fork_leaves_to_a_run_that_goes_on_what_that_can_undo(autojump_clock: Any) -> None:
    world = World()
    async with fs.open_run(world.read(UNDO), store=world.store, run_id="r") as run:
        await trio.sleep(1.5)
        run.leave()
    world.fail = {"tell"}
    with pytest.raises(ValueError, match="tell failed"):
        await world.fork("pay")
    assert world.done == ["pay"]
    world.done.clear()
    with pytest.raises(ValueError, match="tell failed"):
        await fs.resume(world.store, "r", registry=world.registry)
    assert world.done == ["pay", "unbook"]


async def test_a_run_can_be_forked_while_another_task_runs_it(autojump_clock: Any) -> None:
    world = World()
    async with fs.open_run(world.read(THREE), store=world.store, run_id="r") as run:
        await trio.sleep(1.5)
        forked = await world.fork("two")
        await run.wait()
    assert run.output == forked.output == "one two three "


async def test_what_others_had_begun_at_the_fork_begins_anew_with_its_own_time(
    autojump_clock: Any,
) -> None:
    world = World()
    text = """<workflow name="w"><parallel id="p"><branch><source:a id="x" on-crash="fail" takes="5"/></branch>
      <branch><source:a id="y"/><source:a id="z"/></branch><branch><timeout id="t" duration="20s">
      <source:a id="v" takes="15"/></timeout></branch></parallel></workflow>"""
    await world.run(text)
    await trio.sleep(1000)
    run = await world.fork("p/1/z")
    assert run.status == "completed"
    assert sorted(world.done) == ["v", "x", "z"]


async def test_a_race_that_was_won_before_stays_won(autojump_clock: Any) -> None:
    world = World()
    text = """<workflow name="w"><parallel id="p" wait="any"><branch><source:a id="x" takes="5"/></branch>
      <branch><source:a id="y"/></branch></parallel><source:a id="z" input="p"/></workflow>"""
    first = await world.run(text)
    run = await world.fork("z")
    assert run.output == first.output
    assert world.done == ["z"]


async def test_a_run_is_not_forked_where_it_was_compacted(
    monkeypatch: pytest.MonkeyPatch, autojump_clock: Any
) -> None:
    monkeypatch.setattr(compacting, "MOST_ROWS", 5)
    world = World()
    text = """<workflow name="w"><source:a id="s"/><loop id="l" after="s" max="9"><source:a id="x"/></loop>
      <foreach id="e" after="l" collection="range(0, 9)" merge="none"><source:a id="y"/></foreach><source:a id="z" after="e"/></workflow>"""
    first = await world.run(text)
    for at in ("l[2]/x", "e[2]/y"):
        with pytest.raises(fs.InputError, match=r"what had ended in '[le]' is compacted; expected"):
            await world.fork(at)
    for at, expected in (("z", 1), ("e", 10), ("l", 19)):
        run = await world.fork(at)
        assert (at, run.status, len(world.done)) == (at, "completed", expected)
        assert run.output == first.output


async def test_a_run_is_not_forked_before_what_was_compacted_later_had_ended(
    monkeypatch: pytest.MonkeyPatch, autojump_clock: Any
) -> None:
    monkeypatch.setattr(compacting, "MOST_ROWS", 5)
    world = World()
    text = """<workflow name="w"><parallel id="p"><branch><loop id="l" max="20"><source:a id="x"/></loop></branch>
      <branch><source:a id="y"/><source:a id="z"/></branch></parallel></workflow>"""
    await world.run(text)
    with pytest.raises(
        fs.InputError, match="'p/0/l' had begun before it and was compacted after it"
    ):
        await world.fork("p/1/z")


async def test_a_fork_does_not_take_over_that_a_process_had_left(autojump_clock: Any) -> None:
    world = World()
    async with (
        trio.open_nursery() as nursery,
        fs.open_run(world.read(THREE), store=world.store, run_id="r") as run,
    ):

        @nursery.start_soon
        async def leave() -> None:
            await trio.sleep(1.5)  # virtual: in the middle of two
            run.leave()

    assert run.status == "suspended"
    await fs.resume(world.store, "r", registry=world.registry)
    assert "left" in [row.kind for row in world.store.rows_of("r")]
    run = await world.fork("three")
    assert world.done == ["three"]
    assert "left" not in [row.kind for row in world.store.rows_of(run.id)]


async def test_a_fork_has_the_chance_and_the_secrets_of_its_run(autojump_clock: Any) -> None:
    world = World()
    text = """<workflow name="w"><secret name="token"/><source:a id="one" gives="{{uuid()}} {{$secrets.token}}"/>
      <source:a id="two" gives="{{one}} {{uuid()}}"/></workflow>"""
    first = await world.run(text, secrets={"token": "s3cret-token"})
    with pytest.raises(fs.InputError, match="secrets that are missing now: token"):
        await world.fork("two")
    run = await world.fork("two", secrets={"token": "s3cret-token"})
    assert run.output == first.output
    assert "s3cret-token" in run.output
    rows = world.store.rows_of(run.id)
    assert not any(b"s3cret-token" in row.data for row in rows)


async def test_a_fork_whose_process_died_while_it_was_made_is_not_run_from_its_beginning(
    autojump_clock: Any,
) -> None:
    world = World()
    died: list[str] = []

    def watch(moment: str, number: int) -> None:
        if armed and moment == "before":
            died.append(moment)
            store.crash()

    armed = False
    world.store = store = fs.Store.memory(watch=watch)
    await world.run(THREE)
    armed = True
    with pytest.raises(StoreFailed):
        await world.fork("two", new_id="f")
    assert died
    armed = False
    world.done.clear()
    with pytest.raises(StoreFailed, match="a fork whose process died before it was written"):
        await fs.resume(store, "f", registry=world.registry)
    assert not world.done


async def test_a_fork_under_an_id_that_is_taken_is_refused(autojump_clock: Any) -> None:
    world = World()
    await world.run(THREE)
    await fs.fork(world.store, "r", at="two", new_id="f", registry=world.registry)
    again = partial(fs.fork, world.store, "r", at="two", new_id="f", registry=world.registry)
    with pytest.raises(fs.InputError, match="'f' is in the store already"):
        await again()


async def test_a_fork_can_be_forked(autojump_clock: Any) -> None:
    world = World()
    await world.run(THREE)
    await fs.fork(
        world.store, "r", at="two", new_id="f", skip={"two": "x "}, registry=world.registry
    )
    await fs.resume(world.store, "f", registry=world.registry)
    name = await fs.fork(world.store, "f", at="three", registry=world.registry)
    world.done.clear()
    run = await fs.resume(world.store, name, registry=world.registry)
    assert run.output == "x three "
    assert world.done == ["three"]


async def test_what_a_node_had_kept_that_had_not_ended_is_not_taken_over(
    autojump_clock: Any,
) -> None:
    world = World()
    kept: list[Any] = []
    numbers = count()

    @world.registry.runtime("source:k")
    async def keeps(params: fs.ExecutionParams) -> None:
        kept.append(await params.run.keep_first(next(numbers)))
        await trio.sleep(float(params.config["takes"]))

    await world.run(
        """<workflow name="w"><parallel id="p"><branch><source:k id="long" takes="9"/></branch>
        <branch><source:k id="short" takes="1"/><source:a id="x"/></branch></parallel></workflow>"""
    )
    await world.fork("p/1/x")
    assert sorted(kept) == [0, 1, 2]
    assert world.done == ["x"]


async def test_a_fork_of_a_run_with_a_budget_counts_what_was_compacted_before_it(
    autojump_clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compacting, "MOST_ROWS", 4)
    world = World()
    text = """<workflow name="w"><foreach id="e" collection="range(9)" merge="none"><source:a id="a"/></foreach>
      <source:a id="z" after="e"/></workflow>"""
    await world.run(text, budget=fs.Budget(nodes=11, rounds=9))
    assert (await world.fork("z")).status == "completed"
    world = World()
    with pytest.raises(fs.BudgetExceeded):
        await world.run(text, budget=fs.Budget(nodes=10))
    with pytest.raises(fs.BudgetExceeded):
        await world.fork("z")


CLEANED = """<workflow name="w"><timeout id="t" duration="2s">{}
  <finally><source:a id="c"/><source:a id="d"/></finally></timeout></workflow>"""
DEAF = '<source:deaf id="x"><compensate><source:a id="undo"/></compensate></source:deaf>'


@pytest.mark.parametrize(
    ("inside", "at", "done"),
    [
        ('<source:a id="x" takes="9"/>', "t/@finally/c", ["c", "d"]),
        ('<source:a id="x" takes="9"/>', "t/@finally/d", ["d"]),
        (DEAF, "t/@finally/c", ["c", "d"]),
        (DEAF, "t/x/@compensate/undo", ["undo"]),
    ],
    ids=["its clean-up", "the middle of it", "that of what is undone", "a compensation"],
)
async def test_a_run_is_forked_in_the_clean_up_of_what_was_too_late(
    inside: str, at: str, done: list[str], autojump_clock: Any
) -> None:
    """It was too late, however long ago that is, and is neither done again nor given more time."""
    world = World()

    @world.registry.runtime("source:deaf")
    async def deaf(params: fs.ExecutionParams) -> Any:
        with trio.CancelScope(shield=True):
            await trio.sleep(9)
        world.done.append(params.node.label)

    text = CLEANED.format(inside)
    options: dict[str, Any] = {"now": lambda: datetime.fromtimestamp(trio.current_time(), UTC)}
    with pytest.raises(trio.TooSlowError):
        await world.run(text, **options)
    await trio.sleep(1000)
    name = await fs.fork(world.store, "r", at=at, registry=world.registry)
    world.done.clear()
    with pytest.raises(trio.TooSlowError, match="'t' took longer than 2 s"):
        await fs.resume(world.store, name, registry=world.registry, **options)
    assert world.done == done
