"""Owns the tests of several ``<retry>`` in one ``<on-error>``, and of ``$attempt``."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.testing import prove

from checking import check_marked
from stubs import Stubs


class Answered(Exception):
    def __init__(self, status: int) -> None:
        super().__init__(f"answered {status}")
        self.status = status


def failing(stubs: Stubs, statuses: list[int]) -> list[float]:
    """Registers ``source:failing``, which fails with these statuses in turn; gives the times of attempts."""
    times: list[float] = []

    @stubs.registry.runtime("source:failing")
    async def attempt(params: fs.ExecutionParams) -> str:
        times.append(trio.current_time())
        await trio.lowlevel.checkpoint()
        if statuses:
            raise Answered(statuses.pop(0))
        return "at last"

    return times


def document(*retries: str, more: str = "") -> str:
    written = "".join(f"<retry {retry}/>" for retry in retries)
    return f'<source:failing id="f"><on-error>{written}{more}</on-error></source:failing>'


BUSY = 'when="error.status == 429" max="2" backoff="fixed" base="10s"'
OTHER = 'when="error.status in [500, 503]" max="3" backoff="linear" base="1s"'


async def test_the_first_retry_whose_when_holds_decides_with_its_own_count_and_waits(
    autojump_clock: Any,
) -> None:
    stubs = Stubs()
    times = failing(stubs, [429, 500, 429, 503, 500])
    run = await stubs.run(document(BUSY, OTHER))
    assert run.output == "at last"
    assert [b - a for a, b in pairwise(times)] == [10, 1, 10, 2, 3]
    assert run.results["f"].attempts == 6


async def test_once_the_retry_that_decides_is_spent_none_after_it_is_asked(
    autojump_clock: Any,
) -> None:
    stubs = Stubs()
    times = failing(stubs, [429] * 9)
    with pytest.raises(Answered, match="429"):
        await stubs.run(document(BUSY, 'when="true" max="9" base="1s"'))
    assert len(times) == 3


async def test_an_error_that_no_retry_is_for_stands_at_once(autojump_clock: Any) -> None:
    stubs = Stubs()
    times = failing(stubs, [404])
    with pytest.raises(Answered, match="404"):
        await stubs.run(document(BUSY, OTHER))
    assert len(times) == 1


async def test_the_fallback_runs_once_the_retries_are_done(autojump_clock: Any) -> None:
    stubs = Stubs()
    failing(stubs, [429, 404])
    run = await stubs.run(
        document(BUSY, OTHER, more='<fallback node="h"/>')
        + '<transform:template id="h" template="{{$error.status}}"/>'
    )
    assert run.output == 404


async def test_the_settings_of_a_retry_that_is_not_asked_are_not_computed(
    autojump_clock: Any,
) -> None:
    stubs = Stubs()
    failing(stubs, [429])
    run = await stubs.run(document(BUSY, 'max="{{1 / 0}}"'))
    assert run.output == "at last"


async def test_a_when_that_fails_in_the_second_retry_is_the_node_s_error(
    autojump_clock: Any,
) -> None:
    stubs = Stubs()
    failing(stubs, [500])
    with pytest.raises(fs.EvaluationError) as caught:
        await stubs.run(document(BUSY, 'when="1 / 0 &gt; 0"'))
    failure = fs.failure_of(caught.value)
    assert failure is not None
    assert failure.path == "f"


async def test_a_block_is_tried_again_by_several_retries(autojump_clock: Any) -> None:
    stubs = Stubs()
    failing(stubs, [429, 500, 500])
    run = await stubs.run(
        '<timeout id="t" duration="1h"><source:failing id="f"/>'
        f"<on-error><retry {BUSY}/><retry {OTHER}/></on-error></timeout>"
    )
    assert run.output == "at last"
    assert trio.current_time() == 10 + 1 + 2


# ---- $attempt ----


async def test_attempt_counts_from_1_in_the_settings_of_a_node(autojump_clock: Any) -> None:
    stubs = Stubs()
    run = await stubs.run(
        '<source:stub id="s" gives="{{$attempt}}" '
        "fails=\"{{$attempt &lt; 3 ? 'no' : null}}\">"
        '<on-error><retry max="5" when="true" base="0s"/></on-error></source:stub>'
    )
    assert run.output == 3


async def test_attempt_is_seen_by_the_input_of_a_node_and_the_when_of_its_retry(
    autojump_clock: Any,
) -> None:
    run = await Stubs().run(
        '<source:stub id="s" input="{{[$attempt]}}" fails="{{json_encode(input)}}">'
        '<on-error><retry max="9" when="$attempt &lt; 3" base="0s"/><fallback node="h"/></on-error>'
        '</source:stub><transform:template id="h" template="after {{$error.message}}"/>'
    )
    assert run.output == "after [3]"


async def test_a_node_whose_if_asks_for_the_attempt_is_skipped_in_the_second(
    autojump_clock: Any,
) -> None:
    run = await Stubs().run(
        '<source:stub id="s" if="$attempt == 1" fails="no">'
        '<on-error><retry when="true" base="0s"/></on-error></source:stub>'
    )
    assert (run.results["s"].status, run.results["s"].attempts) == ("skipped", 2)


async def test_a_node_in_a_block_that_is_tried_again_counts_its_own_attempts(
    autojump_clock: Any,
) -> None:
    stubs = Stubs()
    failing(stubs, [500])
    run = await stubs.run(
        '<timeout id="t" duration="1h" if="$attempt &gt; 0">'
        '<transform:template id="inner" template="{{$attempt}}"/><source:failing id="f"/>'
        '<on-error><retry base="0s"/></on-error></timeout>'
        '<transform:template id="last" template="{{[inner, $attempt]}}"/>'
    )
    assert run.output == [1, 1]


async def test_the_condition_of_a_loop_sees_the_attempt_of_the_loop(autojump_clock: Any) -> None:
    stubs = Stubs()
    times = failing(stubs, [500])
    await stubs.run(
        '<loop id="l" max="9" break="$iteration + 1 == $attempt">'
        '<source:failing id="f"/><on-error><retry base="0s"/></on-error></loop>'
    )
    assert len(times) == 1 + 2  # the second attempt of the loop has two rounds


def test_attempt_outside_of_a_node_is_null_with_a_warning() -> None:
    problems, _ = check_marked(
        '<source:stub id="a"/><finally timeout="{{$attempt + 1}}s"><source:stub id="b"/></finally>'
    )
    assert [(p.code, p.severity, p.message) for p in problems] == [
        ("no-value", "warning", "'$attempt' has no value here: it is null")
    ]


@pytest.mark.slow
def test_a_proof_knows_the_waits_of_several_retries() -> None:
    stubs = Stubs()
    flow = stubs.load(
        '<source:stub id="s" fails="{{$attempt &lt; 4 ? \'no\' : null}}" takes="1s"><on-error>'
        '<retry when="$attempt == 2" max="1" backoff="fixed" base="7s"/>'
        '<retry when="true" max="3" backoff="linear" base="2s"/></on-error></source:stub>'
    )
    report = prove(flow, pairs=20)
    assert report.holds, report.render()
