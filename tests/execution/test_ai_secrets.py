"""Owns tests of who sees the keys of AI services that nobody declared."""

from __future__ import annotations

from pathlib import Path

import pytest

import flowscript_trio as fs

from completions import KEY, PATH, said, secrets_of
from loopback import loopback

DECLARED = '<secret name="OPENAI_API_KEY"/><secret name="OPENAI_BASE_URL"/>'
LOOK = '<transform:template id="look" template="{{$secrets}}"/>'


@pytest.mark.parametrize(
    ("declared", "seen"), [("", {}), ('<secret name="OPENAI_API_KEY"/>', {"OPENAI_API_KEY": KEY})]
)
async def test_an_expression_sees_a_key_where_the_document_declares_it(
    declared: str, seen: dict[str, str]
) -> None:
    flow = fs.loads(f'<workflow name="w">{declared}{LOOK}</workflow>')
    assert (await fs.run(flow, secrets={"OPENAI_API_KEY": KEY})).output == seen


async def test_an_undeclared_key_is_masked_like_any_other_secret() -> None:
    flow = fs.loads(f'<workflow name="w"><source:file id="f" path="/no-such/{KEY}"/></workflow>')
    with pytest.raises(FileNotFoundError) as caught:
        await fs.run(flow, secrets={"OPENAI_API_KEY": KEY})
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    ("element", "declared", "works"),
    [("include", "", True), ("call", DECLARED, True), ("call", "", False)],
)
async def test_a_document_that_is_run_here_has_the_keys_and_one_that_is_called_those_it_declares(
    element: str, declared: str, works: bool, tmp_path: Path
) -> None:
    inner = f'<workflow name="inner">{declared}<ai id="a" model="m" user="u"/></workflow>'
    (tmp_path / "inner.xml").write_text(inner)
    (tmp_path / "outer.xml").write_text(
        f'<workflow name="outer"><{element} id="i" workflow="inner.xml"/></workflow>'
    )
    async with loopback() as server:
        server.answer(PATH, said("hi"))
        flow = fs.load(tmp_path / "outer.xml")
        if works:
            assert (await fs.run(flow, secrets=secrets_of(server))).output == "hi"
        else:
            with pytest.raises(
                fs.FlowScriptError, match="a document that is called has to declare it"
            ):
                await fs.run(flow, secrets=secrets_of(server))
