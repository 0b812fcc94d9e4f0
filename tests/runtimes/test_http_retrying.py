"""Owns tests of what is tried again of HTTP, and for how long it is waited."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.runtimes.http.waiting import retry_after

from completions import PATH, said, secrets_of
from loopback import Answer, loopback

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "2"}, 2.0),
        ({"retry-after": " 120 "}, 120.0),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "Tue, 01 Jan 2030 12:01:30 GMT"}, 90.0),
        ({"retry-after": "Tue, 01 Jan 2030 11:00:00 GMT"}, 0.0),
        (
            {
                "retry-after": "Tue, 01 Jan 2030 13:00:30 GMT",
                "date": "Tue, 01 Jan 2030 13:00:00 GMT",
            },
            30.0,
        ),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "1."}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "99999999999999"}, 99_999_999_999_999.0),
        ({"retry-after": "9" * 400}, None),
        ({"retry-after": "5, 120, 10"}, 120.0),
        ({"retry-after": "5, soon"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_seconds_or_a_date_by_the_servers_clock(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert retry_after(headers, NOW) == seconds


class Asks(fs.FlowScriptError):
    """An error that says itself that trying again may help, and when."""

    retryable = True

    def __init__(self, seconds: Any) -> None:
        super().__init__("later")
        self.retry_after = seconds


async def waits(settings: str, asked: Any, around: str = "{}", fallback: str = "") -> Any:
    """When each attempt began, in seconds of virtual time, and what the run gave or raised."""
    times: list[float] = []
    registry = fs.Registry(base=fs.registry)
    start = trio.current_time()

    @registry.runtime("source:busy")
    async def busy(params: Any) -> Any:
        times.append(trio.current_time() - start)
        raise Asks(asked)

    node = f'<source:busy id="x"><on-error><retry max="2" {settings}/>{fallback}</on-error></source:busy>'
    handler = '<transform:template id="cached" template="cached"/>' if fallback else ""
    flow = fs.loads(
        f'<workflow name="w">{around.format(node + handler)}</workflow>', registry=registry
    )
    try:
        return times, (await fs.run(flow)).output
    except Exception as exc:
        return times, type(exc)


@pytest.mark.parametrize(
    ("settings", "asked", "begun"),
    [
        ('base="1s"', 10, [0, 10, 20]),
        ('base="1s" cap="2s"', 10, [0, 10, 20]),
        ('base="1s" jitter="full"', 10, [0, 10, 20]),
        ('base="20s" backoff="fixed"', 10, [0, 20, 40]),
        ('base="1s" retry-after="ignore"', 10, [0, 1, 3]),
        ('base="1s"', None, [0, 1, 3]),
        ('base="1s"', float("inf"), [0, 1, 3]),
        ('base="1s"', "10", [0, 1, 3]),
    ],
)
async def test_what_an_answer_asks_for_is_waited_for_where_it_is_longer(
    autojump_clock: None, settings: str, asked: Any, begun: list[float]
) -> None:
    times, raised = await waits(settings, asked)
    assert times == pytest.approx(begun)
    assert raised is Asks


@pytest.mark.parametrize("fallback", ["", '<fallback node="cached"/>'])
async def test_a_wait_that_would_end_behind_a_deadline_is_not_begun(
    autojump_clock: None, fallback: str
) -> None:
    around = '<timeout id="t" duration="30s">{}</timeout>'
    start = trio.current_time()
    times, came = await waits('base="1s"', 20, around, fallback)
    assert times == pytest.approx([0, 20])
    assert trio.current_time() - start == pytest.approx(20)
    assert came == ("cached" if fallback else Asks)


async def test_a_deadline_of_the_application_counts_too(autojump_clock: None) -> None:
    with trio.move_on_after(15) as scope:
        times, came = await waits('base="1s"', 20)
        assert (times, came) == ([0], Asks)
    assert not scope.cancelled_caught


async def test_a_source_a_sink_and_an_ai_wait_for_what_the_server_asks() -> None:
    async with loopback() as server:
        busy = {"Retry-After": "0", "X-Quota": "none"}
        for element in ("source:http", "sink:http"):
            server.answer("/x", Answer(429, "busy", busy), Answer(body=1))
            flow = fs.loads(
                f'<workflow name="w"><{element} id="x" url="{server.base}/x"><on-error>'
                f'<retry base="0s"/></on-error></{element}></workflow>'
            )
            await fs.run(flow)
        server.answer(PATH, Answer(503, "busy", {"Retry-After": "0"}), said("hi"))
        flow = fs.loads(
            '<workflow name="w"><ai id="x" model="m" user="u"><on-error><retry base="0s"/>'
            "</on-error></ai></workflow>"
        )
        assert (await fs.run(flow, secrets=secrets_of(server))).output == "hi"
        assert len(server.seen) == 6


@pytest.mark.parametrize("element", ["source:http", "sink:http"])
async def test_the_error_of_a_status_knows_when_and_a_handler_sees_the_answer(
    element: str,
) -> None:
    async with loopback() as server:
        server.page("/x", {"why": "busy"}, status=429, Retry_After="7", X_Quota="none")
        plain = f'<workflow name="w"><{element} id="x" url="{server.base}/x"/></workflow>'
        with pytest.raises(fs.HTTPStatusError) as caught:
            await fs.run(fs.loads(plain))
        assert caught.value.retry_after == 7
        flow = fs.loads(
            f'<workflow name="w"><{element} id="x" url="{server.base}/x"><on-error>'
            '<fallback node="f"/></on-error></' + element + '><transform:template id="f" '
            "template=\"{{$error.status}} {{$error.headers['x-quota']}} {{$error.body.why}}\"/>"
            "</workflow>"
        )
        output = (await fs.run(flow)).output
        assert output == "429 none busy"
