"""Against real clusters of Dask on this machine; each test is bounded in time."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest
import trio
from distributed import Client
from distributed.security import Security

import flowscript_trio as fs
from flowscript_trio.placement.dask_client import _Sent
from flowscript_trio.types.propagation import end, send_along

from clusters import TESTS, cluster, encrypted_cluster, further_worker
from travelling import REGISTRY, OddError, flow, lines, until

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A cluster of two workers, which no test kills: on a busy machine Dask may start no other in their place."""
    with cluster() as found:
        yield found


@pytest.fixture
def mortal() -> Iterator[str]:
    """A cluster of two workers that a test may kill."""
    with cluster() as found:
        yield found


async def run(
    address: str, body: str, *, head: str = "", seconds: float = 90, **given: Any
) -> fs.Run:
    places = {"cluster": fs.Dask(address)}
    with trio.fail_after(seconds):
        return await fs.run(flow(body, head=head), **{"places": places, **given})


async def test_a_node_runs_on_a_worker(address: str) -> None:
    done = await run(
        address,
        '<transform:where id="a" n="{{1 + 1}}" s="{{$secrets.A}}" place="cluster"/>',
        head='<secret name="A"/><secret name="B"/>',
        input={"x": 1},
        secrets={"A": "alpha", "B": "beta"},
        seed=1,
    )
    assert done.output["pid"] != os.getpid()
    assert done.output["config"]["n"] == 2
    assert done.output["input"] == {"x": 1}
    assert done.output["secrets"]["A"] == "alpha"
    assert set(done.output["secrets"]) == {"A"}
    worker = done.results["a"].worker
    assert worker is not None
    assert worker.startswith("worker tcp://127.0.0.1:")
    here = await fs.run(flow('<transform:where id="a"/>'), seed=1)
    assert done.output["draw"] == here.output["draw"]


async def test_an_error_comes_back_as_its_class(address: str) -> None:
    with pytest.raises(OddError) as caught:
        await run(address, '<transform:raise id="a" what="odd" place="cluster"/>')
    assert any(note.startswith("on worker tcp://") for note in caught.value.__notes__)


async def test_iterations_and_documents_run_whole_on_workers(address: str, tmp_path: Path) -> None:
    done = await run(
        address,
        '<set var="k" value="10"/><foreach id="f" collection="[1, 2, 3, 4]" maxConcurrency="4" place="cluster">'
        '<transform:where id="a" n="{{item * k}}"/></foreach>',
    )
    assert [each["config"]["n"] for each in done.output] == [10, 20, 30, 40]
    assert len({each["pid"] for each in done.output}) == 2
    (tmp_path / "inner.xml").write_text(
        '<workflow name="inner"><param name="n"/><transform:where id="x" n="{{n}}"/></workflow>'
    )
    (tmp_path / "outer.xml").write_text(
        '<workflow name="outer"><call id="c" workflow="inner.xml" n="3" place="cluster"/></workflow>'
    )
    loaded = fs.load(tmp_path / "outer.xml", registry=REGISTRY)
    done = await fs.run(loaded, places={"cluster": fs.Dask(address)})
    assert done.output["config"] == {"n": 3}
    assert (done.record["c/x"][0].worker or "").startswith("worker tcp://")


