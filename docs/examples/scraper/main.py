"""Scrapes several sites at the same time, with never more than three requests in all."""

import trio

import flowscript_trio as fs


async def scrape_sites(flow, sites, pause="1s"):
    """The titles of the pages of each site, by its name. A site that fails cancels the others."""
    limiter = trio.CapacityLimiter(3)  # shared by the runs: each has a limit of its own beside it
    found = {}

    async def scrape(name, pages):
        config = {"pages": pages, "pause": pause}
        run = await fs.run(flow, config=config, limiter=limiter)
        found[name] = run.output

    async with trio.open_nursery() as nursery:
        for name, pages in sites.items():
            nursery.start_soon(scrape, name, pages)
    return found
