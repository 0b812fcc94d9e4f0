"""Owns the workloads of whole processes: importing the package, and running a file on the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from tempfile import gettempdir, mkdtemp

from .measuring import Cost, Workload

SCRIPT = """
import trio
async def main():
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.lowlevel.checkpoint)
trio.run(main)
"""
READING_SCRIPT = """
import json, sys
import trio
from lxml import etree
from pydantic import BaseModel
class Settings(BaseModel):
    template: str
async def main(settings):
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.lowlevel.checkpoint)
    print(json.dumps(settings.template))
node = etree.parse(sys.argv[1]).getroot()[0]
trio.run(main, Settings.model_validate({"template": node.get("template")}))
"""
"""Does what the document says, with the packages that documents are read with and one model."""
NOT_COMPILING = ("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX")
DOCUMENT = '<workflow name="one"><transform type="template" id="t" template="done"/></workflow>'


def process(*arguments: str) -> Cost:
    """The seconds of processor time of a Python process, with compiled modules as people have them."""
    environment = {name: value for name, value in os.environ.items() if name not in NOT_COMPILING}
    environment["PYTHONPYCACHEPREFIX"] = str(Path(gettempdir()) / "flowscript-benchmark-modules")

    def cost() -> float:
        started = _of_children()
        command = [sys.executable, *arguments]
        subprocess.run(command, check=True, capture_output=True, env=environment)
        return _of_children() - started

    return cost


def _of_children() -> float:
    used = getrusage(RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def imports(name: str, reach: float | None, aim: float | None) -> Workload:
    hand = "import trio, lxml.etree; from pydantic import BaseModel"
    return Workload(name, "import", 1, process("-c", name), process("-c", hand), reach, aim)


def commands() -> Iterator[Workload]:
    folder = Path(mkdtemp(prefix="flowscript-benchmark-"))
    file = folder / "one.xml"
    file.write_text(DOCUMENT)
    engine = process("-m", "flowscript_trio", "run", str(file))
    hand, reading = process("-c", SCRIPT), process("-c", READING_SCRIPT, str(file))
    name = "flowscript run, a file of one node"
    yield Workload(f"{name}, to a script that reads it", "run", 1, engine, reading, 1.25, 1.1)
    yield Workload(f"{name}, to a script of trio alone", "run", 1, engine, hand, 1.6, 1.3)


def workloads(scale: float) -> Iterator[Workload]:
    yield imports("import flowscript_trio", 1.35, 1.15)
    yield imports(
        "from flowscript_trio import load, run", None, None
    )  # what the first is put off to
    yield from commands()
