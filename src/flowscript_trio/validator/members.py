"""Owns what is behind the ``$`` names: a member that no document declares is a problem, with the nearest name.

``$secrets`` has what the document declares, and what those do that include it. So does ``$config`` if any
of them declares something; else the application may give what it likes. ``$context`` has what a node sets and
what the document is run with, ``$run`` always the same. What ``$env`` has is known when the run begins: what is
wanted of it is only noted here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from ..types.ast import Document
from ..types.deferred import dataclass
from ..types.findings import Findings
from ..types.location import Location
from .texts import Use

RUN = ("id", "started")
"""The members of ``$run``."""

MOST_LISTED = 200_000
"""This many known names are looked through for the messages of one document."""

_ALWAYS = "length"
"""Every object has a length."""


@dataclass(frozen=True, slots=True)
class Inherited:
    """The members that a document has from those that include it, by the names that are declared there.

    ``environment`` says whether ``$env`` has any: it has none in a document that is called.
    """

    config: frozenset[str] = frozenset()
    secrets: frozenset[str] = frozenset()
    environment: bool = True

    def joined(self, other: Inherited) -> Inherited:
        """What either has."""
        return Inherited(self.config | other.config, self.secrets | other.secrets, self.environment)

    def over(self, document: Document) -> Inherited:
        """What a document has that inherits this, and hands on to those that it includes."""
        return Inherited(
            self.config | {parameter.name for parameter in document.parameters},
            self.secrets | {secret.name for secret in document.secrets},
            self.environment,
        )


@dataclass(frozen=True, slots=True)
class Wanted:
    """A member of ``$env`` that an expression names, and where."""

    name: str
    location: Location


class Members:
    """Judges the members of ``$`` names that a document uses; ``wanted`` collects those of ``$env``."""

    def __init__(
        self,
        document: Document,
        inherited: Inherited,
        findings: Findings,
        nearest: Callable[[str, list[str]], str | None],
    ) -> None:
        self.wanted: list[Wanted] = []
        self._listed = 0
        self._name = document.name
        self._has_front = document.source.text.startswith(("---", "\ufeff---"))
        self._known = inherited.over(document)
        self._findings = findings
        self._nearest = nearest

    def judge(self, use: Use) -> None:
        """Judge a use of ``$secrets``, ``$config``, ``$run`` or ``$env``; what has no member in it is right."""
        member = member_of(use)
        if member is None:
            return
        match use.reference.name:
            case "$secrets" if member not in self._known.secrets:
                message = f"{self._name!r} declares no secret {member!r}"
                declaration = self._declare(f'<secret name="{member}"/>', f"secrets: [{member}]")
                self._report(use, member, message, self._known.secrets, declaration)
            case "$config" if self._known.config and member not in self._known.config:
                message = f"{self._name!r} declares no {member!r} among its configuration"
                declaration = self._declare(
                    f'<param name="{member}"/>', f"config: {{{member}: {{…}}}}"
                )
                self._report(use, member, message, self._known.config, declaration)
            case "$run" if member not in RUN:
                self._report(use, member, f"$run has no {member!r}", RUN)
            case "$env" if not use.reference.has_default:
                self._want(use, member)

    def report_unset(self, use: Use, variables: Collection[str]) -> None:
        """Report a member of ``$context`` that is not one of the ``variables`` that can be seen."""
        member = member_of(use)
        assert member is not None
        instead = f'<set var="{member}" value="…"/>'
        self._report(use, member, f"nothing sets the variable {member!r}", variables, instead)

    def _declare(self, element: str, front: str) -> str:
        """How a document of this kind declares something."""
        return f"{front} in the front matter" if self._has_front else element

    def _want(self, use: Use, member: str) -> None:
        if self._known.environment:
            self.wanted.append(Wanted(member, use.text.location(use.reference.offset)))
            return
        offset, length = _place_of(use, member)
        message = f"'$env.{member}' has no value here: a document that is called sees no $env"
        self._findings.in_text(
            use.text,
            offset,
            length,
            "no-value",
            message,
            severity="warning",
            expected="an argument",
        )

    def _report(
        self, use: Use, member: str, message: str, known: Collection[str], instead: str = ""
    ) -> None:
        self._listed += len(known)
        names = sorted(known) if self._listed <= MOST_LISTED else []
        offset, length = _place_of(use, member)
        self._findings.in_text(
            use.text,
            offset,
            length,
            "unknown-member",
            message,
            expected=" or ".join(filter(None, (_list(names), instead))),
            suggestion=self._nearest(member, names),
        )


def member_of(use: Use) -> str | None:
    """The member of a ``$`` name that an expression takes, where it is one that could be missing."""
    path: Sequence[str] = use.reference.path
    return path[0] if path and path[0] != _ALWAYS else None


def _place_of(use: Use, member: str) -> tuple[int, int]:
    """Where a member is in its text, and its length; of one written with escapes, the name before it."""
    name, start = use.reference.name, use.reference.offset
    found = use.text.value.find(member, start + len(name))
    return (found, len(member)) if found >= 0 else (start, len(name))


def _list(names: list[str]) -> str:
    """Names for a message, not more than fit in one."""
    shown = ", ".join(names[:8])
    return (
        f"one of {shown}, …" if len(names) > 8 else f"one of {shown}" if len(names) > 1 else shown
    )
