"""Owns the record of a run: every execution of every node under its path, bounded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import field, replace
from itertools import count

from ..types.deferred import dataclass
from ..types.errors import nearest
from ..types.masking import Masker
from ..types.results import BranchResult, Cancellation, NodeResult

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Warned:
    """A warning of the run: the path of the node and what it says."""

    path: str
    message: str


@dataclass(slots=True)
class Record:
    """What happened in a run.

    Iterating gives the executions that were kept, in the order in which they ended; ``record[path]`` the
    executions under one path (``fetch-all/1/api2``, ``each[3]/step``). Failures and cancellations are
    always kept, successes of one node up to ``keep`` of them; beyond that they are counted in ``dropped``
    by the node's id or label.
    Where the run has secrets, the outputs in it are without them (``masker``).
    """

    keep: int = 1000
    masker: Masker | None = None
    dropped: dict[str, int] = field(default_factory=dict)
    cancellations: list[tuple[str, Cancellation]] = field(default_factory=list)
    """Every cancellation that a block requested, with the block's path, in order of time."""
    warnings: list[Warned] = field(default_factory=list)
    number: int = field(default_factory=_numbers.__next__, repr=False)
    """That of the run among those of this process."""
    _latest: dict[str, NodeResult] = field(default_factory=dict, repr=False)
    _kept: list[NodeResult] = field(default_factory=list, repr=False)
    _counts: dict[int, int] = field(default_factory=dict, repr=False)

    def add(self, key: int, label: str, result: NodeResult, inner: bool) -> None:
        """Take in one execution of the node with that key and label.

        ``inner``: of a document that is not the run's own, whose ids are a space of their own.
        """
        if result.id is not None and not inner:
            self._latest[result.id] = result
        if result.status == "success" or result.status == "skipped":
            count = self._counts.get(key, 0)
            self._counts[key] = count + 1
            if count >= self.keep and not result.outlived:
                self.dropped[label] = self.dropped.get(label, 0) + 1
                return
        self._kept.append(result)

    def recall(self, result: NodeResult) -> None:
        """Take in the last result of a node of the run's own document whose executions are not on the record."""
        if result.id is not None:
            self._latest.setdefault(result.id, result)

    def warn(self, path: str, message: str) -> str:
        """Put a warning on the record; gives what it says there, without secrets."""
        if self.masker is not None:
            message = self.masker.text(message)
        self.warnings.append(Warned(path, message))
        return message

    def show(self, result: NodeResult) -> NodeResult:
        """A result as others may see it: without secrets in its output and in the items of its iterations."""
        if self.masker is None or (result.output is None and not result.branches):
            return result
        output = self.masker.value(result.output)
        branches = self._show_branches(self.masker, result.branches)
        if output is result.output and branches is result.branches:
            return result
        return replace(result, output=output, branches=branches)

    @staticmethod
    def _show_branches(
        masker: Masker, branches: tuple[BranchResult, ...]
    ) -> tuple[BranchResult, ...]:
        shown = []
        changed = False
        for branch in branches:
            item = masker.value(branch.item)
            changed = changed or item is not branch.item
            shown.append(branch if item is branch.item else replace(branch, item=item))
        return tuple(shown) if changed else branches

    @property
    def latest(self) -> Mapping[str, NodeResult]:
        """The last result of each node by its id."""
        if self.masker is None:
            return self._latest
        return _Shown(self._latest, self.show)

    def __iter__(self) -> Iterator[NodeResult]:
        return map(self.show, self._kept)

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, path: object) -> bool:
        """Whether an execution under a path was kept."""
        return any(result.path == path for result in self._kept)

    def __getitem__(self, path: str) -> list[NodeResult]:
        found = [self.show(result) for result in self._kept if result.path == path]
        if not found:
            near = nearest(path, {result.path for result in self._kept})
            hint = "" if near is None else f"; did you mean {near!r}?"
            raise KeyError(f"no execution under the path {path!r} is kept{hint}")
        return found

    @property
    def failures(self) -> list[NodeResult]:
        """The executions that failed, in the order in which they did."""
        return [result for result in self._kept if result.status == "failed"]

    @property
    def cancelled(self) -> list[NodeResult]:
        """The executions that were cancelled, in the order in which they ended."""
        return [result for result in self._kept if result.status == "cancelled"]

    def origin_of(self, error: BaseException) -> NodeResult | None:
        """The execution that an error left first, or None."""
        return next((result for result in self.failures if result.error is error), None)

    def source_of(self, error: BaseException) -> str | None:
        """The label of the node that raised an error: the first that failed with it, or None."""
        return next((result.label for result in self.failures if result.error is error), None)


class _Shown(Mapping[str, NodeResult]):
    """Results by id, each as it may be seen."""

    def __init__(
        self, results: Mapping[str, NodeResult], show: Callable[[NodeResult], NodeResult]
    ) -> None:
        self._results = results
        self._show = show

    def __getitem__(self, name: str) -> NodeResult:
        return self._show(self._results[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._results)

    def __len__(self) -> int:
        return len(self._results)
