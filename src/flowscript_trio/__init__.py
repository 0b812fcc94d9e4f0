"""FlowScript workflows on trio: every parallel block is a nursery. The public names, and nothing else.

Each name is imported when it is first used, so that the command line starts quickly and can be interrupted
while it does.
"""

TYPE_CHECKING = (
    False  # as type checkers know it; importing typing would take longer than all of this
)

if TYPE_CHECKING:
    from typing import Any

    from .execution.context import DEFAULT_MAX_CONCURRENCY
    from .execution.failures import Failure, failure_of
    from .execution.forking import fork
    from .execution.handle import Run
    from .execution.inline import TooManyRounds
    from .execution.masking import MaskedError
    from .execution.options import RunOptions
    from .execution.record import Record
    from .execution.run import open_run, resume, run
    from .execution.stream import EventStream
    from .execution.submitting import submit
    from .execution.worker import WorkEvent
    from .execution.working import work
    from .expression import Expression, Template
    from .expression.scope import Limits
    from .journal.errors import register_error
    from .journal.questions import OpenQuestion
    from .journal.rows import RunState
    from .journal.store import Reply, Store
    from .observe.logs import SecretFilter
    from .parser import ReadLimits
    from .placement.cluster import Dask
    from .placement.process import Process
    from .placement.thread import Thread
    from .program.loading import Flow, load, loads
    from .program.types import FlowTypes
    from .runtimes import Registry, blocking_runtime, registry, runtime
    from .runtimes.ai.errors import AIError
    from .runtimes.database.markers import forget_markers, make_markers
    from .runtimes.http.errors import HTTPStatusError
    from .runtimes.placing import Place
    from .runtimes.types import ExecutionParams, NodeRuntime
    from .scheduler.limits.limit import Limit
    from .schemas import schema_files
    from .types.budget import Budget
    from .types.decisions import Action, Answer, CheckpointRejected, Decider
    from .types.durable import Diverged, Interrupted
    from .types.durations import Duration
    from .types.errors import (
        BudgetExceeded,
        CannotTravel,
        EvaluationError,
        FlowScriptError,
        FlowScriptWarning,
        InputError,
        LimitExceeded,
        NotAccepted,
        OutputError,
        Problem,
        RecordedError,
        RemoteError,
        RuntimeNotFound,
        SettingError,
        WorkerDied,
        WorkflowFailed,
        WorkflowInvalid,
    )
    from .types.http import HttpOptions
    from .types.items import Items
    from .types.limits import CircuitOpen
    from .types.location import Location
    from .types.results import BranchResult, Cancellation, NodeResult
    from .types.shapes import ValueType
    from .types.storing import CannotKeep, RunBusy, StoreFailed, Superseded

__version__ = "0.1.0"

_HOMES = {
    "execution.context": ["DEFAULT_MAX_CONCURRENCY"],
    "execution.failures": ["Failure", "failure_of"],
    "execution.forking": ["fork"],
    "execution.handle": ["Run"],
    "execution.inline": ["TooManyRounds"],
    "program.loading": ["Flow", "load", "loads"],
    "program.types": ["FlowTypes"],
    "execution.masking": ["MaskedError"],
    "execution.options": ["RunOptions"],
    "execution.record": ["Record"],
    "execution.run": ["open_run", "resume", "run"],
    "execution.stream": ["EventStream"],
    "execution.submitting": ["submit"],
    "execution.worker": ["WorkEvent"],
    "execution.working": ["work"],
    "expression": ["Expression", "Template"],
    "expression.scope": ["Limits"],
    "journal.errors": ["register_error"],
    "journal.questions": ["OpenQuestion"],
    "journal.rows": ["RunState"],
    "journal.store": ["Reply", "Store"],
    "observe.logs": ["SecretFilter"],
    "parser": ["ReadLimits"],
    "placement.cluster": ["Dask"],
    "placement.process": ["Process"],
    "placement.thread": ["Thread"],
    "runtimes": ["Registry", "blocking_runtime", "registry", "runtime"],
    "runtimes.ai.errors": ["AIError"],
    "runtimes.database.markers": ["forget_markers", "make_markers"],
    "runtimes.http.errors": ["HTTPStatusError"],
    "runtimes.placing": ["Place"],
    "runtimes.types": ["ExecutionParams", "NodeRuntime"],
    "schemas": ["schema_files"],
    "scheduler.limits.limit": ["Limit"],
    "types.budget": ["Budget"],
    "types.decisions": ["Action", "Answer", "CheckpointRejected", "Decider"],
    "types.durable": ["Diverged", "Interrupted"],
    "types.durations": ["Duration"],
    "types.errors": [
        "BudgetExceeded",
        "CannotTravel",
        "EvaluationError",
        "FlowScriptError",
        "FlowScriptWarning",
        "InputError",
        "LimitExceeded",
        "NotAccepted",
        "OutputError",
        "Problem",
        "RecordedError",
        "RemoteError",
        "RuntimeNotFound",
        "SettingError",
        "WorkerDied",
        "WorkflowFailed",
        "WorkflowInvalid",
    ],
    "types.http": ["HttpOptions"],
    "types.items": ["Items"],
    "types.limits": ["CircuitOpen"],
    "types.location": ["Location"],
    "types.results": ["BranchResult", "Cancellation", "NodeResult"],
    "types.shapes": ["ValueType"],
    "types.storing": ["CannotKeep", "RunBusy", "StoreFailed", "Superseded"],
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "DEFAULT_MAX_CONCURRENCY",
    "AIError",
    "Action",
    "Answer",
    "BranchResult",
    "Budget",
    "BudgetExceeded",
    "Cancellation",
    "CannotKeep",
    "CannotTravel",
    "CheckpointRejected",
    "CircuitOpen",
    "Dask",
    "Decider",
    "Diverged",
    "Duration",
    "EvaluationError",
    "EventStream",
    "ExecutionParams",
    "Expression",
    "Failure",
    "Flow",
    "FlowScriptError",
    "FlowScriptWarning",
    "FlowTypes",
    "HTTPStatusError",
    "HttpOptions",
    "InputError",
    "Interrupted",
    "Items",
    "Limit",
    "LimitExceeded",
    "Limits",
    "Location",
    "MaskedError",
    "NodeResult",
    "NodeRuntime",
    "NotAccepted",
    "OpenQuestion",
    "OutputError",
    "Place",
    "Problem",
    "Process",
    "ReadLimits",
    "Record",
    "RecordedError",
    "Registry",
    "RemoteError",
    "Reply",
    "Run",
    "RunBusy",
    "RunOptions",
    "RunState",
    "RuntimeNotFound",
    "SecretFilter",
    "SettingError",
    "Store",
    "StoreFailed",
    "Superseded",
    "Template",
    "Thread",
    "TooManyRounds",
    "ValueType",
    "WorkEvent",
    "WorkerDied",
    "WorkflowFailed",
    "WorkflowInvalid",
    "blocking_runtime",
    "failure_of",
    "forget_markers",
    "fork",
    "load",
    "loads",
    "make_markers",
    "open_run",
    "register_error",
    "registry",
    "resume",
    "run",
    "runtime",
    "schema_files",
    "submit",
    "work",
]


def __getattr__(name: str) -> "Any":
    from importlib import import_module

    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{home}", __name__), name)
    if name in ("load", "loads"):  # imported by the first run, it would hold up all of trio
        import_module(".execution.run", __name__)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
