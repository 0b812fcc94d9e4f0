"""Owns ``flowscript demo``: the fetch-all workflow against a server on loopback, to success and to failure."""

from __future__ import annotations

import sys
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import click

from .saying import columns_of_terminal, say, write_json

if TYPE_CHECKING:
    from ..program.loading import Flow

DOCUMENT = "fetch_all.xml"
FAILING = "/weather"


@click.command("demo", short_help="Run a small workflow that succeeds, and one that fails.")
def demo_command() -> None:
    """Run a small workflow against its own server: first one that succeeds, then one whose endpoint fails."""
    from .exiting import run_in_trio

    sys.exit(run_in_trio(demo))


async def demo() -> int:
    """Serve, run twice, and say what is to be seen; 0 where both went as they should."""
    import trio

    from ..expression import encode_json
    from ..program.loading import loads
    from .endpoints import Endpoints
    from .reports import render_failure

    text = files(__package__).joinpath(DOCUMENT).read_text(encoding="utf-8")
    flow = loads(text, name=DOCUMENT)
    endpoints = Endpoints()
    async with trio.open_nursery() as nursery:
        base = await nursery.start(endpoints.serve)
        say(text)
        say(f"1. All three endpoints of {base} answer:")
        output, unexpected = await _run(flow, base)
        if unexpected is None:
            write_json(encode_json(output, indent=2))
            say(f"\n2. {FAILING} fails; the branches that still wait for an answer are cancelled:")
            endpoints.failing = FAILING
            _, error = await _run(flow, base)
        nursery.cancel_scope.cancel()
    if unexpected is not None:
        say(render_failure(flow, unexpected, columns_of_terminal()))
        return 1
    if error is None:
        say(f"{FAILING} failed, and the workflow did not notice")
        return 1
    say(render_failure(flow, error, columns_of_terminal()))
    say("\nThat error is what `await flowscript_trio.run(...)` raises.")
    return 0 if is_as_expected(error) else 1


def is_as_expected(error: Exception) -> bool:
    """Whether an error is the one of the failing endpoint, and the two others were cancelled for it."""
    from ..execution.failures import failure_of

    failure = failure_of(error)
    if failure is None or failure.node != "api2":
        return False
    return {result.id for result in failure.cancelled} == {"api1", "api3"}


async def _run(flow: Flow, base: str) -> tuple[Any, Exception | None]:
    """Run the workflow in sight; its output, or its error."""
    from ..execution.run import run
    from .console import show

    async with show() as view:
        try:
            done = await run(flow, config={"base": base}, observers=view.observers)
        except Exception as exc:
            return None, exc
    return done.output, None
