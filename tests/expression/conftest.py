"""Owns the two ways in which expressions run: every test of this folder holds for both of them."""

from __future__ import annotations

import pytest

from flowscript_trio.expression import codegen, expressions, template


@pytest.fixture(autouse=True, params=["closures", "functions"], scope="module")
def evaluation(request: pytest.FixtureRequest) -> object:
    """Expressions as closures, as the first evaluations are, or as functions from the first on."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "functions":
            patch.setattr(expressions, "WARM", 1)
            patch.setattr(template, "WARM", 1)
        else:
            patch.setattr(codegen, "generate", lambda *_: None)
            patch.setattr(codegen, "generate_text", lambda *_: None)
            patch.setattr(codegen, "generate_words", lambda *_: None)
        yield request.param
