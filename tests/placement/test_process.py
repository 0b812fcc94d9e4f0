from __future__ import annotations

import os
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.observe.chronicle import Chronicle, Entry
from flowscript_trio.observe.replay import events_of
from flowscript_trio.observe.report import story_of
from flowscript_trio.observe.tree import RunTree
from flowscript_trio.placement.process import _Workers
from flowscript_trio.runtimes.types import ExecutionParams
from flowscript_trio.types.events import BranchEnded
from flowscript_trio.types.propagation import end, send_along

from clusters import TESTS
from travelling import REGISTRY, OddError, OnlyIn, Telling, flow, lines, until


async def run(body: str, head: str = "", **given: Any) -> fs.Run:
    return await fs.run(flow(body, head=head), **given)


async def test_a_node_runs_in_another_process_with_its_settings_and_its_input() -> None:
    done = await run('<transform:where id="a" n="{{1 + 1}}" place="process"/>', input={"x": [1]})
    assert done.output["pid"] != os.getpid()
    assert done.output["config"] == {"n": 2}
    assert done.output["input"] == {"x": [1]}
    assert (done.output["id"], done.output["line"], done.output["run"]) == ("a", 1, done.id)
    assert done.results["a"].worker == f"process {done.output['pid']}"


async def test_what_a_node_draws_is_the_same_wherever_it_runs() -> None:
    drawn = [
        (await run(f'<transform:where id="a" place="{place}"/>', seed=5)).output["draw"]
        for place in ("here", "thread", "process")
    ]
    assert drawn[0] == drawn[1] == drawn[2]


@pytest.mark.parametrize(
    "node",
    [
        '<transform:map id="a" expression="random() + item" place="{}"/>',
        '<transform:map id="a" if="random() &lt; 2" expression="[random(), uuid()]" place="{}"/>',
        '<transform:template id="a" template="{{{{uuid()}}}}" timeout="{{{{random() + 60}}}}s" place="{}"/>',
    ],
)
async def test_what_the_settings_of_a_node_draw_is_the_same_wherever_it_runs(node: str) -> None:
    drawn = [
        (await run(node.format(place), seed=5, input=[1, 2])).output
        for place in ("here", "thread", "process")
    ]
    assert drawn[0] == drawn[1] == drawn[2]


async def test_only_the_secrets_that_the_settings_name_cross() -> None:
    head = '<secret name="A"/><secret name="B"/>'
    done = await run(
        '<transform:where id="a" n="{{$secrets.A}}" place="process"/>',
        head,
        secrets={"A": "alpha", "B": "beta"},
    )
    assert done.output["secrets"] == {"A": "alpha"}
    shown = done.results["a"].output
    assert "alpha" not in repr(shown)


@pytest.mark.parametrize("place", ["here", "thread", "process"])
async def test_expressions_that_are_computed_at_a_place_see_the_secrets_that_they_name(
    place: str,
) -> None:
    head = '<secret name="A"/><secret name="B"/>'
    text = '<transform:map id="a" expression="[item, $secrets.A, keys($secrets)]" place="{}"/>'
    done = await run(text.format(place), head, secrets={"A": "alpha", "B": "beta"}, input=[1])
    assert done.output == [[1, "alpha", ["A", "B"]]]
    text = '<transform:template id="a" template="Bearer {{{{$secrets.A}}}}" place="{}"/>'
    done = await run(text.format(place), head, secrets={"A": "alpha", "B": "beta"})
    assert done.output == "Bearer alpha"


@pytest.mark.parametrize("place", ["here", "process"])
async def test_a_secret_that_was_not_given_is_an_error_at_a_place_and_no_empty_text(
    place: str,
) -> None:
    text = f'<transform:template id="a" template="Bearer {{{{$secrets.A}}}}" place="{place}"/>'
    with pytest.raises(fs.EvaluationError, match="secret 'A'"):
        await run(text, '<secret name="A"/>')


