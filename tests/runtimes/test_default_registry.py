"""Owns the tests of the default registry: its built-in runtimes are imported when they are asked for."""

from __future__ import annotations

import subprocess
import sys


def test_every_built_in_runtime_is_registered_by_the_module_that_is_said_to_do_so() -> None:
    asked = (
        "import sys\n"
        "from flowscript_trio.runtimes.registry import registry\n"
        "assert not any(name.startswith('flowscript_trio.runtimes.http') for name in sys.modules)\n"
        "names = registry.names()\n"
        "assert all(registry.get_runtime(name).type == name for name in names)\n"
        "assert sorted(registry._runtimes) == names, set(names) ^ set(registry._runtimes)\n"
    )
    subprocess.run([sys.executable, "-c", asked], check=True)


def test_a_built_in_name_is_taken_before_its_module_is_imported() -> None:
    asked = (
        "import flowscript_trio as fs\n"
        "try:\n"
        "    fs.runtime('source:http')(print)\n"
        "except fs.FlowScriptError as exc:\n"
        "    assert 'already registered' in str(exc)\n"
        "else:\n"
        "    raise AssertionError\n"
    )
    subprocess.run([sys.executable, "-c", asked], check=True)
