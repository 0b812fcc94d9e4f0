"""Owns the shapes of variables: what is declared, and what any node sets them to."""

from __future__ import annotations

from functools import cached_property

from ...expression.shaping.inference import DEEPEST
from ...language.elements import element_of, parts_of
from ...types.ast import Parameter
from ...types.shapes import (
    BOOLEAN,
    NULL,
    NUMBER,
    TEXT,
    UNKNOWN,
    Shape,
    list_of,
    object_of,
    shape_of_value,
    union,
)
from ..known import known_settings
from ..positions import variables_of, word_of
from .asking import Shapes

MOST_VARIABLES = 100
"""This many variables are members of ``$context``; of more nothing is said."""

_DECLARED = {
    "string": TEXT,
    "number": NUMBER,
    "boolean": BOOLEAN,
    "array": list_of(UNKNOWN),
    "object": object_of({}, is_open=True),
}


class Variables:
    """The variables of a document; where and when each is set plays no part."""

    def __init__(self, shapes: Shapes) -> None:
        self._shapes = shapes
        self._made: dict[str, Shape] = {}

    def clear(self) -> None:
        """Forget what was found."""
        self._made.clear()

    def shape_of(self, name: str, depth: int) -> Shape:
        """What a variable may be wherever it is read; null where nothing has set it yet."""
        found = self._made.get(name)
        if found is None:
            self._made[name] = UNKNOWN  # to what it is set from itself
            found = self._made[name] = self._find(name, depth)
        return found

    def _find(self, name: str, depth: int) -> Shape:
        scene = self._shapes.scene
        declared = self.parameters.get(name)
        if declared is None:
            declared = UNKNOWN if name in scene.index.given else NULL
        shapes = [declared]
        for key in self._setters.get(name, ()):
            checked = scene.nodes[key]
            if not self._shapes.is_built_in(key) or depth > DEEPEST:
                return UNKNOWN
            if not checked.parts:
                shapes.append(self._shapes.value(checked.settings, checked, depth + 1))
            for part in checked.parts:
                if known_settings(part).get("key") == name:
                    shapes.append(self._shapes.value(part, checked, depth + 1))
        return union(*shapes)

    def context(self, depth: int) -> Shape:
        """All variables, as ``$context`` has them: those that something sets, or the document is run with."""
        names = {**self._setters, **self.parameters}
        if len(names) > MOST_VARIABLES:
            return UNKNOWN
        shapes = {name: self.shape_of(name, depth) for name in names}
        for name in self._shapes.scene.index.given:
            shapes.setdefault(name, UNKNOWN)
        return object_of(shapes, is_open=True, origin="$context")

    @cached_property
    def parameters(self) -> dict[str, Shape]:
        """What is declared, by its name."""
        document = self._shapes.scene.index.document
        return {each.name: declared_shape(each) for each in document.parameters}

    @cached_property
    def config(self) -> Shape:
        """``$config``: what is declared, here or by who includes this; the application may give more."""
        declared = dict(self.parameters)
        for name in sorted(self._shapes.scene.declared.config):
            declared.setdefault(name, UNKNOWN)
        return object_of(declared, is_open=True, origin="$config" if declared else "")

    @cached_property
    def secrets(self) -> Shape:
        """``$secrets``: texts, declared here or by who includes this."""
        declared = dict.fromkeys(self._shapes.scene.declared.secrets, TEXT)
        return object_of(declared, is_open=True, origin="$secrets")

    @cached_property
    def _setters(self) -> dict[str, list[int]]:
        """The keys of the nodes that set each variable."""
        found: dict[str, list[int]] = {}
        for key, position in self._shapes.scene.index.positions.items():
            node = position.node
            if node is not None and (element_of(node).assigns or parts_of(node)):
                for setting in variables_of(node):
                    found.setdefault(word_of(setting), []).append(key)
        return found


def declared_shape(parameter: Parameter) -> Shape:
    """What a declared parameter is wherever it is read."""
    if parameter.type == "enum":
        shape = union(*map(shape_of_value, parameter.choices))
    else:
        shape = _DECLARED.get(parameter.type or "", UNKNOWN)
    return shape if parameter.required else shape.or_null
