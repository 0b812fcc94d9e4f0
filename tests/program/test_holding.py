"""Documents whose nodes could wait for each other without end are refused when they are read, and no others."""

from __future__ import annotations

from pathlib import Path

import pytest

import flowscript_trio as fs

LIMITS = "".join(f'<limit name="{name}" max="2"/>' for name in "abc")


def leaf(id: str, limit: str = "", inside: str = "") -> str:
    named = f' limit="{limit}"' if limit else ""
    return f'<source:file id="{id}" path="x"{named}>{inside}</source:file>'


def each(id: str, limit: str, *inside: str, more: str = "") -> str:
    named = f' limit="{limit}"' if limit else ""
    return f'<foreach id="{id}" collection="{{{{[1]}}}}"{named}{more}>{"".join(inside)}</foreach>'


def call(id: str, name: str, limit: str = "", tag: str = "call") -> str:
    named = f' limit="{limit}"' if limit else ""
    return f'<{tag} id="{id}" workflow="{name}.xml"{named}/>'


def retried(handler: str) -> str:
    return f'<on-error><fallback node="{handler}"/></on-error>'


Documents = dict[str, str]
"""Further documents by their names; the first one is ``main``."""

REFUSED: dict[str, tuple[str, Documents, list[str]]] = {
    "held and needed by a leaf inside": (each("f", "a", leaf("s", "a")), {}, ["f", "s"]),
    "held and held again inside": (each("f", "a", each("g", "a", leaf("s"))), {}, ["f", "g"]),
    "needed far below": (
        each("f", "a", each("g", "", each("h", "", leaf("s", "a")))),
        {},
        ["f", "s"],
    ),
    "two in opposite order": (
        each("f", "a", leaf("s", "b")) + each("g", "b", leaf("t", "a")),
        {},
        ["f", "s", "g", "t"],
    ),
    "three in a circle": (
        each("f", "a", leaf("s", "b"))
        + each("g", "b", leaf("t", "c"))
        + each("h", "c", leaf("u", "a")),
        {},
        ["f", "s", "g", "t", "h", "u"],
    ),
    "one of several that are needed": (each("f", "a", leaf("s", "b a")), {}, ["f", "s"]),
    "one of several that are held": (each("f", "a b", leaf("s", "b c")), {}, ["f", "s"]),
    "in a called document": (
        call("c", "part", "a"),
        {"part": leaf("x", "a")},
        ["c", "x"],
    ),
    "in an included document": (
        each("f", "a", call("i", "part", tag="include")),
        {"part": leaf("x", "a")},
        ["f", "i", "x"],
    ),
    "two calls deep": (
        each("f", "a", call("c", "part")),
        {"part": call("d", "deep"), "deep": leaf("x", "a")},
        ["f", "c", "d", "x"],
    ),
    "a circle over two documents": (
        each("f", "a", leaf("s", "b")) + call("c", "part"),
        {"part": each("g", "b", leaf("t", "a"))},
        ["f", "s", "g", "t"],
    ),
    "a called document that holds around another": (
        call("c", "part") + each("g", "b", leaf("t", "a")),
        {"part": call("d", "deep", "a"), "deep": leaf("x", "b")},
        ["d", "x", "g", "t"],
    ),
    "in a branch": (
        '<parallel id="p" limit="a"><branch>' + leaf("s", "a") + "</branch></parallel>",
        {},
        ["p", "s"],
    ),
    "in the side of an if": (
        '<if id="i" condition="true" limit="a"><then>' + leaf("s", "a") + "</then></if>",
        {},
        ["i", "s"],
    ),
    "in clean-up inside": (
        '<timeout id="t" duration="1s" limit="a">'
        + leaf("s")
        + "<finally>"
        + leaf("x", "a")
        + "</finally></timeout>",
        {},
        ["t", "x"],
    ),
    "in a handler of a node inside": (
        each("f", "a", leaf("s", "", retried("h")), leaf("h", "a")),
        {},
        ["f", "h"],
    ),
    "in the handler of its own time limit": (
        each("f", "a", leaf("s"), more=' timeout="1s" on-timeout="h"') + leaf("h", "a"),
        {},
        ["f", "h"],
    ),
    "in a compensation inside": (
        each("f", "a", leaf("s", "", "<compensate>" + leaf("x", "a") + "</compensate>")),
        {},
        ["f", "x"],
    ),
    "in a loop": (
        '<loop id="l" max="2" limit="a"><while id="w" condition="true">'
        + leaf("s", "a")
        + "</while></loop>",
        {},
        ["l", "s"],
    ),
    "a phase that holds what its graph needs": (
        '<phase name="one" limit="a"><parallel id="p"><branch>'
        + leaf("s", "c a")
        + "</branch></parallel></phase>",
        {},
        ["one", "s"],
    ),
    "in a called document's own clean-up": (
        call("c", "part", "b"),
        {"part": leaf("x") + "<finally>" + leaf("y", "b") + "</finally>"},
        ["c", "y"],
    ),
    "in the handler of a handler inside": (
        each("f", "a", leaf("s", "", retried("h")), leaf("h", "", retried("g")), leaf("g", "a")),
        {},
        ["f", "g"],
    ),
    "in a document that the handler of a time limit inside calls": (
        each(
            "f",
            "a",
            each("g", "", leaf("s"), more=' timeout="1s" on-timeout="h"'),
            call("h", "part"),
        ),
        {"part": leaf("x", "a")},
        ["f", "h", "x"],
    ),
    "in a compensation of a called document": (
        each("f", "a", call("c", "part")),
        {"part": leaf("x", "", "<compensate>" + leaf("y", "a") + "</compensate>")},
        ["f", "c", "y"],
    ),
    "in a document that clean-up inside calls": (
        '<timeout id="t" duration="1s" limit="a">'
        + leaf("s")
        + "<finally>"
        + call("c", "part")
        + "</finally></timeout>",
        {"part": leaf("x", "a")},
        ["t", "c", "x"],
    ),
    "one order in a compensation, the other in clean-up": (
        each("f", "a", leaf("s", "", "<compensate>" + leaf("x", "b") + "</compensate>"))
        + '<timeout id="t" duration="1s" limit="b">'
        + leaf("u")
        + "<finally>"
        + leaf("v", "a")
        + "</finally></timeout>",
        {},
        ["f", "x", "t", "v"],
    ),
    "names that nobody declares": (each("f", "own", leaf("s", "own")), {}, ["f", "s"]),
}

