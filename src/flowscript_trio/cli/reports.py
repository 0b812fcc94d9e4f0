"""Owns what people are told when something is wrong: problems of a document, and the failure of a run."""

from __future__ import annotations

from ..execution.failures import Failure, failure_of
from ..execution.loading import Flow
from ..types.errors import Problem, problem_at


def render_problems(problems: tuple[Problem, ...]) -> str:
    """All problems, and how many there are."""
    errors = sum(problem.severity == "error" for problem in problems)
    warnings = len(problems) - errors
    counts = [_count(errors, "error")] if errors else []
    counts += [_count(warnings, "warning")] if warnings else []
    return "\n".join([*(problem.render() for problem in problems), ", ".join(counts)])


def render_failure(flow: Flow, error: BaseException) -> str:
    """What failed, where, and what became of the others."""
    lines = [f"{type(error).__name__}: {error}"]
    failure = failure_of(error)
    if failure is not None and failure.location is not None:
        lines += _place(flow, failure)
    lines += [note for note in getattr(error, "__notes__", ()) if note.startswith("flowscript: ")]
    if failure is not None:
        lines += [
            f"  failed too: {r.path}: {type(r.error).__name__}: {r.error}" for r in failure.others
        ]
        for result in failure.cancelled:
            why = result.cancelled_by.reason if result.cancelled_by else ""
            lines.append(f"  cancelled: {result.path} after {result.duration:.3f} s: {why}")
    return "\n".join(lines)


def _place(flow: Flow, failure: Failure) -> list[str]:
    assert failure.location is not None
    node = next(
        (n.node for n in flow.checked.nodes.values() if n.node.location == failure.location), None
    )
    if node is None:
        return []
    length = len(node.tag) + 1
    problem = problem_at(flow.document.source, node.offset, "failed", "failed", length=length)
    return problem.render().splitlines()[:3]


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
