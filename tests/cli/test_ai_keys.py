"""Owns tests of the keys of AI services that the command line takes from the environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import trio

from completions import KEY, PATH, said
from loopback import loopback

OURS = ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENROUTER_API_KEY", "OPENROUTER_BASE_URL")


async def flowscript(text: str, tmp_path: Path, **env: str) -> subprocess.CompletedProcess[bytes]:
    """Run a document with no other of the four names in the environment than these."""
    (tmp_path / "flow.xml").write_text(text)
    kept = {name: value for name, value in os.environ.items() if name not in OURS}
    run = partial(
        trio.run_process,
        [sys.executable, "-m", "flowscript_trio", "run", str(tmp_path / "flow.xml")],
        capture_stdout=True,
        capture_stderr=True,
        check=False,
        env={**kept, **env},
    )
    with trio.fail_after(60):
        return await run()


@pytest.mark.parametrize("service", ["OPENAI", "OPENROUTER"])
async def test_the_keys_of_the_environment_are_found_unasked(service: str, tmp_path: Path) -> None:
    async with loopback() as server:
        server.answer(PATH, said("hi"))
        text = '<workflow name="w"><ai id="a" model="m" user="u"/></workflow>'
        env = {f"{service}_API_KEY": KEY, f"{service}_BASE_URL": f"{server.base}/v1"}
        if service == "OPENROUTER":
            env["OPENAI_API_KEY"] = ""  # as good as none
        done = await flowscript(text, tmp_path, **env)
        assert (done.returncode, json.loads(done.stdout)) == (0, "hi")
        assert b"warning" not in done.stderr
        assert server.seen[0].headers["authorization"] == f"Bearer {KEY}"


async def test_an_expression_does_not_see_them(tmp_path: Path) -> None:
    text = (
        '<workflow name="w"><transform:template id="t" '
        "template=\"{{length(keys($secrets))}} {{has($secrets, 'OPENAI_API_KEY')}}\"/></workflow>"
    )
    done = await flowscript(text, tmp_path, OPENAI_API_KEY=KEY)
    assert json.loads(done.stdout) == "0 false"


async def test_without_a_key_the_error_says_what_is_expected(tmp_path: Path) -> None:
    text = '<workflow name="w"><ai id="a" model="m" user="u"/></workflow>'
    done = await flowscript(text, tmp_path)
    assert done.returncode == 1
    assert b"OPENAI_API_KEY" in done.stderr
