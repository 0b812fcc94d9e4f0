"""Ten items of a step of pydantic-graph (extra ``peers``)."""

import asyncio

import anyio
from pydantic_graph import GraphBuilder, StepContext
from pydantic_graph.join import reduce_list_append
from tally import Tally


def ten(tally):
    builder = GraphBuilder(input_type=list[int], output_type=list[int])

    @builder.step
    async def begin(ctx: StepContext[None, None, list[int]]) -> list[int]:
        return ctx.inputs

    @builder.step
    async def branch(ctx: StepContext[None, None, int]) -> int:
        try:
            await tally.work(ctx.inputs, asyncio.sleep)
        finally:
            with anyio.move_on_after(10, shield=True):
                await tally.tidy(asyncio.sleep)
        return ctx.inputs

    collect = builder.join(reduce_list_append, initial_factory=list[int])
    builder.add(
        builder.edge_from(builder.start_node).to(begin),
        builder.edge_from(begin).map().to(branch),
        builder.edge_from(branch).to(collect),
        builder.edge_from(collect).to(builder.end_node),
    )
    return builder.build().run(inputs=list(range(10)))


async def main():
    tally = Tally(failing=3)
    try:
        await ten(tally)
    except BaseException as error:
        await tally.says("one fails", repr(error), asyncio.sleep)

    tally = Tally()
    task = asyncio.create_task(ten(tally))
    await asyncio.sleep(0.2)
    task.cancel()
    await asyncio.wait([task])
    await tally.says(
        "cancelled", "cancelled" if task.cancelled() else repr(task.exception()), asyncio.sleep
    )

    tally = Tally()
    try:
        async with asyncio.timeout(0.2):
            await ten(tally)
    except TimeoutError as error:
        await tally.says("timed out", type(error).__name__, asyncio.sleep)


asyncio.run(main())
