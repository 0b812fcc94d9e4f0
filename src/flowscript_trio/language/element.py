"""Owns what is said about an element: the form of a declaration."""

from __future__ import annotations

from typing import Literal

from ..types.ast import BaseNode, Form, LeafNode
from ..types.deferred import dataclass

Leaves = Literal["loop", "document"]
"""What a node can end that is around it: a loop, or the document that it is in."""

Scope = Literal["shared", "rounds", "apart"]
"""What a node's bodies share: the scope around them; one of their own that all rounds share; or nothing, each
branch or iteration has its own, which ends with it."""


@dataclass(frozen=True, slots=True)
class Side:
    """A child element that holds a body: the ``<then>`` of an ``<if>``.

    ``field`` is where the node keeps it; with ``many`` it may be given again, and the field is a tuple.
    ``needed`` shows how to write one that must be there. ``endings``: a ``<finally>`` may be in it.
    """

    tag: str
    field: str
    many: bool = False
    needed: str | None = None
    endings: bool = False


@dataclass(frozen=True, slots=True)
class Parts:
    """The child elements that are neither nodes nor bodies: the ``<set>`` of a ``<context>``.

    ``field`` is where the node keeps them. ``is_text``: their text is their value. ``assigns`` is the setting
    that names a variable. ``takes_attributes``: every attribute that is not a setting of the node is one of them.
    """

    tag: str
    field: str
    is_text: bool = True
    assigns: str | None = None
    takes_attributes: bool = False


@dataclass(frozen=True, slots=True)
class Element:
    """A node of the language.

    ``node`` is its form in the syntax tree. ``runtime`` names what runs it, None where the document says so by
    its type, which is the ``usual`` one where it is left out; ``home`` is the module that registers it.
    ``settings`` are those that it has of its own, where the reader has to know.

    What is in it: nodes, in a body of this ``form``; ``sides`` that hold a body each; or ``parts``. With
    ``endings`` a ``<finally>`` may be in it, too.

    ``scope`` is what its bodies share, ``binds`` the names that have a value in them, ``names`` the settings
    that name further ones, each with its default. ``assigns`` is the setting that names a variable.

    ``has_place``: it says where it runs, or where its iterations do.

    ``leaves`` is what it can end. ``is_loop``: a ``<break>`` leaves it. ``is_barrier``: in a graph body it
    waits for all that are before it, and all after it wait for it. ``asks``: it waits for an answer, and its
    timeout is for that. ``passes_on``: a body's output is not its own where another node may give one.
    ``is_setting``: a setting of blocks has its name. ``is_named``: it has a name, which stands for its id.
    ``where`` says of what is in it where that belongs.
    """

    tag: str
    node: type[BaseNode] = LeafNode
    runtime: str | None = ""
    usual: str | None = None
    home: str = "control"
    settings: tuple[str, ...] = ()
    form: Form | None = None
    sides: tuple[Side, ...] = ()
    parts: Parts | None = None
    endings: bool = False
    scope: Scope = "shared"
    binds: frozenset[str] = frozenset()
    names: tuple[tuple[str, str], ...] = ()
    assigns: str | None = None
    needs_id: bool = True
    has_place: bool = False
    leaves: Leaves | None = None
    is_loop: bool = False
    is_barrier: bool = False
    asks: bool = False
    passes_on: bool = False
    is_setting: bool = False
    is_named: bool = False
    where: str = ""

    @property
    def is_control(self) -> bool:
        """Whether the language itself says what it does: it may have the prefix ``control``."""
        return self.runtime == ""

    @property
    def type(self) -> str | None:
        """The name of its runtime; None where the document says it."""
        return f"control:{self.tag}" if self.is_control else self.runtime

    @property
    def has_bodies(self) -> bool:
        return self.form is not None or bool(self.sides)

    @property
    def place(self) -> str:
        """Where what is in it belongs."""
        return self.where or f"{'an' if self.tag[0] in 'aeiou' else 'a'} <{self.tag}>"