async def test_a_node_whose_process_dies_is_a_worker_died_that_names_it(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with pytest.raises(fs.WorkerDied, match=r"ended by signal 9") as caught:
        await run(f'<transform:die id="a" log="{log}" place="process"/>')
    assert caught.value.worker is not None
    failure = fs.failure_of(caught.value)
    assert failure is not None
    assert failure.record["a"][0].worker == caught.value.worker
    assert lines(log) == ["died"]


async def test_a_retry_tries_a_node_whose_process_died_again(tmp_path: Path) -> None:
    log = tmp_path / "log"
    done = await run(
        f'<transform:die id="a" log="{log}" once="yes" place="process">'
        '<on-error><retry max="1" base="0s"/></on-error></transform:die>'
    )
    assert done.output == "alive"
    assert done.results["a"].attempts == 2


async def test_a_cancelled_node_takes_its_process_with_it(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with pytest.raises(trio.TooSlowError) as caught:
        await run(
            f'<parallel id="p" timeout="8s"><branch><transform:hold id="a" seconds="60" log="{log}" '
            'place="process"/></branch></parallel>'
        )
    pid = int(lines(log)[0].split()[1])
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    failure = fs.failure_of(caught.value)
    assert failure is not None
    assert failure.record["p/0/a"][0].worker == f"process {pid}"


@pytest.mark.slow
async def test_a_branch_that_is_killed_with_its_process_says_in_which_it_was(
    tmp_path: Path,
) -> None:
    log = tmp_path / "log"
    entries: list[Entry] = []
    tree = RunTree()
    with pytest.raises(trio.TooSlowError) as caught:
        await run(
            '<parallel id="p" timeout="8s"><branch place="process">'
            f'<transform:hold id="a" seconds="60" log="{log}"/></branch></parallel>',
            observers=[Chronicle(entries.append), tree],
        )
    worker = f"process {int(lines(log)[0].split()[1])}"
    (lane,) = [lane.label for lane in story_of(entries).lanes if lane.label.startswith("branch")]
    assert lane == f"branch 0 · {worker}"
    assert [e.worker for e in events_of(entries) if isinstance(e, BranchEnded)] == [worker]
    (block,) = tree.root.kept["cancelled" if "cancelled" in tree.root.kept else "failed"]
    assert [item.worker for item in block.kept["cancelled"]] == [worker]
    failure = fs.failure_of(caught.value)
    assert failure is not None
    (cut,) = failure.record["p/0/@place"]
    assert (cut.status, cut.worker, cut.outlived) == ("cancelled", worker, False)
    assert cut.cancelled_by is not None
    assert cut.cancelled_by.by == "p"
    assert cut.duration > 7


async def test_an_error_comes_back_as_its_class_with_the_remote_traceback_as_a_note() -> None:
    with pytest.raises(OddError) as caught:
        await run('<transform:raise id="a" what="odd" place="process"/>')
    assert (str(caught.value), caught.value.second) == ("one and 2", 2)
    remote = next(note for note in caught.value.__notes__ if note.startswith("on process "))
    assert "travelling.py" in remote
    assert "raise OddError" in remote


async def test_an_error_that_holds_what_cannot_cross_comes_back_without_that() -> None:
    with pytest.raises(Telling, match="said") as caught:
        await run('<transform:raise id="a" what="telling" place="process"/>')
    assert any(note.startswith("on process ") for note in caught.value.__notes__)


async def test_errors_of_the_system_and_groups_come_back_whole() -> None:
    with pytest.raises(FileNotFoundError) as missing:
        await run('<transform:raise id="a" what="os" place="process"/>')
    assert (missing.value.errno, missing.value.filename) == (2, "x.txt")
    with pytest.raises(ExceptionGroup) as group:
        await run('<transform:raise id="a" what="group" place="process"/>')
    assert [type(each) for each in group.value.exceptions] == [KeyError, OddError]


async def test_notes_of_a_node_cross_and_stand_once() -> None:
    with pytest.raises(ValueError, match="with a note") as caught:
        await run('<transform:raise id="a" what="noted" place="process"/>')
    assert sum("said by the node" in note for note in caught.value.__notes__) == 1


async def test_a_secret_in_an_error_from_a_worker_is_masked() -> None:
    with pytest.raises(ValueError, match=r"\*\*\*") as caught:
        await run(
            '<transform:raise id="a" what="secret" text="token {{$secrets.A}}" place="process"/>',
            '<secret name="A"/>',
            secrets={"A": "s3cr3t-token"},
        )
    assert "s3cr3t-token" not in str(caught.value) + "".join(caught.value.__notes__)


async def test_warnings_come_back_in_order_marked_with_the_worker() -> None:
    with pytest.warns(fs.FlowScriptWarning):
        done = await run('<transform:warn id="a" place="process"/>')
    worker = done.results["a"].worker
    assert [(each.path, each.message) for each in done.warnings] == [
        ("a", f"one (on {worker})"),
        ("a", f"two (on {worker})"),
    ]


async def test_requests_of_a_worker_count_against_the_budget() -> None:
    with pytest.raises(fs.BudgetExceeded) as caught:
        await run(
            '<transform:request id="a" count="3" place="process"/>', budget=fs.Budget(requests=2)
        )
    assert (caught.value.bound, caught.value.path) == ("requests", "a")


async def test_an_output_that_cannot_cross_is_named() -> None:
    with pytest.raises(fs.CannotTravel, match=r"the output.*\['deep'\]\[1\].*a lock"):
        await run('<transform:give id="a" place="process"/>')


async def test_an_output_that_cannot_be_made_again_is_named() -> None:
    with pytest.raises(fs.CannotTravel, match=r"what 'a' gave cannot be read .*ValueError"):
        await run('<transform:give-what-refuses id="a" place="process"/>')


async def test_an_input_that_cannot_cross_is_named() -> None:
    with pytest.raises(fs.CannotTravel, match=r"'a'.*\.input\['x'\].*a generator"):
        await run('<transform:where id="a" place="process"/>', input={"x": (n for n in [1])})


@pytest.mark.parametrize("shape", ["{}", '<foreach id="f" collection="[1]"{place}>{}</foreach>'])
async def test_what_a_worker_cannot_make_again_is_an_error_that_says_what_is_to_be_done(
    shape: str,
) -> None:
    at = ' place="process"'
    node = f'<transform:where id="a" input="{{{{$input.x}}}}"{"" if "place" in shape else at}/>'
    with pytest.raises(
        fs.CannotTravel, match=r"process \d+ cannot read .*only_here.*install there"
    ):
        await run(shape.format(node, place=at), input={"x": OnlyIn(os.getpid())})


async def test_a_runtime_that_cannot_cross_is_an_error_before_anything_runs() -> None:
    registry = fs.Registry(base=fs.registry)
    lock = threading.Lock()
    ran: list[str] = []

    @registry.runtime("transform:locked")
    async def locked(params: ExecutionParams) -> None:
        with lock:
            pass

    @registry.runtime("transform:first")
    async def first(params: ExecutionParams) -> None:
        ran.append("first")

    body = '<transform:first id="f"/><transform:locked id="a" place="process"/>'
    with pytest.raises(fs.InputError, match=r"'transform:locked'.*'lock'.*a lock"):
        await fs.run(flow(body, registry))
    assert ran == []


async def test_a_function_that_no_module_has_crosses_by_its_code() -> None:
    registry = fs.Registry(base=fs.registry)
    factor = 3

    @registry.runtime("transform:times")
    async def times(params: ExecutionParams) -> int:
        return int(params.input * factor)

    done = await fs.run(flow('<transform:times id="a" place="process"/>', registry), input=2)
    assert done.output == 6


async def test_the_state_of_the_run_stays_where_it_is() -> None:
    with pytest.raises(fs.FlowScriptError, match="the state of the run stays"):
        await run('<transform:read id="a" place="process"/>')


async def test_expressions_of_a_transform_see_the_names_that_they_use() -> None:
    done = await run(
        '<set var="k" value="10"/><transform:where id="w" n="{{7}}"/>'
        '<transform:map id="a" expression="item * k + w.config.n" input="{{$input}}" place="process"/>',
        input=[1, 2],
    )
    assert done.output == [17, 27]


async def test_a_resource_is_one_a_worker_and_run_and_closed_with_the_run(tmp_path: Path) -> None:
    log = tmp_path / "log"
    done = await run(
        f'<foreach id="f" collection="[1, 2, 3, 4]">'
        f'<transform:resource id="a" log="{log}" place="one"/></foreach>',
        places={"one": fs.Process(workers=1)},
    )
    (pid,) = {each[0] for each in done.output}
    assert lines(log) == [f"open {pid}", f"close {pid}"]


async def test_the_time_that_is_left_bounds_a_node_on_its_worker() -> None:
    with pytest.raises(trio.TooSlowError):
        await run(
            '<transform:block id="a" seconds="60" place="process" timeout="6s"/>',
        )


async def test_a_plain_function_runs_in_a_process() -> None:
    done = await run('<transform:block id="a" place="process"/>')
    assert done.output[0] != os.getpid()


async def test_a_plain_function_needs_no_thread_beside_that_which_waits_for_jobs() -> None:
    done = await run('<transform:threads id="a" place="process"/>')
    assert done.output == ["MainThread", "flowscript watch"]


async def test_a_plain_function_is_told_of_its_node_and_tells_the_run() -> None:
    body = '<transform:warn-plainly id="a" n="{{1}}" place="process"/>'
    with pytest.warns(fs.FlowScriptWarning):
        done = await run(body, input="in", seed=5)
    drawn = (await run('<transform:where id="a"/>', seed=5)).output["draw"]
    assert done.output == ["a", {"n": 1}, "in", drawn]
    worker = done.results["a"].worker
    assert [each.message for each in done.warnings] == [f"said (on {worker})"]


async def test_a_plain_function_cannot_wait_for_a_resource() -> None:
    with pytest.raises(fs.FlowScriptError, match="a plain function has no resources of the run"):
        await run('<transform:resource-plainly id="a" place="process"/>')


async def test_an_error_of_a_plain_function_is_that_of_its_node() -> None:
    with pytest.raises(OddError) as caught:
        await run('<transform:raise-plainly id="a" place="process"/>')
    assert any(note.startswith("on process ") for note in caught.value.__notes__)


_PROGRAM = """
import sys
import trio
import flowscript_trio as fs
from travelling import flow

if __name__ == "__main__":
    trio.run(fs.run, flow(sys.argv[1]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("what", ["async", "plain"])
async def test_a_worker_ends_with_the_process_of_the_run_however_that_ends(
    what: str, tmp_path: Path
) -> None:
    log, program = tmp_path / "log", tmp_path / "program.py"
    program.write_text(_PROGRAM)
    node = {"async": "wait", "plain": "hang-plainly"}[what]
    body = f'<transform:{node} id="a" log="{log}" place="process"/>'
    command = [sys.executable, str(program), body]
    environment = os.environ | {"PYTHONPATH": str(TESTS)}
    async with trio.open_nursery() as nursery:
        start = partial(trio.run_process, command, env=environment, check=False)
        process = await nursery.start(start)
        await until(lambda: lines(log), 60)
        process.kill()
    (begun, *_) = lines(log)
    worker = int(begun.split()[1])
    await until(lambda: not lives(worker))
    assert lines(log)[1:] == {"async": ["cleaned up"], "plain": []}[what]


def lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class Sent:
    """What goes to workers: for each call of a node whether its terms are given, and whether they were missed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[tuple[bool, bool]] = []
        call = _Workers.call

        async def noted(
            workers: _Workers, context: Any, path: str, function: Any, *given: Any
        ) -> Any:
            answer = None
            try:
                answer = await call(workers, context, path, function, *given)
            finally:
                self.calls.append((given[2] is not None, answer is None))
            return answer

        monkeypatch.setattr(_Workers, "call", noted)


async def test_the_context_of_a_trace_crosses_with_each_node() -> None:
    body = (
        '<transform:headers id="a" place="process"/><transform:headers-plainly id="b" place="process"/>'
        '<foreach id="f" collection="[1]" place="process"><transform:headers id="c"/></foreach>'
        '<return value="{{[a, b, f[0]]}}"/>'
    )
    token = send_along(lambda: {"traceparent": "00-1"})
    try:
        done = await run(body)
    finally:
        end(token)
    assert done.output == [{"traceparent": "00-1"}] * 3
    assert (await run(body)).output == [{}] * 3


async def test_what_the_attempts_of_a_node_have_in_common_is_sent_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent = Sent(monkeypatch)
    done = await run(
        '<foreach id="f" collection="[1, 2, 3]"><transform:where id="a" n="{{item}}" place="one"/></foreach>',
        places={"one": fs.Process(workers=1)},
    )
    assert [each["config"]["n"] for each in done.output] == [1, 2, 3]
    assert sent.calls == [(True, False), (False, False), (False, False)]


async def test_a_worker_that_comes_later_is_told_when_it_says_that_it_lacks_something(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = Sent(monkeypatch)
    log = tmp_path / "log"
    body = (
        f'<transform:die id="a" log="{log}" once="yes" place="one">'
        '<on-error><retry max="1" base="0s"/></on-error></transform:die>'
    )
    done = await run(body, places={"one": fs.Process(workers=1)})
    assert done.output == "alive"
    # It died; the next one was asked without the terms, missed them, and was given them.
    assert sent.calls == [(True, True), (False, True), (True, False)]


async def test_after_a_cancellation_that_killed_a_worker_the_next_one_is_told(
    tmp_path: Path,
) -> None:
    registry = fs.Registry(base=REGISTRY)
    log = tmp_path / "log"

    @registry.runtime("transform:seen")
    async def seen(params: ExecutionParams) -> None:
        if params.input:
            await until(lambda: lines(log))
        else:
            await trio.sleep_forever()

    body = (
        '<foreach id="f" collection="[60, 0]"><parallel id="p" wait="any">'
        f'<branch><transform:block id="a" seconds="{{{{item}}}}" log="{log}" place="one"/></branch>'
        '<branch><transform:seen id="s" input="{{item}}"/></branch></parallel></foreach>'
    )
    done = await fs.run(flow(body, registry), places={"one": fs.Process(workers=1)})
    assert lines(log) == ["began", "began", "ended"]
    first, second = (each for each in done.record if each.path.endswith("/a"))
    assert (first.status, second.status) == ("cancelled", "success")
    assert first.worker != second.worker


async def test_a_node_that_is_cancelled_while_it_waits_for_a_worker_kills_none(
    tmp_path: Path,
) -> None:
    registry = fs.Registry(base=REGISTRY)
    log = tmp_path / "log"

    @registry.runtime("transform:seen")
    async def seen(params: ExecutionParams) -> None:
        await until(lambda: lines(log))

    body = (
        '<parallel id="p" tolerate="1">'
        f'<branch><transform:block id="a" seconds="1" log="{log}" place="one"/></branch>'
        '<branch><transform:seen id="s"/>'
        '<transform:block id="b" after="s" timeout="100ms" place="one"/></branch></parallel>'
        '<transform:where id="c" after="p" place="one"/><return value="{{[a[0], c.pid]}}"/>'
    )
    done = await fs.run(flow(body, registry), places={"one": fs.Process(workers=1)})
    assert lines(log) == ["began", "ended"]
    assert done.output[0] == done.output[1]
    (waited,) = done.record["p/1/b"]
    assert isinstance(waited.error, trio.TooSlowError)
    assert waited.worker is None


async def test_no_more_nodes_are_at_work_than_there_are_workers() -> None:
    done = await run(
        '<foreach id="f" collection="[1, 2, 3]" maxConcurrency="3">'
        '<transform:where id="a" place="one"/></foreach>',
        places={"one": fs.Process(workers=1)},
    )
    assert len({each["pid"] for each in done.output}) == 1


@pytest.mark.parametrize("workers", [0, -1, True, 1.5])
def test_a_number_of_workers_that_is_none_is_refused(workers: Any) -> None:
    with pytest.raises(fs.InputError, match="workers is"):
        fs.Process(workers=workers)


def test_nothing_of_places_is_imported_where_none_is_used() -> None:
    code = (
        "import sys, trio, flowscript_trio as fs\n"
        'f = fs.loads(\'<workflow name="w"><transform:template id="a" template="x"/></workflow>\')\n'
        "trio.run(fs.run, f)\n"
        "print([m for m in sys.modules if m.split('.')[0] in ('trio_parallel', 'distributed', "
        "'dask', 'cloudpickle') "
        "or m.startswith('flowscript_trio.placement')])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_a_worker_of_leaf_nodes_imports_nothing_that_reads_checks_and_compiles_documents() -> None:
    code = (
        "import sys, flowscript_trio.placement.calls\n"
        "print([m for m in sys.modules if m.partition('.')[2].split('.')[0] in "
        "('parser', 'validator', 'program') and m.startswith('flowscript_trio')])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


LOST = """<foreach id="each" collection="[1, 2, 3]" place="process">
  <transform:die id="a" log="{log}" once="yes"><on-error>{retry}</on-error></transform:die></foreach>"""


async def test_an_iteration_that_was_lost_with_its_worker_goes_again_by_the_retry_of_its_node(
    tmp_path: Path,
) -> None:
    body = LOST.format(log=tmp_path / "log", retry='<retry max="2" base="0s"/>')
    done = await run(body, places={"process": fs.Process(workers=1)})
    assert done.output == ["alive"] * 3
    assert len(lines(tmp_path / "log")) == 1
    [warning] = done.record.warnings
    assert "'each[0]/a' is sent again in 0 s, since it was lost with its worker" in warning.message
    assert done.record.failures == []


@pytest.mark.parametrize("retry", ['<retry max="3" when="false"/>', '<fallback node="b"/>'])
async def test_an_iteration_that_no_retry_takes_is_lost_with_its_worker(
    retry: str, tmp_path: Path
) -> None:
    body = LOST.format(log=tmp_path / "log", retry=retry)
    body = body.replace("</foreach>", '<transform:where id="b" if="false"/></foreach>')
    with pytest.raises(fs.WorkerDied):
        await run(body, places={"process": fs.Process(workers=1)})


async def test_of_several_nodes_nobody_knows_which_was_lost(tmp_path: Path) -> None:
    body = LOST.format(log=tmp_path / "log", retry='<retry max="2" base="0s"/>')
    body = body.replace("</foreach>", '<transform:where id="b"/></foreach>')
    with pytest.raises(fs.WorkerDied):
        await run(body, places={"process": fs.Process(workers=1)})


async def test_a_retry_of_what_is_lost_that_is_itself_wrong_is_the_error(tmp_path: Path) -> None:
    retry = '<retry max="2" when="1 / 0 > 0" base="0s"/>'
    body = LOST.format(log=tmp_path / "log", retry=retry)
    with pytest.raises(fs.FlowScriptError) as caught:
        await run(body, places={"process": fs.Process(workers=1)})
    assert not isinstance(caught.value, fs.WorkerDied)
    assert isinstance(caught.value.__context__, fs.WorkerDied)


APPENDS = {
    "node": '<sink type="file" id="k" path="log.txt" append="true" input="{{1}}" place="process"/>',
    "iteration": '<foreach id="e" collection="[1]" place="process">'
    '<sink type="file" id="k" path="log.txt" append="true" input="{{item}}"/></foreach>',
}


@pytest.mark.parametrize("shape", APPENDS)
async def test_a_durable_run_adds_to_no_file_where_it_cannot_keep_how_long_it_was(
    shape: str, tmp_path: Path
) -> None:
    (tmp_path / "log.txt").write_text("before")
    with pytest.raises(fs.CannotKeep, match='let the node run here, or give it place="thread"'):
        await run(APPENDS[shape], store=fs.Store.memory(), base=tmp_path)
    assert (tmp_path / "log.txt").read_text() == "before"
    await run(APPENDS[shape], base=tmp_path)
    assert (tmp_path / "log.txt").read_text() != "before"


@pytest.mark.parametrize("shape", ["{}", '<foreach id="e" collection="[1]"{place}>{}</foreach>'])
async def test_a_node_has_the_same_idempotency_key_wherever_it_runs(shape: str) -> None:
    keys = set()
    for place in ("here", "thread", "process"):
        at = f' place="{place}"'
        node = f'<transform:where id="a"{"" if "place" in shape else at}/>'
        body = shape.format(node, place=at)
        done = await run(body, store=fs.Store.memory(), run_id="r")
        given = done.output[0] if isinstance(done.output, list) else done.output
        keys |= {given["key"], given["own key"]}
    assert len(keys) == 1
    assert None not in keys
