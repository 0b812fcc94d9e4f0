"""Owns the control family: importing it registers its runtimes in the default registry."""

from ..registry import get_runtime, has_runtime, registry
from .assign import context_runtime, set_runtime
from .checkpoint import checkpoint_runtime
from .choice import branch_runtime, if_runtime
from .documents import call_runtime, include_runtime
from .fail import fail_runtime
from .foreach import foreach_runtime
from .leave import return_runtime
from .loops import break_runtime, loop_runtime, while_runtime
from .parallel import ParallelRuntime, parallel_runtime
from .phase import output_runtime, phase_runtime
from .results import ParallelResult
from .timeout import timeout_runtime
from .types import ParallelConfig

__all__ = [
    "ParallelConfig",
    "ParallelResult",
    "ParallelRuntime",
    "get_runtime",
    "has_runtime",
    "parallel_runtime",
]

for _runtime in (
    parallel_runtime,
    foreach_runtime,
    if_runtime,
    branch_runtime,
    loop_runtime,
    while_runtime,
    break_runtime,
    timeout_runtime,
    set_runtime,
    context_runtime,
    phase_runtime,
    output_runtime,
    checkpoint_runtime,
    include_runtime,
    call_runtime,
    fail_runtime,
    return_runtime,
):
    registry.register(_runtime.type, _runtime)
