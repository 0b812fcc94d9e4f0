"""Owns the messages for people when something is wrong: problems of a document, and the failure of a run."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from ..execution.failures import Failure, failure_of
from ..program.loading import Flow
from ..types.errors import Problem, problem_at
from ..types.looking import notes_of, summary_of
from ..types.paths import above, order_of
from ..types.patterns import pattern
from ..types.printing import one_line, printable
from ..types.results import NodeResult

_TAG = pattern(r"<[^\s/>]+")

ROOM = 5
"""How many of a kind are listed: the error must still be on a screen of 24 lines."""
NARROW = 78
"""Columns of a line that is to fit on any terminal."""


def render_problems(problems: tuple[Problem, ...], columns: int | None = None) -> str:
    """All problems, and how many there are; for a terminal of this many ``columns``."""
    errors = sum(problem.severity == "error" for problem in problems)
    warnings = len(problems) - errors
    counts = [_count(errors, "error")] if errors else []
    counts += [_count(warnings, "warning")] if warnings else []
    return printable(
        "\n".join([*(problem.render(columns) for problem in problems), ", ".join(counts)])
    )


def render_failure(flow: Flow | None, error: BaseException, columns: int | None = None) -> str:
    """What failed, where (in the text of ``flow``, if that is at hand), and what became of the others.

    Notes of many lines come first, as Python's own tracebacks do, so that the error is at the end, where people
    look. ``columns`` is how wide the terminal is, None where there is none.
    """
    failure = failure_of(error)
    notes = _notes(error, failure)
    lines = [note for note in notes if is_long(note)]
    lines += _error_lines(error, columns)
    if flow is not None and failure is not None and failure.location is not None:
        lines += _place(flow, failure, columns)
    lines += [note for note in notes if not is_long(note)]
    if failure is not None:
        if failure.attempts > 1:
            lines.append(f"  after {failure.attempts} attempts")
        others = sorted(_where_it_began(failure.others), key=_by_path)
        lines += _list(_fitted(_other(result), columns) for result in others)
        lines += _list_cancelled(sorted(_innermost(failure.cancelled), key=_by_path))
    return printable("\n".join(lines))


def _notes(error: BaseException, failure: Failure | None) -> list[str]:
    """What is on an error, and what the run had to say of it that could not be written there."""
    notes = notes_of(error)
    if failure is not None:
        notes += [note for note in failure.notes if note not in notes]
    return notes


def is_long(note: str) -> bool:
    """Whether a note has lines enough to push the error off the screen: a traceback of another process, say."""
    return "\n" in note.strip()


def _error_lines(error: BaseException, columns: int | None) -> list[str]:
    """An error; on a terminal its first lines only: a page of HTML in it would push the rest off the screen."""
    lines = name_error(error).splitlines()
    if columns is None or len(lines) <= ROOM + 1:
        return lines
    return [*lines[:ROOM], f"  … {len(lines) - ROOM} more lines"]


def name_error(error: BaseException) -> str:
    """The class of an error and what it says."""
    return printable(summary_of(error))


def _place(flow: Flow, failure: Failure, columns: int | None) -> list[str]:
    """The line of source in which the node that failed begins, in whichever document that is, with a caret."""
    location = failure.location
    documents = (flow.document, *flow.library.documents)
    sources = [each.source for each in documents if location and each.source.file == location.file]
    if location is None or not sources:
        return []
    source = sources[0]
    offset = source.offset(location.line) + location.column - 1
    tag = _TAG.match(source.text, offset)
    if tag is None:
        return []
    problem = problem_at(source, offset, "failed", "", length=len(tag[0]))
    return [f"{problem.location}: {failure.node}", *problem.render(columns).splitlines()[1:3]]


def _by_path(result: NodeResult) -> list[tuple[int, str]]:
    return order_of(result.path)


def _other(result: NodeResult) -> str:
    error = "" if result.error is None else name_error(result.error)
    return f"  failed too: {result.path}: {error}"


def _cancelled(result: NodeResult) -> str:
    why = result.cancelled_by.reason if result.cancelled_by else ""
    return f"  cancelled: {result.path} after {result.duration:.3f} s: {why}"


def _where_it_began(results: tuple[NodeResult, ...]) -> list[NodeResult]:
    """Those that did not fail only since what is inside them did: one error is not said at each level."""
    errors = {(outer, id(result.error)) for result in results for outer in above(result.path)}
    return [result for result in results if (result.path, id(result.error)) not in errors]


def _fitted(line: str, columns: int | None) -> str:
    """A line of a list, which is to be one on a terminal: its end is cut off there."""
    line = one_line(line)
    return line if columns is None or len(line) <= columns else f"{line[: columns - 1]}…"


def _innermost(results: tuple[NodeResult, ...]) -> list[NodeResult]:
    """Those without the blocks around others of them: one cancellation is not counted at each level."""
    around = {outer for result in results for outer in above(result.path)}
    return [result for result in results if result.path not in around]


def _list_cancelled(results: list[NodeResult]) -> list[str]:
    """Each by itself if they are few; of many how many there are for which reason, with the first of them."""
    if len(results) <= ROOM:
        return [_cancelled(result) for result in results]
    reasons: dict[str, list[str]] = {}
    for result in results:
        reasons.setdefault(_why(result), []).append(result.path)
    most_first = sorted(reasons.items(), key=lambda reason: -len(reason[1]))
    return _list(_with_names(f"  {len(paths)} cancelled{why}", paths) for why, paths in most_first)


def _with_names(said: str, paths: list[str]) -> str:
    """What is said, with the first of the paths after it, as many as fit on a narrow line."""
    for many in range(ROOM, 0, -1):
        named = [*paths[:many], "…"] if many < len(paths) else paths
        line = f"{said}: {', '.join(named)}"
        if len(line) <= NARROW:
            return line
    return said


def _why(result: NodeResult) -> str:
    by = result.cancelled_by
    if by is None:
        return ""
    if by.by is not None and by.reason.startswith(f"{by.by} failed"):
        return f" because {by.by} failed"
    return f": {by.reason}"


def _list(lines: Iterable[str]) -> list[str]:
    """The first lines, and how many more there are."""
    rest = iter(lines)
    shown = list(islice(rest, ROOM))
    more = sum(1 for _ in rest)
    return [*shown, f"  … {more} more"] if more else shown


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
