"""Clusters of Dask for tests: a scheduler and workers in process trees of their own."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from distributed.security import Security

TESTS = Path(__file__).parent

_SCHEDULER = """
import sys
from distributed import LocalCluster
if __name__ == "__main__":
    how = dict(n_workers=int(sys.argv[1]), threads_per_worker=1, dashboard_address="127.0.0.1:0")
    with LocalCluster(**how) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
"""
_ENCRYPTED = """
import pickle, sys
from distributed import LocalCluster
from distributed.security import Security
if __name__ == "__main__":
    security = Security.temporary()
    with open(sys.argv[1], "wb") as file:
        pickle.dump(security, file)
    how = dict(n_workers=1, threads_per_worker=1, dashboard_address=None, security=security)
    with LocalCluster(protocol="tls://", **how) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
"""
_WORKER = """
import asyncio, sys
from distributed import Nanny
async def main():
    async with Nanny(sys.argv[1], nthreads=1, resources={"GPU": 1}, name="other"):
        print("ready", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
if __name__ == "__main__":
    asyncio.run(main())
"""


@contextmanager
def _program(text: str, *arguments: str) -> Iterator[str]:
    """A program that goes on until its input ends; gives the first line that it writes."""
    folder = TESTS / "placement"
    environment = os.environ | {"PYTHONPATH": str(TESTS)}
    with TemporaryDirectory() as scratch:
        file = Path(scratch) / "program.py"
        file.write_text(text)
        with _started(file, arguments, folder, environment) as said:
            yield said


@contextmanager
def _started(
    file: Path, arguments: tuple[str, ...], folder: Path, environment: dict[str, str]
) -> Iterator[str]:
    with subprocess.Popen(
        [sys.executable, str(file), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=folder,
        env=environment,
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


@contextmanager
def cluster(workers: int = 2) -> Iterator[str]:
    """A scheduler with workers of one thread each; its address."""
    with _program(_SCHEDULER, str(workers)) as address:
        assert address.startswith("tcp://"), "the cluster did not start"
        yield address


@contextmanager
def encrypted_cluster() -> Iterator[tuple[str, Security]]:
    """A scheduler with one worker, of which all connections are encrypted; its address, and what opens them."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "security"
        with _program(_ENCRYPTED, str(file)) as address:
            assert address.startswith("tls://"), "the cluster did not start"
            yield address, pickle.loads(file.read_bytes())


@contextmanager
def further_worker(address: str) -> Iterator[None]:
    """One more worker of a scheduler, with a GPU as Dask counts it."""
    with _program(_WORKER, address) as said:
        assert said == "ready", "the worker did not start"
        yield
