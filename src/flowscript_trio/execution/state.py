"""Owns what is visible at one place of a run: layers of results, variables and bound names.

A block gets a layer of its own over that of its surroundings, so that forking costs the same whatever the
size of the state, and nothing of a block is visible outside before it is published.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..expression.scope import Services
from ..types.cookies import NO_COOKIES, Cookies
from ..types.results import CANCELLED, SKIPPED, NodeMark, NodeResult

_NOTHING: dict[str, Any] = {}
"""Never written to."""
Result = NodeResult | NodeMark


class State:
    """One layer: the results of nodes, the variables, and the names bound for a body (``item``, ``$branch``).

    Reading looks through the layers below; writing stays in this one. A layer with others over it is not
    written to by anyone else; the layer of a graph body, whose nodes run side by side, is ``shared`` and
    forks from a snapshot of itself.
    """

    __slots__ = (
        "_base",
        "_bound",
        "_origin",
        "_results",
        "_variables",
        "cookies",
        "services",
        "shared",
    )

    def __init__(
        self,
        base: State | None,
        services: Services,
        bound: Mapping[str, Any] = _NOTHING,
        shared: bool = False,
    ) -> None:
        self._base = self._origin = base
        self._bound = bound
        self._results: dict[str, Result | None] = {}
        self._variables = _NOTHING  # until one is assigned: most layers have none
        self.services: Services = services
        self.shared: bool = shared
        self.cookies: Cookies = NO_COOKIES
        """A fork begins with those of its layer, and goes on with its own."""

    # ---- reading: the protocol of an expression's scope ----

    def node(self, name: str) -> Result | None:
        """The last result of the node of that id, or None where it has none here."""
        layer: State | None = self
        while layer is not None:
            results = layer._results
            if name in results:
                return results[name]
            layer = layer._base
        return None

    def value(self, name: str) -> Any:
        """The value of a bound name, a variable or a ``$`` name; None where it has none here."""
        layer: State | None = self
        while layer is not None:
            if name in layer._bound:
                return layer._bound[name]
            if name in layer._variables:
                return layer._variables[name]
            layer = layer._base
        return self.variables() if name == "$context" else None

    def variables(self) -> dict[str, Any]:
        """All variables that are visible here, by name."""
        layers = []
        layer: State | None = self
        while layer is not None:
            layers.append(layer._variables)
            layer = layer._base
        merged: dict[str, Any] = {}
        for variables in reversed(layers):
            merged.update(variables)
        return merged

    # ---- writing ----

    def record(self, name: str, result: Result | None) -> None:
        self._results[name] = result

    def assign(self, name: str, value: Any) -> None:
        self._assign({name: value})

    def _assign(self, variables: Mapping[str, Any]) -> None:
        if self._variables:
            self._variables.update(variables)
        else:
            self._variables = dict(variables)

    def forget(self, names: Iterable[str], mark: NodeMark | None = None) -> None:
        """Make the nodes of these ids null here, whatever the layers below say; ``mark`` says why."""
        for name in names:
            self._results[name] = mark

    def lose(self, block: State | None, names: Iterable[str]) -> None:
        """Take over how the nodes of these ids ended in a block that does not count, and nothing that they gave.

        What never began there was cancelled. Without a block, none did.
        """
        ended = {} if block is None else block._own()[0]
        for name in names:
            found = ended.get(name)
            if found is None:
                self._results[name] = CANCELLED
            elif isinstance(found, NodeResult):
                self._results[name] = NodeMark(found.status, found.error)
            else:
                self._results[name] = found

    def settle(self, names: Iterable[str], mark: NodeMark) -> None:
        """Mark the nodes of these ids that have not begun, and will not any more."""
        for name in names:
            if self.node(name) is None:
                self._results[name] = mark

    # ---- layers ----

    def fork(self, bound: Mapping[str, Any] = _NOTHING, shared: bool = False) -> State:
        """A layer over this one, with ``bound`` names of its own. Its cost does not depend on the state."""
        layer = State(self.snapshot() if self.shared else self, self.services, bound, shared)
        layer.cookies = self.cookies
        return layer

    def snapshot(self) -> State:
        """What is visible here now, and does not change while blocks run over it.

        A layer that is not shared has nobody to change it meanwhile. Of a shared one, what was written so
        far moves into a layer below. Such layers are merged when the one below is not much larger (the
        logarithmic method of Bentley and Saxe), so that they stay few: each entry moves O(log n) times.
        """
        if not self.shared:
            return self
        if self._results or self._variables:
            below = self._base
            results, variables = self._results, self._variables
            while (
                below is not None
                and below is not self._origin
                and below._size() <= 2 * (len(results) + len(variables))
            ):
                results = {**below._results, **results}
                variables = {**below._variables, **variables}
                below = below._base
            frozen = State(below, self.services)
            frozen._results, frozen._variables = results, variables
            self._base = frozen
            self._results, self._variables = {}, _NOTHING
        assert self._base is not None, "a shared layer is forked from one with the run's names"
        return self._base

    def of_round(self) -> State:
        """This scope as it is now in the loops around it, whose rounds write to the same layers again.

        It is the scope itself where no loop is around it.
        """
        layers: list[State] = []
        count = 0
        layer: State | None = self
        while layer is not None:
            layers.append(layer)
            if "$iteration" in layer._bound:
                count = len(layers)
            layer = layer._base
        if not count:
            return self
        base = layers[count - 1]._base
        for each in reversed(layers[:count]):
            kept = State(base, each.services, dict(each._bound))
            kept._results, kept._variables = dict(each._results), dict(each._variables)
            kept.cookies = each.cookies
            base = kept
        assert base is not None
        return base

    def publish(self, block: State, names: Iterable[str], variables: bool) -> None:
        """Take over what a finished block's layer holds: the results of the nodes of these ids (skipped where
        one has none), and its variables and cookies if they are the enclosing scope's.
        """
        if block._base is block._origin:
            own_results, own_variables = block._results, block._variables
        else:
            own_results, own_variables = block._own()
        for name in names:
            self._results[name] = own_results.get(name) or SKIPPED
        if variables:
            self._assign(own_variables)
            self.take_cookies(block)

    def take_cookies(self, block: State) -> None:
        """Take over the cookies that came to a block which shares this scope."""
        if block.cookies is not self.cookies:
            self.cookies = self.cookies.merged(block.cookies)

    def _own(self) -> tuple[dict[str, Result | None], dict[str, Any]]:
        """What was written since this layer was forked: its own entries and those of its snapshots."""
        layers = [self]
        below = self._base
        while below is not None and below is not self._origin:
            layers.append(below)
            below = below._base
        results: dict[str, Result | None] = {}
        variables: dict[str, Any] = {}
        for layer in reversed(layers):
            results.update(layer._results)
            variables.update(layer._variables)
        return results, variables

    def written(self) -> tuple[dict[str, Result | None], dict[str, Any]]:
        """The results and variables that were written in this layer."""
        return dict(self._results), dict(self._variables)

    def rewrite(self, results: dict[str, Result | None], variables: dict[str, Any]) -> None:
        """Put these results and variables in the place of what was written in this layer."""
        self._results, self._variables = results, variables or _NOTHING

    def _size(self) -> int:
        return len(self._results) + len(self._variables)


def clone_state_for_branch(state: State, index: int) -> State:
    """The state of a parallel block's branch: a layer over the block's, with ``$branch`` its index from 0.

    Args:
        state: the scope as it was when the block began.
        index: the branch's index, from 0 in document order.
    """
    return state.fork({"$branch": index})
