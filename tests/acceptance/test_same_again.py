"""The same workflow again: in the same order, in several programs at once, and doing nothing while it waits."""

from __future__ import annotations

import threading
from typing import Any

import trio

import flowscript_trio as fs

from scheduling import run_virtually
from stubs import Stubs

MANY = """
<parallel id="p" maxConcurrency="3">
  <branch><foreach id="each" collection="range(4)" maxConcurrency="2">
    <source:stub id="a" takes="1s" gives="{{item}}"/></foreach></branch>
  <branch><source:stub id="b" takes="2s"><on-error><retry max="2" when="true"/></on-error></source:stub></branch>
  <branch><source:stub id="c" hangs="true" cleanup="slow"/></branch>
  <branch><source:stub id="d" takes="1s" FAILS="no"/></branch>
  <branch><source:stub id="e" takes="1s" FAILS="no"/></branch>
</parallel>
<source:stub id="beside" takes="1s"/>
"""


def described(events: list[Any]) -> list[tuple[Any, ...]]:
    """What events say, without the objects that differ between two runs."""
    return [
        (
            type(event).__name__,
            event.path,
            event.time - events[0].time,
            getattr(getattr(event, "result", event), "status", None),
            str(getattr(getattr(event, "result", event), "error", None)),
        )
        for event in events
    ]


def test_the_same_seed_gives_the_same_events_in_the_same_order() -> None:
    flow = Stubs().load(MANY.replace("FAILS", "fails"))

    async def main() -> list[Any]:
        events: list[Any] = []
        try:
            await fs.run(flow, seed=1, observers=[events.append])
        except ValueError:
            return events
        raise AssertionError

    orders = set()
    for seed in range(30):
        first = described(run_virtually(main, seed))
        assert first == described(run_virtually(main, seed))
        orders.add(tuple(first))
    assert len(orders) > 1  # the seeds do make a difference
    assert {order[-1] for order in orders} == {("RunEnded", "", 4.0, "failed", "no")}


def test_one_flow_runs_in_several_trio_programs_at_once() -> None:
    flow = fs.loads("""<workflow name="w">
      <foreach id="each" collection="range($input)" maxConcurrency="3">
        <transform type="template" id="t" template="{{item * $input}}"/>
      </foreach></workflow>""")
    outputs: dict[int, Any] = {}
    ready = threading.Barrier(5)

    async def main(number: int) -> None:
        ready.wait(30)
        async with trio.open_nursery() as nursery:
            for offset in (10, 20):
                nursery.start_soon(one, number + offset)

    async def one(number: int) -> None:
        outputs[number] = (await fs.run(flow, input=number)).output

    threads = [threading.Thread(target=trio.run, args=(main, number)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    asked = [number + offset for number in range(5) for offset in (10, 20)]
    assert outputs == {n: [item * n for item in range(n)] for n in asked}


def test_a_run_whose_nodes_wait_does_nothing() -> None:
    passes = []

    class Passes(trio.abc.Instrument):
        def before_io_wait(self, timeout: float) -> None:
            passes.append(trio.current_time() - start)

    async def main() -> None:
        nonlocal start  # type: ignore[misc]
        start = trio.current_time()
        trio.lowlevel.add_instrument(Passes())
        await Stubs().run("""<parallel id="p" maxConcurrency="2">
          <branch><timeout id="t" duration="9h"><source:stub id="a" takes="1h"/></timeout></branch>
          <branch><foreach id="each" collection="range(9)" maxConcurrency="2">
            <source:stub id="b" takes="1h"/></foreach></branch>
          <branch><source:stub id="c" takes="1h"/></branch>
        </parallel>""")

    start = 0.0
    run_virtually(main)
    assert {when % 3600 for when in passes} == {0}
    assert len(passes) < 80
