"""FlowScript workflows on trio: every parallel block is a nursery. The public names, and nothing else."""

from .execution.context import DEFAULT_MAX_CONCURRENCY
from .execution.failures import Failure, failure_of
from .execution.handle import Run
from .execution.loading import Flow, load, loads
from .execution.record import Record
from .execution.run import open_run, run
from .execution.stream import EventStream
from .expression import Expression, Template
from .expression.scope import Limits
from .parser import ReadLimits
from .runtimes import Registry, registry, runtime
from .runtimes.types import ExecutionParams, NodeRuntime
from .types.durations import Duration
from .types.errors import (
    EvaluationError,
    FlowScriptError,
    FlowScriptWarning,
    InputError,
    LimitExceeded,
    Problem,
    RuntimeNotFound,
    SettingError,
    WorkflowInvalid,
)
from .types.location import Location
from .types.results import BranchResult, Cancellation, NodeResult

__version__ = "0.1.0"

__all__ = [
    "DEFAULT_MAX_CONCURRENCY",
    "BranchResult",
    "Cancellation",
    "Duration",
    "EvaluationError",
    "EventStream",
    "ExecutionParams",
    "Expression",
    "Failure",
    "Flow",
    "FlowScriptError",
    "FlowScriptWarning",
    "InputError",
    "LimitExceeded",
    "Limits",
    "Location",
    "NodeResult",
    "NodeRuntime",
    "Problem",
    "ReadLimits",
    "Record",
    "Registry",
    "Run",
    "RuntimeNotFound",
    "SettingError",
    "Template",
    "WorkflowInvalid",
    "failure_of",
    "load",
    "loads",
    "open_run",
    "registry",
    "run",
    "runtime",
]
