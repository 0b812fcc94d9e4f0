"""Runtimes of tests that run in other processes, and what they have to do with each other there."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import trio

import flowscript_trio as fs
from flowscript_trio.runtimes.types import ExecutionParams
from flowscript_trio.types.propagation import headers_along

REGISTRY = fs.Registry(base=fs.registry)


class OddError(Exception):
    """Its class wants other arguments than it keeps."""

    def __init__(self, first: str, second: int) -> None:
        super().__init__(f"{first} and {second}")
        self.second = second


class Telling(Exception):
    """It holds what cannot be pickled."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.lock = threading.Lock()


@REGISTRY.runtime("transform:where")
async def where(params: ExecutionParams) -> dict[str, Any]:
    return {
        "pid": os.getpid(),
        "thread": threading.get_ident(),
        "input": params.input,
        "config": dict(params.config),
        "id": params.node.id,
        "line": params.node.location.line,
        "run": params.run.id,
        "key": params.run.idempotency_key,
        "own key": params.idempotency_key,
        "secrets": dict(params.run.secrets),
        "draw": params.run.services.random.random(),
    }


@REGISTRY.runtime("transform:wait")
async def wait(params: ExecutionParams) -> str:
    """Wait for a time; what becomes of it is written to a file."""
    log = Path(params.config["log"])
    note(log, f"began {os.getpid()}")
    try:
        await trio.sleep(float(params.config.get("seconds", 60)))
    finally:
        with trio.CancelScope(shield=True):
            await trio.sleep(float(params.config.get("cleanup", 0.05)))
        note(log, "cleaned up")
    return "waited"


@REGISTRY.runtime("transform:hold")
async def hold(params: ExecutionParams) -> None:
    """Reach no checkpoint for a time."""
    note(Path(params.config["log"]), f"began {os.getpid()}")
    time.sleep(float(params.config["seconds"]))  # noqa: ASYNC251 (it is to hold up its thread)


@REGISTRY.runtime("transform:die")
async def die(params: ExecutionParams) -> str:
    """End the process at once; where there is a file that says so, only the first time."""
    log = Path(params.config["log"])
    if params.config.get("once") and lines(log):
        return "alive"
    note(log, "died")
    os.kill(os.getpid(), signal.SIGKILL)
    return "never"


@REGISTRY.runtime("transform:last")
async def last(params: ExecutionParams) -> str:
    """End the process soon after the first of the nodes has ended."""
    log = Path(params.config["log"])
    if not lines(log):
        threading.Timer(0.002, os._exit, (1,)).start()
    note(log, f"ran {params.config['n']}")
    return "ended"


@REGISTRY.runtime("transform:raise")
async def raise_(params: ExecutionParams) -> None:
    match params.config["what"]:
        case "odd":
            raise OddError("one", 2)
        case "telling":
            raise Telling("said")
        case "os":
            raise FileNotFoundError(2, "no such file", "x.txt")
        case "group":
            raise ExceptionGroup("both", [KeyError("a"), OddError("b", 3)])
        case "local":

            class Local(Exception):
                pass

            raise Local("from here")
        case "secret":
            raise ValueError(params.config["text"])
        case "noted":
            error = ValueError("with a note")
            error.add_note("said by the node")
            raise error
    raise KeyError(params.config["what"])


@REGISTRY.runtime("transform:warn")
async def warn(params: ExecutionParams) -> None:
    params.run.warn(params.node, "one")
    await trio.lowlevel.checkpoint()
    params.run.warn(params.node, "two")


@REGISTRY.runtime("transform:request")
async def request(params: ExecutionParams) -> None:
    for _ in range(int(params.config["count"])):
        params.run.count_request()


@REGISTRY.runtime("transform:give")
async def give(params: ExecutionParams) -> Any:
    return {"deep": [1, threading.Lock()]}


@REGISTRY.runtime("transform:holds", reads_only=True)
async def holds(params: ExecutionParams) -> bool:
    return isinstance(params.input["deep"][1], type(threading.Lock()))


class Refusing:
    """Crosses, and cannot be made again."""

    def __reduce__(self) -> Any:
        return int, ("no number",)


