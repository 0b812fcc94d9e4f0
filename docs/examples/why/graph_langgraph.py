"""Ten nodes of one step of LangGraph (extra ``peers``)."""

import asyncio
import operator
from typing import Annotated, TypedDict

from langgraph.graph import START, StateGraph
from tally import Tally


class State(TypedDict):
    found: Annotated[list, operator.add]


def ten(tally):
    def node(number):
        async def branch(state):
            try:
                await tally.work(number, asyncio.sleep)
            finally:
                await tally.tidy(asyncio.sleep)
            return {"found": [number]}

        return branch

    builder = StateGraph(State)
    for number in range(10):
        builder.add_node(f"work{number}", node(number))
        builder.add_edge(START, f"work{number}")
    return builder.compile()


async def main():
    tally = Tally(failing=3)
    try:
        await ten(tally).ainvoke({"found": []})
    except Exception as error:
        await tally.says("one fails", repr(error), asyncio.sleep)

    tally = Tally()
    task = asyncio.create_task(ten(tally).ainvoke({"found": []}))
    await asyncio.sleep(0.2)
    task.cancel()
    await asyncio.wait([task])
    await tally.says(
        "cancelled", "cancelled" if task.cancelled() else repr(task.exception()), asyncio.sleep
    )

    tally = Tally()
    graph = ten(tally)
    graph.step_timeout = 0.2
    try:
        await graph.ainvoke({"found": []})
    except TimeoutError as error:
        await tally.says("timed out", type(error).__name__, asyncio.sleep)


asyncio.run(main())
