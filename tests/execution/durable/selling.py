"""Owns the process that is killed while it writes to a database exactly once.

``python selling.py STORE CONNECTION ID MOMENT NUMBER`` begins or resumes the run and kills itself at that moment:
``marked`` (a marker was inserted), ``written`` (rows were), ``committed``, ``before`` or ``after`` a commit of the
store; the NUMBER-th time. ``never`` ends the run.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

import trio

import flowscript_trio as fs
from flowscript_trio.runtimes.database import once, writing

FLOW = """<workflow name="sales">
  <foreach id="each" collection="[0,1,2,3,4,5]" max-concurrency="3">
    <set id="row" var="row" value='{{ [{"id": item, "note": "a"}, {"id": item + 100, "note": "b"}] }}'/>
    <sink:database id="sell" input="row" connection="{{$config.db}}" table="t" batch="1"/>
  </foreach>
</workflow>"""


class Death:
    """Kills this process at a moment, the so-and-so-many-th time that it comes."""

    def __init__(self, moment: str, number: int) -> None:
        self._moment = moment
        self._left = number

    def at(self, moment: str) -> None:
        if moment == self._moment:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def around(self, owner: Any, name: str, before: str = "", after: str = "") -> None:
        inner = getattr(owner, name)

        def call(*args: Any) -> Any:
            self.at(before)
            done = inner(*args)
            self.at(after)
            return done

        setattr(owner, name, call)


if __name__ == "__main__":
    where, connection, run_id, moment, number = sys.argv[1:]
    death, store = Death(moment, int(number)), fs.Store(where)
    death.around(once.Marker, "set", after="marked")
    death.around(once.Marker, "keep", before="written")
    death.around(writing, "commit", after="committed")
    death.around(store._backend, "commit", before="before", after="after")

    async def main() -> None:
        os.write(1, b"ready\n")
        await fs.run(fs.loads(FLOW), store=store, run_id=run_id, config={"db": connection})

    trio.run(main)
