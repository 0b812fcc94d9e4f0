"""Owns another process that changes a folder all the time, for tests of races that it must not win."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def swapping(program: str, base: Path, outside: Path, *more: str) -> Iterator[None]:
    """While the block lasts a process runs the program, which prints when it has begun.

    It is given both folders, and ``more``. It swaps files, folders, links and second names in the base for others.
    """
    command = [sys.executable, "-c", program, str(base), str(outside), *more]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield
        finally:
            process.kill()
