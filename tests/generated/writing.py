"""Owns the documents of generated workflows: a tree becomes FlowScript."""

from __future__ import annotations

from collections.abc import Iterator

from .shapes import (
    Body,
    Fail,
    Foreach,
    If,
    Leaf,
    Loop,
    Node,
    Parallel,
    Policy,
    Retry,
    Return,
    Timeout,
    While,
    Workflow,
)

_LONG = "1000000000000s"


def write(workflow: Workflow) -> str:
    """The document of a workflow. Handlers stand at its end, where they do not run by themselves."""
    lines: list[str] = []
    for node, after in zip(workflow.nodes, workflow.after, strict=True):
        waits = " ".join(workflow.nodes[index].id for index in after)
        lines += _node(node, f' after="{waits}"' if waits else "")
    for handler in _handlers(workflow.nodes):
        lines += _node(handler)
    inner = "\n".join(f"  {line}" for line in lines)
    return f'<workflow name="generated">\n{inner}\n</workflow>'


def _node(node: Node, more: str = "") -> Iterator[str]:
    match node:
        case Leaf():
            yield from _leaf(node, more)
        case Fail():
            yield f'<fail id="{node.id}" message="{node.id}"{more}>'
            yield from (f"  {line}" for line in _on_error(node))
            yield "</fail>"
        case Return():
            taken = str(node.taken).lower()
            yield f'<return id="{node.id}" value="{node.value}" if="{taken}"{more}/>'
        case Parallel():
            limits = f'maxConcurrency="{node.limit}"{_policy(node.policy, node.keeps)}'
            if node.refused is not None:
                limits += f" accept=\"result != '{node.refused}'\""
            if node.stagger is not None:
                limits += f' stagger="{node.stagger}s"'
            yield f'<parallel id="{node.id}" {limits}{more}>'
            for branch in node.branches:
                yield from _indented("branch", branch)
            yield from (f"  {line}" for line in _on_error(node))
            yield "</parallel>"
        case Foreach():
            items = list(range(node.count))
            limits = f'maxConcurrency="{node.limit}"{_policy(node.policy, node.keeps)}'
            yield f'<foreach id="{node.id}" collection="{items}" {limits}{more}>'
            yield from _body(node.body)
            yield "</foreach>"
        case If():
            yield f'<if id="{node.id}" condition="{str(node.taken).lower()}"{more}>'
            yield from _indented("then", node.then)
            if node.other is not None:
                yield from _indented("else", node.other)
            yield "</if>"
        case Loop():
            yield f'<loop id="{node.id}" max="{node.rounds}"{more}>'
            yield from _body(node.body)
            if node.broken is not None:
                when = f"$iteration == {node.broken}"
                yield f'  <break id="{node.id}-break" when="{when}"/>'
            yield "</loop>"
        case While():
            yield f'<while id="{node.id}" condition="$iteration &lt; {node.rounds}"{more}>'
            yield from _body(node.body)
            yield "</while>"
        case Timeout():
            yield f'<timeout id="{node.id}" duration="{node.seconds}s"{more}>'
            yield from _body(node.body)
            yield "</timeout>"


def _leaf(leaf: Leaf, more: str) -> Iterator[str]:
    settings = {"takes": leaf.takes, "end": leaf.end, "cancelled": leaf.cancelled}
    settings |= {"fails": leaf.fails} if leaf.fails else {}
    settings |= {"shield": leaf.shield} if leaf.shield else {}
    written = "".join(f' {name}="{value}"' for name, value in settings.items())
    if leaf.timeout is not None:
        written += f' timeout="{leaf.timeout}s"'
    opening = f'<source:generated id="{leaf.id}"{written}{more}'
    if leaf.retry is None and leaf.fallback is None and leaf.undo is None:
        yield f"{opening}/>"
        return
    yield f"{opening}>"
    yield from (f"  {line}" for line in _on_error(leaf))
    if leaf.undo is not None:
        yield f'  <compensate timeout="{_LONG}">'
        yield from (f"    {line}" for line in _node(leaf.undo))
        yield "  </compensate>"
    yield "</source:generated>"


def _on_error(node: Leaf | Fail | Parallel) -> Iterator[str]:
    if node.retry is None and node.fallback is None:
        return
    yield "<on-error>"
    retry: Retry | None = node.retry
    while retry is not None:
        when = "true" if retry.upto is None else f"$attempt &lt;= {retry.upto}"
        when = "1 / 0 &gt; 0" if retry.broken else when
        wait = f'backoff="fixed" base="{retry.wait}s" cap="{retry.wait}s"'
        yield f'  <retry max="{retry.max}" when="{when}" {wait}/>'
        retry = retry.then
    if node.fallback is not None:
        yield f'  <fallback node="{node.fallback.id}"/>'
    yield "</on-error>"


def _policy(policy: Policy, keeps: int | None) -> str:
    written = "" if keeps is None else f' timeout="{keeps}s" on-timeout="keep"'
    if policy.need is not None:
        written += ' wait="any"' if policy.need == 1 else f' wait="n({policy.need})"'
    if not policy.fail_fast:
        written += ' fail-fast="false"'
    if policy.tolerate:
        written += f' tolerate="{policy.tolerate}"'
    return written


def _indented(tag: str, body: Body) -> Iterator[str]:
    yield f"  <{tag}>"
    yield from (f"  {line}" for line in _body(body))
    yield f"  </{tag}>"


def _body(body: Body) -> Iterator[str]:
    for node in body.nodes:
        yield from (f"  {line}" for line in _node(node))
    if body.cleanup is not None:
        yield f'  <finally timeout="{"{{ 1 / 0 }}s" if body.broken else _LONG}">'
        yield from (f"    {line}" for line in _node(body.cleanup))
        yield "  </finally>"


def nodes_in(nodes: tuple[Node, ...]) -> Iterator[Node]:
    """All nodes of a tree, clean-up and handlers included."""
    for node in nodes:
        yield node
        for body in bodies_of(node):
            yield from nodes_in(body.nodes)
            if body.cleanup is not None:
                yield body.cleanup
        if isinstance(node, Leaf | Fail | Parallel) and node.fallback is not None:
            yield node.fallback
        if isinstance(node, Leaf) and node.undo is not None:
            yield node.undo


def bodies_of(node: Node) -> tuple[Body, ...]:
    """The bodies right inside a node."""
    match node:
        case Parallel():
            return node.branches
        case Foreach() | Loop() | While() | Timeout():
            return (node.body,)
        case If():
            return (node.then,) if node.other is None else (node.then, node.other)
    return ()


def _handlers(nodes: tuple[Node, ...]) -> Iterator[Leaf]:
    for node in nodes_in(nodes):
        if isinstance(node, Leaf | Fail | Parallel) and node.fallback is not None:
            yield node.fallback
