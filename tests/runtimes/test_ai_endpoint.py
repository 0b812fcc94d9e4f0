"""Owns tests of where ``<ai>`` asks, and with which key."""

from __future__ import annotations

import pytest

import flowscript_trio as fs
from flowscript_trio.runtimes.ai.endpoint import OPENAI, Endpoint, find_endpoint

from completions import KEY, PATH, ask, said
from loopback import Answer, loopback


@pytest.mark.parametrize(
    ("base", "key", "secrets", "expected"),
    [
        (None, None, {"OPENAI_API_KEY": "a"}, (OPENAI, "a")),
        (None, None, {"OPENAI_API_KEY": "a", "OPENAI_BASE_URL": "http://o"}, ("http://o", "a")),
        (None, None, {"OPENROUTER_API_KEY": "r"}, ("https://openrouter.ai/api/v1", "r")),
        (
            None,
            None,
            {"OPENROUTER_API_KEY": "r", "OPENROUTER_BASE_URL": "http://r", "OPENAI_BASE_URL": "http://o"},
            ("http://r", "r"),
        ),
        (None, None, {"OPENAI_API_KEY": "a", "OPENROUTER_API_KEY": "r"}, (OPENAI, "a")),
        ("http://own", "k", {"OPENAI_API_KEY": "a"}, ("http://own", "k")),
        ("http://own", None, {"OPENAI_API_KEY": "a"}, ("http://own", None)),
        ("http://own", None, {}, ("http://own", None)),
        ("https://api.openai.com/v1/", None, {"OPENAI_API_KEY": "a"}, ("https://api.openai.com/v1/", "a")),
        ("http://r", None, {"OPENROUTER_API_KEY": "r", "OPENROUTER_BASE_URL": "http://r/"}, ("http://r", "r")),
        (None, "k", {}, (OPENAI, "k")),
        (None, "k", {"OPENAI_BASE_URL": "http://o"}, ("http://o", "k")),
        (
            None,
            "r",
            {"OPENAI_API_KEY": "a", "OPENROUTER_API_KEY": "r"},
            ("https://openrouter.ai/api/v1", "r"),
        ),
        ("", "", {"OPENAI_API_KEY": "a"}, (OPENAI, "a")),
    ],
)  # fmt: skip
def test_the_settings_come_before_openai_and_openai_before_openrouter(
    base: str | None, key: str | None, secrets: dict[str, str], expected: tuple[str, str | None]
) -> None:
    found = find_endpoint(base, key, secrets)
    assert (found.base, found.key) == expected
    assert "key" not in repr(found)


@pytest.mark.parametrize("secrets", [{}, {"OPENAI_BASE_URL": "http://o", "OTHER": "x"}])
async def test_without_a_key_and_a_url_the_error_says_what_is_expected(
    secrets: dict[str, str],
) -> None:
    async with loopback() as server:
        with pytest.raises(fs.FlowScriptError, match="OPENAI_API_KEY or OPENROUTER_API_KEY"):
            await ask(server, secrets=secrets)


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("http://x/v1", "http://x/v1/chat/completions"),
        ("http://x/v1/", "http://x/v1/chat/completions"),
        ("http://x", "http://x/chat/completions"),
        ("http://x/d?api-version=1", "http://x/d/chat/completions?api-version=1"),
    ],
)
def test_the_path_follows_the_base(base: str, url: str) -> None:
    assert Endpoint(base, None).url == url


@pytest.mark.parametrize("base", ["localhost:8000/v1", "http://[x/v1", "/v1", "ftp://x/v1"])
async def test_a_base_url_that_is_none_is_an_error_of_the_setting(base: str) -> None:
    async with loopback() as server:
        with pytest.raises(fs.SettingError, match=r"the base-url is"):
            await ask(server, 'user="u" base-url="{{$config.base}}"', config={"base": base})
        secrets = {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": base}
        with pytest.raises(fs.SettingError, match=r"the base-url is"):
            await ask(server, secrets=secrets)


def test_the_limit_of_tokens_has_another_name_at_openai_itself() -> None:
    assert Endpoint(OPENAI + "/", "k").tokens_name == "max_completion_tokens"
    assert Endpoint("http://x/v1", "k").tokens_name == "max_tokens"


async def test_the_key_is_sent_as_a_bearer_token_and_none_where_there_is_none() -> None:
    async with loopback() as server:
        server.answer(PATH, said("hi"))
        await ask(server)
        assert server.seen[-1].headers["authorization"] == f"Bearer {KEY}"
        settings = f'user="u" base-url="{server.base}/v1"'
        await ask(server, settings, secrets={"OPENAI_API_KEY": KEY})
        assert "authorization" not in server.seen[-1].headers
        await ask(
            server, settings + ' api-key="{{$config.key}}"', config={"key": "mine"}, secrets={}
        )
        assert server.seen[-1].headers["authorization"] == "Bearer mine"


async def test_a_service_that_wants_a_key_and_got_none_is_told_apart() -> None:
    async with loopback() as server:
        server.answer(PATH, Answer(401, "who are you?"))
        with pytest.raises(fs.HTTPStatusError) as caught:
            await ask(
                server, f'user="u" base-url="{server.base}/v1"', secrets={"OPENAI_API_KEY": KEY}
            )
        assert any("no key was sent" in note for note in caught.value.__notes__)
        with pytest.raises(fs.HTTPStatusError) as caught:
            await ask(server)
        assert not any("no key was sent" in note for note in caught.value.__notes__)


async def test_a_key_that_the_service_repeats_stays_out_of_the_error_though_it_is_no_secret() -> (
    None
):
    async with loopback() as server:
        server.answer(
            PATH, Answer(401, {"error": f"the key {KEY} is wrong"}), said(None, refusal=KEY)
        )
        settings = f'user="u" base-url="{server.base}/v1" api-key="{{{{$config.key}}}}"'
        for kind in (fs.HTTPStatusError, fs.AIError):
            with pytest.raises(kind, match=r"\*\*\*") as caught:
                await ask(server, settings, secrets={}, config={"key": KEY})
            assert KEY not in str(caught.value)
            assert caught.value.__context__ is None or caught.value.__suppress_context__
