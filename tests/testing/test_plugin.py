"""Owns the tests of the pytest plugin: sessions of their own, each in a process of its own."""

from __future__ import annotations

from importlib.metadata import entry_points

import pytest

pytestmark = pytest.mark.slow

pytest_plugins = ["pytester"]

PLUGIN = "flowscript_trio.testing.plugin"
INSTALLED = any(point.value == PLUGIN for point in entry_points(group="pytest11"))
"""Whether pytest finds the plugin by itself: an installation may be older than the plugin."""

HEAD = """
import pytest
import trio
import flowscript_trio as fs
from flowscript_trio.testing import Reply

FLOW = fs.loads('''<workflow name="greet">
  <source:http id="who" url="http://x/{{$config.path}}"/>
  <transform type="template" id="hello" template="hello {{who}} {{uuid()}}"/>
</workflow>''', name="greet.xml")

registry = fs.Registry(base=fs.registry)

@registry.runtime("source:deaf")
async def deaf(params):
    try:
        await trio.sleep(1)
    except BaseException:
        pass

DEAF = fs.loads('<workflow name="w"><source:deaf id="x"/></workflow>', registry=registry)
"""


def session(pytester: pytest.Pytester, text: str, *args: str) -> pytest.RunResult:
    """Run the tests in a text in a process of its own."""
    pytester.makepyfile(HEAD + text)
    plugin = [] if INSTALLED else ["-p", PLUGIN]
    return pytester.runpytest_subprocess(*plugin, "--strict-markers", "-W", "error", *args)


def test_a_flow_runs_in_virtual_time_with_stubs(pytester: pytest.Pytester) -> None:
    text = """
def test_one(run_flow):
    run = run_flow(FLOW, stubs={"who": Reply(output="Ada", delay=20.0)}, config={"path": "p"})
    assert run.output.startswith("hello Ada ")
    assert run.duration == 20
    assert run.settings["who"]["url"] == "http://x/p"

def test_error(run_flow):
    with pytest.raises(fs.FlowScriptError, match="no"):
        run_flow(FLOW, stubs={"who": Reply(error="no")})
"""
    session(pytester, text).assert_outcomes(passed=2)


def test_a_node_without_a_stub_fails_the_test_at_its_own_line(pytester: pytest.Pytester) -> None:
    result = session(pytester, "\ndef test_one(run_flow):\n    run_flow(FLOW)\n")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [">*run_flow(FLOW)", "E*NotStubbed: ran, and neither stubbed nor real: who (source:http)"]
    )
    result.stdout.no_fnmatch_line("*plugin.py*")


def test_a_proof_that_holds_gives_its_report(pytester: pytest.Pytester) -> None:
    text = """
def test_one(assert_proved):
    report = assert_proved(FLOW, stubs={"who": Reply(output="Ada", delay=1.0)}, pairs=5)
    assert report.holds
    assert report.points > 10
    assert report.seed == 0
"""
    session(pytester, text).assert_outcomes(passed=1)


def test_a_proof_that_fails_shows_the_report_and_the_seed_and_no_traceback(
    pytester: pytest.Pytester,
) -> None:
    text = """
@pytest.mark.flowscript_seeds(3)
def test_one(assert_proved):
    assert_proved(DEAF, real=["x"], pairs=0)
"""
    result = session(pytester, text)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "w does not keep its promises",
            "errors * 3",
            "points tried *",
            "violations *",
            "nobody swallows cancelled: source:deaf*",
            "*(seed 3)*",
            "seed 3; to run it again: --flowscript-seed 3",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*prove_with_the_seed*")


def test_a_node_without_a_stub_fails_the_proof(pytester: pytest.Pytester) -> None:
    result = session(pytester, "\ndef test_one(assert_proved):\n    assert_proved(FLOW)\n")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["greet: ran in the proof, and neither stubbed nor real: who *"])
    result.stdout.no_fnmatch_line("*During handling*")


