"""Ten branches of a workflow."""

import trio
from tally import Tally

import flowscript_trio as fs

BRANCHES = "".join(
    f'<branch><source:work id="work{n}" branch="{n}"/>'
    f'<finally><source:tidy id="tidy{n}"/></finally></branch>'
    for n in range(10)
)


def ten(tally, settings=""):
    registry = fs.Registry(base=fs.registry)

    @registry.runtime("source:work")
    async def work(params):
        await tally.work(int(params.config["branch"]), trio.sleep)

    @registry.runtime("source:tidy")
    async def tidy(params):
        await tally.tidy(trio.sleep)

    text = f'<workflow name="ten" {settings}><parallel id="all">{BRANCHES}</parallel></workflow>'
    return fs.loads(text, registry=registry)


async def main():
    tally = Tally(failing=3)
    try:
        await fs.run(ten(tally))
    except Exception as error:
        failure = fs.failure_of(error)
        await tally.says(
            "one fails", f"{error!r} of {failure.node} in {failure.branch}", trio.sleep
        )

    tally = Tally()
    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(fs.run, ten(tally))
            await trio.sleep(0.2)
            scope.cancel()
    await tally.says("cancelled", "cancelled", trio.sleep)

    tally = Tally()
    try:
        await fs.run(ten(tally, 'timeout="200ms"'))
    except trio.TooSlowError as error:
        await tally.says("timed out", type(error).__name__, trio.sleep)


trio.run(main)
