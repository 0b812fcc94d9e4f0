"""Owns which elements may be where: each place in a document, and the types of the elements in it."""

from __future__ import annotations

from collections.abc import Mapping

from ..language.elements import ELEMENTS
from ..language.structure import CONTROLS, ENDED, SETTINGS_TOO
from ..runtimes.control.types import BODY_CONFIGS

NODES = {name: f"node.{name}" for name in sorted(CONTROLS)}

_TYPED = ENDED.union(BODY_CONFIGS)
"""Bodies with types of their own: a ``<finally>`` may be in them, or they have settings."""

SLOTS: Mapping[str, Mapping[str, str]] = {
    "nodes": NODES,
    "nodes-in-block": {
        name: f"{kind}.or-setting" if name in SETTINGS_TOO else kind for name, kind in NODES.items()
    },
    **{
        side.tag: {side.tag: f"body.{side.tag}" if side.tag in _TYPED else "body"}
        for element in ELEMENTS.values()
        for side in element.sides
    },
    "endings": {"finally": "body.finally"},
    "handling": {"on-error": "on-error", "compensate": "body.compensate"},
    "on-error": {"retry": "retry", "fallback": "fallback"},
    "failing": {"on-workflow-error": "body.on-workflow-error"},
    "declarations": {"param": "param", "secret": "secret", "limit": "limit"},
    **{
        f"parts-of-{tag}": {element.parts.tag: f"part.{tag}.{element.parts.tag}"}
        for tag, element in ELEMENTS.items()
        if element.parts is not None
    },
}
"""The places, and in each the elements with the names of their types.

Every element is there without a prefix or with that of ``control``: in ``nodes-in-block``, where some
names without a prefix may also be settings, those with one are as in ``nodes``.
"""

IN_BLOCK = "nodes-in-block"
"""The place of nodes in a block that has settings of its own."""

HANDLING = SLOTS["handling"]