@REGISTRY.runtime("transform:give-what-refuses")
async def give_what_refuses(params: ExecutionParams) -> Any:
    return Refusing()


@REGISTRY.runtime("transform:give-what-only-a-worker-knows")
async def give_what_only_a_worker_knows(params: ExecutionParams) -> Any:
    """A value or an error whose class is in a module that the process of the run does not have."""
    there = sys.modules.setdefault("only_there", ModuleType("only_there"))
    base = Exception if params.config.get("fails") else object
    kind = type("Thing", (base,), {"__module__": "only_there"})
    there.Thing = kind  # type: ignore[attr-defined]
    if params.config.get("fails"):
        raise kind("said there")
    return [kind()]


class OnlyIn:
    """What can be made in one process alone, as one whose module others do not have."""

    def __init__(self, process: int) -> None:
        self._process = process

    def __reduce__(self) -> Any:
        return _made_in, (self._process,)


def _made_in(process: int) -> OnlyIn:
    if os.getpid() != process:
        raise ModuleNotFoundError("No module named 'only_here'")
    return OnlyIn(process)


@REGISTRY.runtime("transform:read")
async def read(params: ExecutionParams) -> Any:
    return params.state["other"]


@REGISTRY.runtime("transform:resource")
async def resource(params: ExecutionParams) -> list[int]:
    """The number of times that the resource was opened in this process, and the process."""
    log = Path(params.config["log"])

    @asynccontextmanager
    async def opened() -> AsyncIterator[list[int]]:
        note(log, f"open {os.getpid()}")
        yield [os.getpid()]
        note(log, f"close {os.getpid()}")

    return list(await params.run.resource("counter", opened))


@REGISTRY.blocking_runtime("transform:block")
def block(params: ExecutionParams) -> list[int]:
    """Take a time; with a ``log``, its begin and its end are written there."""
    log = params.config.get("log")
    if log is not None:
        note(Path(log), "began")
    time.sleep(float(params.config.get("seconds", 0)))
    if log is not None:
        note(Path(log), "ended")
    return [os.getpid(), threading.get_ident()]


@REGISTRY.blocking_runtime("transform:hang-plainly")
def hang_plainly(params: ExecutionParams) -> None:
    note(Path(params.config["log"]), f"began {os.getpid()}")
    threading.Event().wait()


@REGISTRY.blocking_runtime("transform:threads")
def threads(params: ExecutionParams) -> list[str]:
    return [thread.name for thread in threading.enumerate()]


@REGISTRY.blocking_runtime("transform:warn-plainly")
def warn_plainly(params: ExecutionParams) -> list[Any]:
    params.run.warn(params.node, "said")
    draw = params.run.services.random.random()
    return [params.node.id, dict(params.config), params.input, draw]


@REGISTRY.runtime("transform:headers")
async def headers(params: ExecutionParams) -> dict[str, str]:
    return dict(headers_along())


@REGISTRY.blocking_runtime("transform:headers-plainly")
def headers_plainly(params: ExecutionParams) -> dict[str, str]:
    return dict(headers_along())


@REGISTRY.blocking_runtime("transform:resource-plainly")
def resource_plainly(params: ExecutionParams) -> Any:
    return trio.run(params.run.resource, "a", object)


@REGISTRY.blocking_runtime("transform:raise-plainly")
def raise_plainly(params: ExecutionParams) -> None:
    raise OddError("one", 2)


def note(log: Path, said: str) -> None:
    """Add a line to a file, at once."""
    with log.open("a") as file:
        file.write(said + "\n")


def lines(log: Path) -> list[str]:
    return log.read_text().splitlines() if log.exists() else []


async def until(condition: Callable[[], object], seconds: float = 20) -> None:
    """Wait, in real time, for what another process does."""
    with trio.fail_after(seconds):
        while not condition():  # noqa: ASYNC110 (no event crosses processes)
            await trio.sleep(0.005)


def flow(body: str, registry: fs.Registry = REGISTRY, head: str = "") -> fs.Flow:
    return fs.loads(f'<workflow name="w">{head}{body}</workflow>', registry=registry)
