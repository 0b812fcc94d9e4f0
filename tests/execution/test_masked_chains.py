"""Owns the tests of errors that show a secret whatever is changed in them: their stand-ins have the same chain."""

from __future__ import annotations

import traceback
from typing import Any

import pytest

import flowscript_trio as fs

SECRET = "do-not-tell-2471"


class Stubborn(Exception):
    """Shows a secret whatever is changed in it."""

    def __str__(self) -> str:
        return f"the key {SECRET} was refused"


@pytest.mark.parametrize("deep", [False, True])
async def test_a_cause_that_shows_a_secret_is_replaced_in_the_chain(deep: bool) -> None:
    registry = fs.Registry(base=fs.registry)

    @registry.runtime("source:refused")
    async def refused(params: fs.ExecutionParams) -> Any:
        assert params.config["key"] == SECRET
        inner = Stubborn()
        inner.add_note("said by the server")
        if deep:
            raise LookupError("nothing was found") from inner
        raise inner

    flow = fs.loads(
        '<workflow name="w"><secret name="KEY"/><source:refused id="a" key="{{$secrets.KEY}}"/></workflow>',
        registry=registry,
    )
    with pytest.raises(Exception, match="nothing was found" if deep else r"\*\*\*") as caught:
        await fs.run(flow, secrets={"KEY": SECRET})
    said = "".join(traceback.format_exception(caught.value))
    assert SECRET not in said
    assert "the key *** was refused" in said
    assert "said by the server" in said
