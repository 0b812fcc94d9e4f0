"""Owns the checks of single elements that no config model can make: what is where, and how many."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..expression import RESERVED_WORDS
from ..language.elements import element_of
from ..parser import control_in
from ..runtimes.control.types import ActionConfig, BlockConfig
from ..runtimes.control.values import WaitAll, WaitN
from ..types.ast import CheckpointNode, Node, ParallelNode, Setting
from ..types.decisions import APPROVE
from ..types.errors import nearest
from ..types.findings import Findings
from ..types.patterns import pattern
from .checked import CheckedNode
from .handlers import Handlers
from .messages import show
from .positions import Index, Level, Position, names_in, variables_of, word_of
from .waits import Waits

_NOT_NAMES = RESERVED_WORDS | {"input"}
_READABLE = pattern(r"[^\W\d][\w-]*")
"""What expressions can read as a name; anything else only as a member of ``$context``."""


class ElementChecks:
    """Checks nodes one by one, once their settings are bound and the handlers are known."""

    def __init__(
        self,
        index: Index,
        handlers: Handlers,
        nodes: Mapping[int, CheckedNode],
        waits: Waits,
        findings: Findings,
    ) -> None:
        self._index = index
        self._handlers = handlers
        self._nodes = nodes
        self._waits = waits
        self._findings = findings
        self._checks: Mapping[str, Callable[[Node, Position], None]] = {
            "parallel": self._check_block,
            "foreach": self._check_block,
            "break": self._check_break,
            "return": self._check_return,
            "checkpoint": self._check_actions,
            "output": self._check_output,
            "set": self._check_variables,
            "context": self._check_variables,
        }

    def check(self) -> None:
        """Check every node of the document."""
        for position in self._index.positions.values():
            node = position.node
            if node is not None and node.kind in self._checks:
                self._checks[node.kind](node, position)
        for level in self._index.levels.values():
            if level.is_graph:
                self._check_delays(level)

    def _check_block(self, node: Node, position: Position) -> None:
        self._check_names(node)
        settings = self._nodes[node.key].settings
        config = settings.constant if settings.is_constant else settings.base
        wait = config.wait if isinstance(config, BlockConfig) else WaitAll()
        races = not isinstance(wait, WaitAll)
        if isinstance(node, ParallelNode):
            branches = len(node.branches)
            setting = node.settings.get("wait")
            if (
                isinstance(wait, WaitN)
                and setting is not None
                and branches
                and wait.count > branches
            ):
                self._findings.at_value(
                    setting,
                    "too-few-branches",
                    f"{wait.count} branches must succeed, and there {'is' if branches == 1 else 'are'} {branches}",
                    expected=f"a number up to {branches}",
                )
            if not branches:
                self._findings.at_element(
                    node,
                    "empty-block",
                    f"{node.label!r} has no branches"
                    + (": no branch can win" if races else ": its output is an empty list"),
                    severity="error" if races else "warning",
                )
        for body in node.bodies:
            level = self._index.levels[body.key]
            if len(self._handlers.in_level(level)) == len(body.nodes):
                self._findings.at_element(
                    body if isinstance(node, ParallelNode) else node,
                    "empty-branch",
                    "an empty branch succeeds at once, and would win the race"
                    if races
                    else "this branch is empty: its output is null",
                    severity="error" if races else "warning",
                )

    def _check_names(self, node: Node) -> None:
        names = names_in(node)
        for key, name in names.items():
            setting = node.settings.get(key)
            if setting is None:
                continue
            if name in self._index.ids:
                other = self._index.ids[name].location
                self._findings.at_value(
                    setting,
                    "name-taken",
                    f"{name!r} is the id of a node (line {other.line}), and cannot name an item too",
                )
            elif name in _NOT_NAMES:
                self._report_reserved(setting, name)
            elif list(names.values()).count(name) > 1:
                self._findings.at_value(
                    setting,
                    "name-taken",
                    f"{' and '.join(names)} are both called {name!r}, so that one could never be read",
                    expected="another name",
                )
                return

    def _check_variables(self, node: Node, position: Position) -> None:
        for setting in variables_of(node):
            name = word_of(setting)
            if name in _NOT_NAMES or name.startswith("$"):
                self._report_reserved(setting, name)
            elif name and not _READABLE.fullmatch(name) and control_in(name) is None:
                self._findings.at_value(
                    setting,
                    "unreadable-name",
                    f"the variable {show(name)} cannot be read by its name alone",
                    severity="warning",
                    expected="a name: a letter or _, then letters, digits, _ and -",
                )

    def _report_reserved(self, setting: Setting, name: str) -> None:
        self._findings.at_value(
            setting,
            "reserved-name",
            f"{name!r} means something else in expressions, and could never be read",
            expected="another name",
        )

    def _check_break(self, node: Node, position: Position) -> None:
        setting = node.settings.get("loop")
        wanted = word_of(setting)
        loops: list[str] = []
        for here in self._handlers.outwards(position):
            level = here.level
            owner = None if level.outer is None else level.outer.node
            if owner is None or level.role != "body":
                continue
            element = element_of(owner)
            if element.scope == "apart" and not element.is_loop:
                self._findings.at_element(
                    node,
                    "break-leaves-parallel",
                    f"a break cannot leave a {owner.kind}",
                    expected="a loop inside the branch",
                )
                return
            if element.is_loop:
                if not wanted or owner.id == wanted:
                    return
                loops.append(owner.label)
        if setting is not None and wanted and loops:
            self._findings.at_value(
                setting,
                "unknown-loop",
                f"no loop around this break is named {wanted!r}",
                expected="one of " + ", ".join(loops),
                suggestion=nearest(wanted, loops),
            )
        else:
            self._findings.at_element(
                node,
                "misplaced-break",
                "<break> is not inside a loop",
                expected="<loop>, <while> or <foreach> around it",
            )

    def _check_return(self, node: Node, position: Position) -> None:
        for here in self._handlers.outwards(position):
            level = here.level
            owner = None if level.outer is None else level.outer.node
            if level.role != "body":
                message = "a return is not allowed in clean-up"
            elif owner is not None and element_of(owner).scope == "apart":
                message = f"a return cannot leave a {owner.kind}"
            else:
                continue
            self._findings.at_element(
                node,
                "misplaced-return",
                message,
                expected="a return after it, with an if that asks for its outcome",
            )
            return

    def _check_actions(self, node: Node, position: Position) -> None:
        assert isinstance(node, CheckpointNode)
        seen: set[str] = set()
        for part, settings in zip(node.actions, self._nodes[node.key].parts, strict=True):
            config = settings.constant if settings.is_constant else settings.base
            if not isinstance(config, ActionConfig):
                continue
            if config.id in seen:
                self._findings.at_value(
                    part.settings["id"], "duplicate-id", f"there are two actions {config.id!r} here"
                )
            seen.add(config.id)
            if config.goto is None:
                continue
            if config.id == APPROVE:
                self._findings.at_value(
                    part.settings["goto"],
                    "unused-goto",
                    "approve goes on with the next node: this goto is never taken",
                    severity="warning",
                    expected="an action of another name",
                )
            elif node.key in self._handlers:
                self._findings.at_value(
                    part.settings["goto"],
                    "misplaced-goto",
                    f"{node.label!r} stands in for another node, and cannot go on elsewhere",
                    expected="no goto in a handler",
                )
            else:
                self._check_goto(part.settings["goto"], config.goto, position)

    def _check_goto(self, setting: Setting, name: str, position: Position) -> None:
        target = self._index.place_of(name)
        nodes = position.level.body.nodes
        near = nearest(name, [node.id for node in nodes[position.index + 1 :] if node.id])
        message, severity = "", "error"
        if target is None:
            message = f"there is no node {name!r} to go on at"
        elif target.level is not position.level:
            message = f"{name!r} is in another body"
        elif target.index <= position.index:
            message = (
                f"{name!r} comes before this checkpoint; choosing it fails the run (use a loop)"
            )
            severity = "warning"
        if message:
            self._findings.at_value(
                setting,
                "unknown-target" if severity == "error" else "backward-goto",
                message,
                severity=severity,
                expected="the id of a later node of the same body",
                suggestion=near,
            )

    def _check_output(self, node: Node, position: Position) -> None:
        level = position.level
        if level.body is not self._index.document.body:
            message = "<output> is allowed in the workflow only"
        else:
            passed_over = self._handlers.in_level(level)
            later = range(position.index + 1, len(level.body.nodes))
            if all(at in passed_over for at in later):
                return
            message = "<output> is not the last node"
        self._findings.at_element(
            node, "misplaced-output", message, expected="<output> at the end of the <workflow>"
        )

    def _check_delays(self, level: Level) -> None:
        nodes = level.body.nodes
        if not any(node.kind == "delay" for node in nodes):
            return
        awaited = {other for others in self._waits.of(level) for other in others}
        passed_over = self._handlers.in_level(level)
        for at, node in enumerate(nodes):
            if node.kind == "delay" and at not in awaited and at not in passed_over:
                self._findings.at_element(
                    node,
                    "unused-delay",
                    "nothing waits for this delay",
                    severity="warning",
                    expected="a node that names it in input or after",
                )
