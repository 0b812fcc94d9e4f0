"""Owns the tests of clean-up that is given up: it was too late, or each process died at it, and is owed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
import trio
from trio.testing import MockClock

import flowscript_trio as fs
from flowscript_trio.types.events import RunWarning

from crashing import Crashing, Process, check_every_crash

FINALLY = """<workflow name="w"><source:act id="a"{fails}/>
  <finally><source:act id="c" takes="3"{more}/><source:act id="d"/></finally></workflow>"""
COMPENSATE = """<workflow name="w">
  <source:act id="a"><compensate><source:act id="c" takes="3"{more}/></compensate></source:act>
  <source:act id="b" input="a"{fails}/><finally><source:act id="d"/></finally></workflow>"""
FAILS = ' fails="no"'
ONCE = ' on-crash="fail"'


def die_after(work: Crashing, seconds: float) -> Callable[[fs.Run], Awaitable[None]]:
    async def die(_: fs.Run) -> None:
        await trio.sleep(seconds)  # virtual
        work.store.crash()

    return die


def brought_to_its_end(work: Crashing, first: float) -> Process:
    """The last process of a run, of which each one before died at the same node of its clean-up."""
    for number in range(5):
        process = work.process(during=die_after(work, 1.5 if number else first))
        if not isinstance(process.error, fs.Superseded):
            return process
    raise AssertionError("it kills its process for ever")


@pytest.mark.parametrize(
    ("text", "at", "first", "fails"),
    [
        (FINALLY, "@finally/c", 2.5, ""),
        (FINALLY, "@finally/c", 2.5, FAILS),
        (COMPENSATE, "a/@compensate/c", 3.5, FAILS),
    ],
    ids=["finally", "finally after an error", "compensate"],
)
@pytest.mark.parametrize(
    ("more", "died"),
    [("", "3 processes have died"), (ONCE, "the process died")],
    ids=["retry", "once"],
)
def test_clean_up_that_is_given_up_is_said_to_be_owed_and_a_fork_does_it(
    text: str, at: str, first: float, fails: str, more: str, died: str
) -> None:
    work = Crashing(text.format(fails=fails, more=more))
    last = brought_to_its_end(work, first)
    assert isinstance(last.error, ValueError if fails else fs.Interrupted)
    (said,) = [each.message for each in last.events if isinstance(each, RunWarning)]
    assert f"is still owed: Interrupted: 'c' was interrupted: {died}" in said
    assert said.endswith(f"fork the run at {at!r}")
    work.world.done.clear()

    async def fork() -> fs.Run | Exception:
        name = await fs.fork(work.store, "r", at=at, registry=work.world.registry)
        try:
            return await fs.resume(work.store, name, registry=work.world.registry)
        except ValueError as exc:
            return exc

    ended = trio.run(fork, clock=MockClock(autojump_threshold=0))
    assert work.world.done == ["c", "d"]
    assert isinstance(ended, ValueError) if fails else ended.status == "completed"


def test_clean_up_that_has_an_answer_to_it_is_not_owed() -> None:
    work = Crashing("""<workflow name="w"><source:act id="a"/><finally><source:act id="c" takes="3">
      <on-error><fallback node="f"/></on-error></source:act><source:act id="f"/></finally></workflow>""")
    last = brought_to_its_end(work, 2.5)
    assert last.outcome == ("completed", "a")
    assert not [each for each in last.events if isinstance(each, RunWarning)]


SLOW = '<source:act id="c" takes="20"/>'
LATE = {
    "of a branch": f"""<workflow name="w"><parallel id="p"><branch><source:act id="a"/><finally timeout="2s">{SLOW}</finally></branch>
      <on-error><fallback node="f"/></on-error></parallel><source:act id="f" takes="5"/></workflow>""",
    "of a loser": f"""<workflow name="w"><parallel id="p" wait="any"><branch><source:act id="a" takes="9"/>
      <finally timeout="2s">{SLOW}</finally></branch><branch><source:act id="b"/></branch></parallel>
      <source:act id="f" input="p" takes="5"/></workflow>""",
    "of a time limit": f"""<workflow name="w"><timeout id="t" duration="50s"><source:act id="a"/><finally timeout="2s">{SLOW}</finally>
      <on-error><fallback node="f"/></on-error></timeout><source:act id="f" takes="5"/></workflow>""",
    "a compensation of a block": f"""<workflow name="w"><parallel id="p"><branch>
      <source:act id="a"><compensate timeout="2s">{SLOW}</compensate></source:act><source:act id="x" fails="no"/></branch>
      <on-error><fallback node="f"/></on-error></parallel><source:act id="f" takes="5"/></workflow>""",
    "a compensation of the run": f"""<workflow name="w"><source:act id="a"><compensate timeout="2s">{SLOW}</compensate></source:act>
      <source:act id="x" input="a" fails="no"/><finally><source:act id="f" takes="5"/></finally></workflow>""",
}  # fmt: skip


@pytest.mark.parametrize("shape", LATE)
def test_clean_up_that_was_too_late_is_not_done_again_and_as_late_as_it_was(shape: str) -> None:
    whole = Crashing(LATE[shape])
    expected = whole.process().outcome
    work = Crashing(LATE[shape])
    work.process(during=die_after(work, 6))
    assert [path.rpartition("/")[2] for path, _ in work.world.begun][-2:] == ["c", "f"]
    assert work.process().outcome == expected
    assert [path.rpartition("/")[2] for path, _ in work.world.begun] == ["f"]


@pytest.mark.parametrize("shape", LATE)
def test_a_run_with_clean_up_that_is_too_late_ends_as_it_must(shape: str) -> None:
    check_every_crash(LATE[shape])
