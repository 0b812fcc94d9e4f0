"""Owns what is done before the first request, when a document that makes requests is loaded."""

from __future__ import annotations

import sys

import trio

from ...types.http import HttpOptions
from .coding import accepted
from .pool import trust


def prepare() -> None:
    """Import what makes requests, and read the certificates: a node that did so would hold up all of trio.

    It is called when a document that makes requests is loaded.
    """
    import httpx

    from . import (  # noqa: F401
        answer,
        client,
        content,
        failing,
        network,
        redirects,
        signing,
        supply,
        transfer,
    )

    httpx.AsyncHTTPTransport(verify=trust(HttpOptions()), trust_env=False)
    accepted()
    # What httpcore and the look-up of names would import at the first request:
    "localhost".encode("idna")
    import httpcore._backends.auto
    import httpcore._backends.trio  # noqa: F401


async def ready() -> None:
    """:func:`prepare` in a thread, for a runtime that runs without having been loaded here (a stub's original).

    A cancellation waits for the thread, which is not long.
    """
    if "httpx" not in sys.modules or trust.cache_info().currsize == 0:
        await trio.to_thread.run_sync(prepare)
