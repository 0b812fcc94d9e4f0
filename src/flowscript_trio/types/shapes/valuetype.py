"""Owns what programs learn of a value's shape: its words, its JSON Schema, and whether a value is one."""

from __future__ import annotations

from typing import Any

from ..deferred import dataclass
from .shape import Shape
from .words import describe_shape, schema_of_shape


@dataclass(frozen=True, slots=True)
class ValueType:
    """What is known about a value when a document is read.

    ``str()`` gives it in the short form of ``output-schema``: ``{score: number, tags: string[], note: string?}``,
    where ``any`` is what nothing is known about, ``?`` follows what may be null, and ``…`` is the last member
    of an object that may have others. What is absent reads as null: a member that may be missing has a ``?``, too.

    Nothing of it waits, so cancellation does nothing to it.
    """

    shape: Shape

    def __str__(self) -> str:
        return describe_shape(self.shape)

    @property
    def is_known(self) -> bool:
        """Whether anything is known."""
        return self.shape.is_known

    @property
    def schema(self) -> dict[str, Any]:
        """The same as JSON Schema, as a new dict."""
        return schema_of_shape(self.shape)

    def holds(self, value: Any) -> bool:
        """Whether a value (None, a boolean, number, text, list or mapping) is of this type."""
        return self.shape.holds(value)
