"""Owns what can be wrong with a store of durable runs, and with what it is asked to keep."""

from __future__ import annotations

from .errors import FlowScriptError


class StoreFailed(FlowScriptError):
    """A store cannot be read or written: a full disk, a file that is damaged, a server that is gone.

    What was reported as written is on disk; the run stays in the store as it was, and can be resumed once the
    cause is gone. The message says what to do.

    It is not a cancellation: whoever waited for the store learns of it this way.
    """


class RunBusy(FlowScriptError):
    """The run is owned by another process, or by another task of this one.

    ``run_id`` is the run. Nothing was changed; it is free once its owner has ended.

    It is raised before anything of the run begins, so nothing is cancelled by it.
    """

    def __init__(self, run_id: str, owner: str) -> None:
        super().__init__(
            f"the run {run_id!r} is owned by {owner}; it can be resumed once that has ended"
        )
        self.run_id = run_id


class Superseded(StoreFailed):
    """This process lost the run to another one, since its lease had expired.

    ``run_id`` is the run. Nothing that is written after that reaches the store; the new owner goes on.

    What the run was doing here is cancelled without clean-up, which the new owner owes.
    """

    def __init__(self, run_id: str) -> None:
        super().__init__(
            f"the run {run_id!r} was taken over by another process, since this one did not renew its lease "
            "in time; there is nothing to do here"
        )
        self.run_id = run_id


class CannotKeep(FlowScriptError):
    """A value cannot be kept in a store, since it could not come back as it was.

    ``path`` is the place inside the value (``rows[3].handle``), empty for the value itself.

    It is the error of the node that gave the value, which cancels its siblings as any other; or it refuses the
    run before anything of it begins.
    """

    def __init__(self, path: str, what: str) -> None:
        where = f"{path}: " if path else ""
        super().__init__(f"{where}{what}")
        self.path = path
        self.what = what


def kept_nowhere() -> CannotKeep:
    """The error of a node of a durable run that would keep what it finds, where nothing can be kept in time."""
    return CannotKeep(
        "",
        "a durable run keeps what this node finds before it changes it (the length of a file that it adds to), "
        "and cannot where the node runs: in another process, or in something that runs elsewhere whole; "
        'let the node run here, or give it place="thread"',
    )
