"""Owns tests that the first node of a kind holds nobody up: what it needs came with its document."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

SHOWS = """
import sys, trio, flowscript_trio as fs
flow = fs.loads('<workflow name="w">' + {element!r} + '</workflow>')
before = set(sys.modules)

async def main():
    try:
        await fs.run(flow, secrets={{"OPENAI_API_KEY": "key", "OPENAI_BASE_URL": "http://127.0.0.1:1"}})
    except Exception as error:
        print(type(error).__name__)

trio.run(main)
print(sorted(set(sys.modules) - before))
"""


@pytest.mark.parametrize(
    "element",
    [
        '<source:http id="x" url="http://127.0.0.1:1/"/>',
        '<sink:http id="x" url="http://127.0.0.1:1/" body="b"/>',
        '<ai id="x" model="m" user="u"/>',
    ],
)
def test_the_first_request_of_a_process_imports_nothing_while_it_runs(element: str) -> None:
    code = SHOWS.format(element=element)
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    error, modules = said.stdout.splitlines()
    assert error == "ConnectError"
    heavy = [name for name in ast.literal_eval(modules) if name.partition(".")[0] != "encodings"]
    assert heavy == []


DURABLE = """
import sys, threading, trio, flowscript_trio as fs
flow = fs.loads('<workflow name="w"><parallel id="p"><branch><delay id="d" duration="1ms"/></branch></parallel>'
    '<loop id="l" max="2"><set var="x" value="{{1}}"/></loop></workflow>')
store = fs.Store(sys.argv[1])

class Finder:
    found = []
    def find_spec(self, name, path=None, target=None):
        if threading.current_thread() is threading.main_thread():
            self.found.append(name)

sys.meta_path.insert(0, Finder())
run = trio.run(lambda: fs.run(flow, store=store, run_id="r"))
again = trio.run(lambda: fs.resume(store, "r"))
print(run.status, again.status, Finder.found)
"""


def test_the_first_durable_run_of_a_process_imports_in_a_thread_what_it_needs(
    tmp_path: Path,
) -> None:
    command = [sys.executable, "-c", DURABLE, str(tmp_path / "runs.db")]
    said = subprocess.run(command, check=True, capture_output=True, text=True)
    assert said.stdout == "completed completed []\n"
