"""Owns following a page as a person does: files are put where it says, commands are typed into a shell."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"`([\w-]+(?:\.[\w-]+)+)`")
_TYPED = ("sh", "console")


@dataclass(frozen=True)
class File:
    """A file that the reader is told to write."""

    name: str
    text: str


@dataclass(frozen=True)
class Command:
    """A command that the reader is told to type, and what it shows; None where the page does not say."""

    line: str
    shown: str | None


def steps_of(page: str) -> Iterator[File | Command]:
    """What a page tells its reader to do, in its order."""
    end = 0
    for block in _BLOCK.finditer(page):
        names = _FILE.findall(page[end : block.start()])
        end = block.end()
        language, text = block[1], block[2]
        if language == "sh":
            yield from (Command(line, None) for line in text.splitlines())
        elif language == "console":
            parts = re.split(r"^\$ (.*)\n", text, flags=re.MULTILINE)[1:]
            yield from map(Command, parts[::2], parts[1::2])
        elif names:
            yield File(names[-1], text)


def script_of(steps: list[File | Command]) -> str:
    """One shell script that does it all; what the nth command shows goes into the file ``shown.n``."""
    lines = ["set -u"]
    for number, step in enumerate(steps):
        if isinstance(step, File):
            lines.append(f"printf %s {shlex.quote(step.text)} > {shlex.quote(step.name)}")
        else:
            lines.append(
                f"{{ {step.line}\n}} > ../shown.{number} 2>&1 || echo {number} >> ../failed"
            )
    return "\n".join(lines)


def without_chance(text: str) -> str:
    """Text without what differs from run to run, or from trio to trio: times, ports, how many points."""
    text = re.sub(r"^(  [a-z ,]+[a-z]) +\d+$", r"\1 1", text, flags=re.MULTILINE)
    text = re.sub(r'^( +"[a-z_ ]+"): \d+(?=,?$)', r"\1: 1", text, flags=re.MULTILINE)
    text = re.sub(r"^\d+ points tried in \d+ runs", "1 points tried in 1 runs", text, flags=re.M)
    text = re.sub(r"\d+\.\d\d+ s\b", "0.00 s", text)
    return re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:1", text)
