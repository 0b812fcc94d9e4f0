"""Owns the server whose login sets a cookie, and the run that logs in there and waits in its first process."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import trio

import flowscript_trio as fs

from loopback import Answer, Loopback, Seen

TOKEN = "a-cookie-that-nobody-else-may-see"
SENT = {"sent": sha256(f"s={TOKEN}".encode()).hexdigest()}
LOGIN = '<{kind}:http id="l" url="{{{{$config.base}}}}/login"/>'
FLOW = """<workflow name="w">{login}
  <source:wait id="w" input="l"/>
  <source:http id="m" after="w" url="{{{{$config.base}}}}/me"/>
  <output><set field="sent" value="{{{{m.cookie}}}}"/></output></workflow>"""


def files_with_the_token(folder: Path) -> list[Path]:
    """The files of a store in which the cookie stands in the clear."""
    files = list(folder.iterdir())
    assert len(files) >= 2
    return [path for path in files if TOKEN.encode() in path.read_bytes()]


class Refused(Exception):
    """It has what the node was given."""

    def __init__(self, given: Any) -> None:
        super().__init__("refused")
        self.given = given


class Shop:
    """A server whose ``/login`` sets a cookie, and a run that waits behind the login in its first process."""

    def __init__(self, server: Loopback) -> None:
        self.server = server
        self.logins = 0
        self.waits = trio.Event()
        self.may_end = False
        self.registry = fs.Registry(base=fs.registry)
        self.registry.runtime("source:wait")(self.wait)
        self.registry.runtime("source:echo")(self.echo)
        server.pages |= {"/login": self.login, "/refused": self.refused, "/me": self.me}

    async def login(self, seen: Seen) -> Answer:
        self.logins += 1
        return Answer(body={"in": True}, headers={"Set-Cookie": f"s={TOKEN}; Path=/; HttpOnly"})

    async def refused(self, seen: Seen) -> Answer:
        answer = await self.login(seen)
        return Answer(403, answer.body, answer.headers)

    async def echo(self, params: fs.ExecutionParams) -> Any:
        if params.config.get("fails"):
            raise Refused(params.input)
        return params.input

    async def me(self, seen: Seen) -> Answer:
        sent = seen.headers.get(
            "cookie", ""
        )  # what an answer shows is a value like others, and is kept
        return Answer(body={"cookie": sha256(sent.encode()).hexdigest()})

    async def wait(self, params: fs.ExecutionParams) -> Any:
        if not self.may_end:
            self.waits.set()
            await trio.sleep_forever()
        return None

    async def die(self, store: fs.Store, kind: str = "source", text: str | None = None) -> None:
        whole = FLOW.format(login=LOGIN.format(kind=kind))
        if text is not None:
            whole = f'<workflow name="w">{text}</workflow>'
        flow = fs.loads(whole, registry=self.registry)
        config = {"base": self.server.base}
        async with fs.open_run(flow, store=store, run_id="r", config=config) as run:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(run.wait)  # where it fails, nobody waits for ever
                await self.waits.wait()
                nursery.cancel_scope.cancel()
            run.leave()
        self.may_end = True

    async def resume(self, store: fs.Store) -> fs.Run:
        return await fs.resume(store, "r", registry=self.registry)
