"""Shows how far a long workflow is, while it runs."""

from contextlib import suppress

import trio

import flowscript_trio as fs
from flowscript_trio.types.events import BranchEnded

registry = fs.Registry(base=fs.registry)


@registry.runtime("sink:picture")
async def resize(params):
    """Makes a picture smaller."""
    await trio.sleep(0.1)


async def resize_all(flow, pictures, show, every=1_000):
    """Resize pictures from any iterable; ``show`` is called with how many are done, each ``every`` of them.

    An observer is called while the run waits for it, so it only counts, and what takes longer is done beside it.
    """
    done = 0
    tell, told = trio.open_memory_channel(1)

    def count(event):
        nonlocal done
        if isinstance(event, BranchEnded) and event.path.startswith("pictures"):
            done += 1
            if done % every == 0:
                with suppress(
                    trio.WouldBlock
                ):  # the last one is not shown yet: this one is left out
                    tell.send_nowait(done)

    async def show_progress():
        async for number in told:
            await show(number)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(show_progress)
        async with tell:
            run = await fs.run(flow, input=pictures, observers=[count])
    return run.output
