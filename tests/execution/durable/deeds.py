"""Owns the runtime of the workers whose histories are tested: each deed is a line of a file, outside of any store.

``flowscript --runtimes deeds work`` imports it; ``DEEDS`` names the file.
"""

from __future__ import annotations

import os
import random

import trio

import flowscript_trio as fs

_file = os.open(os.environ["DEEDS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)


@fs.runtime("sink:deed")
async def deed(params: fs.ExecutionParams) -> str:
    line = f"{params.run.id} {params.execution.path} {params.execution.number} {params.idempotency_key}\n"
    os.write(_file, line.encode())
    await trio.sleep(random.random() / 20)  # real time: the workers are processes that are killed
    return params.node.label
