"""Owns the workloads of whole processes: importing the package, and running a file on the command line."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import gettempdir, mkdtemp

from .measuring import Cost, Workload

SCRIPT = """
import trio
async def main():
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.lowlevel.checkpoint)
trio.run(main)
"""
NOT_COMPILING = ("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX")
DOCUMENT = '<workflow name="one"><transform type="template" id="t" template="done"/></workflow>'


def process(*arguments: str) -> Cost:
    """The seconds of a Python process from its start to its end, with compiled modules as people have them."""
    environment = {name: value for name, value in os.environ.items() if name not in NOT_COMPILING}
    environment["PYTHONPYCACHEPREFIX"] = str(Path(gettempdir()) / "flowscript-benchmark-modules")

    def cost() -> float:
        started = time.perf_counter()
        command = [sys.executable, *arguments]
        subprocess.run(command, check=True, capture_output=True, env=environment)
        return time.perf_counter() - started

    return cost


def imports(name: str, reach: float | None, aim: float | None) -> Workload:
    hand = "import trio, lxml.etree; from pydantic import BaseModel"
    return Workload(name, "import", 1, process("-c", name), process("-c", hand), reach, aim)


def command() -> Workload:
    folder = Path(mkdtemp(prefix="flowscript-benchmark-"))
    file = folder / "one.xml"
    file.write_text(DOCUMENT)
    run: Sequence[str] = ("-m", "flowscript_trio", "run", str(file))
    engine, hand = process(*run), process("-c", SCRIPT)
    return Workload("flowscript run, a file of one node", "run", 1, engine, hand, 1.6, 1.3)


def workloads(scale: float) -> Iterator[Workload]:
    yield imports("import flowscript_trio", 1.35, 1.15)
    yield imports(
        "from flowscript_trio import load, run", None, None
    )  # what the first is put off to
    yield command()