ACCEPTED: dict[str, tuple[str, Documents]] = {
    "held and another needed inside": (each("f", "a", leaf("s", "b")), {}),
    "held by one block after another": (each("f", "a", leaf("s")) + each("g", "a", leaf("t")), {}),
    "needed beside, not inside": (each("f", "a", leaf("s")) + leaf("t", "a"), {}),
    "two in one order": (each("f", "a", leaf("s", "b")) + each("g", "a", each("h", "b")), {}),
    "three in one order": (
        each("f", "a", leaf("s", "b"))
        + each("g", "b", leaf("t", "c"))
        + each("h", "a", leaf("u", "c")),
        {},
    ),
    "several that are needed and none of them held": (each("f", "a", leaf("s", "b c")), {}),
    "leaves that take several in any order": (leaf("s", "a b") + leaf("t", "b a"), {}),
    "in a called document that needs another": (call("c", "part", "a"), {"part": leaf("x", "b")}),
    "in an included document that is beside": (
        each("f", "a", leaf("s")) + call("i", "part", tag="include"),
        {"part": leaf("x", "a")},
    ),
    "two calls deep and nothing held": (
        each("f", "", call("c", "part")),
        {"part": call("d", "deep"), "deep": leaf("x", "a")},
    ),
    "one order over two documents": (
        each("f", "a", leaf("s", "b")) + call("c", "part"),
        {"part": each("g", "a", leaf("t", "b"))},
    ),
    "a called document that holds nothing around another": (
        call("c", "part") + each("g", "b", leaf("t", "a")),
        {"part": leaf("y", "a") + call("d", "deep"), "deep": leaf("x", "b")},
    ),
    "in a branch another": (
        '<parallel id="p" limit="a"><branch>' + leaf("s", "b") + "</branch></parallel>",
        {},
    ),
    "in both sides of an if": (
        '<if id="i" condition="true" limit="a"><then>'
        + leaf("s", "b")
        + "</then><else>"
        + leaf("t", "c")
        + "</else></if>",
        {},
    ),
    "in the clean-up of the workflow": (
        each("f", "a", leaf("s")) + "<finally>" + leaf("x", "a") + "</finally>",
        {},
    ),
    "in its own handler, once it has given it back": (
        each("f", "a", leaf("s"), retried("h")) + leaf("h", "a"),
        {},
    ),
    "in its own compensation, once it has given it back": (
        each("f", "a", leaf("s"), "<compensate>" + leaf("x", "a") + "</compensate>"),
        {},
    ),
    "in the compensation of a call, once it has given it back": (
        '<call id="c" workflow="part.xml" limit="a"><compensate>'
        + leaf("y", "a")
        + "</compensate></call>",
        {"part": leaf("x", "b")},
    ),
    "a document that is called while one or the other is held and needs neither": (
        call("c", "part", "a") + call("d", "part", "b"),
        {"part": leaf("x", "c")},
    ),
    "in the handler of a time limit beside": (
        each("f", "", leaf("s"), more=' timeout="1s" on-timeout="h"')
        + leaf("h", "a")
        + each("g", "a", leaf("t", "b")),
        {},
    ),
    "a leaf with a handler that takes the same": (
        leaf("s", "a", retried("h")) + leaf("h", "a"),
        {},
    ),
    "a rate needed inside, for it is not held": (
        '<limit name="r" rate="1/s"/>' + each("f", "a", leaf("s", "r"), leaf("t", "r b")),
        {},
    ),
    "a breaker held and needed, for it holds up nobody": (
        '<limit name="r" breaker="5 in 1m, 30s"/>' + each("f", "r", leaf("s", "r")),
        {},
    ),
    "names that nobody declares in one order": (
        each("f", "own", leaf("s", "other")) + each("g", "own", leaf("t", "other")),
        {},
    ),
    "no limits at all": (each("f", "", leaf("s")), {}),
}


