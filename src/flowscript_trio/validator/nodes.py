"""Owns the binding of one node: its runtime, its settings and parts, its input, and what it names."""

from __future__ import annotations

import re

from ..expression import Expression
from ..language.elements import element_of, parts_of
from ..runtimes.control.types import (
    BODY_CONFIGS,
    PART_CONFIGS,
    BodyConfig,
    FallbackConfig,
    RetryConfig,
    SideConfig,
)
from ..runtimes.registry import Registry
from ..runtimes.types import NodeRuntime
from ..types.ast import UNTYPED, BaseNode, Body, Document, Node, Part, Setting
from ..types.errors import nearest
from ..types.findings import Findings
from ..types.location import Text
from ..types.patterns import pattern
from .arguments import texts_in
from .checked import CheckedNode
from .common import CONDITION, LIMIT, ON_CRASH, PLACE, RETRY, TIMEOUT, WAITING_TIME
from .fields import plan_of
from .known import known_settings
from .limits import LimitNames
from .positions import Index, Position, name_of, word_of
from .settings import SettingsBinder
from .texts import Compiler, Visibility
from .values import BoundSetting, BoundSettings

_WORDS = ("fail", "keep")
"""What ``on-timeout`` of a block can be besides the id of a handler."""
_ITEM = pattern(r"[^\s,]+")
_PATH = pattern(r"(\$?[A-Za-z_][\w-]*)((?:\.\w[\w-]*|\[\d+\])*)", re.ASCII)


