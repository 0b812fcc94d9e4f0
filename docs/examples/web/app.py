"""A Quart-trio application that runs a workflow for a request, and cancels it when the client has left."""

from pathlib import Path

import trio
import trio.lowlevel
from quart_trio import QuartTrio

import flowscript_trio as fs

registry = fs.Registry(base=fs.registry)
app = QuartTrio(__name__)
log = []


@registry.runtime("source:shop")
async def shop(params):
    """Asks a shop for its price; whatever happens, the line is hung up."""
    name = params.config["shop"]
    log.append(f"{name}: asked")
    try:
        await trio.sleep(app.config["SECONDS"][name])
        return len(params.config["thing"]) + (1 if name == "near" else 0)
    finally:
        with trio.CancelScope(shield=True):
            await trio.lowlevel.checkpoint()
        log.append(f"{name}: hung up")


flow = fs.load(Path(__file__).with_name("quote.xml"), registry=registry)
app.config["SECONDS"] = {"near": 0.01, "far": 0.02}


@app.get("/quote/<thing>")
async def quote(thing):
    """The server cancels this task when the client leaves: so it cancels the run, which cleans up first."""
    try:
        run = await fs.run(flow, config={"thing": thing})
    except trio.Cancelled:
        log.append("the client left")
        raise
    return {"best": run.output}
