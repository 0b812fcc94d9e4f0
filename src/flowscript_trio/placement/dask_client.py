"""Owns the conversation with Dask: an asyncio loop in a thread of its own, with one client."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from concurrent.futures import CancelledError
from contextlib import AsyncExitStack
from typing import Any, TypeVar

import outcome
from distributed import Client, Future, KilledWorker, LocalCluster
from distributed.scheduler import NoValidWorkerError
from distributed.security import Security

from ..types.errors import FlowScriptError, WorkerDied
from ..types.exceptions import is_a
from ..types.looking import summary_of
from .addresses import is_encrypted
from .dask_worker import (
    CLOSING,
    Sentinel,
    Strict,
    WorkerLost,
    cancel_there,
    close_there,
    do_there,
    new_key,
    where_is,
)
from .waiting import Done, Outlived

T = TypeVar("T")

OPENING = 30.0
"""Seconds within which a scheduler has to answer."""
RECONNECTING = 1.0
"""Seconds that a scheduler whose connection was lost has to answer when the run ends."""


class Cluster:
    """A cluster as one run uses it. What is begun is begun in trio's thread, and done in the loop's."""

    def __init__(self, address: str | None, security: Security | None, workers: int | None) -> None:
        self._address = address
        self._security = security
        self._workers = workers
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._live, name="flowscript cluster", daemon=True)
        self._exit = AsyncExitStack()
        self._client: Client

    def open(self, done: Done) -> Callable[[], None]:
        """Connect to the cluster, or start one."""
        self._thread.start()
        return self._call(self._open(), done)

    def close(self, run: str, done: Done) -> Callable[[], None]:
        """Close what a run has open on the workers, and leave the cluster."""

        def end(ended: outcome.Outcome[Any]) -> None:
            self._loop.call_soon(self._loop.stop)
            done(ended)

        self._call(self._close(run), end)
        return _nothing

    def begin(
        self,
        run: str,
        job: bytes,
        resources: Mapping[str, float],
        cleanup: float,
        done: Done,
    ) -> Callable[[], None]:
        """Send a job to some worker; gives what cancels it there.

        It is done with the reply; with None where it was cancelled before it began; with Outlived where it did not
        end within ``cleanup`` seconds of its cancellation.
        """
        sent = _Sent(self._client, self._loop.create_future(), run, new_key(run), cleanup)
        self._call(sent.do(job, resources), done)

        def ask_to_end() -> None:
            self._loop.call_soon_threadsafe(sent.cancel)

        return ask_to_end

    def _call(self, work: Coroutine[Any, Any, T], done: Done) -> Callable[[], None]:
        async def do() -> None:
            done(await outcome.acapture(_await, work))

        future = asyncio.run_coroutine_threadsafe(do(), self._loop)
        del future
        return _nothing

    def _live(self) -> None:
        self._loop.run_forever()
        # The client is closed, and no one waits for the timers that Dask has left: they are not worth a line.
        self._loop.set_exception_handler(lambda loop, context: None)
        self._loop.close()

    async def _open(self) -> None:
        began = self._loop.time()
        try:
            async with asyncio.timeout(OPENING):
                await self._connect()
        except BaseException as exc:
            await self._leave(exc)
            said = self._refusal(exc, self._loop.time() - began)
            if said is None:
                raise
            raise FlowScriptError(f"{said} ({summary_of(exc)})") from None

    def _refusal(self, error: BaseException, seconds: float) -> str | None:
        """What it means that the connection has failed; None where the error says it itself."""
        if is_a(error, (OSError, TimeoutError)) and seconds >= OPENING / 2:
            where = self._address or "the cluster on this machine"
            return f"no Dask scheduler answers at {where} within {OPENING:g} s"
        if self._address is None or not is_a(error, Exception) or is_a(error, FlowScriptError):
            return None
        # What is not a scheduler says anything: the length of a message that no memory can hold, say.
        return f"what answers at {self._address} is not a Dask scheduler that takes this connection"

    async def _connect(self) -> None:
        at: Any = self._address
        security = self._security or Security()  # type: ignore[no-untyped-call]
        if at is not None and is_encrypted(at) and _certificates(security) is None:
            raise FlowScriptError(
                f"the connection to {at} is encrypted, and there are no certificates for it: give the place "
                "security=, or set distributed.comm.tls in the configuration of Dask"
            )
        if at is None:
            at = await self._exit.enter_async_context(
                LocalCluster(  # type: ignore[no-untyped-call]
                    n_workers=self._workers,
                    threads_per_worker=1,
                    processes=True,
                    dashboard_address="127.0.0.1:0",
                    asynchronous=True,
                    silence_logs=50,
                )
            )
        client = Client(  # type: ignore[no-untyped-call]
            at, asynchronous=True, security=security, set_as_default=False, timeout=OPENING
        )
        self._exit.push_async_exit(client)  # even where it does not get to its scheduler
        self._client = await client
        await self._client.register_plugin(Strict(), name=Strict.name)
        await self._client.register_plugin(Sentinel(), name=Sentinel.name)

    async def _close(self, run: str) -> None:
        try:
            async with asyncio.timeout(CLOSING + 1 if self._is_connected else RECONNECTING):
                await self._client.run(close_there, run, CLOSING, on_error="ignore")
        except (OSError, TimeoutError):
            pass  # whoever does not answer is gone, or will notice that the run is
        await self._leave(None if self._is_connected else OSError("the scheduler is gone"))

    async def _leave(self, error: BaseException | None) -> None:
        """Leave the cluster; after an error the client does not wait for a last word of its scheduler."""
        await self._exit.__aexit__(type(error) if error else None, error, None)

    @property
    def _is_connected(self) -> bool:
        return bool(self._client.status == "running")


def _certificates(security: Security) -> Any:
    return security.get_connection_args("client")["ssl_context"]  # type: ignore[no-untyped-call]


def _nothing() -> None:
    """What cannot end early is asked to, and goes on."""


async def _await(work: Awaitable[T]) -> T:
    return await work


class _Sent:
    """One job on its way, and what cancels it."""

    def __init__(
        self,
        client: Client,
        given_up: asyncio.Future[Outlived | None],
        run: str,
        key: str,
        cleanup: float,
    ) -> None:
        self._client = client
        self._run = run
        self._key = key
        self._cleanup = cleanup
        self._future: Future[Any] | None = None
        self._is_cancelled = False
        self._given_up = given_up
        self._cancelling: asyncio.Task[None] | None = None

    async def do(self, job: bytes, resources: Mapping[str, float]) -> Any:
        if self._is_cancelled:
            return None
        self._future = self._client.submit(
            do_there,
            self._run,
            self._key,
            job,
            key=self._key,
            pure=False,
            retries=0,
            resources=dict(resources) or None,
        )
        ended = asyncio.ensure_future(self._result(self._future))
        await asyncio.wait((ended, self._given_up), return_when=asyncio.FIRST_COMPLETED)
        if self._cancelling is not None:
            self._cancelling.cancel()
        if ended.done():
            return ended.result()
        ended.cancel()
        return self._given_up.result()

    async def _result(self, future: Future[Any]) -> Any:
        try:
            return await future
        except KilledWorker as exc:
            worker = getattr(exc.last_worker, "address", None) or str(exc.last_worker)
            raise WorkerDied(f"{worker} has died", f"worker {worker}") from None
        except WorkerLost as exc:
            raise WorkerDied(f"{exc} is gone, and what it had", f"worker {exc}") from None
        except CancelledError:
            if self._is_cancelled:
                return None
            raise WorkerDied("the cluster has given the node up") from None
        except NoValidWorkerError as exc:
            raise FlowScriptError(f"no worker can take the node: {exc}") from None

    def cancel(self) -> None:
        """Cancel the job, wherever it is; called in the loop."""
        if self._is_cancelled:
            return
        self._is_cancelled = True
        if self._future is not None:
            self._cancelling = asyncio.ensure_future(self._cancel(self._future))

    async def _cancel(self, future: Future[Any]) -> None:
        worker: str | None = None
        try:
            async with asyncio.timeout(self._cleanup):
                asked = self._client.run_on_scheduler(where_is, self._key)  # type: ignore[no-untyped-call]
                worker = await asked
                has_begun = False
                if worker is not None:
                    told = await self._client.run(
                        cancel_there, self._run, self._key, workers=[worker]
                    )
                    has_begun = told.get(worker, False)
                if not has_begun:
                    await future.cancel()  # type: ignore[no-untyped-call]
                    if not self._given_up.done():
                        self._given_up.set_result(None)
                    return
                await asyncio.Event().wait()  # its reply ends this, or the timeout does
        except (OSError, TimeoutError):
            if not self._given_up.done():
                # Where the scheduler did not say which one it is, nobody knows.
                known = "a worker" if worker is None else f"worker {worker}"
                self._given_up.set_result(Outlived(known))
