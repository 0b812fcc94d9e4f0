"""Owns the spans of a run for OpenTelemetry (the extra ``otel``).

The names of attributes follow its semantic conventions where they have one: ``error.type``, ``code.file.path``,
``code.line.number``; what is FlowScript's begins with ``flowscript.``.
"""

from __future__ import annotations

from collections import OrderedDict
from contextvars import Token
from dataclasses import dataclass
from math import isfinite
from typing import Any

from ..types.errors import FlowScriptError
from ..types.events import (
    AttemptFailed,
    BlockStarted,
    BranchEnded,
    BranchStarted,
    CancelRequested,
    Event,
    NodeEnded,
    NodeStarted,
    RunEnded,
    RunStarted,
    RunWarning,
    TokenAwaited,
    TokenTaken,
)
from ..types.exceptions import class_name, module_of, qualified_name
from ..types.looking import text_of
from ..types.paths import is_iteration
from ..types.propagation import Headers, end, send_along
from ..types.results import Cancellation
from ..types.tracebacks import printed
from .pruning import cut
from .under_way import UnderWay

try:
    from opentelemetry import context, propagate, trace
    from opentelemetry.trace import Span, SpanContext, Status, StatusCode, Tracer
except ModuleNotFoundError:
    raise FlowScriptError(
        "spans need OpenTelemetry, which is not installed: pip install 'flowscript-trio[otel]'"
    ) from None

MOST_CAUSES = 1_000
"""How many of those that ended last are remembered, for the links of whom they cancelled."""


@dataclass(slots=True, eq=False)
class _Open:
    """A span that has not ended, and what makes it the current one of its task."""

    span: Span
    token: Token[context.Context]


class Spans:
    """An observer that makes a span of a run, and inside it of each node, branch and iteration.

    The run's span lies in that which is current where the run is started. While a node runs its span is the
    current one of its task, so that the spans of other libraries lie inside it; and the requests of HTTP nodes
    carry it to the services that they ask (``traceparent``). A span whose node was cancelled has a link to that of
    the node or branch that caused it. Errors are recorded on the span of each node and branch that they ended.

    Args:
        tracer: makes the spans; the global provider's where it is None.

    Use one for each run.
    """

    def __init__(self, tracer: Tracer | None = None) -> None:
        self._tracer = tracer or trace.get_tracer("flowscript_trio")
        self._open: UnderWay[_Open] = UnderWay()
        self._ended: OrderedDict[str, SpanContext] = OrderedDict()
        self._causes: dict[tuple[str | None, str], SpanContext] = {}
        self._along: Token[Headers | None] | None = None

    def __call__(self, event: Event) -> None:
        """Take in one event, in the task in which it happens."""
        match event:
            case RunStarted(name=name, run_id=run_id):
                self._begin(
                    event,
                    f"workflow {name}",
                    {"flowscript.workflow": name, "flowscript.run": run_id},
                )
                self._along = send_along(_headers)
            case RunEnded(status=status, error=error):
                self._leave_open(status)
                self._end(event, status, error, None)
                if self._along is not None:
                    end(self._along)
            case NodeStarted(path=path, node=node):
                place = node.location
                about: dict[str, Any] = {
                    "flowscript.path": path,
                    "flowscript.type": node.type,
                    "code.file.path": place.file,
                    "code.line.number": place.line,
                }
                self._begin(event, node.label, about)
            case NodeEnded(result=result):
                if result.attempts > 1:
                    self._set(event, {"flowscript.attempts": result.attempts})
                if result.worker is not None:
                    self._set(event, {"flowscript.worker": result.worker})
                self._end(event, result.status, result.error, result.cancelled_by)
            case BranchStarted(path=path, index=index):
                word = "iteration" if is_iteration(path) else "branch"
                self._begin(
                    event, f"{word} {index}", {"flowscript.path": path, "flowscript.index": index}
                )
            case BranchEnded(status=status, error=error, cancelled_by=cause):
                self._end(event, status, error, cause)
            case _:
                self._note(event)

    def _note(self, event: Event) -> None:
        """What happens to a span while it is open."""
        match event:
            case CancelRequested(cancellation=cause):
                known = self._ended.get(cause.by or "")
                if known is not None:
                    self._causes[cause.by, cause.reason] = known
                self._add(event, "cancels the rest", {"flowscript.reason": cut(cause.reason)})
            case BlockStarted(branches=branches, limit=limit):
                if isfinite(limit):
                    self._set(event, {"flowscript.limit": limit})
                if branches is not None:
                    self._set(event, {"flowscript.branches": branches})
            case AttemptFailed(attempt=attempt, error=error, delay=delay):
                about = {"flowscript.attempt": attempt, "flowscript.delay": delay}
                self._add(event, "attempt failed", {**about, **_told(error)})
            case TokenAwaited(awaited=awaited):
                self._add(event, f"waits for {awaited}", {})
            case TokenTaken(limits=limits):
                self._add(event, "has its limits" if limits else "has its token", {})
            case RunWarning(message=message):
                self._add(event, "warning", {"flowscript.message": cut(message)})

    def _begin(self, event: Event, name: str, about: dict[str, Any]) -> None:
        # The run's own span lies in that of the caller.
        around = self._open.around(event.path) if event.path else None
        outside = None if around is None else trace.set_span_in_context(around.span)
        span = self._tracer.start_span(name, outside, attributes=about)
        token = context.attach(trace.set_span_in_context(span))
        self._open.begin(event.execution, event.path, _Open(span, token))

    def _end(
        self, event: Event, status: str, error: BaseException | None, cause: Cancellation | None
    ) -> None:
        ended = self._open.end(event.execution)
        if ended is None:  # a branch that was cancelled before it began
            return
        span = ended.span
        span.set_attribute("flowscript.status", status)
        if cause is not None:
            span.set_attribute("flowscript.cancelled.by", cause.by or "outside")
            span.set_attribute("flowscript.cancelled.reason", cut(cause.reason))
            known = self._causes.get((cause.by, cause.reason))
            if known is not None:
                span.add_link(known, {"flowscript.link": "cancelled by"})
        if error is not None and status == "failed":
            span.add_event("exception", _exception(error))
            span.set_attributes(_told(error))
            span.set_status(Status(StatusCode.ERROR, cut(text_of(error))))
        span.end()
        context.detach(ended.token)
        self._ended[event.path] = span.get_span_context()
        if len(self._ended) > MOST_CAUSES:
            self._ended.popitem(last=False)

    def _leave_open(self, status: str) -> None:
        """End what an interrupt left open, the innermost first."""
        for left in self._open.latest_first():
            if left is not self._open.get(0):
                left.span.set_attribute("flowscript.status", status)
                left.span.end()

    def _add(self, event: Event, name: str, about: dict[str, Any]) -> None:
        found = self._open.get(event.execution) or self._open.get(0)
        if found is not None:
            found.span.add_event(name, about)

    def _set(self, event: Event, about: dict[str, Any]) -> None:
        found = self._open.get(event.execution)
        if found is not None:
            found.span.set_attributes(about)


def _told(error: BaseException) -> dict[str, Any]:
    return {"error.type": class_name(error), "error.message": cut(text_of(error))}


def _exception(error: BaseException) -> dict[str, Any]:
    """The error as OpenTelemetry's conventions have it."""
    return {
        "exception.type": f"{module_of(error)}.{qualified_name(error)}",
        "exception.message": cut(text_of(error)),
        "exception.stacktrace": printed(error),
        "exception.escaped": "False",
    }


def _headers() -> dict[str, str]:
    """The headers that carry the current span."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return carrier
