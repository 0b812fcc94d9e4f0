"""Owns the tests that proofs find nothing where nothing is wrong: small documents that were once accused."""

from __future__ import annotations

import pytest

import flowscript_trio as fs
from flowscript_trio.testing import Case, Expected, Reply, Stub, prove_case
from flowscript_trio.testing.case_proof import stand_in

pytestmark = pytest.mark.slow

HANDLER = """
<source:file id="a" path="a"><on-error><fallback node="b"/></on-error></source:file>
<source:file id="b" path="b"/>
<finally><delay duration="1s"/></finally>
"""
LATE = """
<source:file id="a" path="a"><compensate><delay id="undo" duration="1s"/></compensate></source:file>
<finally><source:file id="c" path="c"/></finally>
"""
RACE = """
<parallel id="p" wait="any">
  <branch><foreach id="f" collection="[1, 2]" wait="any" maxConcurrency="2">
    <source:file id="a" path="a"/></foreach></branch>
  <branch><source:file id="b" path="b"/></branch>
</parallel>
"""
TOLERATED = """
<parallel id="p" wait="n(2)" maxConcurrency="3">
  <branch><source:http id="a" url="http://x/a"/></branch>
  <branch><source:http id="b" url="http://x/b"/></branch>
  <branch><source:http id="c" url="http://x/c"/></branch>
  <branch><source:http id="d" url="http://x/d"/></branch>
</parallel>
"""
DOCUMENTS: dict[str, tuple[str, dict[str, Stub]]] = {
    "a handler runs beside its body": (HANDLER, {}),
    "an error in the last clean-up comes too late for compensations": (LATE, {}),
    "a race is cancelled while it cancels its losers": (
        RACE,
        {"a": Stub((Reply(delay=1.0), Reply(delay=9.0)))},
    ),
    "an error under a cancellation surfaces, and not one that was tolerated": (
        TOLERATED,
        {
            "a": Stub((Reply(error="away", delay=1.0),)),
            "b": Stub((Reply(delay=4.0),)),
            "c": Stub((Reply(delay=9.0),)),
            "d": Stub((Reply(hangs=True),)),
        },
    ),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_sound_document_holds(name: str) -> None:
    body, stubs = DOCUMENTS[name]
    flow = fs.loads(f'<workflow name="w">{body}</workflow>')
    case, _ = stand_in(flow, Case(name=name, expected=Expected(), stubs=stubs))
    report = prove_case(flow, case, pairs=500)
    assert report.holds, report.render()
