"""Owns the elements that are not nodes, and where each belongs."""

from __future__ import annotations

from .elements import ELEMENTS

LIFTED = ("request", "response")
"""Elements whose keys are settings of the node that they are in."""

NODES = frozenset(ELEMENTS)
CONTROLS = frozenset(tag for tag, element in ELEMENTS.items() if element.is_control)
FAMILIES = tuple(tag for tag, element in ELEMENTS.items() if element.runtime is None)
"""The nodes whose type says what runs them: ``<source type="http">``, or ``<source:http>``."""

SETTINGS_TOO = frozenset(tag for tag, element in ELEMENTS.items() if element.is_setting)
"""Nodes whose names are also settings of blocks: with text and nothing else in it the element is the setting
(``<loop …><break>{{done}}</break>``)."""

DECLARATIONS_TOO = frozenset({"limit"})
"""Declarations whose names are also settings of nodes: there they have text and nothing else."""

ENDINGS = frozenset({"finally"})
HANDLING = frozenset({"retry", "fallback"})
"""What may be in an ``<on-error>``."""

MANY = frozenset(side.tag for one in ELEMENTS.values() for side in one.sides if side.many)
"""Elements with bodies that may occur more than once beside each other."""

ENDED = frozenset(side.tag for one in ELEMENTS.values() for side in one.sides if side.endings)
"""Elements with bodies that may have a ``<finally>``, beside the nodes that say so."""

STRUCTURE = {
    **{
        side.tag: element.place
        for element in ELEMENTS.values()
        for side in element.sides
        if side.tag not in ELEMENTS
    },
    **{
        element.parts.tag: element.place
        for element in ELEMENTS.values()
        if element.parts is not None and element.parts.tag not in ELEMENTS
    },
    "finally": "a workflow, a phase, a branch of <parallel> or a timeout",
    "on-workflow-error": "the workflow",
    "on-error": "a node",
    "compensate": "a node",
    "retry": "an <on-error>",
    "fallback": "an <on-error>",
    "param": "the workflow, before its nodes",
    "secret": "the workflow, before its nodes",
    "limit": "the workflow, before its nodes",
    "workflow": "no other element: it is the document's root",
}
"""Elements that are not nodes, and where each belongs."""
