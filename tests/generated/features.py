"""Owns the features of generated workflows: which there are, and how often each and each pair occurred."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import combinations

from .shapes import (
    Fail,
    Foreach,
    If,
    Leaf,
    Loop,
    Node,
    Parallel,
    Policy,
    Return,
    Timeout,
    While,
    Workflow,
)
from .writing import bodies_of, nodes_in

FEATURES = (
    "parallel",
    "nested",
    "twins",
    "foreach",
    "concurrent foreach",
    "any",
    "n",
    "tolerate",
    "patient",
    "if",
    "loop",
    "while",
    "break",
    "timeout",
    "finally",
    "retry",
    "fallback",
    "block retry",
    "block fallback",
    "time limit",
    "fails",
    "flaky",
    "group",
    "hangs",
    "swallows",
    "shields",
    "fails in clean-up",
    "cancelled",
    "graph",
    "failing when",
    "failing settings",
    "resists",
    "undone",
    "keeps",
    "stubborn",
    "blocks",
    "fail element",
    "return",
    "several retries",
    "accept",
    "stagger",
)
"""``patient`` is ``fail-fast="false"``, ``graph`` several top-level nodes, ``cancelled`` from outside in time."""
NEVER = 1 << 43
"""Seconds after which a run that nobody cancels before is cancelled: some never end by themselves."""
_ENDS = {"fail": "fails", "flaky": "flaky", "group": "group", "hang": "hangs"}
_ENDS |= dict.fromkeys(("frozen", "slotted", "noted", "shared"), "resists")
_ENDS |= {"stubborn": "stubborn", "block": "blocks"}
_CANCELLED = {"swallow": "swallows", "shield": "shields", "fail": "fails in clean-up"}


def features_of(workflow: Workflow, end: float) -> frozenset[str]:
    """What occurs in a workflow whose run ended at ``end``."""
    found = {name for node in nodes_in(workflow.nodes) for name in _of_node(node)}
    if len(workflow.nodes) > 1:
        found.add("graph")
    if workflow.cancelled <= end and workflow.cancelled < NEVER:
        found.add("cancelled")
    return frozenset(found)


def _of_node(node: Node) -> Iterator[str]:
    if any(body.cleanup is not None for body in bodies_of(node)):
        yield "finally"
    if any(body.broken for body in bodies_of(node)):
        yield "failing settings"
    if isinstance(node, Leaf | Fail | Parallel) and node.retry is not None:
        if node.retry.broken:
            yield "failing when"
        if node.retry.then is not None:
            yield "several retries"
    if isinstance(node, Parallel | Foreach) and node.keeps is not None:
        yield "keeps"
    match node:
        case Leaf():
            yield from _of_leaf(node)
        case Parallel():
            yield "parallel"
            yield from _of_policy(node.policy)
            if node.twins:
                yield "twins"
            if node.retry is not None:
                yield "block retry"
            if node.fallback is not None:
                yield "block fallback"
            inner = [other for body in node.branches for other in nodes_in(body.nodes)]
            if any(isinstance(other, Parallel) for other in inner):
                yield "nested"
            if node.refused is not None:
                yield "accept"
            if node.stagger is not None:
                yield "stagger"
        case Fail():
            yield "fail element"
        case Return():
            yield "return"
        case Foreach():
            yield "foreach"
            yield from _of_policy(node.policy)
            if node.limit > 1:
                yield "concurrent foreach"
        case If():
            yield "if"
        case Loop():
            yield "loop"
            if node.broken is not None:
                yield "break"
        case While():
            yield "while"
        case Timeout():
            yield "timeout"


def _of_leaf(leaf: Leaf) -> Iterator[str]:
    if leaf.end in _ENDS:
        yield _ENDS[leaf.end]
    if leaf.cancelled in _CANCELLED:
        yield _CANCELLED[leaf.cancelled]
    if leaf.retry is not None:
        yield "retry"
    if leaf.fallback is not None:
        yield "fallback"
    if leaf.undo is not None:
        yield "undone"
    if leaf.timeout is not None:
        yield "time limit"


def _of_policy(policy: Policy) -> Iterator[str]:
    if policy.need == 1:
        yield "any"
    elif policy.need is not None:
        yield "n"
    if policy.tolerate:
        yield "tolerate"
    if not policy.fail_fast:
        yield "patient"


class Tally:
    """How often features and pairs of them occurred, and how runs ended."""

    def __init__(self) -> None:
        self.features: Counter[str] = Counter()
        self.pairs: Counter[tuple[str, str]] = Counter()
        self.statuses: Counter[str] = Counter()
        self.several = 0
        """Workflows with more than one right outcome."""

    def add(self, features: frozenset[str], status: str, several: bool) -> None:
        self.features.update(features)
        ordered = [name for name in FEATURES if name in features]
        self.pairs.update(combinations(ordered, 2))
        self.statuses[status] += 1
        self.several += several

    @property
    def rarest(self) -> tuple[str, int]:
        """The feature or pair that occurred least often."""
        counts = {name: self.features[name] for name in FEATURES}
        counts |= {" and ".join(p): self.pairs[p] for p in combinations(FEATURES, 2)}
        return min(counts.items(), key=lambda found: found[1])

    def render(self) -> str:
        """Features, and for each the pair that it occurred in least often."""
        lines = [f"{name:<12}{count:>7}" for name, count in sorted(self.statuses.items())]
        lines.append(f"with more than one right outcome: {self.several}")
        lines.append(f"{'feature':<22}{'times':>7}   rarest together with")
        for name in FEATURES:
            pairs = {
                other: self.pairs[one, two]
                for one, two in combinations(FEATURES, 2)
                for other in ((two,) if one == name else (one,) if two == name else ())
            }
            other, count = min(pairs.items(), key=lambda found: found[1])
            lines.append(f"{name:<22}{self.features[name]:>7}   {other} ({count})")
        return "\n".join(lines)
