"""Ten steps of a durable workflow of DBOS, which keeps them in SQLite (``pip install dbos``)."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

from dbos import DBOS, SetWorkflowTimeout
from tally import Tally

tallies = {}


@DBOS.step()
async def branch(name, number):
    try:
        await tallies[name].work(number, asyncio.sleep)
    finally:
        await tallies[name].tidy(asyncio.sleep)


@DBOS.workflow()
async def ten(name):
    await asyncio.gather(*(branch(name, number) for number in range(10)))


async def main():
    tally = tallies["fails"] = Tally(failing=3)
    try:
        await ten("fails")
    except Exception as error:
        await tally.says("one fails", repr(error), asyncio.sleep)

    tally = tallies["cancelled"] = Tally()
    handle = await DBOS.start_workflow_async(ten, "cancelled")
    await asyncio.sleep(0.2)
    await DBOS.cancel_workflow_async(handle.workflow_id)
    try:
        await handle.get_result()
    except Exception as error:
        await tally.says("cancelled", type(error).__name__, asyncio.sleep)

    tally = tallies["timed out"] = Tally()
    try:
        with SetWorkflowTimeout(0.2):
            await ten("timed out")
    except Exception as error:
        await tally.says("timed out", type(error).__name__, asyncio.sleep)


with TemporaryDirectory() as folder:
    database = f"sqlite:///{Path(folder, 'runs.sqlite')}"
    DBOS(config={"name": "ten", "system_database_url": database, "run_admin_server": False})
    DBOS.launch()
    asyncio.run(main())
    DBOS.destroy()