def load(folder: Path, body: str, others: Documents) -> fs.Flow:
    for name, nodes in others.items():
        text = f'<workflow name="{name}">{LIMITS}{nodes}</workflow>'
        (folder / f"{name}.xml").write_text(text, encoding="utf-8")
    own = f'<workflow name="main">{LIMITS}{body}</workflow>'
    (folder / "main.xml").write_text(own, encoding="utf-8")
    return fs.load(folder / "main.xml")


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_with_the_chain_of_places(name: str, tmp_path: Path) -> None:
    body, others, places = REFUSED[name]
    with pytest.raises(fs.WorkflowInvalid) as caught:
        load(tmp_path, body, others)
    [problem] = [one for one in caught.value.problems if one.severity == "error"]
    assert problem.code == "limit-cycle"
    said = problem.message
    rest = said
    for place in places:
        between, found, rest = rest.partition(f"{place!r} (")
        assert found, f"{place} is missing, or not in order: {said}"
        assert between.count("> '") == 0, f"more places than {places}: {said}"


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_cannot_lock_up_is_accepted(name: str, tmp_path: Path) -> None:
    body, others = ACCEPTED[name]
    flow = load(tmp_path, body, others)
    assert [one for one in flow.warnings if one.code.startswith("limit")] == []


def test_there_are_twenty_of_each_at_least() -> None:
    assert len(REFUSED) >= 20
    assert len(ACCEPTED) >= 20


def test_more_limits_than_can_be_compared_are_refused(tmp_path: Path) -> None:
    def with_limits(count: int) -> fs.Flow:
        inner = "".join(leaf(f"s{at}", f"l{at}") for at in range(150))
        outer = "".join(leaf(f"t{at}", f"l{at}") for at in range(150, count))
        return load(tmp_path, call("c", "part", "a") + outer, {"part": inner})

    with_limits(199)  # and a
    with pytest.raises(fs.WorkflowInvalid) as caught:
        with_limits(200)
    [problem] = caught.value.problems
    assert problem.code == "too-many-limits"
    assert problem.message == "the workflow names 201 limits, and more than 200 cannot be compared"


def test_a_document_that_declares_a_limit_otherwise_is_warned_of_once(tmp_path: Path) -> None:
    part = f'<workflow name="p"><limit name="x" max="2"/>{leaf("s", "x")}</workflow>'
    (tmp_path / "part.xml").write_text(part, encoding="utf-8")
    body = '<limit name="x" max="1"/>' + "".join(call(f"c{at}", "part") for at in range(3))
    flow = fs.loads(f'<workflow name="w">{body}</workflow>', base=tmp_path)
    assert [one.code for one in flow.warnings] == ["limit-differs"]


def test_a_circle_inside_of_a_document_is_reported_there_and_once(tmp_path: Path) -> None:
    body = call("c", "part") + call("d", "part")
    with pytest.raises(fs.WorkflowInvalid) as caught:
        load(tmp_path, body, {"part": each("f", "a", leaf("s", "a"))})
    [problem] = caught.value.problems
    assert problem.location.file.endswith("part.xml")


def test_a_rate_cannot_be_held_by_a_block_in_any_document(tmp_path: Path) -> None:
    (tmp_path / "part.xml").write_text(
        f'<workflow name="p">{each("f", "r", leaf("s"))}</workflow>', encoding="utf-8"
    )
    text = f'<workflow name="w"><limit name="r" rate="1/s"/>{call("c", "part")}</workflow>'
    with pytest.raises(fs.WorkflowInvalid) as caught:
        fs.loads(text, base=tmp_path)
    [problem] = caught.value.problems
    assert (problem.code, problem.location.column) == ("rate-on-block", text.index("<call") + 1)
    assert "<foreach> 'f'" in problem.message


def test_a_name_alone_declares_what_the_application_or_a_document_around_gives(
    tmp_path: Path,
) -> None:
    body = '<limit name="own"/>' + leaf("s", "own")
    flow = fs.loads(f'<workflow name="w">{body}</workflow>')
    assert flow.program.limits is not None
    assert flow.program.limits.declared == {}


def test_documents_that_declare_one_name_otherwise_are_warned_of(tmp_path: Path) -> None:
    for name, most in (("one", 1), ("two", 2)):
        text = f'<workflow name="{name}"><limit name="x" max="{most}"/>{leaf("s", "x")}</workflow>'
        (tmp_path / f"{name}.xml").write_text(text, encoding="utf-8")
    flow = fs.loads(
        f'<workflow name="w">{call("c", "one")}{call("d", "two")}</workflow>', base=tmp_path
    )
    [warning] = flow.warnings
    assert warning.code == "limit-differs"
    assert "two.xml:1:22; in this workflow the declaration at" in warning.message
    assert warning.message.endswith("one.xml:1:22 counts")
