"""Owns the paths of executions: the only place where one is built or taken apart.

A path is an identity: no two executions of a run share one. It is a prefix and a label:

============================ =============================================================
``fetch-all/1/api``          the node ``api`` in branch 1 of the block ``fetch-all``
``each[3]/step``             the node ``step`` in iteration (or round) 3 of ``each``
``trip~2/0/book``            the same of a block that is tried again, in its second attempt
``lib/step``                 the node ``step`` of the document that ``lib`` includes or calls
``pay/@fallback/cached``     the fallback ``cached`` of the node ``pay``
``slow/@on-timeout/cached``  the handler of the time limit of ``slow``
``@finally/close``           a node of clean-up; of a body's, after the body's own prefix
``pay/@compensate/refund``   a node of the compensation of ``pay``
============================ =============================================================

A label contains none of the signs ``/ [ ] ~ @ #`` but the ``@`` of a label by place (``set@7``), which is never
its first character, and it is never a number. So a part that begins with ``@`` is always one of the language's
own, and a node may be called ``finally``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Literal

from .deferred import dataclass

FALLBACK = "@fallback"
FINALLY = "@finally"
COMPENSATE = "@compensate"
ON_WORKFLOW_ERROR = "@on-workflow-error"
ON_TIMEOUT = "@on-timeout"
ACCEPT = "@accept"
PLACE = "@place"
END = "@end"
"""What follows the nodes of a document, in the journal of a run."""

_CLEANUPS = frozenset({FINALLY, COMPENSATE, ON_WORKFLOW_ERROR})
_HANDLERS = frozenset({FALLBACK, ON_TIMEOUT})
_SIGNS = re.compile(r"[/\[\]~@#%]")
_ATTEMPT = re.compile(r"~[0-9]+$")
_HANDLER = re.compile(rf"(?:~[0-9]+)?/(?:{FALLBACK}|{ON_TIMEOUT})(?:/|$)")
_NUMBERED = re.compile(r"(?:^|/)[0-9]+$|\]$")


# ---- labels ----


def label_by_place(tag: str, line: int, column: int | None = None) -> str:
    """What a node without an id is called: by its line, and its column where another shares that."""
    return f"{tag}@{line}" if column is None else f"{tag}@{line}:{column}"


def label_of_name(name: str) -> str:
    """What a node with a free name is called: the name, with the signs of paths in it percent-encoded."""
    if name.isdecimal():
        return f"%{ord(name[0]):02X}{name[1:]}"
    return _SIGNS.sub(lambda found: f"%{ord(found[0]):02X}", name)


# ---- building ----


def prefix_in(path: str) -> str:
    """How the paths in a branch, an iteration, or the body of a node begin."""
    return f"{path}/"


def branch_path(path: str, index: int) -> str:
    """The path of a branch of a parallel block."""
    return f"{path}/{index}"


def branch_paths(path: str) -> Callable[[int], str]:
    """Gives the paths of the branches of a parallel block by their indices."""
    return lambda index: f"{path}/{index}"


def iteration_paths(path: str) -> Callable[[int], str]:
    """Gives the paths of the iterations of a ``<foreach>`` by their indices."""
    return lambda index: f"{path}[{index}]"


def iteration_path(path: str, index: int) -> str:
    """The path of an iteration of a ``<foreach>``, or of a round of a loop."""
    return f"{path}[{index}]"


def attempt_path(path: str, attempt: int) -> str:
    """What stands for a block's own path in those of the executions inside: the first attempt is not marked."""
    return path if attempt == 1 else f"{path}~{attempt}"


def cleanup_path(prefix: str, kind: str) -> str:
    """The path of a clean-up: of the body whose paths begin with ``prefix``."""
    return f"{prefix}{kind}"


def part_path(path: str, part: str) -> str:
    """The path of a part of a node: its compensation, its fallback, the handler of its time limit."""
    return f"{path}/{part}"


def bound_path(path: str, which: str) -> str:
    """What stands for a time limit of an execution in a journal: its ``timeout``, ``duration``, ``keep``."""
    return f"{path}#{which}"


# ---- taking apart ----

