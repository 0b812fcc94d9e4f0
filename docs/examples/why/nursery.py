"""Ten tasks in a trio nursery."""

import trio
from tally import Tally


async def ten(tally):
    async def branch(number):
        try:
            await tally.work(number, trio.sleep)
        finally:
            with trio.move_on_after(10, shield=True):
                await tally.tidy(trio.sleep)

    async with trio.open_nursery() as nursery:
        for number in range(10):
            nursery.start_soon(branch, number)


async def main():
    tally = Tally(failing=3)
    try:
        await ten(tally)
    except BaseExceptionGroup as group:
        await tally.says("one fails", repr(group.exceptions[0]), trio.sleep)

    tally = Tally()
    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ten, tally)
            await trio.sleep(0.2)
            scope.cancel()
    await tally.says("cancelled", "cancelled", trio.sleep)

    tally = Tally()
    try:
        with trio.fail_after(0.2):
            await ten(tally)
    except trio.TooSlowError as error:
        await tally.says("timed out", type(error).__name__, trio.sleep)


trio.run(main)
