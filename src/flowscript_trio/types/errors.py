"""Owns what can be wrong: problems of a document, and the errors that are ours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

from .deferred import dataclass
from .exceptions import dictionary_of
from .location import Location, Source


class FlowScriptError(Exception):
    """The base of every error that is ours. Errors of your own runtimes keep their own classes.

    None of them stands for a cancellation: ``trio.Cancelled`` passes through a run as it is.
    """


class FlowScriptWarning(UserWarning):
    """The category of warnings that a run emits through :mod:`warnings`.

    A warning neither cancels nor fails anything.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong with a document, with its place.

    ``code`` is a stable word for tools (``unknown-setting``); ``found``, ``expected`` and
    ``suggestion`` (the nearest right name) are None where they would say nothing.
    ``source_line`` is the line of source at ``location``, ``length`` the width of the caret under it.
    ``stands_for`` is 1, but where it says how many more there are of one kind.

    Plain data: cancellation means nothing to it.
    """

    code: str
    message: str
    location: Location
    severity: Literal["error", "warning"] = "error"
    found: str | None = None
    expected: str | None = None
    suggestion: str | None = None
    source_line: str = ""
    length: int = 1
    stands_for: int = 1

    def render(self, columns: int | None = None) -> str:
        """The problem for people: place, message, the line of source, a caret, what would be right.

        ``columns`` is how wide a terminal is: of a longer line of source the part around the caret is shown, on
        one line. None, where there is no terminal, shows a part of a fixed width.
        """
        lines = [f"{self.location}: {self.severity}: {self.message}"]
        if self.source_line:
            gutter = f"{self.location.line:>5} | "
            most = _SHOWN if columns is None else min(max(columns - len(gutter) - 2, 20), _SHOWN)
            line, column = _clip(self.source_line, self.location.column - 1, most)
            before = line[:column]
            padding = "".join("\t" if char == "\t" else " " for char in before)
            room = max(len(line) - len(before), 1)
            lines.append(gutter + line)
            lines.append(" " * 5 + " | " + padding + "^" * max(1, min(self.length, room)))
        if self.found is not None:
            lines.append(f"        found: {self.found}")
        if self.expected is not None:
            lines.append(f"        expected: {self.expected}")
        if self.suggestion is not None:
            lines.append(f"        did you mean {self.suggestion!r}?")
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """The problem for tools, ready for JSON."""
        return {
            "severity": self.severity,
            "code": self.code,
            "message": self.message,
            "file": self.location.file,
            "line": self.location.line,
            "column": self.location.column,
            "length": self.length,
            "found": self.found,
            "expected": self.expected,
            "suggestion": self.suggestion,
            "stands_for": self.stands_for,
        }


_SHOWN = 160
"""Characters of a line of source that are shown at most."""


def _clip(line: str, column: int, most: int) -> tuple[str, int]:
    """The part of a long line around a column (from 0), and the column in it."""
    if len(line) <= most:
        return line, column
    start = max(0, min(column - most // 2, len(line) - most))
    head = "…" if start else ""
    tail = "…" if start + most < len(line) else ""
    return head + line[start : start + most] + tail, column - start + len(head)


def problem_at(
    source: Source, offset: int, code: str, message: str, *, length: int = 1, **details: Any
) -> Problem:
    """A problem at a character of a document; ``details`` are further fields of :class:`Problem`."""
    location = source.location(offset)
    return Problem(
        code=code,
        message=message,
        location=location,
        source_line=source.line(location.line),
        length=length,
        **details,
    )


_LONGEST_NAME = 200
"""Characters of a word that may be a mistyped name."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is most like ``name``, or None where none is near."""
    if len(name) > _LONGEST_NAME:
        return None
    known = list(known)
    folded = {other.lower(): other for other in known}
    if name.lower() in folded:
        return folded[name.lower()]
    from difflib import get_close_matches  # most runs misspell nothing

    matches = get_close_matches(name, known, n=1, cutoff=0.6)
    return matches[0] if matches else None


