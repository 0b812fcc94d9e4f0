"""Documents of strangers that do their worst, run as the guide says: each in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

SECONDS = 2.0
"""The budget of the guide, but for fewer seconds, one of them for clean-up."""
MEMORY = 300  # MiB
PAGE = Path(__file__).parents[2] / "docs" / "howto" / "strangers.md"

RUNS = """
import json, resource, sys, tempfile, time, warnings
from dataclasses import replace
from pathlib import Path
warnings.simplefilter("ignore")
page, text, given, seconds = json.load(sys.stdin)
names = {}
exec(page, names)
import trio
fs = names["fs"]
names["ALLOWED"] = fs.registry.only("control:*", "transform:*")  # more than there, for the attacks to begin
budget = fs.Budget

def shorter(**bounds):
    return budget(**{**bounds, "seconds": seconds, "cleanup": 1})

fs.Budget = shorter
said = "done"
began = time.process_time()  # of the processor: the machine may be busy
try:
    with tempfile.TemporaryDirectory() as folder:
        trio.run(names["run_stranger"], text, given, folder, [])
except Exception as error:
    said = type(error).__name__
took = time.process_time() - began
status = Path("/proc/self/status")
# On Linux `ru_maxrss` of a new process begins with what the process that started it held, so that
# the size of the test session would be blamed on the document; `VmHWM` is this program's own.
peak = (
    int(status.read_text().partition("VmHWM:")[2].split()[0]) // 1024
    if status.exists()
    else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
)
print(json.dumps([said, took, peak]))
"""

BIG = "repeat('x', 900000) + {0}"
ENDLESS = '<while id="{0}" condition="true" max="1000000000">{1}</while>'


def assign(expression: str) -> str:
    return f'<set var="x" value="{{{{ {expression} }}}}"/>'


def every(inner: str, count: int = 100_000, more: str = "", name: str = "f") -> str:
    return f'<foreach id="{name}" collection="range({count})" maxConcurrency="unlimited" {more}>{inner}</foreach>'


SPIN = "count(range(3000), i =&gt; count(range(300)) &lt; 0)"
ATTACKS: dict[str, tuple[str, object]] = {
    "a text": (assign("repeat('x', 10000000)"), None),
    "a number of digits": (assign("input &lt; 1"), "1" * 50_000 + "x"),
    "lists of lists": (
        assign("starts_with(reduce(range(40), (a, i) =&gt; [a, a], 0), 'x')"),
        None,
    ),
    "flattening": (assign("count(range(400000), i =&gt; flatten(range(100000)))"), None),
    "texts in a list": (
        assign("[]") + ENDLESS.format("w", assign(f"[...$context.x, {BIG.format('$iteration')}]")),
        None,
    ),
    "texts in lists in lists": (
        assign("[]") + ENDLESS.format("w", assign(f"[$context.x, {BIG.format('$iteration')}]")),
        None,
    ),
    "texts by new names": (
        "".join(f'<set var="x{n}" value="{{{{ {BIG.format(n)} }}}}"/>' for n in range(400)),
        None,
    ),
    "a foreach that keeps texts": (
        every(f'<set var="y" value="{{{{ {BIG.format("$index")} }}}}"/>'),
        None,
    ),
    "branches that hold texts while they wait": (
        every(
            every(
                '<delay id="d" duration="1h" input="{{ ' + BIG.format("$index") + ' }}"/>',
                more='input="{{ ' + BIG.format("$index") + ' }}"',
                name="g",
            )
        ),
        None,
    ),
    "collections of texts while they wait": (
        every(
            '<foreach id="g" collection="map(range(15), i =&gt; ' + BIG.format("i") + ')" '
            'maxConcurrency="unlimited"><delay duration="1h"/></foreach>'
        ),
        None,
    ),
    "a map of texts": (
        f'<transform:map id="m" input="$input" expression="{BIG.format("item")}"/>',
        list(range(90_000)),
    ),
    "a reduce of texts": (
        f'<transform:reduce id="m" input="$input" initial="[]" reducer="[...acc, {BIG.format("item")}]"/>',
        list(range(90_000)),
    ),
    "unlimited tasks": (every(every('<delay duration="60s"/>', name="g")), None),
    "unlimited tasks, four deep": (
        every(every(every(every('<delay duration="60s"/>', name="i"), name="h"), name="g")),
        None,
    ),
    "rounds without end": (ENDLESS.format("w", '<set var="q" value="1"/>'), None),
    "rounds of nothing": (ENDLESS.format("w", '<if id="i" condition="false"><then/></if>'), None),
    "rounds in rounds": (
        ENDLESS.format("w", ENDLESS.format("v", '<set var="q" value="1"/>')),
        None,
    ),
    "iterations that fail and are tolerated": (
        every(assign("1 - {}"), more='tolerate="100%"'),
        None,
    ),
    "a retry without end": (
        '<transform:map id="m" expression="1 - {}"><on-error><retry max="1000000000" when="true" base="0.001ms" '
        'backoff="fixed"/></on-error></transform:map>',
        [1],
    ),
    "a fallback behind a retry": (
        '<transform:map id="m" expression="1 - {}"><on-error><retry max="1000000000" when="true" base="0.001ms" '
        'backoff="fixed"/><fallback node="h"/></on-error></transform:map>'
        + ENDLESS.format("h", '<set var="q" value="1"/>'),
        [1],
    ),
    "clean-up without end": (
        f'<finally timeout="1d">{ENDLESS.format("w", assign("1"))}</finally><delay id="d" duration="1h"/>',
        None,
    ),
    "clean-up that keeps texts": (
        '<set var="x" value="{{ [] }}"/><finally timeout="1d">'
        + ENDLESS.format("w", assign(f"[...$context.x, {BIG.format('$iteration')}]"))
        + '</finally><delay id="d" duration="1h"/>',
        None,
    ),
    "clean-up after clean-up": (
        "".join(
            f'<phase name="p{n}"><set var="q" value="1"/><finally timeout="1d"><delay duration="9s"/>'
            "</finally></phase>"
            for n in range(20)
        ),
        None,
    ),
    "compensations": (
        "".join(
            f'<transform:map id="m{n}" expression="1"><compensate><delay duration="9s"/></compensate>'
            "</transform:map>"
            for n in range(20)
        )
        + '<delay id="d" after="m19" duration="1h"/>',
        [1],
    ),
    "an error handler of the workflow": (
        f'<delay duration="1h"/><on-workflow-error timeout="1d">{ENDLESS.format("w", assign("1"))}'
        "</on-workflow-error>",
        None,
    ),
    "evaluations side by side": (every(assign(SPIN)), None),
    "evaluations in clean-up": (
        f'<delay duration="1h"/><finally timeout="1d">{every(assign(SPIN), count=1000)}</finally>',
        None,
    ),
    "time limits that are kept": (
        ENDLESS.format(
            "w", every('<delay duration="1h"/>', more='timeout="1ms" on-timeout="keep"')
        ),
        None,
    ),
    "handlers of time limits": (
        '<timeout id="t" duration="1ms" on-timeout="h"><delay duration="1h"/></timeout>'
        + ENDLESS.format("h", '<set var="q" value="1"/>'),
        None,
    ),
    "a race that nobody wins": (
        every('<delay duration="1h"/>', count=1000, more='wait="any"'),
        None,
    ),
    "an errand after the failure": (
        assign("1 - {}") + f"<finally>{every(assign('1'))}</finally>",
        None,
    ),
    "a deep tower of blocks": (
        '<if id="i0" condition="true"><then>' * 0
        + every(
            '<timeout id="t" duration="1h"><phase name="p"><delay duration="1h"/></phase></timeout>'
        ),
        None,
    ),
    "warnings": (every('<if id="i" condition="$iteration"><then/></if>'), None),
    "unknown names": (
        "".join(
            f'<transform:template id="node_{n}_abcdefgh" template="{{{{ mode_{n}_abcdefgi }}}}"/>'
            for n in range(1200)
        ),
        None,
    ),
    "all variables in every node": (
        "".join(f'<set var="v{n}" value="{{{{ $context }}}}"/>' for n in range(2000)),
        None,
    ),
    "variables of variables": (
        "".join(f'<set var="v{n}" value="{{{{ [$context, $context] }}}}"/>' for n in range(60)),
        None,
    ),
    "hashes that collide": (
        assign("length(unique(map(range(30000), i =&gt; i * 2305843009213693951)))"),
        None,
    ),
}


ENDS = {
    "done",
    "TooSlowError",
    "BudgetExceeded",
    "LimitExceeded",
    "EvaluationError",
    "WorkflowInvalid",
}
"""How an attack may end."""


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_document_that_does_its_worst_ends_in_time_and_in_its_memory(attack: str) -> None:
    body, given = ATTACKS[attack]
    page = PAGE.read_text(encoding="utf-8")
    recipe = page.partition("```python\n")[2].partition("```")[0]
    text = f'<workflow name="w">{body}</workflow>'
    done = subprocess.run(
        [sys.executable, "-c", RUNS],
        input=json.dumps([recipe, text, given, SECONDS]),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    said, took, peak = json.loads(done.stdout)
    assert said in {
        "done",
        "TooSlowError",
        "BudgetExceeded",
        "LimitExceeded",
        "EvaluationError",
        "WorkflowInvalid",
    }
    assert took < SECONDS + 2
    assert peak < MEMORY
