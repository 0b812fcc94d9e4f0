"""Owns the tests of spans: a tree that is the run's, links to causes, and a context that goes along."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator

import pytest
import trio
import trio.testing
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from trio.testing import MockClock

import flowscript_trio as fs
from flowscript_trio.observe.spans import Spans
from flowscript_trio.types.propagation import headers_along

from loopback import Answer, Seen, loopback
from stubs import Stubs

FAILING = """
<parallel id="p" maxConcurrency="3">
  <branch><source:stub id="a" takes="2s" fails="broken">
    <on-error><retry max="1" base="1s" backoff="fixed" jitter="none" when="true"/></on-error>
  </source:stub></branch>
  <branch><source:stub id="b" hangs="true"/></branch>
  <branch><foreach id="f" collection="[1, 2]" maxConcurrency="2">
    <source:stub id="c" hangs="true"/>
  </foreach></branch>
</parallel>
"""


class Exported:
    """A tracer and what it has exported, by ``flowscript.path``."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracer = self.provider.get_tracer("test")

    @property
    def spans(self) -> dict[str, ReadableSpan]:
        return {
            str((span.attributes or {}).get("flowscript.path", "")): span
            for span in self.exporter.get_finished_spans()
        }

    def tree(self) -> dict[str, str | None]:
        """The name of each span with that of its parent's."""
        spans = self.spans.values()
        names = {span.context.span_id: span.name for span in spans if span.context is not None}
        return {
            path: None if span.parent is None else names[span.parent.span_id]
            for path, span in self.spans.items()
        }


@pytest.fixture
def exported() -> Iterator[Exported]:
    made = Exported()
    yield made
    made.provider.shutdown()


async def failing(exported: Exported) -> None:
    with contextlib.suppress(ValueError):
        await Stubs().run(FAILING, observers=[Spans(exported.tracer)])


async def test_spans_nest_as_the_run_does(autojump_clock: MockClock, exported: Exported) -> None:
    await failing(exported)
    assert exported.tree() == {
        "": None,
        "p": "workflow test",
        "p/0": "p",
        "p/0/a": "branch 0",
        "p/1": "p",
        "p/1/b": "branch 1",
        "p/2": "p",
        "p/2/f": "branch 2",
        "p/2/f[0]": "f",
        "p/2/f[1]": "f",
        "p/2/f[0]/c": "iteration 0",
        "p/2/f[1]/c": "iteration 1",
    }


async def test_who_was_cancelled_has_a_link_to_who_caused_it(
    autojump_clock: MockClock, exported: Exported
) -> None:
    await failing(exported)
    spans = exported.spans
    cause = spans["p/0"].context
    for path in ("p/1", "p/1/b", "p/2", "p/2/f", "p/2/f[0]", "p/2/f[1]/c"):
        span = spans[path]
        assert span.attributes is not None
        assert span.attributes["flowscript.status"] == "cancelled"
        assert span.attributes["flowscript.cancelled.by"] == "p/0"
        assert [link.context for link in span.links] == [cause], path
    for path in ("", "p", "p/0", "p/0/a"):
        assert not spans[path].links


async def test_errors_are_recorded_and_attempts_are_events(
    autojump_clock: MockClock, exported: Exported
) -> None:
    await failing(exported)
    for path in ("", "p", "p/0", "p/0/a"):
        span = exported.spans[path]
        assert span.status.status_code is trace.StatusCode.ERROR
        assert span.status.description == "broken"
        assert span.attributes is not None
        assert span.attributes["error.type"] == "ValueError"
    span = exported.spans["p/0/a"]
    assert [event.name for event in span.events] == ["attempt failed", "exception"]
    assert span.attributes is not None
    assert span.attributes["flowscript.attempts"] == 2
    assert span.attributes["code.line.number"] == 4
    assert exported.spans["p/1/b"].status.status_code is trace.StatusCode.UNSET