Kind = Literal["node", "branch", "round", "clean-up", "handler"]


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a path.

    ``name`` is a label, a number (of a branch from 0, of an iteration or round from 0), or a part of the language
    (``@finally``). ``attempt`` is that of a block which the path leads through, from 1.
    """

    kind: Kind
    name: str
    attempt: int = 1


def parse(path: str) -> tuple[Part, ...]:
    """The parts of a path, outermost first; none for the run itself.

    The body of a block and a document that a node runs read alike: that is the node's own affair.
    """
    parts: list[Part] = []
    for text in path.split("/") if path else ():
        name, _, number = text.removesuffix("]").partition("[")
        name, _, attempt = name.partition("~")
        parts.append(Part(_kind_of(name), name, int(attempt or 1)))
        if number:
            parts.append(Part("round", number))
    return tuple(parts)


def _kind_of(name: str) -> Kind:
    if name in _CLEANUPS:
        return "clean-up"
    if name in _HANDLERS:
        return "handler"
    return "branch" if name.isdecimal() else "node"


def owner_of(prefix: str) -> str:
    """What the paths that begin with ``prefix`` belong to; empty for the run itself."""
    return prefix[:-1] if prefix else ""


def bounded_by(key: str) -> str:
    """The execution that a key of a journal is of: the key without the time limit that it may be of."""
    return key.partition("#")[0]


def undone_in(path: str) -> str | None:
    """The node that the outermost compensation undoes which a path leads through; None where there is none."""
    node, found, _ = path.partition(f"/{COMPENSATE}")
    return node if found else None


def prefix_of(path: str) -> str:
    """How the paths of the body begin that a node is in."""
    return path[: path.rfind("/") + 1]


def label_of(path: str) -> str:
    """The last part of a path."""
    return path[path.rfind("/") + 1 :]


def parent_of(path: str) -> str:
    """What a branch, an iteration, or the node of a body belongs to: the path one level up."""
    return _ATTEMPT.sub("", path.rpartition("[" if path.endswith("]") else "/")[0])


def is_numbered(path: str) -> bool:
    """Whether a path is that of a branch, an iteration or a round."""
    return _NUMBERED.search(path) is not None


def is_iteration(path: str) -> bool:
    """Whether a path is that of an iteration or a round."""
    return path.endswith("]")


def branch_of(path: str) -> str | None:
    """The path of the innermost branch, iteration or round that a node is in, or None."""
    path = path.rpartition("/")[0]
    while path and not is_numbered(path):
        path = path.rpartition("/")[0]
    return path or None


def branch_in(path: str, above: str) -> int | None:
    """The branch, iteration or round of ``above`` that a path below it leads through; None where there is none."""
    found = re.match(r"(?:~[0-9]+)?(?:\[([0-9]+)\]|/([0-9]+)(?:/|$))", path[len(above) :])
    return None if found is None else int(found[1] or found[2])


def is_below(path: str, above: str) -> bool:
    """Whether a path leads through ``above``; everything is below the run itself, whose path is empty."""
    return not above or path.startswith((f"{above}/", f"{above}[", f"{above}~"))


def is_within(path: str, region: str) -> bool:
    """Whether a path is that region or leads through it."""
    return path == region or is_below(path, region)


def levels_of(path: str) -> Iterator[str]:
    """The paths above a path, outermost first, with the attempts that they stand for."""
    for at, character in enumerate(path):
        if character == "/" or (character == "[" and at):
            yield path[:at]


def above(path: str) -> Iterator[str]:
    """What a path is in, the innermost first, the run itself last."""
    while path:
        path = parent_of(path)
        yield path


def is_cleanup(path: str, below: str = "") -> bool:
    """Whether a path below ``below`` leads through clean-up, which is shielded from what happens around it."""
    return any(part in _CLEANUPS for part in path[len(below) :].split("/"))


def is_in_handler(path: str, of: str) -> bool:
    """Whether a path leads through the fallback of that node, or through the handler of its time limit."""
    return bool(of) and is_below(path, of) and _HANDLER.match(path, len(of)) is not None


def without_attempt(path: str) -> str:
    """The path of a node, of what stands for it in the paths of one of its attempts."""
    return _ATTEMPT.sub("", path)


def depth_of(path: str) -> int:
    """How many parts lie above the last one."""
    return path.count("/")


def order_of(path: str) -> list[tuple[int, str]]:
    """A key to sort paths by: branch 10 comes after branch 9."""
    parts = re.split(r"([0-9]+)", path)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def job_in(path: str) -> tuple[str, int] | None:
    """The block of a branch, an iteration or a round, with its attempt, and the index; None for other paths."""
    if path.endswith("]"):
        block, _, index = path[:-1].rpartition("[")
        return block, int(index)
    block, _, index = path.rpartition("/")
    return (block, int(index)) if block and index.isdecimal() else None
