"""Imports orders: the program's own source gives them, part by part."""

import trio

import flowscript_trio as fs

ORDERS = {
    "north": [{"id": 1, "amount": 10}, {"id": 2, "amount": 20}],
    "south": [{"id": 3, "amount": 30}],
    "twice": [{"id": 1, "amount": 99}],
}

registry = fs.Registry(base=fs.registry)


@registry.runtime("source:orders")
async def orders(params):
    """The orders of a part of the world."""
    await trio.sleep(0.01)
    return ORDERS[params.config["part"]]


async def import_orders(path, parts, *, batch, database, announce):
    """How many orders were stored; none are where any is refused, or nobody could be told."""
    flow = fs.load(path, registry=registry)
    config = {"batch": batch, "database": database, "announce": announce}
    run = await fs.run(flow, input=parts, config=config)
    return run.output["stored"]
