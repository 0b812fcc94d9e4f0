"""Owns the place ``cluster``: workers of other machines, by Dask distributed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

import trio

from ..execution.bounds import CLEANUP_SECONDS
from ..execution.context import RunContext
from ..runtimes.placing import RanAt
from ..types.errors import CannotTravel, InputError, WorkerDied
from .addresses import is_open
from .remote import RemotePlace
from .waiting import Done, Outlived, wait_for

if TYPE_CHECKING:
    from distributed.security import Security

    from .dask_client import Cluster


def built_in() -> Dask:
    """What ``place="cluster"`` stands for: a cluster on this machine, for the time of the run."""
    return Dask()


class Dask(RemotePlace):
    """The workers of a Dask cluster.

    Args:
        address: that of its scheduler (``tcp://host:8786``, ``tls://…``); None: a cluster of this machine is
            started for each run, with one process a processor, and ended with it.
        resources: what a worker must have for a node to run on it (``{"GPU": 1}``), as Dask counts it.
        security: Dask's own ``Security``, with the certificates of an encrypted connection. Secrets cross to
            another host only over such a one.
        workers: how many processes a cluster of this machine has; None: one a processor.
        cleanup: seconds that a node has over there to clean up when it is cancelled. One that has not ended then
            is given up: it is marked ``outlived``, and a warning names it.

    The workers have Python, trio and flowscript-trio in the versions of the run, and the modules that its runtimes
    are from; what is in the main script goes along.

    A cancellation reaches the node over there, its clean-up runs there to the end, and only then does it end here.
    A worker that is lost is :class:`WorkerDied`; nothing is run again unless ``<retry>`` says so. Nodes whose run
    has gone are cancelled over there.
    """

    def __init__(
        self,
        address: str | None = None,
        *,
        resources: Mapping[str, float] | None = None,
        security: Security | None = None,
        workers: int | None = None,
        cleanup: float = CLEANUP_SECONDS,
    ) -> None:
        super().__init__()
        if address is not None and "://" not in address:
            raise InputError(
                f"{address!r} is not the address of a scheduler; expected tcp://host:port"
            )
        self._address = address
        self._resources = dict(resources or {})
        self._security = security
        self._workers = workers
        self._cleanup = cleanup

    def check(self, name: str) -> None:
        missing = [each for each in ("distributed", "cloudpickle") if find_spec(each) is None]
        if missing:
            raise InputError(
                f"the place {name!r} needs the extra 'cluster': pip install 'flowscript-trio[cluster]'"
            )

    def check_secrets(self, name: str, secrets: Mapping[str, str]) -> None:
        """Raise InputError where secrets would cross to another host in the clear."""
        if self._address is None or not secrets or not is_open(self._address):
            return
        named = ", ".join(map(repr, sorted(secrets)))
        raise InputError(
            f"the connection to {name!r} ({self._address}) is not encrypted, and the secrets {named} would "
            "cross it: give it an address tls://… and security="
        )

    async def carry(self, context: RunContext, path: str, job: bytes) -> bytes:
        """Bring a job to a worker and its reply back. A cancellation is delivered there, and its end awaited."""
        self._check_nothing_secret(context, path, job)
        cluster: Cluster = await context.resource(
            f"flowscript place {id(self)}", partial(self._open, context.id)
        )
        begin = partial(self._begin, cluster, context.id, job)
        try:
            reply: bytes | None = await wait_for(begin)
        except WorkerDied as exc:
            context.ran_at[path] = RanAt(exc.worker or "a worker")
            raise WorkerDied(f"the worker of {path!r} was lost: {exc}", exc.worker) from None
        if reply is None:
            await trio.lowlevel.checkpoint_if_cancelled()
            raise WorkerDied(f"{path!r} was ended in the cluster, and not by the run")
        if isinstance(reply, Outlived):
            worker = reply.worker
            context.ran_at[path] = RanAt(worker, outlived=True)
            context.note_warning(
                path,
                f"{path!r} did not end within {self._cleanup:g} s of its cancellation on {worker}, and was "
                "given up",
            )
            await trio.lowlevel.checkpoint_if_cancelled()
        return reply

    def _check_nothing_secret(self, context: RunContext, path: str, job: bytes) -> None:
        """Raise CannotTravel where a value that was made of a secret would cross to another host in the clear."""
        if self._address is None or context.masker is None or not is_open(self._address):
            return
        if context.masker.spans(job):
            raise CannotTravel(
                f"there is a secret in what {path!r} is given, and the connection to {self._address} is not "
                "encrypted: give the place an address tls://… and security="
            )

    def _begin(self, cluster: Cluster, run: str, job: bytes, done: Done) -> Callable[[], None]:
        return cluster.begin(run, job, self._resources, self._cleanup, done)

    @asynccontextmanager
    async def _open(self, run: str) -> AsyncIterator[Cluster]:
        home = await trio.to_thread.run_sync(import_module, f"{__package__}.dask_client")
        cluster: Cluster = home.Cluster(self._address, self._security, self._workers)
        await wait_for(cluster.open)
        try:
            yield cluster
        finally:
            with trio.CancelScope(shield=True):
                await wait_for(partial(cluster.close, run))
