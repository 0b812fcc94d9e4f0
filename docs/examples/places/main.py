"""Counts the words of 2,000 texts on a Dask cluster, or in processes; a worker is killed on the way."""

import os
import signal
import sys
from collections import Counter
from pathlib import Path

import trio

import flowscript_trio as fs
from flowscript_trio.types.events import NodeEnded

registry = fs.Registry(base=fs.registry)


@registry.blocking_runtime("transform:count")
def count(params):
    """A plain function that keeps a processor busy."""
    words = Counter(params.input.split())
    for _ in range(200):
        sorted(words.items(), key=lambda pair: pair[::-1])
    return {"words": sum(words.values()), "process": os.getpid()}


async def count_words(texts, place, show, kill_after=None):
    """How many words there are in all. ``show`` is called with the number of texts done by each worker."""
    flow = fs.load(Path(__file__).with_name("count.xml"), registry=registry)
    done = Counter()

    def look(event):
        if isinstance(event, NodeEnded) and event.node.id == "count":
            done[event.result.worker] += 1
            show(dict(done))
            if done.total() == kill_after:
                os.kill(event.result.output["process"], signal.SIGKILL)

    run = await fs.run(flow, input=texts, places={"workers": place}, observers=[look])
    return run.output


async def main():
    place = fs.Process() if "process" in sys.argv else fs.Dask()
    texts = [f"the text {n} has the words of its number: {'word ' * (n % 50)}" for n in range(2000)]

    def show(done):
        line = ", ".join(f"{worker}: {number}" for worker, number in sorted(done.items()))
        print(f"\r{sum(done.values())} of {len(texts)} ({line})", end="", file=sys.stderr)

    print(await count_words(texts, place, show, kill_after=500))


if __name__ == "__main__":
    trio.run(main)
