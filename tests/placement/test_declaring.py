from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio

import flowscript_trio as fs

from travelling import flow

LEAF = '<transform:where id="a" place="{}"/>'


def problems_of(body: str) -> list[fs.Problem]:
    with pytest.raises(fs.WorkflowInvalid) as caught:
        flow(body)
    return [each for each in caught.value.problems if each.severity == "error"]


@pytest.mark.parametrize("name", ["proces", "thred", "gpu"])
async def test_an_unknown_place_is_named_with_the_nearest_one_before_anything_runs(
    name: str,
) -> None:
    ran: list[str] = []
    given = {"gpus": fs.Thread()}
    with pytest.raises(fs.InputError) as caught:
        await fs.run(
            flow(LEAF.format(name)), places=given, observers=[lambda e: ran.append(e.path)]
        )
    near = {"proces": "process", "thred": "thread", "gpu": "gpus"}[name]
    assert f"there is no place {name!r}" in str(caught.value)
    assert f"did you mean {near!r}?" in str(caught.value)
    assert ran == []


@pytest.mark.parametrize("place", ["process", "cluster"])
async def test_a_missing_extra_is_named_before_anything_runs(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"flowscript_trio.placement.{place}.find_spec", lambda name: None)
    ran: list[str] = []
    with pytest.raises(fs.InputError, match=rf"flowscript-trio\[{place}\]"):
        await fs.run(flow(LEAF.format(place)), observers=[lambda e: ran.append(e.path)])
    assert ran == []


@pytest.mark.parametrize("place", ["{{x}}", "a b", "", "-x"])
def test_a_place_is_a_name_that_is_known_when_the_document_is_read(place: str) -> None:
    assert [each.location.line for each in problems_of(LEAF.format(place))] == [1]


@pytest.mark.parametrize(
    "body",
    [
        '<set var="x" value="1" place="thread"/>',
        '<if id="i" condition="true" place="thread"><then><transform:where id="a"/></then></if>',
        '<loop id="l" max="1" place="thread"><transform:where id="a"/></loop>',
        '<parallel id="p" place="thread"><branch><transform:where id="a"/></branch></parallel>',
    ],
)
def test_what_cannot_run_elsewhere_has_no_place(body: str) -> None:
    assert [each.code for each in problems_of(body)] == ["unknown-setting"]


@pytest.mark.parametrize(
    ("inside", "code"),
    [
        ('<checkpoint id="c" prompt="?"/>', "cannot-travel"),
        (
            '<transform:where id="a"><compensate><transform:where id="b"/></compensate></transform:where>',
            "cannot-travel",
        ),
        ('<transform:where id="a" place="cluster"/>', "nested-place"),
        (
            '<foreach id="g" collection="[1]" place="process"><transform:where id="a"/></foreach>',
            "nested-place",
        ),
        (
            '<if id="i" condition="true"><then><transform:where id="a" place="gpu"/></then></if>',
            "nested-place",
        ),
    ],
)
def test_what_belongs_to_the_run_cannot_stand_in_what_runs_elsewhere(
    inside: str, code: str
) -> None:
    bodies = (
        f'<foreach id="f" collection="[1]" place="process">{inside}</foreach>',
        f'<parallel id="p"><branch place="process">{inside}</branch></parallel>',
    )
    for body in bodies:
        assert [each.code for each in problems_of(body)] == [code]


STREAM = '<source:file id="s" path="rows.csv" stream="true"{}/>'


@pytest.mark.parametrize("place", ["process", "cluster"])
@pytest.mark.parametrize(
    ("body", "at"),
    [
        (
            STREAM.format(' place="{}"')
            + '<foreach id="f" collection="s"><transform:where id="a"/></foreach>',
            '{}"/><foreach',
        ),
        (STREAM.format("") + '<sink:file id="o" path="o.csv" input="s" place="{}"/>', 's" place'),
        (STREAM.format("") + '<transform:where id="o" input="{{{{s}}}}" place="{}"/>', "{{{{s}}}}"),
    ],
)
def test_a_stream_cannot_leave_its_process(body: str, at: str, place: str) -> None:
    (problem,) = problems_of(body.format(place))
    assert problem.code == "cannot-travel"
    text = f'<workflow name="w">{body.format(place)}'
    assert text[problem.location.column - 1 :].startswith(at.format(place))
    assert repr(place) in problem.message