async def test_a_cancellation_reaches_the_node_over_there_and_its_clean_up_ends_before_the_node_does_here(
    address: str, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    registry = fs.Registry(base=REGISTRY)
    asked = 0.0

    @registry.runtime("transform:fail-late")
    async def fail(params: fs.ExecutionParams) -> None:
        nonlocal asked
        await until(lambda: lines(log))
        asked = trio.current_time()
        raise KeyError("late")

    limiter = trio.CapacityLimiter(2)
    body = (
        f'<parallel id="p"><branch><transform:wait id="a" log="{log}" place="cluster"/></branch>'
        '<branch><transform:fail-late id="b"/></branch></parallel>'
    )
    events: list[Any] = []

    def look(event: Any) -> None:
        if type(event).__name__ == "NodeEnded" and event.path == "p/0/a":
            events.append((lines(log)[1:], limiter.borrowed_tokens, trio.current_time()))

    with pytest.raises(KeyError) as caught, trio.fail_after(60):
        await fs.run(
            flow(body, registry),
            places={"cluster": fs.Dask(address)},
            limiter=limiter,
            observers=[look],
        )
    ((cleaned, _, ended),) = events
    assert cleaned == ["cleaned up"]
    assert ended - asked < 1.0  # 0.05 s of it are the node's own clean-up
    assert limiter.borrowed_tokens == 0
    failure = fs.failure_of(caught.value)
    assert failure is not None
    (result,) = failure.record["p/0/a"]
    assert (result.status, result.outlived) == ("cancelled", False)
    assert result.cancelled_by is not None
    assert result.cancelled_by.by == "p/1"


@pytest.mark.parametrize("what", ["limit", "limiter"])
async def test_what_a_cancelled_node_holds_is_free_when_its_clean_up_over_there_has_ended(
    what: str, address: str, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    limiter, limit = trio.CapacityLimiter(1), trio.CapacityLimiter(1)
    given: dict[str, Any] = {"limiter": limiter} if what == "limiter" else {"limits": {"x": limit}}
    held = limiter if what == "limiter" else limit
    named = ' limit="x"' if what == "limit" else ""
    loaded = flow(f'<transform:wait id="a" log="{log}" cleanup="1" place="cluster"{named}/>')
    places = {"cluster": fs.Dask(address)}
    with trio.fail_after(60):
        async with fs.open_run(loaded, places=places, **given) as first:
            await until(lambda: lines(log))
            async with fs.open_run(loaded, places=places, **given) as second:
                await until(lambda: held.statistics().tasks_waiting)
                first.cancel()
                await until(lambda: sum(each.startswith("began") for each in lines(log)) == 2)
                second.cancel()
    said = [each.partition(" ")[0] for each in lines(log)]
    assert said == ["began", "cleaned", "began", "cleaned"]
    assert held.borrowed_tokens == 0


async def test_a_time_limit_ends_a_node_over_there_with_its_clean_up(
    address: str, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    with pytest.raises(trio.TooSlowError):
        await run(address, f'<transform:wait id="a" log="{log}" timeout="3s" place="cluster"/>')
    assert lines(log)[1:] == ["cleaned up"][: len(lines(log))]


async def test_secrets_cross_an_encrypted_connection(tmp_path: Path) -> None:
    body = '<transform:where id="a" s="{{$secrets.A}}" place="far"/>'
    loaded = flow(body, head='<secret name="A"/>')
    with encrypted_cluster() as (address, security), trio.fail_after(60):
        place = fs.Dask(address, security=security)
        done = await fs.run(loaded, places={"far": place}, secrets={"A": "alpha"})
        assert done.output["secrets"] == {"A": "alpha"}
        assert (done.results["a"].worker or "").startswith("worker tls://")
        with pytest.raises(fs.FlowScriptError, match="there are no certificates for it: give"):
            await fs.run(loaded, places={"far": fs.Dask(address)}, secrets={"A": "alpha"})
        others = fs.Dask(address, security=Security.temporary())
        unencrypted = fs.Dask(address.replace("tls", "tcp"))
        for place in (others, unencrypted):
            with pytest.raises(fs.FlowScriptError, match="is not a Dask scheduler that takes this"):
                await fs.run(loaded, places={"far": place}, secrets={"A": "alpha"})


async def test_the_command_line_gives_a_place_by_its_address(address: str, tmp_path: Path) -> None:
    file = tmp_path / "w.xml"
    file.write_text(
        '<workflow name="w"><transform:map id="a" input="{{$input}}" expression="item * 2" '
        'place="gpu"/></workflow>'
    )
    command = [sys.executable, "-m", "flowscript_trio", "run", str(file), "--input", "[1, 2]"]
    with trio.fail_after(60):
        done = await trio.run_process(
            [*command, "--place", f"gpu={address}"], capture_stdout=True, capture_stderr=True
        )
    assert done.stdout.split() == [b"[", b"2,", b"4", b"]"]
    assert b"on worker tcp://127.0.0.1:" in done.stderr


_CANCELLER = """
import gc, sys
from pathlib import Path
import trio
import flowscript_trio as fs
from travelling import flow, lines, until

async def main():
    for number in range(3):
        log = Path(sys.argv[2]) / str(number)
        places = {"cluster": fs.Dask(sys.argv[1])}
        body = f'<transform:wait id="a" log="{log}" cleanup="0" place="cluster"/>'
        async with fs.open_run(flow(body), places=places) as run:
            await until(lambda: lines(log))
            run.cancel()

if __name__ == "__main__":
    trio.run(main)
    gc.collect()
"""


async def test_a_program_whose_runs_were_cancelled_says_nothing_of_timers_of_dask_s(
    address: str, tmp_path: Path
) -> None:
    program = tmp_path / "program.py"
    program.write_text(_CANCELLER)
    command = [sys.executable, str(program), address, str(tmp_path)]
    environment = os.environ | {"PYTHONPATH": str(TESTS)}
    with trio.fail_after(90):
        done = await trio.run_process(command, env=environment, capture_stderr=True)
    assert done.stderr == b""


async def test_a_body_that_is_cancelled_over_there_brings_its_record_back(
    address: str, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    handle: fs.Run | None = None
    with trio.fail_after(60):
        async with fs.open_run(
            flow(
                f'<foreach id="f" collection="[1]" place="cluster"><transform:wait id="a" log="{log}"/></foreach>'
            ),
            places={"cluster": fs.Dask(address)},
        ) as handle:
            await until(lambda: lines(log))
            handle.cancel("enough")
    assert handle.status == "cancelled"
    assert lines(log)[1:] == ["cleaned up"]
    (result,) = handle.record["f[0]/a"]
    assert result.status == "cancelled"
    assert result.cancelled_by is not None
    assert result.cancelled_by.reason == "enough"


async def test_a_killed_worker_is_a_worker_died_and_its_node_ran_once(
    mortal: str, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    with pytest.raises(fs.WorkerDied) as caught:
        await run(mortal, f'<transform:die id="a" log="{log}" place="cluster"/>')
    assert lines(log) == ["died"]
    assert (caught.value.worker or "").startswith("worker tcp://")
    await trio.sleep(0.5)
    assert lines(log) == ["died"]


async def test_a_worker_that_dies_when_its_node_has_ended_runs_nothing_again(
    mortal: str, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    nodes = 12
    body = (
        f'<foreach id="f" collection="{{{{range(0, {nodes})}}}}" maxConcurrency="4" tolerate="{nodes}">'
        f'<transform:last id="a" n="{{{{item}}}}" log="{log}" place="cluster"/></foreach>'
    )
    done = await run(mortal, body)
    ran = lines(log)
    assert len(ran) == len(
        set(ran)
    )  # none ran twice, whether its reply came or was lost with its worker
    errors = [each.error for each in done.record.failures if each.id == "a"]
    assert all(isinstance(error, fs.WorkerDied) for error in errors)


async def test_a_retired_worker_runs_nothing_again_elsewhere(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with cluster(2) as own:
        body = f'<transform:hold id="a" seconds="3" log="{log}" place="cluster"/>'

        async def retire() -> None:
            await until(lambda: lines(log))
            await trio.to_thread.run_sync(retire_workers, own)

        with trio.fail_after(60):
            async with fs.open_run(flow(body), places={"cluster": fs.Dask(own)}) as handle:
                await retire()
                with pytest.raises(fs.WorkerDied):
                    await handle.wait()
        await trio.sleep(1)
    assert len(lines(log)) == 1


def retire_workers(address: str) -> None:
    """Take away the workers that are at work."""
    from distributed import Client

    with Client(address, set_as_default=False) as client:
        busy = [worker for worker, tasks in client.processing().items() if tasks]
        client.retire_workers(busy, close_workers=True)


async def test_a_retry_goes_on_after_a_killed_worker(mortal: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    done = await run(
        mortal,
        f'<transform:die id="a" log="{log}" once="yes" place="cluster">'
        '<on-error><retry max="1" base="0s"/></on-error></transform:die>',
    )
    assert done.output == "alive"
    assert done.results["a"].attempts == 2


_CLIENT = """
import sys
import trio
from distributed import Client
import flowscript_trio as fs
from travelling import flow

async def main():
    body = (
        f'<transform:resource id="r" log="{sys.argv[2]}.opened" place="cluster"/>'
        f'<transform:wait id="a" log="{sys.argv[2]}" after="r" place="cluster"/>'
    )
    await fs.run(flow(body), places={"cluster": fs.Dask(sys.argv[1])})

if __name__ == "__main__":
    trio.run(main)
"""


async def test_a_node_whose_client_is_killed_is_cancelled_within_a_second(
    address: str, tmp_path: Path
) -> None:
    took = [await seconds_after_a_kill(address, tmp_path / str(attempt)) for attempt in range(3)]
    assert min(took) < 1  # the quickest counts: the machine may be busy


async def seconds_after_a_kill(address: str, log: Path) -> float:
    """How long a node runs on after its client was killed, until its clean-up has ended.

    What the run had open on a worker is closed then, too.
    """
    client = log.with_name("client.py")
    client.write_text(_CLIENT)
    environment = os.environ | {"PYTHONPATH": str(TESTS)}
    command = [sys.executable, str(client), address, str(log)]
    async with trio.open_nursery() as nursery:
        start = partial(trio.run_process, command, env=environment, check=False)
        process = await nursery.start(start)
        await until(lambda: lines(log), 60)
        process.kill()
    killed = trio.current_time()
    await until(lambda: len(lines(log)) > 1, 60)
    assert lines(log)[1:] == ["cleaned up"]
    seconds = trio.current_time() - killed
    opened = Path(f"{log}.opened")
    await until(lambda: len(lines(opened)) > 1)
    assert [each.split()[0] for each in lines(opened)] == ["open", "close"]
    return seconds


async def test_twice_as_many_nodes_as_slots_all_come_to_their_end(address: str) -> None:
    done = await run(
        address,
        '<foreach id="f" collection="[1, 2, 3, 4]" maxConcurrency="4">'
        '<transform:where id="a" n="{{item}}" place="cluster"/></foreach>',
    )
    assert [each["config"]["n"] for each in done.output] == [1, 2, 3, 4]


async def test_nodes_that_wait_for_a_slot_end_at_once_when_they_are_cancelled(
    address: str, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    body = (
        '<foreach id="f" collection="[1, 2, 3, 4, 5, 6]" maxConcurrency="6">'
        f'<transform:wait id="a" log="{log}" place="cluster"/></foreach>'
    )
    with trio.fail_after(60):
        async with fs.open_run(flow(body), places={"cluster": fs.Dask(address)}) as handle:
            await until(lambda: len(lines(log)) == 2)
            handle.cancel()
    said = lines(log)
    # One that was next may have begun before its own cancellation came to its worker.
    assert 2 <= len(said) / 2 < 6
    assert sum(each == "cleaned up" for each in said) == len(said) / 2
    assert [each.status for each in handle.record if each.label == "a"] == ["cancelled"] * 6


@pytest.mark.parametrize(
    ("shape", "path"),
    [
        ('<transform:hold id="a" seconds="4" log="{log}" place="cluster"/>', "a"),
        (
            '<foreach id="f" collection="[1]" place="cluster">'
            '<transform:hold id="a" seconds="4" log="{log}"/></foreach>',
            "f[0]/@place",
        ),
    ],
)
async def test_a_worker_that_does_not_answer_its_cancellation_is_given_up_by_name(
    shape: str, path: str, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    with cluster(1) as own:
        place = fs.Dask(own, cleanup=0.5)
        with trio.fail_after(60):
            loaded = flow(shape.format(log=log))
            async with fs.open_run(loaded, places={"cluster": place}) as handle:
                await until(lambda: lines(log))
                began = trio.current_time()
                handle.cancel()
            assert trio.current_time() - began < 8
        (result,) = handle.record[path]
        assert (result.status, result.outlived) == ("cancelled", True)
        assert (result.worker or "").startswith("worker tcp://")
        (said,) = [each.message for each in handle.warnings]
        assert "was given up" in said
        assert result.worker in said  # type: ignore[operator]


async def test_a_stopped_worker_is_given_up_by_name_and_its_node_cleans_up_when_it_goes_on(
    tmp_path: Path,
) -> None:
    log = tmp_path / "log"
    with cluster(1) as own:
        place = fs.Dask(own, cleanup=1)
        body = f'<transform:wait id="a" log="{log}" place="cluster"/>'
        with trio.fail_after(60):
            async with fs.open_run(flow(body), places={"cluster": place}) as handle:
                await until(lambda: lines(log))
                worker = int(lines(log)[0].split()[1])
                os.kill(worker, signal.SIGSTOP)
                handle.cancel()
            (result,) = handle.record["a"]
            assert (result.status, result.outlived) == ("cancelled", True)
            assert (result.worker or "").startswith("worker tcp://")
            os.kill(worker, signal.SIGCONT)
            await until(lambda: lines(log)[1:] == ["cleaned up"])


def test_a_node_is_given_up_though_the_scheduler_does_not_say_where_it_is() -> None:
    class Silent:
        async def run_on_scheduler(self, *given: Any) -> None:
            await asyncio.Event().wait()

    async def given_up() -> Any:
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        sent = _Sent(Silent(), future, "run", "key", cleanup=0.01)  # type: ignore[arg-type]
        await sent._cancel(future)  # type: ignore[arg-type]
        return await future

    assert asyncio.run(given_up()).worker == "a worker"


async def test_a_worker_that_is_killed_again_and_again_is_no_matter_to_iterations_that_are_retried(
    mortal: str, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    body = (
        '<foreach id="f" collection="range(0, 8)" maxConcurrency="4" place="cluster">'
        f'<transform:wait id="a" log="{log}" seconds="0.5" n="{{{{item}}}}">'
        '<on-error><retry max="20" base="0.1s"/></on-error></transform:wait></foreach>'
    )

    def began() -> list[int]:
        return [int(each.split()[1]) for each in lines(log) if each.startswith("began")]

    with trio.fail_after(120):
        async with fs.open_run(flow(body), places={"cluster": fs.Dask(mortal)}) as handle:
            for seen in (1, 4):
                await until(partial(lambda seen: len(began()) > seen, seen), 60)
                os.kill(began()[-1], signal.SIGKILL)
            await handle.wait()
    assert handle.output == ["waited"] * 8
    assert all("is sent again" in each.message for each in handle.warnings)
    assert len(handle.warnings) >= 2
    assert (
        8 < len(began()) <= 8 + 4 * 2
    )  # a worker that dies takes two iterations with it, or what they gave


async def test_a_resource_is_one_a_worker_and_run_and_closed_with_the_run(
    address: str, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    body = (
        '<foreach id="f" collection="[1, 2, 3, 4, 5, 6]" maxConcurrency="3">'
        f'<transform:resource id="a" log="{log}" place="cluster"/></foreach>'
    )
    await run(address, body)
    said = lines(log)
    opened = [each for each in said if each.startswith("open")]
    assert 1 <= len(opened) == len(set(opened)) <= 2
    assert sorted(each.replace("open", "close") for each in opened) == sorted(
        each for each in said if each.startswith("close")
    )


async def test_a_place_with_resources_runs_only_on_workers_that_have_them(address: str) -> None:
    with further_worker(address):
        gpu = fs.Dask(address, resources={"GPU": 1})
        done = await run(
            address,
            '<foreach id="f" collection="[1, 2, 3]" maxConcurrency="3">'
            '<transform:where id="a" place="gpu"/></foreach><transform:where id="b" place="cluster"/>',
            places={"gpu": gpu, "cluster": fs.Dask(address)},
        )
        others = await trio.to_thread.run_sync(workers_without_resources, address)
    used = {result.worker for result in done.record if result.label == "a"}
    assert len(others) == 2
    assert used.isdisjoint(f"worker {each}" for each in others)


async def test_jobs_of_two_places_on_one_scheduler_are_not_taken_for_each_other(
    address: str,
) -> None:
    places = {"one": fs.Dask(address), "two": fs.Dask(address)}
    body = (
        '<transform:where id="a" n="1" place="one"/><transform:where id="b" n="2" place="two"/>'
        '<transform:template id="t" template="{{a.config.n}} {{b.config.n}}"/>'
    )
    for _ in range(5):
        assert (await run(address, body, places=places)).output == "1 2"


def workers_without_resources(address: str) -> set[str]:
    with Client(address, set_as_default=False) as client:
        known = client.scheduler_info(n_workers=-1)["workers"]
    return {each for each, worker in known.items() if not worker["resources"]}


async def test_a_scheduler_that_does_not_answer_is_an_error_that_names_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("flowscript_trio.placement.dask_client.OPENING", 1.0)
    with pytest.raises(
        fs.FlowScriptError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9"
    ):
        await run("tcp://127.0.0.1:9", '<transform:where id="a" place="cluster"/>')


async def test_what_is_not_a_scheduler_is_an_error_that_says_so() -> None:
    async def answer(stream: trio.SocketStream) -> None:
        await stream.receive_some()
        await stream.send_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with trio.open_nursery() as nursery:
        serve = partial(trio.serve_tcp, answer, 0, host="127.0.0.1")
        [listener] = await nursery.start(serve)
        port = listener.socket.getsockname()[1]
        with pytest.raises(fs.FlowScriptError, match="is not a Dask scheduler that takes this"):
            await run(f"tcp://127.0.0.1:{port}", '<transform:where id="a" place="cluster"/>')
        nursery.cancel_scope.cancel()


async def test_a_node_whose_scheduler_is_killed_is_a_worker_died(tmp_path: Path) -> None:
    log = tmp_path / "log"
    before = set(psutil.Process().children())
    with cluster(1) as own:
        (scheduler,) = set(psutil.Process().children()) - before
        with trio.fail_after(60):
            body = f'<transform:wait id="a" log="{log}" place="cluster"/>'
            async with fs.open_run(flow(body), places={"cluster": fs.Dask(own)}) as handle:
                await until(lambda: lines(log))
                scheduler.kill()
                killed = trio.current_time()
                with pytest.raises(fs.WorkerDied, match="the worker of 'a' was lost"):
                    await handle.wait()
    assert trio.current_time() - killed < 5  # nobody who is gone is waited for


async def test_the_context_of_a_trace_crosses_with_each_node_and_body(address: str) -> None:
    body = (
        '<transform:headers id="a" place="cluster"/><transform:headers-plainly id="b" place="cluster"/>'
        '<foreach id="f" collection="[1]" place="cluster"><transform:headers id="c"/></foreach>'
        '<return value="{{[a, b, f[0]]}}"/>'
    )
    token = send_along(lambda: {"traceparent": "00-1"})
    try:
        done = await run(address, body)
    finally:
        end(token)
    assert done.output == [{"traceparent": "00-1"}] * 3


async def test_a_durable_run_that_was_left_does_again_what_was_under_way_on_a_worker_and_no_more(
    address: str, tmp_path: Path
) -> None:
    log, ended = tmp_path / "log", tmp_path / "ended"
    body = (
        '<foreach id="f" collection="[1, 2]" maxConcurrency="2" place="cluster">'
        f'<transform:wait id="x" log="{ended}" seconds="0"/></foreach>'
        f'<transform:wait id="a" log="{ended}" seconds="0" after="f" place="cluster"/>'
        f'<transform:wait id="d" log="{log}" seconds="1" after="a" place="cluster"/>'
        '<transform:where id="k" place="cluster"/><return value="{{[f, a, d, k.key]}}"/>'
    )
    given: dict[str, Any] = {
        "places": {"cluster": fs.Dask(address)},
        "store": fs.Store(tmp_path / "runs.db"),
        "run_id": "one",
    }
    with trio.fail_after(90):
        async with fs.open_run(flow(body), **given) as left:
            await until(lambda: lines(log))
            left.leave()
        assert left.status == "suspended"
        assert lines(log)[1:] == ["cleaned up"]
        done = await fs.resume(registry=REGISTRY, **given)
    assert done.output[:3] == [["waited", "waited"], "waited", "waited"]
    assert done.output[3] is not None
    assert sum(each.startswith("began") for each in lines(log)) == 2
    assert sum(each.startswith("began") for each in lines(ended)) == 3


async def test_a_cluster_of_this_machine_is_started_for_a_run_and_ended_with_it() -> None:
    with trio.fail_after(120):
        done = await fs.run(
            flow('<transform:where id="a" place="one"/>'), places={"one": fs.Dask(workers=1)}
        )
    with pytest.raises(ProcessLookupError):
        os.kill(done.output["pid"], 0)


async def test_thousands_of_small_nodes_all_come_to_their_end(address: str) -> None:
    done = await run(
        address,
        '<foreach id="f" collection="{{range(0, 10000)}}" maxConcurrency="400">'
        '<transform:template id="a" template="{{item}}" place="cluster"/></foreach>',
        seconds=300,
    )
    assert done.output == list(range(10_000))
