"""Owns another process that changes a folder all the time, for tests of races that it must not win."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def rounds(default: int) -> int:
    """How often a race is tried, unless ``FLOWSCRIPT_TEST_RACES`` says it."""
    return int(os.environ.get("FLOWSCRIPT_TEST_RACES", str(default)))


@contextmanager
def swapping(program: str, base: Path, outside: Path) -> Iterator[None]:
    """While the block lasts a process runs the program, which is given both folders and prints when it has begun.

    It swaps files, folders, links and second names in the base for others.
    """
    command = [sys.executable, "-c", program, str(base), str(outside)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield
        finally:
            process.kill()
