"""Owns which elements may stand where: each place in a document, and the types of the elements in it."""

from __future__ import annotations

from collections.abc import Mapping

from ..parser.names import CONTROLS, PARTED, SETTINGS_TOO

NODES = {name: f"node.{name}" for name in sorted(CONTROLS)}

SLOTS: Mapping[str, Mapping[str, str]] = {
    "nodes": NODES,
    "nodes-in-block": {
        name: f"{kind}.or-setting" if name in SETTINGS_TOO else kind for name, kind in NODES.items()
    },
    "branches": {"branch": "body.branch"},
    "then": {"then": "body"},
    "else": {"else": "body"},
    "case": {"case": "body.case"},
    "default": {"default": "body"},
    "endings": {"finally": "body.finally"},
    "handling": {"on-error": "on-error", "compensate": "body.compensate"},
    "on-error": {"retry": "retry", "fallback": "fallback"},
    "failing": {"on-workflow-error": "body.on-workflow-error"},
    "declarations": {"param": "param", "secret": "secret"},
    **{f"parts-of-{node}": {part: f"part.{node}.{part}"} for node, part in PARTED.items()},
}
"""The places, and in each the elements with the names of their types.

Every element stands there without a prefix or with that of ``control``: in ``nodes-in-block``, where some
names without a prefix may also be settings, those with one are as in ``nodes``.
"""

IN_BLOCK = "nodes-in-block"
"""The place of nodes in a block that has settings of its own."""

HANDLING = SLOTS["handling"]