class NodeBinder:
    """Binds the nodes of a document, each by itself; how they hang together is checked later.

    ``named_handlers`` collects for each user the settings that name a handler.
    """

    def __init__(
        self, index: Index, registry: Registry, compiler: Compiler, findings: Findings
    ) -> None:
        self.named_handlers: list[tuple[Position, Setting]] = []
        self._index = index
        self._registry = registry
        self._compiler = compiler
        self._findings = findings
        self._settings = SettingsBinder(compiler, findings, texts_in(index.document))
        self._limits = LimitNames(index.document, findings)
        self._runtimes: dict[str, NodeRuntime | None] = {}

    def bind(self, node: Node, position: Position) -> CheckedNode:
        """The node with its settings bound."""
        element = element_of(node)
        visible = Visibility(position)
        label = f"<{node.tag}>" if node.id is None else repr(node.id)
        runtime = self._runtime_of(node)
        model = None if runtime is None else runtime.config
        own, limit = node.settings, node.limit
        if limit is not None and model is not None and "limit" in plan_of(model).fields:
            # A runtime of the application's has one itself.
            own, limit = {**own, "limit": limit}, None
        settings = self._settings.bind(model, own, node, visible, label)
        needs = getattr(runtime, "needs", None)
        missing = None if needs is None else needs(known_settings(settings))
        if missing is not None:
            self._findings.at_element(node, "missing-package", missing)
        inputs, is_list = self._bind_input(node, visible)
        if node.after is not None:
            self._bind_after(node.after, visible)
        condition = None
        if node.condition is not None:
            bound = self._settings.bind_one(node.condition, CONDITION, visible, label)
            condition = None if bound is None else bound.constant
        timeout = None
        if node.timeout is not None:
            field = WAITING_TIME if element.asks else TIMEOUT
            timeout = self._settings.bind_one(node.timeout, field, visible, label)
        runs_at = None
        if node.place is not None:
            named = self._settings.bind_one(node.place, PLACE, visible, label)
            runs_at = None if named is None else named.constant
        on_crash = None
        if node.on_crash is not None:
            on_crash = self._settings.bind_one(node.on_crash, ON_CRASH, visible, label)
        retries, fallback = self._bind_on_error(node, visible)
        return CheckedNode(
            node,
            name_of(node),
            runtime,
            settings,
            inputs,
            is_list,
            condition,
            timeout,
            retries,
            fallback,
            self._late_handler(node, position),
            tuple(self._bind_part(node.kind, part, visible) for part in parts_of(node)),
            limits=() if limit is None else self._limits.bind(limit),
            keeps=element.scope == "apart" and word_of(node.settings.get("on_timeout")) == "keep",
            place=runs_at,
            on_crash="retry" if on_crash is None else on_crash.constant,
        )

    def bind_body(self, body: Body, position: Position | None) -> BoundSettings | None:
        """The settings of a body's element, which see what its node sees; None where it has none."""
        model = BODY_CONFIGS.get(body.tag, BodyConfig)
        if position is None or (not body.settings and model in (BodyConfig, SideConfig)):
            return None
        return self._settings.bind(
            model, body.settings, body, Visibility(position), f"<{body.tag}>"
        )

    def bind_document(
        self, document: Document, position: Position
    ) -> tuple[BoundSetting | None, BoundSetting | None, BoundSetting | None]:
        """The document's own timeout, limit and retry."""
        bound = [
            None
            if setting is None
            else self._settings.bind_one(setting, field, Visibility(position), "<workflow>")
            for setting, field in (
                (document.timeout, TIMEOUT),
                (document.max_concurrency, LIMIT),
                (document.retry, RETRY),
            )
        ]
        return bound[0], bound[1], bound[2]

    def _runtime_of(self, node: Node) -> NodeRuntime | None:
        kind = node.type
        if kind not in self._runtimes:
            known = self._registry.has_runtime(kind)
            self._runtimes[kind] = self._registry.get_runtime(kind) if known else None
        runtime = self._runtimes[kind]
        if runtime is None and not kind.endswith(f":{UNTYPED}"):
            self._report_unknown(node, kind)
        return runtime

    def _report_unknown(self, node: Node, kind: str) -> None:
        """Report a type that nothing runs; a runtime of the application's own may not be registered yet."""
        names = self._registry.names()
        family, _, word = kind.partition(":")
        words = [name.partition(":")[2] for name in names if name.startswith(f"{family}:")]
        near = nearest(word, words)
        suggestion = None if near is None else f"{family}:{near}"
        if suggestion is None:
            suggestion = next((name for name in names if name.endswith(f":{word}")), None)
        known = ", ".join(f"{family}:{one}" for one in words)
        self._findings.at_element(
            node,
            "unknown-runtime",
            f"no runtime named {kind!r} is registered",
            expected=f"one of {known}; or one of your own, from registry= in Python, or from the module that "
            "--runtimes names on the command line",
            suggestion=suggestion,
        )

    def _bind_part(self, kind: str, part: Part, visible: Visibility) -> BoundSettings:
        model = PART_CONFIGS[kind, part.tag]
        return self._settings.bind(model, part.settings, part, visible, f"<{part.tag}>")

    def _bind_on_error(
        self, node: Node, visible: Visibility
    ) -> tuple[tuple[BoundSettings, ...], BaseNode | None]:
        if node.on_error is None:
            return (), None
        fallback = None
        retries = tuple(
            self._settings.bind(RetryConfig, part.settings, part, visible, "<retry>")
            for part in node.on_error.retries
        )
        if (part := node.on_error.fallback) is not None:
            self._settings.bind(FallbackConfig, part.settings, part, visible, "<fallback>")
            fallback = self._handler(part.settings.get("node"), visible.position)
        return retries, fallback

    def _late_handler(self, node: Node, position: Position) -> BaseNode | None:
        """The handler of a time limit; of a block ``fail`` and ``keep`` say something else."""
        setting = node.settings.get("on_timeout")
        element = element_of(node)
        if setting is None or not element.is_control:
            return None
        if element.scope != "apart":
            return self._handler(setting, position)
        if node.timeout is None:
            self._findings.at_name(
                setting,
                "pointless-setting",
                f"{node.label!r} has no timeout, so on-timeout has no effect",
                expected="a timeout beside it",
            )
        return None if word_of(setting) in _WORDS else self._handler(setting, position)

    def _handler(self, setting: Setting | None, position: Position) -> BaseNode | None:
        """The handler that a setting names."""
        name = word_of(setting)
        if setting is None or not name or "{{" in name:
            return None
        if name in _WORDS:
            self._findings.at_value(
                setting,
                "misplaced-handler",
                f"a handler cannot be called {name!r}, which means something else in the on-timeout of a block",
                expected="the id of another node",
            )
            return None
        self.named_handlers.append((position, setting))
        return self._index.ids.get(name)

    def _bind_input(
        self, node: Node, visible: Visibility
    ) -> tuple[tuple[Expression, ...] | None, bool]:
        """The expressions of a node's ``input``, and whether it is the list of their values."""
        setting = node.input
        if setting is None:
            return None, False
        visible = Visibility(visible.position, of_input=True)
        if not isinstance(setting.value, Text) or not setting.value.value.strip():
            self._findings.at_value(
                setting,
                "invalid-setting",
                "input does not name a node",
                expected="the id of a node",
            )
            return None, False
        text = setting.value
        if "{{" in text.value:
            compiled = self._compiler.expression(text, visible)
            return (None if compiled is None else (compiled,)), False
        if text.value in self._index.ids:
            expression = self._compiler.reference(text, text.value, "", visible)
            return (None if expression is None else (expression,)), False
        if text.value.lstrip().startswith(("[", "{", '"', "'")) or "(" in text.value:
            self._findings.at_value(
                setting,
                "invalid-setting",
                "input names nodes, and this is a value",
                expected=f"the id of a node, or an expression in braces: {{{{{text.value.strip()}}}}}",
            )
            return None, False
        items = [text.slice(*found.span()) for found in _ITEM.finditer(text.value)]
        expressions = [self._bind_input_item(item, visible) for item in items]
        known = tuple(expression for expression in expressions if expression is not None)
        return (known if len(known) == len(items) else None), len(items) > 1

    def _bind_input_item(self, text: Text, visible: Visibility) -> Expression | None:
        found = _PATH.fullmatch(text.value)
        if found is None:
            self._findings.in_text(
                text,
                0,
                len(text.value),
                "invalid-setting",
                f"input cannot name a node by {text.value!r}",
                expected="the id of a node, or a path such as id.output.items",
            )
            return None
        return self._compiler.reference(text, found[1], found[2], visible)

    def _bind_after(self, setting: Setting, visible: Visibility) -> None:
        text = setting.value
        items = list(_ITEM.finditer(text.value)) if isinstance(text, Text) else []
        if not items:
            self._findings.at_value(
                setting,
                "invalid-setting",
                "after does not name a node",
                expected="the id of a node",
            )
            return
        assert isinstance(text, Text)
        for found in items:
            self._compiler.use(visible, text.slice(*found.span()), found[0], "after")
