"""No secret is in what is kept, in no spelling, and each comes back from its name."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowscript_trio.journal import secrets as journal_secrets
from flowscript_trio.journal.errors import decode_error, encode_error
from flowscript_trio.journal.secrets import KeptSecrets, changed_secrets, fingerprint
from flowscript_trio.journal.values import decode_value, encode_value
from flowscript_trio.types.errors import InputError
from flowscript_trio.types.masking import Masker
from flowscript_trio.types.spellings import named_spellings, spellings_of

SECRET = 'p@ss "wörd"/x+1&'
SECRETS = KeptSecrets({"token": SECRET, "pin": "ab", "code": "12345678"})

SPELLED = {
    "plain": SECRET,
    "within": f"Bearer {SECRET}, twice {SECRET}",
    "bytes": SECRET.encode(),
    "wide": SECRET.encode("utf-16-le"),
    "base64": base64.b64encode(b"user:" + SECRET.encode() + b";").decode(),
    "hex": SECRET.encode().hex(),
    "url": quote(SECRET),
    "lower": quote(SECRET, safe="").lower(),
    "form": quote_plus(SECRET),
    "json": json.dumps({"a": SECRET}),
    "twice": json.dumps(json.dumps(SECRET)),
    "cut": f"…{SECRET[3:14]}",
    "escaped": "".join(f"\\u{ord(c):04x}" for c in SECRET),
    "short": "ab",
    "number": 12345678,
    "numbers": [12345678.0, (912345678,)],
    f"key {SECRET}": 1,
}


@pytest.mark.parametrize("name", SPELLED)
def test_a_secret_in_any_spelling_is_kept_as_its_name_and_restored(name: str) -> None:
    value = {name: SPELLED[name]}
    data = encode_value(value, SECRETS)
    assert decode_value(data, SECRETS) == value
    masker = Masker([SECRET, "12345678"])
    assert not masker.spans(data)
    for form in spellings_of(SECRET):
        assert form not in data
    assert b'"ab"' not in data


@given(st.text(min_size=4, max_size=20), st.data())
def test_every_spelling_of_every_secret_comes_back(secret: str, data: Any) -> None:
    if any(0xD800 <= ord(char) < 0xE000 for char in secret):
        return
    secrets = KeptSecrets({"s": secret})
    form = data.draw(st.sampled_from(sorted(spellings_of(secret))))
    value = [b"before " + form + b" after", form]
    assert decode_value(encode_value(value, secrets), secrets) == value


def test_the_value_that_a_secret_has_now_takes_the_place_of_the_old_one() -> None:
    data = encode_value({"h": f"Bearer {SECRET}", "u": quote(SECRET)}, SECRETS)
    now = KeptSecrets({"token": "another one"}, changed={"token"})
    assert decode_value(data, now) == {"h": "Bearer another one", "u": "another%20one"}


def test_a_secret_is_spelled_once_however_often_a_value_refers_to_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spelled: list[str] = []

    def named(text: str) -> dict[str, bytes]:
        spelled.append(text)
        return named_spellings(text)

    monkeypatch.setattr(journal_secrets, "named_spellings", named)
    secrets = KeptSecrets({"token": SECRET})
    value = [SECRET, quote(SECRET), f"Bearer {SECRET}; " * 500]
    assert decode_value(encode_value(value, secrets), secrets) == value
    assert spelled == [SECRET]


def test_a_part_of_a_secret_that_has_changed_cannot_be_restored() -> None:
    data = encode_value(SPELLED["base64"], SECRETS)
    with pytest.raises(InputError, match="the secret 'token' has a different value"):
        decode_value(data, KeptSecrets({"token": "another one"}, changed={"token"}))


def test_a_secret_that_is_missing_is_named() -> None:
    data = encode_value([SECRET], SECRETS)
    with pytest.raises(InputError, match="the secret 'token'"):
        decode_value(data)


def test_a_fingerprint_tells_which_secrets_have_changed() -> None:
    prints = {"a": fingerprint("one", b"salt"), "b": fingerprint("two", b"salt")}
    assert changed_secrets({"a": "one", "b": "2", "c": "x"}, prints, b"salt") == {"b"}


def test_no_secret_is_in_an_error_that_is_kept() -> None:
    error = ValueError(f"wrong {SECRET}", SECRET.encode())
    error.add_note(f"see {quote(SECRET)}")
    error.__cause__ = OSError(2, "nothing", f"/{SECRET}")
    data = encode_value(encode_error(error, {"message": f"wrong {SECRET}"}, SECRETS), SECRETS)
    assert not Masker([SECRET]).spans(data)
    made, view = decode_error(decode_value(data, SECRETS))
    assert made.args == error.args
    assert made.__notes__ == error.__notes__
    assert str(made.__cause__) == str(error.__cause__)
    assert view == {"message": f"wrong {SECRET}"}
