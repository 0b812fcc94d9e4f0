"""Stores a large CSV file of a server in a database, and shows how far it is."""

import flowscript_trio as fs
from flowscript_trio.types.events import NodeEnded


async def store(flow, url, database, show):
    """How many parts were stored; ``show`` is called with the number of rows so far, after each part."""
    rows = 0

    def count(event):
        nonlocal rows
        if isinstance(event, NodeEnded) and event.node.id == "store" and event.result.output:
            rows += event.result.output["rows"]
            show(rows)

    run = await fs.run(flow, config={"from": url, "database": database}, observers=[count])
    return run.output