@pytest.mark.parametrize(
    "body",
    [
        STREAM.format(' place="thread"')
        + '<sink:file id="o" path="o.csv" input="s" place="thread"/>',
        STREAM.format("")
        + '<foreach id="f" collection="s" place="process"><transform:where id="a"/></foreach>',
        '<foreach id="f" collection="[1]" place="process">'
        + STREAM.format("")
        + '<sink:file id="o" path="o.csv" input="s"/></foreach>',
        '<source:file id="s" path="rows.csv" place="process"/>',
    ],
)
def test_a_stream_may_be_read_where_it_is(body: str) -> None:
    flow(body)


def test_a_thread_may_stand_in_what_runs_elsewhere() -> None:
    flow('<foreach id="f" collection="[1]" place="process">' + LEAF.format("thread") + "</foreach>")


@pytest.mark.parametrize("inside", [LEAF.format("cluster"), '<checkpoint id="c" prompt="?"/>'])
async def test_a_document_that_runs_elsewhere_has_nothing_of_the_run_in_it(
    inside: str, tmp_path: Path
) -> None:
    (tmp_path / "inner.xml").write_text(f'<workflow name="inner">{inside}</workflow>')
    (tmp_path / "outer.xml").write_text(
        '<workflow name="outer"><call id="c" workflow="inner.xml" place="process"/></workflow>'
    )
    from travelling import REGISTRY

    loaded = fs.load(tmp_path / "outer.xml", registry=REGISTRY)
    with pytest.raises(fs.InputError, match=r"'c' .*runs 'inner' at 'process', and '[ac]'"):
        await fs.run(loaded)


@pytest.mark.parametrize(
    "given", [{"here": fs.Thread()}, {"x": "tcp://a:1"}, ["x"], {"*": fs.Thread()}]
)
async def test_places_are_given_by_their_names(given: object) -> None:
    with pytest.raises(fs.InputError):
        await fs.run(flow(LEAF.format("x")), places=given)  # type: ignore[arg-type]


REFUSED = [
    ({"thread": None}, "thread", "here, process, cluster"),
    ({"*": None}, "thread", "here"),
    ({"*": None}, "process", "here"),
    ({"*": None}, "cluster", "here"),
    ({"*": None, "own": fs.Thread()}, "process", "here, own"),
]


@pytest.mark.parametrize(("given", "name", "known"), REFUSED)
async def test_the_application_says_at_which_places_no_node_runs(
    given: dict[str, Any], name: str, known: str
) -> None:
    ran: list[str] = []
    body = f'<transform:where id="b"/>{LEAF.format(name)}'
    with pytest.raises(fs.InputError) as caught:
        await fs.run(flow(body), places=given, observers=[lambda e: ran.append(e.path)])
    assert f"the application lets no node run at {name!r}" in str(caught.value)
    assert str(caught.value).endswith(f"expected one of {known}")
    assert ran == []


async def test_a_place_that_is_given_is_there_where_no_other_is() -> None:
    done = await fs.run(flow(LEAF.format("own")), places={"*": None, "own": fs.Thread()})
    assert done.results["a"].worker == "thread"
    with pytest.raises(fs.InputError, match="there is no place 'gone'"):
        await fs.run(flow(LEAF.format("gone")), places={"*": None, "gone": None})


async def test_here_is_trios_own_thread() -> None:
    done = await fs.run(flow(LEAF.format("here")))
    assert done.results["a"].worker is None
    assert done.output["thread"] == __import__("threading").get_ident()


