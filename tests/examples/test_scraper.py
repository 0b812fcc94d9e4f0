"""Owns the test of the example that scrapes: sites share a limit, and some pages may be missing."""

from __future__ import annotations

import pytest
import trio

import flowscript_trio as fs

from exampling import EXAMPLES, program
from loopback import Loopback, loopback

FLOW = fs.load(EXAMPLES / "scraper" / "scraper.xml")
scrape_sites = program("scraper").scrape_sites


def serve(server: Loopback, sites: dict[str, int]) -> dict[str, list[str]]:
    """Pages of each site; the URLs by site."""
    pages = {site: [f"/{site}{n}" for n in range(count)] for site, count in sites.items()}
    for path in [path for paths in pages.values() for path in paths]:
        server.page(path, f"<title>Page {path}</title>", Content_Type="text/html")
    return {site: [server.base + path for path in paths] for site, paths in pages.items()}


async def test_sites_are_scraped_together_and_one_page_may_be_missing() -> None:
    async with loopback() as server:
        sites = serve(server, {"a": 5, "b": 5})
        server.page("/a3", status=404)
        with trio.fail_after(60):
            found = await scrape_sites(FLOW, sites, pause="1ms")
        assert server.most <= 3
    assert found == {
        "a": {"titles": [f"Page /a{n}" for n in (0, 1, 2, 4)], "missed": 1},
        "b": {"titles": [f"Page /b{n}" for n in range(5)], "missed": 0},
    }


async def test_a_site_with_too_many_missing_pages_cancels_the_other() -> None:
    async with loopback() as server:
        sites = serve(server, {"a": 5, "b": 5})
        for path in ("/a0", "/a1"):
            server.page(path, status=404)
        server.hang("/b0")
        with trio.fail_after(60), pytest.raises(ExceptionGroup) as caught:
            await scrape_sites(FLOW, sites, pause="1ms")
        await server.until(lambda: "/b0" in server.left)
    assert caught.group_contains(fs.HTTPStatusError, match="404")
