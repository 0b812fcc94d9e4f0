from __future__ import annotations

import pytest

from flowscript_trio.types import paths
from flowscript_trio.types.paths import Part, parse


@pytest.mark.parametrize(
    ("path", "branch"),
    [
        ("api1", None),
        ("fetch-all/1/api2", "fetch-all/1"),
        ("each[3]/step", "each[3]"),
        ("p/0/each[1]/choose/x", "p/0/each[1]"),
        ("choose/x", None),
        ("p/0/again[2]/q/11/x", "p/0/again[2]/q/11"),
        ("trip~2/0/book", "trip~2/0"),
        ("each~3[1]/pay/@fallback/cached", "each~3[1]"),
    ],
)
def test_the_branch_of_a_node_is_the_innermost_branch_iteration_or_round(
    path: str, branch: str | None
) -> None:
    assert paths.branch_of(path) == branch


def test_a_path_that_was_built_is_taken_apart_into_its_parts_with_their_kinds() -> None:
    inner = paths.attempt_path(paths.branch_path("trip", 3), 1)
    loop = paths.attempt_path(paths.prefix_in(inner) + "again", 2)
    node = paths.prefix_in(paths.iteration_path(loop, 10)) + "set@7:20"
    handler = paths.prefix_in(paths.part_path(node, paths.FALLBACK)) + "finally"
    path = paths.cleanup_path(paths.prefix_in(handler), paths.FINALLY)
    assert path == "trip/3/again~2[10]/set@7:20/@fallback/finally/@finally"
    assert parse(path) == (
        Part("node", "trip"),
        Part("branch", "3"),
        Part("node", "again", 2),
        Part("round", "10"),
        Part("node", "set@7:20"),
        Part("handler", "@fallback"),
        Part("node", "finally"),
        Part("clean-up", "@finally"),
    )
    assert parse("") == ()


@pytest.mark.parametrize("word", ["finally", "compensate", "on-workflow-error", "on-timeout"])
def test_a_node_with_the_name_of_a_clean_up_is_a_node(word: str) -> None:
    assert not paths.is_cleanup(f"p/0/{word}/1/a")
    assert paths.is_cleanup(f"p/0/@finally/{word}")
    assert not paths.is_cleanup(f"@finally/{word}/a", below="@finally")
    assert parse(word) == (Part("node", word),)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("load", "load"),
        ("Load data", "Load data"),
        ("a/b", "a%2Fb"),
        ("@finally", "%40finally"),
        ("each[3]~2", "each%5B3%5D%7E2"),
        ("100%", "100%25"),
        ("12", "%312"),
    ],
)
def test_no_name_reads_as_anything_but_a_node(name: str, label: str) -> None:
    assert paths.label_of_name(name) == label
    assert parse(f"{label}/x") == (Part("node", label), Part("node", "x"))


def test_what_is_below_a_path_leads_through_its_bodies_its_rounds_or_its_attempts() -> None:
    for below in ("a/x", "a[3]/x", "a~2/0/x", "a~2[1]", "a/@compensate/x"):
        assert paths.is_below(below, "a")
    for beside in ("a", "ab", "a-b/x", "b/a/x"):
        assert not paths.is_below(beside, "a")
    assert paths.is_below("anything", "")


@pytest.mark.parametrize(
    ("path", "above"),
    [
        ("trip~2/0/book", ["trip~2/0", "trip", ""]),
        ("each~2[4]/s", ["each~2[4]", "each", ""]),
        ("a", [""]),
    ],
)
def test_what_a_path_stands_in_is_found_whatever_the_attempt(path: str, above: list[str]) -> None:
    assert list(paths.above(path)) == above


def test_handlers_belong_to_the_node_that_names_them_in_every_attempt() -> None:
    assert paths.is_in_handler("slow/@on-timeout/h", "slow")
    assert paths.is_in_handler("slow~2/@on-timeout/h/x", "slow")
    assert paths.is_in_handler("slow/@fallback/h", "slow")
    assert not paths.is_in_handler("slow/pay/@fallback/h", "slow")
    assert not paths.is_in_handler("@fallback/h", "")


def test_paths_are_sorted_as_a_person_counts() -> None:
    given = ["p/10/a", "p/9/a", "p/9"]
    assert sorted(given, key=paths.order_of) == ["p/9", "p/9/a", "p/10/a"]


@pytest.mark.parametrize("name", ["step #1", "a#b", "#"])
def test_what_stands_for_a_time_limit_is_told_from_a_name_with_that_sign(name: str) -> None:
    path = f"{paths.label_of_name(name)}/x"
    assert paths.bounded_by(path) == path
    assert paths.bounded_by(paths.bound_path(path, "timeout")) == path


def test_the_node_that_a_compensation_undoes() -> None:
    assert paths.undone_in("p/0/book/@compensate/refund") == "p/0/book"
    assert paths.undone_in("p/0/book/@compensate") == "p/0/book"
    assert paths.undone_in("p/0/book") is None