SEEDED = """
seen = []

def note(run_flow, flowscript_seed):
    seen.append((flowscript_seed, run_flow(FLOW, stubs={"who": 1}).output))

def test_default(run_flow, flowscript_seed):
    note(run_flow, flowscript_seed)

@pytest.mark.flowscript_seeds(4, 2, 4)
def test_named(run_flow, flowscript_seed):
    note(run_flow, flowscript_seed)

@pytest.mark.flowscript_seeds(count=2)
class TestCounted:
    def test_counted(self, run_flow, flowscript_seed):
        note(run_flow, flowscript_seed)

    def test_without(self):
        pass

@pytest.fixture(scope="module", autouse=True)
def tell():
    yield
    assert len(dict(seen)) == len(set(seen))  # one output for each seed
    print("seeds:", [seed for seed, _ in seen], "outputs:", len({output for _, output in seen}))
"""


def test_a_marker_chooses_seeds(pytester: pytest.Pytester) -> None:
    result = session(pytester, SEEDED, "-v", "-s")
    result.assert_outcomes(passed=6)
    result.stdout.fnmatch_lines(["*::test_named[[]seed=4] *", "*::test_named[[]seed=2] *"])
    result.stdout.fnmatch_lines(["*seeds: [[]0, 4, 2, 0, 1] outputs: 4"])


def test_the_command_line_chooses_the_only_seed(pytester: pytest.Pytester) -> None:
    result = session(pytester, SEEDED, "-s", "--flowscript-seed", "9")
    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines(["*seeds: [[]9, 9, 9] outputs: 1"])


@pytest.mark.parametrize(
    ("marker", "message"),
    [
        ("", "it takes seeds, or count=…; found neither"),
        ("1, count=2", "it takes seeds, or count=…; found both"),
        ("count=0", "count is a whole number from 1; found 0"),
        ("'1'", "a seed is a whole number; found '1'"),
        ("True", "a seed is a whole number; found True"),
        ("seeds=1", "it takes seeds, or count=…; found seeds=…"),
    ],
)
def test_wrong_arguments_of_the_marker_are_told(
    pytester: pytest.Pytester, marker: str, message: str
) -> None:
    text = f"@pytest.mark.flowscript_seeds({marker})\ndef test_one(run_flow): pass\n"
    result = session(pytester, text)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"*::test_one: marker flowscript_seeds: {message}"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_a_marker_without_effect_is_an_error(pytester: pytest.Pytester) -> None:
    result = session(pytester, "@pytest.mark.flowscript_seeds(1)\ndef test_one(): pass\n")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*marker flowscript_seeds: it does nothing here*"])


def test_an_async_test_is_told_to_be_a_plain_one(pytester: pytest.Pytester) -> None:
    text = "async def test_one({0}):\n    {0}(FLOW)\n"
    result = session(
        pytester,
        text.format("run_flow") + text.format("assert_proved").replace("_one", "_two"),
        "-o",
        "trio_mode=true",
    )
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["*run_flow starts trio itself*make the test a plain `def`*"])
    result.stdout.fnmatch_lines(["*assert_proved starts trio itself*"])


def test_loading_the_plugin_imports_nothing_of_the_engine(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
import sys

def test_one(request):
    assert request.config.pluginmanager.hasplugin("flowscript_trio.testing.plugin") or (
        request.config.pluginmanager.hasplugin("flowscript"))
    heavy = [name for name in ("trio", "lxml", "pydantic", "yaml", "httpx") if name in sys.modules]
    assert heavy == []
    ours = sorted(name for name in sys.modules if name.startswith("flowscript_trio"))
    assert ours == ["flowscript_trio", "flowscript_trio.testing", "flowscript_trio.testing.plugin"]
""")
    plugin = [] if INSTALLED else ["-p", PLUGIN]
    others = ["-p", "no:trio", "-p", "no:anyio", "-p", "no:hypothesispytest"]
    result = pytester.runpytest_subprocess(*plugin, *others)
    result.assert_outcomes(passed=1)