async def test_the_run_lies_in_the_span_of_whoever_starts_it_and_leaves_the_context_as_it_was(
    autojump_clock: MockClock, exported: Exported
) -> None:
    with exported.tracer.start_as_current_span("handler") as around:
        for body in (FAILING, '<source:stub id="x"/>'):
            with contextlib.suppress(ValueError):
                await Stubs().run(body, observers=[Spans(exported.tracer)])
            assert trace.get_current_span() is around
            assert headers_along() == {}
    runs = [s for s in exported.exporter.get_finished_spans() if s.name.startswith("workflow")]
    assert {run.parent and run.parent.span_id for run in runs} == {
        around.get_span_context().span_id
    }


async def test_spans_of_a_runtimes_own_lie_in_that_of_its_node(exported: Exported) -> None:
    stubs = Stubs()

    @stubs.registry.runtime("source:inner")
    async def inner(params: fs.ExecutionParams) -> None:
        async def work() -> None:
            with exported.tracer.start_as_current_span("of its own"):
                await trio.lowlevel.checkpoint()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(work)

    body = (
        '<foreach id="f" collection="[1, 2, 3]" maxConcurrency="1"><source:inner id="n"/></foreach>'
    )
    await fs.run(stubs.load(body), observers=[Spans(exported.tracer)])
    finished = exported.exporter.get_finished_spans()
    nodes = {s.context.span_id for s in finished if s.name == "n" and s.context is not None}
    assert len(nodes) == 3
    assert {s.parent and s.parent.span_id for s in finished if s.name == "of its own"} == nodes


async def test_requests_carry_the_span_of_their_node(exported: Exported) -> None:
    async with loopback() as server:
        seen: list[Seen] = []

        async def page(request: Seen) -> Answer:
            seen.append(request)
            return Answer(body={})

        server.pages["/1"] = page
        flow = fs.loads(
            '<workflow name="w"><source:http id="api" url="{{$config.base}}/1"/></workflow>'
        )
        await fs.run(flow, config={"base": server.base}, observers=[Spans(exported.tracer)])
        await fs.run(flow, config={"base": server.base})
    context = exported.spans["api"].context
    assert context is not None
    version, trace_id, span_id, _ = seen[0].headers["traceparent"].split("-")
    assert version == "00"
    assert (int(trace_id, 16), int(span_id, 16)) == (context.trace_id, context.span_id)
    assert "traceparent" not in seen[1].headers


async def test_an_interrupted_run_leaves_no_span_open(exported: Exported) -> None:
    class Interrupt(BaseException):
        pass

    stubs = Stubs()

    @stubs.registry.runtime("source:stop")
    async def stop(params: fs.ExecutionParams) -> None:
        await trio.testing.wait_all_tasks_blocked()
        raise KeyboardInterrupt

    hangs = '<source:stub id="b" hangs="true"/>'
    body = (
        '<parallel id="p"><branch><source:stop id="s"/></branch><branch>'
        + hangs
        + "</branch></parallel>"
    )
    before = trace.get_current_span()
    with pytest.raises(KeyboardInterrupt):
        await fs.run(stubs.load(body), observers=[Spans(exported.tracer)])
    assert trace.get_current_span() is before
    assert {"", "p", "p/0", "p/0/s", "p/1", "p/1/b"} == exported.spans.keys()


def test_without_opentelemetry_it_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['opentelemetry'] = None\n"
        "import flowscript_trio\n"
        "try:\n    import flowscript_trio.observe.spans\n"
        "except flowscript_trio.FlowScriptError as exc:\n    print(exc)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "pip install 'flowscript-trio[otel]'" in done.stdout, done.stderr


def test_nothing_of_opentelemetry_is_imported_without_it() -> None:
    program = (
        "import sys, trio, flowscript_trio as fs\n"
        'flow = fs.loads(\'<workflow name="w"><delay duration="0s"/></workflow>\')\n'
        "trio.run(fs.run, flow)\n"
        "print(any(name.startswith('opentelemetry') for name in sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "False\n", done.stderr
