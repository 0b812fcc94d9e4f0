"""Owns the generator: hypothesis strategies of workflows.

A few features are wanted of each workflow, and what makes them is chosen more often, so that rare pairs meet.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from random import Random
from typing import TypeVar

from hypothesis import strategies as st

from .features import FEATURES, NEVER
from .shapes import (
    Body,
    Fail,
    Foreach,
    If,
    Leaf,
    Loop,
    Node,
    Parallel,
    Policy,
    Retry,
    Return,
    Timeout,
    While,
    Workflow,
)

T = TypeVar("T")

DEPTH = 3
BOOST = 6
"""How much more often something is chosen that is wanted."""
KINDS = {
    "leaf": 6,
    "parallel": 7,
    "foreach": 2,
    "if": 1,
    "loop": 1,
    "while": 1,
    "timeout": 1,
    "fail element": 1,
}
WANTED_BY = {
    "nested": "parallel",
    "twins": "parallel",
    "any": "parallel",
    "n": "parallel",
    "tolerate": "parallel",
    "patient": "parallel",
    "block retry": "parallel",
    "block fallback": "parallel",
    "concurrent foreach": "foreach",
    "break": "loop",
    "finally": "timeout",
    "failing settings": "timeout",
    "keeps": "parallel",
    "accept": "parallel",
    "stagger": "parallel",
    "return": "timeout",
}
"""Features that another kind of node makes."""
_ENDS = {"fails": "fail", "hangs": "hang", "blocks": "block"}
_RESISTING = ("frozen", "slotted", "noted", "shared")


@st.composite
def workflows(draw: st.DrawFn) -> Workflow:
    """A workflow of up to three nodes that wait for each other, blocks up to three deep."""
    chance = draw(st.randoms(use_true_random=False))
    return Maker(chance, frozenset(chance.sample(FEATURES, 4))).workflow()


@dataclass
class Maker:
    """Makes one workflow; ``wanted`` features are made more often."""

    chance: Random
    wanted: frozenset[str]
    _made: int = 0
    _alone: bool = False
    """Whether nothing runs beside the node that is made: one that blocks would hold it up."""
    _inside: bool = False
    """Whether the node that is made stands in a block that a ``<return>`` cannot leave."""

    def workflow(self) -> Workflow:
        count = self.chance.choice([1, 1, 2, 3]) if "graph" not in self.wanted else 3
        chained = self.has("blocks", 0.25)
        self._alone = count == 1 or chained
        nodes = tuple(self.node(0) for _ in range(count))
        after = tuple(
            tuple(other for other in range(index) if chained or self.chance.random() < 0.5)
            for index in range(count)
        )
        outside = self.one({"no": 2, "cancelled": 1}) == "cancelled"
        cancelled = self.duration(90) if outside else NEVER
        return Workflow(nodes, after, cancelled, self.chance.randrange(1 << 16))

    # ---- choices ----

    def one(self, weights: dict[str, int]) -> str:
        """One of the names, each with its weight; what is wanted, or makes it, weighs more."""
        makers = {WANTED_BY.get(feature) for feature in self.wanted}
        boosted = [
            weight * (BOOST if name in self.wanted or name in makers else 1)
            for name, weight in weights.items()
        ]
        return self.chance.choices(list(weights), boosted)[0]

    def has(self, feature: str, share: float) -> bool:
        return self.chance.random() < (0.6 if feature in self.wanted else share)

    def name(self, kind: str) -> str:
        self._made += 1
        return f"{kind}{self._made}"

    def duration(self, most: int = 40) -> int:
        """A number of seconds, by a coarse rank; its low bits make sums of durations different."""
        self._made += 1
        low = int.from_bytes(sha256(str(self._made).encode()).digest()[:4], "big")
        return (self.chance.randint(1, most) << 32) + low

    # ---- nodes ----

    def node(self, depth: int) -> Node:
        kind = "leaf" if depth >= DEPTH else self.one(KINDS)
        match kind:
            case "fail element" if depth:
                return Fail(self.name("fail"), *self.answers())
            case "parallel":
                return self.parallel(depth)
            case "foreach":
                return self.foreach(depth)
            case "if":
                other = self.body(depth + 1) if self.chance.random() < 0.5 else None
                taken = self.chance.random() < 0.7
                return If(self.name("if"), taken, self.body(depth + 1), other)
            case "loop":
                rounds = self.chance.randint(1, 3)
                broken = self.chance.randrange(rounds) if self.has("break", 0.3) else None
                return Loop(self.name("loop"), rounds, self.body(depth + 1), broken)
            case "while":
                return While(self.name("while"), self.chance.randint(0, 3), self.body(depth + 1))
            case "timeout":
                return Timeout(self.name("timeout"), self.duration(60), self.bounded(depth + 1))
        return self.leaf()

    def parallel(self, depth: int) -> Parallel:
        if depth < DEPTH and self.has("twins", 0.1):
            return self.twins()
        count = self.chance.randint(1, 4)
        limit = self.chance.choice([1, 2, 2, 10])
        with self.beside(count > 1 and limit > 1), self.inside():
            branches = tuple(self.bounded(depth + 1) for _ in range(count))
        name, policy = self.name("parallel"), self.policy(count)
        answers, keeps = self.answers(), self.keeps()
        stagger = self.duration(20) if self.has("stagger", 0.1) else None
        refused = self.refused(branches) if self.has("accept", 0.15) else None
        return Parallel(name, branches, limit, policy, False, *answers, keeps, refused, stagger)

    def refused(self, branches: tuple[Body, ...]) -> str | None:
        """The output of one of the branches that end with a leaf."""
        given = [body.nodes[-1].id for body in branches if isinstance(body.nodes[-1], Leaf)]
        return self.chance.choice(given) if given else None

    def keeps(self) -> int | None:
        return self.duration(60) if self.has("keeps", 0.12) else None

    @contextmanager
    def beside(self, others: bool) -> Iterator[None]:
        """What is made here may have ``others`` that run beside it."""
        before = self._alone
        self._alone = before and not others
        yield
        self._alone = before

    @contextmanager
    def inside(self) -> Iterator[None]:
        """What is made here stands in a block that no ``<return>`` leaves."""
        before, self._inside = self._inside, True
        yield
        self._inside = before

    def twins(self) -> Parallel:
        """Branches that end in one instant: document order decides among them."""
        takes = self.duration()
        ends = [self.one({"ok": 1, "fails": 2}) for _ in range(self.chance.randint(2, 4))]
        branches = tuple(
            Body((Leaf(self.name("leaf"), takes, {"fails": "fail"}.get(end, end)),)) for end in ends
        )
        policy = self.policy(len(ends))
        return Parallel(self.name("parallel"), branches, 10, policy, True, *self.answers())

    def answers(self) -> tuple[Retry | None, Leaf | None]:
        """What a block does about its error: try again, let another node stand in."""
        retry = fallback = None
        if self.has("block retry", 0.08):
            retry = self.retry()
        if self.has("block fallback", 0.08):
            fallback = self.handler()
        return retry, fallback

    def retry(self) -> Retry:
        most, wait = self.chance.randint(1, 2), self.duration(10)
        if self.has("several retries", 0.15):
            then = Retry(self.chance.randint(1, 2), self.duration(10))
            return Retry(most, wait, upto=self.chance.randint(1, 2), then=then)
        return Retry(most, wait, self.has("failing when", 0.12))

    def handler(self) -> Leaf:
        kind = "fail" if self.chance.random() < 0.3 else "ok"
        return Leaf(self.name("leaf"), self.duration(), kind)

    def foreach(self, depth: int) -> Foreach:
        count = self.chance.randint(1, 4)
        limit = self.chance.choice([2, 3, 10]) if self.has("concurrent foreach", 0.4) else 1
        with self.beside(limit > 1), self.inside():
            body = Body(self.sequence(depth + 1))
        policy, keeps = self.policy(count), self.keeps()
        return Foreach(self.name("foreach"), count, limit, body, policy, keeps)

    def policy(self, count: int) -> Policy:
        if self.has("any", 0.12):
            return Policy(need=1)
        if count > 1 and self.has("n", 0.12):
            return Policy(need=self.chance.randint(2, count))
        tolerate = self.chance.randint(1, 2) if self.has("tolerate", 0.15) else 0
        return Policy(None, not self.has("patient", 0.15), tolerate)

    def bounded(self, depth: int) -> Body:
        """A body that may have a ``<finally>``."""
        cleanup = None
        if self.has("finally", 0.15):
            end = "fail" if self.chance.random() < 0.25 else "ok"
            cleanup = Leaf(self.name("leaf"), self.duration(), end)
        broken = cleanup is not None and self.has("failing settings", 0.15)
        return Body(self.sequence(depth), cleanup, broken)

    def body(self, depth: int) -> Body:
        return Body(self.sequence(depth))

    def sequence(self, depth: int) -> tuple[Node, ...]:
        """A leaf first, so that two bodies do not end in the instant in which they began."""
        further = self.chance.choice([0, 0, 1, 1, 2])
        first = self.leaf() if self.chance.random() < 0.5 or depth >= DEPTH else self.node(depth)
        if not isinstance(first, Leaf | Parallel | Foreach):
            return (self.leaf(), first, *self.returns())
        return (first, *(self.node(depth) for _ in range(further)), *self.returns())

    def returns(self) -> Iterator[Node]:
        """A ``<return>`` and a node behind it, where one may stand."""
        if not self._inside and self.has("return", 0.15):
            value, taken = self.chance.randint(1, 9), self.chance.random() < 0.5
            yield Return(self.name("return"), value, taken)
            yield self.leaf()

    def leaf(self) -> Leaf:
        ends = {"ok": 8, "fails": 2, "group": 1, "hangs": 1, "flaky": 1, "resists": 1}
        ends |= {"stubborn": 1, "blocks": 1} if self._alone else {"stubborn": 1}
        end = self.one(ends)
        cancelled = self.one({"pass": 5, "swallows": 1, "shields": 2, "fails in clean-up": 1})
        retry = fallback = timeout = None
        if self.has("retry", 0.1) or end == "flaky":
            retry = self.retry()
        if self.has("fallback", 0.08):
            fallback = self.handler()
        if end != "flaky" and self.has("time limit", 0.1):
            timeout = self.duration(50)
        return Leaf(
            self.name("leaf"),
            self.duration(),
            self.chance.choice(_RESISTING) if end == "resists" else _ENDS.get(end, end),
            self.chance.randint(1, 2) if end == "flaky" else 0,
            {"swallows": "swallow", "shields": "shield", "fails in clean-up": "fail"}.get(
                cancelled, cancelled
            ),
            self.duration(20) if cancelled == "shields" else 0,
            timeout,
            retry,
            fallback,
            self.undo() if self.has("undone", 0.15) else None,
        )

    def undo(self) -> Leaf:
        kind = "fail" if self.chance.random() < 0.15 else "ok"
        return Leaf(self.name("undo"), self.duration(10), kind)