class WorkflowInvalid(FlowScriptError):
    """A document cannot be run. ``problems`` has everything that is wrong with it, in document order.

    It is raised where nothing runs yet, so nothing is cancelled by it.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        errors = sum(p.stands_for for p in self.problems if p.severity == "error")
        heading = "the workflow has 1 error" if errors == 1 else f"the workflow has {errors} errors"
        super().__init__(heading + "\n" + "\n".join(p.render() for p in self.problems))


class OutputError(FlowScriptError):
    """The output of a document is not what it declares.

    The document has failed then: its clean-up runs, and what it did is compensated. Where another one runs it,
    it is the error of that node, and cancels the siblings of its branch where the block fails fast.
    """


class InputError(FlowScriptError):
    """What the application gave the run (input, config, secrets, limits) is not usable.

    It is raised before a node starts, so that nothing has to be cancelled for it.
    """


class SettingError(FlowScriptError):
    """A computed setting has a value that its runtime does not accept.

    As any error of a node, it cancels the siblings of its branch where the block fails fast.
    """


class EvaluationError(FlowScriptError):
    """An expression failed while it was evaluated.

    ``offset`` is the place in the expression's text (characters from 0), or None; ``location`` is that
    place in the document, where the expression is in one.

    Evaluating waits for nothing, so no cancellation is behind it.
    """

    def __init__(self, message: str, offset: int | None = None) -> None:
        super().__init__(message)
        self.offset = offset
        self.location: Location | None = None


class LimitExceeded(EvaluationError):
    """An expression went beyond a bound of the run (depth, operations, text, list, integer).

    It ends what cannot be cancelled, since evaluating waits for nothing.
    """


class WorkflowFailed(FlowScriptError):
    """A ``<fail>`` was reached: the document itself says that something is wrong.

    ``str()`` is its message. ``type`` is what expressions see as the error's type, None for this class's name.
    ``status`` counts as that of HTTP. ``retryable`` says whether trying again may help; where it is None, the
    status does.

    As any error of a node, it cancels the siblings of its branch where the block fails fast.
    """

    def __init__(
        self,
        message: str,
        *,
        type: str | None = None,
        status: int | None = None,
        retryable: bool | None = None,
    ) -> None:
        super().__init__(message)
        self.type = type
        self.status = status
        self.retryable = retryable


class RecordedError(FlowScriptError):
    """Stands for an error of a durable run whose class cannot be made again where the run was resumed.

    ``type`` is the name of its class, ``str()`` its message; ``status``, ``retryable``, ``headers`` and ``body``
    are what expressions saw of it.

    A cancellation is never recorded as one.
    """

    def __init__(
        self,
        message: str,
        *,
        type: str,
        status: int | None = None,
        retryable: bool = False,
        headers: Any = None,
        body: Any = None,
    ) -> None:
        super().__init__(message)
        self.type = type
        self.status = status
        self.retryable = retryable
        self.headers = headers
        self.body = body


class NotAccepted(FlowScriptError):
    """The output of a branch was not accepted by the ``accept`` of its block, so that the branch has failed.

    As any error of a branch, it cancels its siblings where the block fails fast.
    """


_VIEW = "__flowscript_view__"


def remember_view(error: BaseException, view: dict[str, Any]) -> None:
    """Keep what expressions saw of an error before it was restored: the object itself is not asked again."""
    dictionary_of(error)[_VIEW] = view


def view_of(error: BaseException) -> dict[str, Any] | None:
    """What expressions saw of an error before it was restored; None for one that was not."""
    return dictionary_of(error).get(_VIEW)


class BudgetExceeded(FlowScriptError):
    """A run went beyond a bound of its :class:`Budget`; it says which, and where.

    ``bound`` is the name of the field, ``limit`` its value, ``path`` that of the execution that went beyond it
    (empty for the run as a whole). Nothing in the document catches it or tries again: the rest of the run is
    cancelled, and clean-up has bounds of its own.
    """

    retryable = False

    def __init__(self, bound: str, limit: float, path: str, in_cleanup: bool = False) -> None:
        self.bound: str = bound
        self.limit: float = limit
        self.path: str = path
        said = _BEYOND[bound].format(f"{limit:,}" if isinstance(limit, int) else f"{limit:g}")
        where = f", at {path!r}" if path else ""
        which = ", which clean-up has for itself" if in_cleanup else ""
        super().__init__(
            f"{said}{which}{where}; let the document do less, or give the run more with "
            f"Budget({bound}=…)"
        )


_BEYOND = {
    "seconds": "the run took longer than its budget of {} s",
    "nodes": "the run executed more nodes than its budget of {}",
    "rounds": "the run went through more rounds than its budget of {}",
    "output_bytes": "the run keeps more bytes of outputs than its budget of {}",
    "requests": "the run sent more requests than its budget of {}",
    "record_bytes": "the record of the run takes more bytes than its budget of {}",
}


class WorkerDied(FlowScriptError):
    """The process that a node ran in has ended, and the node with it: it crashed, was killed, or is out of reach.

    Trying again may help, so it is retryable; whether that is done, ``<retry>`` decides, and nothing else.
    ``worker`` is the name of the worker, None where that is not known.

    A node that is cancelled in a process loses its worker too, and that is not an error.
    """

    retryable = True

    def __init__(self, message: str, worker: str | None = None) -> None:
        super().__init__(message)
        self.worker = worker


class CannotTravel(FlowScriptError):
    """Something cannot be sent to another process or back: a lock, a generator, an open file.

    It is raised before the node begins there, or once it has ended, so no cancellation is behind it.
    """


class RemoteError(FlowScriptError):
    """Stands for an error of a node on a worker whose class cannot be made again here.

    ``type`` is the name of its class; ``status`` and ``retryable`` are the error's own.

    It stands for errors only: a cancellation comes back as one.
    """

    def __init__(
        self, type: str, text: str, status: int | None = None, retryable: bool | None = None
    ) -> None:
        super().__init__(f"{type}: {text}" if text else type)
        self.type = type
        self.status = status
        self.retryable = retryable


class StrayCancelled(FlowScriptError):
    """A node was left by a ``trio.Cancelled`` although nothing around it is cancelled.

    A cache that stores the exception of its first caller and raises it in others does so. It is that node's
    error, as any other; ``__cause__`` is the ``Cancelled``. A cancellation of the node itself is never one.
    """


class RuntimeNotFound(FlowScriptError):
    """No runtime of that name is registered.

    It is raised where nothing runs yet, so nothing is cancelled by it.
    """
