"""Owns attacks as a stranger would try them, whole: a document, a file or a name, and what comes of it."""

from __future__ import annotations

import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
import trio
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import flowscript_trio as fs
from flowscript_trio.observe.spans import Spans

XINCLUDE = '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="/etc/passwd"/>'
SECRET = "eyJ" + "abcdefghij" * 12


def workflow(body: str, attributes: str = "") -> str:
    return f'<workflow name="w" {attributes}>{body}</workflow>'


@pytest.mark.parametrize(
    "body",
    [
        XINCLUDE,
        f'<source:file id="f"><path>{XINCLUDE}</path></source:file>',
        '<source:file id="f" path="&file;"/>',
    ],
)
def test_no_element_and_no_entity_brings_in_a_file(body: str) -> None:
    with pytest.raises(fs.WorkflowInvalid) as caught:
        fs.loads(workflow(body))
    codes = {problem.code for problem in caught.value.problems}
    assert codes & {"unknown-prefix", "nested-setting", "unknown-entity"}


def test_what_surrounds_a_setting_does_not_change_it(tmp_path: Path) -> None:
    """Comments and instructions inside of a text are passed over, as an XML parser does, and add nothing."""
    text = '<source:file id="f"><path>a<?x hidden?>b<!-- c -->.txt</path></source:file>'
    node = fs.loads(workflow(text)).document.body.nodes[0]
    assert str(node.settings["path"].value) == "ab.txt"


def test_a_file_that_is_no_document_shows_one_line_of_itself_at_most(tmp_path: Path) -> None:
    (tmp_path / "passwd").write_text("root:x:0:0\nsecond:x:1:1\n")
    (tmp_path / "main.xml").write_text(workflow('<include id="i" workflow="passwd"/>'))
    with pytest.raises(fs.WorkflowInvalid) as caught:
        fs.load(tmp_path / "main.xml")
    assert "second" not in str(caught.value)


def test_an_output_that_grows_without_end_when_it_is_printed_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "w.xml"
    file.write_text(workflow('<set var="x" value="{{ reduce(range(60), (a, i) => [a, a], 0) }}"/>'))
    command = [sys.executable, "-m", "flowscript_trio", "run", "-q", str(file)]
    files = [f"--report={tmp_path}/r.html", f"--record={tmp_path}/r", f"--trace={tmp_path}/t.json"]
    done = subprocess.run([*command, *files], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "when it is written out" in done.stderr


def test_a_header_of_many_columns_is_read_in_linear_time(tmp_path: Path) -> None:
    flow = fs.loads(workflow('<source:file id="f" path="x.csv"/>'))

    def seconds(columns: int) -> float:
        (tmp_path / "x.csv").write_text(",".join(f"c{number}" for number in range(columns)) + "\n")
        best = 1e9
        for _ in range(3):
            began = time.process_time()
            assert trio.run(partial(fs.run, flow, base=tmp_path)).output == []
            best = min(best, time.process_time() - began)
        return best

    assert seconds(80_000) < 25 * seconds(10_000), "twice as many took four times as long"


@pytest.mark.parametrize(
    "body",
    [
        '<source:file id="f" path="/no/{{$secrets.K}}"/>',
        '<set var="x" value="{{$secrets.K - 1}}"/>',
        '<foreach id="f" collection="{{$secrets.K}}"><set var="x" value="1"/></foreach>',
        '<source:http id="h" url="http://127.0.0.1:9/{{$secrets.K}}"/>',
    ],
)
async def test_no_span_has_a_secret_or_a_part_of_one(body: str) -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    flow = fs.loads(workflow(f'<secret name="K"/>{body}'))
    with pytest.raises(Exception) as caught:  # noqa: PT011  (each node raises an error of its own)
        await fs.run(flow, secrets={"K": SECRET}, observers=[Spans(provider.get_tracer("t"))])
    assert fs.failure_of(caught.value) is not None
    said = "".join(span.to_json() for span in exporter.get_finished_spans())
    assert "flowscript" in said
    assert not any(SECRET[at : at + 20] in said for at in range(len(SECRET) - 20))
