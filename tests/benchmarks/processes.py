"""Owns the workloads of whole processes: importing the package, and running a file on the command line."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import mkdtemp

from .measuring import Cost, Workload

SCRIPT = """
import trio
async def main():
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.lowlevel.checkpoint)
trio.run(main)
"""
DOCUMENT = '<workflow name="one"><transform type="template" id="t" template="done"/></workflow>'


def process(*arguments: str) -> Cost:
    """The seconds of a Python process from its start to its end."""

    def cost() -> float:
        started = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
        return time.perf_counter() - started

    return cost


def imports() -> Workload:
    hand = "import trio, lxml.etree; from pydantic import BaseModel"
    return Workload(
        "import flowscript_trio",
        "import",
        1,
        process("-c", "import flowscript_trio"),
        process("-c", hand),
        1.35,
        1.15,
    )


def command() -> Workload:
    folder = Path(mkdtemp(prefix="flowscript-benchmark-"))
    file = folder / "one.xml"
    file.write_text(DOCUMENT)
    run: Sequence[str] = ("-m", "flowscript_trio", "run", str(file))
    engine, hand = process(*run), process("-c", SCRIPT)
    return Workload("flowscript run, a file of one node", "run", 1, engine, hand, 1.6, 1.3)


def workloads(scale: float) -> Iterator[Workload]:
    yield imports()
    yield command()