async def test_an_argument_of_a_call_is_not_its_place(tmp_path: Path) -> None:
    (tmp_path / "inner.xml").write_text(
        '<workflow name="inner"><param name="n"/><transform:template id="t" template="{{n}}"/></workflow>'
    )
    (tmp_path / "outer.xml").write_text(
        '<workflow name="outer"><call id="c" workflow="inner.xml" place="here" n="5"/></workflow>'
    )
    done = await fs.run(fs.load(tmp_path / "outer.xml"))
    assert done.output == 5


@pytest.mark.parametrize(
    "body",
    [
        '<set var="h" value="Bearer {{$secrets.A}}"/><transform:where id="a" n="{{h}}" place="far"/>',
        '<transform:template id="h" template="Bearer {{$secrets.A}}"/>'
        '<transform:where id="a" input="h" place="far"/>',
        '<set var="h" value="{{base64_encode($secrets.A)}}"/>'
        '<foreach id="f" collection="[1]" place="far"><transform:where id="a" n="{{h}}"/></foreach>',
    ],
)
async def test_what_was_made_of_a_secret_does_not_cross_to_another_host_in_the_clear(
    body: str,
) -> None:
    loaded = flow(body, head='<secret name="A"/>')
    far = {"far": fs.Dask("tcp://far.example:8786")}
    with pytest.raises(fs.CannotTravel, match=r"a secret in what '.*' is given.*not encrypted"):
        await fs.run(loaded, secrets={"A": "alpha-beta-gamma"}, places=far)


def test_an_address_of_a_cluster_without_encryption_takes_no_secrets() -> None:
    body = '<transform:where id="a" n="{{$secrets.A}}" place="far"/>'
    loaded = flow(body, head='<secret name="A"/>')
    for address, is_refused in (
        ("tcp://far.example:8786", True),
        ("ws://far.example:8786", True),
    ):
        with pytest.raises(fs.InputError, match=r"not encrypted, and the secrets 'A'"):
            trio.run(
                lambda address=address: fs.run(  # type: ignore[misc]
                    loaded, secrets={"A": "alpha"}, places={"far": fs.Dask(address)}
                )
            )
        assert is_refused
    for address in ("tls://far.example:8786", "tcp://127.0.0.1:8786", "tcp://localhost:1"):
        fs.Dask(address).check_secrets("far", {"A": "alpha"})
    fs.Dask("tcp://far.example:8786").check_secrets("far", {})


def test_the_address_of_a_cluster_has_a_scheme() -> None:
    with pytest.raises(fs.InputError, match="tcp://host:port"):
        fs.Dask("localhost:8786")


LIMIT = '<limit name="api" max="1"/>'


def test_limits_are_counted_where_the_run_is() -> None:
    placed = '<foreach id="f" collection="[1]" place="{}"><transform:where id="a" limit="api"/></foreach>'
    assert [each.code for each in problems_of(LIMIT + placed.format("process"))] == [
        "cannot-travel"
    ]
    flow(f'{LIMIT}<transform:where id="a" limit="api" place="process"/>')
    flow(LIMIT + placed.format("here"))


@pytest.mark.parametrize(
    "body",
    [
        '<call id="c" workflow="inner.xml" place="process"/>',
        '<foreach id="f" collection="[1]" place="thread"><call id="c" workflow="inner.xml"/></foreach>',
        '<parallel id="p"><branch place="cluster"><include id="c" workflow="inner.xml"/></branch></parallel>',
    ],
)
def test_a_document_that_has_limits_runs_where_they_are_counted(body: str, tmp_path: Path) -> None:
    inner = f'<workflow name="inner">{LIMIT}<delay id="d" duration="1s" limit="api"/></workflow>'
    (tmp_path / "inner.xml").write_text(inner)
    (tmp_path / "main.xml").write_text(f'<workflow name="w">{body}</workflow>')
    with pytest.raises(fs.WorkflowInvalid, match="limits are counted where the run is"):
        fs.load(tmp_path / "main.xml")
