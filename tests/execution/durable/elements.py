"""Owns a run of every element that is killed with -9 and resumed, each time by another process.

``python elements.py FOLDER`` reads orders, one a line: ``RUN COMMIT SECONDS``. For each it forks a process that
begins or resumes that run and kills itself at that commit of its store (an odd number: before it, an even one:
after it), or is killed after so many seconds; 0 is never. It answers with the status of the process, or -9, and
the commits that it made.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

import trio

import flowscript_trio as fs
from flowscript_trio.execution.durable import recorder as _recorder  # noqa: F401  # each process would import it
from flowscript_trio.runtimes.database import markers

PART = """<workflow name="part"><source:act id="within"/>
  <transform:template id="pt" template="{{within}}+"/></workflow>"""
AREA = """<workflow name="area"><param name="width" type="number" required="true"/>
  <source:act id="measured"><compensate><source:act id="unmeasured"/></compensate></source:act>
  <transform:template id="area" template="{{width * 2}}"/></workflow>"""
MAIN = """<workflow name="all">
  <source:act id="a"><compensate><source:act id="undo-a"/></compensate></source:act>
  <source:file id="orders" path="orders.csv" format="csv" stream="true" after="a"/>
  <phase name="one"><parallel id="race" wait="n(2)" after="a">
    <branch><source:act id="r1"/><transform:template id="rt" template="{{r1}}!"/></branch>
    <branch><source:act id="r2" takes="2"/></branch>
    <branch><source:act id="r3" takes="60000"/><finally><source:act id="clean-r3"/></finally></branch>
  </parallel></phase>
  <parallel id="tolerant" tolerate="1" after="race">
    <branch><source:act id="t1"/></branch>
    <branch><source:act id="booked"><compensate><source:act id="unbooked"/></compensate></source:act>
      <source:act id="t2" input="booked" fails="9"/></branch>
  </parallel>
  <source:act id="flaky" fails="2" after="tolerant"><on-error>
    <retry max="3" when="true" base="2ms"/></on-error></source:act>
  <parallel id="trip" after="flaky">
    <branch><source:act id="seat"><compensate><source:act id="unseat"/></compensate></source:act></branch>
    <branch><source:act id="pay" takes="3" fails="1"/></branch>
    <on-error><retry max="2" when="true" base="2ms"/></on-error></parallel>
  <set id="zero" var="n" value="{{0}}" after="trip"/>
  <loop id="rounds" max="3" after="zero"><source:act id="step"/><set id="more" var="n" value="{{n + 1}}"/></loop>
  <while id="w" condition="n &lt; 5" max="9" after="rounds"><source:act id="again"/>
    <set id="most" var="n" value="{{n + 1}}"/></while>
  <foreach id="each" collection="orders" max-concurrency="3" after="w">
    <set id="row" var="row" value='{{ [{"id": to_number(item.id), "note": "x"}] }}'/>
    <sink:database id="sold" input="row" connection="{{$config.db}}" table="t"/>
    <sink:file id="line" path="log.txt" append="true" format="text" input="{{item.id + '\\n'}}"/>
  </foreach>
  <if id="i" condition="n == 5" after="each"><then><source:act id="yes"/></then>
    <else><source:act id="no"/></else></if>
  <branch id="choice" after="i"><case when="n == 4"><source:act id="four"/></case>
    <case when="n == 5"><source:act id="five"/></case>
    <default><source:act id="other"/></default></branch>
  <checkpoint id="ok" prompt="Go on?" after="choice"/>
  <include id="inc" workflow="part.xml" after="ok"/>
  <call id="c" workflow="area.xml" width="{{n}}" after="inc"/>
  <timeout id="limit" duration="60s" after="c"><source:act id="soon"/></timeout>
  <source:act id="once" on-crash="fail" after="limit"><on-error><fallback node="instead"/></on-error></source:act>
  <source:act id="instead"/>
  <delay id="d" duration="3ms" after="once"/>
  <sink:file id="out" path="out.json" input="{{ {'n': n, 'each': length(each)} }}" after="d"/>
  <source:act id="end" after="out"/>
  <output><set field="n" value="{{n}}"/><set field="area" value="{{c}}"/><set field="part" value="{{inc}}"/>
    <set field="failed" value="{{tolerant.failures[0].message}}"/>
    <set field="race" value="{{sort(race)}}"/></output>
  <finally><source:act id="last"/></finally></workflow>"""
ORDERS = 7


class Deeds:
    """What the nodes of a run did, a line of a file each, whatever becomes of the process."""

    def __init__(self, folder: Path) -> None:
        self._file = os.open(folder / "deeds", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self.registry = fs.Registry(base=fs.registry)
        self.registry.runtime("source:act")(self.act)

    async def act(self, params: fs.ExecutionParams) -> Any:
        name, execution = params.node.label, params.execution
        os.write(self._file, f"began {execution.path} {execution.number}\n".encode())
        await trio.sleep(0.001 * float(params.config.get("takes", 1)))
        os.write(self._file, f"did {execution.path} {execution.number}\n".encode())
        attempt = max(
            execution.number, 1 + execution.path.count("~2") + 2 * execution.path.count("~3")
        )
        if attempt <= int(params.config.get("fails", 0)):
            raise ValueError(f"{name} fails")
        return name


def make(folder: Path) -> None:
    """Make the folder of a run."""
    folder.mkdir(exist_ok=True)
    (folder / "main.xml").write_text(MAIN)
    (folder / "part.xml").write_text(PART)
    (folder / "area.xml").write_text(AREA)
    (folder / "orders.csv").write_text("id\n" + "".join(f"{n}\n" for n in range(ORDERS)))
    with sqlite3.connect(folder / "shop.db") as connection:
        connection.execute("CREATE TABLE t (id INTEGER, note TEXT)")
    connection.close()
    trio.run(markers.make_markers, f"sqlite:///{folder / 'shop.db'}")


async def approve(prompt: str, actions: Any) -> str:
    await trio.sleep(0.001)
    return "approve"


def live(folder: Path, commit: int, seconds: float, tell: int) -> None:
    """One process of a run: this one."""
    os.chdir(folder)
    store, made = fs.Store("runs.db"), 0
    inner = store._backend.commit

    def counted(*args: Any) -> Any:
        nonlocal made
        made += 1
        if commit == 2 * made - 1:
            os.kill(os.getpid(), signal.SIGKILL)
        done = inner(*args)
        os.write(tell, b".")
        if commit == 2 * made:
            os.kill(os.getpid(), signal.SIGKILL)
        return done

    setattr(store._backend, "commit", counted)  # noqa: B010  # of whatever kind it is
    if seconds:
        timer = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGKILL))
        timer.daemon = True
        timer.start()
    flow = fs.load("main.xml", registry=Deeds(folder).registry)
    config = {"db": f"sqlite:///{folder / 'shop.db'}"}

    async def main() -> None:
        done = await fs.run(
            flow,
            store=store,
            run_id="r",
            seed=1,
            config=config,
            decider=approve,
            max_crashes=1000,
        )
        assert done.status == "completed", done.status
        (folder / "outcome").write_text(repr(done.output))

    trio.run(main)


def forked(folder: Path, commit: int, seconds: float) -> tuple[int, int]:
    """The same in a process of its own: how it ended, and how many commits it made."""
    heard, tell = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            live(folder, commit, seconds, tell)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(tell)
    made = 0
    while some := os.read(heard, 1000):
        made += len(some)
    os.close(heard)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), made


if __name__ == "__main__":
    top = Path(sys.argv[1])
    for order in sys.stdin:
        name, at, after = order.split()
        if not (top / name).exists():
            make(top / name)
        status, made = forked(top / name, int(at), float(after))
        sys.stdout.write(f"{status} {made}\n")
        sys.stdout.flush()
