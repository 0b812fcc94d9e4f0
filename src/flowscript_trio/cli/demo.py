"""Owns ``flowscript demo``: the fetch-all workflow against a server on loopback, to success and to failure."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command("demo")
def demo_command() -> None:
    """Run a small workflow against a server of its own: first to success, then with one endpoint failing."""
    import trio

    sys.exit(trio.run(demo))


async def demo() -> int:
    """Serve, run twice, and say what is to be seen; 0 where both went as they should."""
    import trio

    from ..execution.loading import load
    from ..execution.run import run
    from ..expression import encode_json
    from .console import show
    from .endpoints import Endpoints
    from .reports import render_failure

    path = Path(__file__).with_name("fetch_all.xml")
    flow = load(path)
    endpoints = Endpoints()
    error: Exception | None = None
    async with trio.open_nursery() as nursery:
        base = await nursery.start(endpoints.serve)
        click.echo(path.read_text(encoding="utf-8"), err=True)
        click.echo(f"1. All three endpoints of {base} answer:", err=True)
        async with show() as observer:
            done = await run(flow, config={"base": base}, observers=[observer] if observer else [])
        click.echo(encode_json(done.output, indent=2))
        click.echo(
            "\n2. /weather fails; the branches that still wait for an answer are cancelled:",
            err=True,
        )
        endpoints.failing = "/weather"
        async with show() as observer:
            try:
                await run(flow, config={"base": base}, observers=[observer] if observer else [])
            except Exception as exc:
                error = exc
        nursery.cancel_scope.cancel()
    if error is None:
        click.echo("the failing endpoint was not noticed", err=True)
        return 1
    click.echo(render_failure(flow, error), err=True)
    click.echo("\nThat error is what `await flowscript_trio.run(...)` raises.", err=True)
    return 0
